"""Parameters of what Keras offers (layers, optimisers, initialisers, constraints): one row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from .bounds import ANY, COUNT, NOT_NEGATIVE, POSITIVE, SHARE, Bounds
from .by_name import by_name

REQUIRED: Any = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument, under Keras' own name.

    `kind`: `size` (a positive constant), `count` (a constant from 0 on), `sizes` (one or a list), `shape` (a list of sizes),
    `margins` (whole numbers from 0 on: one, a list, or a list of pairs), `real` (a constant),
    `schedule` (may use `step`), `bool`, `choice` (a word of `choices`), `activation`, `initializer`, `constraint`,
    `layer` (a recurrent layer with its arguments), `example` (may speak of an example); those of
    gradient statistics stand with their table.
    A number lies within `bounds`, and not above the argument that `under` names; `timed` says that it may change in training, with counters.
    It does nothing where the argument that `needs` names is 0 or false.
    """

    name: str
    kind: str
    meaning: str
    default: Any = REQUIRED
    choices: tuple[str, ...] = ()
    bounds: Bounds = ANY
    under: str = ""
    timed: bool = False
    needs: str = ""

    @property
    def within(self) -> Bounds:
        """Its bounds; sizes are at least 1."""
        return COUNT if self.kind in ("size", "sizes", "shape") else self.bounds

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is REQUIRED


def named(*parameters: Parameter) -> Mapping[str, Parameter]:
    """Parameters by name; a duplicate is refused."""
    return by_name(parameters, "parameter")


ACTIVATIONS: Mapping[str, str] = MappingProxyType(
    {
        "linear": "x",
        "relu": "max(0, x)",
        "relu6": "max(0, x), at most 6",
        "leaky_relu": "x, or 0.2 · x below 0",
        "elu": "x, or exp(x) - 1 below 0",
        "selu": "the self-normalising scaled elu",
        "gelu": "x · Φ(x)",
        "silu": "x · sigmoid(x)",
        "mish": "x · tanh(softplus(x))",
        "sigmoid": "1 / (1 + exp(-x))",
        "hard_sigmoid": "a piecewise linear sigmoid",
        "tanh": "the hyperbolic tangent",
        "softplus": "log(1 + exp(x))",
        "softsign": "x / (1 + |x|)",
        "softmax": "exp(x) / sum(exp(x)) along the last axis",
        "log_softmax": "log(softmax(x)) along the last axis",
        "exponential": "exp(x)",
    }
)
IDENTITY = "linear"
"""The activation that is none: where an activation may be left out, both are the same."""

CONSTRAINTS: Mapping[str, Mapping[str, Parameter]] = MappingProxyType(
    {
        "non_neg": named(),
        "max_norm": named(
            Parameter("max_value", "real", "the largest norm of a unit's incoming weights", 2, bounds=POSITIVE)
        ),
        "unit_norm": named(),
        "min_max_norm": named(
            Parameter("min_value", "real", "the smallest norm", 0.0, bounds=NOT_NEGATIVE, under="max_value"),
            Parameter("max_value", "real", "the largest norm", 1.0, bounds=POSITIVE),
            Parameter("rate", "real", "how firmly the norm is pulled back", 1.0, bounds=SHARE),
        ),
    }
)
