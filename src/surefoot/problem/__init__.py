"""WHAT is asked: expressions, their grammar and their readings."""
