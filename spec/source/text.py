"""A study's text: read from a file or from bytes, as UTF-8."""

from __future__ import annotations

import re
from pathlib import Path

from ..diagnostics.problems import Source, Span, problem_at

MAX_BYTES = 4 * 2**20
UNREAD = "Check the path, and that you may read it."
"""What helps where a file cannot be read."""


def read(path: str | Path) -> Source:
    """Reads a file as UTF-8. Raises StudyError when it can't be read or is not UTF-8."""
    name = str(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise problem_at(None, f"{name}: cannot be read: {error.strerror or error}", UNREAD) from None
    return decode(data, name)


def decode(data: bytes, name: str, folder: str = "") -> Source:
    """Bytes to a source, whose files lie in a folder; the error for bytes that are not UTF-8 names the line."""
    if len(data) > MAX_BYTES:
        raise problem_at(
            None,
            f"{name}: {len(data):,} bytes is too long for a spec; the limit is {MAX_BYTES:,}",
            "A study is a few pages: data do not belong in it.",
        )
    try:
        return Source(name, data.decode("utf-8-sig"), folder)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        span = Span(Source(name, data.decode("utf-8", "replace")), line, column, line, column + 1)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise problem_at(span, message, "Save the file as UTF-8.") from None


def is_study(text: str) -> bool:
    """Whether a YAML text means to be a study: a key `dlspec` begins one of its lines.

    >>> is_study("# mine\\ndlspec: 1\\n"), is_study("repos: [dlspec: 1]\\n")
    (True, False)
    """
    return re.search(r"^(?:\{\s*)?([\"']?)dlspec\1\s*:", text, re.MULTILINE) is not None
