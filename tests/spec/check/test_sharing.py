"""Points of a sweep take up what they have in common: the plan is the one that each point gives when it is checked alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.check import experiment
from dlspec.spec.diagnostics import Source
from dlspec.spec.identity import measure_digest
from dlspec.spec.resolved import StudyPlan

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").rglob("*.yaml"))
STUDY = """\
dlspec: 1
study: s
experiments:
  e:
    constants: {n: 3, twice: 2 * n, rate: 0.1, other: 4}
    functions: {scaled(r): r * twice, plain(r): r * other}
    task: {draw: {v: "normal([n])", w: normal()}, example: {x: "normal([n])", z: normal(), y: "dot(v, x)"}}
    architecture:
      f: {input: x, layers: [dense: twice]}
      g: {input: "[z]", layers: [dense: 1]}
    outputs: {out: scaled(g), same: plain(g)}
    loss: {l: "sum(f)^2", m: "(out - z)^2", p: "(same - w)^2"}
    training: {optimizer: {sgd: {learning_rate: rate}}, batch: 4, steps: 10}
    measures: {shared: E(same^2), size: "E(sum(f))", weights: sum(g.dense.kernel), floor: {gradient_snr: {of: "(same - w)^2", weights: g.weights, examples: 64}}}
    sweep: {n: [2, 3], rate: [0.1, 0.2]}
"""


def resolved(text: str) -> StudyPlan:
    return spec.resolve(spec.parse(Source("s.yaml", text)))


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes every point be checked for itself."""

    def made() -> None:
        monkeypatch.setattr(experiment.ExperimentChecker, "take_up", lambda self, shared: None)

    return made


def meanings(plan: StudyPlan) -> list[Any]:
    programs = [program for each in plan.experiments for program in each.programs]
    return [
        (program.name, program.digest, {measure.name: measure_digest(program, measure) for measure in program.measures})
        for program in programs
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_the_studies_mean_the_same(path: Path, alone: Callable[[], None]) -> None:
    document = spec.load(str(path))
    together = [meanings(spec.resolve(document, profile)) for profile in (None, *document.study.profiles)]
    alone()
    assert together == [meanings(spec.resolve(document, profile)) for profile in (None, *document.study.profiles)]


def test_what_speaks_of_a_swept_constant_is_checked_anew(alone: Callable[[], None]) -> None:
    plan = resolved(STUDY)
    first, *others = plan.experiments[0].programs
    for program in others:
        shared = {
            item.name for item, own in zip(first.examples, program.examples, strict=True) if item.term is own.term
        }
        assert shared == {"z"}
        assert program.networks[1] is first.networks[1] and program.networks[0] is not first.networks[0]
        assert [own is other for own, other in zip(program.loss, first.loss, strict=True)] == [False, False, True]
        same = {one.name for one, other in zip(program.measures, first.measures, strict=True) if one is other}
        assert same == {"shared", "weights"}
    sizes = [program.networks[0].leaves()[0].weights["kernel"] for program in plan.experiments[0].programs]
    assert sizes == [(2, 4), (2, 4), (3, 6), (3, 6)]
    together = meanings(plan)
    alone()
    assert meanings(resolved(STUDY)) == together


def test_an_error_at_one_point_is_found_there() -> None:
    text = STUDY.replace('y: "dot(v, x)"', 'y: "dot(v, x) + x[2]"')
    with pytest.raises(spec.SpecError) as caught:
        resolved(text)
    assert "n = 2" in spec.render(caught.value.problems)
