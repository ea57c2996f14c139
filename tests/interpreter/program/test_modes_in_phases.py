"""Gradient modes of phases: each phase is trained, and measured, as one that has its modes from the beginning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program

BODY = """
functions: {hard(z): "1 if z > 0 else -1", soft(z): tanh(2 * z)}
task: {data: {train: 12, test: 6}, example: {x: "normal([3])", y: "sum(x)"}}
architecture: {f: {input: x, layers: [{dense: {units: 4, activation: tanh, name: body}}, {dense: {units: 1, name: head}}]}}
outputs: {o: soft(f)}
loss: {l: (o - y)^2, k: 0.5 * (hard(f) - y)^2}
gradient: GRADIENT
training:
  optimizer: {adam: {learning_rate: 0.02}}
  batch: 4
  phases:
    a: {steps: 3}
    b: {steps: 2, times: 2, OF_B}
    c: {steps: 3, OF_C}
    d: {steps: 2}
estimates: {steep: {after: b, of: "E(gradient(o, x)^2)"}}
measures:
  g: norm(E(gradient((o - y)^2 + (hard(f) - y)^2, f.weights)))
  s: {gradient_norm: {of: (o - y)^2, weights: f.weights, examples: 6}}
  t: sum(steep)
replicates: 2
"""
FIRST = "{hard: {surrogate: tanh(z)}, f.head: {scale: 0.5}}"
SECOND = "hard: forward_only, soft: {scale: '2.0 + phase'}, f.head: exact"
THIRD = "soft: {clip: 0.1}, f.head: {scale: -1}"


def body(gradient: str, of_b: str = "", of_c: str = "") -> str:
    found = BODY.replace("GRADIENT", gradient)
    for word, modes in (("OF_B", of_b), ("OF_C", of_c)):
        found = found.replace(f", {word}", f", gradient: {{{modes}}}" if modes else "")
    return found


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_a_phase_is_as_if_its_modes_were_there_from_the_beginning(program: Callable[[str], Program], xla: bool) -> None:
    """To the bit: weights, what optimisers keep, estimates, and gradients in measures, of all replicates side by side."""

    def made_of(*modes: str) -> Compiled:
        text = body(*modes)
        if xla:  # of what is measured, one gradient by weights
            text = "\n".join(line for line in text.split("\n") if not line.startswith(("  s:", "  t:")))
        return Compiled(program(text), (0, 1), xla)

    made = made_of(FIRST, SECOND, THIRD)
    surrogate = "hard: {surrogate: tanh(z)}, "
    from_the_start = {
        "a": FIRST, "b": "{" + SECOND.replace("f.head: exact", "f.head: {scale: 1.0}") + "}", "c": "{" + surrogate + THIRD + "}",
    }  # fmt: skip
    phases = [("a", 3), ("b", 2), ("b", 2), *([] if xla else [("c", 3), ("d", 2)])]
    alone = {name: made_of(from_the_start[name]) for name, _ in phases[:-1]}
    alone["d"] = alone["a"]
    made.evaluate()
    for name, steps in phases:
        other = alone[name]
        other.restore(made.step, made.saved())
        for own in other, made:
            own.train(steps)
        taken = len(made.context.estimates)  # as the next phase begins, under the modes of the one that ended
        for one, two in [*zip(made.saved()[0], other.saved()[0], strict=True)][: -taken or None]:
            assert one.tobytes() == two.tobytes(), name
        found, wanted = made.evaluate(), other.evaluate()
        for measure in found.keys() - {"t"}:
            assert found[measure].tobytes() == wanted[measure].tobytes(), (name, measure)
    if xla:
        return
    alone["b"].train(1)
    assert found["t"].tobytes() == alone["b"].evaluate()["t"].tobytes()


def test_a_layer_that_a_phase_freezes_keeps_its_weights_and_its_momentum(compiled: Callable[..., Compiled]) -> None:
    """Beside updates written out in NumPy."""
    made = compiled(
        """
        dtype: float64
        task: {data: {train: 6, test: 5}, example: {x: "normal([3])", y: "normal()"}}
        architecture:
          f:
            input: x
            layers: [{dense: {units: 2, use_bias: false, name: body}}, {dense: {units: 1, use_bias: false, name: head}}]
        loss: {l: (f - y)^2}
        training:
          optimizer: {sgd: {learning_rate: 0.05, momentum: 0.9}}
          batch: 6
          phases: {a: {steps: 2}, b: {steps: 3, gradient: {f.body: freeze}}, c: {steps: 2}}
        measures: {body: f.body.kernel, head: f.head.kernel}
        """.replace("\n        ", "\n")
    )
    start, data = made.evaluate(), made.train_inputs.dataset
    x, y = (data[key].numpy()[0] for key in ("x", "y"))
    body, head = start["body"][0], start["head"][0]
    kept: dict[str, Any] = {"body": 0.0, "head": 0.0}
    for phase, steps in (("a", 2), ("b", 3), ("c", 2)):
        for _ in range(steps):
            given = 2 * (x @ body @ head - y[:, np.newaxis]) / 6
            slopes = {"body": x.T @ given @ head.T, "head": (x @ body).T @ given}
            for name, slope in slopes.items():
                if phase != "b" or name != "body":
                    kept[name] = 0.9 * kept[name] - 0.05 * slope
            body = body + (kept["body"] if phase != "b" else 0)
            head = head + kept["head"]
        made.train(steps)
        found = made.evaluate()
        np.testing.assert_allclose(found["body"][0], body, rtol=1e-9, err_msg=phase)
        np.testing.assert_allclose(found["head"][0], head, rtol=1e-9, err_msg=phase)
