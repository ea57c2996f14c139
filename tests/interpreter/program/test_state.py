"""Training state saved and restored: a program goes on to the bit as if it had not been broken off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.program.program_cache import ProgramCache
from dlspec.spec.ir.plan import Program
from dlspec.spec.tables.optimizers import OPTIMIZERS

pytestmark = pytest.mark.usefixtures("traced_once")

BODY = """
task: {draw: {v: "normal([3])"}, example: {x: "normal([3])", y: "dot(v, x)"}}
architecture: {f: {input: x, layers: LAYERS}}
loss: {squared: (f - y)^2}
training: {optimizer: OPTIMIZER, batch: 8, steps: 12, evaluate: {every: 4, examples: 64}}
measures: {error: E((f - y)^2), size: sum(f.weights^2)}
replicates: 2
"""
DENSE = "[dense: {units: 4, activation: tanh}, dense: 1]"


def body(optimizer: str = "{adam: {learning_rate: 0.05}}", layers: str = DENSE, more: str = "") -> str:
    return BODY.replace("OPTIMIZER", optimizer).replace("LAYERS", layers) + more


def side_by_side(networks: Mapping[str, tuple[str, str]]) -> str:
    """One program with a network for each optimiser and its layers: a term of the loss each, so none sees another."""

    def each(text: str) -> str:
        return ", ".join(text.format(name=name) for name in networks)

    layers = ", ".join(f"{name}: {{input: x, layers: {layers}}}" for name, (_, layers) in networks.items())
    optimizers = ", ".join(f"{name}: {optimizer}" for name, (optimizer, _) in networks.items())
    text = BODY.replace("{f: {input: x, layers: LAYERS}}", f"{{{layers}}}").replace("OPTIMIZER", f"{{{optimizers}}}")
    text = text.replace("{squared: (f - y)^2}", f"{{{each('{name}: ({name} - y)^2')}}}")
    measures = each("error_{name}: E(({name} - y)^2)") + ", " + each("size_{name}: sum({name}.weights^2)")
    return text.replace("{error: E((f - y)^2), size: sum(f.weights^2)}", f"{{{measures}}}")


def outcome(compiled: Compiled, steps: int) -> tuple[dict[str, Any], list[Any]]:
    compiled.train(steps)
    return compiled.evaluate(), compiled.saved()[0]


def assert_same_bits(
    whole: tuple[dict[str, Any], list[Any]], other: tuple[dict[str, Any], list[Any]], compiled: Compiled
) -> None:
    """Of each measure and of each variable of the state; `compiled` gives the variables' names."""
    assert whole[0].keys() == other[0].keys()
    for name, value in whole[0].items():
        assert value.tobytes() == other[0][name].tobytes(), name
    assert len(whole[1]) == len(other[1]) == len(compiled.state.variables()) > 0
    for one, two, variable in zip(whole[1], other[1], compiled.state.variables(), strict=True):
        assert one.tobytes() == two.tobytes(), variable.path


def assert_goes_on(program: Program, xla: bool = False, replicates: tuple[int, ...] = (0, 1)) -> None:
    """Four steps, saved, restored into a program made anew, and eight more: the bits of twelve in one go."""
    first = Compiled(program, replicates, xla)
    whole = outcome(first, 12)
    first.begin(program, replicates)
    outcome(first, 4)
    state = first.saved()
    second = Compiled(program, replicates, xla)
    second.restore(4, state)
    resumed = outcome(second, 8)
    assert len(whole[0]) == len(program.measures)
    assert_same_bits(whole, resumed, second)


def test_every_optimiser_goes_on_and_starts_anew(program: Callable[[str], Program]) -> None:
    """A program that was trained before, taken up with other rates and another replicate, gives the bits of one made anew.

    And four steps, saved, restored into the other, and eight more: the bits of twelve in one go.
    """
    networks = {f"f_{name}": (f"{{{name}: {{learning_rate: 0.01}}}}", DENSE) for name in OPTIMIZERS}
    text, forms = side_by_side(networks), ProgramCache()
    made, other = program(text), program(text.replace("0.01", "0.02"))
    assert len(made.networks) == len(OPTIMIZERS)
    first = forms.take(made, (0,), False)
    before = outcome(first, 12)
    forms.leave(first)
    assert forms.take(other, (1,), False) is first
    whole, second = outcome(first, 12), Compiled(other, (1,), False)
    assert_same_bits(whole, outcome(second, 12), second)
    assert all(whole[0][name].tobytes() != value.tobytes() for name, value in before[0].items())
    first.begin(other, (1,))
    outcome(first, 4)
    second.restore(4, first.saved())
    assert_same_bits(whole, outcome(second, 8), second)


def test_all_that_training_changes_goes_on(program: Callable[[str], Program]) -> None:
    networks = {
        "averaged": ("{adam: {use_ema: true, ema_momentum: 0.9}}", DENSE),
        "scheduled": ("{sgd: {learning_rate: 0.1 / (1 + step), momentum: 0.9}}", DENSE),
        "normalised": ("{adam: {}}", "[dense: 4, batch_normalization: {}, dense: 1]"),
        "whitened": ("{adam: {}}", "[whiten: {examples: 32}, dense: 1]"),
        "noisy": ("{adam: {}}", "[dense: 4, dropout: 0.5, dense: 1]"),
        "clipped": ("{adam: {clipnorm: 1}}", DENSE),
    }
    assert_goes_on(program(side_by_side(networks)))
    assert_goes_on(program(body("{adam: {}}", more="dtype: float64")))


def test_xla_goes_on(program: Callable[[str], Program]) -> None:
    assert_goes_on(program(body()), xla=True)


def test_without_its_state_a_program_does_not_go_on(program: Callable[[str], Program]) -> None:
    """The twin: the step alone is not enough."""
    made = program(body())
    compiled = Compiled(made, [0], False)
    whole = outcome(compiled, 12)
    compiled.begin(made, [0])
    compiled.state.step = 4
    assert outcome(compiled, 8)[0]["size"].tobytes() != whole[0]["size"].tobytes()


def test_a_state_of_another_shape_is_refused(program: Callable[[str], Program]) -> None:
    small, large = (Compiled(program(body(layers=f"[dense: {n}, dense: 1]")), [0], False) for n in (2, 3))
    before = large.saved()[0]
    with pytest.raises(ValueError, match="shape"):
        large.restore(4, small.saved())
    assert large.step == 0
    assert all(np.array_equal(one, other) for one, other in zip(before, large.saved()[0], strict=True))
