"""The number type that weights are kept in: `weights`, with `state` and `loss_scale`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..diagnostics.problems import Problem, problem_at
from ..ir import terms as t
from ..ir.plan import MeasurePlan, StoredWeights
from ..tables.dtypes import DTYPES
from ..tables.stored_types import LEFT_OUT, STORED_TYPES
from . import constant_folding as folding
from .context import Context


def stored_weights(experiment: Any) -> StoredWeights | None:
    """How weights are kept; None where nothing is rounded and nothing is scaled. Raises StudyError."""
    model = experiment.model
    if model.weights is None:
        for field in ("state", "loss_scale"):
            if getattr(model, field) is not None:
                message = f"`{field}` says how weights of another number type are trained, and `weights` is missing"
                raise problem_at(model.key(field), message, "Add `weights: bfloat16` or `weights: float16`.")
        return None
    if DTYPES[model.dtype].real != "float32":
        message = f"`weights: {model.weights}` is rounded from float32, and the experiment computes in {model.dtype}"
        raise problem_at(model.span("weights"), message, "Leave `dtype` out, or `weights`.")
    scale = None
    if model.loss_scale is not None:
        node = model.node("loss_scale")
        if getattr(node, "value", None) in ("dynamic", "auto"):
            message = f"the loss is multiplied by one number, and '{node.value}' is not one"
            raise problem_at(
                node.span,
                message,
                "Write `loss_scale: 2^15`; `left_out`, in measures, counts the updates in which that was too much.",
            )
        scale = float(folding.number(experiment.checker.value(node, Context("constants", ())), "'loss_scale'"))
        if not 0 < scale <= STORED_TYPES["float32"].most:
            hint = "The loss is multiplied by it, and gradients are divided by it: `2^15`."
            message = f"'loss_scale' is {scale:g}, and has to be above 0 and at most 3.4e+38, the largest float32"
            raise problem_at(node.span, message, hint)
    if model.weights == "float32" and scale is None:
        return None
    state = "float32" if model.state == "float32" else model.weights
    return StoredWeights(STORED_TYPES[model.weights].name, state, scale)


def left_out_of_nothing(measures: Iterable[MeasurePlan]) -> Iterator[Problem]:
    """Measures of how many updates were left out, where none ever is."""
    for measure in measures:
        for item in t.within(measure.term, t.LeftOut):
            hint = "Add `loss_scale: 2^15` beside `weights: float16`, or leave the measure out."
            message = f"`{LEFT_OUT}` counts updates whose scaled gradient is not finite, and no loss is scaled"
            yield Problem(message, item.span, hint)
            return
