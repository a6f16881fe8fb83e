"""The road with a formula: the triangle and what is solved from it."""
