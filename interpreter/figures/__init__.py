"""Figures: one function a kind of the table draws it from results."""

from . import load_matplotlib  # noqa: I001 - before all else
from . import bars, curves, examples, scaling
from .draw import DRAWERS, draw

__all__ = ["DRAWERS", "bars", "curves", "draw", "examples", "load_matplotlib", "scaling"]
