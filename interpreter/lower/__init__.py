"""Lowering: terms to TensorFlow operations. One function an operation of the table."""

from . import images
from .operations import LOWERINGS
from .terms import Lowering, Training, Value

__all__ = ["LOWERINGS", "Lowering", "Training", "Value", "images"]
