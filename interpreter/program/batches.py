"""The batches of training examples: generated at each step, or looked up in finite data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import CELL, EXAMPLE, REPLICATE, Axes, union
from dlspec.spec.ir.plan import LossPlan
from dlspec.spec.tables.distributions import DISTRIBUTIONS

from ..backend.graph_functions import graph_function
from ..lower import Lowering, Value
from ..lower.branches import out_of_branch
from ..networks.network import input_of
from .context import ProgramContext, lead_axes

MAX_BYTES = 2**30
"""Larger datasets are regenerated each step from example indices."""

VALUES_WORTH_A_BRANCH = 16
"""From so many values an example on, making them twice costs more than a branch."""


def materialize_dataset(context: ProgramContext, keys: Any, draws: dict[str, Any]) -> dict[str, Any]:
    """The values of all training examples by name, [R, N, …] each, or [cells, R, N, …]; none where they are too large.

    What changes with the step is not among them: it is made at each step from what is, and from the example's own draws.
    `keys` are those of the training stream, uint32 [samples, R, 2]; `draws` the replicates' draws, [R, …] by name.
    """
    terms = lasting(context, context.program.loss)
    count = context.program.data.train
    if sum(term.type.bytes for term in terms.values()) * count * context.rows > MAX_BYTES:
        return {}
    chunk = context.chunk(count)

    @context.functions.shared("values of the dataset", context.xla)
    def values_from(keys: Any, draws: dict[str, Any], first: Any) -> dict[str, Any]:
        lowering = context.lowering(keys, first + tf.range(chunk, dtype=tf.int64), chunk, draws)
        values = {name: lowering(term) for name, term in terms.items()}
        return {
            name: lowering.broadcast_to_axes(
                value, union([value.axes, (REPLICATE, EXAMPLE)]), len(terms[name].type.shape)
            )
            for name, value in values.items()
        }

    parts: dict[str, list[Any]] = {name: [] for name in terms}
    for first in range(0, count, chunk):
        for name, tensor in values_from(keys, draws, tf.constant(first, tf.int64)).items():
            parts[name].append(tensor)
    values = {}
    for name, tensors in parts.items():
        place = tensors[0].shape.rank - len(terms[name].type.shape) - 1
        values[name] = tf.concat(tensors, axis=place)[(slice(None),) * place + (slice(0, count),)]
    return values


def make_batch_fn(
    context: ProgramContext, loss: Sequence[LossPlan]
) -> Callable[[Any, dict[str, Any], Any, Any], dict[str, Value]]:
    """What makes the values of a batch that some terms of the loss need, by name: keys, draws, int64 [R, B] numbers, a step and places to the values, by XLA.

    In a plain graph each of its small operations would pass over the memory by itself.
    """
    terms = needed(context, loss)
    axes: dict[str, Axes] = {}

    @graph_function(xla=True)
    def tensors(keys: Any, draws: dict[str, Any], indices: Any, step: Any, rows: Any, other: Any) -> dict[str, Any]:
        lowering = context.lowering(
            keys, indices, indices.shape[-1], draws, step=step, update=step, places=rows, other=other
        )
        values = {name: lowering(term) for name, term in terms.items()}
        axes.update({name: value.axes for name, value in values.items()})
        return {name: value.tensor for name, value in values.items()}

    def batch(
        keys: Any, draws: dict[str, Any], indices: Any, step: Any, rows: Any = None, other: Any = None
    ) -> dict[str, Value]:
        made = tensors(keys, draws, indices, step, rows, other)
        return {name: Value(tensor, axes[name]) for name, tensor in made.items()}

    return batch


def gather_batch(context: ProgramContext, dataset: dict[str, Any], indices: Any) -> dict[str, Value]:
    """The values of some examples, int64 [R, B], by name."""
    terms, values = lasting(context, context.program.loss), {}
    for name, tensor in dataset.items():
        axes = lead_axes(tensor, len(terms[name].type.shape), REPLICATE, EXAMPLE)
        places = indices if axes[0] != CELL else tf.tile(indices[tf.newaxis], [context.cells, 1, 1])
        values[name] = Value(tf.gather(tensor, places, batch_dims=len(axes) - 1), axes)
    return values


def isolate_draws(context: ProgramContext, loss: Sequence[LossPlan], lowering: Lowering) -> None:
    """Sets the values of the names that some terms of the loss need and that draw many reals, each out of a branch of its own.

    XLA on a CPU makes a value anew in each of the operations that use it, a generator's rounds included, unless it comes out
    of a branch. The other branch is never taken: no step is below 0.
    """
    for name, term in _drawing(context, loss):
        for part in t.walk(term):
            if isinstance(part, t.Reference):
                lowering(part)  # before the branch: what is made within it is not seen outside
        lowering.values[name] = _out_of_branch(lowering, term)


def _out_of_branch(lowering: Lowering, term: t.Term) -> Value:
    found: list[Value] = []

    def made() -> Any:
        found.append(replace(lowering, fused=True, filled=_drawn_to_the_bit(term))(term))
        return found[0].tensor

    return Value(out_of_branch(lowering.step, made), found[0].axes)


def _drawn_to_the_bit(term: t.Term) -> bool:
    """Whether a term has the same bits where its draws are made beside it: a draw's last operation is a product, and one that is added is not rounded first."""
    if isinstance(term, t.Sample):
        given = term.parameters
        return "deviation" not in given or _is(given["mean"], 0) or not _is(given["deviation"], 1)
    if isinstance(term, t.Operate) and term.operation in ("multiply", "divide"):
        return all(_drawn_to_the_bit(one) or not t.has(one, t.Sample) for one in term.arguments)
    return False


def _is(term: t.Term, value: float) -> bool:
    return isinstance(term, t.Literal) and bool((term.value == value).all())


def _drawing(context: ProgramContext, loss: Sequence[LossPlan]) -> list[tuple[str, t.Term]]:
    """The names of an example that the loss needs, directly or through others, and that draw many reals; in order."""
    direct = needed(context, loss)
    pending, found = list(direct.values()), set(direct)
    while pending:
        for item in t.walk(pending.pop()):
            if isinstance(item, t.Reference) and item.stage == "example" and item.name not in found:
                found.add(item.name)
                pending.append(context.bindings[item.name])
    terms = [(item.name, item.term) for item in context.program.examples if item.name in found]
    return [(name, term) for name, term in terms if any(map(_many_reals, t.walk(term)))]


def _many_reals(term: t.Term) -> bool:
    if not isinstance(term, t.Sample) or prod(term.shape) < VALUES_WORTH_A_BRANCH:
        return False
    return DISTRIBUTIONS[term.distribution].transcendental


def lasting(context: ProgramContext, loss: Sequence[LossPlan]) -> dict[str, t.Term]:
    """Of what some terms of the loss use of an example, directly or through what changes with the step, all that does not."""
    pending = list(needed(context, loss).items())
    terms: dict[str, t.Term] = {}
    seen: set[str] = set()
    while pending:
        name, term = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        if not _changes(context, term):
            terms[name] = term
            continue
        for item in t.walk(term):
            if isinstance(item, t.Reference) and item.stage == "example":
                pending.append((item.name, context.bindings[item.name]))
    return terms


def _changes(context: ProgramContext, term: t.Term) -> bool:
    """Whether an example's value changes with the step, or from visit to visit."""
    anew = context.program.data.otherwise
    pending, seen = [term], set()
    while pending:
        for item in t.walk(pending.pop()):
            if isinstance(item, t.StepNumber) or (isinstance(item, t.Sample) and item.path in anew):
                return True
            if isinstance(item, t.Reference) and item.stage == "example" and item.name not in seen:
                seen.add(item.name)
                pending.append(context.bindings[item.name])
    return False


def needed(context: ProgramContext, loss: Sequence[LossPlan]) -> dict[str, t.Term]:
    """What some terms of the loss use of an example: whole inputs of networks, and the bindings that it uses besides."""
    program = context.program
    plans = {plan.name: plan for plan in program.networks}
    pending = [term.term for term in loss]
    terms: dict[str, t.Term] = {}
    seen: set[str] = set()
    while pending:
        for item in t.walk(pending.pop()):
            if isinstance(item, t.Reference) and item.stage == "example":
                terms[item.name] = context.bindings[item.name]
            elif isinstance(item, t.Reference) and item.stage == "outputs" and item.name not in seen:
                seen.add(item.name)
                pending.append(context.bindings[item.name])
            elif isinstance(item, t.NetworkOutput) and item.input is None and item.network not in seen:
                seen.add(item.network)
                given = plans[item.network].taken
                learnt = any(isinstance(part, t.NetworkOutput | t.Weight | t.AllWeights) for part in t.walk(given))
                if learnt or isinstance(given, t.Reference):
                    pending.append(given)
                else:
                    terms[input_of(item.network)] = given
    return terms
