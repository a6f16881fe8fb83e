"""The verbs: what a person asks for, in one call each; the one place where all roads meet.

``fits`` are about data, ``minima`` about functions. They are two files so that a fit never pays for what a function
needs, nor the other way round.
"""
