"""Functions of random studies that are derivatives by their own parameters, a row each: they stand in loops and at any value, as other functions do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from string import Formatter
from typing import Any

from dlspec.spec.ir.types import Shape, Type

from .expressions import Given


@dataclass(frozen=True)
class Slope:
    """A function's body, made of `p`, and of a number `q` where it has a second parameter; what stands in braces is what the experiment has.

    `whole`: p is an input of a network. `straight`: gradient modes may not stand on the way.
    """

    body: str
    parameters: int = 1
    whole: bool = False
    straight: bool = False


SLOPES = {
    "gradient": Slope("gradient(sum(p * tanh(p)), p)"),
    "twice": Slope("gradient(sum(sin(gradient(sum(cos(p) * c), p))), p)"),
    "of a function": Slope("gradient(sum({function}(1.0 * p)), p)"),
    "step": Slope("p - 0.1 * gradient(sum((tanh(p) - 0.5)^2), p)"),
    "step towards an item": Slope("p - 0.1 * gradient(sum((p - q)^2) * sigmoid(q), p)", parameters=2),
    "by an item": Slope("tanh(p) - 0.1 * gradient(sum(tanh(p)) * tanh(q), q)", parameters=2),
    "by a name": Slope("tanh(p) - 0.1 * mean(gradient(sum(tanh(p)) * {number}, {name}))"),
    "at other weights": Slope("gradient(with_weights(sum(tanh(p)) * {number}, {network}.weights, 0.5 * {network}.weights), p)"),
    "jacobian": Slope("tanh(p) + 0.1 * squared_norm(jacobian(sin(p), p))"),
    "directional": Slope("directional(tanh(p), p, sigmoid(p))", straight=True),
    "hessian_vector": Slope("hessian_vector(sum(tanh(p)^3), p, 0.5 * p)", straight=True),
    "of a network": Slope("gradient({number_there}, p)", whole=True),
    "step of an attack": Slope("clip(p + 0.1 * sign(gradient({number_there}^2, p)), {input} - 0.3, {input} + 0.3)", whole=True),
    "step down a network": Slope("p - 0.1 * gradient({number_there}, p)", whole=True),
    "product of a network": Slope("hessian_vector(tanh({number_there}), p, 0.5 * p)", whole=True, straight=True),
}  # fmt: skip
"""How functions are derivatives by a parameter."""
USES = ("{0}(0.5 * ({1}))", "iterate({0}, 1.0 * ({1}), 2)", "iterate({0}, 0.5 * ({1}), 9)", "{0}({0}({1}))")
"""How a function of a network's input is used."""


def fitting(texts: Mapping[str, str], known: Mapping[str, str]) -> list[str]:
    """The names of those texts in whose braces nothing stands that is not known."""
    return [
        name
        for name, text in texts.items()
        if {field for _, field, _, _ in Formatter().parse(text) if field} <= known.keys()
    ]


def defined(name: str, row: Slope, known: Mapping[str, Any]) -> tuple[str, str]:
    """A function's head and its body."""
    return f"{name}({', '.join(('p', 'q')[: row.parameters])})", row.body.format(**known)


def used(name: str, row: str, text: str, shape: Shape, random: Random) -> Given:
    """A use of a function of a network's input, as a value that expressions may have."""
    return Given(random.choice(USES).format(name, text), Type("real", shape), 0, (f"slope {row}",))


def at(number: str, network: str, place: str) -> str:
    """A network's number with the network applied elsewhere."""
    return re.sub(rf"\b{network}\b", f"{network}({place})", number)
