"""Claims judged on results.

In: a claim and the results of its experiment. Out: a verdict with its evidence; two runs compared.
"""
