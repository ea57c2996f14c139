"""A measure that is not finite ends a replicate, and is no divergence where training is finite."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.results.replicates import UNDEFINED, Replicate, Results
from dlspec.interpreter.results.verdicts import FAILS, HOLDS, OPEN
from dlspec.interpreter.verdicts.judge import judge
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program

STUDY = """
seed: 1
task: {draw: {w: "normal([2])"}, example: {x: "normal([2])", y: "dot(w, x)"}}
architecture: {f: {input: x, layers: [dense: 1]}}
loss: {square: (f - y)^2}
training: {optimizer: {sgd: {learning_rate: RATE}}, batch: 4, steps: 40, evaluate: {every: 1, examples: 50}}
measures: {error: E((f - y)^2), odd: log(E((f - y)^2) - FLOOR)}
replicates: 3
"""


def test_training_that_is_finite_is_undefined_and_one_that_is_not_has_diverged(
    replicates: Callable[..., list[Replicate]], program: Callable[[str], Program]
) -> None:
    """Both end at a measure: at a logarithm of what falls below 0, and at a sum of squares that is too large."""
    sound = replicates(program(STUDY.replace("RATE", "0.2").replace("FLOOR", "0.02")))
    assert [one.status for one in sound] == [UNDEFINED] * 3
    for one in sound:
        assert one.cause == "odd" and one.end == one.steps[-1]
        assert (
            one.message
            == f"the measure 'odd' was not finite at step {one.end}, while training was, and it was ended there"
        )
        assert np.isnan(one.curves["odd"][-1]) and np.isfinite(one.curves["error"][-1])
        assert set(one.final().values()) == {None}
    blown = replicates(program(STUDY.replace("RATE", "30").replace("FLOOR", "0")))
    assert [one.status for one in blown] == ["diverged"] * 3
    assert any(one.cause == "error" for one in blown), "the measure over 50 examples is too large first"
    for one in blown:
        told = (
            f"the measure 'error' was not finite at step {one.end}, and the loss term 'square'"
            if one.cause
            else "the loss term 'square'"
        )
        assert one.message.startswith(told)


def test_looking_ahead_changes_nothing_of_the_replicates_that_go_on(
    replicates: Callable[..., list[Replicate]], program: Callable[[str], Program]
) -> None:
    """Replicates end at different steps; without the odd measure all go on, with the same numbers to the bit."""
    text = STUDY.replace("RATE", "0.1").replace("FLOOR", "0.3")
    ended = replicates(program(text))
    whole = replicates(program(text.replace(", odd: log(E((f - y)^2) - 0.3)", "")))
    assert len({one.end for one in ended}) > 1 and all(one.status == "done" for one in whole)
    for one, other in zip(ended, whole, strict=True):
        np.testing.assert_array_equal(one.curves["error"], other.curves["error"][: len(one.steps)])


@pytest.mark.parametrize(
    ("status", "expected"), [("diverged", [HOLDS, FAILS]), (UNDEFINED, [OPEN, OPEN]), ("done", [FAILS, HOLDS])]
)
def test_a_claim_of_divergence_is_open_where_only_a_measure_was_undefined(status: str, expected: list[str]) -> None:
    body = STUDY.replace("RATE", "1").replace("FLOOR", "0").replace("replicates: 3", "replicates: 5")
    claims = 'claims: {yes: {says: it, check: "diverged()"}, no: {says: it, check: "not diverged()"}}'
    lines = [f"    {line}" for line in [*body.strip().splitlines(), claims]]
    text = "\n".join(["dlspec: 1", "study: s", "experiments:", "  e:", *lines]) + "\n"
    (plan,) = spec.resolve(spec.parse(Source("s.yaml", text))).experiments
    runs = [
        Replicate("e", "", {}, number, "", status, "the measure 'odd' was not finite at step 3" if status == UNDEFINED else "",
                  steps=[3], curves={"error": [np.float64(1)], "odd": [np.float64(1)]})
        for number in range(5)
    ]  # fmt: skip
    found = [judge(claim, Results.of_plan(plan, runs)) for claim in plan.claims]
    assert [one.verdict for one in found] == expected
    if status == UNDEFINED:
        assert all("the measure 'odd' was not finite at step 3" in one.reason for one in found)
