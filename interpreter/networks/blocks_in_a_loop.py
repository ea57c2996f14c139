"""The blocks of a `repeat`, one after the other: written out, or one loop over the weights of all, which is compiled once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.ir.plan import LayerPlan, Mode, NetworkPlan

from ..lower import Lowering, Value
from .folded_batch import Batch

MIN_TURNS = 4
"""From so many blocks on a loop takes less time to compile than they do written out."""

Block = Sequence[LayerPlan]
Run = Callable[[Batch, Block, Any], Any]


class Blocks(Protocol):
    """The network that the blocks are of."""

    plan: NetworkPlan
    modes: Mapping[str, Mode]
    looked_into: frozenset[str]

    def value(self, place: tuple[str, str], lowering: Lowering) -> Value:
        """A weight in a context: [R, …]."""


def one_after_another(network: Blocks, batch: Batch, plan: LayerPlan, x: Any, run: Run) -> Any:
    """What the blocks of a `repeat` give on [rows, N, …]; `run` applies one of them. In a loop they do the same operations, and give the same bits."""
    if not _is_a_loop(network, batch, plan):
        for block in plan.blocks:
            y = run(batch, block, x)
            x = x + y if plan.skip else y
        return x
    lowering, name = batch.lowering, network.plan.name
    leaves = [_leaves(block) for block in plan.blocks]
    stacks = {
        (name, first.key, weight): tf.stack(
            [network.value((layer.key, weight), lowering).tensor for layer in (first, *others)]
        )
        for first, *others in zip(*leaves, strict=True)
        for weight in first.weights
    }

    def turn(number: Any, x: Any) -> Any:
        own = {place: Value(stack[number], (REPLICATE,)) for place, stack in stacks.items()}
        y = run(replace(batch, lowering=replace(lowering, given={**lowering.given, **own})), plan.blocks[0], x)
        return number + 1, x + y if plan.skip else y

    return tf.while_loop(lambda number, *_: number < len(plan.blocks), turn, [tf.constant(0), x])[1]


def _is_a_loop(network: Blocks, batch: Batch, plan: LayerPlan) -> bool:
    """Whether the blocks are alike but for their weights, and nothing between them is asked for or told apart."""
    lowering, application = batch.lowering, batch.application
    first, *others = plan.blocks
    if not lowering.looped or len(plan.blocks) < MIN_TURNS or application.standing:
        return False
    if lowering.training is not None or lowering.watch is not None or first[0].input != first[-1].output:
        return False
    if any(EXAMPLE in value.axes for value in lowering.given.values()):
        return False
    keys = {layer.key for block in plan.blocks for layer in (*block, *_leaves(block))}
    if keys & network.looked_into or any(f"{network.plan.name}.{key}" in network.modes for key in keys):
        return False
    return all(map(_is_plain, _leaves(first))) and all(_are_alike(first, block) for block in others)


def _leaves(layers: Block) -> list[LayerPlan]:
    """Layers with blocks opened, in the order in which they are applied."""
    return [
        leaf
        for layer in layers
        for leaf in ([leaf for block in layer.blocks for leaf in _leaves(block)] if layer.blocks else [layer])
    ]


def _is_plain(layer: LayerPlan) -> bool:
    """Whether a layer computes its output from its input and its weights alone."""
    terms = any(isinstance(value, t.Term) for value in layer.config.values())
    return layer.body is None and not layer.parts and not terms


def _are_alike(one: Block, other: Block) -> bool:
    """Whether layers are the same but for their names and how their weights start and are bounded."""
    return len(one) == len(other) and all(map(_is_like, one, other))


def _is_like(one: LayerPlan, other: LayerPlan) -> bool:
    def told(layer: LayerPlan) -> tuple[Any, ...]:
        shapes = {name: tuple(shape) for name, shape in layer.weights.items()}
        return (
            layer.kind, layer.row, layer.keras, layer.input, layer.output, layer.skip, shapes, layer.untrained, layer.examples,
            len(layer.blocks), {name: repr(value) for name, value in layer.config.items()},
        )  # fmt: skip

    return told(one) == told(other) and all(map(_are_alike, one.blocks, other.blocks))
