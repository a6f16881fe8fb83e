"""The road on foot: a direction, a step along it, and one loop that repeats them until there is a reason to stop."""
