"""The row of a free parameter: weights that stand alone, and no layer that a network may list."""

from __future__ import annotations

from .row import Layer, initializer, same_shape

PARAMETER = "parameter"
"""The kind of the one layer that the plan of a free parameter has, and its key."""
VALUE = "value"
"""Its one weight."""

FREE_PARAMETER = Layer(
    name=PARAMETER,
    keras="",
    meaning="weights that stand alone",
    parameters={"value_initializer": initializer("value_initializer", "zeros")},
    output=same_shape,
    weights=lambda shape, config: {VALUE: shape},
    stacking="stacked",
)
