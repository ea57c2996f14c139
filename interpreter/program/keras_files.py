"""A cell's final weights in Keras' own format: a model that Keras alone loads, wherever the network is made of its layers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from dlspec.spec.diagnostics.problems import InternalError
from dlspec.spec.ir.plan import LayerPlan
from dlspec.spec.tables.layers import LAYERS

from ..lower import Lowering
from ..networks.keras_objects import of_keras
from ..networks.layer_kernels import KERAS_FORMS
from ..networks.network import Network
from ..results.atomic_files import replaced
from .program import Compiled


def write(compiled: Compiled, replicate: int, folder: Path) -> None:
    """Writes every network of one replicate into a folder, whole or not at all, in place of what is there.

    `NETWORK.keras` is a model (`keras.saving.load_model`). A network with functions of the language among its layers, or
    with parts of its input beside, is no model of Keras alone: of such there is `NETWORK.weights.h5`, the weights of its layers in order.
    A free parameter is an array, `NAME.npy`; each copy of a network has a file of its own, `NETWORK[0].keras` and so on. The weights are
    those that measures see: moving averages where the optimiser keeps them.
    """
    context = compiled.measuring.at(compiled.step).context
    now = context.without_examples(compiled.seeds.draws, tf.constant(max(compiled.step - 1, 0)))
    with replaced(folder) as draft:
        for name, network in context.networks.items():
            if network.plan.free:
                _save_parameter(network, now, compiled.rows[replicate], draft / f"{name}.npy")
                continue
            for copy in range(network.plan.copies or 1):
                own = name if network.plan.copies is None else f"{name}[{copy}]"
                made = _Made(network, now, compiled.rows[replicate], copy)
                if network.plan.parts or any(layer.kind == "apply" for layer in network.plan.leaves()):
                    made.leaves().save_weights(draft / f"{own}.weights.h5")
                else:
                    made.model().save(draft / f"{own}.keras")


def _save_parameter(network: Network, now: Lowering, row: int, path: Path) -> None:
    """Writes a free parameter, an array that is no model."""
    (place,) = network.weights
    np.save(path, network.read(place, False, now)[row].numpy())


class _Made:
    """The layers of one replicate of a network, or of one of its copies, made anew with its weights; shared ones once."""

    def __init__(self, network: Network, now: Lowering, replicate: int, copy: int = 0) -> None:
        """`now` is a context of the draws after the present update."""
        self.network = network
        self.now = now
        self.place = (replicate,) if network.plan.copies is None else (replicate, copy)
        self.layers: dict[str, Any] = {}
        self.calls: dict[str, Callable[[Any, Any], Any]] = {}

    def model(self) -> Any:
        """The network as a model of one input."""
        plan = self.network.plan
        first = plan.layers[0] if plan.layers else None
        shape = first.input.shape if first is not None else plan.output.shape[len(plan.lead) :]
        x = keras.Input(shape, dtype="int32" if self.network.takes_ints else self.network.dtype.real)
        return keras.Model(x, self._run(plan.layers, x), name=plan.name)

    def leaves(self) -> Any:
        """The network's layers in order, as a model that only holds weights."""
        held = [self._layer(layer) for layer in self.network.plan.leaves() if layer.kind != "apply"]
        return _Leaves(held, name=self.network.plan.name)

    def _run(self, layers: Sequence[LayerPlan], x: Any) -> Any:
        for layer in layers:
            if layer.kind == "repeat":
                for block in layer.blocks:
                    y = self._run(block, x)
                    x = keras.layers.Add(dtype=self.network.dtype.keras)([x, y]) if layer.skip else y
            elif layer.kind == "residual":
                ends, dtype = [self._run(way, x) for way in layer.blocks], self.network.dtype.keras
                added = layer.config["join"] == "add"
                x = keras.layers.Add(dtype=dtype)(ends) if added else keras.layers.Concatenate(dtype=dtype)(ends[::-1])
            else:
                made = self._layer(layer)
                x = self.calls[layer.key](made, x)
        return x

    def _layer(self, plan: LayerPlan) -> Any:
        if plan.key not in self.layers:
            name, names = self._name(plan.key), dict[str, str]()
            build: Callable[[Any, tuple[int | None, ...]], None] = _built
            call: Callable[[Any, Any], Any] = _called
            if plan.key in self.network.layers:
                made = of_keras(plan.keras, {**plan.config, "name": name}, self.network.dtype.keras)
            else:
                form = KERAS_FORMS[plan.row](plan)
                dtype = self.network.dtype
                made = form.kind(**form.arguments, name=name, dtype=dtype.keras if form.rounds else dtype.real)
                names, build, call = dict(form.weights), form.build, form.call
            build(made, (None, *plan.input.shape))
            missing = set(plan.weights)
            for variable in made.weights:
                own = LAYERS[plan.row].weight_at(variable.path)
                if (place := names.get(own, own)) in missing:
                    missing.remove(place)
                    variable.assign(self.network.read((plan.key, place), False, self.now)[self.place])
            if missing:
                raise InternalError(f"the file has no place for {sorted(missing)} of '{plan.key}'")
            self.layers[plan.key], self.calls[plan.key] = made, call
        return self.layers[plan.key]

    def _name(self, key: str) -> str:
        """A name that Keras takes for a layer, and no other layer has: `block[0].hidden` and `block_0_hidden` are two."""
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", key).strip("_")
        taken = {made.name for made in self.layers.values()}
        return next(name for name in chain([plain], (f"{plain}_{n}" for n in count(2))) if name not in taken)


def _built(layer: Any, shape: tuple[int | None, ...]) -> None:
    layer.build(shape)


def _called(layer: Any, x: Any) -> Any:
    return layer(x)


class _Leaves(keras.Model):  # type: ignore[misc]
    """Layers side by side."""

    def __init__(self, arrays: Sequence[Any], name: str) -> None:
        super().__init__(name=name)
        self.held = list(arrays)
        self.built = True
