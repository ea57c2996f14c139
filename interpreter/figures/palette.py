"""Which colour, dash and marker a line has: the same in every panel, a colour for each value of one axis, and none twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LogNorm, Normalize, SymLogNorm, to_hex

from ..results.cell_groups import axis_value
from ..results.replicates import Replicate, Results

DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (7, 2, 1, 2, 1, 2)), (0, (3, 4)))
COLOUR_COUNT = 8
MARKERS = ("o", "^", "s", "D", "v", "P")
MARKED_PLACES = 0.13
"""Markers of a line lie so far apart, as a share of the panel's width."""
FEWEST_SHADES = 3
"""From how many numbers on the colours of an axis are shades in their order."""
MOST_SHADES_NAMED = 8
"""Up to how many shades are named one by one; more have a colour bar."""
SHADES = (0.0, 0.88)
"""Which part of the colour map is used: its yellow end can't be seen on white."""
LOG_RATIO = 20
"""From this ratio of the largest to the smallest number on a colour bar is logarithmic."""


@dataclass
class Palette:
    """Colours by the values of `axis`, or by measure where there is none; dashes, then markers, for what else differs.

    Numbers of an axis have shades in their order; `bar` says whether there are so many that a colour bar names them.
    """

    results: Results
    axis: str | None
    values: Sequence[Any] = ()
    rest: tuple[str, ...] = ()
    told: dict[Any, int] = field(default_factory=dict)

    @staticmethod
    def of(results: Results, axis: str | None, taken: Sequence[str | None], measures: Sequence[str] = ("",)) -> Palette:
        """By the axis that is asked for; otherwise by one of so many numbers that a colour bar names them, by variants, or the first that differs.

        Axes that are `taken` tell no series from another.
        """
        values = {name: shown_values(results, name) for name in results.axes}
        left = [name for name in results.axes if name not in taken and len(values[name]) > 1]
        many = [name for name in left if Palette(results, name, values[name]).bar]
        axis = axis or next(iter([*many, *(name for name in left if name == "variant"), *left]), None)
        rest = tuple(name for name in results.axes if name not in (axis, *taken))
        palette = Palette(results, axis, values[axis] if axis else (), rest)
        for measure in measures:
            for replicate in results.replicates:
                palette._place(replicate, measure)
        return palette

    @cached_property
    def shades(self) -> bool:
        """Whether colours stand for numbers, in their order."""
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)
        return numbers and len(self.values) >= FEWEST_SHADES and bool(np.isfinite(np.asarray(self.values, float)).all())

    @property
    def bar(self) -> bool:
        """Whether a colour bar says what the colours are."""
        return self.shades and len(self.values) > MOST_SHADES_NAMED

    @cached_property
    def norm(self) -> Any:
        """Where a number lies on the colour bar, from 0 to 1."""
        numbers = np.asarray(self.values, float)
        low, high = float(numbers.min()), float(numbers.max())
        away = np.abs(numbers[numbers != 0])
        if away.max() < LOG_RATIO * away.min():
            return Normalize(low, high)
        return LogNorm(low, high) if low > 0 else SymLogNorm(float(away.min()), vmin=low, vmax=high)

    def line(self, replicate: Replicate, measure: str) -> dict[str, Any]:
        """The colour, dash and marker of a measure's line in a replicate's program."""
        place = self._place(replicate, measure)
        if self.axis is None:
            return _look(place, 0, 1)
        value = axis_value(replicate, self.axis)
        if not self.shades:
            return _look(list(self.values).index(value), place, max(1, len(self.told)))
        share = float(self.norm(value)) if self.bar else sorted(self.values).index(value) / (len(self.values) - 1)
        return {**_look(0, place, 1), "color": shade(share)}

    def _place(self, replicate: Replicate, measure: str) -> int:
        """The number of what differs besides the colour: the measure, and the values of the other axes."""
        if self.axis is None:
            return self.told.setdefault(measure, len(self.told))
        return self.told.setdefault((measure, *(axis_value(replicate, name) for name in self.rest)), len(self.told))


def shown_values(results: Results, axis: str) -> list[Any]:
    """The values of an axis that replicates with results have, in the axis' order."""
    there = {axis_value(replicate, axis) for replicate in results.replicates}
    return [value for value in dict.fromkeys(results.axes[axis]) if value in there]


def shade(share: float) -> str:
    """A colour of the scale for numbers, at a share of it from 0 to 1."""
    low, high = SHADES
    return to_hex(colormaps["viridis"](low + (high - low) * share))


def _look(colour: int, style: int, styles: int) -> dict[str, Any]:
    """The look of one of `styles` series of a colour: where colours begin again dashes go on, and then markers."""
    style += styles * (colour // COLOUR_COUNT)
    look = {"color": f"C{colour % COLOUR_COUNT}", "linestyle": DASHES[style % len(DASHES)]}
    if marked := style // len(DASHES) % (len(MARKERS) + 1):
        return {**look, "marker": MARKERS[marked - 1], "markersize": 3.5, "markevery": MARKED_PLACES}
    return look


def line_look(place: int) -> dict[str, Any]:
    """The colour and dash of the line of one label: no two of many are alike."""
    return _look(place, 0, 1)


def marker(place: int) -> dict[str, Any]:
    """The colour and shape of the points of one label: no two of the first 96 are alike, hollow ones after filled ones."""
    hollow = place // (COLOUR_COUNT * len(MARKERS)) % 2 == 1
    return {
        "color": f"C{place % COLOUR_COUNT}",
        "marker": MARKERS[place // COLOUR_COUNT % len(MARKERS)],
        **({"fillstyle": "none", "markeredgewidth": 0.5} if hollow else {"markeredgewidth": 0}),
    }
