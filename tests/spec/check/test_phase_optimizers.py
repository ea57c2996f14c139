"""The optimiser of a phase goes over that of the training as a variant's would: arguments that it does not say are kept where it is of one kind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

ADAM = {"adam": {"learning_rate": 0.1, "beta_1": 0.5, "clipnorm": 2}}
EACH = {"f": ADAM, "g": {"sgd": {"learning_rate": 0.1, "momentum": 0.9}}}


def arguments(base: Any, patch: Any, **more: Any) -> dict[str, dict[str, Any]]:
    """The arguments of the second phase's optimisers, by network, with the name of each."""
    experiment = {
        "task": {"example": {"x": "normal([2])", "y": "sum(x)"}},
        "architecture": {name: {"input": "x", "layers": [{"dense": 1}]} for name in "fg"},
        "loss": {"squared": "(f + g - y)^2"},
        "training": {
            "optimizer": base, "batch": 2, "phases": {"one": {"steps": 1}, "two": {"steps": 1, "optimizer": patch}},
        },
        "measures": {"error": "E((f + g - y)^2)"},
        **more,
    }  # fmt: skip
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": experiment}})
    program = spec.resolve(spec.parse(Source("s", text))).experiments[0].programs[-1]
    assert program.training is not None
    plans = program.training.phases[1].optimizers
    return {name: {"kind": plan.name, **plan.arguments} for name, plan in plans.items()}


def kept(patch: Any, base: Any = ADAM) -> dict[str, Any]:
    """Those that are not defaults, of one optimiser."""
    (found,) = arguments(base, patch).values()
    return {name: found.get(name) for name in ("kind", "learning_rate", "beta_1", "momentum", "clipnorm", "clipvalue")}


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"adam": {"learning_rate": 0.01}}, {"learning_rate": 0.01, "beta_1": 0.5, "clipnorm": 2.0}),
        ({"adam": {"beta_1": 0.6}}, {"learning_rate": 0.1, "beta_1": 0.6, "clipnorm": 2.0}),
        ({"adam": {}}, {"learning_rate": 0.1, "beta_1": 0.5, "clipnorm": 2.0}),
        ({"adam": {"clipvalue": 3}}, {"learning_rate": 0.1, "beta_1": 0.5, "clipvalue": 3.0}),
        ("adam", {"learning_rate": 0.001, "beta_1": 0.9}),
        ({"sgd": {"learning_rate": 0.2}}, {"kind": "sgd", "learning_rate": 0.2, "momentum": 0.0}),
    ],
)
def test_arguments_that_a_phase_does_not_say_are_kept(patch: Any, expected: dict[str, Any]) -> None:
    found = {name: value for name, value in kept(patch).items() if value is not None}
    assert found == {"kind": "adam", **expected}


def test_each_network_keeps_its_own() -> None:
    found = arguments(EACH, {"g": {"sgd": {"learning_rate": 0.2}}})
    assert (found["g"]["learning_rate"], found["g"]["momentum"]) == (0.2, 0.9)
    assert (found["f"]["learning_rate"], found["f"]["beta_1"]) == (0.1, 0.5)


def test_a_swept_argument_of_the_training_is_kept_in_each_cell() -> None:
    axis = {"constants": {"beta": 0.5}, "sweep": {"beta": [0.2, 0.7]}}
    base = {"adam": {"beta_1": "beta"}}
    assert arguments(base, {"adam": {"learning_rate": 0.2}}, **axis)[""]["beta_1"] == 0.7
    rates = {"sweep": {"slow": {"yes": {"training": {"optimizer": {"adam": {"beta_1": 0.3}}}}}}}
    assert arguments(ADAM, {"adam": {"learning_rate": 0.2}}, **rates)[""]["beta_1"] == 0.3
