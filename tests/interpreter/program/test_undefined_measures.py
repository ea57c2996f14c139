"""A measure that is not finite is a gap in its curve: it ends nothing, and is no divergence."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.job import Job
from dlspec.interpreter.program.program_cache import ProgramCache
from dlspec.interpreter.program.training_loop import train
from dlspec.interpreter.results.replicates import UNDEFINED, Replicate, Results
from dlspec.interpreter.results.verdicts import FAILS, HOLDS, OPEN
from dlspec.interpreter.schedule.batching import split_into_batches
from dlspec.interpreter.store.requests import CellRequest
from dlspec.interpreter.verdicts.judge import judge
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program

from tests.interpreter.silent import Silent

STUDY = """
seed: 1
task: {draw: {w: "normal([2])"}, example: {x: "normal([2])", y: "dot(w, x)"}}
architecture: {f: {input: x, layers: [dense: 1]}}
loss: {square: (f - y)^2}
training: {optimizer: {sgd: {learning_rate: RATE}}, batch: 4, steps: 40, evaluate: {every: 1, examples: 50}}
measures: {error: E((f - y)^2), odd: log(E((f - y)^2) - FLOOR)}
replicates: 3
"""


class Warned(Silent):
    """Keeps warnings."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def warn(self, text: str) -> None:
        self.told.append(text)


def run(program: Program, jit: str = "graph") -> tuple[list[Replicate], list[str]]:
    """A program's replicates side by side, and the warnings."""
    watcher = Warned()
    (batch,) = split_into_batches(CellRequest.of(program, "cpu"), range(program.replicates))
    return train(Job(0, batch, jit), watcher, threading.Event(), ProgramCache()), watcher.told


@pytest.mark.parametrize("jit", ["graph", "xla"])
def test_a_measure_that_is_not_finite_is_a_gap_and_ends_nothing(program: Callable[[str], Program], jit: str) -> None:
    """A logarithm of what falls below 0: all else has the numbers to the bit that it has without, and one warning says where it began."""
    text = STUDY.replace("RATE", "0.1").replace("FLOOR", "0.3")
    some, told = run(program(text), jit)
    whole, none = run(program(text.replace(", odd: log(E((f - y)^2) - 0.3)", "")), jit)
    assert [one.status for one in some] == ["done"] * 3 and none == []
    begin = {}
    for one, other in zip(some, whole, strict=True):
        np.testing.assert_array_equal(one.curves["error"], other.curves["error"])
        error, odd = np.asarray(one.curves["error"]), np.asarray(one.curves["odd"])
        assert one.steps == list(range(41))
        np.testing.assert_array_equal(np.isfinite(odd), error > 0.3)
        with np.errstate(invalid="ignore"):
            np.testing.assert_allclose(odd, np.log(error - 0.3), rtol=1e-6, equal_nan=True)
        begin[one.number] = int(np.argmax(~np.isfinite(odd)))
        final = one.final()
        assert np.isnan(final["odd"]) and final["error"] == error[-1]
    step = min(begin.values())
    first = [str(number) for number, at in begin.items() if at == step]
    assert len(set(begin.values())) > 1
    (warning,) = told
    of = f"replicate{'s' if len(first) > 1 else ''} {', '.join(first)}"
    assert f"the measure 'odd' is not finite at step {step} in {of}: its curve has a gap there" in warning


def test_training_that_is_not_finite_has_diverged_whatever_is_measured(program: Callable[[str], Program]) -> None:
    """A sum of squares over 50 examples is too large before the loss of four is: it ends nothing, and the loss does."""
    text = STUDY.replace("RATE", "30").replace("FLOOR", "0")
    some, told = run(program(text))
    alone, _ = run(program(text.replace(", odd: log(E((f - y)^2) - 0)", "").replace("E((f - y)^2)", "E(f * 0)")))
    assert [one.status for one in some] == ["diverged"] * 3
    assert any("the measure 'error' is not finite" in line for line in told)
    for one, other in zip(some, alone, strict=True):
        assert (one.end, one.message) == (other.end, other.message)
        assert one.message.startswith("the loss term 'square'")
        assert set(one.final().values()) == {None}


def test_a_gap_may_close_again(program: Callable[[str], Program]) -> None:
    """`until` looks at what is there, and claims at what they name."""
    text = (
        STUDY.replace("RATE", "0.1").replace("FLOOR", "0").replace("log(E((f - y)^2) - 0)", "0 / (step - 3) + 0 * E(f)")
    )
    some, told = run(program(text.replace("evaluate:", "until: odd > 1, evaluate:")))
    for one in some:
        assert one.status == "done" and np.flatnonzero(np.isnan(np.asarray(one.curves["odd"]))).tolist() == [3]
    assert len(told) == 1 and "at step 3 in replicates 0, 1 and 2" in told[0]


def test_claims_on_other_measures_are_decided(program: Callable[[str], Program]) -> None:
    lines = (
        STUDY.replace("RATE", "0.1")
        .replace("FLOOR", "0.3")
        .replace("replicates: 3", "replicates: 5")
        .strip()
        .splitlines()
    )
    claims = [
        'claims:', '  yes: {says: it, check: "final(error) < 0.3"}', '  no: {says: it, check: "final(odd) < 0"}',
        '  none: {says: it, check: "diverged()"}',
    ]  # fmt: skip
    text = (
        "\n".join(["dlspec: 1", "study: s", "experiments:", "  e:", *(f"    {line}" for line in [*lines, *claims])])
        + "\n"
    )
    (plan,) = spec.resolve(spec.parse(Source("s.yaml", text))).experiments
    replicates, _ = run(plan.programs[0])
    found = {one.claim.name: one for one in (judge(claim, Results.of_plan(plan, replicates)) for claim in plan.claims)}
    assert {name: one.verdict for name, one in found.items()} == {
        "yes": HOLDS,
        "no": OPEN,
        "none": FAILS,
    }
    assert "the measure 'odd' was undefined (NaN) at step 40 in" in found["no"].reason


@pytest.mark.parametrize(
    ("status", "expected"), [("diverged", [HOLDS, FAILS]), (UNDEFINED, [OPEN, OPEN]), ("done", [FAILS, HOLDS])]
)
def test_a_claim_of_divergence_is_open_where_a_version_before_ended_a_replicate_at_a_measure(
    status: str, expected: list[str]
) -> None:
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
