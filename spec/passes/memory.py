"""How much memory a program takes at its peak, and how many examples are evaluated at once so that it takes no more."""

from __future__ import annotations

from collections.abc import Iterator

from ..ir import terms as t
from ..ir.data import Combinations, Rows
from ..ir.plan import Program
from ..tables.gradient_statistics import GRADIENT_STATISTICS
from .cost import cost, kernel_bytes
from .example_blocks import GROUP_OF_BLOCKS, GROUP_OF_SINGLES, MAX_SUMMED_EXAMPLES, alongside, block
from .held_columns import WINDOW_BYTES, evaluated_in_windows, examples_held, held_whole, row_bytes
from .jacobians import bytes_of

PROCESS_BYTES = 860 * 2**20
"""What a process takes beside its programs' arrays: TensorFlow loaded (710 MiB), and compiled programs (30 to 200 MiB)."""
CHUNK_BYTES = 64 * 2**20
"""How much memory the widest value of one pass of an evaluation may take."""
BACKWARD = 3.5
"""How often all layers' outputs are held at once where gradients are taken: both ways, and the next operation's."""
DRAWN_ROW = 24
"""The bytes of a row while it is drawn where it goes: its word, its place in their order, and what they are sorted with."""
WHITENED = 6
"""How often a whitened input is: as it is made, in float64, and their products."""


def memory(program: Program, batch: int | None = None, replicates: int | None = None) -> int:
    """The bytes of a program's arrays at its peak: its state, finite data, and the largest of a training step, a pass of an
    evaluation, and the estimate of a whitening.

    All replicates lie side by side, unless an optimiser mixes the entries of a weight. How many copies of what is held
    at once was fitted to the peaks of the four studies (`docs/plan.md`); TensorFlow and compiled programs come beside it.
    """
    found = cost(program)
    plan = program.training
    count = 1 if program.one_replicate_at_a_time else (replicates or program.replicates)
    size = (batch or plan.largest_batch) if plan is not None else 0
    each = sum(item.type.bytes for item in program.examples)
    kept = program.data.train * each if plan is not None and not isinstance(program.data, Rows) else 0
    passes: list[float] = [
        size * found.example_bytes,
        chunk(program, max(map(program.evaluated, ("test", "validation"))), count)
        * (found.evaluated_bytes + kernel_bytes(program)),
    ]
    passes += [at_once * held for at_once, held in _differentiated(program, count)]
    passes += [
        WHITENED * min(leaf.examples, chunk(program, leaf.examples, count)) * leaf.input.bytes
        for network in program.networks
        for leaf in network.leaves()
        if leaf.examples
    ]
    copies = 2 if plan is not None else 1  # the present one, and that at the start of the present stretch
    return round(_of_files(program, count) + count * (copies * found.state_bytes + kept + max(passes)))


def _of_files(program: Program, replicates: int) -> int:
    """The bytes of the columns of data files: held once for all replicates, once more in NumPy, and a third time while they become tensors;
    or of two windows and of what is evaluated, with the rows of each replicate. And those of which row each example is."""
    source = program.data
    if isinstance(source, Combinations):
        every = source.train + source.test
        return 4 * replicates * every + DRAWN_ROW * every
    if not isinstance(source, Rows):
        return 0
    placed = 4 * replicates * (source.train + source.test + source.validation)
    drawn = DRAWN_ROW * source.rows
    own = source.rows * row_bytes(program)
    if held_whole(program):
        return placed + max(drawn, 3 * own)
    rows = min(source.rows, replicates * sum(examples_held(program, replicates).values()))
    windows = 4 * WINDOW_BYTES * (2 if evaluated_in_windows(program, replicates) else 1)
    return placed + max(drawn, 2 * rows * row_bytes(program) + windows)


def _differentiated(program: Program, replicates: int) -> Iterator[tuple[int, float]]:
    """Of the gradients that measures take: how many examples at once, and the bytes that one of them holds."""
    layers = sum(
        (layer.output.bytes + 4 * layer.inner_entries) * n.applications
        for n in program.networks
        for layer in n.applied()
    )
    held = BACKWARD * layers + 2 * sum(item.type.bytes for item in program.examples) + kernel_bytes(program)
    for measure in program.measures:
        for item in t.walk(measure.term):
            if isinstance(item, t.GradientStatistic):
                yield from _statistic(program, item, replicates, held)
        for beside in bytes_of(program, measure.term):  # one for each example
            total = max(map(program.evaluated, measure.streams))
            yield chunk(program, total, replicates, beside), held + 2 * beside


def _statistic(
    program: Program, term: t.GradientStatistic, replicates: int, example_bytes: float
) -> Iterator[tuple[int, float]]:
    """The same of a statistic; what it sums and compares is float64, of twice the bytes."""
    own = term.weights.type.bytes
    row = GRADIENT_STATISTICS[term.statistic]
    if row.symmetric:  # two backward passes, the one within the other
        yield chunk(program, min(MAX_SUMMED_EXAMPLES, term.examples), replicates), 2 * example_bytes
    elif row.values:  # of all examples at once
        yield term.examples, example_bytes + 2 * own
    elif term.over:
        yield chunk(program, min(MAX_SUMMED_EXAMPLES, term.examples), replicates), example_bytes
    elif block(program, term) == 1:
        wide = alongside(term)
        at_once = chunk(program, min(MAX_SUMMED_EXAMPLES, term.examples), replicates, wide)
        yield max(GROUP_OF_SINGLES, at_once // GROUP_OF_SINGLES * GROUP_OF_SINGLES), example_bytes + wide
    else:
        examples, blocks = block(program, term), GROUP_OF_BLOCKS if GRADIENT_STATISTICS[term.statistic].floor else 1
        yield 1, chunk(program, examples, replicates) * example_bytes + 6 * blocks * own


def chunk(program: Program, wanted: int, replicates: int, *more: int) -> int:
    """How many of some examples are evaluated at once; `more` are the bytes of what else one of them needs.

    What an operation of a measure has in memory whole are two values, its arguments and its result.
    """
    layers = [layer.largest * network.applications for network in program.networks for layer in network.leaves()]
    widest = max(
        [item.type.bytes for item in program.examples] + [max(layers, default=4), 4, kernel_bytes(program) // 2, *more]
    )
    return max(1, min(wanted, CHUNK_BYTES // (widest * replicates)))
