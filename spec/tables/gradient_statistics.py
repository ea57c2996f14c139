"""The table of gradient statistics: what is measured of a gradient at the weights of an evaluation.

A row says what a statistic is, what it takes, and its exact value as terms where it has one; how it is estimated stands
under the row's name in `interpreter/program/gradient_estimators/`. Each is estimated without bias. What may be too small to be
seen gives beside itself the measure `NAME_floor`: two standard errors of the estimate if the true value were 0. A value
below it is not told from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..ir.terms import Gradient, Term
from .by_name import by_name
from .keras_parameters import Parameter, named

Mean = Callable[[Term], Term]
"""The mean of a term over all examples."""
Operate = Callable[..., Term]
"""An operation by name, of terms and numbers."""
Exact = Callable[[Gradient, Mean, Operate], Term]
"""The exact value where every example is there, of one example's gradient."""


@dataclass(frozen=True, slots=True)
class GradientStatistic:
    """A row: what it measures, what it takes, and where that comes from.

    Args:
        parameters: the arguments. `value`, `weights`, `examples`, `names` and `draws` are kinds that statistics share: what is
            differentiated, by which weights, over how many examples, and which draws are made anew, how often. Arguments
            of the kinds `size` and `real` are the estimator's own (`options` of the term).
        ratio: a ratio to noise is infinite where there is none, undefined where there is no signal either: no trouble of
            the training.
        floor: whether it has a sampling floor; over examples, differences of blocks are compared for it.
        exact: the value where data are enumerated; without it the estimator gives it there, too.
    """

    name: str
    meaning: str
    source: str
    parameters: Mapping[str, Parameter]
    ratio: bool = False
    floor: bool = True
    exact: Exact | None = None

    @property
    def title(self) -> str:
        """What a schema calls its arguments."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    @property
    def over_draws(self) -> bool:
        """Whether it ranges over draws that are made anew, each with examples of its own."""
        return any(parameter.kind == "names" for parameter in self.parameters.values())


OVER_EXAMPLES = (
    Parameter("of", "value", "one number per example: the gradient's loss"),
    Parameter("weights", "weights", "with respect to what: `f.weights`, `f.last.kernel`"),
    Parameter(
        "examples", "examples",
        "from how many examples it is estimated, the same ones throughout; all where data are enumerated", 10000,
    ),
)  # fmt: skip
OVER_DRAWS = (
    *OVER_EXAMPLES,
    Parameter("over", "names", "what is drawn again, of `task.draw`: the target"),
    Parameter("draws", "draws", "how many targets at random; `all` takes every value of a binary draw", 100),
)


def _signal(gradient: Gradient, mean: Mean, operate: Operate) -> Term:
    """‖E g‖²."""
    return operate("squared_norm", mean(gradient))


def _noise(signal: Term, gradient: Gradient, mean: Mean, operate: Operate) -> Term:
    """E‖g‖² - ‖E g‖², of which rounding may leave less than 0."""
    return operate("maximum", operate("subtract", mean(operate("squared_norm", gradient)), signal), 0.0)


def _exact_snr(gradient: Gradient, mean: Mean, operate: Operate) -> Term:
    signal = _signal(gradient, mean, operate)
    return operate("divide", signal, _noise(signal, gradient, mean, operate))


def _exact_noise(gradient: Gradient, mean: Mean, operate: Operate) -> Term:
    return _noise(_signal(gradient, mean, operate), gradient, mean, operate)


GRADIENT_STATISTICS: Mapping[str, GradientStatistic] = by_name(
    (
        GradientStatistic(
            "gradient_snr", "‖E g‖² / E‖g - E g‖² over examples, where g is the gradient of one example",
            "arXiv:1703.07950, section 3.2", named(*OVER_EXAMPLES), ratio=True, exact=_exact_snr,
        ),
        GradientStatistic(
            "gradient_noise", "E‖g - E g‖² over examples: the variance of one example's gradient",
            "arXiv:1703.07950, section 3.2", named(*OVER_EXAMPLES), floor=False, exact=_exact_noise,
        ),
        GradientStatistic(
            "gradient_variance", "E‖ḡ - E ḡ‖² over draws of the target, where ḡ is the gradient averaged over examples",
            "arXiv:1703.07950, equation 3", named(*OVER_DRAWS),
        ),
    ),
    "gradient statistic",
)  # fmt: skip

FLOOR = "_floor"
"""What the name of a statistic's sampling floor ends in."""
