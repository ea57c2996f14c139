"""Gradient modes that phases say: over those of the experiment, in digests, costs, patches and differences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from dlspec import spec
from dlspec.interpreter.results.phase_text import phases as told
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import compare
from dlspec.spec.diff.description import subject
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.digests import Digests, measure_digest, training_digest
from dlspec.spec.passes.shared_borders import borders
from dlspec.spec.passes.signature_digests import cell_form_digest, signature_digest
from dlspec.spec.passes.trained_weights import trained
from dlspec.spec.resolve.overrides import Override

STUDY = """
dlspec: 1
study: modes
experiments:
  e:
    functions: {{hard(z): "1 if z > 0 else -1"}}
    task: {{example: {{x: "normal([3])", y: "x[0]"}}}}
    architecture: {{f: {{input: x, layers: [{{dense: {{units: 4, name: body}}}}, {{dense: {{units: 1, name: head}}}}]}}}}
    loss: {{l: (f - y)^2 + 0.1 * (hard(f) - y)^2}}
    gradient: {{hard: forward_only{base}}}
    training: {{optimizer: {{adam: 0.1}}, batch: 8, phases: {{a: {{steps: 3{a}}}, b: {{steps: 3{b}}}, c: {{steps: 2{c}}}}}}}
    measures: {{plain: E(f), steep: "E(norm(gradient(hard(f), x)))"}}
    variants: {variants}
"""


def document(variants: str = "{}", **modes: str) -> spec.Document:
    said = {name: f", gradient: {{{modes[name]}}}" if modes.get(name) else "" for name in "abc"}
    base = f", {modes['base']}" if modes.get("base") else ""
    return spec.parse(Source("modes.yaml", STUDY.format(base=base, variants=variants, **said)))


def programs(variants: str = "{}", **modes: str) -> tuple[Program, ...]:
    return spec.resolve(document(variants, **modes)).experiments[0].programs


def digests(**modes: str) -> list[Any]:
    (program,) = programs(**modes)
    own = [training_digest(program), signature_digest(program), cell_form_digest(program)]
    return own + [measure_digest(program, measure) for measure in program.measures]


def only(program: Program, number: int) -> Program:
    """A program that is trained in one of its phases alone."""
    assert program.training is not None
    return replace(program, training=replace(program.training, phases=(program.training.phases[number],)))


def modes_of(program: Program) -> list[dict[str, Any]]:
    assert program.training is not None
    every = (program.during(phase).gradient for phase in program.training.phases)
    return [
        {target: (mode.name, mode.value)[: 1 + (mode.value is not None)] for target, mode in one.items()}
        for one in every
    ]


def test_what_a_phase_says_goes_over_the_experiment_and_holds_in_it_alone() -> None:
    (program,) = programs(base="f: {scale: 2}", b="f: {clip: 1}, hard: stop", c="f: exact")
    straight = {"hard": ("forward_only",)}
    assert modes_of(program) == [
        {**straight, "f": ("scale", 2)}, {"hard": ("stop",), "f": ("clip", 1)}, straight
    ]  # fmt: skip
    assert told(program.training).split("; ")[1:] == [
        "b 3 steps of l, gradient {hard: stop, f: clip 1}", "c 2 steps of l, gradient {hard: forward_only}"
    ]  # fmt: skip


def test_what_is_in_force_is_the_meaning_wherever_it_is_said() -> None:
    """Also in which phase, and in measures where derivatives stand in them, in these alone."""
    plain = digests()
    assert digests(b="f: exact") == digests(a="hard: forward_only", c="f.body: exact") == plain
    assert digests(base="f: {scale: 2}") == digests(a="f: {scale: 2}", b="f: {scale: 2}", c="f: {scale: 2}")
    others = [digests(**{name: "hard: {scale: 2}"}) for name in "abc"] + [digests(b="hard: {surrogate: z}")]
    others += [digests(b="hard: {surrogate: 2 * z}"), digests(b="hard: {scale: 3}")]
    for place in (0, 1, 2, 4):
        assert len({found[place] for found in (plain, *others)}) == 7, place
    assert {found[3] for found in others} == {plain[3]}


def test_cells_that_differ_in_the_modes_of_a_later_phase_share_what_comes_before_it() -> None:
    one, two = programs("{v: {training: {phases: {b: {gradient: {f.head: freeze}}}}}, w: {}}")
    keys = [[border.key for border in borders(program, Digests())] for program in (one, two)]
    assert keys[0][0] == keys[1][0] and keys[0][1] != keys[1][1]


def test_what_a_phase_freezes_is_neither_trained_nor_paid_for_in_it() -> None:
    (program,) = programs(b="f.body: freeze")
    assert program.training is not None
    phases = program.training.phases
    assert [len(trained(program, phase)) for phase in phases] == [4, 2, 4]
    alone = programs(base="f.body: freeze")[0]
    assert alone.training is not None
    for phase, other in zip(phases, (programs()[0], alone, programs()[0]), strict=True):
        number = phases.index(phase)
        assert cost(only(program, number)).step == cost(only(other, number)).step
    assert cost(program).step == cost(programs()[0]).step > cost(alone).step


def test_a_patch_changes_one_mode_of_a_phase_or_takes_it_away() -> None:
    variants = "{more: {training: {phases: {b: {gradient: {f.head: {scale: 2}, hard: {clip: 1}}}}}}, less: {training: {phases: {b: {gradient: {hard: null}}}}}}"
    more, less = programs(variants, b="hard: {scale: 3}")
    straight = {"hard": ("forward_only",)}
    assert modes_of(more) == [straight, {"hard": ("clip", 1), "f.head": ("scale", 2)}, straight]
    assert modes_of(less) == [straight] * 3
    override = Override.read("training.phases.b.gradient.hard.scale=5,6")
    five, six = spec.resolve(document(b="hard: {scale: 3}"), None, [override]).experiments[0].programs
    assert [modes_of(one)[1] for one in (five, six)] == [{"hard": ("scale", 5)}, {"hard": ("scale", 6)}]


@pytest.mark.parametrize(
    ("after", "text"),
    [
        ({"b": "f.head: {scale: 2}"}, "gradient of `f.head` in the phase `b`"),
        ({"b": "f: {scale: 3}, hard: exact"}, "gradient of `hard` in the phase `b`"),
    ],
)
def test_a_difference_is_told_with_the_phase(after: dict[str, str], text: str) -> None:
    before = {name: said.replace("scale: 2", "scale: 4").replace(", hard: exact", "") for name, said in after.items()}
    (change,) = compare(document(**before), document(**after)).changes
    assert (subject(change), change.classes) == (text, ("gradient",))


def test_a_renamed_layer_keeps_its_mode_in_a_phase() -> None:
    before = document(b="f.head: {scale: 2}")
    after = spec.parse(Source("modes.yaml", before.source.text.replace("head", "top")))
    assert {change.action for change in compare(before, after).changes} == {"renamed"}
