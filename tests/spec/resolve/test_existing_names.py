"""Profiles and overrides reach all that is there, at any depth, and add no name of the writer's own."""

from __future__ import annotations

from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.ir.plan import Program
from dlspec.spec.resolve.overrides import Override

STUDY = """
dlspec: 1
study: reached
experiments:
  e:
    constants: {d: 3}
    functions: {double(a): 2 * a}
    task:
      draw: {w: "normal([d])"}
      data: {train: 40, test: 40}
      example: {x: "normal([d])", y: "dot(w, x)"}
      statistics: {mu: E(y)}
      tests: {far: {x: "3 * normal([d])"}}
    architecture:
      f:
        input: x
        layers:
          - repeat: {name: block, times: 2, layers: [{repeat: {name: inner, times: 2, layers: [{dense: {units: 4, name: hidden}}, activation: relu]}}]}
          - dense: 1
      g: {input: x, layers: [dense: 1]}
    gradient: {f: exact}
    outputs: {apart: f - g - mu}
    loss: {first: (f - y)^2, second: {of: (g - y)^2, weight: 0.5}}
    training:
      optimizer: {adam: {learning_rate: 0.01}}
      batch: 8
      phases: {one: {steps: 2}, two: {steps: 3}}
      updates: {F: {networks: [f], loss: [first]}, G: {networks: [g], loss: [second]}}
    measures: {loss: {of: E(apart^2)}, draw: E(apart), far: {of: E(apart), on: far}}
    figures: {shown: {kind: curves, y: [loss, draw]}, drawn: {kind: function, x: "x[0]", y: {f: f, y: y}}}
    variants: {a: {}, b: {training: {batch: 4}}}
    claims: {small: {says: It is small., check: "final(loss) < 1"}}
"""


def program(*overrides: str) -> Program:
    """The first cell under some overrides."""
    plan = spec.resolve(spec.parse(Source("s", STUDY)), None, list(map(Override.read, overrides)), ())
    return plan.experiments[0].programs[0]


@pytest.mark.parametrize(
    ("override", "there"),
    [
        ("constants.q=3", "constants"),
        ("task.draw.v=normal()", "task.draw"),
        ("task.example.z=x", "task.example"),
        ("task.statistics.sd=1", "task.statistics"),
        ('task.tests.near={x: "normal([d])"}', "task.tests"),
        ("task.tests.far.y=0", "task.tests.far"),
        ("architecture.h={input: x, layers: [dense: 1]}", "architecture"),
        ("outputs.sum=f + g", "outputs"),
        ("loss.third={of: f}", "loss"),
        ("training.phases.three={steps: 3}", "training.phases"),
        ("training.updates.H={networks: [g], loss: [second]}", "training.updates"),
        ("measures.m=E(f)", "measures"),
        ("figures.other={kind: curves, y: draw}", "figures"),
        ("gradient.g=stop", "gradient"),
        ("variants.c.training.batch=2", "variants"),
        ("claims.c={says: It is., check: final(draw) < 1}", "claims"),
    ],
)
def test_a_name_that_is_not_there_is_refused(override: str, there: str) -> None:
    name = override.partition("=")[0].removeprefix(there + ".").partition(".")[0]
    with pytest.raises(StudyError) as refused:
        program(f"experiments.e.{override}")
    assert f"there is no '{name}' under '{there}'" in str(refused.value)
    assert "An override only changes what is there." in str(refused.value)


def _hidden(found: Program) -> Any:
    return found.networks[0].layers[0].blocks[0][0].blocks[0][0]


def test_what_is_there_is_reached_at_any_depth() -> None:
    assert _hidden(program("e.architecture.f.layers.block.layers.inner.layers.hidden.units=7")).output.shape == (7,)
    found = program("e.architecture.f.layers.block.layers.inner.layers.activation.activation=tanh")
    assert found.networks[0].layers[0].blocks[0][0].blocks[0][1].config["activation"] == "tanh"
    updates = program("e.training.updates.G.times=3").training.phases[0].updates  # type: ignore[union-attr]
    assert [update.times for update in updates] == [1, 3]
    assert [phase.steps for phase in program("e.training.phases.two.steps=9").training.phases] == [2, 9]  # type: ignore[union-attr]
    assert program("e.training.phases.two.restart={f: initial}").training is not None
    assert program("e.figures.drawn.y.g=g")
    assert program("e.task.tests.far.x=2 * normal([d])")


@pytest.mark.parametrize("name", ["loss", "draw"])
def test_a_measure_that_says_how_it_is_taken_alone_keeps_what_it_is_of(name: str) -> None:
    before, after = (
        {measure.name: measure for measure in program(*overrides).measures}[name]
        for overrides in ((), (f"e.measures.{name}.on=train",))
    )
    assert (before.on, after.on) == ("test", "train")
    assert str(before.term.type) == str(after.term.type) == "real"


def test_a_word_that_a_measure_does_not_know_is_told_alone() -> None:
    with pytest.raises(StudyError) as refused:
        program("e.measures.loss.onn=train")
    assert len(refused.value.problems) == 1
