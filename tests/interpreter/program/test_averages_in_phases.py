"""Moving averages where phases keep them in other ways: of other weights, none in one phase, or with another memory; beside NumPy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dlspec.interpreter.program.keras_files import write
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.training_digests import stored_meaning

BODY = """
dtype: float64
task: {data: {enumerate: k}, example: {k: integer(2)}}
architecture: {u: {parameter: [], initializer: 3.0}, v: {parameter: [], initializer: -2.0}}
loss: {l: 0.5 * (u - 1)^2 + 0.5 * (v + 1)^2}
training:
  optimizer: {sgd: {learning_rate: 0.25, use_ema: true, ema_momentum: 0.5}}
  phases:
    a: {steps: 3}
    b: {steps: 2, gradient: {u: freeze}}
    c: {steps: 2, loss: {l: 0.5 * (u - 1)^2 + 0.5 * (v + 1)^2, pull: 0.5 * (v - average(u))^2}}
    d: {steps: 2, optimizer: {sgd: {use_ema: false}}}
    e: {steps: 3, optimizer: {sgd: {ema_momentum: 0.25}}}
measures: {u: u, v: v, u_now: current(u), v_now: current(v), slope: "gradient(u^2 * v, v)"}
"""
MEMORY = {"a": 0.5, "b": 0.5, "c": 0.5, "d": None, "e": 0.25}
PHASES = "aaabbccddeee"


def path_of_weights() -> list[dict[str, float]]:
    """What is measured at each step: a weight that a phase changes is seen at the average that it keeps, or as it is."""
    now = {"u": 3.0, "v": -2.0}
    kept: dict[str, float] = {}
    path = [{**now, "u_now": 3.0, "v_now": -2.0, "slope": 9.0}]
    for step, phase in enumerate(PHASES):
        slopes = {"u": now["u"] - 1, "v": now["v"] + 1}
        if phase == "c":
            slopes["v"] += now["v"] - kept["u"]
        for name in ("v",) if phase == "b" else ("u", "v"):
            before, memory = now[name], MEMORY[phase]
            now[name] -= 0.25 * slopes[name]
            if memory is None:
                kept.pop(name, None)
            elif not step:  # Keras' first average is the weight itself
                kept[name] = now[name]
            else:
                kept[name] = memory * kept.get(name, before) + (1 - memory) * now[name]
        seen = {**now, **kept}
        path.append({**seen, "u_now": now["u"], "v_now": now["v"], "slope": seen["u"] ** 2})
    return path


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_a_weight_is_seen_at_the_average_of_the_phase_that_changed_it_last(
    compiled: Callable[..., Compiled], xla: bool
) -> None:
    made = compiled(BODY, xla=xla)
    for step, expected in enumerate(path_of_weights()):
        if step:
            made.train(1)
        found = made.evaluate()
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-12, err_msg=f"{name} at step {step}")


def test_weights_are_written_as_they_are_seen(compiled: Callable[..., Compiled], tmp_path: Path) -> None:
    made = compiled(BODY)
    for step, expected in enumerate(path_of_weights()):
        if step in (3, 5, 7, 9):
            made.train(step - made.step)
            write(made, 0, tmp_path / str(step))
            for name in ("u", "v"):
                np.testing.assert_allclose(np.load(tmp_path / str(step) / f"{name}.npy"), expected[name], rtol=1e-12)


KEPT = BODY.replace("use_ema: true, ema_momentum: 0.5", "FIRST").replace(", pull: 0.5 * (v - average(u))^2", "")
KEPT = KEPT.replace("{use_ema: false}", "{SECOND}").replace("{ema_momentum: 0.25}", "{THIRD}").replace("current", "")


@pytest.mark.parametrize("between", [0.0, 0.5])
def test_momentum_that_a_phase_does_not_keep_is_not_there_behind_it(
    compiled: Callable[..., Compiled], between: float
) -> None:
    text = KEPT.replace("FIRST", "momentum: 0.9").replace("SECOND", f"momentum: {between}").replace("THIRD", "")
    made = compiled(text)
    v, moved = -2.0, 0.0
    for phase in PHASES:
        made.train(1)
        memory = between if phase == "d" else 0.9
        moved = memory * moved - 0.25 * (v + 1)
        v += moved
        np.testing.assert_allclose(made.evaluate()["v"], v, rtol=1e-12, err_msg=phase)
        if phase == "d" and not between:
            moved = 0.0


def test_that_is_in_digests_where_it_gives_other_numbers(program: Callable[[str], Program]) -> None:
    def marked(first: str, second: str, third: str, of_b: str = "", of_c: str = "") -> bool:
        text = KEPT.replace("FIRST", first).replace("SECOND", second).replace("THIRD", third)
        text = text.replace(", gradient: {u: freeze}", of_b).replace("c: {steps: 2", f"c: {{steps: 2{of_c}")
        return "kept by phases" in stored_meaning(program(text))

    averages, frozen, own = "use_ema: true", ", gradient: {u: freeze}", ", optimizer: {sgd: {ema_momentum: 0.1}}"
    assert marked(averages, averages, averages, frozen) and marked(averages, averages, averages, "", own)
    assert marked(averages, "use_ema: false", averages) and marked(averages, averages, "use_ema: false")
    assert marked("momentum: 0.9", "momentum: 0", "momentum: 0.9")
    assert marked("momentum: 0.9, nesterov: true", "momentum: 0.0", "momentum: 0.5")
    assert not marked("momentum: 0.9", "momentum: 0.9", "momentum: 0")
    assert not marked("momentum: 0.9", "momentum: 0.9", "use_ema: true")  # where they begin, measures saw them before
    assert not marked("momentum: 0.9", "momentum: 0.5", "momentum: 0.9", frozen)
    alike = KEPT.replace("FIRST", averages).replace(", gradient: {u: freeze}", "")
    alike = alike.replace(", optimizer: {sgd: {SECOND}}", "").replace(", optimizer: {sgd: {THIRD}}", ", restart: [v]")
    assert "kept by phases" not in stored_meaning(program(alike))
