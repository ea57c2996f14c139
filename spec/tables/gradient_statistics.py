"""The table of gradient statistics: what is measured of a gradient at the weights of an evaluation.

A row says what a statistic is, what it takes, and its exact value as terms where it has one; how it is estimated stands
under the row's name in `interpreter/program/gradient_estimators/`. Each is estimated without bias. What may be too small to be
seen gives beside itself the measure `NAME_floor`: two standard errors of the estimate if the true value were 0. A value
below it is not told from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..ir.terms import Gradient, Term
from .bounds import Bounds
from .by_name import by_name
from .keras_parameters import Parameter, named

MIN_BLOCKS = 64
"""Blocks that a statistic over examples has at least, and so the examples that it needs."""

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
            of the kinds `size`, `count` and `real` are the estimator's own (`options` of the term); `stream` says whether examples
            are those of the test or of the training set.
        ratio: a ratio to noise is infinite where there is none, undefined where there is no signal either: no trouble of
            the training.
        floor: whether it has a sampling floor; over examples, differences of blocks are compared for it.
        exact: the value where data are enumerated; without it the estimator gives it there, too.
        values: the options that say together how many values it has, in an array; none for one number.
        matrix: what it is a statistic of beside gradients: the `hessian`, the `gauss_newton` matrix of a value of the network's bare
            output (both are symmetric as long as no gradient mode changes a derivative), or the `kernel`, the inner products
            of the examples' gradients.
        least: how many examples it takes at least.
        weighs: whether it is of a mean, or of products of two gradients, so that an example can weigh more than another.
    """

    name: str
    meaning: str
    source: str
    parameters: Mapping[str, Parameter]
    ratio: bool = False
    floor: bool = True
    exact: Exact | None = None
    values: tuple[str, ...] = ()
    matrix: Literal["", "hessian", "gauss_newton", "kernel"] = ""
    least: int = MIN_BLOCKS
    weighs: bool = False

    @property
    def title(self) -> str:
        """What a schema calls its arguments."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    @property
    def symmetric(self) -> bool:
        """Whether it is of second derivatives."""
        return self.matrix in ("hessian", "gauss_newton")

    @property
    def over_draws(self) -> bool:
        """Whether it ranges over draws that are made anew, each with examples of its own."""
        return any(parameter.kind == "names" for parameter in self.parameters.values())


OVER_EXAMPLES = (
    Parameter("of", "value", "one number per example: the gradient's loss"),
    Parameter("weights", "weights", "with respect to what: `f.weights`, `f.last.kernel`"),
    Parameter(
        "examples", "examples",
        "from how many examples it is estimated, the same ones throughout; all if data are enumerated", 10000,
    ),
)  # fmt: skip
OF_A_SET = (
    *OVER_EXAMPLES[:2],
    Parameter("examples", "examples", "over this many examples, the first ones; by default all of the set", None),
    Parameter("on", "stream", "over examples of the test or of the training set", "test", choices=("test", "train")),
)
"""What is of the examples that there are, and not estimated from some."""
SPECTRUM = (
    Parameter("largest", "count", "how many of the largest eigenvalues, which come first", 1),
    Parameter("smallest", "count", "how many of the smallest, which come last", 0),
    Parameter(
        "tolerance",
        "real",
        "the largest error of an eigenvalue, as a share of the one largest in magnitude",
        1e-3,
        bounds=Bounds(0, 1, above=True, below=True),
    ),
)
OVER_DRAWS = (
    *OVER_EXAMPLES,
    Parameter("over", "names", "which names of `task.draw` are drawn again: the target"),
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
            "arXiv:1703.07950, equation 3", named(*OVER_DRAWS), weighs=True,
        ),
        GradientStatistic(
            "gradient_norm", "‖∇ mean of the value over examples‖", "Pascanu, Mikolov, Bengio 2013, section 2",
            named(*OF_A_SET), floor=False, least=1, weighs=True,
        ),
        GradientStatistic(
            "gradient_alignment", "the mean cosine between the gradients of two different examples", "Sankararaman et al. 2020, section 2 (arXiv:1904.06963)",
            named(*OF_A_SET), floor=False, least=2,
        ),
        GradientStatistic(
            "hessian_eigenvalues", "eigenvalues of the Hessian of the mean of the value over examples, from the largest to the smallest",
            "Lanczos 1950; Golub, Underwood 1977 (block Lanczos)", named(*OF_A_SET, *SPECTRUM),
            floor=False, values=("largest", "smallest"), matrix="hessian", least=1, weighs=True,
        ),
        GradientStatistic(
            "gauss_newton_eigenvalues", "eigenvalues of the mean over examples of JᵀHJ, where J is the Jacobian of the network's output "
            "and H the Hessian of the value by that output, from the largest to the smallest",
            "Schraudolph 2002, section 3", named(*OF_A_SET, *SPECTRUM),
            floor=False, values=("largest", "smallest"), matrix="gauss_newton", least=1, weighs=True,
        ),
        GradientStatistic(
            "hessian_trace", "the trace of the Hessian of the mean of the value over examples, from products with random signs",
            "Hutchinson 1990", named(*OF_A_SET, Parameter("probes", "size", "how many vectors of random signs", 100)),
            matrix="hessian", least=1, weighs=True,
        ),
        GradientStatistic(
            "ntk_eigenvalues", "eigenvalues of the matrix of inner products ⟨g, g'⟩ of the examples' gradients, from the largest to the smallest",
            "Jacot, Gabriel, Hongler 2018, section 4", named(*OF_A_SET, *SPECTRUM[:2]),
            floor=False, values=("largest", "smallest"), matrix="kernel", least=1, weighs=True,
        ),
    ),
    "gradient statistic",
)  # fmt: skip

FLOOR = "_floor"
"""What the name of a statistic's sampling floor ends in."""
