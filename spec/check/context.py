"""What expressions are checked in: the names of an experiment, and the place where an expression stands."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..diagnostics.problems import Span
from ..diagnostics.suggestions import Words
from ..ir import terms as t
from ..source import nodes as yaml
from .namespace import Function


class Names(Protocol):
    """What the checker asks of an experiment: its names, its functions, its networks."""

    def term(self, name: str, phase: str, span: Span) -> t.Term | None:
        """The term of a name, seen from a phase; None when there is no such name."""

    def function(self, name: str) -> Function | None:
        """A user's function."""

    def network(self, name: str, argument: t.Term | None, phase: str, span: Span) -> t.Term | None:
        """A network applied to its own input or to an argument; None when there is no such network."""

    def weight(self, path: Sequence[str | int], phase: str, span: Span) -> t.Term:
        """A weight by its path, the network's name first."""

    def known(self) -> set[str]:
        """All names."""

    def known_and(self, more: tuple[str, ...]) -> Words:
        """All names and some words, for suggestions."""

    def values(self, phase: str) -> Words:
        """The names that have a value in a phase, for suggestions."""

    def callables(self, phase: str) -> Words:
        """What can be called in a phase, for suggestions."""

    def gradient(self, name: str) -> tuple[str, Function | None]:
        """The gradient mode of a function, and its surrogate."""

    def trained(self, term: t.Term) -> bool:
        """Whether a term depends on weights."""

    def piece(self, place: tuple[yaml.Scalar, int], make: Callable[[], t.Term]) -> t.Term:
        """What `make` gives of a piece of an expression, or gave at another point of a sweep that told it the same."""


@dataclass(frozen=True)
class Context:
    """Where an expression stands: its phase, its path in the seed tree, the names bound inside it."""

    phase: str
    path: tuple[str, ...]
    local: Mapping[str, t.Term] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    bound: Mapping[str, t.Term] = field(default_factory=dict)
    """The arguments of the functions around it, by the keys of their parameters, outermost first."""
    samples: Iterator[int] = field(default_factory=itertools.count)
