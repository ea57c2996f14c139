"""Where jobs run.

In: jobs. Out: their results as they end, from threads, processes or a cluster.
"""
