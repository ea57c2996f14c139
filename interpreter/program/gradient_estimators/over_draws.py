"""Statistics over draws of the target.

Each of D targets has two gradients ḡ and ḡ' from independent halves of its own examples (one and the same where every example
is there): the variance is (Σ⟨ḡ, ḡ'⟩ - ⟨Σ ḡ, Σ ḡ'⟩ / D) / (D - 1), without bias.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.ir.data import Digits

from ...lower import Lowering, Value
from ..file_rows import is_of_files
from ..seeds import constants_of, is_constant
from .gradients import Gradients, inner
from .registry import Inputs, estimates


@estimates("gradient_variance")
def variance(gradients: Gradients, inputs: Inputs) -> tuple[Any, Any]:
    """The variance, and two standard errors of it if it were 0."""
    term, step = gradients.term, inputs.step
    count, exact = term.draws, gradients.context.program.data.exact
    half = term.examples if exact else max(1, term.examples // 2)

    def body(place: Any, sums: Any, products: Any, last: Any, gaps: Any, squares: Any) -> Any:
        target = redrawn(gradients, inputs, place)
        first = tf.cast(place, tf.int64) * (0 if exact else 2 * half)
        one = gradients.mean(inputs.keys["test"], target, step, first, half)
        two = one if exact else gradients.mean(inputs.keys["test"], target, step, first + half, half)
        gap = inner(one - last[0], two - last[1]) / 2
        gap = tf.where(place % 2 == 1, gap, tf.zeros([], tf.float64))
        sums = (sums[0] + one, sums[1] + two)
        return place + 1, sums, products + inner(one, two), (one, two), gaps + gap, squares + tf.square(gap)

    wide = tf.zeros([gradients.replicates, gradients.size], tf.float64)
    narrow = tf.zeros([gradients.replicates], tf.float64)
    start = [tf.constant(0), (wide, wide), narrow, (wide, wide), narrow, narrow]
    _, sums, products, _, gaps, squares = tf.while_loop(lambda place, *_: place < count, body, start)
    value = (products - inner(*sums) / count) / (count if term.every else count - 1)
    pairs = count // 2
    spread_squared = tf.maximum(squares / pairs - tf.square(gaps / pairs), 0) / max(1, pairs - 1)
    return value, 2 * tf.sqrt(spread_squared)


def redrawn(gradients: Gradients, inputs: Inputs, place: Any) -> dict[str, Any]:
    """The replicates' draws with those that the term names made anew for the target of a number, and what depends on them."""
    context, term, over = gradients.context, gradients.term, set(gradients.term.over)

    def lowering_of(stream: str, index: Any) -> Lowering:
        own = inputs.keys[stream]
        return Lowering(
            context.dtype, {REPLICATE: gradients.replicates, EXAMPLE: 1}, context.bindings, {},
            keys=lambda sample: own[context.samples[sample.path]], index=index, lead=(REPLICATE,),
            enumerated=(Digits(term.every),) if stream == "redraw" and term.every else (), constants=constants_of(inputs.draws),
        )  # fmt: skip

    anew = lowering_of("redraw", tf.reshape(tf.cast(place, tf.int64), [1]))
    same = lowering_of("draw", tf.zeros([1], tf.int64))
    draws = dict(inputs.draws)
    changed: set[str] = set()
    for item in context.program.draws:
        below = {part.name for part in t.walk(item.term) if isinstance(part, t.Reference)}
        if item.name in over or below & changed:
            changed.add(item.name)
            known = {
                name: Value(tensor, (REPLICATE,)) for name, tensor in draws.items()
                if name != item.name and not is_constant(name) and not is_of_files(name)
            }  # fmt: skip
            lowering = replace(anew if item.name in over else same, values=known)
            draws[item.name] = lowering.broadcast_to_axes(lowering(item.term), (REPLICATE,), len(item.type.shape))
    return draws
