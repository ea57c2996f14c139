"""Recognises terms that are certainly one-hot vectors, with their index: a dense layer on them needs no matrix product."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from ..ir import terms as t

Whole = Callable[[str], t.Term]
"""The term behind a name."""


def index_of(given: t.Term, whole: Whole) -> t.Term | None:
    """The index that a term is the one-hot vector of, by itself or by a name that is made for each example.

    None where the index may lie outside: that vector is all 0.
    """
    while isinstance(given, t.Reference) and given.stage != "draw":
        given = whole(given.name)
    if not isinstance(given, t.Operate) or given.operation != "one_hot" or given.arguments[0].type.shape:
        return None
    return given.arguments[0] if values(given.arguments[0], whole) <= given.type.shape[0] else None


def read_for_index(given: t.Term) -> tuple[str, str] | None:
    """What `index_of` asks about a name: a question, and the name; None where it asks nothing."""
    if isinstance(given, t.Reference):
        return "index", given.name
    if isinstance(given, t.Operate) and given.operation == "one_hot" and isinstance(given.arguments[0], t.Reference):
        return "values", given.arguments[0].name
    return None


def values(term: t.Term, whole: Whole) -> float:
    """How many values a number has that is drawn, from 0 on; infinite for all else."""
    while isinstance(term, t.Reference):
        term = whole(term.name)
    if isinstance(term, t.Sample) and term.distribution == "integer":
        return term.sizes["n"]
    if isinstance(term, t.Sample) and term.distribution == "categorical":
        return term.parameters["p"].type.shape[-1]
    return inf
