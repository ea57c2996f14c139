"""Whether the columns of data files that a program looks up are held in memory, or read from disk window after window."""

from __future__ import annotations

from collections.abc import Sequence

from ..data_files.memory_limit import memory_limit
from ..ir import terms as t
from ..ir.data import Rows
from ..ir.plan import Program
from ..ir.training import Update
from .program_roots import statistics_of

WINDOW_BYTES = 2**26
"""What the rows of one window take; two are there at a time, each once in NumPy and once as tensors."""


def row_bytes(program: Program) -> int:
    """The bytes of one row of all columns that a program looks up."""
    return sum(term.type.bytes for term in program.of_files.values())


def held_whole(program: Program) -> bool:
    """Whether all rows are held; examples of other sources are no rows, and draws that stay with a row ask for its number.

    Raises StudyError where the limit is none.
    """
    if not isinstance(program.data, Rows) or program.data.otherwise:
        return True
    return program.data.rows * row_bytes(program) <= memory_limit()


def windows(program: Program, replicates: int) -> tuple[int, ...]:
    """How many steps' rows are read at a time, for each phase of training; none where all are held, or nothing is trained."""
    if program.training is None or held_whole(program):
        return ()
    room = min(WINDOW_BYTES, memory_limit() // 4)
    each = max(1, row_bytes(program) * replicates)
    return tuple(
        max(1, min(phase.steps * phase.times, room // (each * phase.batch * batches_a_step(phase.rounds))))
        for phase in program.training.phases
    )


def batches_a_step(rounds: Sequence[Update]) -> int:
    """How many batches a step reads: its own, and one for each further time of an update."""
    return 1 + sum(update.times - 1 for update in rounds)


def evaluated_in_windows(program: Program, replicates: int) -> bool:
    """Whether evaluations read the rows of files window after window: where those that anything but training reads are more than is held."""
    if held_whole(program):
        return False
    assert isinstance(program.data, Rows)
    rows = min(program.data.rows, replicates * sum(examples_read(program).values()))
    return rows * row_bytes(program) > memory_limit()


def chunks_of_a_window(program: Program, replicates: int, chunk: int) -> int:
    """How many chunks of so many examples an evaluation reads at a time: whole ones, so that sums are those of rows in memory to the bit."""
    room = min(WINDOW_BYTES, memory_limit() // 4)
    return max(1, room // max(1, chunk * replicates * row_bytes(program)))


def examples_held(program: Program, replicates: int) -> dict[str, int]:
    """How many of the first training, test and validation examples are held: all that anything but training reads, or what evaluations
    don't read window after window.
    """
    return _examples(program, not evaluated_in_windows(program, replicates))


def examples_read(program: Program) -> dict[str, int]:
    """How many of the first training, test and validation examples anything but training reads."""
    return _examples(program, True)


def _examples(program: Program, evaluations: bool) -> dict[str, int]:
    counts = {"train": 0, "test": 0, "validation": 0}

    def reads(stream: str, count: int) -> None:
        own = stream in counts and stream not in program.streams
        stream = stream if own else "test"
        counts[stream] = max(counts[stream], min(count, getattr(program.data, stream)))

    if evaluations:
        for measure in program.measures:
            if any(isinstance(item, t.Expectation) for item in t.walk(measure.term)):
                for stream in measure.streams:
                    reads(stream, program.evaluated(stream))
        for plan in program.estimates:
            reads("train", plan.examples)
        if program.statistics:
            reads("train", program.data.train)
    for term in statistics_of(program):
        reads(term.on, term.examples)  # none over draws: a file has no new examples for each target
    for network in program.networks:
        for leaf in network.leaves():
            reads("train", leaf.examples or 0)
    for probe in program.probes:
        reads("test", probe.examples)
    return counts
