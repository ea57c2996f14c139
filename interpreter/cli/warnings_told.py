"""Warnings of commands."""

from __future__ import annotations

import sys


def tell_warning(text: str) -> None:
    """Prints a warning on standard error."""
    print(f"warning: {text}", file=sys.stderr)
