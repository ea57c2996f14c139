"""What an editor asks of a study while it is written: problems, completion, hover, definitions, the canonical form.

Every answer is given for a text that may be half typed; nothing here knows of a protocol.
"""

from __future__ import annotations

from .completion import Completion
from .document import OpenStudy

__all__ = ["Completion", "OpenStudy"]
