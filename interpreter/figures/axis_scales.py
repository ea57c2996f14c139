"""Axes that are logarithmic, and values that no axis can show: what lies outside is marked, and never left out in silence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import ticks
from .canvas import Sheet

Array = np.ndarray[Any, Any]

LARGEST = 1e200
"""From this size on matplotlib can't make an axis of values."""
MAX_MARKS = 60
"""How many marks of one series are drawn at most, spread evenly."""
MOST_BANDS = 12
"""Up to how many lines of a panel have the range of their replicates around them: more of them hide each other."""
MARK_ID = "mark"
"""What drawn marks are called: they are no values."""


def drawable(values: Any) -> Array:
    """Values as they can be drawn: undefined where they are not finite, or too large for an axis."""
    values = np.asarray(values, dtype=float)
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) < LARGEST, values, np.nan)


@dataclass
class Vertical:
    """The vertical axis of one panel while it is drawn: it is `log` or `linear`, as asked for and as its values let it be.

    What a logarithmic axis can't hold gets a hollow triangle at its lower edge; where no value is positive, the axis is
    linear. Each of these is said below the figure, or in the legend.
    """

    axes: Any
    figure: Sheet
    scale: str
    low: list[tuple[Array, str]] = field(default_factory=list)
    least: float = np.inf
    seen: bool = False
    bands: bool = True

    def choose_bands(self, lines: int) -> None:
        """Leaves ranges out where so many lines have one, and says so."""
        self.bands = lines <= MOST_BANDS
        if not self.bands:
            self.figure.note(
                "Lines are means; the ranges that replicates span are left out, since they would hide each other."
            )

    def band(self, line: Any, x: Array, low: Array, high: Array, alpha: float) -> None:
        """The range around a line, which the line keeps as it is; on a logarithmic axis it goes on to the lower edge."""
        line.ranges = dict(zip(x.tolist(), zip(low.tolist(), high.tolist(), strict=True), strict=True))
        if self.bands:
            fill = self.axes.fill_between(
                x, self.raised(low), self.shown(high), color=line.get_color(), alpha=alpha, linewidth=0
            )
            fill.set_gid(MARK_ID)

    def take(self, x: Any, values: Any, colour: str) -> None:
        """Values that belong on the axis at the places x, each replicate's own; which are drawn of them is another matter."""
        x, values = np.asarray(x, dtype=float), np.asarray(values, dtype=float)
        usable = drawable(values)
        self.seen |= bool(np.isfinite(usable).any())
        with np.errstate(invalid="ignore"):
            self.least = min(self.least, float(np.min(usable[usable > 0], initial=np.inf)))
            below = np.broadcast_to(x, values.shape)[values <= 0]
            beyond = int((np.isinf(values) | (np.abs(values) >= LARGEST)).sum())
        if below.size:
            self.low.append((np.unique(below), colour))
        if beyond:
            self.figure.note("Infinite values, and those that are too large for an axis, are left out.")

    @property
    def logarithmic(self) -> bool:
        """Whether the axis will be logarithmic: ask when all values are taken."""
        return self.scale == "log" and np.isfinite(self.least)

    def shown(self, values: Any) -> Array:
        """Values as they are drawn: a gap where this axis holds none."""
        drawn = drawable(values)
        if self.logarithmic:
            with np.errstate(invalid="ignore"):
                drawn = np.where(drawn > 0, drawn, np.nan)
        return drawn

    def raised(self, values: Array) -> Array:
        """Lower ends of ranges, as far down as this axis goes."""
        with np.errstate(invalid="ignore"):
            return np.where(values <= 0, self.least / 2, values) if self.logarithmic else values

    def finish(self) -> None:
        """Sets the scale, draws the marks, and says what there is to say."""
        if not self.seen:
            self.axes.text(
                0.5, 0.5, "no finite value", transform=self.axes.transAxes, ha="center", va="center", fontsize=8
            )
        if self.scale == "log" and self.seen and not self.logarithmic:
            self.figure.note(
                "The vertical axis is linear where no value is positive: a logarithmic one would be empty."
            )
        if not self.logarithmic:
            ticks.linear(self.axes.yaxis)
            return
        self.axes.set_yscale("log")
        ticks.logarithmic(self.axes.yaxis)
        label: str | None = "≤ 0 in a replicate"
        for places, colour in self.low:
            kept = places[np.unique(np.linspace(0, places.size - 1, min(places.size, MAX_MARKS)).round().astype(int))]
            (line,) = self.axes.plot(
                kept, np.full(kept.size, 0.025), "v", color=colour, fillstyle="none", markersize=4,
                transform=self.axes.get_xaxis_transform(), label=label, clip_on=False,
            )  # fmt: skip
            line.set_gid(MARK_ID)
            label = None


def horizontal(axes: Any, scale: str, x: Array, whole: bool = False, most: int = ticks.MOST_TICKS - 1) -> None:
    """A horizontal axis; a logarithmic one goes on to zero and beyond where there is such a value.

    `whole` says that all its numbers are whole; it has about `most` of them.
    """
    x = x[np.isfinite(x)]
    if scale != "log" or not x.size:
        axes.set_xscale("linear")
        ticks.linear(axes.xaxis, whole, most)
    elif (x > 0).all():
        axes.set_xscale("log")
        ticks.logarithmic(axes.xaxis, np.unique(x).tolist())
    else:
        away = np.abs(x[x != 0])
        threshold = float(away.min()) if away.size else 1.0
        axes.set_xscale("symlog", linthresh=threshold)
        ticks.signed(axes.xaxis, threshold)


def mark_beyond(axes: Any, x: Array, colour: Any) -> None:
    """Crosses at the upper edge, for what ended early without a value that an axis can show."""
    if x.size:
        (line,) = axes.plot(
            x,
            np.full(x.size, 0.97),
            "x",
            color=colour,
            markersize=5,
            transform=axes.get_xaxis_transform(),
            clip_on=False,
        )
        line.set_gid(MARK_ID)


def called(drawn: Any, name: str) -> Any:
    """Something drawn, which keeps the name of its series where no label gives it: several may have one colour. Returns it."""
    drawn.series = name
    return drawn


def plotted(axis: Any, x: Array, y: Array, **style: Any) -> Any:
    """A line, and a dot where a value stands alone between gaps; returns the line."""
    (line,) = axis.plot(x, y, **style)
    there = np.concatenate([[False], np.isfinite(y), [False]])
    alone = there[1:-1] & ~there[:-2] & ~there[2:]
    if alone.any() and line.get_marker() in ("None", None, "none", ""):
        axis.plot(np.asarray(x)[alone], np.asarray(y)[alone], ".", color=line.get_color(), markersize=5)[0].set_gid(
            MARK_ID
        )
    return line
