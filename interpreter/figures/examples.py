"""Drawings of single test examples: values against a value, arrays over their entries, images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from dlspec.spec.model.figures import ROWS_SEARCHED
from dlspec.spec.resolved import FigurePlan

from ..results import Cell, Results
from .draw import draws, label, panels, programs, split


def _first(plan: FigurePlan, results: Results) -> Iterator[tuple[str, Cell]]:
    """The first replicate of each program that has what a figure shows, with its panel's heading."""
    for title, cells in split(results, plan.model.panel):
        for group in programs(cells):
            first = next((cell for cell in group if cell.samples.get(plan.name)), None)
            if first is not None:
                yield title, first


@draws("function")
def function(plan: FigurePlan, results: Results) -> Any:
    """A target and what was learnt of it, over test examples of the first replicate, at each of the steps."""
    parts = [
        (f"{title or label(first)}, step {step:,}", values)
        for title, first in _first(plan, results)
        for step, values in sorted(first.samples[plan.name].items())
    ]
    if not parts:
        return None
    figure, axes = panels(len(parts))
    for axis, (title, values) in zip(axes, parts, strict=True):
        x = np.ravel(values["x"])
        order = np.argsort(x, kind="stable")
        for place, (name, y) in enumerate((k.removeprefix("y:"), np.ravel(v)) for k, v in values.items() if k != "x"):
            style = (
                {"linewidth": 2.2, "alpha": 0.55} if place == 0 else {"linewidth": 0, "marker": ".", "markersize": 1.8}
            )
            axis.plot(x[order], y[order], label=name, **style)
        if plan.model.zoom is not None:
            axis.set_xlim(*plan.model.zoom)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel(str(plan.model.x))
        axis.legend(fontsize=7, markerscale=4)
    return figure


@draws("examples")
def examples(plan: FigurePlan, results: Results) -> Any:
    """Arrays over their entries: a row an example, a column a step of training, the first curve wide."""
    cells = list(_first(plan, results))
    if not cells:
        return None
    steps = sorted({step for _, cell in cells for step in cell.samples[plan.name]})
    count = max(len(next(iter(values.values()))) for _, cell in cells for values in cell.samples[plan.name].values())
    rows = [(title or label(cell), cell, row) for title, cell in cells for row in range(count)]
    figure, axes = plt.subplots(
        len(rows),
        len(steps),
        figsize=(2.9 * len(steps) + 0.4, 1.7 * len(rows) + 0.5),
        squeeze=False,
        layout="constrained",
    )
    for line, (heading, cell, row) in zip(axes, rows, strict=True):
        for axis, step in zip(line, steps, strict=True):
            values = cell.samples[plan.name].get(step)
            if values is None:
                axis.set_visible(False)
                continue
            curves = {name.removeprefix("y:"): array[row] for name, array in values.items() if name != "x"}
            x = values["x"][row] if "x" in values else np.arange(len(next(iter(curves.values()))))
            for place, (name, y) in enumerate(curves.items()):
                style = {"linewidth": 2.4, "alpha": 0.5} if place == 0 else {"linewidth": 1.0}
                axis.plot(x, y, label=name, **style)
            if row == 0:
                axis.set_title(f"{heading}, step {step:,}", fontsize=8)
            axis.tick_params(labelsize=7)
    axes[0, 0].legend(fontsize=7)
    return figure


@draws("images")
def images(plan: FigurePlan, results: Results) -> Any:
    """Images, those of one value in a row; of the first cell of each panel."""
    shown: dict[str, Cell] = {}
    for title, cell in _first(plan, results):
        shown.setdefault(title, cell)
    if not shown:
        return None
    lines: list[tuple[str, Any]] = []
    wanted = 1
    for title, cell in shown.items():
        values = next(iter(cell.samples[plan.name].values()))
        by = values.get("rows", np.zeros(len(values["image"])))
        wanted = _wanted(values)
        for value in np.unique(by):
            heading = f"{plan.model.rows} = {value:g}" if "rows" in values else ""
            lines.append((", ".join(part for part in (title, heading) if part), values["image"][by == value][:wanted]))
    figure, axes = plt.subplots(
        len(lines), wanted, figsize=(1.1 * wanted + 0.4, 1.25 * len(lines) + 0.4), squeeze=False, layout="constrained"
    )
    for line, (heading, pictures) in zip(axes, lines, strict=True):
        for place, axis in enumerate(line):
            axis.set_axis_off()
            if place < len(pictures):
                axis.imshow(np.squeeze(pictures[place]), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        line[0].set_title(heading, fontsize=8, loc="left")
    return figure


def _wanted(values: Any) -> int:
    """How many images a row holds: as many as are asked for, or fewer where even the fullest row has fewer."""
    if "rows" not in values:
        return len(values["image"])
    most = int(max(np.unique(values["rows"], return_counts=True)[1]))
    return min(most, len(values["image"]) // ROWS_SEARCHED)
