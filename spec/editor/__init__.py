"""What an editor asks of a study while it is written; nothing here knows of a protocol.

In: a text that may be half typed, and a cursor. Out: problems, completion, hover, definitions.
"""

from __future__ import annotations

from .completion import Completion
from .document import OpenStudy
from .quick_fixes import Fix, quick_fix
from .renaming import NotRenamed

__all__ = ["Completion", "Fix", "NotRenamed", "OpenStudy", "quick_fix"]
