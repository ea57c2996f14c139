"""Which colour and dash a line has: the same in every panel, a colour for each value of one axis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..results.replicates import Replicate, Results

DASHES = ("-", "--", "-.", ":")
COLOUR_COUNT = 8
MARKERS = ("o", "^", "s", "D", "v", "P")


@dataclass
class Palette:
    """Colours by the values of `axis`, or by measure where there is none; dashes for what else differs."""

    results: Results
    axis: str | None
    told: dict[Any, int] = field(default_factory=dict)

    @staticmethod
    def of(results: Results, axis: str | None, taken: tuple[str | None, ...]) -> Palette:
        """By the axis that is asked for; otherwise by variants, or the first axis that is not taken."""
        left = [name for name in results.axes if name not in taken and len(results.axes[name]) > 1]
        return Palette(results, axis or ("variant" if "variant" in left else left[0] if left else None))

    def line(self, replicate: Replicate, measure: str, taken: tuple[str | None, ...]) -> dict[str, Any]:
        """The colour and dash of a measure's line in a replicate's program."""
        rest = [
            (name, replicate.variant if name == "variant" else replicate.constants[name])
            for name in self.results.axes
            if name not in (self.axis, *taken)
        ]
        if self.axis is None:
            colour = self.told.setdefault(measure, len(self.told))
            return {"color": f"C{colour % COLOUR_COUNT}", "linestyle": DASHES[0]}
        value = replicate.variant if self.axis == "variant" else replicate.constants[self.axis]
        dash = self.told.setdefault((measure, *rest), len(self.told))
        colour = list(dict.fromkeys(self.results.axes[self.axis])).index(value)
        return {"color": f"C{colour % COLOUR_COUNT}", "linestyle": DASHES[dash % len(DASHES)]}


def marker(place: int) -> dict[str, Any]:
    """The colour and shape of the points of one label: no two of the first 48 are alike."""
    return {"color": f"C{place % COLOUR_COUNT}", "marker": MARKERS[place // COLOUR_COUNT % len(MARKERS)]}
