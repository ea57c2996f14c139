"""Networks: Keras layers applied to stacked replicates, their weights plain variables with a leading replicate axis."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import prod
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE, Axes, union
from dlspec.spec.ir.plan import LayerPlan, Mode, NetworkPlan
from dlspec.spec.ir.types import Type
from dlspec.spec.tables.dtypes import Dtype
from dlspec.spec.tables.gradient_modes import mode_of

from ..lower import Lowering, Value
from ..lower.backward_modes import with_backward_mode
from ..lower.samplers import SAMPLERS, unit
from ..lower.threefry import folded, words
from .initial_weights import Values, all_started, argument_of, name_of
from .max_pooling import POOLING, undefined_kept

MAPPED = frozenset({"Dense"})
"""Layers whose products of stacked weights TensorFlow batches; the others are written out once a replicate."""


RISING = frozenset({None, "linear", "relu"})
"""Activations f with f(max(a, b)) = max(f(a), f(b)) to the bit."""


EACH = "each#4294967295"
"""The axis that `each` shares a network over: the innermost of all."""


def input_of(network: str) -> str:
    """Under which name a context holds a network's own input."""
    return f"input of {network}"


@dataclass(frozen=True)
class Batch:
    """One application of a network: the named axes that were folded into one after the replicates', and their lengths.

    `index` [R, N] is there where the input is the one-hot vectors of it, and the first layer dense.
    """

    lowering: Lowering
    axes: Axes
    lengths: list[int]
    index: Any = None

    @property
    def examples(self) -> int:
        """How many examples there are, the other axes apart."""
        return self.lengths[0] if self.axes and self.axes[0] == EXAMPLE else 1


class Network:
    """One network of a program: its layers, and its weights for all replicates side by side."""

    def __init__(self, plan: NetworkPlan, replicates: int, dtype: Dtype, modes: Mapping[str, Mode]) -> None:
        self.plan = plan
        self.replicates = replicates
        self.dtype = dtype
        self.real, self.between = tf.as_dtype(dtype.real), tf.as_dtype(dtype.layers)
        self.modes = modes
        self.layers: dict[str, Any] = {}
        self.weights: dict[tuple[str, str], Any] = {}
        self.untrained: set[tuple[str, str]] = set()
        self.trained: frozenset[tuple[str, str]] | None = None
        """The places that training changes, of all that could be trained."""
        self.averages: dict[tuple[str, str], tuple[Any, Any]] = {}
        self.spreads = any(layer.kind == "apply" for layer in plan.leaves())
        for layer in plan.leaves():
            if layer.kind == "keras":
                self._build(layer)
            elif layer.kind == "whiten":
                self._variable(layer.key, "matrix", layer.weights["matrix"], False)

    def _build(self, plan: LayerPlan) -> None:
        config = {name: value for name, value in plan.config.items() if value is not None}
        layer = getattr(keras.layers, plan.keras)(**config, dtype=self.dtype.keras)
        layer.build((None, *plan.input.shape))
        self.layers[plan.key] = layer
        for variable in layer.weights:
            name = name_of(variable)
            held = self._variable(plan.key, name, variable.shape, name not in plan.untrained)
            constraint = plan.constraints.get(f"{argument_of(name)}_constraint")
            if constraint is not None:
                config_ = {"class_name": _camel(constraint.keras), "config": dict(constraint.arguments)}
                held.constraint = _each_replicate(keras.constraints.get(config_))

    def _variable(self, layer: str, name: str, shape: Sequence[int], trainable: bool) -> Any:
        label = re.sub(r"[\[\].]", "_", f"{self.plan.name}_{layer}_{name}")
        start = np.zeros((self.replicates, *shape), self.dtype.real)
        variable = keras.Variable(start, trainable=trainable, dtype=self.dtype.real, name=label)
        self.weights[layer, name] = variable
        if not trainable:
            self.untrained.add((layer, name))
        return variable

    def begin(self, plan: NetworkPlan, seed_paths: Sequence[Sequence[str | int]], values: Values) -> None:
        """Starts the weights anew: each replicate's from its own place in the seed tree, as a plan of the same form says.

        `values` gives what is made of constants and draws.
        """
        for layer in plan.leaves():
            if layer.kind == "keras":
                for variable in self.layers[layer.key].weights:
                    starts = all_started(layer, variable, self.plan.name, seed_paths, self.dtype.real, values)
                    self.weights[layer.key, name_of(variable)].assign(starts)
            elif layer.kind == "whiten":
                size = layer.weights["matrix"][0]
                start = np.broadcast_to(np.eye(size, dtype=self.dtype.real), (self.replicates, size, size))
                self.weights[layer.key, "matrix"].assign(start)

    def trainable(self) -> list[Any]:
        """The variables that an optimiser changes, in order."""
        return [self.weights[place] for place in self.changed()]

    def changed(self) -> list[tuple[str, str]]:
        """The places of those: what a term of the loss reaches and no mode freezes."""
        return [
            place for place in self.weights
            if place not in self.untrained and (self.trained is None or place in self.trained)
        ]  # fmt: skip

    def read(self, place: tuple[str, str], training: bool) -> Any:
        """A weight [R, …] at its present value; outside training its moving average, where the optimiser keeps one."""
        value = tf.convert_to_tensor(self.weights[place].value)
        if training or place not in self.averages:
            return value
        average, iterations = self.averages[place]
        averaged, constraint = tf.convert_to_tensor(average.value), self.weights[place].constraint
        if constraint is not None:  # Keras averages the weights as they are before their constraint is applied
            averaged = constraint(averaged)
        return tf.where(tf.convert_to_tensor(iterations.value) > 0, averaged, value)

    def value(self, place: tuple[str, str], lowering: Lowering) -> Value:
        """A weight in a context: [R, …], or what the context gives in its place."""
        given = lowering.given.get((self.plan.name, *place))
        return given or Value(self.read(place, lowering.training is not None), (REPLICATE,))

    def places(self, term: t.Weight | t.AllWeights) -> list[tuple[str, str]]:
        """The weights that a term names: one, or all trainable ones (of a layer, if it names one)."""
        if isinstance(term, t.Weight):
            return [(term.layer, term.weight)]
        return [place for place in self.weights if place not in self.untrained and term.layer in (None, place[0])]

    def weight(self, term: t.Weight | t.AllWeights, lowering: Lowering) -> Value:
        """One weight [R, …], or several as one vector [R, P]."""
        values = [self.value(place, lowering) for place in self.places(term)]
        return values[0] if isinstance(term, t.Weight) else joined(values)

    # -- application -----------------------------------------------------------------------------------------------

    def of_index(self, lowering: Lowering, index: Value) -> Value:
        """The network on the one-hot vectors of an index."""
        kind = self.plan.input.type
        places = Value(lowering.cast(index.tensor, "int"), index.axes)
        return self(
            lowering, Value(tf.one_hot(places.tensor, kind.shape[0], dtype=self.real), index.axes), kind, places
        )

    def __call__(self, lowering: Lowering, given: Value, kind: Type, index: Value | None = None) -> Value:
        """The network on an input with any named axes; all but the replicates' are folded into the batch.

        `index` is there where the input is the one-hot vectors of it, and the first layer dense.
        """
        apart = self.spreads or any(
            name == self.plan.name and EXAMPLE in v.axes for (name, *_), v in lowering.given.items()
        )
        axes = union([given.axes, (EXAMPLE,) if apart else ()])
        axes = tuple(axis for axis in axes if axis != REPLICATE)
        real = Value(lowering.cast(given.tensor, "int" if self._takes_ints() else "real"), given.axes)
        tensor = lowering.whole(real, (REPLICATE, *axes), len(kind.shape))
        lengths = [lowering.length(axis) for axis in axes]
        batch = Batch(lowering, axes, lengths)
        if self.plan.each is not None:
            shared = replace(lowering, sizes={**lowering.sizes, EACH: self.plan.each})
            batch = Batch(shared, (*axes, EACH), [*lengths, self.plan.each])
        if index is not None:
            places = tf.reshape(lowering.whole(index, (REPLICATE, *axes), 0), [self.replicates, prod(lengths)])
            batch = Batch(lowering, axes, lengths, places)
        shape = kind.shape[len(batch.axes) - len(axes) :]
        x = self._rounded(tf.reshape(tensor, [self.replicates, prod(batch.lengths), *shape]))
        mode = self.modes.get(self.plan.name)
        before = x
        x = self._run(batch, self.plan.layers, x, mode_of(self.modes, self.plan.name).freezes_weights)
        if self.plan.squeeze:
            x = tf.squeeze(x, axis=-1)
        if mode is not None:
            x = with_backward_mode(mode, x, before)
        x = lowering.cast(x, "real")
        return Value(tf.reshape(x, [self.replicates, *lengths, *self.plan.output.shape]), (REPLICATE, *axes))

    def _rounded(self, x: Any) -> Any:
        """Real numbers as they go from layer to layer."""
        return tf.cast(x, self.between) if x.dtype.is_floating else x

    def _takes_ints(self) -> bool:
        return bool(self.plan.layers) and self.plan.layers[0].keras == "Embedding"

    def _run(self, batch: Batch, layers: Sequence[LayerPlan], x: Any, frozen: bool) -> Any:
        for unmapped, some in groupby(layers, self._unmapped):
            stretch = list(some)
            held = [self._held(batch, layer, frozen) for layer in stretch] if unmapped else []
            if any(held) and not any(EXAMPLE in weight.axes for own in held for weight in own.values()):
                x = self._one_by_one(stretch, [[w.tensor for w in own.values()] for own in held], x)
                continue
            for layer in stretch:
                x = self._layer(batch, layer, x, frozen)
        return x

    def _unmapped(self, layer: LayerPlan) -> bool:
        """Whether a layer is Keras' own call on one replicate after the other, if it has weights."""
        plain = layer.kind == "keras" and not layer.draws and f"{self.plan.name}.{layer.key}" not in self.modes
        return plain and layer.keras not in MAPPED | {"BatchNormalization"}

    def _one_by_one(self, layers: Sequence[LayerPlan], weights: Sequence[Sequence[Any]], x: Any) -> Any:
        """Layers in a row, on each replicate by itself: what is between them is not stacked."""
        # Not `x[r]`: the gradient of each such slice is as large as the whole.
        apart = [list(zip(*map(tf.unstack, own), strict=True)) for own in weights]
        found = []
        for replicate, y in enumerate(tf.unstack(x)):
            rows = iter(zip(layers, (*layers[1:], None), apart, strict=True))
            for layer, after, own in rows:
                if after is not None and self._pools_first(layer, after):
                    y = _convolved(self.layers[layer.key], *own[replicate], x=y, pool=self.layers[after.key])
                    next(rows)
                else:
                    y = self._called(layer, own[replicate] if own else (), y)
            found.append(y)
        return tf.stack(found)

    def _pools_first(self, layer: LayerPlan, after: LayerPlan) -> bool:
        """Whether a convolution's activation waits for the pooling: it never changes which value is largest."""
        pair = (layer.keras, after.keras) == ("Conv2D", "MaxPooling2D")
        return pair and self.between == self.real and layer.config.get("activation") in RISING

    def _layer(self, batch: Batch, layer: LayerPlan, x: Any, frozen: bool) -> Any:
        """A layer, along the backward pass that its mode makes."""
        if layer.kind == "repeat":
            for block in layer.blocks:
                y = self._run(batch, block, x, frozen)
                x = x + y if layer.skip else y
            return x
        target = f"{self.plan.name}.{layer.key}"
        y = self._apply(batch, layer, x, frozen or mode_of(self.modes, target).freezes_weights)
        mode = self.modes.get(target)
        return y if mode is None else with_backward_mode(mode, y, x)

    def _held(self, batch: Batch, layer: LayerPlan, frozen: bool) -> dict[str, Value]:
        """A layer's weights in a context."""
        weights = {name: self.value((key, name), batch.lowering) for (key, name) in self.weights if key == layer.key}
        if frozen:
            weights = {name: Value(tf.stop_gradient(weight.tensor), weight.axes) for name, weight in weights.items()}
        return weights

    def _apply(self, batch: Batch, layer: LayerPlan, x: Any, frozen: bool) -> Any:
        if layer.kind == "apply":
            return self._function(batch, layer, x)
        held = self._held(batch, layer, frozen)
        if any(EXAMPLE in weight.axes for weight in held.values()):
            return self._apart(batch, layer, x, held)
        if batch.index is not None and layer is self.plan.layers[0]:
            return self._rows(layer, batch.index, {name: weight.tensor for name, weight in held.items()})
        return self._with(batch, layer, x, {name: weight.tensor for name, weight in held.items()})

    def _apart(self, batch: Batch, layer: LayerPlan, x: Any, weights: Mapping[str, Value]) -> Any:
        """A layer whose weights differ from example to example: replicates and examples side by side."""
        shape = x.shape.as_list()
        lead = shape[0] * batch.examples
        own = {
            name: tf.reshape(
                batch.lowering.whole(weight, (REPLICATE, EXAMPLE), rank), [lead, *weight.tensor.shape[-rank:]]
            )
            if (rank := len(layer.weights[name]))
            else tf.reshape(batch.lowering.whole(weight, (REPLICATE, EXAMPLE), 0), [lead])
            for name, weight in weights.items()
        }
        y = self._with(batch, layer, tf.reshape(x, [lead, shape[1] // batch.examples, *shape[2:]]), own)
        return tf.reshape(y, [*shape[:2], *y.shape.as_list()[2:]])

    def _with(self, batch: Batch, layer: LayerPlan, x: Any, values: Mapping[str, Any]) -> Any:
        """A layer on [L, N, …] with weights [L, …]. What whitens, normalises batches or makes noise computes in real numbers."""
        training = batch.lowering.training
        if layer.kind == "whiten":
            x = tf.cast(x, self.real)
            if batch.lowering.watch is not None:
                batch.lowering.watch((self.plan.name, layer.key), x)
            lead = x.shape.as_list()
            return self._rounded(tf.reshape(tf.matmul(tf.reshape(x, [lead[0], -1, lead[-1]]), values["matrix"]), lead))
        if layer.keras == "BatchNormalization":
            return self._rounded(self._batch_normalization(batch, layer, tf.cast(x, self.real), values))
        if layer.draws:
            return x if training is None else self._rounded(self._noisy(batch, layer, tf.cast(x, self.real)))
        if not values:
            shape = x.shape.as_list()
            y = self._called(layer, (), tf.reshape(x, [shape[0] * shape[1], *shape[2:]]))
            return tf.reshape(y, [*shape[:2], *y.shape.as_list()[1:]])
        weights = list(values.values())
        if x.shape[0] == 1:
            # Not `[tf.newaxis]`: the gradient of that slice is as large as the whole.
            return tf.expand_dims(self._called(layer, [tf.squeeze(w, 0) for w in weights], tf.squeeze(x, 0)), 0)

        def one(pair: Any) -> Any:
            return self._called(layer, *pair)

        if layer.keras in MAPPED:
            return tf.vectorized_map(one, (weights, x), fallback_to_while_loop=False)
        if x.shape[0] == self.replicates:
            return self._one_by_one([layer], [weights], x)
        return tf.map_fn(one, (weights, x), fn_output_signature=self.between)

    def _called(self, layer: LayerPlan, weights: Sequence[Any], x: Any) -> Any:
        """Keras' layer with one replicate's weights, on one replicate's batch."""
        module = self.layers[layer.key]
        if not weights:
            return undefined_kept(module, x) if layer.keras in POOLING else module(x)
        if self.between == self.real and layer.keras == "Conv2D":
            return _convolved(module, *weights, x=x)
        if self.between == self.real:
            # Recurrent layers hold the seed of a dropout that the language does not have.
            unused = [tf.zeros(variable.shape, variable.dtype) for variable in module.non_trainable_variables]
            return module.stateless_call(list(weights), unused, x)[0]
        # `stateless_call` passes over what rounds weights under a mixed policy.
        with keras.StatelessScope(list(zip(module.trainable_variables, weights, strict=True))):
            return module(x)

    def _rows(self, layer: LayerPlan, index: Any, weights: Mapping[str, Any]) -> Any:
        """A dense layer on the one-hot vectors of an index [R, N]: rows of its kernel."""
        y = self._rounded(tf.gather(weights["kernel"], index, batch_dims=1))
        if "bias" in weights:
            y += self._rounded(weights["bias"])[:, tf.newaxis]
        return self.layers[layer.key].activation(y)

    def _function(self, batch: Batch, layer: LayerPlan, x: Any) -> Any:
        """A function of the language as a layer: its argument has the named axes again."""
        assert layer.body is not None
        lowering, axes = batch.lowering, (REPLICATE, *batch.axes)
        given = tf.reshape(lowering.cast(x, "real"), [x.shape[0], *batch.lengths, *layer.input.shape])
        value = lowering.bound({layer.parameter: Value(given, axes)})(layer.body)
        y = lowering.whole(Value(lowering.cast(value.tensor, "real"), value.axes), axes, len(layer.output.shape))
        return self._rounded(tf.reshape(y, [*x.shape.as_list()[:2], *layer.output.shape]))

    def _batch_normalization(self, batch: Batch, layer: LayerPlan, x: Any, weights: Mapping[str, Any]) -> Any:
        """gamma · (x - mean) / √(variance + epsilon) + beta, over each replicate's own batch in training.

        Elsewhere mean and variance are the moving averages, of which training keeps `momentum` at each application.
        """
        over = list(range(1, x.shape.rank - 1))

        def wide(weight: Any) -> Any:
            return tf.reshape(weight, [weight.shape[0], *[1] * len(over), weight.shape[-1]])

        training = batch.lowering.training
        if training is None:
            mean, variance = wide(weights["moving_mean"]), wide(weights["moving_variance"])
        else:
            mean = tf.reduce_mean(x, axis=over, keepdims=True)
            variance = tf.reduce_mean(tf.square(x - tf.stop_gradient(mean)), axis=over, keepdims=True)
            momentum = tf.constant(layer.config["momentum"], x.dtype)
            for name, seen in (("moving_mean", mean), ("moving_variance", variance)):
                place = (self.plan.name, layer.key, name)
                old = training.moving.get(place, weights[name])
                training.moving[place] = tf.stop_gradient(old * momentum + tf.reshape(seen, old.shape) * (1 - momentum))
        y = (x - mean) * tf.math.rsqrt(variance + tf.constant(layer.config["epsilon"], x.dtype))
        y = y * wide(weights["gamma"]) if "gamma" in weights else y
        return y + wide(weights["beta"]) if "beta" in weights else y

    def _noisy(self, batch: Batch, layer: LayerPlan, x: Any) -> Any:
        """Dropout and noise: a pure function of the seed tree, the layer, the example, and which application it is."""
        training = batch.lowering.training
        assert training is not None
        place = (self.plan.name, layer.key)
        turn = training.turns.get(place, 0)
        training.turns[place] = turn + 1
        keys = folded(training.noise(*place), turn)
        bits = words(keys, training.index[: batch.examples], prod(x.shape.as_list()[1:]) // batch.examples)
        bits = tf.reshape(bits, x.shape)
        if layer.keras == "Dropout":
            rate = layer.config["rate"]
            kept = unit(bits, tf.float64) >= tf.constant(rate, tf.float64)
            return tf.where(kept, x / tf.constant(1 - rate, x.dtype) if rate < 1 else x, tf.zeros([], x.dtype))
        zero, deviation = (tf.constant(value, x.dtype) for value in (0.0, layer.config["stddev"]))
        return x + SAMPLERS["normal"](bits, mean=zero, deviation=deviation, dtype=x.dtype)


def _convolved(module: Any, kernel: Any, bias: Any = None, *, x: Any, pool: Any = None) -> Any:
    """A two-dimensional convolution, pooled before its activation if `pool` is there.

    The bias is a plain sum: of Keras' own, TensorFlow computes the gradient together with the kernel's, which takes
    longer on a CPU than one after the other. Before a pooling it is added where oneDNN does so within the convolution, and its
    gradient is summed behind the pooling, where a quarter or less is left of what there is to sum.
    """
    y = module.convolution_op(x, kernel)
    if pool is None:
        return module.activation(y if bias is None else y + bias)
    if bias is None:
        return module.activation(undefined_kept(pool, y))
    return module.activation(_through(bias, undefined_kept(pool, y + tf.stop_gradient(bias))))


@tf.custom_gradient
def _through(bias: Any, pooled: Any) -> Any:
    """Values of a max-pooling that hold a bias already, with the bias' gradient: what reaches any value reaches it."""
    return tf.identity(pooled), lambda dy: (tf.reduce_sum(dy, axis=list(range(dy.shape.rank - 1))), dy)


def joined(values: Sequence[Value]) -> Value:
    """Several weights with the same leading axes as one vector."""
    axes = values[0].axes
    flat = [tf.reshape(value.tensor, [*value.tensor.shape[: len(axes)], -1]) for value in values]
    return Value(tf.concat(flat, axis=-1), axes)


def _each_replicate(constraint: Any) -> Any:
    def constrained(stacked: Any) -> Any:
        return tf.stack([constraint(weight) for weight in tf.unstack(tf.convert_to_tensor(stacked))])

    return constrained


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
