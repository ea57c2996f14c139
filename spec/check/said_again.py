"""Expressions that stand more than once under other names of one stage: what they stand for is made once, and is the same term.

Nothing is told of a term but where it stands. So where anything is to be told of an expression that was taken for another, the cell is checked
anew with each of the two by itself (`told_of`): an expression that is sound is sound wherever it stands. Cells of which the same is told are not
checked anew: what came of the first is what comes of them (`apart_before`). A draw is by the name that it is made under: the same distribution,
and no draw that is part of anything, is taken with the other's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..diagnostics.problems import Problem
from ..ir import terms as t
from ..ir.plan import LossPlan, MeasurePlan, NetworkPlan
from ..records import record
from ..source import nodes as yaml
from .memo import Shared

STAGES = ("draw", "example", "architecture", "outputs", "loss", "measures")
"""The stages in which it is looked for."""
ALWAYS = ("draw", "example", "measures")
"""Those of them where programs may be run, measures and draws of constants alone: a sum of gradients hangs on how often a term stands in it."""

T = TypeVar("T")
Plan = TypeVar("Plan", LossPlan, MeasurePlan)
Named = TypeVar("Named", LossPlan, MeasurePlan, NetworkPlan)

Taken = tuple[dict[Hashable, tuple[str, Any]], dict[Hashable, str]]
"""What is known of expressions that stand more than once: see `made` and `used`."""


@record(frozen=True)
class CellProblems:
    """What is told of a cell: the errors for which it has no program, and its warnings."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    def all(self) -> Iterator[Problem]:
        """Each of them."""
        yield from self.errors
        yield from self.warnings


class SaidAgain:
    """The expressions of one cell that stand more than once, and what is made of the first of each."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.apart: frozenset[Hashable] = frozenset()
        """Expressions of which each is made by itself, though others say the same."""
        self.made: dict[Hashable, tuple[str, Any]] = {}
        """Under which name an expression was made first, and what it is."""
        self.used: dict[Hashable, str] = {}
        """The expressions that others were taken for, and the name of each."""
        self.repeated: dict[str, dict[str, Hashable]] = {}
        """Of each stage, what stands under those names under which the same stands as under others."""

    @property
    def number_apart(self) -> int:
        """A number for the expressions that are made each by itself, the same for the same ones."""
        return self.shared.common.number(self.apart)

    def value(self, stage: str, name: str, make: Callable[[], Any]) -> Any:
        """The term of an expression and what is known of it, from `make` or from another name. Raises what `make` raises."""
        parts, first = self._value(stage, name, make, lambda parts: parts[0])
        term, *more = parts
        if first == name or not isinstance(term, t.Sample):
            return parts
        return (self.shared.once(f"said again as {name}", (term,), lambda: _drawn_as(term, name)), *more)

    def _value(self, stage: str, name: str, make: Callable[[], T], term: Callable[[T], t.Term | None]) -> tuple[T, str]:
        """What an expression is, and under which name it was made; it has no `term` where no other may be what it is."""
        if stage not in self.repeated:
            self.repeated[stage] = self._of(stage)
        said = self.repeated[stage].get(name)
        if said is None or said in self.apart:
            return make(), name
        first, value = self.made.get(said, (name, None))
        if first == name:
            value = make()
            made = term(value)
            if made is not None and self._taken_for_others(stage, made):
                self.made[said] = name, value
        else:
            self.used[said] = first
        return value, first

    def _taken_for_others(self, stage: str, term: t.Term) -> bool:
        """Whether others that say the same may be this term, or the same draw under another name."""
        if isinstance(term, t.Sample) and stage in ("draw", "example"):
            parameters = term.parameters.values()
            constant = all(isinstance(one, t.Literal) for one in parameters)
            return constant if self.shared.common.run else not any(t.has(one, t.Sample) for one in parameters)
        return (stage == "measures" or not self.shared.common.run) and not t.has(term, t.Sample)

    def network(self, name: str, make: Callable[[], NetworkPlan]) -> NetworkPlan:
        """A network, from `make` or from another of the same input and layers. Raises what `make` raises."""
        plan, first = self._value("architecture", name, make, _of_layers_alone)
        return plan if first == name else self._named(plan, name)

    def plan(self, stage: str, name: str, make: Callable[[], Plan]) -> Plan:
        """The same of a term of the loss or a measure: each has its own name."""
        (plan,) = self.plans(stage, name, lambda: (make(),))
        return plan

    def plans(self, stage: str, name: str, make: Callable[[], Sequence[Plan]]) -> Sequence[Plan]:
        """The same of a measure and what goes with it, whose names begin with the measure's."""
        plans, first = self._value(stage, name, make, lambda plans: plans[0].term)
        if first == name:
            return plans
        return [self._named(plan, name + plan.name.removeprefix(first)) for plan in plans]

    def _named(self, plan: Named, name: str) -> Named:
        named: Named = self.shared.once(f"said again as {name}", (plan,), lambda: replace(plan, name=name))
        return named

    def noted(self, make: Callable[[], T]) -> tuple[T, Taken]:
        """What `make` gives, and what it makes first of expressions that stand more than once, with those that it takes others for."""
        made, used = set(self.made), set(self.used)
        value = make()
        return value, (
            {said: first for said, first in self.made.items() if said not in made},
            {said: name for said, name in self.used.items() if said not in used},
        )

    def take(self, taken: Taken) -> None:
        """Takes over what was noted at another point."""
        made, used = taken
        self.made = made | self.made
        self.used = used | self.used

    def told_of(self, problems: CellProblems) -> frozenset[Hashable]:
        """The expressions that others were taken for, and of which anything is told: to be made each by itself."""
        places = {said: self._node(said[0], name).span for said, name in self.used.items()}  # type: ignore[index]
        if not places:
            return frozenset()
        functions = self.shared.model.node("functions")
        everywhere = [functions.span] if functions is not None else []
        found: set[Hashable] = set()
        for span in {problem.span for problem in problems.all()}:
            if span is None or span.begins_in(*everywhere):
                return frozenset(places)
            found.update(said for said, place in places.items() if span.begins_in(place))
        return frozenset(found)

    def apart_before(self, problems: CellProblems, some: frozenset[Hashable]) -> CellProblems | None:
        """What is told of a cell with some expressions apart, where it is known from another cell of which the same is told with them taken together.

        What differs in numbers alone is the same where nothing more was told of the other with them apart.
        """
        known = self.shared.common.cache.get(self._key(problems, some))
        if known is None:
            return None
        together, apart = known
        if _said(together) == _said(apart):
            return problems
        return apart if together == problems else None

    def note_apart(self, problems: CellProblems, some: frozenset[Hashable], apart: CellProblems) -> None:
        """Notes what is told of a cell with some expressions taken together, and with them apart."""
        self.shared.common.cache[self._key(problems, some)] = problems, apart

    def _key(self, problems: CellProblems, some: frozenset[Hashable]) -> Hashable:
        return "told apart", self.shared.common.number(some), _said(problems)

    def _node(self, stage: str, name: str) -> yaml.Node:
        node = _section(self.shared, stage)
        assert isinstance(node, yaml.Mapping)
        expression = node.get(name)
        assert expression is not None
        return expression

    def _of(self, stage: str) -> dict[str, Hashable]:
        """The same of a stage, looked for once in all cells that have it."""
        cache, node = self.shared.common.cache, _section(self.shared, stage)
        key = ("said again", stage, self.shared.common.identity(node))
        if key not in cache:
            looked_at = stage in (ALWAYS if self.shared.common.run else STAGES)
            cache[key] = _repeated(stage, node) if looked_at and isinstance(node, yaml.Mapping) else {}
        repeated: dict[str, Hashable] = cache[key]
        return repeated


def _said(problems: CellProblems) -> Hashable:
    """What is told, and where, but for numbers."""
    both = problems.errors, problems.warnings
    return tuple(tuple((one.span, one.without_numbers) for one in some) for some in both)


def _section(shared: Shared, stage: str) -> yaml.Node | None:
    return shared.model.task.node(stage) if stage in ("draw", "example") else shared.model.node(stage)


def _of_layers_alone(plan: NetworkPlan) -> t.Term | None:
    """The input of a network in which no function stands: the name of a function's argument has the network's in it."""
    functions = any(layer.body is not None or layer.kept_by for layer in plan.applied())
    return None if functions else plan.input


def _drawn_as(sample: t.Sample, name: str) -> t.Sample:
    """A draw under another name."""
    head, _, *rest = sample.path
    return replace(sample, path=(head, name, *rest))


def _repeated(stage: str, node: yaml.Mapping) -> dict[str, Hashable]:
    said = {key.text: (stage, _content(below)) for key, below in node.entries}
    times = Counter(said.values())
    return {name: content for name, content in said.items() if times[content] > 1}


def _content(node: yaml.Node) -> Hashable:
    if isinstance(node, yaml.Mapping):
        return tuple((key.text, _content(below)) for key, below in node.entries)
    if isinstance(node, yaml.Sequence):
        return ("list", *map(_content, node.items))
    return node.text, type(node.value), node.plain
