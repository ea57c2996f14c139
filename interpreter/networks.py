"""Networks: Keras layers applied to stacked replicates, their weights plain variables with a leading replicate axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dlspec.spec import terms as t
from dlspec.spec.axes import EXAMPLE, REPLICATE
from dlspec.spec.resolved import InitialValue, LayerPlan, Mode, NetworkPlan
from dlspec.spec.types import Type

from .gradients import carried, passed
from .lower import Lowering, Value
from .random import keras_seed

FOLDED = frozenset({"Activation", "LeakyReLU", "Flatten", "Reshape", "RepeatVector", "MaxPooling1D", "MaxPooling2D"}) | {
    "AveragePooling1D", "AveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
}  # fmt: skip
"""Layers without weights: replicates are more examples to them."""

MAPPED = frozenset({"Dense"})
"""Layers whose products of stacked weights TensorFlow batches; the others are written out once a replicate."""


class Network:
    """One network of a program: its layers, and its weights for all replicates side by side."""

    def __init__(self, plan: NetworkPlan, seed_path: Sequence[Sequence[str | int]], dtype: str, modes: Mapping[str, Mode]) -> None:
        self.plan = plan
        self.replicates = len(seed_path)
        self.dtype = dtype
        self.modes = modes
        self.layers: dict[str, Any] = {}
        self.weights: dict[tuple[str, str], Any] = {}
        self.untrained: set[tuple[str, str]] = set()
        for layer in plan.leaves():
            if layer.kind == "keras":
                self._build(layer, seed_path)
            elif layer.kind == "whiten":
                size = layer.weights["matrix"][0]
                start = np.broadcast_to(np.eye(size, dtype=dtype), (self.replicates, size, size))
                self._variable(layer.key, "matrix", start, False)

    def _build(self, plan: LayerPlan, seed_path: Sequence[Sequence[str | int]]) -> None:
        config = {name: value for name, value in plan.config.items() if value is not None}
        layer = getattr(keras.layers, plan.keras)(**config, dtype=self.dtype)
        layer.build((None, *plan.input.shape))
        self.layers[plan.key] = layer
        for variable in layer.weights:
            name = variable.path.rsplit("/", 1)[-1]
            starts = []
            for path in seed_path:
                start = plan.initializers.get(name)
                if start is None:
                    starts.append(np.asarray(variable.value))
                else:
                    seed = keras_seed(*path, "weights", self.plan.name, plan.key, name)
                    starts.append(np.asarray(initializer(start, seed)(variable.shape, dtype=self.dtype)))
            held = self._variable(plan.key, name, np.stack(starts), name not in plan.untrained)
            constraint = plan.constraints.get(f"{name}_constraint")
            if constraint is not None:
                held.constraint = _each_replicate(keras.constraints.get({"class_name": _camel(constraint.keras), "config": dict(constraint.arguments)}))

    def _variable(self, layer: str, name: str, value: Any, trainable: bool) -> Any:
        variable = keras.Variable(value, trainable=trainable, dtype=self.dtype, name=f"{self.plan.name}_{layer}_{name}".replace("[", "_").replace("]", "_").replace(".", "_"))
        self.weights[layer, name] = variable
        if not trainable:
            self.untrained.add((layer, name))
        return variable

    def trainable(self) -> list[Any]:
        """The variables that an optimiser changes, in order."""
        return [variable for place, variable in self.weights.items() if place not in self.untrained]

    def weight(self, term: t.Weight | t.AllWeights) -> Value:
        """One weight [R, …], or all trainable ones as one vector [R, P]."""
        if isinstance(term, t.Weight):
            return Value(self.weights[term.layer, term.weight].value, (REPLICATE,))
        flat = [tf.reshape(variable.value, [self.replicates, -1]) for variable in self.trainable()]
        return Value(tf.concat(flat, axis=1), (REPLICATE,))

    # -- application -----------------------------------------------------------------------------------------------

    def __call__(self, lowering: Lowering, given: Value, kind: Type) -> Value:
        """The network on an input with any named axes; all but the replicates' are folded into the batch."""
        axes = tuple(axis for axis in given.axes if axis != REPLICATE) or (EXAMPLE,)
        event = len(kind.shape)
        real = Value(lowering.cast(given.tensor, "int" if self._takes_ints() else "real"), given.axes)
        tensor = lowering.whole(real, (REPLICATE, *axes), event) if given.axes else lowering.spread(real, (REPLICATE, *axes), event)
        if tensor.shape[0] != self.replicates:
            tensor = tf.broadcast_to(tensor, [self.replicates, *tensor.shape.as_list()[1:]])
        lead = tensor.shape.as_list()[: len(axes) + 1]
        each = 1 if self.plan.each is not None else 0
        shape = list(kind.shape[each:])
        folded = lead[1:] + list(kind.shape[:each])
        x = tf.reshape(tensor, [lead[0], int(np.prod(folded)), *shape])
        mode = self.modes.get(self.plan.name)
        before = x
        x = self._run(lowering, self.plan.layers, x, mode is not None and mode.name == "freeze")
        if self.plan.squeeze:
            x = tf.squeeze(x, axis=-1)
        if mode is not None:
            x = carried(before, x) if mode.name == "forward_only" else passed(mode, x)
        out = tf.reshape(x, [*lead, *self.plan.output.shape])
        return Value(out, (REPLICATE, *axes))

    def _takes_ints(self) -> bool:
        return bool(self.plan.layers) and self.plan.layers[0].keras == "Embedding"

    def _run(self, lowering: Lowering, layers: Sequence[LayerPlan], x: Any, frozen: bool) -> Any:
        for layer in layers:
            if layer.kind == "repeat":
                for block in layer.blocks:
                    y = self._run(lowering, block, x, frozen)
                    x = x + y if layer.skip else y
                continue
            mode = self.modes.get(f"{self.plan.name}.{layer.key}")
            y = self._apply(lowering, layer, x, frozen or (mode is not None and mode.name == "freeze"))
            if mode is not None:
                y = carried(x, y) if mode.name == "forward_only" else passed(mode, y)
            x = y
        return x

    def _apply(self, lowering: Lowering, layer: LayerPlan, x: Any, frozen: bool) -> Any:
        if layer.kind == "apply":
            assert layer.body is not None
            lowering.values[layer.parameter] = Value(x, (REPLICATE, EXAMPLE))
            value = lowering(layer.body)
            return value.tensor
        if layer.kind == "whiten":
            matrix = self.weights[layer.key, "matrix"].value
            lead = x.shape.as_list()
            flat = tf.reshape(x, [lead[0], -1, lead[-1]])
            return tf.reshape(tf.matmul(flat, matrix), lead)
        held = [self.weights[layer.key, name].value for (key, name) in self.weights if key == layer.key]
        if frozen:
            held = [tf.stop_gradient(weight) for weight in held]
        module = self.layers[layer.key]
        if not held:
            shape = x.shape.as_list()
            y = module(tf.reshape(x, [shape[0] * shape[1], *shape[2:]]))
            return tf.reshape(y, [*shape[:2], *y.shape.as_list()[1:]])

        def one(weights: Any, batch: Any) -> Any:
            return module.stateless_call(list(weights), [], batch)[0]

        if self.replicates == 1:
            return one([weight[0] for weight in held], x[0])[tf.newaxis]
        if layer.keras in MAPPED:
            return tf.vectorized_map(lambda pair: one(pair[0], pair[1]), (held, x), fallback_to_while_loop=False)
        return tf.stack([one([weight[r] for weight in held], x[r]) for r in range(self.replicates)])


def initializer(start: InitialValue, seed: int) -> Any:
    """A Keras initialiser with its seed."""
    kind = getattr(keras.initializers, start.keras)
    arguments = dict(start.arguments)
    if start.keras not in ("Zeros", "Ones", "Constant", "Identity"):
        arguments["seed"] = seed
    return kind(**arguments)


def _each_replicate(constraint: Any) -> Any:
    def constrained(stacked: Any) -> Any:
        return tf.stack([constraint(weight) for weight in tf.unstack(tf.convert_to_tensor(stacked))])

    return constrained


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
