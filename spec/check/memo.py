"""What the cells of an experiment share: each part is checked once for all points and variants that tell it the same.

Checking a part is a function of the document and of what the part asks about names: a constant's value, a type, a
network. What it asked and was told is noted beside what it came to. At another point it comes to the same if it is told
the same, question by question: as a build system takes up a result whose inputs did not change (Mokhov, Mitchell and
Peyton Jones 2018, constructive traces). Variants have documents of their own, which share most of their nodes: a part is
the same part in two of them if it stands in the same nodes, among the same names and functions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..diagnostics.problems import Problem, SpecError
from ..source import nodes as yaml
from .constant_limits import Budget
from .declarations import Declared, declared

Part = tuple[Hashable, ...]
Question = tuple[str, str]
"""`term` (of draws and examples its type), `index`, `values` (see `one_hot.py`), `network`, `output` (of a network its types
alone), `size`, `gradient` (the mode of a function), `varies` (of an output: whether it has one value per example) or `data`, and the name."""


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


class Same:
    """An object as a key of a dictionary: equal to itself alone, whatever it is equal to."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


class Common:
    """What the documents of all variants and experiments have in common, in all profiles.

    `keys` number parameters and indices over all cells, `differentiable` is what the expressions of all have come to. `parts`
    are what parts came to, by where they stand; `made` holds what is made of parts, by them.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = budget or Budget()
        self.keys = itertools.count(1)
        self.differentiable: set[str] = set()
        self.parts: dict[Part, _Asked | Found] = {}
        self.made: dict[Hashable, Any] = {}
        self.numbers: dict[Hashable, int] = {}
        self.nodes: dict[int, tuple[yaml.Node, int]] = {}

    def number(self, value: Hashable) -> int:
        """A number for a value, the same for an equal one: small to hash, however large the value."""
        return self.numbers.setdefault(value, len(self.numbers))

    def identity(self, node: yaml.Node | None) -> int:
        """A number for a node, the same for one made of the same leaves, as patches make them anew around these."""
        if node is None:
            return -1
        known = self.nodes.get(id(node))
        if known is not None:
            return known[1]
        content: Hashable = Same(node)
        if isinstance(node, yaml.Mapping):
            content = ("map", node.span, *((Same(key), self.identity(below)) for key, below in node.entries))
        elif isinstance(node, yaml.Sequence):
            content = ("list", node.span, *(self.identity(item) for item in node.items))
        number = self.number(content)
        self.nodes[id(node)] = (node, number)
        return number


OWN: dict[str, tuple[tuple[str, ...], ...]] = {
    "network": (("architecture", "{}"),),
    "loss": (("loss", "{}"),),
    "measure": (("measures", "{}"),),
    "probe": (("figures", "{}"),),
    "data": (("task", "data"), ("training", "evaluate")),
    "optimizers": (("training", "optimizer"),),
    "schedule": (("training", "batch"), ("training", "steps"), ("training", "until"), ("training", "evaluate")),
    "replicates": (("replicates",),),
    "mode": (("gradient", "{}"),),
    "binding": (),
    "piece": (),
}
"""Where each kind of part stands, by the name that it begins with; the last two say it themselves, or stand among what all read."""

READ_BY_ALL = ("functions", "layer_defaults", "dtype")
"""What any part may read, beside the names that there are and whether there is training."""


class Shared:
    """What points with the same patches know of each other. They have one document, but for the swept constants.

    `node` and `model` are that document; `common` is what it shares with others, `called` the functions that any variant of
    the experiment calls. `made` holds what is made of parts, by them, where it is as good made of equal ones.
    """

    def __init__(
        self, node: yaml.Mapping, model: Any, whole: yaml.Mapping | None = None, common: Common | None = None,
        called: set[str] | None = None,
    ) -> None:  # fmt: skip
        self.called = set() if called is None else called
        self.common = common or Common()
        self.node = node
        self.model = model
        self.whole = whole or node
        """The experiment with all of its variants, any of which may declare names."""
        self.defaults: tuple[Any, yaml.Node | None] | None = None
        self.study_defaults: yaml.Node | None = None
        self.declared: Declared | None = None
        self.places: dict[Part, Part] = {}
        self.made: dict[Part, Any] = {}
        self._names = -1

    @property
    def names(self) -> int:
        """A number for what any part may read: the names with their phases, and the nodes of `READ_BY_ALL`."""
        if self._names < 0:
            if self.declared is None:
                self.declared = declared(self.node)
            phases = tuple((name, binding.phase) for name, binding in self.declared.bindings.items())
            identity = self.common.identity
            read = (*(identity(self.node.get(key)) for key in READ_BY_ALL), identity(self.study_defaults))
            self._names = self.common.number((phases, read, self.node.get("training") is None))
        return self._names

    def place(self, part: Part) -> Part:
        """A part with where it stands: what makes it another part in another variant's document."""
        placed = self.places.get(part)
        if placed is None:
            kind, *rest = part
            paths = ([step.format(*rest) for step in path] for path in OWN[str(kind)])
            nodes = (self.common.identity(yaml.find(self.node, path)) for path in paths)
            placed = self.places[part] = (*part, self.names, *nodes)
        return placed

    def once(self, kind: str, items: Iterable[Any], make: Callable[[], Any]) -> Any:
        """What `make` gives for some objects, made once: for the same ones in all variants, for equal ones in this."""
        given = tuple(items)
        same = (kind, *map(Same, given))
        if same not in self.common.made:
            if (kind, *given) not in self.made:
                self.made[kind, *given] = make()
            self.common.made[same] = self.made[kind, *given]
        return self.common.made[same]

    def find(self, part: Part, answer: Callable[[Question], Hashable]) -> Found | None:
        """What a part came to at a point that answered its questions alike. `answer` is asked in the part's order."""
        known = self.common.parts.get(self.place(part))
        while isinstance(known, _Asked):
            known = known.answers.get(answer(known.question))
        return known

    def note(self, part: Part, answers: Sequence[tuple[Question, Hashable]], outcome: Found) -> None:
        """Keeps what a part came to, with what it asked and was told."""
        parts, key = self.common.parts, self.place(part)
        if not answers:
            parts[key] = outcome
            return
        place = parts.setdefault(key, _Asked(answers[0][0]))
        for (question, answer), then in itertools.zip_longest(answers, answers[1:]):
            assert isinstance(place, _Asked) and place.question == question, (
                "a part asks the same if it is told the same"
            )
            if then is None:
                place.answers[answer] = outcome
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
        if (
            self.shared.place(part) in self.shared.common.parts
            and (found := self._found(part, self.answer)) is not None
        ):
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
