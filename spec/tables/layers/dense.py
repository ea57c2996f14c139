"""Dense layers, and the whitening of their input."""

from __future__ import annotations

from math import prod

from ...ir.types import Shape, ShapeProblem
from ..keras_parameters import Parameter, named
from . import work
from .row import (
    ACTIVATION,
    KERNEL_AND_BIAS_CONSTRAINTS,
    KERNEL_AND_BIAS_INITIALIZERS,
    UNITS,
    USE_BIAS,
    Config,
    Layer,
    Weights,
    array_shape,
)


def _array(shape: Shape) -> None:
    if not shape:
        raise ShapeProblem("takes an array, but gets a single number", "Write `input: [x]` for an array of one.")


def _weights(shape: Shape, config: Config) -> Weights:
    _array(shape)
    return {"kernel": (shape[-1], config["units"]), **({"bias": (config["units"],)} if config["use_bias"] else {})}


def _output(shape: Shape, config: Config) -> Shape:
    _array(shape)
    return (*shape[:-1], config["units"])


DENSE = Layer(
    name="dense", keras="Dense", meaning="multiplies the last axis by a matrix: activation(x · kernel + bias)",
    parameters=named(UNITS, ACTIVATION, USE_BIAS, *KERNEL_AND_BIAS_INITIALIZERS, *KERNEL_AND_BIAS_CONSTRAINTS), primary="units",
    output=_output, weights=_weights, flops=lambda s, c: 2 * prod(s) * c["units"], work=work.bias_and_activation,
    stacking="vectorized", looks_up_one_hot=True, squeezed_by="units",
)  # fmt: skip


def _matrix(shape: Shape, config: Config) -> Weights:
    size = array_shape(shape, config)[-1]
    return {"matrix": (size, size)}


WHITEN = Layer(
    name="whiten", keras="",
    meaning="multiplies by the inverse square root of its input's uncentred correlation matrix, estimated before step 0",
    parameters=named(
        Parameter("examples", "size", "from how many training examples the matrix is estimated; by default, if there are fewer, from all of them", 10000)
    ),
    output=array_shape, weights=_matrix, flops=lambda s, c: 2 * s[-1] * prod(s), untrained=("matrix",),
    starts={"matrix": "identity"}, estimated_from="examples", stacking="stacked",
)  # fmt: skip
