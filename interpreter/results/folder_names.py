"""Names of the folders and files in a folder of runs, besides the runs themselves."""

from __future__ import annotations

REPORT = "report.html"
"""The page in a run's folder."""
STORE = "store"
"""The store of cells."""
COMPARISONS = "comparisons"
"""The figures that set two runs side by side."""
TENSORBOARD = "tensorboard"
"""The event files of runs that TensorBoard reads, a folder a run, called like it."""
