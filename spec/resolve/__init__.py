"""Bases, profiles, overrides, variants and sweeps.

In: a document. Out: a plan, with one checked experiment for each cell.
"""
