"""Bounds of arguments, over all tables: just inside Keras takes it and computes, just outside dlspec names the bound."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.tables.bounds import Bounds
from dlspec.spec.tables.distributions import DISTRIBUTIONS
from dlspec.spec.tables.gradient_modes import GRADIENT_MODES
from dlspec.spec.tables.initializers import INITIALIZERS
from dlspec.spec.tables.keras_parameters import CONSTRAINTS, REQUIRED, Parameter
from dlspec.spec.tables.layers import LAYERS
from dlspec.spec.tables.optimizers import EXCLUSIVE, OPTIMIZERS

STEP = 1e-3
NEEDED: dict[str, Any] = {
    "target_shape": [12], "activation": "relu", "input_dim": 5, "layer": {"simple_rnn": 2},
}  # fmt: skip
NUMBERS = ("real", "schedule", "size", "sizes")
Case = tuple[str, str, str, Bounds, str]


def shape_for(layer: str) -> list[int]:
    """An input that a layer takes."""
    if layer in ("dense", "repeat_vector"):
        return [4]
    if layer == "group_normalization":
        return [6, 32]
    return [6, 6, 2] if "2d" in layer else [6, 2]


def parameters() -> Iterator[tuple[str, str, Mapping[str, Parameter]]]:
    for layer in LAYERS.values():
        yield "layer", layer.name, layer.parameters
    for optimizer in OPTIMIZERS.values():
        yield "optimiser", optimizer.name, optimizer.parameters
    for start in INITIALIZERS.values():
        yield "initialiser", start.name, start.parameters
    for name, rows in CONSTRAINTS.items():
        yield "constraint", name, rows


def cases() -> list[Case]:
    """Every number of every row."""
    found: list[Case] = []
    for table, row, own in parameters():
        found += [(table, row, p.name, p.within, p.kind) for p in own.values() if p.kind in NUMBERS]
    for draw in DISTRIBUTIONS.values():
        found += [("distribution", draw.name, p.name, p.bounds, p.kind) for p in draw.parameters]
    found += [
        ("mode", mode.name, mode.name, mode.bounds, "real") for mode in GRADIENT_MODES.values() if mode.takes_constant
    ]
    return found


CASES = cases()
IDS = ["-".join(case[:3]) for case in CASES]


def inside(bounds: Bounds, kind: str) -> list[float]:
    """The numbers at the ends that are within."""
    step: float = 1 if kind in ("size", "sizes") else STEP
    low = [] if bounds.least is None else [bounds.least + step if bounds.above else bounds.least]
    high = [] if bounds.most is None else [bounds.most - step if bounds.below else bounds.most]
    return [*low, *high] or [-2.0, 2.0]


def outside(bounds: Bounds, kind: str) -> list[float]:
    """The numbers right beyond the ends."""
    step: float = 1 if kind in ("size", "sizes") else STEP
    low = [] if bounds.least is None else [bounds.least if bounds.above else bounds.least - step]
    high = [] if bounds.most is None else [bounds.most if bounds.below else bounds.most + step]
    return [*low, *high]


def needed(own: Mapping[str, Parameter]) -> dict[str, Any]:
    return {p.name: NEEDED.get(p.name, 0.5 if p.kind == "real" else 2) for p in own.values() if p.default is REQUIRED}


def written(table: str, row: str, name: str, value: Any) -> dict[str, Any]:
    """An experiment in which an argument has a value."""
    made: dict[str, Any] = {
        "task": {"example": {"x": "normal([4])"}},
        "architecture": {"f": {"input": "x", "layers": [{"dense": {"units": 4}}, {"dense": 1}]}},
        "loss": {"l": "f^2"}, "measures": {"m": "f"},
        "training": {"optimizer": {"sgd": {}}, "batch": 2, "steps": 2},
    }  # fmt: skip
    dense = made["architecture"]["f"]["layers"][0]["dense"]
    if table == "layer":
        words = max(1, value) if name == "input_dim" else NEEDED["input_dim"]
        draw = f"integer({words}, " if row == "embedding" else "normal("
        made["task"]["example"]["x"] = f"{draw}{shape_for(row)})"
        layer = {row: {**needed(LAYERS[row].parameters), name: value}}
        made["architecture"]["f"]["layers"] = [layer, "flatten", {"dense": 1}]
    elif table == "optimiser":
        made["training"]["optimizer"] = {row: {name: value}}
    elif table == "initialiser":
        dense["kernel_initializer"] = {row: {name: value}}
    elif table == "constraint":
        dense["kernel_constraint"] = {row: {name: value, **({"max_value": 1e9} if name == "min_value" else {})}}
    elif table == "mode":
        made["gradient"] = {"f.dense_1": {row: value}}  # of one shape at both ends
    else:
        own = {p.name: p for p in DISTRIBUTIONS[row].parameters}
        other: dict[str, Any] = {p: 1 for p, parameter in own.items() if parameter.kind == "size"}
        other |= {**({"low": -9, "high": 9} if row == "uniform" else {}), name: value}
        other = {p.name: 1 for p in own.values() if p.kind == "real" and p.default is None} | other
        if any(p.kind in ("vector", "matrix") for p in own.values()):
            other = {p.name: [1, 1] if p.kind == "vector" else [[1, 0], [0, 1]] for p in own.values()}
            other[name] = [value, 1] if own[name].kind == "vector" else [[abs(value) + 1, 0], [0, abs(value) + 1]]
        made["task"]["example"]["z"] = f"{row}({', '.join(f'{key}={number}' for key, number in other.items())})"
    return made


def check(experiment: dict[str, Any]) -> spec.Program:
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": experiment}}, indent=1)
    (program,) = spec.resolve(spec.parse(Source("t.yaml", text))).experiments[0].programs
    return program


def whole(value: float, kind: str) -> Any:
    return int(value) if kind in ("size", "sizes") else float(value)


@pytest.mark.parametrize(("table", "row", "name", "bounds", "kind"), CASES, ids=IDS)
def test_just_inside_is_taken(table: str, row: str, name: str, bounds: Bounds, kind: str) -> None:
    for value in inside(bounds, kind):
        check(written(table, row, name, whole(value, kind)))
        keras_takes(table, row, name, whole(value, kind))


@pytest.mark.parametrize(("table", "row", "name", "bounds", "kind"), CASES, ids=IDS)
def test_just_outside_is_refused_by_the_name_of_the_bound(
    table: str, row: str, name: str, bounds: Bounds, kind: str
) -> None:
    for value in outside(bounds, kind):
        with pytest.raises(StudyError) as caught:
            check(written(table, row, name, whole(value, kind)))
        (problem,) = caught.value.problems
        said = "array of sizes" if kind == "sizes" else str(bounds)
        assert name in problem.message and said in problem.message, problem.message
        assert problem.span is not None and problem.span.line > 1


@pytest.mark.parametrize(
    ("table", "row", "name"), [case[:3] for case in CASES if case[4] in ("real", "schedule") and case[3].most is None]
)
def test_what_no_float32_holds_is_refused_and_a_float64_holds_it(table: str, row: str, name: str) -> None:
    made = written(table, row, name, 1e39)
    with pytest.raises(StudyError, match="too large for a float32"):
        check(made)
    if row != "min_max_norm" and (row, name) != ("uniform", "low"):
        check({**made, "dtype": "float64"})


# -- what Keras takes --------------------------------------------------------------------------------------------------


def keras_takes(table: str, row: str, name: str, value: Any) -> None:
    """Constructs it, and computes with it: all is finite."""
    if table == "layer":
        own = LAYERS[row]
        if not own.keras:
            return
        given = {p.name: p.default for p in own.parameters.values() if p.kind in NUMBERS and p.default is not None}
        given = {**given, **needed(own.parameters), name: value}
        layer = getattr(keras.layers, own.keras)(**given)
        x = np.ones((2, *shape_for(row)), "int32" if row == "embedding" else "float32")
        x = np.minimum(x, given.get("input_dim", 5) - 1)
        found = layer(x, training=True)
    elif table == "optimiser":
        optimizer = getattr(keras.optimizers, OPTIMIZERS[row].keras)(**{name: value})
        variable = keras.Variable(np.ones((2, 3), "float32"))
        for _ in range(2):
            optimizer.apply([np.full((2, 3), 0.5, "float32")], [variable])
        found = variable.value
    elif table == "initialiser":
        found = getattr(keras.initializers, INITIALIZERS[row].keras)(**{name: value})((3, 4))
    elif table == "constraint":
        camel = "".join(part.capitalize() for part in row.split("_"))
        found = getattr(keras.constraints, camel)(**{name: value})(np.ones((3, 4), "float32"))
    else:
        return
    assert np.isfinite(np.asarray(found)).all()


# -- what several arguments come to ------------------------------------------------------------------------------------


def layer(row: str, **given: Any) -> dict[str, Any]:
    made = written("layer", row, *next(iter(given.items())))
    made["architecture"]["f"]["layers"][0][row].update(given)
    return made


TOGETHER: dict[str, tuple[dict[str, Any], str]] = {
    "strides and dilation": (layer("conv1d", strides=2, dilation_rate=2), "not both"),
    "strides and dilation of one axis each": (layer("conv2d", strides=[2, 1], dilation_rate=[1, 2]), "not both"),
    "identity of a vector": (layer("dense", units=4, bias_initializer="identity"), "'identity' makes weights of 2 axes"),
    "identity of a convolution": (layer("conv1d", filters=2, kernel_initializer={"identity": {"gain": 2}}), "2 axes"),
    "orthogonal of a vector": (layer("dense", units=4, bias_initializer="orthogonal"), "2 axes or more"),
    "norms": (layer("dense", units=4, kernel_constraint={"min_max_norm": {"min_value": 2, "max_value": 1}}), "above 'max_value'"),
    "uniform weights": (layer("dense", units=4, kernel_initializer="uniform(1, 0)"), "'low' of `uniform` is above 'high'"),
    "deviation of weights": (layer("dense", units=4, kernel_initializer="normal(0, -1)"), "has to be at least 0"),
    "no weight at all": (written("distribution", "categorical", "p", 0) | {"task": {"example": {"x": "normal([4])", "z": "categorical([0, 0, 0])"}}}, "all 0"),
    "a rate that falls below 0": (written("optimiser", "sgd", "learning_rate", "0.1 * (0.5 - step)"), "is -0.05 at step 1"),
    "a rate that is infinite": (written("optimiser", "sgd", "learning_rate", "1 / step"), "not a finite number at step 0"),
    **{
        f"{a} and {b}": (written("optimiser", "adam", a, 1) | {"training": {"optimizer": {"adam": {a: 1, b: 1}}, "batch": 2, "steps": 2}}, "clips in only one way")
        for a, b in (EXCLUSIVE[:2], EXCLUSIVE[1:], EXCLUSIVE[::2])
    },
}  # fmt: skip


@pytest.mark.parametrize("name", TOGETHER)
def test_arguments_that_cannot_stand_together(name: str) -> None:
    experiment, said = TOGETHER[name]
    with pytest.raises(StudyError) as caught:
        check(experiment)
    (problem,) = caught.value.problems
    assert said in problem.message and problem.hint and problem.span is not None


@pytest.mark.parametrize("key", ["batch", "steps"])
def test_counts_have_an_end(key: str) -> None:
    made = written("optimiser", "sgd", "momentum", 0)
    made["training"][key] = 1e300
    with pytest.raises(StudyError, match=f"'{key}' has to be at most"):
        check(made)
