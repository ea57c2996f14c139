"""Noise that applications of a network share: those at one input draw once in an update, so that a gradient goes through what is beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ir import terms as t
from ..ir.plan import Program
from ..tables.layers import row_of
from .canonical import Walk
from .reached_examples import reached


def drawing(program: Program) -> frozenset[str]:
    """The networks with a layer that draws random numbers in training."""
    found = set()
    for plan in program.networks:
        rows = ((row_of(layer), layer.config) for layer in plan.applied())
        if any(row is not None and row.draws_with(config) for row, config in rows):
            found.add(plan.name)
    return frozenset(found)


def shares_noise(program: Program) -> bool:
    """Whether applications at one input may share noise: a loss draws some, and applies a network twice or takes a derivative."""
    return _shares(program, [part for loss in program.loss for part in (loss.term, loss.weight)])


def measures_share_noise(program: Program) -> bool:
    """The same of measures in training mode."""
    return _shares(program, [term for measure in program.measures for term in measure.in_training])


def _shares(program: Program, terms: list[t.Term]) -> bool:
    if program.training is None or not terms or not (networks := drawing(program)):
        return False
    items = list(reached(program, terms))
    applied = [item for item in items if isinstance(item, t.NetworkOutput)]
    if not any(item.network in networks for item in applied):
        return False
    distinct = {(item.network, None if item.input is None else id(item)) for item in applied}
    more = len(distinct) > len({item.network for item in applied})
    again = (t.Gradient, t.ValueGradient, t.Directional, t.WithWeights)
    return more or any(isinstance(item, again) for item in items)


def noise_meaning(program: Program) -> list[Any]:
    """What digests take of it."""
    return ["one noise an input"] if shares_noise(program) else []


class Inputs(Walk):
    """What networks are applied to, as nested lists: equal where their values are."""

    def term(self, term: t.Term, names: Mapping[str, Any] | None = None) -> Any:
        """The meaning of a term; one that no gradient passes through has the same value."""
        return super().term(term.operand if isinstance(term, t.Stop) else term, dict(names or {}))

    def reach(self, name: str, stage: str) -> None:
        """A name stands for itself."""

    def network(self, name: str) -> None:
        """So does a network."""
