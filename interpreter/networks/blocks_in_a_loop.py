"""The blocks of a `repeat`, one after the other: written out, or one loop over the weights of all, which is compiled once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

import tensorflow as tf
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.ir.plan import LayerPlan, Mode, NetworkPlan
from dlspec.spec.passes.alike_blocks import Block, are_alike

from ..lower import Lowering, Value
from .folded_batch import Batch

MIN_TURNS = 4
"""From so many blocks on a loop takes less time to compile than they do written out."""

Run = Callable[[Batch, Block, Any], Any]


class Blocks(Protocol):
    """The network that the blocks are of."""

    plan: NetworkPlan
    modes: Mapping[str, Mode]
    looked_into: frozenset[str]

    def value(self, place: tuple[str, str], lowering: Lowering) -> Value:
        """A weight in a context: [R, …]."""


def one_after_another(network: Blocks, batch: Batch, plan: LayerPlan, x: Any, run: Run) -> Any:
    """What the blocks of a `repeat` give on [rows, N, …]; `run` applies one of them. In a loop they give the same bits."""
    if not _is_a_loop(network, batch, plan):
        for block in plan.blocks:
            y = run(batch, block, x)
            x = x + y if plan.skip else y
        return x
    lowering, name = batch.lowering, network.plan.name
    layers = [layer for (layer,) in plan.blocks]
    stacks = {
        (name, layers[0].key, weight): tf.stack(
            [network.value((layer.key, weight), lowering).tensor for layer in layers]
        )
        for weight in layers[0].weights
    }

    turns = len(plan.blocks) if plan.turns is None else tf.cast(lowering.outermost()(plan.turns).tensor, tf.int32)

    def turn(number: Any, x: Any) -> Any:
        own = {place: Value(stack[number], (REPLICATE,)) for place, stack in stacks.items()}
        return number + 1, run(
            replace(batch, lowering=replace(lowering, given={**lowering.given, **own})), layers[:1], x
        )

    return tf.while_loop(lambda number, *_: number < turns, turn, [tf.constant(0), x])[1]


def _is_a_loop(network: Blocks, batch: Batch, plan: LayerPlan) -> bool:
    """Whether the blocks are alike but for their weights, and nothing between them is asked for or told apart."""
    lowering, application = batch.lowering, batch.application
    if plan.turns is not None:
        return True
    if not lowering.looped or len(plan.blocks) < MIN_TURNS or application.standing:
        return False
    if lowering.training is not None or lowering.watch is not None:
        return False
    if any(EXAMPLE in value.axes for value in lowering.given.values()):
        return False
    if not are_alike(plan):
        return False
    keys = {layer.key for (layer,) in plan.blocks}
    return not keys & network.looked_into and not any(f"{network.plan.name}.{key}" in network.modes for key in keys)
