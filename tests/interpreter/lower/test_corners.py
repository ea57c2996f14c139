"""Gradients at ties and corners, and of what a select does not take: closed forms, in both forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower import Value
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE

# Each expression of a number w, where it is taken, and the derivative there.
CORNERS: list[tuple[str, float, float]] = [
    ("relu(w)", 0, 0), ("maximum(w, 0)", 0, 0), ("maximum(0, w)", 0, 0), ("max([w, 0])", 0, 0), ("max([0, w])", 0, 0), ("-minimum(-w, 0)", 0, 0),
    ("-min([-w, 0])", 0, 0), ("clip(w, 0, 1)", 0, 0), ("clip(w, 0, 1)", 1, 0), ("hinge(1, w)", 1, 0), ("hinge(1, w)", 0.5, -1),
    ("maximum(w, 2 * w)", 0, 1.5), ("max([w, 2 * w, 3 * w])", 0, 2), ("min([w, 3 * w])", 0, 2), ("minimum(w, 3 * w)", 0, 2), ("max([w, w, -1])", 0.5, 1),
    ("maximum(w, -1)", 0, 1), ("abs(w)", 0, 0), ("sign(w)", 0, 0), ("sqrt(w)", 0, 0), ("sqrt(w)", 4, 0.25), ("w^0.5", 0, 0), ("abs(w)^0.5", 0, 0),
    ("w^2", 0, 0), ("w^1", 0, 1), ("w^0", 0, 0), ("norm([w, 0])", 0, 0), ("norm([w, 0])", -2, -1), ("sqrt(w^2 + 0)", 0, 0), ("atan2(w, 0)", 0, 0),
    ("atan2(w, 1)", 0, 1), ("huber(w, 0, 1)", 1, 1), ("huber(w, 0, 1)", 0, 0), ("sort([w, 0])[0]", 0, 1), ("sort([0, w])[0]", 0, 0),
    ("prod([w, 3, 2])", 0, 6), ("prod([w, w, 2])", 0, 0), ("cumprod([w, 3])[1]", 0, 3), ("cumprod([3, w, 2])[2]", 0, 6), ("logsumexp([w, w])", 0, 1),
    ("variance([w, w])", 1, 0), ("round(w)", 0.5, 0), ("floor(w)", 1, 0), ("w % 1", 1, 1), ("step_of(w, [0, 1]) * w", 1, 1), ("softplus(w)", 0, 0.5),
    ("logistic(1, w)", 0, -0.5), ("erf(w)", 0, 2 / np.sqrt(np.pi)), ("det([[w, 1], [2, 0]])", 0, 0),
    # the branch not taken has no say
    ("sqrt(w) if w > 0 else 0", -1, 0), ("sqrt(w) if w > 0 else 0", 0, 0), ("sqrt(w) if w > 0 else 0", 4, 0.25),
    ("1 / w if abs(w) > 1e-6 else 0", 0, 0), ("1 / w if abs(w) > 1e-6 else w", 0, 1), ("0 if w <= 0 else log(w)", 0, 0),
    ("select(w > 0, log(w), 3 * w)", -1, 3), ("sum(select([w, w + 2] > 0, sqrt([w, w + 2]), 0))", -1, 0.5),
    ("(log(w) if w > 1 else sqrt(w)) if w > 0 else w", -1, 1), ("exp(w * 1e4) if w < 0.01 else w", 1, 1), ("root(w - 1) if w > 1 else w", 0, 1),
    ("w^-1.5 if w > 0 else 0", 0, 0), ("atan2(1 / w, w) if w != 0 else w", 0, 1), ("norm([sqrt(w), w]) if w > 0 else w", -1, 1),
    ("dot([sqrt(w), w], [w, 1]) if w > 0 else w", -1, 1), ("matmul([[sqrt(w), w]], [[w], [1]])[0, 0] if w > 0 else w", -1, 1),
    ("named if w > 0 else 2 * w", -1, 2), ("net([log(w)]) * w if w > 0 else w", -1, 1), ("inverse([[w, 0], [0, 1]])[0, 0] if w != 0 else w", 0, 1),
    ("logsumexp([1 / w, 0]) if w != 0 else w", 0, 1), ("cross_entropy([1 / w, 0], 1) if w != 0 else w", 0, 1),
    ("softmax([1 / w, 0])[0] if w != 0 else w", 0, 1), ("prod([1 / w, w]) if w != 0 else w", 0, 1), ("w % (1 / w) if w != 0 else w", 0, 1),
]  # fmt: skip
BODY = """
dtype: float64
functions: {{root(t): sqrt(t)}}
task: {{example: {{{examples}}}}}
architecture: {{net: {{input: "[w0]", layers: [{{dense: {{units: 1, kernel_initializer: ones}}}}]}}}}
outputs: {{{outputs}}}
measures: {{{measures}}}
"""


def body() -> str:
    """An example's number for each case."""
    examples = [f"w{place}: normal()" for place in range(len(CORNERS))]
    outputs, measures = [], []
    for place, (text, _, _) in enumerate(CORNERS):
        written = re.sub(r"\bw\b", f"w{place}", text.replace("named", f"named{place}"))
        if written != text and "named" in text:
            outputs.append(f'named{place}: "log(w{place}) ^ 2"')
        measures.append(f'm{place}: "E({written})"')
    return BODY.format(examples=", ".join(examples), outputs=", ".join(outputs), measures=", ".join(measures))


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_gradients_at_corners_and_of_branches_are_closed_forms(compiled: Callable[..., Compiled], xla: bool) -> None:
    """All of them one backward pass of their sum; a network's weight gets none from where it is not taken."""
    held = compiled(body())
    terms = [measure.term.body for measure in held.program.measures]
    (layer, kernel), *_ = (
        (place[0], held) for place, held in held.networks["net"].weights.items() if place[1] == "kernel"
    )

    @tf.function(jit_compile=xla, autograph=False)
    def slopes(numbers: list[Any], weight: Any) -> Any:
        lead = (REPLICATE, EXAMPLE)
        with tf.GradientTape() as tape:
            tape.watch([*numbers, weight])
            given = {("net", layer, "kernel"): Value(weight, (REPLICATE,))}
            lowering = held.context.lowering(
                held.seeds.keys["test"], tf.zeros([1], tf.int64), 1, held.seeds.draws, given=given
            )
            lowering.values.update({f"w{place}": Value(number, lead) for place, number in enumerate(numbers)})
            total = tf.add_n([tf.reduce_sum(lowering.cast(lowering(term).tensor, "real")) for term in terms])
        return tape.gradient(total, [*numbers, weight], unconnected_gradients="zero")

    numbers = [tf.constant([[at]], tf.float64) for _, at, _ in CORNERS]
    *found, of_weight = slopes(numbers, tf.convert_to_tensor(kernel.value))
    wrong = [
        f"{text} at {at}: {expected} is {float(slope[0, 0])}"
        for (text, at, expected), slope in zip(CORNERS, found, strict=True)
        if not np.isclose(float(slope[0, 0]), expected, 1e-9, 1e-12)
    ]
    assert not wrong, "\n".join(wrong)
    assert float(tf.reduce_sum(of_weight)) == 0
