"""The table of gradient modes: how a backward pass is made. The forward values never depend on it.

A row says what a mode does, and all passes ask the row, never its name. What a mode makes of the upstream gradient is its
transfer, a function in `interpreter/lower/backward_modes.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ..ir.plan import Mode
from .bounds import ANY, POSITIVE, Bounds
from .by_name import by_name
from .other_words import is_here

Route = Literal["body", "carrier", "expression", "nowhere"]
"""Where the upstream gradient of a target goes on.

`body`: through what the target is made of, its weights too. `carrier`: past it, to the one argument of a function that
depends on weights, or to the input of a network or a layer; it is of the output's shape. `expression`: through another
function of the same arguments, written under the mode's name. `nowhere`: it ends.
"""


@dataclass(frozen=True, slots=True)
class GradientMode:
    """A row.

    Attributes:
        targets: What it may be given to: `function`, `network`, `layer`.
        route: Where the upstream gradient goes on.
        takes_constant: Whether a number within `bounds` stands under the mode's name; its transfer is given it.
        freezes_weights: Whether the weights of the target are not trained, by whatever way a gradient comes to them.
        real_output: Whether the target must have a gradient: a function of ints gives reals under it, a network or layer
            of ints is refused.
        per_example: Whether the transfer is not linear, so that it needs each example's upstream gradient: the batch is
            averaged behind it.
        backward_flops: The operations of the transfer, for each entry of the upstream gradient.
        others: What others call it, in lower case; and as what it is written then, if not by its name alone.
    """

    name: str
    meaning: str
    targets: tuple[str, ...] = ("function", "network", "layer")
    route: Route = "body"
    takes_constant: bool = False
    freezes_weights: bool = False
    real_output: bool = False
    per_example: bool = False
    backward_flops: int = 0
    source: str = ""
    bounds: Bounds = ANY
    others: tuple[str, ...] = ()
    as_others: str = ""

    @property
    def argument(self) -> str | None:
        """What stands under the mode's name, in words; None where nothing does."""
        if self.takes_expression:
            return "an expression in the function's parameters"
        return "a number, of constants and counters (`step`, `phase`)" if self.takes_constant else None

    @property
    def written(self) -> str:
        """How the mode is written in a study, as Markdown: `` `{scale: c}` ``."""
        return f"`{{{self.name}: {'c' if self.takes_constant else '…'}}}`" if self.argument else f"`{self.name}`"

    @property
    def takes_expression(self) -> bool:
        """Whether an expression in the function's parameters stands under the mode's name."""
        return self.route == "expression"

    @property
    def trains_weights(self) -> bool:
        """Whether the weights of a network or layer get a gradient through it."""
        return self.route == "body" and not self.freezes_weights

    @property
    def keeps_derivative(self) -> bool:
        """Whether what passes is the derivative itself, wherever a gradient passes."""
        return self.route == "body" and not self.takes_constant

    @property
    def replaces_derivative(self) -> bool:
        """Whether a gradient passes where the target itself has none: through ints and steps."""
        return self.route in ("carrier", "expression")

    @property
    def within(self) -> GradientMode:
        """What the row of a network's mode is for what one of its layers gives: all but an end is of the network's own output."""
        return self if self.route == "nowhere" else replace(self, route="body", backward_flops=0)


GRADIENT_MODES: Mapping[str, GradientMode] = by_name(
    (
        GradientMode("exact", "the derivative; the default", others=("default", "none", "normal", "plain", "backprop")),
        GradientMode(
            "forward_only",
            "the identity: the upstream gradient is passed on unchanged, to the one differentiable argument of the output's shape",
            route="carrier", real_output=True,
            source="Kalai & Sastry 2009 (Isotron); Kakade et al. 2011 (GLMtron); Bengio et al. 2013 (straight-through estimator)",
            others=("straight_through", "straight_through_estimator", "ste", "identity"),
        ),
        GradientMode(
            "surrogate", "hard in the forward pass; in the backward pass the derivative of another function of the same arguments",
            ("function",), route="expression", real_output=True, source="Neftci et al. 2019 (surrogate gradient)",
        ),
        GradientMode(
            "stop", "no gradient passes, neither to arguments nor to weights", route="nowhere",
            others=("detach", "detached", "stop_gradient", "no_grad", "block"),
        ),
        GradientMode(
            "freeze", "the weights get no gradient; the upstream gradient passes", ("network", "layer"), freezes_weights=True,
            others=("frozen", "fixed", "non_trainable"),
        ),
        GradientMode(
            "scale", "the upstream gradient is multiplied by a number",
            takes_constant=True, real_output=True, backward_flops=1,
            others=("reverse", "reversed", "reversal", "gradient_reversal", "grl"), as_others="scale: -1",
        ),
        GradientMode(
            "clip", "each entry of each example's upstream gradient is clipped to ± a number, before averaging",
            takes_constant=True, real_output=True, per_example=True, backward_flops=2,
            source="Pascanu et al. 2013", bounds=POSITIVE,
        ),
    ),
    "gradient mode",
)  # fmt: skip

DEFAULT_MODE = GRADIENT_MODES["exact"]
"""The mode of a target that is given none."""


def mode_of(modes: Mapping[str, Mode], target: str) -> GradientMode:
    """The row of a target's mode, among the modes of a program by target."""
    mode = modes.get(target)
    return DEFAULT_MODE if mode is None else GRADIENT_MODES[mode.name]


def mode_of_output(modes: Mapping[str, Mode], network: str, layer: str | None) -> GradientMode:
    """The row for what a network gives, or one of its layers."""
    row = mode_of(modes, network)
    return row if layer is None else row.within


def other_mode(word: str) -> str:
    """What a mode of others is called here, as a sentence; nothing where it is none.

    >>> other_mode("detach"), other_mode("gradient_reversal"), other_mode("scale")
    ('It is `stop` here.', 'It is `scale: -1` here.', '')
    """
    row = next((row for row in GRADIENT_MODES.values() if word in row.others), None)
    return is_here(row.as_others or row.name) if row is not None else ""
