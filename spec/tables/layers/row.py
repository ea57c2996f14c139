"""A row of the table of layers: all that the language, its costs and the interpreter ask of a layer.

Shapes are those of one example, without the batch axis; images are [height, width, channels], sequences [T, channels].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Literal

from ...ir.types import Shape, ShapeProblem, shape_text
from ...source.several import AllValues, all_equal
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
    mixes_examples: bool = False
    """Whether what it makes of an example in training hangs on the others of the batch."""
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
    inner_flops: Callable[[Shape, Config], int] = no_flops
    """Of `flops`, the products whose other factor is made within the layer, so that it has a gradient wherever the kernels have."""
    inner_entries: Callable[[Shape, Config], int] = no_flops
    """Entries of the largest values that it holds within for one example, beside its output."""
    draws_above_zero: str | None = None
    """The argument that, above 0, makes it draw random numbers in training, beside what it computes."""
    parts: tuple[str, ...] = ()
    """The layers that it is made of in Keras, where they hold weights: their names lead those of the weights, as in `query_kernel`."""
    called: Mapping[str, str] = field(default_factory=dict)
    """What Keras' arguments call a weight, where it is not the weight's own name: `depthwise_initializer` starts a `kernel`."""
    input_axes: Mapping[str, int] = field(default_factory=dict)
    """How many of a weight's first axes count its inputs, and the rest its outputs, where fans are not by Keras' rule for kernels."""
    of_example: Mapping[str, Callable[[Shape], tuple[str, tuple[Shape, ...]]]] = field(default_factory=dict)
    """Arguments that may speak of an example, with the kind and the shapes that they may have on an input of a shape."""
    numbers: int = 0
    """Raised whenever this layer alone gives other numbers than before: results that are stored of networks with it are taken again."""
    settled: Callable[[Shape, Config], Mapping[str, Any]] | None = None
    """The values of arguments that are left out (None) and hang on the others, or on the shape. Raises ShapeProblem."""

    @property
    def class_name(self) -> str:
        """Keras' class, or the layer's own name as that of a class."""
        return self.keras or "".join(part.capitalize() for part in self.name.split("_"))

    def argument_of(self, weight: str) -> str:
        """A weight's name in Keras' arguments: `recurrent_initializer` starts `recurrent_kernel`, `kernel_initializer` each `query_kernel`."""
        name = next((weight[len(part) + 1 :] for part in self.parts if weight.startswith(f"{part}_")), weight)
        return self.called.get(name, name.removesuffix("_kernel"))

    def fan_shape(self, weight: str, shape: Shape) -> Shape:
        """What a weight's fans are counted by: its shape, or a matrix of its inputs and outputs."""
        axes = self.input_axes.get(weight)
        return shape if axes is None else (prod(shape[:axes]), prod(shape[axes:]))

    def weight_at(self, path: str) -> str:
        """A weight's name, by its path in Keras: `attention/query/kernel` is `query_kernel`, `forward_lstm/lstm_cell/bias` `forward_bias`."""
        *layers, name = path.split("/")
        inmost = (part for layer in reversed(layers) for part in self.parts if f"{layer}_".startswith(f"{part}_"))
        part = next(inmost, "")
        return f"{part}_{name}" if part else name

    def products_backwards(self, shape: Shape, config: Config, kernels: bool, given: bool) -> int:
        """The products of the backward pass of one example: to kernels that are trained, to an input that is made by what is."""
        whole = self.flops(shape, config)
        return whole * (kernels + given) + self.inner_flops(shape, config) * (kernels and not given)

    def draws_with(self, config: Config) -> bool:
        """Whether it draws random numbers in training, with its arguments."""
        return self.draws or (self.draws_above_zero is not None and above_zero(config[self.draws_above_zero]))


def above_zero(share: Any) -> bool:
    """Whether a share is above 0, or may be: one that changes in training is a term in a plan, and a tensor in a program."""
    if isinstance(share, AllValues):
        return not all_equal(share, 0)
    return not isinstance(share, int | float) or share > 0


_NEEDS = {"bias": "use_bias"}
"""By weight the argument without which a layer does not have it."""


def initializer(name: str, default: str) -> Parameter:
    """The argument that starts a weight."""
    weight = name.removesuffix("_initializer")
    meaning = f"how the {weight} starts: a name, or a distribution, which may use fan_in and fan_out"
    return Parameter(name, "initializer", meaning, default, needs=_NEEDS.get(weight, ""))


def constraint(name: str) -> Parameter:
    """The argument that keeps a weight within bounds."""
    weight = name.removesuffix("_constraint")
    return Parameter(
        name, "constraint", f"the constraint on the {weight} after each step", None, needs=_NEEDS.get(weight, "")
    )


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
        raise ShapeProblem("takes an array, but gets a single number", "`[x]` makes an array of a number.")
    return shape


def need(rank: int, what: str) -> Callable[[Shape], None]:
    """Refuses shapes that don't have so many axes (ShapeProblem)."""

    def check(shape: Shape) -> None:
        if len(shape) != rank:
            hint = f"It takes {what}; `reshape(x, [...])` in the network's `input`, or a `reshape` layer, gives it one."
            raise ShapeProblem(
                f"takes an input of {rank} axes, {what}, but gets {shape_text(shape) if shape else 'a single number'}",
                hint,
            )

    return check


def need_image(rank: int) -> Callable[[Shape], None]:
    """Refuses what is no image of so many axes beside its channels (ShapeProblem)."""
    return need(rank + 1, "[length, channels]" if rank == 1 else "[height, width, channels]")
