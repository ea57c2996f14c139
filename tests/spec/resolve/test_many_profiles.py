"""A profile that changes the steps alone has no measure looked through again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from dlspec import spec
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
