"""What the points of a sweep share: each part of an experiment is checked once for all points that tell it the same.

Checking a part is a function of the document and of what the part asks about names: a constant's value, a type, a
network. What it asked and was told is noted beside what it came to. At another point it comes to the same if it is told
the same, question by question: as a build system takes up a result whose inputs did not change (Mokhov, Mitchell and
Peyton Jones 2018, constructive traces).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..diagnostics.problems import Problem, SpecError
from ..passes.expanded_size import Size
from ..source import nodes as yaml
from .constant_limits import Budget
from .declarations import Declared

Part = tuple[Hashable, ...]
Question = tuple[str, str]
"""`term` (of draws and examples its type), `index`, `values` (see `one_hot.py`), `network` or `data`, and the name."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a part came to, without a fault, and what it warned of."""

    value: Any
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, and where each answer to it leads."""

    question: Question
    answers: dict[Hashable, _Asked | Found] = field(default_factory=dict)


class Shared:
    """What points with the same patches know of each other. They have one document, but for the swept constants.

    `node` and `model` are that document, `keys` number parameters and indices over all points, `differentiable` and
    `called` are what the expressions of all have come to. `made` holds what is made of parts, by them.
    """

    def __init__(
        self, node: yaml.Mapping, model: Any, whole: yaml.Mapping | None = None, kept: Budget | None = None
    ) -> None:
        self.kept = kept or Budget()
        self.sizes: dict[str, Size] = {}
        """The sizes of outputs, written out."""
        self.node = node
        self.model = model
        self.whole = whole or node
        """The experiment with all of its variants, any of which may declare names."""
        self.keys = itertools.count(1)
        self.differentiable: set[str] = set()
        self.called: set[str] = set()
        self.defaults: tuple[Any, yaml.Node | None] | None = None
        self.declared: Declared | None = None
        self.parts: dict[Part, _Asked | Found] = {}
        self.made: dict[Part, Any] = {}

    def find(self, part: Part, answer: Callable[[Question], Hashable]) -> Found | None:
        """What a part came to at a point that answered its questions alike. `answer` is asked in the part's order."""
        found = self.parts.get(part)
        while isinstance(found, _Asked):
            found = found.answers.get(answer(found.question))
        return found

    def note(self, part: Part, told: Sequence[tuple[Question, Hashable]], found: Found) -> None:
        """Keeps what a part came to, with what it asked and was told."""
        if not told:
            self.parts[part] = found
            return
        place = self.parts.setdefault(part, _Asked(told[0][0]))
        for (question, answer), then in itertools.zip_longest(told, told[1:]):
            assert isinstance(place, _Asked) and place.question == question, (
                "a part asks the same if it is told the same"
            )
            if then is None:
                place.answers[answer] = found
            else:
                place = place.answers.setdefault(answer, _Asked(then[0]))


class Taking:
    """Takes up, at one point, what other points came to, and notes what each part asks and is told.

    `answer` answers questions at this point; `problems` and `warnings` are the point's own, in which parts report.
    """

    def __init__(
        self, shared: Shared, answer: Callable[[Question], Hashable], problems: list[Problem], warnings: list[Problem]
    ) -> None:
        self.shared = shared
        self.answer = answer
        self.problems = problems
        self.warnings = warnings
        self.told: list[dict[Question, Hashable]] = []

    def part(self, part: Part, make: Callable[[], Any]) -> Any:
        """What `make` gives, or gave at another point that told it the same. Raises what `make` raises."""
        if part in self.shared.parts and (found := self._found(part, self.answer)) is not None:
            self.warnings.extend(found.warnings)
            return found.value
        problems, warnings = len(self.problems), len(self.warnings)
        value, told = self._made(make)
        if len(self.problems) == problems:
            self.shared.note(part, tuple(told.items()), Found(value, tuple(self.warnings[warnings:])))
        return value

    def piece(self, place: tuple[yaml.Scalar, int], make: Callable[[], Any]) -> Any:
        """The same for a piece of an expression, by where it begins in its text: what the piece asks, the part asks."""
        scalar, start = place
        piece = ("piece", id(scalar), start)
        told: dict[Question, Hashable] = {}

        def answer(question: Question) -> Hashable:
            told[question] = self.answer(question)
            return told[question]

        found = self._found(piece, answer)
        if found is None:
            value, told = self._made(make)
            found = Found((scalar, value), ())
            self.shared.note(piece, tuple(told.items()), found)
        if self.told:
            self.told[-1].update(told)
        return found.value[1]

    def asked(self, question: Question) -> None:
        """Notes that the part which is being checked asks something, and what it is told."""
        if self.told and question not in self.told[-1]:
            self.told[-1][question] = self.answer(question)

    def _made(self, make: Callable[[], Any]) -> tuple[Any, dict[Question, Hashable]]:
        """What `make` gives, with what it asked and was told on the way."""
        self.told.append({})
        try:
            value = make()
        finally:
            told = self.told.pop()
        return value, told

    def _found(self, part: Part, answer: Callable[[Question], Hashable]) -> Found | None:
        """What another point found of a part. What is asked on the way is not asked by the part that wants it."""
        self.told.append({})
        try:
            return self.shared.find(part, answer)
        except SpecError:
            return None  # a name that cannot be made is asked for again, where its error belongs
        finally:
            self.told.pop()
