"""One compiled program of one cell.

In: a job. Out: curves: start, training steps, measures, gradient statistics, divergence.
"""
