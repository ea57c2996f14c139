"""A term of the loss that nothing else speaks of may have any name: cells that differ in it are checked at once, and no other cells are."""

from __future__ import annotations

from importlib import import_module

import pytest
from dlspec import spec
from dlspec.spec.check.experiment import ExperimentChecker
from dlspec.spec.resolve.variants_together import said_once
from dlspec.spec.source import nodes as yaml

STUDY = """dlspec: 1
study: s
experiments:
  e:
    task: {{example: {{x: "normal([2])", y: sum(x)}}}}
    architecture: {{f: {{input: x, layers: [{{dense: 1}}]}}}}
    loss: {{squared: (f - y)^2}}
    training: {{optimizer: {{sgd: 0.1}}, batch: 8, steps: 10{training}}}
    measures: {{error: E(abs(f - y))}}
    variants:
{variants}
"""
COUNT = 40


def checked(monkeypatch: pytest.MonkeyPatch, name: str, value: str, training: str = "") -> tuple[int, str]:
    """How many cells are checked by themselves of as many variants, each with a term of a name, and what is said of the study."""
    lines = (f"      v{i}: {{loss: {{squared: (f - y)^2, {name.format(i)}: {value.format(i)}}}}}" for i in range(COUNT))
    text = STUDY.format(training=training, variants="\n".join(lines))
    programs, calls = ExperimentChecker.program, []
    monkeypatch.setattr(ExperimentChecker, "program", lambda self: calls.append(1) or programs(self))
    try:
        spec.validate(spec.parse(spec.decode(text.encode(), "s.yaml")))
    except spec.StudyError as error:
        return len(calls), spec.render(error.problems)
    return len(calls), ""


def test_names_that_stand_once_are_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        import_module("dlspec.spec.resolve.resolve"), "MOST_TEXT", 0
    )  # cells are not looked at one by one for being equal
    count, said = checked(monkeypatch, "t{0}", "abs(f - {0})")
    assert said == ""
    assert count < 5


def test_a_name_that_something_speaks_of_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An update minimises the term of one variant, which in all others is none."""
    updates = ", updates: {a: {networks: [f], loss: [squared, t7]}}"
    count, said = checked(monkeypatch, "t{0}", "abs(f - {0})", updates)
    assert "'t7'" in said
    assert count >= COUNT / 2


def test_an_error_is_told_of_each_variant_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = checked(monkeypatch, "t{0}", "abs(f - z{0})")
    assert all(f"unknown name 'z{i}'" in said for i in (0, 1, 17, COUNT - 1))


def test_words_are_counted_in_keys_and_in_texts() -> None:
    top = yaml.parse(spec.decode(b"a: {b: c + d, e: [c, 'f(d)']}\ng: {a: 1}\n", "s.yaml"))
    assert said_once(top) == {"b", "e", "f", "g", "1"}
