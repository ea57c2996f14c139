"""Terms to tensors, one function an operation of the table.

In: terms and named axes. Out: tensors; random words, samples, backward passes.
"""

from . import images
from .operations import LOWERINGS
from .terms import Lowering, Training, Value

__all__ = ["LOWERINGS", "Lowering", "Training", "Value", "images"]
