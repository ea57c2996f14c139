"""What an editor asks of a study while it is written; nothing here knows of a protocol.

In: a text that may be half typed, and a cursor. Out: problems, completion, hover, definitions.
"""

from __future__ import annotations

from .completion import Completion
from .document import OpenStudy

__all__ = ["Completion", "OpenStudy"]
