"""Where things lie in a folder of runs, besides the runs themselves."""

from __future__ import annotations

STORE = "store"
"""The store of cells."""
COMPARISONS = "comparisons"
"""The figures that set two runs side by side."""
TENSORBOARD = "tensorboard"
"""The event files of runs that TensorBoard reads, a folder a run, called like it."""
