"""What a study is made of, as an outline; and what its networks come to, beside their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..diagnostics.problems import Span
from ..resolve.patches import layer_names
from ..source import nodes as yaml
from .names import Names

DEPTH = 4
"""How deep the outline goes: experiments, their parts, names in these."""


@dataclass(frozen=True)
class Symbol:
    """A key of the outline: its name, where it and its value stand, what is below it."""

    name: str
    key: Span
    end: tuple[int, int]
    level: int
    detail: str
    below: tuple[Symbol, ...]


@dataclass(frozen=True)
class Hint:
    """What is shown at the end of a line, from 0: a shape, a count of parameters."""

    line: int
    text: str


def outline(top: yaml.Mapping) -> tuple[Symbol, ...]:
    """The outline of a study."""
    return tuple(_symbols(top, 1))


def _symbols(node: yaml.Mapping, level: int) -> Iterator[Symbol]:
    for key, value in node.entries:
        below = tuple(_symbols(value, level + 1)) if isinstance(value, yaml.Mapping) and level < DEPTH else ()
        detail = value.text if isinstance(value, yaml.Scalar) else ""
        end = (max(value.span.end_line, key.span.end_line), value.span.end_column)
        if end[0] == key.span.end_line:
            end = (end[0], max(end[1], key.span.end_column))
        yield Symbol(key.text, key.span, end, level, detail.split("\n")[0][:60], below)


def hints(top: yaml.Mapping, experiments: Mapping[str, Names]) -> list[Hint]:
    """Beside each network its output's shape and its parameters, beside each layer what it makes of its input."""
    found: dict[int, str] = {}
    nodes = top.get("experiments")
    for key, node in nodes.entries if isinstance(nodes, yaml.Mapping) else ():
        names = experiments.get(key.text)
        networks = node.get("architecture") if isinstance(node, yaml.Mapping) else None
        if names is None or not isinstance(networks, yaml.Mapping):
            continue
        for name, network in networks.entries:
            known, parts = names.find(name.text, "architecture"), names.parts.get(name.text, {})
            count = re.match(r"real\[(\d+)\]", parts.get("weights", ""))
            if known is not None and known.type and count is not None:
                found.setdefault(name.span.line - 1, f"{known.type}, {int(count[1]):,} parameters")
            layers = network.get("layers") if isinstance(network, yaml.Mapping) else None
            if not isinstance(layers, yaml.Sequence):
                continue
            places = {place: path for path, place in reversed(layer_names(layers.items).items())}
            for place, item in enumerate(layers.items):
                text = next((parts[path] for path in _paths(places, place) if path in parts), "")
                shapes = text.removeprefix("a layer, ")
                if shapes != text and item.span.line - 1 not in found:
                    found[item.span.line - 1] = shapes
    return [Hint(line, text) for line, text in sorted(found.items())]


def _paths(places: Mapping[int, str], place: int) -> Iterator[str]:
    """The names that a layer may be known by: its own, or its kind, with its number where there are several."""
    if path := places.get(place):
        yield path
        yield re.sub(r"_1$", "", path)
        yield f"{path}_1"
