"""Edits without colours: what was replaced stands between guillemets, and long stretches that stayed are shortened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .changes import Edit

CONTEXT = 32
"""How many characters of what stayed are shown on either side of a change."""


def marked(parts: Iterable[Edit]) -> str:
    """Edits in one line: `«old → new»`, and `«old →»` or `«→ new»` where one side has nothing.

    >>> marked([Edit("same", "x^-"), Edit("removed", "2"), Edit("added", "4")])
    'x^-«2 → 4»'
    >>> marked([Edit("same", "max(f"), Edit("added", ", 0"), Edit("same", ")")])
    'max(f«→ , 0»)'
    """
    text, removed = "", ""
    for edit in [*parts, Edit("same", "")]:
        if edit.kind == "removed":
            removed += edit.text
            continue
        if edit.kind == "added":
            text += f"«{removed}{' ' if removed else ''}→ {edit.text}»"
        elif removed:
            text += f"«{removed} →»"
        if edit.kind == "same":
            text += edit.text
        removed = ""
    return text


def shortened(parts: Sequence[Edit], context: int = CONTEXT) -> tuple[Edit, ...]:
    """Edits in which what stayed is cut to what stands next to a change.

    >>> stayed = " + ".join(f"term_{place}" for place in range(20))
    >>> [edit.text for edit in shortened([Edit("removed", "a"), Edit("added", "b"), Edit("same", " + " + stayed)], 20)]
    ['a', 'b', ' + term_0 + term_1 …']
    """
    last = len(parts) - 1
    return tuple(
        Edit("same", _cut(edit.text, context if place else 0, context if place < last else 0))
        if edit.kind == "same" and last
        else edit
        for place, edit in enumerate(parts)
    )


def _cut(text: str, lead: int, tail: int) -> str:
    """A text without its middle, cut between words: `lead` characters of its beginning stay, and `tail` of its end."""
    if len(text) <= lead + tail + 8:
        return text
    first = text[:lead].rpartition(" ")[0] if lead else ""
    rest = text[len(text) - tail :].partition(" ")[2] if tail else ""
    return f"{first}{' ' if first else ''}…{' ' if rest else ''}{rest}"
