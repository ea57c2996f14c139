"""The tables name what there is: Keras' classes, their arguments and defaults, and one drawing a kind of figure."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest
from dlspec.interpreter.figures import DRAWERS
from dlspec.interpreter.lower.registry import LOWERINGS
from dlspec.spec.model.figures import FIGURES
from dlspec.spec.tables.distributions import DISTRIBUTIONS
from dlspec.spec.tables.initializers import INITIALIZERS
from dlspec.spec.tables.keras_parameters import ACTIVATIONS, CONSTRAINTS, Parameter
from dlspec.spec.tables.layers import LAYERS
from dlspec.spec.tables.operations import OPERATIONS
from dlspec.spec.tables.operations.table import Operation
from dlspec.spec.tables.optimizers import OPTIMIZERS

DEVIATIONS = {
    ("embedding", "embeddings_initializer"): 'Keras\' "uniform" is its RandomUniform(-0.05, 0.05), written out',
    ("average_pool1d", "pool_size"): "Keras has none; 2 is that of its maximum pooling",
    ("average_pool2d", "pool_size"): "Keras has none; 2 is that of its maximum pooling",
    ("dropout", "rate"): "Keras has none; 0.5 is Hinton et al.'s (2012)",
}
"""Defaults that are written otherwise than Keras', and why."""


def camel(name: str) -> str:
    """`max_norm` to `MaxNorm`."""
    return "".join(part.capitalize() for part in name.split("_"))


def argument(kind: Any, parameter: Parameter) -> inspect.Parameter | None:
    """A constructor's argument, its own or its base's."""
    for base in kind.__mro__:
        found = inspect.signature(base.__init__).parameters.get(parameter.name)
        if found is not None:
            return found
    return None


def same(ours: Any, theirs: Any) -> bool:
    """Whether two defaults mean the same: a pair of equal sizes is one size, an object of Keras its own name."""
    if isinstance(theirs, tuple) and not isinstance(ours, tuple):
        return set(theirs) == {ours}
    if isinstance(ours, str) and not isinstance(theirs, str):
        return False
    return bool(ours == theirs)


ROWS = [
    *(("layer", row, keras.layers) for row in LAYERS.values() if row.keras),
    *(("optimiser", row, keras.optimizers) for row in OPTIMIZERS.values()),
    *(("initialiser", row, keras.initializers) for row in INITIALIZERS.values()),
]


@pytest.mark.parametrize(("what", "row", "module"), ROWS, ids=[f"{what}-{row.name}" for what, row, _ in ROWS])
def test_rows_name_keras_classes_with_their_arguments_and_defaults(what: str, row: Any, module: Any) -> None:
    kind = getattr(module, row.keras)
    for parameter in row.parameters.values():
        given = argument(kind, parameter)
        assert given is not None, f"{row.keras} takes no '{parameter.name}'"
        if (row.name, parameter.name) in DEVIATIONS:
            continue
        if parameter.required:
            assert given.default is inspect.Parameter.empty or row.name == "constant", parameter.name
        else:
            assert same(parameter.default, given.default), (
                f"'{parameter.name}' is {parameter.default}, in Keras {given.default}"
            )


def test_required_arguments_of_keras_have_a_place_in_every_row() -> None:
    for _, row, module in ROWS:
        for name, given in inspect.signature(getattr(module, row.keras).__init__).parameters.items():
            if (
                given.default is inspect.Parameter.empty
                and given.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
                and name != "self"
            ):
                assert name in row.parameters, f"{row.keras} needs '{name}'"


def test_deviations_are_of_the_tables_and_mean_what_keras_means() -> None:
    rows = {row.name: row for _, row, _ in ROWS}
    assert all(name in rows[row].parameters for row, name in DEVIATIONS)
    for name, parameter in (("AveragePooling1D", "pool_size"), ("AveragePooling2D", "pool_size"), ("Dropout", "rate")):
        assert (
            inspect.signature(getattr(keras.layers, name).__init__).parameters[parameter].default
            is inspect.Parameter.empty
        )
    default = keras.layers.Embedding(2, 3).embeddings_initializer
    assert isinstance(default, keras.initializers.RandomUniform)
    assert (default.minval, default.maxval) == (-0.05, 0.05)
    assert LAYERS["embedding"].parameters["embeddings_initializer"].default == "uniform(-0.05, 0.05)"


def test_words_for_initialisers_are_rows() -> None:
    for row in LAYERS.values():
        for parameter in row.parameters.values():
            if parameter.kind == "initializer" and (row.name, parameter.name) not in DEVIATIONS:
                word = str(parameter.default).partition("(")[0]
                assert parameter.default in INITIALIZERS or word in DISTRIBUTIONS


def test_choices_are_taken_by_keras() -> None:
    for mode in INITIALIZERS["variance_scaling"].parameters["mode"].choices:
        for law in INITIALIZERS["variance_scaling"].parameters["distribution"].choices:
            assert keras.initializers.VarianceScaling(mode=mode, distribution=law, seed=1)((3, 2)).shape == (3, 2)
    for rank, name in ((1, "conv1d"), (2, "conv2d")):
        for padding in LAYERS[name].parameters["padding"].choices:
            layer = getattr(keras.layers, LAYERS[name].keras)(2, 3, padding=padding)
            assert layer(np.zeros((1, *[6] * rank, 1), np.float32)).shape[-1] == 2


def test_constraints_are_keras_own() -> None:
    for name, parameters in CONSTRAINTS.items():
        kind = getattr(keras.constraints, camel(name))
        for parameter in parameters.values():
            assert same(parameter.default, inspect.signature(kind.__init__).parameters[parameter.name].default)


FORMULAS: Mapping[str, Any] = {
    "linear": lambda x: x, "relu": lambda x: np.maximum(0, x), "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x < 0, 0.2 * x, x), "elu": lambda x: np.where(x < 0, np.exp(x) - 1, x),
    "softplus": lambda x: np.log(1 + np.exp(x)), "softsign": lambda x: x / (1 + np.abs(x)), "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)), "mish": lambda x: x * np.tanh(np.log(1 + np.exp(x))), "tanh": np.tanh,
    "exponential": np.exp, "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "log_softmax": lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True)),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_keras_own_and_mean_what_their_rows_say(name: str) -> None:
    x = np.linspace(-7, 7, 30).reshape(2, 15).astype("float32")
    found = np.asarray(keras.activations.get(name)(x))
    if name in FORMULAS:
        np.testing.assert_allclose(found, FORMULAS[name](x.astype(float)), rtol=1e-4, atol=1e-5)
    else:
        assert name in ("selu", "gelu", "hard_sigmoid")


def test_every_figure_has_a_drawing() -> None:
    assert FIGURES.keys() == DRAWERS.keys()


@pytest.mark.parametrize("row", OPERATIONS.values(), ids=lambda row: row.name)
def test_a_lowering_asks_for_constants_where_its_row_says_so(row: Operation) -> None:
    assert ("fixed" in inspect.signature(LOWERINGS[row.name]).parameters) == row.splits_ties
