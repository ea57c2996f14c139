"""What layers are called: each key reaches one layer, so none shares another's weights unless it is asked to."""

from __future__ import annotations

import json
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.check.layer_names import layer_keys
from dlspec.spec.diagnostics.problems import Source, StudyError


def program(layers: list[Any], more: dict[str, Any] | None = None, **experiment: Any) -> spec.Program:
    """A program of the network `f` on [5, 3]."""
    architecture = {"f": {"input": "x", "layers": layers}, **(more or {})}
    made = {"task": {"example": {"x": "normal([5, 3])"}}, "architecture": architecture, "measures": {"m": "E(sum(f))"}}
    study = {"dlspec": 1, "study": "s", "experiments": {"e": {**made, **experiment}}}
    (found,) = spec.resolve(spec.parse(Source("t.yaml", json.dumps(study, indent=1)))).experiments[0].programs
    return found


def parameters(layers: list[Any], more: dict[str, Any] | None = None) -> int:
    return sum(network.parameters for network in program(layers, more).networks)


def dense(units: int, name: str) -> dict[str, Any]:
    return {"dense": {"units": units, "name": name}}


HIDDEN, TWO, LAST = 3 * 3 + 3, 2 * (3 * 3 + 3), 3 + 1

COUNTS: list[tuple[list[Any], int]] = [
    ([{"dense": 3}, {"dense": 3}, {"dense": 1}], TWO + LAST),
    ([dense(3, "dense_1"), {"dense": 3}, {"dense": 1}], TWO + LAST),
    ([dense(3, "a"), dense(3, "A"), {"dense": 1}], TWO + LAST),
    ([dense(3, "kernel"), dense(3, "bias"), {"dense": 1}], TWO + LAST),
    ([dense(3, "f"), {"dense": 3}, {"dense": 1}], TWO + LAST),
    ([dense(3, "block_0_a"), {"repeat": {"name": "block", "times": 1, "layers": [dense(3, "a")]}}, {"dense": 1}], TWO + LAST),
    ([{"repeat": {"times": 2, "layers": [{"dense": 3}]}}, {"dense": 1}], TWO + LAST),
    ([{"repeat": {"times": 2, "layers": [dense(3, "a")]}}, {"dense": 1}], TWO + LAST),
    ([{"repeat": {"times": 2, "share": True, "layers": [{"dense": 3}]}}, {"dense": 1}], HIDDEN + LAST),
    ([{"repeat": {"times": 1, "layers": [{"dense": 3}]}}, {"repeat": {"times": 1, "layers": [{"dense": 3}]}}, {"dense": 1}], TWO + LAST),
    ([{"repeat": {"times": 1, "layers": [{"repeat": {"times": 2, "layers": [{"dense": 3}]}}]}}, {"dense": 1}], TWO + LAST),
]  # fmt: skip


@pytest.mark.parametrize(("layers", "count"), COUNTS)
def test_each_layer_has_weights_of_its_own(layers: list[Any], count: int) -> None:
    assert parameters(layers) == count
    (plan,) = program(layers).networks
    owners = Counter(layer.key for layer in plan.leaves())
    assert set(owners.values()) == {1}


def test_networks_have_weights_of_their_own_where_their_layers_have_the_same_names() -> None:
    other = {"g": {"input": "x", "layers": [dense(3, "hidden"), {"dense": 1}]}}
    assert parameters([dense(3, "hidden"), {"dense": 1}], other) == 2 * (HIDDEN + LAST)


CLASHES: list[tuple[list[Any], str]] = [
    ([dense(3, "dense_2"), {"dense": 3}, {"dense": 1}], "layer 2"),
    ([dense(3, "dense_2"), dense(3, "hidden")], "layer 2"),
    ([{"dense": 3}, dense(3, "dense_1")], "layer 1"),
    ([{"conv1d": {"filters": 3, "kernel_size": 2, "name": "dense"}}, {"dense": 3}], "layer 2"),
    ([dense(3, "relu_1"), "relu"], "layer 2"),
    ([dense(3, "apply_1"), "relu"], "layer 2"),
    ([dense(3, "repeat_1"), {"repeat": {"times": 2, "layers": [{"dense": 3}]}}], "layer 2"),
    ([dense(3, "whiten_1"), {"whiten": {}}], "layer 2"),
    ([{"repeat": {"times": 2, "layers": [dense(3, "dense_2"), {"dense": 3}]}}], "layer 2"),
    ([dense(3, "a"), dense(3, "a")], "two layers"),
    ([{"repeat": {"times": 2, "layers": [dense(3, "a"), dense(3, "a")]}}], "two layers"),
    ([dense(3, "b"), {"repeat": {"name": "b", "times": 2, "layers": [{"dense": 3}]}}], "two layers"),
    ([dense(3, "weights")], "all weights"),
]


@pytest.mark.parametrize(("layers", "said"), CLASHES)
def test_a_name_that_reaches_another_layer_is_refused(layers: list[Any], said: str) -> None:
    with pytest.raises(StudyError) as caught:
        program(layers)
    (problem,) = caught.value.problems
    assert said in problem.message and problem.span is not None and problem.hint


class _Word(str):
    """A name that counts how often it is compared with another."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        _Word.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_names_are_not_compared_with_every_layer() -> None:
    def compared(count: int) -> int:
        _Word.compared = 0
        models = [SimpleNamespace(kind="dense", value=SimpleNamespace(name=_Word(f"l{n}"))) for n in range(count)]
        for model in models:
            model.value.span = lambda name: None
        assert layer_keys("f", models) == [f"l{n}" for n in range(count)]
        return _Word.compared

    assert compared(400) <= 8 * compared(100) + 8
