"""Surefoot minimises functions and fits models to data, and says truthfully what the answer is."""

__version__ = "0.1.0"
