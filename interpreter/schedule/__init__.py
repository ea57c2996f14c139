"""What has to run, in which batches, and how far it is.

In: a plan and the store. Out: jobs for an executor, progress and estimates.
"""
