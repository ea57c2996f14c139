"""Drawings of single test examples: values against a value, arrays over their entries, images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from dlspec.spec.ir.plan import FigurePlan
from dlspec.spec.model.figures import ROWS_SEARCHED

from ..results.cell_groups import programs
from ..results.replicates import Replicate, Results
from . import ticks
from .axis_scales import drawable, plotted
from .canvas import Sheet, grid
from .draw import MOST_PANELS, draws, panels, some, split
from .math_text import short
from .palette import line_look, marker
from .sampled import finite, first_shown, note_stops
from .shared_axes import share_vertical

MOST_ROWS, MOST_COLUMNS = 40, 20
"""How many rows and columns of panels, and of images, a figure has at most."""
MOST_IMAGES = 200
"""How many images it has at most."""


@draws("function")
def function(plan: FigurePlan, results: Results) -> Any:
    """A target and what was learnt of it, over test examples of the first replicate, at each of the steps."""
    replicates = list(first_shown(plan, results))
    parts = [
        (", ".join(filter(None, [title, f"step {step:,}"])), values)
        for title, first in replicates
        for step, values in sorted(first.samples[plan.name].items())
    ]
    if not parts:
        return None
    figure, axes = panels(min(len(parts), MOST_PANELS))
    note_stops(plan, (replicate for _, replicate in replicates), results, figure)
    for axis, (title, values) in zip(axes, some(parts, MOST_PANELS, figure, "panels"), strict=True):
        x = drawable(np.ravel(values["x"]))
        order = np.argsort(x, kind="stable")
        for place, (name, y) in enumerate((k.removeprefix("y:"), np.ravel(v)) for k, v in values.items() if k != "x"):
            style: dict[str, Any] = {**marker(place), "linestyle": "none", "markersize": 1.8}
            if place == 0:
                style = {"linewidth": 2.2, "alpha": 0.55}
            plotted(axis, x[order], finite(y, figure)[order], label=short(name), **style)
        if plan.model.zoom is not None:
            axis.set_xlim(*plan.model.zoom)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel(short(plan.model.x))
        ticks.linear(axis.xaxis)
        ticks.linear(axis.yaxis)
    share_vertical(figure, axes, "")
    return figure


@draws("examples")
def examples(plan: FigurePlan, results: Results) -> Any:
    """Arrays over their entries: a row an example, a column a step of training, the first curve wide."""
    replicates = list(first_shown(plan, results))
    if not replicates:
        return None
    every = sorted({step for _, replicate in replicates for step in replicate.samples[plan.name]})
    counts = [
        len(next(iter(values.values())))
        for _, replicate in replicates
        for values in replicate.samples[plan.name].values()
    ]
    lines = [(title, replicate, row) for title, replicate in replicates for row in range(max(counts))]
    width, height = min(len(every), MOST_COLUMNS), min(len(lines), MOST_ROWS)
    figure, axes = grid(height, width, 2.5, 1.3)
    note_stops(plan, (replicate for _, replicate in replicates), results, figure)
    rows, steps = some(lines, MOST_ROWS, figure, "rows"), some(every, MOST_COLUMNS, figure, "steps")
    for line, (heading, replicate, row) in zip(axes, rows, strict=True):
        for axis, step in zip(line, steps, strict=True):
            values = replicate.samples[plan.name].get(step)
            if values is None or row >= len(next(iter(values.values()))):
                axis.set_visible(False)
                continue
            curves = {name.removeprefix("y:"): array[row] for name, array in values.items() if name != "x"}
            x = values["x"][row] if "x" in values else np.arange(len(next(iter(curves.values()))))
            for place, (name, y) in enumerate(curves.items()):
                style = {"linewidth": 2.4, "alpha": 0.5} if place == 0 else {"linewidth": 1.0, **line_look(place)}
                plotted(axis, drawable(x), finite(y, figure), label=short(name), **style)
            if row == 0:
                axis.set_title(", ".join(filter(None, [heading, f"step {step:,}"])), fontsize=8)
            axis.tick_params(labelsize=7)
            ticks.linear(axis.xaxis, whole="x" not in values)
            ticks.linear(axis.yaxis, most=4)
    return figure


@draws("images")
def images(plan: FigurePlan, results: Results) -> Any:
    """Images, those of one value in a row, at each of the steps; of the first replicate of each panel. Where `rows` is an axis a row is a cell.

    What is trained is told from data by its steps: the heading says which step is shown.
    """
    shown: dict[str, Replicate] = {}
    headings: dict[str, str] = {}
    if plan.model.rows in results.axes:
        shown = dict(first_shown(plan, results))
        headings = dict.fromkeys(shown, "")
    for title, replicates in split(results, plan.model.panel) if not shown else ():
        first = next(iter(first_shown(plan, replace(results, replicates=replicates))), None)
        if first is not None:
            shown[title], headings[title] = first[1], first[0] if plan.model.panel is None else title
    if not shown:
        return None
    lines: list[tuple[str, Any]] = []
    wanted = 1
    trained = any(step for replicate in shown.values() for step in replicate.samples[plan.name])
    figure_notes: list[str] = []
    if headings[next(iter(shown))] and plan.model.panel is None and len(list(programs(results.replicates))) > 1:
        figure_notes.append(f"Shown: {headings['']}.")
    for title, replicate in shown.items():
        for step, values in sorted(replicate.samples[plan.name].items()):
            wanted = max(wanted, _wanted(values))
            for value, pictures in _by_value(values):
                parts = [title, f"step {step:,}" if trained else ""]
                parts += (
                    [f"{plan.model.rows} = {'undefined' if np.isnan(value) else f'{value:g}'}"]
                    if "rows" in values
                    else []
                )
                lines.append((", ".join(part for part in parts if part), pictures[: _wanted(values)]))
    width = min(wanted, MOST_COLUMNS)
    most = min(MOST_ROWS, MOST_IMAGES // width)
    height = min(len(lines), most)
    figure, axes = grid(height, width, 1.0, 1.0)
    for text in figure_notes:
        figure.note(text)
    note_stops(plan, shown.values(), results, figure)
    if wanted > width:
        figure.note(f"The first {width} of {wanted:,} images a row.")
    for line, (heading, pictures) in zip(axes, some(lines, most, figure, "rows"), strict=True):
        for place, axis in enumerate(line):
            axis.set_axis_off()
            if place < len(pictures):
                axis.imshow(_picture(pictures[place], figure), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        line[0].set_title(heading, fontsize=8, loc="left")
    return figure


def _by_value(values: Any) -> Iterator[tuple[float, Any]]:
    """The images of each value that sorts them into rows, those with an undefined one last."""
    by = np.asarray(values.get("rows", np.zeros(len(values["image"]))), dtype=float)
    for value in np.unique(by):
        yield float(value), values["image"][np.isnan(by) if np.isnan(value) else by == value]


def _picture(image: Any, figure: Sheet) -> Any:
    """An image [height, width] or [height, width, 3]; what is not finite is black, and said."""
    image = np.asarray(image, dtype=float)
    image = image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image
    if not np.isfinite(image).all():
        figure.note("Entries of images that are not finite are black.")
        image = np.where(np.isfinite(image), image, 0.0)
    if image.size and (image.min() < 0 or image.max() > 1):
        figure.note("Entries of images below 0 are black, above 1 white.")
    return np.clip(image, 0, 1)


def _wanted(values: Any) -> int:
    """How many images a row holds: as many as are asked for, or fewer where even the fullest row has fewer."""
    if "rows" not in values:
        return len(values["image"])
    most = int(max(np.unique(values["rows"], return_counts=True)[1]))
    return max(1, min(most, len(values["image"]) // ROWS_SEARCHED))
