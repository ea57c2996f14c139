"""The paired margins of a claim as a small picture: a dot a replicate, the mean with its interval, and where the claim turns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from ..results.number_text import number

WIDTH, HEIGHT, EDGE = 240, 28, 8
"""In units of the picture, which are CSS pixels where it is not scaled."""
LARGEST = 1e300
"""What is larger is not drawn: sums of it are infinite."""


def margins_picture(claim: Mapping[str, Any]) -> Markup:
    """The picture of a claim as data (`claims.json`); empty where it has no margins. Left of the line the claim is not met."""
    evidence = claim["evidence"]
    if len(evidence) != 1:
        return Markup("")
    judged = claim["margins"]  # of a judge of means alone is the interval one of margins
    margins: Sequence[float] = [value for value in judged or evidence[0].get("margins", ()) if value is not None]
    if len(margins) < 2:
        return Markup("")
    ends = [end for end in claim["interval"] or () if end is not None] if judged else []
    low, high = min(0.0, *margins, *ends), max(0.0, *margins, *ends)
    if high - low > LARGEST:
        return Markup("")
    scale = (WIDTH - 2 * EDGE) / ((high - low) or 1.0)
    middle = HEIGHT / 2

    def across(value: float) -> str:
        return f"{EDGE + (value - low) * scale:.1f}"

    mean = math.fsum(margins) / len(margins)
    words = f"Margins of {len(margins)} replicates, from {number(min(margins))} to {number(max(margins))}, mean {number(mean)}"
    parts = [f'<line class="turn" x1="{across(0)}" x2="{across(0)}" y1="2" y2="{HEIGHT - 2}"/>']
    if ends:
        parts.append(
            f'<line class="interval" x1="{across(ends[0])}" x2="{across(ends[1])}" y1="{middle}" y2="{middle}"/>'
        )
        parts.append(
            f'<line class="interval" x1="{across(mean)}" x2="{across(mean)}" y1="{middle - 6}" y2="{middle + 6}"/>'
        )
    parts += [f'<circle cx="{across(value)}" cy="{middle}" r="3.5"/>' for value in margins]
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return Markup(f'<svg class="margins" role="img" aria-label="{escape(words)}" {size}>{"".join(parts)}</svg>')
