"""Networks: Keras layers applied to stacked replicates, their weights plain variables with a leading replicate axis."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from math import prod
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import CELL, EXAMPLE, REPLICATE, union
from dlspec.spec.ir.plan import LayerPlan, Mode, NetworkPlan
from dlspec.spec.ir.types import Type
from dlspec.spec.tables.dtypes import Dtype
from dlspec.spec.tables.gradient_modes import mode_of
from dlspec.spec.tables.layers import LAYERS, row_of

from ..lower import Application, Lowering, Value
from ..lower.backward_modes import with_backward_mode
from .activations import keep_undefined
from .blocks_in_a_loop import one_after_another
from .copies import COPIES, as_rows, shared_by
from .folded_batch import EACH, Batch, unpacked
from .initial_weights import Array, Starts, Values
from .keras_objects import of_each_replicate, of_keras
from .layer_kernels import BATCHED, KERNELS, ROW_LOOKUPS, SHARED_INPUTS, LayerCall, Tensors, fusion_of, one_replicate
from .weight_values import joined, kept_by


def input_of(network: str) -> str:
    """Under which name a context holds a network's own input."""
    return f"input of {network}"


class Network:
    """One network of a program: its layers, and its weights for all replicates side by side."""

    def __init__(
        self, plan: NetworkPlan, replicates: int, dtype: Dtype, modes: Mapping[str, Mode], xla: bool = False, stored: str = ""
    ) -> None:  # fmt: skip
        self.plan = plan
        self.xla, self.stored = xla, stored
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
        self.kept_by = {(layer.key, name): one for layer in plan.leaves() for name, one in layer.kept_by.items()}
        """The functions that keep weights within bounds."""
        self.looked_into: frozenset[str] = frozenset()
        """The layers whose outputs are asked for."""
        self.spreads = any(layer.kind == "apply" for layer in plan.leaves())
        for layer in plan.leaves():
            row = row_of(layer)
            if row is not None and row.keras:
                self._build(layer)
            for name, shape in layer.shapes.items():
                self._variable(layer, name, shape)

    def _build(self, plan: LayerPlan) -> None:
        layer = of_keras(plan.keras, plan.config, self.dtype.keras)
        layer.build((None, *plan.input.shape))
        keep_undefined(layer, self.xla)
        self.layers[plan.key] = layer

    def _variable(self, plan: LayerPlan, name: str, shape: Sequence[int]) -> None:
        label = re.sub(r"[\[\].]", "_", f"{self.plan.name}_{plan.key}_{name}")
        start, trainable = np.zeros((self.replicates, *shape), self.dtype.real), name not in plan.untrained
        variable = keras.Variable(start, trainable=trainable, dtype=self.dtype.real, name=label)
        self.weights[plan.key, name] = variable
        if not trainable:
            self.untrained.add((plan.key, name))
        row = row_of(plan)
        constraint = plan.constraints.get(f"{row.argument_of(name)}_constraint") if row is not None else None
        if constraint is not None:
            variable.constraint = of_each_replicate(constraint, plan.copies)

    def begin(
        self,
        plans: Sequence[NetworkPlan],
        seed_paths: Sequence[Sequence[str | int]],
        values: Sequence[Values],
        only: str | None = None,
    ) -> list[Any]:
        """Starts the weights anew: each replicate's from its own place in the seed tree, as the plans of the cells say.

        `values` gives what is made of constants and draws, in each cell; `only` is the one layer to start. Returns the weights.
        Those that training changes keep to their constraints by functions from there on.
        """
        begun, changed, real = [], self.changed(), self.dtype.real
        for layers in zip(*(plan.leaves() for plan in plans), strict=True):
            key, row = layers[0].key, row_of(layers[0])
            if only not in (None, key):
                continue
            own = getattr(self.layers.get(key), "weights", ())
            by_keras = {row.weight_at(variable.path): variable for variable in own} if row is not None else {}
            for name in layers[0].weights:
                rows, stored = list[Array](), "" if (key, name) in self.untrained else self.stored
                for layer, of_cell in zip(layers, values, strict=True):
                    bounds = layer.kept_by.get(name) if (key, name) in changed else None
                    one = Starts(layer, name, self.plan.name, real, by_keras.get(name), bounds, stored)
                    same = rows and layer is layers[0] and not one.of_term
                    rows.append(rows[0] if same else one.stacked(seed_paths, of_cell))
                self.weights[key, name].assign(np.concatenate(rows) if len(rows) > 1 else rows[0])
                begun.append(self.weights[key, name])
        return begun

    def changed(self) -> list[tuple[str, str]]:
        """The places of those: what a term of the loss reaches and no mode freezes."""
        return [
            place for place in self.weights
            if place not in self.untrained and (self.trained is None or place in self.trained)
        ]  # fmt: skip

    def read(self, place: tuple[str, str], in_loss: bool, lowering: Lowering) -> Any:
        """A weight [R, …] after a context's update; outside the loss its moving average, where the optimiser keeps one."""
        value = tf.convert_to_tensor(self.weights[place].value)
        if in_loss or place not in self.averages:
            return value
        average, iterations = self.averages[place]
        averaged, constraint = tf.convert_to_tensor(average.value), self.weights[place].constraint
        if constraint is not None:  # Keras averages the weights as they are before their constraint is applied
            averaged = constraint(averaged)
        if place in self.kept_by:
            averaged = kept_by(self.kept_by[place], averaged, lowering, self.plan.copies)
        return tf.where(tf.convert_to_tensor(iterations.value) > 0, averaged, value)

    def value(self, place: tuple[str, str], lowering: Lowering) -> Value:
        """A weight in a context: [R, …], or what the context gives in its place."""
        given = lowering.given.get((self.plan.name, *place))
        in_loss = lowering.training is not None and lowering.training.in_loss
        return given or Value(self.read(place, in_loss, lowering), (REPLICATE,))

    def places(self, term: t.Weight | t.AllWeights) -> list[tuple[str, str]]:
        """The weights that a term names: one, or all trainable ones (of a layer, if it names one)."""
        if isinstance(term, t.Weight):
            return [(term.layer, term.weight)]
        return [place for place in self.weights if place not in self.untrained and term.layer in (None, place[0])]

    def weight(self, term: t.Weight | t.AllWeights, lowering: Lowering) -> Value:
        """One weight [R, …], or several as one vector [R, P]."""
        values = [self.value(place, lowering) for place in self.places(term)]
        value = values[0] if isinstance(term, t.Weight) else joined(values)
        return lowering.of_rows(value.tensor, value.axes[1:])

    # -- application -----------------------------------------------------------------------------------------------

    def of_index(
        self, lowering: Lowering, index: Value, outputs: dict[str, Value] | None = None, application: Application | None = None
    ) -> Value:  # fmt: skip
        """The network on the one-hot vectors of an index; `outputs` as of a call."""
        kind = self.plan.input.type
        places = Value(lowering.cast(index.tensor, "int"), index.axes)
        one_hot = Value(tf.one_hot(places.tensor, kind.shape[0], dtype=self.real), index.axes)
        return self(lowering, one_hot, kind, places, outputs, application)

    def __call__(
        self,
        lowering: Lowering,
        given: Value,
        kind: Type,
        index: Value | None = None,
        outputs: dict[str, Value] | None = None,
        application: Application | None = None,
    ) -> Value:
        """The network on an input with any named axes; all but the replicates' are folded into the batch.

        `index` is there where the input is the one-hot vectors of it, and the first layer looks up rows. `outputs` takes those of
        the layers that are looked into.
        """
        apart = self.spreads or any(
            name == self.plan.name and EXAMPLE in v.axes for (name, *_), v in lowering.given.items()
        )
        application = application or Application()
        standing = application.standing.values()
        axes = union([given.axes, *(value.axes for value in standing), (EXAMPLE,) if apart else ()])
        axes = tuple(axis for axis in axes if axis not in lowering.rows)
        real = Value(lowering.cast(given.tensor, "int" if self.takes_ints else "real"), given.axes)
        shared_input = index is None and not standing and self._shares_input(lowering, given)
        event = len(kind.shape)
        tensor = (
            lowering.broadcast_to_axes(real, (REPLICATE, *axes), event)
            if shared_input
            else lowering.to_rows(real, axes, event)
        )
        lengths = [lowering.length(axis) for axis in axes]
        noted: dict[str, Any] = {}
        tensor, copies = shared_by(tensor, self.plan.copies), self.plan.copies
        batch = Batch(lowering, axes, lengths, outputs=noted, application=application, copies=copies)
        if self.plan.each is not None:
            shared = replace(lowering, sizes={**lowering.sizes, EACH: self.plan.each})
            batch = replace(batch, lowering=shared, axes=(*axes, EACH), lengths=[*lengths, self.plan.each])
        if self.plan.parts:
            tensor, parts = unpacked(self.plan, tensor, prod(lengths))
            batch, kind = replace(batch, parts=parts), self.plan.given
        if index is not None:
            places = tf.reshape(lowering.to_rows(index, axes, 0), [self.replicates, prod(lengths)])
            batch = replace(batch, index=shared_by(places, copies))
        x = self._rounded(tf.reshape(tensor, [-1, prod(batch.lengths), *kind.shape[len(batch.axes) - len(axes) :]]))
        mode = self.modes.get(self.plan.name)
        row, before, layers = mode_of(self.modes, self.plan.name), x, self.plan.layers
        frozen = row.freezes_weights
        if shared_input:
            call = self._call(batch, layers[0])
            weights = self._weights(batch, layers[0], frozen)
            own = {name: weight.tensor for name, weight in weights.items()}
            x = SHARED_INPUTS[layers[0].row](call, x, own)
            self._note(batch, layers[0], x)
            layers = layers[1:]
        x = self._run(batch, layers, x, frozen)
        x = tf.squeeze(x, axis=-1) if self.plan.squeeze else x
        if mode is not None:
            x = with_backward_mode(mode, x, lowering, before)
        for key, y in noted.items():
            y = with_backward_mode(mode, y, lowering) if mode is not None and row.within.route == "nowhere" else y
            if outputs is not None:
                outputs[key] = lowering.of_rows(batch.unfolded(lowering.cast(y, "real"), y.shape[2:]), axes)
        shape = self.plan.output.shape[len(self.plan.lead) :]
        return lowering.of_rows(batch.unfolded(lowering.cast(x, "real"), shape), axes)

    def _shares_input(self, lowering: Lowering, given: Value) -> bool:
        """Whether cells side by side have the same input, and the first layer can do with it as it is."""
        if CELL not in lowering.sizes or CELL in given.axes or not self.plan.layers or self.real != self.between:
            return False
        if self.plan.parts or self.plan.copies is not None:
            return False
        first = self.plan.layers[0]
        modes = self.plan.name in self.modes or f"{self.plan.name}.{first.key}" in self.modes
        return first.row in SHARED_INPUTS and not modes and not lowering.given

    def _rounded(self, x: Any) -> Any:
        """Real numbers as they go from layer to layer."""
        return tf.cast(x, self.between) if x.dtype.is_floating else x

    @property
    def takes_ints(self) -> bool:
        """Whether its first layer is one of ints."""
        row = row_of(self.plan.layers[0]) if self.plan.layers else None
        return row is not None and row.ints_below is not None

    def _run(self, batch: Batch, layers: Sequence[LayerPlan], x: Any, frozen: bool) -> Any:
        for unrolled, some in groupby(layers, self._unrolled):
            stretch = list(some)
            weights = [self._weights(batch, layer, frozen) for layer in stretch] if unrolled else []
            if any(weights) and not any(EXAMPLE in weight.axes for own in weights for weight in own.values()):
                tensors = [{name: weight.tensor for name, weight in own.items()} for own in weights]
                x = self._one_by_one([self._call(batch, layer) for layer in stretch], tensors, x)
                continue
            for layer in stretch:
                x = self._layer(batch, layer, x, frozen)
        return x

    def _unrolled(self, layer: LayerPlan) -> bool:
        """Whether a layer is computed on one replicate after the other, if it has weights."""
        row = row_of(layer)
        apart = layer.key in self.looked_into or f"{self.plan.name}.{layer.key}" in self.modes
        return row is not None and row.stacking == "unrolled" and not apart

    def _one_by_one(self, calls: Sequence[LayerCall], weights: Sequence[Tensors], x: Any) -> Any:
        """Layers in a row, on each replicate by itself: what is between them is not stacked."""
        # Not `x[r]`: the gradient of each such slice is as large as the whole.
        apart = [list(zip(*map(tf.unstack, own.values()), strict=True)) for own in weights]
        outputs = []
        for replicate, y in enumerate(tf.unstack(x)):
            rows = iter(zip(calls, (*calls[1:], None), weights, apart, strict=True))
            for call, after, names, values in rows:
                own = dict(zip(names, values[replicate], strict=True)) if values else {}
                fusion = fusion_of(call, after)
                if fusion is not None and after is not None:
                    y = fusion.kernel(call, after, y, own)
                    next(rows)
                else:
                    y = one_replicate(call, y, own)
            outputs.append(y)
        return tf.stack(outputs)

    def _layer(self, batch: Batch, layer: LayerPlan, x: Any, frozen: bool) -> Any:
        """A layer, along the backward pass that its mode makes."""
        if layer.kind == "repeat":
            return one_after_another(self, batch, layer, x, partial(self._run, frozen=frozen))
        if layer.kind == "residual":
            ends = [self._run(batch, way, x, frozen) for way in layer.blocks]
            return tf.add(*ends) if layer.config["join"] == "add" else tf.concat(ends[::-1], axis=-1)
        target = f"{self.plan.name}.{layer.key}"
        y = self._apply(batch, layer, x, frozen or mode_of(self.modes, target).freezes_weights)
        mode = self.modes.get(target)
        y = y if mode is None else with_backward_mode(mode, y, batch.lowering, x)
        if layer.key in batch.application.standing:
            y = self._rounded(batch.folded(batch.application.standing[layer.key], layer.output.shape))
        self._note(batch, layer, y)
        return y

    def _note(self, batch: Batch, layer: LayerPlan, y: Any) -> None:
        """Keeps a layer's output where it is asked for."""
        if layer.key in self.looked_into and batch.outputs is not None:
            batch.outputs[layer.key] = y

    def _weights(self, batch: Batch, layer: LayerPlan, frozen: bool) -> dict[str, Value]:
        """A layer's weights in a context, those of each copy in a row of its own."""
        own = {name: self.value((key, name), batch.lowering) for (key, name) in self.weights if key == layer.key}
        weights = {n: Value(as_rows(v.tensor, batch.copies, len(v.axes)), v.axes) for n, v in own.items()}
        if frozen:
            weights = {name: Value(tf.stop_gradient(weight.tensor), weight.axes) for name, weight in weights.items()}
        return weights

    def _apply(self, batch: Batch, layer: LayerPlan, x: Any, frozen: bool) -> Any:
        if layer.kind == "apply":
            return self._function(batch, layer, x)
        weights = self._weights(batch, layer, frozen)
        if any(EXAMPLE in weight.axes for weight in weights.values()):
            return self._apart(batch, layer, x, weights)
        tensors = {name: weight.tensor for name, weight in weights.items()}
        if batch.index is not None and layer is self.plan.layers[0]:
            return ROW_LOOKUPS[layer.row](self._call(batch, layer), batch.index, tensors)
        return self._stacked(self._call(batch, layer), x, tensors)

    def _call(self, batch: Batch, layer: LayerPlan) -> LayerCall:
        """An application of a layer, as its kernel sees it."""
        lowering = batch.lowering
        timed = {name: lowering.outermost()(x).tensor for name, x in layer.config.items() if isinstance(x, t.Term)}
        return LayerCall(
            replace(layer, config={**layer.config, **timed}) if timed else layer, self.plan.name, self.layers.get(layer.key), self.real, self.between, batch.examples,
            lowering.training, lowering.watch, {name: batch.parts[name] for name in layer.parts},
            batch.application,
        )  # fmt: skip

    def _apart(self, batch: Batch, layer: LayerPlan, x: Any, weights: Mapping[str, Value]) -> Any:
        """A layer whose weights differ from example to example: replicates and examples side by side."""
        shape = x.shape.as_list()
        lead = shape[0] * batch.examples
        own = {}
        for name, weight in weights.items():
            tensor = weight.tensor
            if EXAMPLE not in weight.axes:
                tensor = tf.repeat(tensor, batch.examples, axis=0)
            own[name] = tf.reshape(tensor, [lead, *layer.weights[name]])
        x = tf.reshape(x, [lead, shape[1] // batch.examples, *shape[2:]])
        call = self._call(batch, layer)
        parts = {name: tf.reshape(part, [lead, x.shape[1], *part.shape[2:]]) for name, part in call.parts.items()}
        y = self._stacked(replace(call, parts=parts), x, own)
        return tf.reshape(y, [*shape[:2], *y.shape.as_list()[2:]])

    def _stacked(self, call: LayerCall, x: Any, weights: Tensors) -> Any:
        """A layer on [L, N, …] with weights [L, …], in the way that its row says."""
        row, shape = LAYERS[call.plan.row], x.shape.as_list()
        if row.draws and call.training is None:
            return x
        if row.stacking == "stacked":
            return self._rounded(KERNELS[row.name](call, tf.cast(x, self.real), weights))
        if not weights:
            y = one_replicate(call, tf.reshape(x, [shape[0] * shape[1], *shape[2:]]), {})
            return tf.reshape(y, [*shape[:2], *y.shape.as_list()[1:]])
        if shape[0] == 1:
            # Not `[tf.newaxis]`: the gradient of that slice is as large as the whole.
            own = {name: tf.squeeze(weight, 0) for name, weight in weights.items()}
            return tf.expand_dims(one_replicate(call, tf.squeeze(x, 0), own), 0)

        def one(pair: Any) -> Any:
            return one_replicate(call, pair[1], dict(zip(weights, pair[0], strict=True)))

        stacked = (list(weights.values()), x)
        if row.name in BATCHED and self.real == self.between:
            return BATCHED[row.name](call, x, weights)
        if row.stacking == "vectorized":
            return tf.vectorized_map(one, stacked, fallback_to_while_loop=False)
        if shape[0] == self.replicates * (call.plan.copies or 1):
            return self._one_by_one([call], [weights], x)
        return tf.map_fn(one, stacked, fn_output_signature=self.between)

    def _function(self, batch: Batch, layer: LayerPlan, x: Any) -> Any:
        """A function of the language as a layer: its argument has the named axes again."""
        assert layer.body is not None
        lowering, axes = batch.lowering, batch.axes
        given = batch.unfolded(lowering.cast(x, "real"), layer.input.shape, inside=True)
        if batch.copies is not None:
            lowering, axes = replace(lowering, sizes={**lowering.sizes, COPIES: batch.copies}), (*axes, COPIES)
        meanings = {layer.parameter: batch.application.below(self.plan.name, layer.key)}
        value = lowering.bound({layer.parameter: lowering.of_rows(given, axes)}, meanings)(layer.body)
        value = Value(lowering.cast(value.tensor, "real"), value.axes)
        y = as_rows(lowering.to_rows(value, axes, len(layer.output.shape)), batch.copies, len(axes))
        return self._rounded(tf.reshape(y, [*x.shape.as_list()[:2], *layer.output.shape]))
