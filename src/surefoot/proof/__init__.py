"""WHAT the point is: verdicts and the evidence for them."""
