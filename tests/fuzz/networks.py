"""Random layers, made from the rows of the layers' table and of what their arguments are."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from random import Random
from typing import Any

from dlspec.spec.ir.types import Shape, ShapeProblem
from dlspec.spec.model.layers import SKIPS
from dlspec.spec.tables.initializers import INITIALIZERS
from dlspec.spec.tables.keras_parameters import ACTIVATIONS, CONSTRAINTS, Parameter
from dlspec.spec.tables.layers import LAYERS, Layer

from .expressions import Writer
from .makers import MAX_ENTRIES, factors

REALS = {
    "rate": (0.2, 0.5), "stddev": (0.1, 0.5), "epsilon": (1e-3, 1e-2), "momentum": (0.5, 0.9), "negative_slope": (0.1, 0.3),
    "dropout": (0.1, 0.4), "value": (-0.5, 0.5), "gain": (0.5, 1.5), "max_value": (1.0, 2.0), "min_value": (0.1, 0.5), "scale": (0.5, 2.0),
}  # fmt: skip
"""Between what numbers an argument lies."""
FUNCTIONS = (
    "tanh",
    "sigmoid",
    "relu",
    "softplus",
    "abs",
    "sin",
    "softmax",
    "sort",
    "square",
    "cumsum",
    "stop",
    "floor",
)
"""Operations that are tried as layers."""
MATRICES = ("identity", "orthogonal")
"""Initialisers of matrices alone."""


class Layers:
    """Writes layers. `featured` rows are preferred."""

    def __init__(self, writer: Writer, each_step: bool) -> None:
        self.random: Random = writer.random
        self.writer = writer
        self.seen = writer.seen
        self.whitens = each_step
        self.names = 0
        self.given: dict[str, Shape] = {}
        """What each layer with a name of its own gives."""

    def some(self, shape: Shape, count: int, whole: bool = False) -> tuple[list[Any], Shape]:
        """So many layers, and the shape that comes out. `whole` says that the input are whole numbers from 0 to 4."""
        found = []
        for place in range(count):
            entry, shape = self.one(shape, whole and place == 0)
            found.append(entry)
            inner = next(iter(entry.values())) if isinstance(entry, dict) else None
            if isinstance(inner, dict) and "name" in inner:
                self._note(entry, inner, shape)
        return found, shape

    def _note(self, entry: dict[str, Any], inner: dict[str, Any], shape: Shape) -> None:
        """Notes what a named layer gives, and a named layer of a block."""
        if "repeat" not in entry:
            self.given[inner["name"]] = shape
        elif isinstance(inner["layers"][-1], dict) and "name" in inner["layers"][-1].get("dense", {}):
            last = 0 if inner.get("share") else inner["times"] - 1
            self.given[f"{inner['name']}[{last}].{inner['layers'][-1]['dense']['name']}"] = shape

    def one(self, shape: Shape, whole: bool = False) -> tuple[Any, Shape]:
        """One layer that takes a shape."""
        if whole:
            self.seen.add("layer embedding")
            size = self.random.randint(1, 3)
            return self._written("embedding", {"input_dim": 5, "output_dim": size}, (5, size)), (*shape, size)
        for _ in range(40):
            choice = self.random.random()
            if choice < 0.08:
                return self._function(shape)
            if choice < 0.14 and shape and self.whitens:
                self.seen.add("layer whiten")
                return {"whiten": {"examples": 6}}, shape
            if choice < 0.2 and shape:
                return self._repeat(shape)
            row = self._row()
            if row.ints_below is not None:
                continue
            config = self.config(row, shape)
            if config is None:
                continue
            defaults = {name: p.default for name, p in row.parameters.items() if not p.required}
            try:
                checked = {name: _in_keras(row.parameters[name], value) for name, value in config.items()}
                after = row.output(shape, {**defaults, **checked})
                weights = row.weights(shape, {**defaults, **checked})
            except ShapeProblem:
                continue
            if prod(after) > MAX_ENTRIES:
                continue
            self.seen.add(f"layer {row.name}")
            return self._written(row.name, config, next(iter(weights.values()), ())), after
        return "tanh", shape

    def dense(self, units: int, activation: bool = False) -> Any:
        """A dense layer."""
        self.seen.add("layer dense")
        own = {"activation": self._activation()} if activation else {}
        return self._written("dense", {"units": units, **own}, (2, units))

    def config(self, row: Layer, shape: Shape) -> dict[str, Any] | None:
        """Arguments of a row: all that are required, and some of the others."""
        found: dict[str, Any] = {}
        for parameter in row.parameters.values():
            if parameter.kind in ("initializer", "constraint"):
                continue
            if parameter.kind == "example":
                if self.random.random() < 0.5 and (text := self._of_example(row, parameter.name, shape)):
                    found[parameter.name] = text
                continue
            if not parameter.required and self.random.random() < 0.7:
                continue
            found[parameter.name] = self._value(parameter, shape)
        strided = _most(found.get("strides")) > 1
        if strided and _most(found.get("dilation_rate")) > 1:
            del found["dilation_rate"]
        if "num_heads" in found and shape and shape[-1] % found["num_heads"]:
            found["num_heads"] = 1
        if "groups" in found and "filters" in found:
            found["filters"] *= found["groups"]
        return found

    def _of_example(self, row: Layer, name: str, shape: Shape) -> str | None:
        """An argument that may speak of an example."""
        if len(shape) != 2:
            return None
        kind, shapes = row.of_example[name](shape)
        self.seen.add(f"example argument {name}")
        wanted = self.random.choice(shapes)
        return self.writer.below(shape[0] + 1, wanted) if kind == "int" else self.writer.write(kind, wanted, 1)

    def _value(self, parameter: Parameter, shape: Shape) -> Any:
        random = self.random
        match parameter.kind:
            case "size":
                return random.randint(1, 2 if parameter.name == "groups" else 3)
            case "sizes":
                size = random.randint(1, 2)
                return [size, random.randint(1, 2)] if random.random() < 0.3 and len(shape) == 3 else size
            case "layer":
                row = random.choice([row for row in LAYERS.values() if row.loops])
                return {row.name: {"units": random.randint(1, 3), "return_sequences": random.random() < 0.5}}
            case "margins":
                return random.choice((0, 2, [1, 0], [[0, 1], [2, 0]]))
            case "shape":
                return list(factors(random, shape))
            case "real":
                number = round(random.uniform(*REALS[parameter.name]), 4)
                if parameter.timed and random.random() < 0.3:
                    self.seen.add("number in time")
                    return f"{number} / (1 + step)"
                return number
            case "bool":
                return random.random() < 0.5
            case "choice":
                return random.choice(parameter.choices)
            case "activation":
                return self._activation()
        raise NotImplementedError(f"nothing writes an argument of the kind '{parameter.kind}'")

    def _activation(self) -> str:
        name = self.random.choice(list(ACTIVATIONS))
        self.seen.add(f"activation {name}")
        return name

    def _row(self) -> Layer:
        rows = [row for row in LAYERS.values() if row.estimated_from is None]
        featured = [row for row in rows if row.name in self.writer.featured]
        if featured and self.random.random() < 0.6:
            return self.random.choice(featured)
        return self.random.choice(rows)

    def _written(self, name: str, config: Mapping[str, Any], weight: Shape) -> Any:
        """The entry, with a name, an initialiser and a constraint now and then."""
        row, config = LAYERS[name], dict(config)
        for parameter in row.parameters.values():
            if parameter.kind == "initializer" and self.random.random() < 0.25:
                matrix = parameter.name in ("kernel_initializer", "embeddings_initializer") and len(weight) == 2
                config[parameter.name] = self.initializer(matrix and name in ("dense", "embedding"))
            if parameter.kind == "constraint" and self.random.random() < 0.08:
                config[parameter.name] = self._constraint()
        if self.random.random() < 0.5:
            self.names += 1
            config["name"] = f"own{self.names}"
        primary = row.primary
        if primary is not None and set(config) == {primary} and self.random.random() < 0.5:
            return {name: config[primary]}
        return {name: config} if config else name

    def initializer(self, matrix: bool) -> Any:
        """How a weight starts."""
        if self.random.random() < 0.2:
            return self.random.choice(
                ("normal(0, 0.5)", "uniform(-1, 1 / sqrt(fan_in))", "truncated_normal(0, 0.1)", 0.1)
            )
        name = self.random.choice([row for row in INITIALIZERS if matrix or row not in MATRICES])
        self.seen.add(f"initialiser {name}")
        row = INITIALIZERS[name]
        arguments = {
            p.name: self._value(p, ()) for p in row.parameters.values() if p.required or self.random.random() < 0.5
        }
        return {name: arguments} if arguments else name

    def _constraint(self) -> Any:
        own = [name for name, count in self.writer.functions if count == 1]
        if own and self.random.random() < 0.3:
            self.seen.add("constraint function")
            return self.random.choice(own)
        name = self.random.choice(list(CONSTRAINTS))
        self.seen.add(f"constraint {name}")
        if name == "min_max_norm":
            return {name: {"min_value": 0.2, "max_value": 1.5, "rate": self.random.choice((0.5, 1.0))}}
        rows = CONSTRAINTS[name]
        return {name: {key: self._value(p, ()) for key, p in rows.items()}} if rows else name

    def _function(self, shape: Shape) -> tuple[Any, Shape]:
        own = [name for name, count in self.writer.functions if count == 1]
        name = self.random.choice([*own, *FUNCTIONS])
        while name in ("softmax", "sort", "cumsum", "stop") and (not shape or name == "stop"):
            name = self.random.choice([*own, *FUNCTIONS])
        self.seen.add("layer function")
        return name, shape

    def _repeat(self, shape: Shape) -> tuple[Any, Shape]:
        self.seen.add("layer repeat")
        block: list[Any] = []
        if self.random.random() < 0.5:
            block.append(self.random.choice(("layer_normalization", {"dropout": 0.3}, "tanh", "batch_normalization")))
        dense: dict[str, Any] = {"units": shape[-1], "activation": self._activation()}
        if self.random.random() < 0.4:
            dense["name"] = "inner"
        block.append({"dense": dense})
        entry: dict[str, Any] = {"times": self.random.randint(1, 2), "layers": block}
        if self.random.random() < 0.4:
            entry["share"] = True
        if self.random.random() < 0.4:
            entry["skip"] = self.random.choice((True, *SKIPS))
            self.seen.add(f"skip {entry['skip']}")
            if (
                entry["skip"] == "project"
                and "share" not in entry
                and entry["times"] == 1
                and self.random.random() < 0.5
            ):
                dense["units"] += 1
        if self.random.random() < 0.2:
            entry["activation"] = self._activation()
        if self.random.random() < 0.5:
            self.names += 1
            entry["name"] = f"own{self.names}"
        if entry.get("skip") == "concat":
            entry.pop("share", None)
            shape = (*shape[:-1], shape[-1] * (1 + entry["times"]))
        else:
            shape = (*shape[:-1], dense["units"])
        return {"repeat": entry}, shape


def _most(value: Any) -> int:
    return max(value) if isinstance(value, list) else value or 1


def _in_keras(parameter: Parameter, value: Any) -> Any:
    """An argument as the checker gives it to a row: a layer in a layer is a class of Keras with all its arguments."""
    if parameter.kind != "layer":
        return value
    ((name, given),) = value.items()
    defaults = {p.name: p.default for p in LAYERS[name].parameters.values() if not p.required}
    return {"class_name": LAYERS[name].keras, "config": {**defaults, **given}}
