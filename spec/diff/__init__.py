"""The changes between two studies, by meaning.

In: two documents and their plans. Out: changes with their classes, cells to run again, claims, a headline.
"""

from __future__ import annotations

from .changes import Change, Edit, StudyDiff, Where
from .study import compare

__all__ = ["Change", "Edit", "StudyDiff", "Where", "compare"]
