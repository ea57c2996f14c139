"""Constraints by functions, as digests and differences see them."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import compare
from dlspec.spec.passes.randomness import is_random

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    functions: {box(w): "clip(w, -0.5, 0.5)"}
    task: {draw: {m: "normal()"}, example: {x: "[1.0, 2.0]"}}
    architecture:
      f: {input: x, layers: [dense: {units: 1, kernel_initializer: ones, kernel_constraint: box}]}
      p: {parameter: [2], initializer: 1, constraint: box}
    loss: {l: f^2 + sum(p)^2}
    training: {optimizer: {sgd: 0.1}, batch: 1, steps: 3}
    measures: {w: E(f)}
"""


def document(*edits: tuple[str, str]) -> spec.Document:
    text = STUDY
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return spec.parse(Source("s.yaml", text))


def digest(*edits: tuple[str, str]) -> str:
    plan = spec.resolve(document(*edits))
    return plan.experiments[0].programs[0].digest


def test_a_function_s_name_is_no_meaning_and_its_body_is() -> None:
    assert digest(("box", "keep")) == digest()
    others = [
        digest(("-0.5", "-0.25")),
        digest((", kernel_constraint: box", "")),
        digest((", constraint: box", "")),
        digest(("0.5)", "0.5 + step)")),
        digest(("0.5)", "0.5) * m")),
    ]
    assert len({digest(), *others}) == 6


def test_a_renamed_function_is_told_once() -> None:
    diff = compare(document(), document(("box", "keep")))
    assert [(change.action, change.before, change.after) for change in diff.changes] == [("renamed", "box", "keep")]


@pytest.mark.parametrize("body", ["clip(w, -0.5, 0.5)", "w * m"])
def test_a_constraint_of_draws_makes_measures_random(body: str) -> None:
    exact = ('example: {x: "[1.0, 2.0]"}', 'data: {enumerate: x}, example: {x: "rademacher([2])"}'), ("batch: 1, ", "")
    plan = spec.resolve(document(("clip(w, -0.5, 0.5)", body), *exact))
    program = plan.experiments[0].programs[0]
    assert is_random(program, program.measures[0]) is ("m" in body)
