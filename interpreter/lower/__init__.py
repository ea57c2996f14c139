"""Terms to tensors, one function an operation of the table.

In: terms and named axes. Out: tensors; random words, samples, backward passes.
"""

from . import decompositions, gamma_samplers, images, loops, other_weights
from . import terms as terms
from .lowering import Application, Lowering, Training, Value
from .operations import LOWERINGS

__all__ = [
    "LOWERINGS",
    "Application",
    "Lowering",
    "Training",
    "Value",
    "decompositions",
    "gamma_samplers",
    "images",
    "loops",
    "other_weights",
    "terms",
]
