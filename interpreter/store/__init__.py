"""Results kept by digest.

In: cell requests and finished replicates. Out: what is stored of a request, leases, checkpoints.
"""
