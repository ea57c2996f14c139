"""The layers, one row each: Keras' own under their snake-case names, and the language's.

In: nothing. Out: `LAYERS`: arguments, shapes, weights, costs, and how the interpreter is to compute them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ...ir.plan import LayerPlan
from .convolution import CONVOLUTIONS, POOLINGS
from .dense import DENSE, WHITEN
from .elementwise import FUNCTIONS, NOISE, SHAPES
from .normalization import NORMALIZATIONS
from .row import Layer, Stacking, argument_of
from .sequences import EMBEDDING, RECURRENT


def _by_name(rows: Iterable[Layer]) -> Mapping[str, Layer]:
    table: dict[str, Layer] = {}
    for row in rows:
        if row.name in table:
            raise ValueError(f"the layer '{row.name}' is declared twice")
        table[row.name] = row
    return MappingProxyType(table)


LAYERS = _by_name(
    (DENSE, *CONVOLUTIONS, *POOLINGS, *SHAPES, *FUNCTIONS, *NOISE, *NORMALIZATIONS, EMBEDDING, *RECURRENT, WHITEN)
)


def row_of(plan: LayerPlan) -> Layer | None:
    """The row of a layer of a network; None for a function and for a repeated block."""
    return LAYERS[plan.row] if plan.row else None


__all__ = ["LAYERS", "Layer", "Stacking", "argument_of", "row_of"]
