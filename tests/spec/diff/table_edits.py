"""Studies with every row of the tables of layers, optimisers, initialisers, constraints and statistics; in a round one argument of each changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from dlspec.spec.tables.gradient_statistics import GRADIENT_STATISTICS
from dlspec.spec.tables.initializers import INITIALIZERS
from dlspec.spec.tables.keras_parameters import CONSTRAINTS, Parameter
from dlspec.spec.tables.layers import LAYERS
from dlspec.spec.tables.optimizers import OPTIMIZERS

NEEDED: Mapping[str, Any] = {
    "target_shape": [12], "activation": "relu", "input_dim": 5, "of": "(f - y)^2", "weights": "f.weights", "over": "v", "filters": 2,
    "layer": {"simple_rnn": 2},
}  # fmt: skip
"""Arguments that have no default; else sizes are 2, and other numbers one half."""
OTHERS: Mapping[str, Any] = {
    "target_shape": [3, 4], "of": "abs(f - y)", "weights": "f.dense_1.kernel", "over": ["v", "w"], "dims": [2, 1],
    "axis": 1, "draws": 7, "value": 0.25, "max_value": 3, "momentum": 0.7, "ema_overwrite_frequency": 3, "input_dim": 6, "groups": 2, "key_dim": 5,
    "value_dim": 5, "layer": {"simple_rnn": 3}, "length": 3, "mask": "[t < 3 for t < 6]",
}  # fmt: skip
"""Other values, where the kind of an argument does not give one."""
OF_KIND: Mapping[str, Any] = {
    "initializer": 0.5, "constraint": "non_neg", "activation": "elu", "size": 3, "sizes": 3, "shape": [3, 4], "schedule": 0.3, "examples": 64, "margins": 3, "count": 2,
}  # fmt: skip
SHAPES = {"dense": [4], "repeat_vector": [4], "multi_head_attention": [6, 6], "group_normalization": [6, 32]}
"""Inputs of layers that do not take any."""
ALONE = {"dilation_rate": {"strides": 1}, "min_value": {"max_value": 9}}
"""What has to be said with an argument."""
Rows = Mapping[str, Mapping[str, Parameter]]
Table = tuple[Rows, Callable[[Mapping[str, Mapping[str, Any]]], dict[str, Any]]]


def other(parameter: Parameter) -> Any:
    """Another value of an argument than the one that it has."""
    if parameter.kind == "bool":
        return not parameter.default
    if parameter.kind in ("choice", "stream"):
        return next(word for word in parameter.choices if word != parameter.default)
    if parameter.name in OTHERS:
        return OTHERS[parameter.name]
    if parameter.kind in OF_KIND:
        return OF_KIND[parameter.kind]
    return next(number for number in (0.3, 2, -0.3) if parameter.within.hold(number) and number != parameter.default)


def needed(own: Mapping[str, Parameter]) -> dict[str, Any]:
    """The arguments that have no default."""
    return {
        p.name: NEEDED.get(p.name, 0.5 if p.kind in ("real", "schedule") else 2) for p in own.values() if p.required
    }


def study(more: Mapping[str, Any]) -> dict[str, Any]:
    """A study of one experiment."""
    task = {"draw": {"v": "normal([4])", "w": "normal()"}, "example": {"x": "normal([4])", "y": "w * dot(v, x)"}}
    held = {"task": task, "measures": {"m": "E(y)"}, **more}
    return {"dlspec": 1, "study": "rows", "experiments": {"e": held}}


def layers(said: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A network for each layer."""
    example, networks = {}, {}
    for name, config in said.items():
        shape = SHAPES.get(name, [6, 6, 2] if "2d" in name else [6, 2])
        example[f"x_{name}"] = f"{'integer(5, ' if name == 'embedding' else 'normal('}{shape})"
        networks[f"f_{name}"] = {"input": f"x_{name}", "layers": [{name: {**config, "name": "own"}}]}
    return study(
        {
            "task": {"example": example},
            "architecture": networks,
            "measures": {f"m_{name}": f"E(sum(f_{name}))" for name in said},
        }
    )


def optimizers(said: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A network for each optimiser."""
    networks = {f"f_{name}": {"input": "x", "layers": [{"dense": 1}]} for name in said}
    own = {f"f_{name}": {name: dict(config)} for name, config in said.items()}
    training = {"optimizer": own, "batch": 2, "steps": 3}
    return study({"architecture": networks, "loss": {"all": f"({' + '.join(networks)})^2"}, "training": training})


def dense(argument: str) -> Callable[[Mapping[str, Mapping[str, Any]]], dict[str, Any]]:
    """A dense network for each row, with the row under one of its arguments."""

    def made(said: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        networks = {
            f"f_{name}": {"input": "x", "layers": [{"dense": {"units": 4, argument: {name: dict(config)}}}]}
            for name, config in said.items()
        }
        return study({"architecture": networks, "measures": {"m": f"E(sum({' + '.join(networks)}))"}})

    return made


def statistics(said: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A measure for each statistic."""
    network = {"f": {"input": "x", "layers": [{"dense": 4}, {"dense": 1}]}}
    return study(
        {"architecture": network, "measures": {f"m_{name}": {name: dict(config)} for name, config in said.items()}}
    )


def _rows(table: Mapping[str, Any]) -> Rows:
    return {name: row.parameters for name, row in table.items()}


TABLES: Mapping[str, Table] = {
    "layers": ({name: own for name, own in _rows(LAYERS).items() if LAYERS[name].estimated_from is None}, layers),
    "optimizers": (_rows(OPTIMIZERS), optimizers),
    "initializers": (_rows(INITIALIZERS), dense("kernel_initializer")),
    "constraints": (CONSTRAINTS, dense("kernel_constraint")),
    "statistics": (_rows(GRADIENT_STATISTICS), statistics),
}


def rounds(table: str) -> Iterator[tuple[Any, Any, list[tuple[str, str]]]]:
    """A study before and after one more argument of each row changed, with which these are."""
    rows, made = TABLES[table]
    before = {name: needed(own) for name, own in rows.items()}
    arguments = [[(name, p) for p in own.values()] for name, own in rows.items()]
    for turn in zip_longest(*arguments):
        after, changed = dict(before), []
        for name, parameter in filter(None, turn):
            after[name] = {**after[name], **ALONE.get(parameter.name, {}), parameter.name: other(parameter)}
            changed.append((name, parameter.name))
        yield made(before), made(after), changed
