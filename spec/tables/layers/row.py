"""A row of the table of layers: all that the language, its costs and the interpreter ask of a layer.

Shapes are those of one example, without the batch axis; images are [height, width, channels], sequences [T, channels].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...ir.types import Shape, ShapeProblem, shape_text
from ..keras_parameters import Parameter

Config = Mapping[str, Any]
Weights = dict[str, Shape]
Work = Callable[[Shape, Shape, Config], tuple[float, float]]
"""Operations of one example, forwards and backwards, of a layer on a shape to a shape, beside its products with kernels."""
Stacking = Literal["unrolled", "vectorized", "stacked"]


def no_weights(shape: Shape, config: Config) -> Weights:
    """The weights of a layer that has none."""
    return {}


def no_flops(shape: Shape, config: Config) -> int:
    """The count of a layer without a kernel."""
    return 0


def no_work(shape: Shape, output: Shape, config: Config) -> tuple[float, float]:
    """The work of a layer that only moves values, or only multiplies by its kernel."""
    return 0, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A row. What stands here is asked of it everywhere; no code tests for a layer's name.

    `keras` is Keras' class; "" where the language has a layer of its own, which is then its kernel in the interpreter alone.
    `output(shape, config)` and `weights(shape, config)` raise ShapeProblem. `flops(shape, config)` counts the products
    with kernels, `work(shape, output shape, config)` all else, for one example. `primary` is the argument that may stand
    alone.
    """

    name: str
    keras: str
    meaning: str
    parameters: Mapping[str, Parameter]
    output: Callable[[Shape, Config], Shape]
    weights: Callable[[Shape, Config], Weights] = no_weights
    flops: Callable[[Shape, Config], int] = no_flops
    work: Work = no_work
    primary: str | None = None
    untrained: tuple[str, ...] = ()
    """Weights that no optimiser changes."""
    starts: Mapping[str, str] = field(default_factory=dict)
    """Initialisers of weights that no argument starts; those of a class of Keras start as Keras has it."""
    ones_at_start: Callable[[Config], Mapping[str, slice]] | None = None
    """Entries of the last axis of weights that start at 1, whatever the initialiser says."""
    estimated_from: str | None = None
    """The argument that says from how many training examples its weights are estimated before step 0."""
    draws: bool = False
    """Whether it draws random numbers in training; elsewhere it then passes its input on."""
    stacking: Stacking = "unrolled"
    """How its kernel meets the stacked weights of the replicates.

    `unrolled`: one replicate after the other; `vectorized`: written for one replicate, batched by TensorFlow; `stacked`:
    all at once. Without weights there is nothing to stack, and replicates are part of the batch.
    """
    xla_on_cpu: bool = True
    """Whether XLA on a CPU is as fast for it as a plain graph."""
    fuses_with: tuple[str, ...] = ()
    """The layers that its kernel computes together with it, where they come next."""
    looks_up_one_hot: bool = False
    """Whether its product with one-hot vectors is rows of its kernel, which are looked up."""
    ints_below: str | None = None
    """The argument that the ints of its input lie below; None where the input may be real."""
    squeezed_by: str | None = None
    """The argument that, literally 1 in a network's last layer, drops the output's last axis."""
    loops: bool = False
    """Whether it goes through a sequence, so that its activation is computed within, and has to be one of Keras'."""

    @property
    def class_name(self) -> str:
        """Keras' class, or the layer's own name as that of a class."""
        return self.keras or "".join(part.capitalize() for part in self.name.split("_"))


def argument_of(weight: str) -> str:
    """A weight's name in Keras' arguments: `recurrent_initializer` starts `recurrent_kernel`."""
    return weight.removesuffix("_kernel")


def initializer(name: str, default: str) -> Parameter:
    """The argument that starts a weight."""
    weight = name.removesuffix("_initializer")
    meaning = f"how the {weight} starts: a name, or a distribution that knows fan_in and fan_out"
    return Parameter(name, "initializer", meaning, default)


def constraint(name: str) -> Parameter:
    """The argument that keeps a weight within bounds."""
    meaning = f"what the {name.removesuffix('_constraint')} is kept to after each step"
    return Parameter(name, "constraint", meaning, None)


KERNEL_AND_BIAS_INITIALIZERS = (
    initializer("kernel_initializer", "glorot_uniform"),
    initializer("bias_initializer", "zeros"),
)
KERNEL_AND_BIAS_CONSTRAINTS = (constraint("kernel_constraint"), constraint("bias_constraint"))
USE_BIAS = Parameter("use_bias", "bool", "whether a bias is added", True)
ACTIVATION = Parameter("activation", "activation", "applied to the output", None)
UNITS = Parameter("units", "size", "how many outputs")


def same_shape(shape: Shape, config: Config) -> Shape:
    """The output of a layer that keeps the shape."""
    return shape


def array_shape(shape: Shape, config: Config) -> Shape:
    """The same of a layer that takes arrays alone. Raises ShapeProblem."""
    if not shape:
        raise ShapeProblem("takes an array, and gets a single number", "`[x]` makes an array of a number.")
    return shape


def need(rank: int, what: str) -> Callable[[Shape], None]:
    """Refuses shapes that don't have so many axes (ShapeProblem)."""

    def check(shape: Shape) -> None:
        if len(shape) != rank:
            hint = f"It takes {what}; `reshape(x, [...])` in the network's `input`, or a `reshape` layer, gives it one."
            raise ShapeProblem(
                f"takes an input of {rank} axes, {what}, and gets {shape_text(shape) if shape else 'a single number'}",
                hint,
            )

    return check


def need_image(rank: int) -> Callable[[Shape], None]:
    """Refuses what is no image of so many axes beside its channels (ShapeProblem)."""
    return need(rank + 1, "[length, channels]" if rank == 1 else "[height, width, channels]")
