"""Which compiled form a program gets, known without TensorFlow."""

from __future__ import annotations

from dlspec.spec.ir.plan import Program
from dlspec.spec.tables.layers import row_of


def jit_mode(program: Program, jit: str, device: str) -> str:
    """The compiled form that a program gets: `xla` or `graph`; `jit` forces one unless it is `auto`."""
    if jit != "auto":
        return str(jit)
    return "xla" if uses_xla(program, device) else "graph"


def uses_xla(program: Program, device: str = "cpu") -> bool:
    """Which compiled form a program gets: XLA, but on a CPU the plain graph where a layer's row says so.

    There convolutions ran half as fast under XLA as through oneDNN, and their gradients fifty times slower.
    """
    if device != "cpu":
        return True
    rows = [row_of(layer) for plan in program.networks for layer in plan.leaves()]
    return all(row is None or row.xla_on_cpu for row in rows)
