"""What an override gives is what the file gives with the value written into it: the same cells, with the same digests, or the same refusal."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import yaml
from dlspec import spec

from tests.fuzz.studies import study

VALUES = (
    "1", "2", "3", "0", "-1", "0.5", "7", "x0", "relu", "true", "adam", "1e-3", "[1, 2]", "2 * 3", "full", "{adam: 0.1}", "f", "c", "abs(f)",
)  # fmt: skip
OF_CELLS = ("variants", "sweep", "zip", "claims", "figures", "about", "base")

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    task: {example: {x: "normal([2])", y: sum(x)}}
    architecture: {f: {input: x, layers: [{dense: 1}]}, g: {input: x, layers: [{dense: 1}]}}
    loss: {fit: (f - y)^2, also: {of: abs(f + g), weight: 0.5, trains: f}, far: (g - y)^2}
    training: {optimizer: {sgd: 0.1}, batch: 8, steps: 10}
    measures: {error: E(abs(f - y))}
    variants:
      a: {}
      other: {loss: {else: abs(f + g - y)}}
"""
DATA = """
dlspec: 1
study: s
experiments:
  e:
    task: {data: {enumerate: [i], train: 0.25}, example: {i: integer(20), y: i / 20}}
    architecture: {f: {input: "[y]", layers: [{dense: 1}]}}
    loss: {fit: (f - y)^2}
    training: {optimizer: {sgd: 0.1}, batch: 4, steps: 10}
    measures: {error: E(abs(f - y))}
    variants: {a: {}, b: {task: {data: {train: 7}}}, drawn: {task: {data: {enumerate: null, train: 8}}}}
"""


def _cells(text: str, *overrides: str) -> dict[str, str]:
    """The digests of the cells of a study's first experiment."""
    document = spec.parse(spec.decode(text.encode(), "s.yaml"))
    plan = spec.resolve(document, overrides=[spec.Override.read(one) for one in overrides]).experiments[0]
    return {f"{one.variant} {sorted(one.point.items(), key=repr)}": one.digest for one in plan.programs}


def _digest(text: str, variant: str = "a", *overrides: str) -> str:
    (digest,) = {value for name, value in _cells(text, *overrides).items() if name.split(" ")[0] == variant}
    return digest


@pytest.mark.parametrize(
    ("override", "edit"),
    [
        ("loss.far=abs(g - y)", ("far: (g - y)^2", "far: abs(g - y)")),
        ("loss.also=abs(f)", ("{of: abs(f + g), weight: 0.5, trains: f}", "abs(f)")),
        ("loss.also.weight=2", ("weight: 0.5", "weight: 2")),
        ("loss.also.trains=g", ("trains: f}", "trains: g}")),
        ("loss.also.of=abs(f) + g", ("abs(f + g)", "abs(f) + g")),
        ("loss.fit.weight=3", ("fit: (f - y)^2", "fit: {of: (f - y)^2, weight: 3}")),
        ("loss.far=null", (", far: (g - y)^2", "")),
    ],
)
def test_the_path_of_a_term_changes_that_term_of_the_loss(override: str, edit: tuple[str, str]) -> None:
    """The others stay, and so does a variant's loss that has other terms."""
    edited = STUDY.replace(*edit)
    assert edited != STUDY
    assert _digest(STUDY, "a", override) == _digest(edited) != _digest(STUDY)
    assert _digest(STUDY, "other", override) == _digest(STUDY, "other")
    if "null" not in override:
        assert _digest(STUDY, "a", override.replace("loss.", "variants.a.loss.")) == _digest(edited)


def test_several_values_of_a_term_are_those_of_each() -> None:
    digests = _cells(STUDY, "loss.far=abs(g - y),(g + y)^4", "variants.other=null")
    each = [_digest(STUDY, "a", f"loss.far={value}") for value in ("abs(g - y)", "(g + y)^4")]
    assert list(digests.values()) == each


def test_a_weight_leaves_whom_a_term_trains() -> None:
    patched = STUDY.replace("a: {}", "a: {loss: {also: {weight: 2}}}")
    assert _digest(patched) == _digest(STUDY.replace("weight: 0.5", "weight: 2"))


def test_how_many_of_enumerated_examples_train_says_nothing_of_where_they_come_from() -> None:
    edited = _digest(DATA.replace("train: 0.25", "train: 7").replace(", b: {task: {data: {train: 7}}}", ""))
    assert _digest(DATA, "b") == _digest(DATA, "a", "task.data.train=7") == edited
    begin, variants = DATA.replace("{enumerate: [i], train: 0.25}", "{train: 8}").split("    variants:")
    assert variants
    assert _digest(DATA, "drawn") == _digest(begin + "    variants: {a: {}}\n") != edited


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(tree, dict):
        for key, below in tree.items():
            yield from _leaves(below, (*path, str(key)))
    elif isinstance(tree, str | int | float):
        yield path


def _patched(tree: dict[str, Any]) -> set[str]:
    """The keys of an experiment that patches speak of."""
    maps = [tree.get("variants"), *(tree.get("sweep") or {}).values()]
    return {key for one in maps if isinstance(one, dict) for patch in one.values() for key in patch or ()}


def _outcome(text: str, *overrides: str) -> Any:
    try:
        return _cells(text, *overrides)
    except spec.StudyError as error:
        return {re.sub(r"\d+", "0", problem.message) for problem in error.problems}


def test_random_values_at_random_paths_give_what_the_edited_file_gives() -> None:
    """What variants and axes change is left out, as an override comes after them."""
    rng = Random(5)
    sound = refused = 0
    for seed in range(2_000, 2_030):
        tree = study(seed).tree
        own = tree["experiments"].get("e")
        if "rows" in str(own["task"].get("data", "")) or len(tree["experiments"]) > 1:
            continue
        taken = {*OF_CELLS, *_patched(own)}
        paths = [path for path in _leaves(own) if path[0] not in taken and not any(set(".([") & set(s) for s in path)]
        paths = [path for path in paths if path[0] != "constants" or path[1] not in (own.get("sweep") or {})]
        for path in rng.sample(paths, min(4, len(paths))):
            value = rng.choice(VALUES)
            edited = copy.deepcopy(tree)
            at = edited["experiments"]["e"]
            for step in path[:-1]:
                at = at[step]
            at[path[-1]] = yaml.safe_load(value)
            override = f"e.{'.'.join(path)}={value}"
            expected = _outcome(yaml.safe_dump(edited, sort_keys=False))
            found = _outcome(yaml.safe_dump(tree, sort_keys=False), override)
            assert isinstance(found, set) == isinstance(expected, set), (seed, override, found, expected)
            if isinstance(found, dict):
                assert found == expected, (seed, override)
            sound += isinstance(found, dict)
            refused += isinstance(found, set)
    assert sound > 10 < refused
