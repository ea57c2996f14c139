"""What the loss needs of the training examples: made at each step, or kept of finite data and looked up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from dlspec.spec import terms as t
from dlspec.spec.axes import EXAMPLE, REPLICATE, Axes

from .lower import Value
from .networks import input_of

if TYPE_CHECKING:
    from .program import Compiled

MAX_BYTES = 2**30
"""Larger sets are made anew at each step, from their numbers."""


def kept(compiled: Compiled) -> dict[str, Any]:
    """The values of all training examples by name, [R, N, …] each; none where data are not finite, or too large."""
    program = compiled.program
    if program.data.kind != "finite" or program.training is None:
        return {}
    wanted = needed(compiled)
    count, replicates = program.data.train, len(compiled.replicates)
    if sum(term.type.bytes for term in wanted.values()) * count * replicates > MAX_BYTES:
        return {}
    chunk = compiled.chunk(count)

    @tf.function(jit_compile=compiled.xla, autograph=False)
    def made(keys: Any, drawn: dict[str, Any], first: Any) -> dict[str, Any]:
        lowering = compiled.lowering(keys, first + tf.range(chunk, dtype=tf.int64), chunk, drawn)
        return {
            name: lowering.whole(lowering(term), (REPLICATE, EXAMPLE), len(term.type.shape))
            for name, term in wanted.items()
        }

    parts: dict[str, list[Any]] = {name: [] for name in wanted}
    for first in range(0, count, chunk):
        found = made(compiled.keys["train"], compiled.drawn, tf.constant(first, tf.int64))
        for name, tensor in found.items():
            parts[name].append(tensor[:, : count - first])
    return {name: tf.concat(tensors, axis=1) for name, tensors in parts.items()}


def maker(compiled: Compiled) -> Callable[[Any, dict[str, Any], Any, Any], dict[str, Value]]:
    """What makes the values of a batch by name: keys, draws, int64 [R, B] numbers and a step to the values, by XLA.

    In a plain graph each of its small operations would pass over the memory by itself.
    """
    wanted = needed(compiled)
    axes: dict[str, Axes] = {}

    @tf.function(jit_compile=True, autograph=False)
    def made(keys: Any, drawn: dict[str, Any], index: Any, step: Any) -> dict[str, Any]:
        lowering = compiled.lowering(keys, index, index.shape[-1], drawn, step=step)
        values = {name: lowering(term) for name, term in wanted.items()}
        axes.update({name: value.axes for name, value in values.items()})
        return {name: value.tensor for name, value in values.items()}

    def values(keys: Any, drawn: dict[str, Any], index: Any, step: Any) -> dict[str, Value]:
        return {name: Value(tensor, axes[name]) for name, tensor in made(keys, drawn, index, step).items()}

    return values


def looked_up(held: dict[str, Any], index: Any) -> dict[str, Value]:
    """The values of some examples, int64 [R, B], by name."""
    return {name: Value(tf.gather(tensor, index, batch_dims=1), (REPLICATE, EXAMPLE)) for name, tensor in held.items()}


def needed(compiled: Compiled) -> dict[str, t.Term]:
    """What the loss uses of an example: whole inputs of networks, and the bindings that it uses besides."""
    program = compiled.program
    plans = {plan.name: plan for plan in program.networks}
    pending = [term.term for term in program.loss]
    found: dict[str, t.Term] = {}
    seen: set[str] = set()
    while pending:
        for item in t.walk(pending.pop()):
            if isinstance(item, t.Reference) and item.phase == "example":
                found[item.name] = compiled.bindings[item.name]
            elif isinstance(item, t.Reference) and item.phase == "outputs" and item.name not in seen:
                seen.add(item.name)
                pending.append(compiled.bindings[item.name])
            elif isinstance(item, t.NetworkOutput) and item.input is None and item.network not in seen:
                seen.add(item.network)
                given = plans[item.network].taken
                if any(isinstance(part, t.NetworkOutput) for part in t.walk(given)) or isinstance(given, t.Reference):
                    pending.append(given)
                else:
                    found[input_of(item.network)] = given
    return found
