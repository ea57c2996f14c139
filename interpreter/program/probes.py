"""Values of single test examples for figures: inputs, and a network's outputs."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.ir.plan import ProbePlan

from .context import ProgramContext


def compile_probe(context: ProgramContext, plan: ProbePlan, under: str = "") -> Any:
    """The function from the test stream's keys, the draws and the step to a figure's values: [R, N, …] by label.

    `under` is what tells it from that under other gradient modes.
    """

    @context.functions.shared(f"figure {plan.figure}{under}", context.xla, measures=True)
    def values(keys: Any, draws: dict[str, Any], step: Any) -> dict[str, Any]:
        index = tf.range(plan.examples, dtype=tf.int64)
        lowering = context.forwards.lowering(keys, index, plan.examples, draws, step=step)
        return {
            label: lowering.broadcast_to_axes(lowering(term), (REPLICATE, EXAMPLE), len(term.type.shape))
            for label, term in plan.terms.items()
        }

    return values
