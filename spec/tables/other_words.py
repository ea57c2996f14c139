"""What PyTorch, Keras and papers call a row of a small table otherwise: the sentence that leads to it, where such a word is not known."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def is_here(written: str) -> str:
    """The sentence that leads to how something is written here."""
    return f"It is `{written}` here."


def _is(written: str, *others: str) -> dict[str, str]:
    return dict.fromkeys(others, is_here(written))


_FULL = "It is `sgd`, with `batch: full`."
_NO_SEARCH = "Optimisers make one step per update, without a line search: use `sgd` with `batch: full`, or `adam`."

OTHER_OPTIMIZERS: Mapping[str, str] = MappingProxyType(
    {
        **_is("{sgd: {learning_rate: 0.1, momentum: 0.9}}", "momentum", "sgdm", "heavy_ball", "polyak"),
        **_is("{sgd: {learning_rate: 0.1, momentum: 0.9, nesterov: true}}", "nesterov", "nag"),
        **dict.fromkeys(("gd", "gradient_descent", "full_batch"), _FULL),
        **dict.fromkeys(("lbfgs", "l_bfgs", "bfgs", "newton", "gauss_newton", "conjugate_gradient", "cg"), _NO_SEARCH),
        **_is("{adam: {learning_rate: 0.001, amsgrad: true}}", "amsgrad"),
        **_is("adamw", "adam_w"),
    }
)
"""By words in lower case, as all of these."""
OTHER_INITIALIZERS: Mapping[str, str] = MappingProxyType(
    {
        **_is("glorot_uniform", "xavier", "xavier_uniform", "glorot"),
        **_is("glorot_normal", "xavier_normal"),
        **_is("he_normal", "he", "kaiming", "kaiming_normal", "msra"),
        **_is("he_uniform", "kaiming_uniform"),
        **_is("lecun_normal", "lecun"),
        **_is("identity", "eye", "dirac"),
    }
)
OTHER_ACTIVATIONS: Mapping[str, str] = MappingProxyType(
    {**_is("silu", "swish"), **_is("leaky_relu", "lrelu", "leaky"), **_is("linear", "identity", "none", "id")}
)

_SPREAD = "Each replicate is judged by itself; `judge: mean` weighs their spread, which is shown beside every verdict."
OTHER_CLAIM_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("initial", "first", "start"), "The measure before training is `at(m, 0)`."),
        **dict.fromkeys(("last", "end"), "The measure at the last step is `final(m)`."),
        **dict.fromkeys(("all", "every"), "A claim is about all cells that its conditions select: leave the word out."),
        **dict.fromkeys(("any", "some"), "For at least one value of an axis use `max(final(m), d)`, or `min`."),
        **dict.fromkeys(("std", "variance", "var", "sem", "stderr", "ci"), _SPREAD),
        "median": "For at least half of the seeds use `judge: {share: 0.5}`; a median over examples is a measure, `quantile(x, 0.5)`.",
        **dict.fromkeys(("E", "quantile"), "An expectation is a measure: give it a name under `measures`, and write `final(name)`, or in `until` the name alone."),
        **dict.fromkeys(("p_value", "ttest", "t_test"), "A judge tests: `judge: mean` by a paired t interval, `judge: {share: 0.9}` by a binomial bound."),
        **dict.fromkeys(("isnan", "isfinite", "is_finite"), "Use `diverged()` for a replicate that became infinite or undefined."),
        **dict.fromkeys(("converges", "converged", "convergence"), "Say how near, and by when: `first_step(m < 0.1) < 1000`, or `final(m) < 0.1`."),
        **dict.fromkeys(("best", "ever"), "It is `lowest(m)` or `highest(m)`."),
        **dict.fromkeys(("corr", "correlation"), "A trend along a swept constant is `slope(y, d) > 0` or `increasing(y, d)`."),
    }
)  # fmt: skip
