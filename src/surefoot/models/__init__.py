"""Fits with statistics: linear models and their inference."""
