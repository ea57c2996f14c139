"""Three texts of a study, of which two come from one: merged by paths and meaning.

In: base, ours and theirs. Out: a text with the changes of both, in ours' layout, and what could not be decided, marked.
"""

from __future__ import annotations

from .conflicts import Conflict
from .reading import Unmergeable
from .study import Merged, merged

__all__ = ["Conflict", "Merged", "Unmergeable", "merged"]
