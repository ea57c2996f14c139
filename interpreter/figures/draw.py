"""Draws the figures of a study with matplotlib, as PNG and SVG."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from dlspec.spec.claims import holds
from dlspec.spec.gradient_statistics import FLOOR
from dlspec.spec.model.figures import entry
from dlspec.spec.resolved import FigurePlan
from matplotlib.ticker import MaxNLocator

from ..results import Cell, Results
from .fits import fitted
from .palette import Palette
from .points import points

Drawer = Callable[[FigurePlan, Results], Any]
DRAWERS: dict[str, Drawer] = {}
LETTERS_PER_INCH = 13
"""About how many letters of a title fit on an inch."""
STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "figure.dpi": 150,
    "svg.hashsalt": "dlspec",
    # Okabe & Ito 2008: told apart by people with any colour vision.
    "axes.prop_cycle": cycler(
        color=["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
    ),
}


def draws(kind: str) -> Callable[[Drawer], Drawer]:
    """Registers the drawing of a kind of figure."""

    def register(drawer: Drawer) -> Drawer:
        if kind in DRAWERS:
            raise ValueError(f"the figure '{kind}' is drawn twice")
        DRAWERS[kind] = drawer
        return drawer

    return register


def draw(plan: FigurePlan, results: Results, folder: Path) -> list[Path]:
    """Draws one figure, as PNG, SVG and numbers (JSON); returns the files written, none where no cell has what it shows."""
    shown = replace(results, cells=[cell for cell in results.cells if _chosen(plan, cell)])
    with plt.rc_context(STYLE):
        figure = DRAWERS[plan.kind](plan, shown)
        if figure is None:
            return []
        if plan.model.caption:
            figure.supxlabel(plan.model.caption, fontsize=8)
        title = plan.model.title or plan.name.replace("_", " ").capitalize()
        figure.suptitle(textwrap.fill(title, int(LETTERS_PER_INCH * figure.get_figwidth())), fontsize=11)
        stem = folder / f"{plan.experiment}.{plan.name}"
        paths = [stem.with_name(f"{stem.name}.{end}") for end in ("png", "svg")]
        for path in paths:
            figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
        if (numbers := points(figure))["panels"]:
            paths.append(stem.with_name(f"{stem.name}.json"))
            paths[-1].write_text(json.dumps(numbers, allow_nan=False) + "\n", "utf-8")
        plt.close(figure)
    return paths


def _chosen(plan: FigurePlan, cell: Cell) -> bool:
    return all(holds(condition, axis_value(cell, condition.axis)) for condition in plan.where)


def panels(count: int, width: float = 3.4, height: float = 2.7) -> tuple[Any, list[Any]]:
    """A figure with so many panels, at most five in a row, rows alike."""
    rows = -(-count // 5)
    columns = -(-count // rows)
    figure, axes = plt.subplots(
        rows, columns, figsize=(width * columns + 0.4, height * rows + 0.5), squeeze=False, layout="constrained"
    )
    flat = list(axes.ravel())
    for unused in flat[count:]:
        unused.set_visible(False)
    return figure, flat[:count]


def label(cell: Cell, leave_out: Sequence[str] = ()) -> str:
    """What tells a cell's program from the others."""
    parts = [cell.variant] if cell.variant and "variant" not in leave_out else []
    parts += [f"{name} = {value}" for name, value in cell.constants.items() if name not in leave_out]
    return ", ".join(parts) or cell.experiment


def axis_value(cell: Cell, axis: str) -> Any:
    """A cell's value on an axis."""
    return cell.variant if axis == "variant" else cell.constants[axis]


def split(results: Results, axis: str | None) -> list[tuple[str, list[Cell]]]:
    """The cells by their value on an axis, with a heading each."""
    usable = [cell for cell in results.cells if cell.curves or cell.samples]
    if axis is None:
        return [("", usable)]
    found = []
    for value in results.axes[axis]:
        cells = [cell for cell in usable if axis_value(cell, axis) == value]
        if cells:
            found.append((str(value) if axis == "variant" else f"{axis} = {value}", cells))
    return found


def programs(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """The cells that differ in their replicate alone."""
    found: dict[Any, list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell.variant, tuple(cell.constants.items())), []).append(cell)
    yield from found.values()


def names(value: str | list[str]) -> list[str]:
    """One name or several as a list."""
    return [value] if isinstance(value, str) else value


def curve(cell: Cell, word: str) -> np.ndarray[Any, Any]:
    """A measure, or an entry of one, at the cell's steps; empty where the cell has none."""
    name, index = entry(word)
    return np.asarray([np.asarray(value)[index] for value in cell.curves.get(name, [])], dtype=float)


def lasts(cells: Sequence[Cell], word: str) -> list[tuple[Cell, float]]:
    """The last value of a measure, or of an entry of one, in each cell that has any."""
    return [(cell, float(values[-1])) for cell in cells if len(values := curve(cell, word))]


def by_end(cells: Sequence[Cell]) -> tuple[list[Cell], list[Cell], str]:
    """The cells that came to their last step; those that did not, but hold values; and what became of these, in words."""
    early = [cell for cell in cells if cell.status != "done" and cell.curves]
    told = "diverged" if all(cell.status == "diverged" for cell in early) else "not finished"
    return [cell for cell in cells if cell.status == "done"], early, told


def _scaled(axes: Any, scale: Any) -> None:
    axes.set_xscale("symlog" if scale.x == "log" else "linear")
    axes.set_yscale(scale.y)


@draws("curves")
def curves(plan: FigurePlan, results: Results) -> Any:
    """Measures over the steps: the mean over replicates, and the range that they span."""
    parts = split(results, plan.model.panel)
    if not any(cells for _, cells in parts):
        return None
    figure, axes = panels(len(parts))
    palette = Palette.of(results, plan.model.colour, (plan.model.panel,))
    for place, (axis, (title, cells)) in enumerate(zip(axes, parts, strict=True)):
        for group in programs(cells):
            for name in names(plan.model.y):
                steps = max((cell.steps for cell in group), key=len)
                table = np.full((len(group), len(steps)), np.nan)
                for row, cell in zip(table, group, strict=True):
                    values = curve(cell, name)
                    row[: len(values)] = values
                if plan.model.scale.y == "log":
                    table[table <= 0] = np.nan
                text = label(group[0], [plan.model.panel or ""])
                text = f"{name}, {text}" if len(names(plan.model.y)) > 1 else text
                with np.errstate(all="ignore"):
                    style = palette.line(group[0], name, (plan.model.panel,))
                    line = axis.plot(steps, _quiet(np.nanmean, table), label=text, linewidth=1.2, **style)[0]
                    axis.fill_between(
                        steps,
                        _quiet(np.nanmin, table),
                        _quiet(np.nanmax, table),
                        color=line.get_color(),
                        alpha=0.18,
                        linewidth=0,
                    )
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("step")
        axis.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        _scaled(axis, plan.model.scale)
        if place == 0:
            axis.set_ylabel(", ".join(names(plan.model.y)).replace("_", " "))
        axis.legend(fontsize=7)
    return figure


def _quiet(function: Any, table: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    found = np.full(table.shape[1], np.nan)
    some = ~np.isnan(table).all(axis=0)
    found[some] = function(table[:, some], axis=0)
    return found


@draws("bars")
def bars(plan: FigurePlan, results: Results) -> Any:
    """Final measures, one bar a program: the mean over replicates, with each replicate as a point.

    A replicate that diverged is a cross at its last value, and in no mean.
    """
    parts = split(results, plan.model.panel)
    if not any(cells for _, cells in parts):
        return None
    figure, axes = panels(len(parts), width=3.8)
    for axis, (title, cells) in zip(axes, parts, strict=True):
        groups = list(programs(cells))
        measures = names(plan.model.y)
        width = 0.8 / len(measures)
        labelled: set[str] = set()
        for row, name in enumerate(measures):
            for place, group in enumerate(groups):
                finished, early, told = by_end(group)
                values, last = ([value for _, value in lasts(some, name)] for some in (finished, early))
                at = place + (row - (len(measures) - 1) / 2) * width
                if values:
                    bar = name if name not in labelled else None
                    labelled.add(name)
                    axis.bar(at, np.mean(values), width * 0.9, color=f"C{row}", alpha=0.6, label=bar)
                    axis.plot([at] * len(values), values, ".", color="black", markersize=3)
                if last:
                    cross = told if told not in labelled else None
                    labelled.add(told)
                    axis.plot([at] * len(last), last, "x", color="black", markersize=4, label=cross)
        axis.set_xticks(
            range(len(groups)), [label(group[0], [plan.model.panel or ""]) for group in groups], rotation=25, ha="right"
        )
        axis.set_yscale(plan.model.scale.y)
        axis.set_ylabel(", ".join(measures).replace("_", " "))
        axis.set_title(title, fontsize=9)
        if len(measures) > 1 or labelled - set(measures):
            axis.legend(fontsize=7)
    return figure


@draws("scaling")
def scaling(plan: FigurePlan, results: Results) -> Any:
    """Final measures against a swept constant, each replicate a point, the mean a line; a law fitted where asked for.

    Where a measure has a sampling floor, what lies below it is drawn on it as a hollow triangle, and is in no fit. A
    replicate that diverged is a cross at its last value, and in no mean and no fit.
    """
    parts = split(results, plan.model.panel)
    if not any(cells for _, cells in parts):
        return None
    figure, axes = panels(len(parts), width=3.8)
    swept = plan.model.x
    palette = Palette.of(results, plan.model.colour, (plan.model.panel, swept))
    for axis, (title, cells) in zip(axes, parts, strict=True):
        rest: dict[str, list[Cell]] = {}
        crosses: list[tuple[list[tuple[float, float]], str, str]] = []
        for cell in cells:
            rest.setdefault(label(cell, [swept, plan.model.panel or ""]), []).append(cell)
        for name in names(plan.model.y):
            for text, cells_of_one in rest.items():
                group, early, told = by_end(cells_of_one)
                points, last = (
                    [(float(axis_value(cell, swept)), value) for cell, value in lasts(some, name)]
                    for some in (group, early)
                )
                several = len(names(plan.model.y)) > 1 or text == cells_of_one[0].experiment
                legend = text if not several else name if len(rest) == 1 else f"{name}, {text}"
                style = palette.line(cells_of_one[0], name, (plan.model.panel, swept))
                if last:
                    crosses.append((last, style["color"], f"{legend}: {told}"))
                if not points:
                    continue
                order = np.argsort([place for place, _ in points], kind="stable")
                x, y = np.asarray(points)[order].T
                floors = [value for _, value in lasts(group, name + FLOOR)]
                seen = np.ones_like(y, bool)
                if len(floors) == len(points):
                    floor = np.asarray(floors)[order]
                    seen = y > floor
                means = [
                    (v, float(np.mean(np.maximum(y, floor)[x == v] if floors else y[x == v]))) for v in np.unique(x)
                ]
                line = axis.plot(*zip(*means, strict=True), label=legend, linewidth=1.2, **style)[0]
                axis.plot(x[seen], y[seen], ".", color=line.get_color(), markersize=4, alpha=0.6)
                if floors:
                    _floor(axis, x, floor, seen, line.get_color(), f"{legend}: sampling floor")
                x, y = x[seen], y[seen]
                if plan.model.fit is not None and len(np.unique(x)) > 1:
                    law, text_of_fit = fitted(plan.model.fit, x, y)
                    grid = (
                        np.geomspace(x.min(), x.max(), 100)
                        if plan.model.scale.x == "log"
                        else np.linspace(x.min(), x.max(), 100)
                    )
                    axis.plot(grid, law(grid), "--", color=line.get_color(), linewidth=0.9, label=text_of_fit)
        for last, colour, text in crosses:
            axis.plot(*zip(*last, strict=True), "x", color=colour, markersize=5, label=text)
        axis.set_xscale(plan.model.scale.x)
        axis.set_yscale(plan.model.scale.y)
        if plan.model.scale.x == "linear" and all(isinstance(axis_value(cell, swept), int) for cell in cells):
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_xlabel(swept)
        axis.set_ylabel(", ".join(names(plan.model.y)).replace("_", " "))
        axis.set_title(title, fontsize=9)
        axis.legend(fontsize=7)
    return figure


def _floor(axis: Any, x: Any, floor: Any, seen: Any, colour: Any, text: str) -> None:
    """The sampling floor, and the points that are not told from zero."""
    places = np.unique(x)
    axis.plot(places, [np.mean(floor[x == place]) for place in places], ":", color=colour, linewidth=0.9, label=text)
    if not seen.all():
        axis.plot(x[~seen], floor[~seen], "v", color=colour, markersize=4, fillstyle="none", linewidth=0)
