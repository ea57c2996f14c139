"""Keras' initialisers. Besides these, an initialiser may be a number or a distribution that knows `fan_in` and `fan_out`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Any

from ..ir.types import Shape
from .bounds import NOT_NEGATIVE, POSITIVE, Bounds
from .by_name import by_name
from .keras_parameters import Parameter, named
from .other_words import OTHER_INITIALIZERS


@dataclass(frozen=True, slots=True)
class Initializer:
    """A row: Keras' class and its arguments; `axes` are those that a weight may have; `random` says that seeds differ."""

    name: str
    keras: str
    meaning: str
    parameters: Mapping[str, Parameter]
    source: str = ""
    axes: Bounds = NOT_NEGATIVE
    random: bool = True
    by_fans: bool = False
    """Whether fans scale it."""


def _row(name: str, keras: str, meaning: str, *parameters: Parameter, **more: Any) -> Initializer:
    return Initializer(name, keras, meaning, named(*parameters), **more)


_GLOROT, _HE, _LECUN = "Glorot & Bengio 2010", "He et al. 2015", "LeCun et al. 1998"

INITIALIZERS: Mapping[str, Initializer] = by_name(
    (
        _row("zeros", "Zeros", "all 0", random=False),
        _row("ones", "Ones", "all 1", random=False),
        _row("constant", "Constant", "all the same value", Parameter("value", "real", "the value", 0.0), random=False),
        _row("identity", "Identity", "the identity matrix", Parameter("gain", "real", "multiplies it", 1.0), axes=Bounds(2, 2), random=False),
        _row("orthogonal", "Orthogonal", "a random orthogonal matrix", Parameter("gain", "real", "multiplies it", 1.0), source="Saxe et al. 2014", axes=Bounds(2)),
        _row("glorot_uniform", "GlorotUniform", "uniform within ±√(6 / (fan_in + fan_out)); Keras' default", source=_GLOROT, by_fans=True),
        _row("glorot_normal", "GlorotNormal", "truncated normal of variance 2 / (fan_in + fan_out)", source=_GLOROT, by_fans=True),
        _row("he_uniform", "HeUniform", "uniform within ±√(6 / fan_in)", source=_HE, by_fans=True),
        _row("he_normal", "HeNormal", "truncated normal of variance 2 / fan_in", source=_HE, by_fans=True),
        _row("lecun_uniform", "LecunUniform", "uniform within ±√(3 / fan_in)", source=_LECUN, by_fans=True),
        _row("lecun_normal", "LecunNormal", "truncated normal of variance 1 / fan_in", source=_LECUN, by_fans=True),
        _row(
            "variance_scaling", "VarianceScaling", "variance scale / fan",
            Parameter("scale", "real", "the numerator of the variance", 1.0, bounds=POSITIVE),
            Parameter("mode", "choice", "which fan is the divisor", "fan_in", ("fan_in", "fan_out", "fan_avg")),
            Parameter("distribution", "choice", "its form", "truncated_normal", ("truncated_normal", "untruncated_normal", "uniform")),
            by_fans=True,
        ),
    ),
    "initialiser",
)  # fmt: skip


def fans(shape: Shape) -> tuple[int, int]:
    """How many inputs feed one output of a weight, and the converse, by Keras' rule.

    >>> fans((5, 5, 16, 32)), fans((100, 10)), fans((7,))
    ((400, 800), (100, 10), (7, 7))
    """
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    field = prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


_DRAWN: Mapping[str, str] = MappingProxyType(
    {
        "normal": "normal(0, 0.05)",
        "gaussian": "normal(0, 0.05)",
        "uniform": "uniform(-0.05, 0.05)",
        "truncatednormal": "truncated_normal(0, 0.05)",
    }
)
"""Keras' initialisers that are distributions here, with Keras' own numbers."""


def other_initializer(word: str) -> str:
    """What is written where an initialiser has another name here, or is a distribution; nothing where it is none of others'.

    >>> other_initializer("RandomNormal"), other_initializer("kaiming_normal"), other_initializer("zeros")
    ('Write a distribution as an expression: `normal(0, 0.05)`.', 'It is `he_normal` here.', '')
    """
    if hint := OTHER_INITIALIZERS.get(word.lower()):
        return hint
    draw = _DRAWN.get(word.lower().replace("_", "").removeprefix("random"), "")
    return f"Write a distribution as an expression: `{draw}`." if draw else ""
