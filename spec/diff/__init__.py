"""What changes between two studies, by meaning: on paths and expressions, with what follows for results and costs."""

from __future__ import annotations

from .changes import Change, Edit, StudyDiff, Where
from .study import compare

__all__ = ["Change", "Edit", "StudyDiff", "Where", "compare"]
