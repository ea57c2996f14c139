"""The curves of two runs over each other: in one figure, or in one of each experiment."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..results.replicates import Results
from ..verdicts.run_comparison import Comparison, paired
from . import ticks
from .axis_scales import drawable
from .canvas import Sheet, panels, save, style
from .draw import MOST_PANELS, written
from .fitted_size import fit_size
from .key import add_key
from .math_text import short
from .palette import line_look

STYLES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("A", {"linewidth": 3.2, "alpha": 0.4}),
    ("B", {"linewidth": 1.2, "linestyle": "--"}),
)
"""A's curves are broad and light, so that B's, dashed, are seen where both are the same."""
LOG_SCALE_RATIO = 50
"""From this ratio of the largest to the smallest value on, an axis is logarithmic."""
LOOKS = "A is broad, B dashed. Means over the replicates that are done."

Place = tuple[str, str]
"""An experiment and a measure of it."""


def draw(comparison: Comparison, path: Path) -> list[Path]:
    """Draws the curves of both runs, A broad and B dashed, as PNG and SVG; no file if there are none. Raises OSError."""
    shown = _shown(comparison)
    if not shown:
        return []
    with style():
        figure = _drawn(
            comparison, shown, f"A {comparison.runs[0].name} (broad), B {comparison.runs[1].name} (dashed)", []
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        paths = [path.with_suffix(end) for end in (".png", ".svg")]
        save(figure, paths)
    return paths


def draw_experiments(
    comparison: Comparison, folder: Path, title: str, warn: Callable[[str], None]
) -> dict[str, list[Path]]:
    """Draws a figure of each experiment that has curves, with its numbers beside it; returns the files by experiment. Raises OSError."""
    found: dict[str, list[Place]] = {}
    for place in _shown(comparison):
        found.setdefault(place[0], []).append(place)
    files = {}
    for experiment, shown in found.items():
        with style():
            files[experiment] = written(_drawn(comparison, shown, title, [LOOKS]), folder / f"{experiment}.both", warn)
    return files


def _shown(comparison: Comparison) -> list[Place]:
    """What has curves: more than one value of a measure, in either run."""
    every = dict.fromkeys((final.experiment, final.measure) for final in comparison.finals)
    return [place for place in every if any(_moving(found, *place) for found in comparison.results)]


def _moving(results: dict[str, Results], experiment: str, measure: str) -> bool:
    replicates = results[experiment].replicates if experiment in results else []
    return any(len(replicate.curves.get(measure, [])) > 1 for replicate in replicates)


def _drawn(comparison: Comparison, shown: Sequence[Place], title: str, below: list[str]) -> Sheet:
    left_out = f", the first {MOST_PANELS} of {len(shown):,} measures" if len(shown) > MOST_PANELS else ""
    shown = shown[:MOST_PANELS]
    several = len({experiment for experiment, _ in shown}) > 1
    figure, axes = panels(len(shown))
    for axis, (experiment, measure) in zip(axes, shown, strict=True):
        words = measure.replace("_", " ")
        _panel(axis, comparison, experiment, measure, f"{experiment}: {words}" if several else words)
    add_key(figure)
    fit_size(figure, title + left_out, below)
    return figure


def _panel(axis: Any, comparison: Comparison, experiment: str, measure: str, title: str) -> None:
    groups = paired(*(found.get(experiment) for found in comparison.results))
    names = list(dict.fromkeys([*groups[0], *groups[1]]))
    ends = [math.inf, -math.inf]
    for place, name in enumerate(names):
        for found, (letter, line) in zip(groups, STYLES, strict=True):
            replicates = [replicate for replicate in found.get(name, []) if replicate.curves.get(measure)]
            if not replicates or np.ndim(replicates[0].curves[measure][-1]) != 0:
                continue
            steps = max((replicate.steps for replicate in replicates), key=len)
            table = np.full((len(replicates), len(steps)), np.nan)
            for row, replicate in zip(table, replicates, strict=True):
                row[: len(replicate.steps)] = np.asarray(replicate.curves[measure], dtype=float)
            done = [replicate.status == "done" for replicate in replicates]
            mean = drawable(np.mean(table[done] if any(done) else table, axis=0))  # a gap where one has no value
            if (seen := mean[np.isfinite(mean)]).size:
                ends = [min(ends[0], float(seen.min())), max(ends[1], float(seen.max()))]
            text = letter if names == [experiment] else short(f"{letter} {name}")
            axis.plot(steps, mean, label=text, **{**line_look(place), **line})
    if 0 < ends[0] * LOG_SCALE_RATIO < ends[1]:
        axis.set_yscale("log")
        ticks.logarithmic(axis.yaxis)
    else:
        ticks.linear(axis.yaxis)
    ticks.linear(axis.xaxis, whole=True, most=4)
    axis.set_title(title, fontsize=9)
    axis.set_xlabel("step")
