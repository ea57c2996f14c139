"""What a notebook shows, in pieces that look right on a light page and on a dark one: colours of the page but for marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from ..results.verdicts import FAILS, HOLDS, MARKS, OPEN, SEEN, VERDICTS, counted

COLOURS = {HOLDS: "#2c9a5b", SEEN: "#2f8aa8", FAILS: "#d6504a", OPEN: "#a8801f"}
"""Each is told from white and from black alike."""
NUMBER = re.compile(r"-?[\d.]+e-\d+|-[\d.]+")
"""A number at whose sign a page would break it."""
MOST_ROWS = 40
"""How many rows a table in a notebook has at most."""


class Html(str):
    """A text that is HTML already: all others are escaped."""

    __slots__ = ()


def text(value: object) -> Html:
    """A value as HTML: its words, and nothing that the page could take for its own."""
    return value if isinstance(value, Html) else Html(escape(str(value)))


def whole(value: object) -> Html:
    """A value whose numbers are not broken at a sign.

    >>> str(whole("2 (1e-06 … 3)"))
    "2 (<span style='white-space:nowrap'>1e-06</span> … 3)"
    """
    if isinstance(value, Html):
        return value
    return Html(NUMBER.sub(r"<span style='white-space:nowrap'>\g<0></span>", text(value)))


def code(value: object) -> Html:
    """A value as code."""
    return Html(f"<code>{text(value)}</code>")


def worded(value: str) -> Html:
    """A sentence, with what stands in backticks as code.

    >>> str(worded("`a < 2` is true"))
    '<code>a &lt; 2</code> is true'
    """
    return Html("".join(code(part) if place % 2 else text(part) for place, part in enumerate(value.split("`"))))


def paragraph(*parts: object, muted: bool = False) -> Html:
    """A line."""
    style = "margin:0.2em 0" + (";opacity:0.75" if muted else "")
    return Html(f"<p style='{style}'>{' '.join(map(text, parts))}</p>")


def bold(value: object) -> Html:
    """A value that stands out."""
    return Html(f"<b>{text(value)}</b>")


def block(value: object) -> Html:
    """A text in its lines."""
    return Html(f"<pre style='margin:0;white-space:pre-wrap;text-align:left'>{text(value)}</pre>")


def table(heads: Sequence[object], rows: Sequence[Sequence[object]], numbers: int | None = None) -> Html:
    """A table; its columns from the number `numbers` on are set to the right. Of many rows the first are shown, and how many more there are."""
    first = len(heads) if numbers is None else numbers
    aligned = [
        f"text-align:{'left' if place < first else 'right'};vertical-align:top;padding:0.1em 0.6em"
        for place in range(len(heads))
    ]
    top = "".join(f"<th style='{style}'>{text(head)}</th>" for style, head in zip(aligned, heads, strict=True))
    body = "".join(
        "<tr>"
        + "".join(
            f"<td style='{style}'>{text(cell) if place < first else whole(cell)}</td>"
            for place, (style, cell) in enumerate(zip(aligned, row, strict=True))
        )
        + "</tr>"
        for row in rows[:MOST_ROWS]
    )
    more = paragraph(f"… and {len(rows) - MOST_ROWS:,} more", muted=True) if len(rows) > MOST_ROWS else ""
    return Html(f"<table style='margin:0.3em 0'><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>{more}")


def mark(verdict: str) -> Html:
    """A verdict with its sign, in its colour."""
    return Html(f"<b style='color:{COLOURS[verdict]};white-space:nowrap'>{MARKS[verdict]} {verdict}</b>")


def tally(counts: dict[str, int]) -> Html:
    """How many claims came out how."""
    shown = [
        f"<b style='color:{COLOURS[name]}'>{MARKS[name]} {counted(name, counts[name])}</b>"
        for name in VERDICTS
        if counts.get(name)
    ]
    return Html(" · ".join(shown))
