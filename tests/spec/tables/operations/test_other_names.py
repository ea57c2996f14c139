"""What NumPy and PyTorch call an operation leads to an expression with NumPy's value, and none is called like an operation."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.tables.distributions import DISTRIBUTIONS
from dlspec.spec.tables.operations import FORMS, OPERATIONS
from dlspec.spec.tables.operations.other_names import OTHER_NAMES
from scipy import special

STUDY = """
dlspec: 1
study: names
experiments:
  e:
    constants: {CONSTANTS}
    task: {example: {u: "uniform(0, 1)", EXAMPLE}}
    architecture: {f: {input: [u], layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, steps: 2}
    measures: {error: E(f)}
"""
X = np.array([-1.75, 0.5, 2.0])
P = np.array([0.2, 0.3, 0.5])
Q = np.array([0.25, 0.25, 0.5])
M = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])
ONE: dict[str, tuple[Any, Any]] = {
    "absolute": (X, np.abs(X)), "amax": (X, 2.0), "amin": (X, -1.75), "ptp": (X, np.ptp(X)), "reciprocal": (X, 1 / X), "cbrt": (X, np.cbrt(X)),
    "exp2": (X, np.exp2(X)), "expit": (X, special.expit(X)), "logit": (P, special.logit(P)), "erfc": (X, special.erfc(X)), "sinc": (X, np.sinc(X)),
    "rint": (X, np.rint(X)), "trunc": (X, np.trunc(X)), "radians": (X, np.radians(X)), "degrees": (X, np.degrees(X)), "logdet": (M, np.linalg.slogdet(M)[1]),
    "diag": (X, np.diag(X)), "tril": (M, np.tril(M)), "triu": (M, np.triu(M)), "matrix_transpose": (M, M.T), "expand_dims": (X, X[None]),
    "count_nonzero": (M, 7), "l1_norm": (X, np.abs(X).sum()), "l2_norm": (X, np.linalg.norm(X)), "rms": (X, np.sqrt(np.mean(X**2))),
    "softmin": (X, special.softmax(-X)), "softsign": (X, X / (1 + np.abs(X))), "silu": (X, X * special.expit(X)),
    "mish": (X, X * np.tanh(np.log1p(np.exp(X)))), "gelu": (X, X * special.ndtr(X)), "elu": (X, np.where(X > 0, X, np.expm1(X))),
    "leaky_relu": (X, np.where(X > 0, X, 0.2 * X)), "relu6": (X, np.clip(X, 0, 6)), "hardtanh": (X, np.clip(X, -1, 1)), "heaviside": (X, np.heaviside(X, 0)),
    "entropy": (P, special.entr(P).sum()), "nan_to_num": (X, X),
}  # fmt: skip
TWO: dict[str, tuple[Any, Any, Any]] = {
    "fmax": (X, P, np.fmax(X, P)), "fmin": (X, P, np.fmin(X, P)), "remainder": (X, P, np.remainder(X, P)), "hypot": (X, P, np.hypot(X, P)),
    "copysign": (P, X, np.copysign(P, X)), "logaddexp": (2.0, 1.0, np.logaddexp(2.0, 1.0)), "inner": (X, P, np.inner(X, P)), "mm": (M, M, M @ M),
    "cross": (X, P, np.cross(X, P)), "kl": (P, Q, special.rel_entr(P, Q).sum()),
    "cosine_similarity": (X, P, X @ P / np.linalg.norm(X) / np.linalg.norm(P)),
}  # fmt: skip
DRAWS = ("gumbel", "weibull", "cauchy", "chi2", "lognormal", "rand", "randperm", "binomial", "dirichlet")


def written(name: str) -> str:
    """The expression that a hint gives first."""
    found = re.search(r"(?:It|it) is `([^`]+)`", OTHER_NAMES[name])
    assert found is not None, OTHER_NAMES[name]
    return found[1]


def constants(name: str, **given: Any) -> Any:
    texts = [f"{key}: {np.asarray(value).tolist()}" for key, value in given.items()]
    said = STUDY.replace("CONSTANTS", ", ".join([*texts, f'found: "{written(name)}"']))
    said = said.replace("EXAMPLE", "y: found")
    (experiment,) = spec.resolve(spec.parse(Source("names.yaml", said))).experiments
    return next(item.term.value for item in experiment.programs[0].examples if item.name == "y")


def test_no_name_of_others_is_an_operation() -> None:
    assert set(OTHER_NAMES).isdisjoint({*OPERATIONS, *DISTRIBUTIONS, *FORMS})


@pytest.mark.parametrize("name", [*ONE, *TWO])
def test_a_name_of_others_leads_to_its_value(name: str) -> None:
    *given, expected = (*ONE.get(name, ()), *TWO.get(name, ()))
    found = constants(name, **dict(zip("ab" if len(given) > 1 else "x", given, strict=True)))
    np.testing.assert_allclose(np.asarray(found, float), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", DRAWS)
def test_a_distribution_of_others_leads_to_a_draw(name: str) -> None:
    draw = re.search(r"Draw `(\w): ([^`]+)`", OTHER_NAMES[name])
    drawn = f'{draw[1]}: "{draw[2]}", ' if draw is not None else ""
    said = STUDY.replace("CONSTANTS", "k: 2, n: 3, p: 0.5, a: 2, mean: 0, deviation: 1")
    spec.resolve(spec.parse(Source("names.yaml", said.replace("EXAMPLE", f'{drawn}v: "{written(name)}"'))))


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        ("lognormal(0, 1)", "It is `exp(normal(mean, deviation))`."),
        ("dropout(u, 0.5)", "It is a layer: use it in a network's `layers`."),
    ],
)
def test_it_is_told_where_the_name_stands(call: str, hint: str) -> None:
    said = STUDY.replace("CONSTANTS", "c: 1").replace("EXAMPLE", f'v: "{call}"')
    with pytest.raises(StudyError) as caught:
        spec.resolve(spec.parse(Source("names.yaml", said)))
    assert caught.value.problems[0].hint == f"{hint}  `dlspec ops` lists them all."
