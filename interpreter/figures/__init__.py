"""Figures: one function a kind of the table draws it from results."""

from . import examples
from .draw import DRAWERS, draw

__all__ = ["DRAWERS", "draw", "examples"]
