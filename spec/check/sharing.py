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

from .. import source as yaml
from ..diagnostics import Problem
from .scope import Binding, Function

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


@dataclass(frozen=True, slots=True)
class Declared:
    """The namespace of an experiment, with its swept constants as they stand under `constants`."""

    bindings: dict[str, Binding]
    functions: dict[str, Function]
    warnings: tuple[Problem, ...]


class Shared:
    """What points with the same patches know of each other. They have one document, but for the swept constants.

    `node` and `model` are that document, `keys` number parameters and indices over all points, `differentiable` and
    `called` are what the expressions of all have come to. `made` holds what is made of parts, by them.
    """

    def __init__(self, node: yaml.Mapping, model: Any) -> None:
        self.node = node
        self.model = model
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
