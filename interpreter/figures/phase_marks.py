"""Where phases of training begin, in figures over the steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dlspec.spec.ir.plan import FigurePlan

from ..results.cell_groups import cell_of
from ..results.replicates import Replicate
from .axis_scales import MARK_ID, called

LINE: Mapping[str, Any] = {"color": "0.6", "linewidth": 0.7, "linestyle": (0, (1, 2)), "zorder": 0.9}
TEXT: Mapping[str, Any] = {"color": "0.4", "fontsize": 6.5, "va": "top", "ha": "left", "zorder": 0.9}
LETTER = 0.6
"""About how wide a letter is, of the height of the text."""
POINTS = 72
"""How many points go on an inch."""


def phase_lines(axis: Any, plan: FigurePlan, replicates: Iterable[Replicate]) -> None:
    """A dotted line at the first step of each phase, with its name where there is room; nothing where cells of a panel have other phases.

    Args:
        axis: A panel whose horizontal axis is that of steps, with all that it shows.
        plan: The figure; its `phases` are by cell.
        replicates: Those of the panel.
    """
    begins = {plan.phases.get(cell_of(replicate), ()) for replicate in replicates}
    if len(begins) != 1 or not (phases := begins.pop()):
        return
    low, high = axis.get_xlim()
    seen = [(name, step) for name, step in phases if low <= step <= high]
    places = [_share(axis, step) for _, step in seen]
    width = axis.figure.panel_size[0] * POINTS / (LETTER * TEXT["fontsize"])
    for (name, step), place, end in zip(seen, places, [*places[1:], 1.0], strict=True):
        shown = len(name) + 1 <= (end - place) * width
        called(axis.axvline(step, **LINE), name if shown else "").set_gid(MARK_ID)
        if shown:
            inside = {"xycoords": axis.get_xaxis_transform(), "textcoords": "offset points", "gid": MARK_ID}
            axis.annotate(name, (step, 1), (2, -2), **inside, **TEXT)


def _share(axis: Any, step: float) -> float:
    """Which part of the panel's width lies left of a step."""
    return float(axis.transAxes.inverted().transform(axis.transData.transform((step, axis.get_ylim()[0])))[0])
