"""Which replicates are trained side by side, and those of which cells. Needs no TensorFlow.

There are at least as many batches as run at once, so that no core waits. On a CPU there are more of them where what a step
reads and writes would not stay in the processor's cache: there a replicate takes longer the more there are beside it. Cells that
differ in the values of numbers alone are compiled once, and draw their examples once, so they are side by side as far as that goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.alike_blocks import numbers_of_blocks
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.memory import memory
from dlspec.spec.passes.merge_cells import merge_cells
from dlspec.spec.passes.signature_digests import cell_form_digest
from dlspec.spec.tables.layers import row_of

from ..backend.jit_policy import uses_xla
from ..store.requests import CellRequest, ReplicateBatch

CACHED_BYTES = 4 * 2**20
"""How many bytes of replicates lie side by side: what a core has of the caches of common processors, the shared one included. Networks of a
megabyte each take 6 to 15 % longer four at a time than one by one (an auto-encoder, a transformer, 2 million weights of one layer)."""
MIN_MEASURED = 8
"""So many replicates of what is measured only are side by side whatever they keep: cells of several depths are then compiled once."""
CELLS_CACHED_BYTES = 2 * 2**20
"""The same of cells side by side, which share their examples and are compiled once in any case: what a core's own cache holds."""
MAX_ROWS = 1024
"""So many replicates of cells are side by side at most, wherever they run."""
ACCELERATOR_BYTES = 4 * 2**30
"""How much of a GPU's memory the arrays of cells side by side may take."""


def max_replicates_per_batch(program: Program, device: str) -> int:
    """How many of a program's replicates lie side by side, at most."""
    if program.one_replicate_at_a_time:
        return 1
    if device != "cpu" or not uses_xla(program):
        return program.replicates
    least = 1 if program.training is not None else MIN_MEASURED
    return min(program.replicates, max(least, CACHED_BYTES // max(1, _row_bytes(program))))


def max_cells_side_by_side(program: Program, replicates: int, device: str) -> int:
    """With so many replicates of each, how many cells lie side by side at most: 1 where a layer takes replicates one after the other."""
    rows = [row_of(layer) for network in program.networks for layer in network.leaves() if layer.weights]
    if program.one_replicate_at_a_time or any(row is not None and row.stacking == "unrolled" for row in rows):
        return 1
    if device == "cpu":
        return max(1, min(CELLS_CACHED_BYTES // max(1, _row_bytes(program)), MAX_ROWS) // replicates)
    return max(1, min(MAX_ROWS // replicates, ACCELERATOR_BYTES // max(1, memory(program, replicates=replicates))))


def _row_bytes(program: Program) -> int:
    """What a step keeps of one replicate of one cell, examples aside: its state, and layers' outputs both ways."""
    plan = program.training
    layers = sum(
        layer.output.bytes * network.applications for network in program.networks for layer in network.applied()
    )
    return cost(program).state_bytes + (2 * plan.largest_batch * layers if plan is not None else 0)


def cells_side_by_side(programs: Sequence[Program], device: str) -> list[int]:
    """Of each program how many cells, its own with them, are trained in one compiled program where all of them are to run."""
    groups: dict[str, list[int]] = {}
    for place, program in enumerate(programs):
        groups.setdefault(cell_form_digest(program), []).append(place)
    counts = [1] * len(programs)
    for places in groups.values():
        program = programs[places[0]]
        together = min(program.replicates, max_replicates_per_batch(program, device))
        one_depth = of_one_depth([programs[place] for place in places])
        most = max_cells_side_by_side(program, together, device) if one_depth else 1
        whole = len(places)
        while places:
            size = group_size(program, whole, len(places), most)
            for place in places[:size]:
                counts[place] = size
            places = places[size:]
    return counts


def of_one_depth(programs: Sequence[Program]) -> bool:
    """Whether cells of a form have as many alike blocks in each `repeat`: only then can they be side by side."""
    return len({tuple(numbers_of_blocks(program)) for program in programs}) < 2


def group_size(program: Program, whole: int, left: int, most: int) -> int:
    """How many cells of a form are next, of which there are so many as a `whole` and so many left, at most so many at once.

    Those that are measured only are in groups of one size, where that is no less than half of the most: compiling another size takes longer
    than measuring one group more.
    """
    even = max(size for size in range(1, most + 1) if whole % size == 0)
    return min(left, even) if program.training is None and 2 * even >= most else next_group(left, most)


def next_group(left: int, most: int) -> int:
    """Of so many cells that are left how many are next, at most so many at once: groups as equal as can be, as each size is compiled.

    >>> next_group(4, 3), next_group(9, 4), next_group(2, 3)
    (2, 3, 2)
    """
    return -(-left // -(-left // most))


def parts_of_programs(programs: Sequence[Program], device: str, at_once: int, grouped: bool = True) -> int:
    """Into how many parts each of some programs is to go so that at least so many groups of cells run at once: 1 where there are so many anyway.

    `grouped` says that cells that differ in numbers alone run side by side.
    """
    if not grouped:
        return -(-at_once // len(programs))
    groups = 0
    found: dict[str, tuple[Program, int]] = {}
    apart: dict[str, bool] = {}
    for program in programs:
        form = cell_form_digest(program)
        first, count = found.get(form, (program, 0))
        if count == 1:
            apart[form] = not of_one_depth([first, program]) or merge_cells([first, program]) is None
        together = min(program.replicates, max_replicates_per_batch(program, device))
        most = 1 if apart.get(form) else max_cells_side_by_side(program, together, device)
        groups += count % most == 0
        found[form] = first, count + 1
        if groups >= at_once:
            return 1
    return -(-at_once // groups)


def batch_count(request: CellRequest, at_once: int = 1) -> int:
    """Into how many batches a program's replicates go where so many of them run at once: a multiple, so that none waits."""
    needed = -(-request.program.replicates // max_replicates_per_batch(request.program, request.device))
    return at_once * -(-needed // at_once)


def split_into_batches(request: CellRequest, replicates: Sequence[int], batches: int = 1) -> list[ReplicateBatch]:
    """Some replicates, grouped by the batch that they are in: the program's are split into so many, nearly equal.

    One with a replicate fewer than the others is compiled with them, and makes one for nobody: so all run at once after one compilation. It
    is as wide where the others are stored already, since rounding depends on it. Each is alone where an optimiser mixes the entries of a weight.
    """
    count = request.program.replicates
    batches = count if request.program.one_replicate_at_a_time else max(1, min(batches, count))
    ends = [count * place // batches for place in range(batches + 1)]
    groups = [tuple(r for r in replicates if first <= r < last) for first, last in pairwise(ends)]
    wide = max(last - first for first, last in pairwise(ends))
    return [ReplicateBatch(request, group, wide if len(group) == wide - 1 else 0) for group in groups if group]
