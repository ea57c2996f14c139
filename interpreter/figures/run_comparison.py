"""The curves of two runs in one figure."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..results.replicates import Results
from ..verdicts.run_comparison import Comparison, grouped
from . import ticks
from .axis_scales import drawable
from .canvas import panels, save, style
from .draw import MOST_PANELS
from .fitted_size import fit_size
from .key import add_key
from .math_text import short
from .palette import line_look

STYLES: tuple[dict[str, Any], ...] = ({"linewidth": 3.2, "alpha": 0.4}, {"linewidth": 1.2, "linestyle": "--"})
"""A's curves are broad and light, so that B's, dashed, are seen where both are the same."""
LOG_SCALE_RATIO = 50
"""From this ratio of the largest to the smallest value on, an axis is logarithmic."""


def draw(comparison: Comparison, path: Path) -> list[Path]:
    """Draws the curves of both runs, A broad and B dashed, as PNG and SVG; no file if there are none. Raises OSError."""
    shown = list(dict.fromkeys((final.experiment, final.measure) for final in comparison.finals))
    shown = [place for place in shown if any(_moving(found, *place) for found in comparison.results)]
    if not shown:
        return []
    left_out = f", the first {MOST_PANELS} of {len(shown):,} measures" if len(shown) > MOST_PANELS else ""
    shown = shown[:MOST_PANELS]
    with style():
        figure, axes = panels(len(shown))
        for axis, (experiment, measure) in zip(axes, shown, strict=True):
            _panel(axis, comparison, experiment, measure)
        add_key(figure)
        fit_size(figure, f"A {comparison.runs[0].name} (broad), B {comparison.runs[1].name} (dashed){left_out}", [])
        path.parent.mkdir(parents=True, exist_ok=True)
        paths = [path.with_suffix(end) for end in (".png", ".svg")]
        save(figure, paths)
    return paths


def _moving(results: dict[str, Results], experiment: str, measure: str) -> bool:
    replicates = results[experiment].replicates if experiment in results else []
    return any(len(replicate.curves.get(measure, [])) > 1 for replicate in replicates)


def _panel(axis: Any, comparison: Comparison, experiment: str, measure: str) -> None:
    groups = [grouped(found.get(experiment)) for found in comparison.results]
    names = list(dict.fromkeys([*groups[0], *groups[1]]))
    ends = [math.inf, -math.inf]
    for place, name in enumerate(names):
        for found, line in zip(groups, STYLES, strict=True):
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
            text = short(name) if found is groups[0] or name not in groups[0] else None
            look = {**line_look(place), **line}
            axis.plot(steps, mean, label=text, **look)
    if 0 < ends[0] * LOG_SCALE_RATIO < ends[1]:
        axis.set_yscale("log")
        ticks.logarithmic(axis.yaxis)
    else:
        ticks.linear(axis.yaxis)
    ticks.linear(axis.xaxis, whole=True, most=4)
    axis.set_title(f"{experiment}: {measure.replace('_', ' ')}", fontsize=9)
    axis.set_xlabel("step")
