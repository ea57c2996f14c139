"""What can be a name: of a binding, a column, a file."""

from __future__ import annotations

import re

KEYWORDS = frozenset({"and", "or", "not", "if", "else", "for", "true", "false"})
"""The words of expressions."""


def is_name(text: str) -> bool:
    """Whether a text can be a name: a word that is none of the language's own.

    >>> is_name("x"), is_name("2x"), is_name("if")
    (True, False, False)
    """
    return text.isidentifier() and text.isascii() and text not in KEYWORDS


def file_name(path: str) -> str:
    """What a study calls a file that it gives no other name: its stem up to the first dot.

    >>> file_name("data/digits.csv.gz")
    'digits'
    """
    return re.split(r"[/\\]", path)[-1].split(".")[0]
