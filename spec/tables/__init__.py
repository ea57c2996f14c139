"""The language's vocabulary, one row a thing.

In: nothing. Out: rows that the checker, models, documentation and interpreter read.
"""
