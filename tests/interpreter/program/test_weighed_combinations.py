"""Combinations that are not equally likely against sums over all of them in NumPy: measures, losses, statistics, in both forms."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program

pytestmark = pytest.mark.usefixtures("traced_once")
FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
RATE = 0.05
Q = np.asarray([0.5, 0, 0.3, 0.2])
BODY = """dlspec: 1
study: t
experiments:
  e:
    dtype: float64
    constants: {q: [5, 0, 3, 2]}
    task:
      data: {enumerate: [a, b, s] MORE}
      example: {a: categorical(q), b: "bernoulli([0.1, 0.6])", s: rademacher(), c: "a * s + b[0]", x: "[1.0 * a, b[0], b[1], s]"}
    architecture: {f: {input: x, layers: [dense: {units: 1, use_bias: false, kernel_initializer: ones}]}}
    loss: {l: "(f - c)^2 / 2", tie: "B(b[1] * f)^2 / 2"}
    training: {optimizer: {sgd: 0.05}, BATCH steps: 3}
    measures:
      all: {of: "E([1.0, a, b[0], b[1], s, c * b[1]])", on: train}
      tested: "E([1.0, a, b[0], b[1], s, c * b[1]])"
      bare: {of: "c * b[1]", on: train}
      when: {of: "E(c, where=a > 0)", on: train}
      share: {of: "E(b[1] == 1, where=a > 0)", on: train}
      never: {of: "E(c, where=a == 1)", on: train}
      mean_gradient: {of: "E(gradient((f - c)^2 / 2, f.weights))", on: train}
      kernel: {of: f.dense.kernel}
      norm: {gradient_norm: {of: (f - c)^2 / 2, weights: f.weights, on: test}}
      hessian: {hessian_eigenvalues: {of: (f - c)^2 / 2, weights: f.weights, largest: 4, tolerance: 1e-9, on: train}}
      ntk: {ntk_eigenvalues: {of: f, weights: f.weights, largest: 3, on: test}}
      SNR
    replicates: 2
"""
EVERY = np.asarray([(a, b0, b1, s) for s, b1, b0, a in product((1, -1), (0, 1), (0, 1), (0, 2, 3))], float)
"""a is the lowest digit; 1 has no probability, and is none of its values."""
P = np.prod([Q[EVERY[:, 0].astype(int)], np.where(EVERY[:, 1], 0.1, 0.9), np.where(EVERY[:, 2], 0.6, 0.4)], axis=0) / 2


def program(more: str, batch: str, snr: str = "") -> Program:
    text = BODY.replace("MORE", more).replace("BATCH", batch).replace("SNR", snr)
    return spec.resolve(spec.parse(Source("t.yaml", text))).experiments[0].programs[0]


def means(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The mean of some rows' values, each by its probability."""
    return np.asarray(np.tensordot(P[rows] / P[rows].sum(), values[rows], 1))


def check(after: dict[str, np.ndarray], trained: np.ndarray, tested: np.ndarray) -> None:
    """What is measured after two full-batch steps of one replicate, against sums over its rows."""
    x, c = EVERY, EVERY[:, 0] * EVERY[:, 3] + EVERY[:, 1]
    told = np.column_stack([np.ones(len(x)), x, c * x[:, 2]])
    np.testing.assert_allclose(after["all"], means(trained, told), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(after["tested"], means(tested, told), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(after["bare"], means(trained, c * x[:, 2]), rtol=1e-12, atol=1e-15)
    positive = trained[x[trained, 0] > 0]
    np.testing.assert_allclose(after["when"], means(positive, c), rtol=1e-12)
    np.testing.assert_allclose(after["share"], means(positive, x[:, 2]), rtol=1e-12)
    assert np.isnan(after["never"])
    w = np.ones(4)
    for _ in range(2):
        tie = means(trained, x[:, 2] * (x @ w)) * means(trained, x[:, 2:3] * x)
        w = w - RATE * (means(trained, (x @ w - c)[:, np.newaxis] * x) + tie)
    np.testing.assert_allclose(after["kernel"].ravel(), w, rtol=1e-12)
    gradients = (x @ w - c)[:, np.newaxis] * x
    np.testing.assert_allclose(after["mean_gradient"], means(trained, gradients), rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(after["norm"], np.linalg.norm(means(tested, gradients)), rtol=1e-11)
    hessian = means(trained, x[:, :, np.newaxis] * x[:, np.newaxis])
    np.testing.assert_allclose(after["hessian"], np.linalg.eigvalsh(hessian)[::-1], rtol=1e-9)
    roots = np.sqrt(P[tested] * len(tested) / P[tested].sum())[:, np.newaxis] * x[tested]
    np.testing.assert_allclose(after["ntk"], np.linalg.eigvalsh(roots @ roots.T)[::-1][:3], rtol=1e-6)
    if "snr" in after:
        signal = (means(trained, gradients) ** 2).sum()
        np.testing.assert_allclose(
            after["snr"], signal / (means(trained, (gradients**2).sum(axis=1)) - signal), rtol=1e-9
        )


@FORMS
def test_each_combination_weighs_its_probability(xla: bool) -> None:
    one = program("", "", "snr: {gradient_snr: {of: (f - c)^2 / 2, weights: f.weights}}")
    assert one.data.train == one.data.test == len(EVERY) == 24  # those of positive probability
    np.testing.assert_allclose(P.sum(), 1)
    compiled = Compiled(one, range(2), xla)
    compiled.train(2)
    after = compiled.evaluate()
    check({name: value[1] for name, value in after.items()}, np.arange(24), np.arange(24))


def test_a_set_is_weighed_by_what_it_holds() -> None:
    one = program(", train: 0.6", "batch: full,")
    assert (one.data.train, one.data.test) == (14, 10)
    compiled = Compiled(one, range(2), True)
    compiled.train(2)
    rows = compiled.seeds.draws["file rows"].numpy()
    assert (np.sort(rows[0][:14]) != np.sort(rows[1][:14])).any()
    after = compiled.evaluate()
    for row, numbers in enumerate(rows):
        check({name: value[row] for name, value in after.items()}, numbers[:14], numbers[14:])
    again = Compiled(compiled.batch, range(2), True)
    again.restore(2, compiled.saved())
    for each in (compiled, again):
        each.train(1)
    for a, b in zip(again.saved()[0], compiled.saved()[0], strict=True):
        np.testing.assert_array_equal(a, b)


def test_points_of_a_sweep_weigh_by_their_own_probabilities() -> None:
    def digests(b: str, more: str = "") -> list[str]:
        text = BODY.replace("MORE", "").replace("BATCH", "").replace("SNR", "").replace("bernoulli([0.1, 0.6])", b)
        text = text.replace("constants: {", f"{more}constants: {{p: 0.1, ")
        return [one.digest for one in spec.resolve(spec.parse(Source("t.yaml", text))).experiments[0].programs]

    swept = digests("bernoulli(p, [2])", "sweep: {p: [0.1, 0.5, 0.9]}\n    ")
    assert swept == [digests(f"bernoulli({p}, [2])")[0] for p in (0.1, 0.5, 0.9)] and len(set(swept)) == 3
