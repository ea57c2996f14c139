"""Combinations of draws with few values: each once, all of them or so many to train on, against the same in NumPy."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.ir.data import Combinations, Enumerated
from dlspec.spec.ir.plan import Program

pytestmark = pytest.mark.usefixtures("traced_once")
FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
P = 7
BODY = """
dlspec: 1
study: t
experiments:
  e:
    dtype: float64
    constants: {p: 7}
    task:
      data: {enumerate: [a, s, b] MORE}
      example: {a: integer(p), b: "integer(3)", s: "rademacher([2])", c: (a + b) % p}
    architecture:
      f: {input: "one_hot(a, p)", layers: [dense: {units: 1, use_bias: false, kernel_initializer: zeros}]}
      g: {input: "one_hot(b, 3)", layers: [dense: {units: 1, use_bias: false, kernel_initializer: zeros}]}
    loss: {linear: "-c * f - s[0] * b * g"}
    training: {optimizer: {sgd: 0.5}, BATCH steps: 12, evaluate: {every: 4}}
    measures:
      seen: {of: "E([1.0 * a, b, s[0], s[1], c, a * b * s[1]])", on: train}
      other: "E([1.0 * a, b, s[0], s[1], c, a * b * s[1]])"
      f: {of: f.dense.kernel}
      g: {of: g.dense.kernel}
    replicates: 3
"""
EVERY = [(a, s0, s1, b) for b, s1, s0, a in product(range(3), (1, -1), (1, -1), range(P))]


def program(more: str = ", train: 0.4", batch: str = "batch: 11,") -> Program:
    text = BODY.replace("MORE", more).replace("BATCH", batch)
    return spec.resolve(spec.parse(Source("t.yaml", text))).experiments[0].programs[0]


def values(numbers: np.ndarray) -> np.ndarray:
    a, s0, s1, b = np.asarray(EVERY)[numbers].T
    return np.stack([a, b, s0, s1, (a + b) % P, a * b * s1], axis=-1).astype(float)


@FORMS
def test_a_share_of_all_combinations_trains_and_the_rest_is_tested(xla: bool) -> None:
    one = program()
    assert isinstance(one.data, Combinations) and (one.data.train, one.data.test) == (33, 51)
    compiled = Compiled(one, range(3), xla)
    rows = compiled.seeds.draws["file rows"].numpy()
    assert all((np.sort(row) == np.arange(84)).all() for row in rows) and (rows[0] != rows[1]).any()
    compiled.train(3)  # one epoch
    after, errors = compiled.evaluate_with_errors()
    for row, numbers in enumerate(rows):
        np.testing.assert_allclose(after["seen"][row], values(numbers[:33]).mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(after["other"][row], values(numbers[33:]).mean(axis=0), rtol=1e-12)
        a, b, s0, _, c, _ = values(numbers[:33]).T
        expected = [0.5 * (c * (a == which)).sum() / 11 for which in range(P)]
        np.testing.assert_allclose(after["f"][row].ravel(), expected, rtol=1e-12, atol=1e-15)
        expected = [0.5 * (s0 * b * (b == which)).sum() / 11 for which in range(3)]
        np.testing.assert_allclose(after["g"][row].ravel(), expected, rtol=1e-12, atol=1e-15)
    assert not errors  # it is all there is


@FORMS
def test_all_combinations_train_and_are_tested(xla: bool) -> None:
    one = program("", "")
    assert isinstance(one.data, Enumerated) and one.data.exact and one.training is not None
    assert one.training.largest_batch == one.data.train == one.data.test == 84
    compiled = Compiled(one, range(2), xla)
    compiled.train(1)
    after = compiled.evaluate()
    every = values(np.arange(84))
    for name in ("seen", "other"):
        np.testing.assert_allclose(after[name], [every.mean(axis=0)] * 2, rtol=1e-12, atol=1e-15)
    expected = [0.5 * (every[:, 4] * (every[:, 0] == which)).mean() for which in range(P)]
    np.testing.assert_allclose(after["f"][0].ravel(), expected, rtol=1e-12)


def test_both_forms_train_on_the_same_and_go_on_from_a_checkpoint() -> None:
    states = []
    for xla in (False, True):
        compiled = Compiled(program(", train: 50, order: with_replacement"), range(2), xla)
        compiled.train(5)
        kept = compiled.saved()
        compiled.train(4)
        again = Compiled(compiled.batch, range(2), xla)
        again.restore(5, kept)
        again.train(4)
        states.append(again.saved()[0])
        for a, b in zip(states[-1], compiled.saved()[0], strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(*states, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_full_batch_is_the_training_set() -> None:
    one = program(", train: 0.4", "batch: full,")
    assert one.training is not None and one.training.largest_batch == 33


def test_digests_know_the_share_and_which_draws() -> None:
    ways = [program(), program(", train: 33"), program(", train: 34"), program("", "")]
    digests = [way.digest for way in ways]
    assert digests[0] == digests[1] and len(set(digests)) == 3


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (", train: 84", "84 of 84 combinations train, and none is left to test on"),
        (", train: 1.0", "'train' is 1, which is neither a number of combinations nor a share"),
        (", train: 0.001", "0.001 of 84 is less than one"),
        (", train: 0.4, test: 3", "'test' does not go with 'enumerate'"),
        (", order: shuffle", "'order' does not go with 'enumerate'"),
    ],
)
def test_what_cannot_be_divided_is_refused(more: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        program(more)
