"""What can be a name: of a binding, a column, a file."""

from __future__ import annotations

KEYWORDS = frozenset({"and", "or", "not", "if", "else", "for", "true", "false"})
"""The words of expressions."""


def is_name(text: str) -> bool:
    """Whether a text can be a name: a word that is none of the language's own.

    >>> is_name("x"), is_name("2x"), is_name("if")
    (True, False, False)
    """
    return text.isidentifier() and text.isascii() and text not in KEYWORDS
