"""Warnings of commands."""

from __future__ import annotations

import sys

from .problems_told import for_terminal


def tell_warning(text: str) -> None:
    """Prints a warning on standard error."""
    print(for_terminal(f"warning: {text}"), file=sys.stderr)
