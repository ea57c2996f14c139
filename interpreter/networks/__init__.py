"""Keras layers on stacked replicates.

In: a network of the plan. Out: its weights, and its outputs on a batch.
"""
