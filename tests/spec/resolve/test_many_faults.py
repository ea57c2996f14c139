"""Work grows with the file and no faster: unknown keys, unknown names and claims by the hundred."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.check import experiment
from dlspec.spec.diagnostics import suggestions
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.format import formatted
from dlspec.spec.model import validation_errors
from dlspec.spec.resolve import partial_check
from dlspec.spec.source import nodes as yaml

STUDY = """dlspec: 1
study: many
experiments:
  e:
    task: {{example: {{x: "normal([4])", y: sum(x)}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    loss: {{l: "(f - y)^2"}}
    training: {{optimizer: {{sgd: 0.1}}, batch: 4, steps: 2{training}}}
    replicates: 5
    measures:
      m: E((f - y)^2)
{measures}{claims}{keys}"""


def _study(training: str = "", measures: str = "", claims: str = "", keys: str = "") -> Source:
    return Source("many.yaml", STUDY.format(training=training, measures=measures, claims=claims, keys=keys))


def _problems(source: Source) -> list[str]:
    try:
        spec.validate(spec.parse(source))
    except StudyError as error:
        return [problem.message for problem in error.problems]
    return []


def _calls(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, run: Callable[[], Any]) -> int:
    """How often a function is called while something runs."""
    count = 0
    function = getattr(module, name)

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        return function(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(module, name, counted)
        run()
    return count


@pytest.mark.parametrize("place", ["keys", "training"])
def test_unknown_keys_are_left_out_in_one_pass(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    def source(number: int) -> Source:
        words = [f"qzw{n}: 1" for n in range(number)]
        text = "".join(f"    {word}\n" for word in words) if place == "keys" else "".join(f", {word}" for word in words)
        return _study(measures="      bad: E(f + nowhere)\n", **{place: text})

    told = _problems(source(100))
    assert len(told) == 101
    assert [message for message in told if "unknown key" not in message] == ["unknown name 'nowhere'"]
    few, many = (
        _calls(monkeypatch, partial_check, "renamed", lambda number=number: _problems(source(number)))
        for number in (10, 200)
    )
    assert 0 < few == many
    few, many = (
        _calls(monkeypatch, yaml.Mapping, "entry", lambda number=number: _problems(source(number)))
        for number in (100, 200)
    )
    assert many < 2.5 * few


@pytest.mark.parametrize("before", ["    loss: {l: (f - y)^2}\n", ""], ids=["beside the key", "without the key"])
def test_of_keys_that_misspell_one_the_first_is_read_as_it(before: str) -> None:
    text = STUDY.format(training="", measures="", claims="", keys="")
    own = '    loss: {l: "(f - y)^2"}\n'
    assert own in text
    keys = '    los:\n      l: "(f - u)^2"\n    losss:\n      k: "(f - z)^2"\n'
    told = _problems(Source("two.yaml", text.replace(own, before + keys)))
    assert told == ["unknown key 'los'", *([] if before else ["unknown name 'u'"]), "unknown key 'losss'"]


def test_the_items_of_a_list_are_of_one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def source(number: int) -> Source:
        layers = "".join(f"dens{n}: {{units: 3}}, " for n in range(number))
        return Source("many.yaml", _study().text.replace("layers: [", f"layers: [{layers}"))

    def looked_up(number: int) -> Any:
        validation_errors._owner.cache_clear()
        validation_errors._reached.cache_clear()
        return _problems(source(number))

    assert len([message for message in _problems(source(100)) if "of a layer" in message]) == 100
    few, many = (
        _calls(monkeypatch, validation_errors, "_inner", lambda number=number: looked_up(number))
        for number in (10, 200)
    )
    assert 0 < few == many


def test_an_unknown_name_is_compared_with_the_known_ones_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def source(number: int) -> Source:
        return _study(measures="".join(f"      m{n}: E(f * qzw{n})\n" for n in range(number)))

    assert len(_problems(source(100))) == 100
    few, many = (
        _calls(monkeypatch, suggestions.Words, "_nearest", lambda number=number: _problems(source(number)))
        for number in (50, 100)
    )
    assert 0 < many <= 2 * few


def test_names_that_are_listed_anew_are_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of 600 experiments has a base that is none: the names that it may have meant are the same, but for its own."""
    suggestions._asked_of.cache_clear()
    orphans = "".join(f"  orphan{number}: {{base: nobody}}\n" for number in range(600))
    source = Source("many.yaml", _study().text + orphans)
    parts = _calls(monkeypatch, suggestions, "_parts", lambda: _problems(source))
    assert 600 < parts < 2_000, "not 360,000"


def test_formatting_checks_a_claim_as_often_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    conclusions = import_module("dlspec.spec.resolve.conclusions")

    def source(number: int) -> Source:
        claims = "".join(f"      k{n}: {{says: S{n}., check: final(m)<{n + 1}}}\n" for n in range(number))
        return _study(claims=f"    claims:\n{claims}")

    few, many = (
        _calls(monkeypatch, conclusions, "check_claim", lambda number=number: formatted(source(number)))
        for number in (40, 80)
    )
    assert few >= 40 and many == 2 * few


def test_cells_of_one_swept_value_are_checked_at_once_where_each_value_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A repeated layer's number is needed: sixty variants at each of three numbers of layers are three checks, and some before these."""
    variants = "".join(f"      v{number}: {{loss: {{l: {number} * (f - y)^2}}}}\n" for number in range(60))
    text = STUDY.format(
        training="",
        measures="",
        claims="",
        keys=f"    sweep: {{k: [1, 2, 3]}}\n    constants: {{k: 1}}\n    variants:\n{variants}",
    )
    text = text.replace("layers: [dense: 1]", "layers: [repeat: {times: k, layers: [dense: 4]}, dense: 1]")
    source = Source("many.yaml", text)
    checks = _calls(monkeypatch, experiment.ExperimentChecker, "program", lambda: spec.validate(spec.parse(source)))
    assert checks < 90, "not 240: some sixty tell whether cells along the axes are equal"
    plan = spec.resolve(spec.parse(source)).experiments[0]
    weights = {(program.point["k"], program.networks[0].parameters) for program in plan.programs}
    assert weights == {(1, 25), (2, 45), (3, 65)}
