"""Steps that are said by where phases begin and end: at which measures are taken, as in claims."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.diff import compare
from dlspec.spec.ir.claims import Number, parts

STUDY = """
dlspec: 1
study: t
experiments:
  e:
    constants: {more: 3}
    FUNCTIONS
    task: {example: {x: "normal([2])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, phases: {a: {steps: 10, times: 2}, b: {steps: 20}}, evaluate: {at: [AT]}}
    measures: {m: E(f^2)}
"""


def evaluations(at: str, functions: str = "") -> tuple[int, ...]:
    text = STUDY.replace("AT", at).replace("FUNCTIONS", functions or "about: text")
    (program,) = spec.resolve(spec.parse(Source("t.yaml", text))).experiments[0].programs
    assert program.training is not None
    return program.training.evaluations


def test_measures_are_taken_where_phases_begin_and_end() -> None:
    assert evaluations('start(b) + 2 * more, "end(a[0]) - 1", 7') == (0, 7, 9, 10, 20, 26, 40)
    assert evaluations("end(7)", "functions: {end(k): k + 1}") == (0, 8, 10, 20, 40), "a user's name wins"


def test_a_border_is_a_number_in_claims() -> None:
    text = STUDY.replace("AT", "7").replace("FUNCTIONS", "variants: {one: {}, other: {SAID}}")
    text += '    claims: {c: {says: s, check: "first_step(m < 1) < start(b) + end(b) / 2", judge: mean}}\n    replicates: 5\n'
    (claim,) = spec.resolve(spec.parse(Source("t.yaml", text.replace("SAID", "seed: 1")))).experiments[0].claims
    numbers = [part.value for part in parts(claim.tree) if isinstance(part, Number)]
    assert sorted(numbers) == [1, 40]
    with pytest.raises(StudyError, match="this is step 40 in one cell and 50 in another"):
        spec.resolve(spec.parse(Source("t.yaml", text.replace("SAID", "training: {phases: {b: {steps: 30}}}"))))


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("end(c)", "there is no phase 'c'"),
        ('"end(a[2])"', "the phase 'a' has 2 passes, and no pass 2"),
        ("start(a) - 1", "a step cannot be negative, and this is -1"),
        ("end(a) + other", "a step is made of constants that no axis changes, and 'other' is not one"),
    ],
)
def test_what_is_no_step_is_refused(at: str, message: str) -> None:
    with pytest.raises(StudyError) as caught:
        evaluations(at)
    (problem,) = caught.value.problems
    assert problem.message == message and problem.span is not None and problem.hint


SCHEDULED = """
dlspec: 1
study: t
experiments:
  e:
    constants: {long: 10}
    sweep: {long: [10, 20]}
    FUNCTIONS
    task: {example: {x: "normal([2])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: {of: f^2, weight: "WEIGHT"}}
    training:
      optimizer: {sgd: 0.1}
      batch: 4
      phases: {a: {steps: long, times: 2}, b: {steps: 20, optimizer: {sgd: {learning_rate: "RATE"}}}}
      evaluate: {at: [start(b) + 1]}
    measures: {m: E(f^2)}
"""


def digests(rate: str, weight: str = "1", functions: str = "about: text", name: str = "b") -> list[str]:
    text = SCHEDULED.replace("RATE", rate).replace("WEIGHT", weight).replace("FUNCTIONS", functions)
    plan = spec.resolve(spec.parse(Source("t.yaml", text.replace("b: {", f"{name}: {{").replace("(b)", f"({name})"))))
    return [program.digest for program in plan.experiments[0].programs]


def test_a_schedule_may_count_from_a_border_which_is_its_step() -> None:
    """In each cell its own; a rate of a phase has its bounds in that phase alone."""
    short, long = digests("0.1 * abs(step - start(b) + 1)", "1 if step < end(a[0]) else 0.5")
    assert short == digests("0.1 * abs(step - 20 + 1)", "1 if step < 10 else 0.5")[0]
    assert long == digests("0.1 * abs(step - 40 + 1)", "1 if step < 20 else 0.5")[1]
    assert digests("end(7) / 100", functions="functions: {end(k): k + 1}") == digests("0.08"), "a user's name wins"
    with pytest.raises(StudyError, match=r"and is -0\.1 at step 20"):
        digests("0.1 * (step - start(b) - 1)")


def test_a_phase_that_is_renamed_keeps_what_counts_from_it() -> None:
    old = (
        SCHEDULED.replace("RATE", "0.1 / (step - start(b) + 1)").replace("WEIGHT", "1").replace("FUNCTIONS", "about: x")
    )
    new = old.replace("b: {", "tune: {").replace("(b)", "(tune)")
    changes = compare(*(spec.parse(Source("t.yaml", text)) for text in (old, new))).changes
    assert {change.action for change in changes} <= {"renamed"}
    assert digests("0.1 / (step - start(b) + 1)") == digests("0.1 / (step - start(b) + 1)", name="tune")
