"""The table of gradient modes: how a backward pass is made. The forward values never depend on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .bounds import ANY, POSITIVE, Bounds


@dataclass(frozen=True, slots=True)
class GradientMode:
    """A row. `argument` says what stands under the mode's name, within `bounds`; `targets` what it may be given to."""

    name: str
    meaning: str
    argument: str | None = None
    targets: tuple[str, ...] = ("function", "network", "layer")
    source: str = ""
    bounds: Bounds = ANY


GRADIENT_MODES: Mapping[str, GradientMode] = MappingProxyType(
    {
        row.name: row
        for row in (
            GradientMode("exact", "the derivative; the default"),
            GradientMode(
                "forward_only",
                "the identity message: what arrives is passed on as it is, to the one differentiable argument of the output's shape",
                source="Kalai & Sastry 2009 (Isotron); Kakade et al. 2011 (GLMtron); Bengio et al. 2013 (straight-through estimator)",
            ),
            GradientMode(
                "surrogate", "hard forwards, backwards the derivative of another function of the same arguments",
                "an expression in the function's parameters", ("function",), "Neftci et al. 2019 (surrogate gradient)",
            ),
            GradientMode("stop", "no gradient passes, neither to arguments nor to weights"),
            GradientMode("freeze", "the weights get no gradient; messages pass", None, ("network", "layer")),
            GradientMode("scale", "the message is multiplied by a constant", "a constant"),
            GradientMode(
                "clip", "each entry of each example's message is kept within ± a constant, before averaging", "a constant",
                source="Pascanu et al. 2013", bounds=POSITIVE,
            ),
        )
    }
)  # fmt: skip

CARRYING = ("forward_only", "surrogate", "scale", "clip")
"""The modes that let a gradient through: what has one of them is real, since no gradient passes through ints."""
