"""A name that nothing else speaks of may be any: cells that differ in it are checked at once, and no other cells are."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import pytest
from dlspec import spec
from dlspec.spec.check.experiment import ExperimentChecker
from dlspec.spec.resolve import points_together
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
    {claims}
    variants:
{variants}
"""
NAMES = [f"t{i}" for i in range(40)]
PATCHES = {
    "loss": "{loss: {squared: (f - y)^2, <name>: abs(f - <i>)}}",
    "measures": "{measures: {<name>: E(abs(f - <i>))}}",
    "outputs": "{outputs: {<name>: f * <i>}}",
    "functions": '{functions: {"<name>(r)": r * <i>}}',
}
"""A patch with a name of its own, in each section in which a name may be any."""


def checked(
    monkeypatch: pytest.MonkeyPatch, patch: str, names: Sequence[str] = NAMES, training: str = "", claims: str = ""
) -> tuple[int, str]:
    """How many cells are checked by themselves of a variant for each name, with `<name>` and `<i>` in its patch, and what is said of the study."""
    lines = [f"      v{i}: {patch}".replace("<name>", name).replace("<i>", str(i)) for i, name in enumerate(names)]
    text = STUDY.format(training=training, claims=claims, variants="\n".join(lines))
    programs, calls = ExperimentChecker.program, []
    monkeypatch.setattr(ExperimentChecker, "program", lambda self: calls.append(1) or programs(self))
    try:
        warnings = spec.validate(spec.parse(spec.decode(text.encode(), "s.yaml")))
    except spec.StudyError as error:
        return len(calls), spec.render(error.problems)
    return len(calls), spec.render(warnings)


@pytest.mark.parametrize("section", PATCHES)
def test_names_that_stand_once_are_no_matter(monkeypatch: pytest.MonkeyPatch, section: str) -> None:
    monkeypatch.setattr(
        import_module("dlspec.spec.resolve.equal_cells"), "MOST_TEXT", 0
    )  # cells are not looked at one by one for being equal
    count, said = checked(monkeypatch, PATCHES[section])
    assert said == ""
    assert count < 5


def test_a_name_that_something_speaks_of_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An update minimises the term of one variant, which in all others is none."""
    updates = ", updates: {a: {networks: [f], loss: [squared, t7]}}"
    count, said = checked(monkeypatch, PATCHES["loss"], training=updates)
    assert "'t7'" in said
    assert count < 5, "the others have the same error, and are checked at once"
    monkeypatch.setattr(points_together, "MIN_AT_ONCE", len(NAMES) + 1)
    one_by_one, alike = checked(monkeypatch, PATCHES["loss"], training=updates)
    assert one_by_one >= len(NAMES)
    assert said == alike


@pytest.mark.parametrize(
    ("check", "message"), [("final(t7) < 1", "judged on one replicate"), ("final(t77) < 1", "Did you mean 't7'?")]
)
def test_claims_know_the_measures_of_all_cells(monkeypatch: pytest.MonkeyPatch, check: str, message: str) -> None:
    claims = f"claims: {{c: {{says: it is so, check: {check}}}}}"
    assert message in checked(monkeypatch, PATCHES["measures"], claims=claims)[1]


@pytest.mark.parametrize("section", ["outputs", "functions"])
def test_a_name_that_hides_a_word_is_told_of(monkeypatch: pytest.MonkeyPatch, section: str) -> None:
    words = ["cos", "exp", "tanh", "pi", "step"]
    _, said = checked(monkeypatch, PATCHES[section], [*words, *NAMES])
    hiding = (
        words if section == "functions" else ["pi", "step"]
    )  # an output stands without brackets, where no operation does
    assert [word for word in (*words, *NAMES) if f"'{word}' hides" in said] == hiding


def test_a_floor_is_that_of_its_own_statistic(monkeypatch: pytest.MonkeyPatch) -> None:
    """No measure may be called as a statistic's sampling floor, which one in 40 variants is."""
    noise = "{gradient_snr: {of: (f - y)^2, weights: f.weights, examples: 64}}"
    names = [*(f"t{i}: {noise}, u{i}" for i in range(20)), f"t20: {noise}, t20_floor", f"t21: {noise}, t20_floor"]
    _, said = checked(monkeypatch, "{measures: {<name>: E(abs(f - <i>))}}", names)
    assert said.count("'t20_floor'") == 1


def test_an_error_is_told_of_each_variant_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = checked(monkeypatch, "{loss: {<name>: abs(f - z<i>)}}")
    assert all(f"unknown name 'z{i}'" in said for i in (0, 1, 17, 39))


def test_words_are_counted_in_keys_and_in_texts() -> None:
    top = yaml.parse(spec.decode(b"a: {b: c + d, e: [c, 'f(d)']}\ng: {a: 1}\n", "s.yaml"))
    assert said_once(top) == {"b", "e", "f", "g", "1"}
