"""Long comparisons with the peers, in one run each: ``make bench``."""
