"""Which layers a program looks into: those whose outputs stand in what is minimised, measured or shown."""

from __future__ import annotations

from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.program_roots import written


def looked_into(program: Program) -> dict[str, frozenset[str]]:
    """The keys of these layers, by network."""
    layers: dict[str, set[str]] = {}
    for root in written(program):
        for item in t.walk(root):
            if isinstance(item, t.NetworkOutput) and item.layer is not None:
                layers.setdefault(item.network, set()).add(item.layer)
    return {name: frozenset(keys) for name, keys in layers.items()}
