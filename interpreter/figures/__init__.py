"""Figures, one file a kind.

In: a figure of the plan and results. Out: PNG, SVG and the numbers that are drawn.
"""

from . import load_matplotlib  # noqa: I001 - before all else
from . import bars, curves, examples, heatmap, histogram, profile, scaling, scatter
from .draw import DRAWERS, draw

__all__ = [
    "DRAWERS", "bars", "curves", "draw", "examples", "heatmap", "histogram", "load_matplotlib", "profile", "scaling", "scatter",
]  # fmt: skip
