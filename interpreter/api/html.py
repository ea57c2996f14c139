"""What a notebook shows, in pieces that look right on a light page and on a dark one: colours of the page but for marks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

from ..results.verdicts import FAILS, HOLDS, MARKS, OPEN, SEEN, VERDICTS, counted

COLOURS = {HOLDS: "#2c9a5b", SEEN: "#2f8aa8", FAILS: "#d6504a", OPEN: "#a8801f"}
"""Each is told from white and from black alike."""
NUMBER = re.compile(r"-?[\d.]+e-\d+|-[\d.]+")
"""A number at whose sign a page would break it."""
MOST_ROWS = 40
"""How many rows a table in a notebook has at most."""


def whole(value: object) -> Markup:
    """A value whose numbers are not broken at a sign.

    >>> str(whole("2 (1e-06 … 3)"))
    "2 (<span style='white-space:nowrap'>1e-06</span> … 3)"
    """
    if isinstance(value, Markup):
        return value
    return Markup(NUMBER.sub(r"<span style='white-space:nowrap'>\g<0></span>", str(escape(value))))


def code(value: object) -> Markup:
    """A value as code."""
    return Markup(f"<code>{escape(value)}</code>")


def paragraph(*parts: object, muted: bool = False) -> Markup:
    """A line."""
    style = "margin:0.2em 0" + (";opacity:0.75" if muted else "")
    return Markup(f"<p style='{style}'>{' '.join(map(escape, parts))}</p>")


def bold(value: object) -> Markup:
    """A value that stands out."""
    return Markup(f"<b>{escape(value)}</b>")


def block(value: object) -> Markup:
    """A text in its lines."""
    return Markup(f"<pre style='margin:0;white-space:pre-wrap;text-align:left'>{escape(value)}</pre>")


def table(heads: Sequence[object], rows: Sequence[Sequence[object]], numbers: int | None = None) -> Markup:
    """A table; its columns from the number `numbers` on are set to the right. Of many rows the first are shown, and how many more there are."""
    first = len(heads) if numbers is None else numbers
    aligned = [
        f"text-align:{'left' if place < first else 'right'};vertical-align:top;padding:0.1em 0.6em"
        for place in range(len(heads))
    ]
    top = "".join(f"<th style='{style}'>{escape(head)}</th>" for style, head in zip(aligned, heads, strict=True))
    body = "".join(
        "<tr>"
        + "".join(
            f"<td style='{style}'>{escape(cell) if place < first else whole(cell)}</td>"
            for place, (style, cell) in enumerate(zip(aligned, row, strict=True))
        )
        + "</tr>"
        for row in rows[:MOST_ROWS]
    )
    more = paragraph(f"… and {len(rows) - MOST_ROWS:,} more", muted=True) if len(rows) > MOST_ROWS else ""
    return Markup(f"<table style='margin:0.3em 0'><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>{more}")


def mark(verdict: str) -> Markup:
    """A verdict with its sign, in its colour."""
    return Markup(f"<b style='color:{COLOURS[verdict]};white-space:nowrap'>{MARKS[verdict]} {verdict}</b>")


def tally(counts: dict[str, int]) -> Markup:
    """How many claims came out how."""
    shown = [
        f"<b style='color:{COLOURS[name]}'>{MARKS[name]} {counted(name, counts[name])}</b>"
        for name in VERDICTS
        if counts.get(name)
    ]
    return Markup(" · ".join(shown))
