"""Two texts compared line by line."""

from __future__ import annotations

import difflib


def line_difference(before: str, after: str, names: tuple[str, str]) -> list[str]:
    """The lines of a unified diff; one that ends its text without a line break says so, as git does."""
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), *names)
    return [line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines]
