"""The layers, one row each: Keras' own under their snake-case names, and the language's.

In: nothing. Out: `LAYERS`: arguments, shapes, weights, costs, and how the interpreter is to compute them.
"""

from __future__ import annotations

from ...ir.plan import LayerPlan
from ..by_name import by_name
from .attention import ATTENTION, POSITIONS
from .convolution import CONVOLUTIONS, POOLINGS
from .dense import DENSE, WHITEN
from .elementwise import FUNCTIONS, NOISE, SHAPES
from .free_parameter import FREE_PARAMETER
from .normalization import NORMALIZATIONS
from .resizing import RESIZINGS
from .row import Layer, Stacking
from .separable import SEPARABLE
from .sequences import BIDIRECTIONAL, EMBEDDING, RECURRENT
from .transposed import TRANSPOSED

LAYERS = by_name(
    (
        DENSE, *CONVOLUTIONS, *TRANSPOSED, *SEPARABLE, *POOLINGS, *RESIZINGS, *SHAPES, *FUNCTIONS, *NOISE, *NORMALIZATIONS, EMBEDDING,
        POSITIONS, *RECURRENT, BIDIRECTIONAL, ATTENTION, WHITEN,
    ),
    "layer",
)  # fmt: skip


def row_of(plan: LayerPlan) -> Layer | None:
    """The row of a layer of a network; None for a function and for a repeated block."""
    if plan.kind == FREE_PARAMETER.name:
        return FREE_PARAMETER
    return LAYERS[plan.row] if plan.row else None


__all__ = ["LAYERS", "Layer", "Stacking", "row_of"]
