"""Functions of the intermediate representation.

In: terms and plans. Out: values in NumPy, text, digests, costs, memory, ranges of ints.
"""
