"""Cells that differ in their names alone are told of; cells that differ in anything that is trained, measured or shown are not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.resolve.overrides import Override

EXPERIMENT: dict[str, Any] = {
    "constants": {"rate": 0.1, "bound": 1, "idle": 1},
    "task": {"example": {"x": "normal([3])", "y": "sum(x)"}},
    "architecture": {"f": {"input": "x", "layers": [{"dense": 1}]}},
    "loss": {"squared": "(f - y)^2"},
    "training": {"optimizer": {"sgd": {"learning_rate": "rate"}}, "batch": 8, "steps": 10, "evaluate": {"every": 5}},
    "measures": {"error": "E((f - y)^2)", "close": "E(abs(f - y) < bound)"},
    "replicates": 2,
}


def told(
    sweep: dict[str, Any], *overrides: str, variants: dict[str, Any] | None = None, zipped: Any = None
) -> list[str]:
    """The warnings of a study with some axes."""
    own = {"sweep": sweep, **({"variants": variants} if variants else {}), **({"zip": zipped} if zipped else {})}
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": {**copy.deepcopy(EXPERIMENT), **own}}}, indent=1)
    plan = spec.resolve(spec.parse(Source("s.yaml", text)), None, list(map(Override.read, overrides)))
    return [problem.message for problem in plan.warnings if "differ only in name" in problem.message]


SIZES = {"size": {"small": {"training": {"batch": 4}}, "large": {"training": {"batch": 64}}}}


@pytest.mark.parametrize(
    ("sweep", "overrides", "cells"),
    [
        ({"rate": [0.1, 0.2]}, ["training.optimizer.sgd.learning_rate=0.5"], ["rate=0.1", "rate=0.2"]),
        (SIZES, ["training.batch=16"], ["size=small", "size=large"]),
        ({"idle": [1, 2, 3]}, [], ["idle=1", "idle=2", "idle=3"]),
        ({"rate": [0.1, 0.2], "idle": [1, 2]}, [], ["rate=0.1 idle=1", "rate=0.1 idle=2"]),
        ({"bound": [1, 2]}, ["measures.close=null"], ["bound=1", "bound=2"]),
        ({}, ["constants.idle=1,2"], ["idle=1", "idle=2"]),
    ],
)
def test_equal_cells_are_told_of(sweep: dict[str, Any], overrides: list[str], cells: list[str]) -> None:
    (message,) = told(sweep, *overrides)
    for cell in cells:
        assert f"'e {cell}'" in message


@pytest.mark.parametrize("path", ["training.steps", "training.evaluate.every", "replicates", "seed"])
def test_what_an_override_makes_equal_is_told_of_and_what_differs_in_one_number_is_not(path: str) -> None:
    patches: dict[str, Any] = {}
    for name, number in (("a", 6), ("b", 7)):
        value: Any = number
        for word in reversed(path.split(".")):
            value = {word: value}
        patches[name] = value
    assert told({"axis": patches}) == []
    assert len(told({"axis": patches}, f"{path}=5")) == 1
    assert told({}, variants=patches) == []
    assert len(told({}, f"{path}=5", variants=patches)) == 1


def test_axes_that_differ_in_a_measure_or_in_step_are_not_told_of() -> None:
    assert told({"bound": [1, 2]}) == []
    assert told({"rate": [0.1, 0.2], "idle": [1, 2]}, zipped=[["rate", "idle"]]) == []
    assert len(told({"bound": [1, 2], "idle": [1, 2]}, "measures.close=null", zipped=[["bound", "idle"]])) == 1


def test_a_validation_says_the_same_as_a_plan_in_each_profile() -> None:
    own = {
        **copy.deepcopy(EXPERIMENT),
        "sweep": {"idle": [1, 2], "rate": [0.1, 0.2]},
        "variants": {"a": {}, "b": {"replicates": 4}},
    }
    alike = {"training": {"optimizer": {"sgd": {"learning_rate": 0.5}}}, "replicates": 3}
    profiles = {"short": {"experiments": {"e": {"training": {"steps": 5}}}}, "alike": {"experiments": {"e": alike}}}
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": own}, "profiles": profiles}, indent=1)
    document = spec.parse(Source("s.yaml", text))
    said = [(problem.message, problem.span, problem.hint) for problem in spec.validate(document)]
    plain, short, alike_ones = ([p for p in spec.resolve(document, of).warnings] for of in (None, "short", "alike"))
    assert [len(problems) for problems in (plain, short, alike_ones)] == [1, 1, 3] and plain == short
    assert (plain[0].message, plain[0].span, plain[0].hint) in said
    assert sorted(message for message, *_ in said) == sorted(problem.message for problem in alike_ones)
    notes = [hint.endswith("In the profile 'alike'.") for _, _, hint in said]
    assert sorted(notes) == [False, True, True]


def test_no_example_has_equal_cells() -> None:
    for path in sorted((Path(__file__).parents[3] / "examples").rglob("*.yaml")):
        document = spec.load(path)
        for profile in (None, *document.study.profiles):
            warnings = [problem.message for problem in spec.resolve(document, profile).warnings]
            assert not [message for message in warnings if "differ only in name" in message], path
