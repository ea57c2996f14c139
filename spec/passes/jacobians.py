"""How a Jacobian is made, with a backward pass for each entry of the value or with one of copies side by side; and what derivatives hold."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from ..ir import terms as t
from ..ir.plan import Program
from ..tables.dtypes import BYTES, DTYPES
from .print_term import spell
from .reached_examples import reached
from .shared_noise import drawing

MAX_PASSES = 8
"""Up to so many backward passes are written out, after one pass forwards."""


def is_written_out(program: Program, term: t.ValueGradient, training: bool) -> bool:
    """Whether each entry of the value has a backward pass of its own.

    Copies of what a network is given would each be given other noise in training, and weights have no copies.
    """
    few = prod(term.of.type.shape) <= MAX_PASSES or by_weights(term)
    return few or _holds_weights(program, term.of) or (training and _draws(program, term.of))


def _holds_weights(program: Program, of: t.Term) -> bool:
    """Whether a derivative by weights stands in a value."""
    items = reached(program, [of])
    return any(isinstance(item, t.DERIVATIVES) and by_weights(item) for item in items)


def _draws(program: Program, of: t.Term) -> bool:
    networks = drawing(program)
    return any(isinstance(item, t.NetworkOutput) and item.network in networks for item in reached(program, [of]))


def by_weights(term: t.ValueGradient | t.Directional) -> bool:
    """Whether a derivative is taken with respect to weights."""
    return isinstance(term.by, t.Weight | t.AllWeights)


def is_of_the_batch(body: t.Term) -> bool:
    """Whether the mean of a term over the batch is that of gradients by weights, which takes no example's by itself."""
    return isinstance(body, t.ValueGradient) and by_weights(body) and not body.of.type.shape


def apart(term: t.ValueGradient | t.Directional) -> int:
    """The numbers that each example has of its own for a derivative by weights: weights, what comes back to them, and the derivative or direction."""
    entries = prod(term.of.type.shape) if isinstance(term, t.ValueGradient) else 1
    return prod(term.by.type.shape) * (2 + entries)


def bytes_of(program: Program, root: t.Term) -> list[int]:
    """What one example's derivatives in a term hold beside: its own numbers of what each is taken by, and copies of the widest value."""
    sizes = [item.type.bytes for item in t.walk(root) if isinstance(item, t.Gradient)]
    for item in reached(program, [root]):
        if isinstance(item, t.DERIVATIVES):
            entries = prod(item.of.type.shape)
            if by_weights(item):
                sizes.append(item.by.type.bytes * (entries if isinstance(item, t.ValueGradient) else 1))
            elif isinstance(item, t.ValueGradient) and not is_written_out(program, item, False):
                sizes.append(entries * _widest(program))
    return sizes


def _widest(program: Program) -> int:
    layers = (layer.largest * network.applications for network in program.networks for layer in network.leaves())
    return max([item.type.bytes for item in program.examples] + [max(layers, default=4), 4])


def told_apart(program: Program) -> Iterator[tuple[str, str, int]]:
    """The derivatives by weights that a loss takes of each example: the term, the weights, and the bytes of a batch of one replicate."""
    if program.training is None:
        return
    batch = program.training.largest_batch
    for loss in program.loss:
        items = list(reached(program, [loss.term]))
        means = {id(item.body) for item in items if isinstance(item, t.BatchMean) and is_of_the_batch(item.body)}
        for item in items:
            if isinstance(item, t.DERIVATIVES) and by_weights(item) and id(item) not in means:
                yield loss.name, spell(item.by), batch * apart(item) * BYTES[DTYPES[program.dtype].real]
