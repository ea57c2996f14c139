"""What a run gives, in memory and on disk.

In: curves, samples and verdicts. Out: the folder of a run, tables, and both read back.
"""
