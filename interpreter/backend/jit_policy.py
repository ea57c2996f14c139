"""Which compiled form a program gets, known without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.program_roots import written
from dlspec.spec.passes.reached_examples import reached
from dlspec.spec.tables.layers import row_of
from dlspec.spec.tables.operations import OPERATIONS

MAX_UNROLLED_TURNS = 8
"""Up to so many turns of a loop are written out: XLA makes one loop of them, and derivatives of derivatives are compiled in seconds."""


def jit_mode(program: Program, jit: str, device: str) -> str:
    """The compiled form that a program gets: `xla` or `graph`; `jit` forces one unless it is `auto`."""
    if jit != "auto":
        return str(jit)
    return "xla" if uses_xla(program, device) else "graph"


def uses_xla(program: Program, device: str = "cpu") -> bool:
    """Which compiled form a program's training gets: XLA, but on a CPU the plain graph where a layer's row says so, or a loss decomposes large matrices.

    There convolutions ran half as fast under XLA as through oneDNN, and their gradients fifty times slower. Derivatives of
    derivatives of a loop took XLA minutes to compile.
    """
    if device != "cpu":
        return True
    if _differentiates_loops(program) or decomposes(program, [item.term for item in program.loss]):
        return False
    rows = [row_of(layer) for plan in program.networks for layer in plan.leaves()]
    return all(row is None or row.xla_on_cpu for row in rows)


def _differentiates_loops(program: Program) -> bool:
    """Whether a gradient is a value of a program with a loop that is not written out: it may be differentiated once more."""
    every = [item for term in written(program) for item in t.walk(term)]
    loops = any(isinstance(item, t.Scan) and item.steps > MAX_UNROLLED_TURNS for item in every)
    return loops and any(isinstance(item, t.DERIVATIVES) for item in every)


def decomposes(program: Program, roots: Iterable[t.Term]) -> bool:
    """Whether examples, or terms with all that they reach, decompose matrices for which XLA on a CPU takes many times as long as the plain graph.

    The row of an operation says up to which side it does not. Singular values of 64 × 64 took XLA 50 ms, and the plain graph 0.8.
    """
    examples = (item for named in program.examples for item in t.walk(named.term))
    return any(map(_too_large, chain(examples, reached(program, roots))))


def _too_large(term: t.Term) -> bool:
    if not isinstance(term, t.Operate) or (most := OPERATIONS[term.operation].xla_on_cpu) is None:
        return False
    return max(term.arguments[0].type.shape[-2:]) > most
