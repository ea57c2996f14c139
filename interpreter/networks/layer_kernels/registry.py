"""Where the kernels of layers are registered, and what they are given.

A layer whose row says nothing else is Keras' own, called on one replicate after the other: it needs no kernel here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf
from dlspec.spec.ir.plan import LayerPlan
from dlspec.spec.tables.layers import LAYERS

from ...lower import Application, Training
from ...registry import Registry


@dataclass(frozen=True)
class LayerCall:
    """One application of a layer, as its kernel sees it.

    `keras` is Keras' layer, None for one of the language's own; `real` the dtype of weights, `between` that of what goes
    from layer to layer. The batch holds `examples` examples, and as many times as many rows as the other named axes have
    places. `training` is there in the loss and in measures in training mode; `watch` sees what enters a layer whose weights are estimated.
    """

    plan: LayerPlan
    network: str
    keras: Any
    real: tf.DType
    between: tf.DType
    examples: int = 1
    training: Training | None = None
    watch: Callable[[tuple[str, str], Any], None] | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)
    """What its arguments take of the input [L, N, …], where they speak of the example."""

    application: Application = field(default_factory=Application)
    """The network's application that it is a part of."""

    @property
    def place(self) -> tuple[str, str]:
        """The network and the layer's key."""
        return self.network, self.plan.key

    @property
    def batches(self) -> int:
        """How many batches of training its examples are: one in the loss."""
        each = self.training.batch if self.training is not None else None
        return self.examples // each if each is not None and each < self.examples else 1

    def rounded(self, x: Any) -> Any:
        """Real numbers as they go from layer to layer."""
        return tf.cast(x, self.between) if x.dtype.is_floating else x


Tensors = Mapping[str, Any]
"""A layer's weights by name."""
Kernel = Callable[[LayerCall, Any, Tensors], Any]
"""A layer on an input: on [L, N, …] in real numbers with weights [L, …] if it is `stacked`, else on [N, …] of one replicate."""
RowLookup = Callable[[LayerCall, Any, Tensors], Any]
"""A layer on the one-hot vectors of an index [R, N], with weights [R, …]."""


@dataclass(frozen=True)
class KerasForm:
    """A layer of Keras that computes the same, for files that Keras alone loads: its class, arguments, and our names of its weights.

    Where it takes more than its input, `build` and `call` say what; `rounds` says that its products are rounded as the network's are.
    """

    kind: Any
    arguments: Mapping[str, Any]
    weights: Mapping[str, str]
    rounds: bool = False
    build: Callable[[Any, tuple[int | None, ...]], None] = lambda layer, shape: layer.build(shape)
    call: Callable[[Any, Any], Any] = lambda layer, x: layer(x)


SharedInput = Callable[[LayerCall, Any, Tensors], Any]
"""A layer on an input [R, N, …] that cells share, with weights [cells · R, …], in float32 or float64: [cells · R, N, …]."""
KERNELS: Registry[Kernel] = Registry("layer", "kernel")
ROW_LOOKUPS: Registry[RowLookup] = Registry("layer", "row look-up")
BATCHED: Registry[Kernel] = Registry("layer", "batched kernel")
SHARED_INPUTS: Registry[SharedInput] = Registry("layer", "kernel of a shared input")
KERAS_FORMS: Registry[Callable[[LayerPlan], KerasForm]] = Registry("layer", "Keras form")


@dataclass(frozen=True)
class Fusion:
    """Two layers in a row in one kernel, on one replicate; it is used where `applies` says that values don't change."""

    kernel: Callable[[LayerCall, LayerCall, Any, Tensors], Any]
    applies: Callable[[LayerCall], bool]


FUSIONS: dict[tuple[str, str], Fusion] = {}


def fuses(first: str, second: str, applies: Callable[[LayerCall], bool]) -> Callable[[Any], Any]:
    """As a decorator: registers the kernel of two layers in a row."""

    def add(kernel: Any) -> Any:
        if (first, second) in FUSIONS:
            raise ValueError(f"the layers '{first}' and '{second}' have two kernels")
        FUSIONS[first, second] = Fusion(kernel, applies)
        return kernel

    return add


def fusion_of(call: LayerCall, after: LayerCall | None) -> Fusion | None:
    """The kernel of a layer with the one after it; None where each has its own."""
    if after is None or after.plan.row not in LAYERS[call.plan.row].fuses_with:
        return None
    fusion = FUSIONS[call.plan.row, after.plan.row]
    return fusion if fusion.applies(call) else None


def one_replicate(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """A layer that is not `stacked` on one replicate: its kernel, or Keras' own call."""
    return KERNELS.get(call.plan.row, keras_call)(call, x, weights)


def keras_call(call: LayerCall, x: Any, weights: Tensors) -> Any:
    """Keras' own layer on one replicate: on [N, …] with weights […]."""
    module, values = call.keras, list(weights.values())
    if not values:
        return module(x)
    if call.between == call.real:
        # Recurrent layers hold the seed of a dropout that the language does not have.
        unused = [tf.zeros(variable.shape, variable.dtype) for variable in module.non_trainable_variables]
        return module.stateless_call(values, unused, x)[0]
    # `stateless_call` passes over what rounds weights under a mixed policy.
    with keras.StatelessScope(list(zip(module.trainable_variables, values, strict=True))):
        return module(x)
