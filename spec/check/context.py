"""The context of an expression's check: the names of an experiment, and the place where the expression stands."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol

from ..diagnostics.problems import Span
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.data import DataSource
from ..ir.plan import NetworkPlan
from ..records import record
from ..source import nodes as yaml
from ..tables.gradient_modes import GradientMode
from ..tables.operations import Operation
from .dependencies import Dependencies
from .expression_text import Text
from .measure_names import MeasureNames
from .namespace import Function
from .steps import Borders
from .vocabulary import Vocabulary

GivenParts = Callable[[], Mapping[str, t.Term]]
"""What the parts of a network's input are in one application of it, by name."""


class Names(Protocol):
    """What the expression checker needs of an experiment: its names, its functions, its networks."""

    vocabulary: Vocabulary
    """All names, for suggestions."""
    training_phases: list[str]
    """The names of the stages of training."""

    def term(self, name: str, stage: str, span: Span) -> t.Term | None:
        """The term of a name, seen from a stage; None when there is no such name."""

    def function(self, name: str) -> Function | None:
        """A user's function."""

    def network(
        self, name: str, argument: t.Term | None, stage: str, span: Span, parts: GivenParts = dict
    ) -> t.Term | None:
        """A network applied to its own input or to an argument; None when there is no such network."""

    def weight(self, path: Sequence[str | int], stage: str, span: Span) -> t.Term:
        """A weight by its path, the network's name first."""

    def gradient(self, name: str) -> tuple[tuple[GradientMode, ...], Function | None]:
        """The gradient modes of a function, one in each phase of training, and its surrogate."""

    def borders(self) -> Borders:
        """Where phases of training begin and end."""

    def scalars(self) -> dict[str, float]:
        """The constants that are single numbers."""

    def trained(self, term: t.Term) -> bool:
        """Whether a term depends on weights."""

    failed: set[str]
    """The names with an error that is told at themselves: what uses one tells none."""
    files: frozenset[str]
    """The names of data files."""
    dependencies: Dependencies
    """What its terms depend on."""
    measure_names: MeasureNames
    """Its measures as others use them."""

    def source(self) -> DataSource | None:
        """Where examples come from."""

    def plan(self, name: str, span: Span) -> NetworkPlan:
        """A network, checked when first asked for."""

    def piece(self, place: tuple[yaml.Scalar, int], make: Callable[[], t.Term]) -> t.Term:
        """The term of a piece of an expression, from `make` or from another sweep point with the same reads."""


@record(frozen=True)
class Context:
    """Where an expression stands: its stage, its path in the seed tree, the names bound inside it."""

    stage: str
    path: tuple[str, ...]
    local: Mapping[str, t.Term] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    bound: Mapping[str, t.Term] = field(default_factory=dict)
    """The arguments of the functions around it, by the keys of their parameters, outermost first."""
    on: str = ""
    """The stream that the nearest `on` around it says; "" for the measure's own."""
    samples: Iterator[int] = field(default_factory=itertools.count)


class Elaborator(Protocol):
    """What the parts of the expression checker ask of it: terms of other expressions, and the counts that they share."""

    names: Names
    dtype: str
    keys: Iterator[int]
    """Numbers for the keys of parameters and indices, unique in an experiment."""
    calls_left: int
    """How many more calls of functions are allowed."""
    differentiable: set[str]
    """The keys of parameters whose arguments depend on weights."""
    called: set[str]
    """The functions that something calls."""

    def value(self, node: yaml.Node, context: Context) -> t.Term:
        """The term of a document's value: an expression, or a list of them."""

    def term(self, node: n.Expr, text: Text, context: Context) -> t.Term:
        """The term of a syntax tree."""

    def apply(self, function: Function, arguments: list[t.Term], context: Context, span: Span) -> t.Term:
        """A user's function applied to terms."""

    def operate(self, row: Operation, terms: list[t.Term], static: dict[str, Any], span: Span) -> t.Term:
        """An operation applied; computed at once when all its arguments are literals."""
