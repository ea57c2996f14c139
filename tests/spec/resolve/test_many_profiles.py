"""A profile that changes the steps alone has no measure looked through again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.check import experiment
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir import terms as t
from dlspec.spec.resolve import conclusions, resolve

STUDY = """
dlspec: 1
study: many
experiments:
  e:
    task: {{example: {{x: "normal([4])", y: sum(x)}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    outputs: {{o: f * 2}}
    loss: {{l: "(f - y)^2"}}
    training: {{optimizer: {{sgd: 0.1}}, batch: 4, steps: 2}}
    measures: {{{measures}}}
profiles: {{{profiles}}}
"""


def _walked(monkeypatch: pytest.MonkeyPatch, measures: int, profiles: int) -> int:
    """How many terms are gone through in a validation."""
    count = 0
    walk = t.walk

    def counted(*args: Any) -> Iterator[t.Term]:
        nonlocal count
        for item in walk(*args):
            count += 1
            yield item

    text = STUDY.format(
        measures=", ".join(f'm{n}: "E((o - y)^2 * {n + 2})"' for n in range(measures)),
        profiles=", ".join(f"p{n}: {{experiments: {{e: {{training: {{steps: {n + 3}}}}}}}}}" for n in range(profiles)),
    )
    with monkeypatch.context() as patched:
        patched.setattr(t, "walk", counted)
        assert spec.validate(spec.parse(Source("many.yaml", text))) == ()
    return count


def test_profiles_share_what_is_found_in_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (_walked(monkeypatch, measures, 20) - _walked(monkeypatch, measures, 2) for measures in (5, 40))
    assert few == many


SPOKEN = """
dlspec: 1
study: spoken
experiments:
  e: &e
    task: {{example: {{x: "normal([4])", y: sum(x)}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    loss: {{l: "(f - y)^2"}}
    training: {{optimizer: {{sgd: 0.1}}, batch: 4, {steps}}}
    measures: {{m: E((f - y)^2)}}
    replicates: 5
    claims: {{{claims}}}
  other: *e
profiles: {{{profiles}}}
"""


def _counted(monkeypatch: pytest.MonkeyPatch, claim: str, steps: str, changed: str) -> tuple[int, int]:
    """How many claims are checked, and how many experiments are gone through, with six claims and ten profiles that change one of two."""
    claims: list[object] = []
    experiments: list[object] = []
    check, resolver = conclusions.check_claim, resolve.ExperimentResolver
    with monkeypatch.context() as patched:
        patched.setattr(conclusions, "check_claim", lambda *given: (claims.append(given), check(*given))[1])
        patched.setattr(resolve, "ExperimentResolver", lambda *given: (experiments.append(given), resolver(*given))[1])
        text = SPOKEN.format(
            steps=steps,
            claims=", ".join(f'c{n}: {{says: Small., check: "{claim} < {n + 1}"}}' for n in range(6)),
            profiles=", ".join(
                f"p{n}: {{experiments: {{e: {{training: {changed.replace('N', str(n + 3))}}}}}}}" for n in range(10)
            ),
        )
        assert spec.validate(spec.parse(Source("spoken.yaml", text))) == ()
    return len(claims), len(experiments)


SIZED = """
dlspec: 1
study: sized
experiments:
  e:
    constants: {{d: 3}}
    task: {{example: {{x: "normal([d])", y: sum(x)}}}}
    architecture: {{f: {{input: x, layers: [dense: 4, dense: 1]}}}}
    loss: {{l: "(f - y)^2"}}
    training: {{optimizer: {{sgd: 0.1}}, batch: 4, steps: 20, evaluate: {{every: 10}}}}
    measures: {{m: E((f - y)^2)}}
    claims: {{c: {{says: Small., check: "final(m) < 9"}}}}
profiles: {{{profiles}}}
"""


def _sized(more: str = "") -> Source:
    """Sixty profiles, of other sizes, rates, steps, and factors in the loss."""
    forms = (
        "{{constants: {{d: {}}}}}",
        "{{training: {{optimizer: {{sgd: 0.{}}}}}}}",
        "{{training: {{steps: {}0}}}}",
        '{{loss: {{l: "{} * (f - y)^2"}}}}',
    )
    profiles = [f"p{n}: {{experiments: {{e: {forms[n % 4].format(n + 4)}}}}}" for n in range(60)]
    return Source("sized.yaml", SIZED.format(profiles=", ".join([*profiles, *([more] if more else [])])))


def test_profiles_that_differ_in_numbers_alone_are_checked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each as it is checked alone: its constants, steps and evaluations."""

    def seen(together: bool) -> tuple[int, list[Any]]:
        programs: list[object] = []
        program = experiment.ExperimentChecker.program
        with monkeypatch.context() as patched:
            patched.setattr(
                experiment.ExperimentChecker, "program", lambda self: (programs.append(self), program(self))[1]
            )
            looked = resolve.in_every_profile(spec.parse(_sized()), _shown, together=together)
        return len(programs), looked

    alone, shown_alone = seen(False)
    together, shown = seen(True)
    assert shown == shown_alone
    assert alone == 61
    assert together <= 12, (
        "four forms, some numbers of which the first is checked alone, and the study without a profile"
    )


def _shown(plan: Any) -> Any:
    (program,) = plan.experiments[0].programs
    training = program.training
    constants = {name: float(value) for name, value in program.constants.items()}
    return constants, [phase.steps for phase in training.phases], tuple(training.evaluations)


def test_what_one_of_many_profiles_has_wrong_is_told_of_it_alone() -> None:
    assert [message for message, _ in _told(_sized())] == [
        "the claim 'c' is judged on one replicate of something random: it can be seen, but cannot hold"
    ]
    found = _told(_sized("wrong: {experiments: {e: {constants: {d: 0}}}}"))
    hint = "Write whole numbers from 1 on, as in `[3, 2]`.  In the profile 'wrong'."
    assert found == [("the shape of `normal` has to be an array of sizes such as [3, 2], and is [0]", hint)]


def _told(source: Source) -> list[tuple[str, str]]:
    try:
        found = spec.validate(spec.parse(source))
    except spec.StudyError as error:
        found = error.problems
    return [(problem.message, problem.hint) for problem in found]


def test_claims_that_speak_of_the_same_are_checked_once_for_all_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a profile for each of two experiments, and once for all ten profiles of one."""
    counts = _counted(monkeypatch, "final(m)", "steps: 2", "{steps: N}")
    assert counts == (3 * 6, 2 + 10)


def test_claims_of_borders_are_checked_where_borders_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = _counted(
        monkeypatch, "at(m, end(a))", "phases: {a: {steps: 2}, b: {steps: 2}}", "{phases: {a: {steps: N}}}"
    )
    assert counts == (2 * 6 + 10 * 6, 2 + 10)


def test_a_profile_that_leaves_too_few_replicates_is_told_of_each_claim() -> None:
    text = SPOKEN.format(
        steps="steps: 2",
        claims='a: {says: Small., check: "final(m) < 9", judge: mean}, b: {says: Small., check: "final(m) < 9"}',
        profiles="few: {experiments: {e: {replicates: 1}}}, steps: {experiments: {e: {training: {steps: 3}}}}",
    )
    (warning,) = spec.validate(spec.parse(Source("spoken.yaml", text)))
    assert "the claim 'a' can't be decided" in warning.message
