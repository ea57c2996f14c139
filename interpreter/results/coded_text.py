"""Sentences as HTML."""

from __future__ import annotations

from markupsafe import Markup


def coded(text: str) -> Markup:
    """A sentence, with what stands in backticks as code, and the rest escaped.

    >>> str(coded("`a < 2`, or <2>"))
    '<code>a &lt; 2</code>, or &lt;2&gt;'
    """
    parts = enumerate(text.split("`"))
    return Markup("").join(Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in parts)
