"""Constraints: replicates trained side by side keep to them as plain Keras keeps each replicate that it trains alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.tables.keras_parameters import CONSTRAINTS

REPLICATES, STEPS, BATCH = 3, 4, 8
LAYERS: list[tuple[str, str, dict[str, Any], dict[str, tuple[str, dict[str, Any]]]]] = [
    (
        "dense", "Dense", {"units": 4, "activation": "tanh"},
        {"kernel_constraint": ("max_norm", {"max_value": 0.7}), "bias_constraint": ("non_neg", {})},
    ),
    ("dense", "Dense", {"units": 5, "use_bias": False}, {"kernel_constraint": ("max_norm", {"max_value": 0.9})}),
    ("reshape", "Reshape", {"target_shape": [5, 1]}, {}),
    (
        "conv1d", "Conv1D", {"filters": 2, "kernel_size": 3},
        {"kernel_constraint": ("min_max_norm", {"min_value": 0.5, "max_value": 0.6, "rate": 0.75})},
    ),
    (
        "lstm", "LSTM", {"units": 3},
        {"kernel_constraint": ("non_neg", {}), "recurrent_constraint": ("unit_norm", {}), "bias_constraint": ("min_max_norm", {})},
    ),
    ("dense", "Dense", {"units": 2}, {"kernel_constraint": ("unit_norm", {})}),
]  # fmt: skip
"""Of each layer its name, Keras' class, its arguments, and its constraints with their arguments."""
BODY = """
dtype: float64
task:
  draw: {t: "normal([2])"}
  example: {x: "normal([3])"}
architecture: {f: {input: x, layers: [LAYERS]}}
loss: {square: "sum((f - t) ^ 2)"}
training: {optimizer: {sgd: {learning_rate: 0.25, momentum: 0.5}}, batch: 8, steps: 4, evaluate: {examples: 5}}
measures: {m: "E(sum(f))"}
replicates: 3
"""


def written(value: Any) -> str:
    """A value as the document writes it."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {written(item)}' for key, item in value.items())}}}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def study() -> str:
    """The study with all layers in a row."""
    layers = []
    for name, _, arguments, constraints in LAYERS:
        layers.append(written({name: arguments | {key: {kind: more} for key, (kind, more) in constraints.items()}}))
    return BODY.replace("LAYERS", ", ".join(layers))


def model(constrained: bool) -> Any:
    """The same network in plain Keras."""
    layers = []
    for _, keras_class, arguments, constraints in LAYERS:
        more = {}
        for key, (kind, given) in constraints.items() if constrained else ():
            more[key] = getattr(keras.constraints, "".join(part.capitalize() for part in kind.split("_")))(**given)
        layers.append(getattr(keras.layers, keras_class)(**arguments, **more, dtype="float64"))
    network = keras.Sequential(layers)
    network.build((None, 3))
    return network


def trained_alone(start: list[Any], x: Any, target: Any, constrained: bool = True) -> list[Any]:
    """The weights after plain Keras has trained the network on the batches x [STEPS, B, 3]."""
    network = model(constrained)
    network.set_weights(start)
    network.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.25, momentum=0.5),
        loss=lambda y, f: keras.ops.sum((f - y) ** 2, axis=-1),
        run_eagerly=True,
    )
    for batch in x:
        network.train_on_batch(batch, np.broadcast_to(target, (BATCH, 2)))
    return list(network.get_weights())


def test_every_constraint_of_the_table_is_tried() -> None:
    assert {kind for *_, constraints in LAYERS for kind, _ in constraints.values()} == CONSTRAINTS.keys()


@pytest.fixture
def keras_in_float64() -> Iterator[None]:
    """Plain Keras casts inputs and losses to its float type, which is float32 unless told."""
    before, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(before)
    keras.config.set_dtype_policy(policy)  # Keras makes it of the float type when it is first asked for, and keeps it


@pytest.mark.usefixtures("keras_in_float64")
def test_stacked_replicates_keep_to_constraints_as_each_does_alone(compiled: Callable[..., Compiled]) -> None:
    """In both forms, which begin with the same weights, targets and examples."""
    graph, xla = (compiled(study(), REPLICATES, form) for form in (False, True))
    count = STEPS * BATCH
    lowering = graph.context.lowering(
        graph.seeds.keys["train"], tf.range(count, dtype=tf.int64), count, graph.seeds.draws
    )
    x = np.asarray(lowering(graph.context.bindings["x"]).tensor.numpy()).reshape(REPLICATES, STEPS, BATCH, 3)
    targets = graph.seeds.draws["t"].numpy()
    weights = graph.networks["f"].weights
    starts = [[variable.numpy()[place] for variable in weights.values()] for place in range(REPLICATES)]
    expected = [trained_alone(starts[place], x[place], targets[place]) for place in range(REPLICATES)]
    for form, stacked in (("graph", graph), ("xla", xla)):
        held = stacked.networks["f"].weights
        for place, start in enumerate(starts):
            for variable, value in zip(held.values(), start, strict=True):
                np.testing.assert_array_equal(variable.numpy()[place], value)
        stacked.train(STEPS)
        for place, values in enumerate(expected):
            for (layer, name), value in zip(held, values, strict=True):
                found = held[layer, name].numpy()[place]
                where = f"{layer}.{name} of replicate {place}, {form}"
                np.testing.assert_allclose(found, value, rtol=1e-8, atol=1e-11, err_msg=where)
    free = trained_alone(starts[0], x[0], targets[0], constrained=False)
    for value, unconstrained in zip(expected[0], free, strict=True):
        assert not np.allclose(value, unconstrained, rtol=1e-3)
