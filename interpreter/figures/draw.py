"""Draws the figures of a study with matplotlib, as PNG, SVG and numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from dlspec.spec.ir.claims import holds
from dlspec.spec.ir.plan import FigurePlan
from dlspec.spec.model.figures import entry

from ..registry import Registry
from ..results.cell_groups import axis_value
from ..results.replicates import BROKEN, Replicate, Results
from .canvas import STYLE, Sheet, panels, save, style
from .description import describe
from .fitted_size import fit_size
from .key import add_key
from .lacking import lacking
from .math_text import short
from .series_names import axis_words

__all__ = ["DRAWERS", "STYLE", "draw", "draws", "panels"]

Item = TypeVar("Item")
Drawer = Callable[[FigurePlan, Results], Any]
DRAWERS: Registry[Drawer] = Registry("figure", "drawing")
draws = DRAWERS
"""As a decorator: `@draws("kind")`."""
KEY_SCALES = {"function": 3.0, "scatter": 2.5}
"""How much larger points are in the key than in a panel, by kind."""
MOST_PANELS = 60
"""How many panels a figure has at most."""


def draw(
    plan: FigurePlan, results: Results, folder: Path, warn: Callable[[str], None] = lambda text: None
) -> list[Path]:
    """Draws one figure, as PNG, SVG and numbers (JSON); returns the files written, none where no replicate has what it shows.

    `warn` is told what is not drawn as it should be, in a sentence. Raises OSError, and whatever matplotlib raises.
    """
    with style():
        figure = drawn(plan, results)
        missing_cells = lacking(plan, chosen(plan, results))
        if figure is None:
            warn("no cell has what it shows, so it is not drawn" + (f": {missing_cells}" if missing_cells else ""))
            return []
        if missing_cells:
            warn(f"nothing is shown of {missing_cells}")
        return written(figure, folder / f"{plan.experiment}.{plan.name}", warn)


def written(figure: Sheet, stem: Path, warn: Callable[[str], None]) -> list[Path]:
    """Writes a drawn figure as PNG, SVG and numbers (JSON) beside each other; returns the files. `warn` is told what is lacking. Raises OSError."""
    paths = [stem.with_name(f"{stem.name}.{end}") for end in ("png", "svg")]
    if missing := save(figure, paths):
        warn(f"the font does not have {' '.join(missing)}: each is a box")
    try:
        if (numbers := describe(figure))["panels"]:
            file = stem.with_name(f"{stem.name}.json")
            text = json.dumps(numbers, allow_nan=False) + "\n"
            try:
                file.write_text(text, "utf-8")
            except OSError:
                file.unlink(missing_ok=True)
                raise
            paths.append(file)
    except Exception as error:
        warn(f"its numbers are not kept beside it: {type(error).__name__}: {error}")
    return paths


def drawn(plan: FigurePlan, results: Results) -> Sheet | None:
    """A figure with its key and its words, in its size; none where no replicate has what it shows."""
    figure: Sheet | None = DRAWERS[plan.kind](plan, chosen(plan, results))
    if figure is not None:
        add_key(figure, KEY_SCALES.get(plan.kind, 1.0))
        title = plan.model.title or plan.name.replace("_", " ").capitalize()
        fit_size(figure, title, [plan.model.caption or "", *figure.notes])
    return figure


def chosen(plan: FigurePlan, results: Results) -> Results:
    """The results of the cells that a figure shows."""
    return replace(results, replicates=[replicate for replicate in results.replicates if _chosen(plan, replicate)])


def _chosen(plan: FigurePlan, replicate: Replicate) -> bool:
    return all(holds(condition, axis_value(replicate, condition.axis)) for condition in plan.where)


def some(items: Sequence[Item], most: int, figure: Sheet, what: str) -> Sequence[Item]:
    """The first of many; a note says that there are more."""
    if len(items) > most:
        figure.note(f"The first {most} of {len(items):,} {what}: `where` chooses others.")
    return items[:most]


def heading(measures: Sequence[str]) -> str:
    """What the vertical axis is called."""
    return short(", ".join(measures).replace("_", " "))


def split(results: Results, axis: str | None) -> list[tuple[str, list[Replicate]]]:
    """The replicates by their value on an axis, with a heading each."""
    usable = [replicate for replicate in results.replicates if replicate.curves or replicate.samples]
    if axis is None:
        return [("", usable)]
    groups = []
    for value in dict.fromkeys(results.axes[axis]):
        replicates = [replicate for replicate in usable if axis_value(replicate, axis) == value]
        if replicates:
            groups.append((short(axis_words(axis, value)), replicates))
    return groups


def names(value: str | list[str]) -> list[str]:
    """One name or several as a list."""
    return [value] if isinstance(value, str) else value


def curve(replicate: Replicate, word: str) -> np.ndarray[Any, Any]:
    """A measure, or an entry of one, at the replicate's steps; empty where the replicate has none."""
    name, index = entry(word)
    return np.asarray([np.asarray(value)[index] for value in replicate.curves.get(name, [])], dtype=float)


def final_values(replicates: Sequence[Replicate], word: str) -> list[tuple[Replicate, float]]:
    """The last value of a measure, or of an entry of one, in each replicate that has any."""
    return [(replicate, float(values[-1])) for replicate in replicates if len(values := curve(replicate, word))]


def split_finished(replicates: Sequence[Replicate]) -> tuple[list[Replicate], list[Replicate], str]:
    """The replicates that came to their last step; those that did not, but hold values; and what became of these, in words."""
    early = [replicate for replicate in replicates if replicate.status != "done" and replicate.curves]
    ends = {replicate.status for replicate in early}
    told = ends.pop() if len(ends) == 1 and ends <= set(BROKEN) else "not finished"
    return [replicate for replicate in replicates if replicate.status == "done"], early, told
