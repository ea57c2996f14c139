"""The changes between two studies, by meaning.

In: two documents and their plans. Out: changes with their classes, cells to run again, claims, a headline.
"""

from __future__ import annotations

from .as_run import AsRun, compare_as_run
from .changes import Change, Edit, StudyDiff, Where
from .study import compare

__all__ = ["AsRun", "Change", "Edit", "StudyDiff", "Where", "compare", "compare_as_run"]
