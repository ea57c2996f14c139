"""Lines at numbers that a figure says: bounds, chance, what theory expects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlspec.spec.ir.plan import FigurePlan

from ..results.cell_groups import axis_value, cell_of, label
from ..results.replicates import Replicate
from .axis_scales import Vertical, called
from .math_text import short

STYLE: Mapping[str, Any] = {"color": "0.35", "linewidth": 0.9, "linestyle": (0, (5, 3)), "zorder": 1}


def level_lines(
    axis: Any, plan: FigurePlan, replicates: Iterable[Replicate], vertical: Vertical, colours: Mapping[str, str]
) -> None:
    """A level line for each number of the cells in a panel; in a cell's own colour where they differ. `colours` are by the cells' names."""
    for text, by_cell in plan.references.items():
        own = {name: by_cell[name] for name in dict.fromkeys(map(cell_of, replicates)) if name in by_cell}
        values = list(dict.fromkeys(own.values()))
        said: str | None = short(text)
        for value in values:
            same = {colours.get(name) for name, found in own.items() if found == value}
            colour = same.pop() if len(values) > 1 and len(same) == 1 else None
            vertical.take([0.0], [value], STYLE["color"])
            called(axis.axhline(value, label=said, **{**STYLE, "color": colour or STYLE["color"]}), short(text))
            said = None


def swept_lines(
    axis: Any, plan: FigurePlan, replicates: Sequence[Replicate], vertical: Vertical, taken: Sequence[str]
) -> None:
    """A line through the numbers of the cells along the swept constant, one where several series have the same."""
    for text, by_cell in plan.references.items():
        series: dict[str, dict[float, float]] = {}
        for replicate in replicates:
            if cell_of(replicate) in by_cell:
                place = float(axis_value(replicate, plan.model.x))
                series.setdefault(label(replicate, taken), {})[place] = by_cell[cell_of(replicate)]
        said: str | None = short(text)
        for points in dict.fromkeys(tuple(sorted(one.items())) for one in series.values()):
            x, y = zip(*points, strict=True)
            vertical.take(x, y, STYLE["color"])
            called(axis.plot(x, vertical.shown(y), label=said, **STYLE)[0], short(text))
            said = None
