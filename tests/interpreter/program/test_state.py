"""Training state saved and restored: a program goes on to the bit as if it had not been broken off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program
from dlspec.spec.tables.optimizers import OPTIMIZERS

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


def outcome(compiled: Compiled, steps: int) -> tuple[dict[str, Any], list[Any]]:
    compiled.train(steps)
    return compiled.evaluate(), compiled.saved()[0]


def assert_goes_on(program: Program, xla: bool = False, replicates: tuple[int, ...] = (0, 1)) -> None:
    """Four steps, saved, restored into a program made anew, and eight more: the bits of twelve in one go."""
    whole = outcome(Compiled(program, replicates, xla), 12)
    first = Compiled(program, replicates, xla)
    outcome(first, 4)
    state = first.saved()
    second = Compiled(program, replicates, xla)
    second.restore(4, state)
    resumed = outcome(second, 8)
    for name, value in whole[0].items():
        assert value.tobytes() == resumed[0][name].tobytes(), name
    assert len(whole[1]) == len(resumed[1]) > 0
    for one, other in zip(whole[1], resumed[1], strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_goes_on(name: str, program: Callable[[str], Program]) -> None:
    assert_goes_on(program(body(f"{{{name}: {{}}}}")), replicates=(1,))


@pytest.mark.parametrize(
    ("optimizer", "layers", "more"),
    [
        pytest.param("{adam: {use_ema: true, ema_momentum: 0.9}}", DENSE, "", id="moving averages of weights"),
        pytest.param("{sgd: {learning_rate: 0.1 / (1 + step), momentum: 0.9}}", DENSE, "", id="a schedule"),
        pytest.param("{adam: {}}", "[dense: 4, batch_normalization: {}, dense: 1]", "", id="batch normalisation"),
        pytest.param("{adam: {}}", "[whiten: {examples: 32}, dense: 1]", "", id="whitening"),
        pytest.param("{adam: {}}", "[dense: 4, dropout: 0.5, dense: 1]", "", id="dropout"),
        pytest.param("{adam: {}}", DENSE, "dtype: float64", id="float64"),
        pytest.param("{adam: {clipnorm: 1}}", DENSE, "", id="a clipped norm"),
    ],
)
def test_all_that_training_changes_goes_on(
    optimizer: str, layers: str, more: str, program: Callable[[str], Program]
) -> None:
    assert_goes_on(program(body(optimizer, layers, more)))


def test_xla_goes_on(program: Callable[[str], Program]) -> None:
    assert_goes_on(program(body()), xla=True)


def test_without_its_state_a_program_does_not_go_on(program: Callable[[str], Program]) -> None:
    """The twin: the step alone is not enough."""
    made = program(body())
    whole, unrestored = outcome(Compiled(made, [0], False), 12), Compiled(made, [0], False)
    unrestored.state.step = 4
    assert outcome(unrestored, 8)[0]["size"].tobytes() != whole[0]["size"].tobytes()


def test_an_optimiser_for_each_network_goes_on(program: Callable[[str], Program]) -> None:
    two = """
    task: {example: {x: "normal([3])", y: "sum(x)"}}
    architecture: {f: {input: x, layers: [dense: 1]}, g: {input: x, layers: [dense: 1]}}
    loss: {squared: (f + g - y)^2}
    training: {optimizer: {f: {adam: {}}, g: {rmsprop: {}}}, batch: 8, steps: 12, evaluate: {every: 4, examples: 64}}
    measures: {size: sum(f.weights^2) + sum(g.weights^2)}
    """
    assert_goes_on(program("\n".join(line[4:] for line in two.splitlines())), replicates=(0,))


def test_a_state_of_another_shape_is_refused(program: Callable[[str], Program]) -> None:
    small, large = (Compiled(program(body(layers=f"[dense: {n}, dense: 1]")), [0], False) for n in (2, 3))
    before = large.saved()[0]
    with pytest.raises(ValueError, match="shape"):
        large.restore(4, small.saved())
    assert large.step == 0
    assert all(np.array_equal(one, other) for one, other in zip(before, large.saved()[0], strict=True))
