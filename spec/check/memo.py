"""Checks each part of an experiment once for all sweep points and variants in which it comes out the same.

The check of a part is a function of the document and of what the part reads about names: a constant's value, a type, a
network. These reads and their answers are stored with the outcome. At another point the outcome is taken from the memo
if all reads have the same answers there, as a build system reuses a result whose inputs did not change (Mokhov,
Mitchell and Peyton Jones 2018, constructive traces). Each variant has a document of its own, which shares most nodes
with the others: a part is the same in two of them if it has the same nodes, names and functions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any, TypeVar

from ..diagnostics.problems import Problem, StudyError
from ..ir import terms as t
from ..model.experiment import Experiment
from ..model.layers import LayerDefaults
from ..records import record
from ..source import nodes as yaml
from .all_points import OnePointNeeded, varies
from .constant_limits import Budget
from .declarations import Declared, declared, declared_in, spoken_of_in
from .measure_reads import MeasureReads

T = TypeVar("T")
Part = tuple[Hashable, ...]
Question = tuple[str, str]
"""`term` (its type, or a literal), `whole` (the term itself), `index`, `values` (see `one_hot.py`), `network`, `result` (of a
network its output's type alone), `output` (of a network all of its types), `size`, `small` (of an output), `function` (what
stands under its name), `gradient` (the mode of a function), `varies` and `trained` (of an output: whether it has one value per
example, and whether it depends on weights), `points` (of a constant: its values at all sweep points) or `data`, and the name."""
AT_ALL_POINTS = ("output", "measure", "statistic", "probe", "measures", "probes")
"""The parts, and groups of them, that are as many as a writer likes: checked for all sweep points at once where that can be."""


@record(frozen=True, slots=True)
class Outcome:
    """The value of a part that was checked without an error, and its warnings."""

    value: Any
    warnings: tuple[Problem, ...]


ONE_BY_ONE = Outcome(None, ())
"""What comes of a part that cannot be checked for all sweep points at once."""


@record(frozen=True, slots=True)
class _Branch:
    """A question that a part asks, and for each answer the next question or the outcome."""

    question: Question
    answers: dict[Hashable, _Branch | Outcome] = field(default_factory=dict)


class ById:
    """An object as a key of a dictionary, compared by identity."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ById) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


class Common:
    """What the documents of all variants and experiments have in common, in all profiles.

    `keys` numbers parameters and indices over all cells; `differentiable` holds the keys of parameters that depend on
    weights. `parts` are the outcomes of parts, by where they stand; `cache` holds what is computed from parts, `reads` what
    stands in measures. `judged` says whether claims are checked, `run` whether programs may be run.
    """

    def __init__(self, budget: Budget | None = None, judged: bool = True, run: bool = True) -> None:
        self.budget = budget or Budget()
        self.judged = judged
        self.run = run
        self.keys = itertools.count(1)
        self.differentiable: set[str] = set()
        self.parts: dict[Part, _Branch | Outcome] = {}
        self.cache: dict[Hashable, Any] = {}
        self.reads = MeasureReads()
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
        content: Hashable = ById(node)
        if isinstance(node, yaml.Mapping):
            content = ("map", node.span, *((ById(key), self.identity(below)) for key, below in node.entries))
        elif isinstance(node, yaml.Sequence):
            content = ("list", node.span, *(self.identity(item) for item in node.items))
        number = self.number(content)
        self.nodes[id(node)] = (node, number)
        return number


class Shared:
    """What sweep points with the same patches share: one document, but for the swept constants.

    `model` is that document; `common` is what it shares with others, `called` the functions that any variant of the
    experiment calls. `cache` holds what is computed from parts, by equality. `points` are the constants that vary along the
    sweep points, where parts are checked for all of these at once (see `all_points.py`).
    """

    def __init__(
        self,
        model: Experiment,
        whole: yaml.Node | None = None,
        common: Common | None = None,
        called: set[str] | None = None,
    ) -> None:
        self.called = set() if called is None else called
        self.common = common or Common()
        self.model = model
        self.whole = whole or model.node()
        """The experiment with all of its variants, any of which may declare names."""
        self.defaults: LayerDefaults | None = None
        self.study_defaults: LayerDefaults | None = None
        self.places: dict[Part, Part] = {}
        self.cache: dict[Part, Any] = {}
        self.points: dict[str, t.Literal | None] = {}
        self._names = -1

    @cached_property
    def declared(self) -> Declared:
        """The names that the document declares: of all variants and experiments in which the same nodes declare them."""
        key = ("declared", *map(self.common.identity, [*declared_in(self.model), *spoken_of_in(self.model)]))
        if key not in self.common.cache:
            self.common.cache[key] = declared(self.model)
        names: Declared = self.common.cache[key]
        return names

    @property
    def names(self) -> int:
        """A number for what any part may read: the names with their stages or parameters, layer defaults, the dtype, whether it trains."""
        if self._names < 0:
            stages = tuple((name, binding.stage) for name, binding in self.declared.bindings.items())
            functions = tuple((name, function.parameters) for name, function in self.declared.functions.items())
            own = [self.model.node(field) for field in ("layer_defaults", "dtype")]
            study = self.study_defaults.node() if self.study_defaults is not None else None
            read = tuple(map(self.common.identity, (*own, study)))
            self._names = self.common.number((stages, functions, read, self.model.training is None))
        return self._names

    def place(self, part: Part, nodes: Iterable[yaml.Node | None] = ()) -> Part:
        """A part with its nodes, and with what any part may read: where these differ, it is another part. Noted when first asked."""
        placed = self.places.get(part)
        if placed is None:
            placed = self.places[part] = (*part, self.names, *map(self.common.identity, nodes))
        return placed

    def once(self, kind: str, items: Iterable[Any], make: Callable[[], Any]) -> Any:
        """What `make` gives for some objects, computed once for identical ones in all variants and for equal ones in this."""
        objects = tuple(items)
        identical = (kind, *map(ById, objects))
        if identical not in self.common.cache:
            if (kind, *objects) not in self.cache:
                self.cache[kind, *objects] = make()
            self.common.cache[identical] = self.cache[kind, *objects]
        return self.common.cache[identical]

    def find(self, part: Part, answer: Callable[[Question], Hashable]) -> Outcome | None:
        """The outcome of a part at a point that gave the same answers; None if there is none. Questions come in the part's order."""
        known = self.common.parts.get(self.place(part))
        while isinstance(known, _Branch):
            known = known.answers.get(answer(known.question))
        return known

    def note(self, part: Part, answers: Sequence[tuple[Question, Hashable]], outcome: Outcome) -> None:
        """Stores the outcome of a part with its questions and their answers."""
        parts, key = self.common.parts, self.place(part)
        if not answers:
            parts[key] = outcome
            return
        place = parts.setdefault(key, _Branch(answers[0][0]))
        for (question, answer), then in itertools.zip_longest(answers, answers[1:]):
            if not isinstance(place, _Branch) or place.question != question:
                return  # a limit on all of a cell was reached: what it asks hangs on more than answers
            if then is None:
                place.answers[answer] = outcome
            else:
                place = place.answers.setdefault(answer, _Branch(then[0]))


class _Gathered(dict[Question, Hashable]):
    """What the parts of a group read; `whole` says that none of them failed, so that this is all that they read."""

    whole = True


class MemoizedChecker:
    """Caches the checks of parts across sweep points, keyed by what they read about names.

    `answer` answers questions at this point; `problems` and `warnings` are the lists of this point, to which parts add.
    """

    def __init__(
        self, shared: Shared, answer: Callable[[Question], Hashable], problems: list[Problem], warnings: list[Problem]
    ) -> None:
        self.shared = shared
        self.answer = answer
        self.problems = problems
        self.warnings = warnings
        self.reads: list[dict[Question, Hashable]] = []
        """What the parts that are being checked have read, the innermost last."""
        self.at_all_points = False
        """Whether what is being checked is checked for all sweep points at once."""

    def part(self, part: Part, make: Callable[[], Any], nodes: Iterable[yaml.Node | None] = ()) -> Any:
        """The value of a part that stands in some nodes: from the memo if its reads have the same answers here, else from `make`.

        Raises what `make` raises.
        """
        if part[0] in AT_ALL_POINTS and self.shared.points:
            return self._for_all_points(part, make, nodes)
        return self._kept(part, make, nodes, {})

    def group(self, part: Part, make: Callable[[], Any], nodes: Iterable[yaml.Node | None] = ()) -> Any:
        """The same for many parts that `make` asks for: one look-up gives all, where what any of them reads is the same here."""
        kind = "for all points" if self.shared.points else "for one"
        return self._kept((*part, kind), make, nodes, _Gathered())

    def _for_all_points(self, part: Part, make: Callable[[], Any], nodes: Iterable[yaml.Node | None]) -> Any:
        """The value of a part checked for all sweep points at once or, where that cannot be, for this one."""
        key, around = (*part, "for all points"), self._around()
        reads: dict[Question, Hashable] = {}
        self.shared.place(key, nodes)
        outcome = self._look_up(key, self._noting(reads))
        if outcome is None:
            warnings, reads, known = len(self.warnings), {}, True
            try:
                outcome = Outcome(self._run(make, reads, True), tuple(self.warnings[warnings:]))
            except (OnePointNeeded, StudyError) as error:
                outcome = ONE_BY_ONE
                known = not isinstance(error, StudyError) or bool(error.problems)
            if known:
                self.shared.note(key, tuple(reads.items()), outcome)
            elif around is not None:  # a name that it reads has an error
                around.whole = False
        else:
            self.warnings.extend(outcome.warnings)
        if around is not None:
            around.update(reads)
        return self._kept(part, make, nodes, {}) if outcome is ONE_BY_ONE else outcome.value

    def for_all_points(self, make: Callable[[], t.Term]) -> t.Literal | None:
        """What stands for a constant at all sweep points; None where that cannot be told."""
        try:
            term = self._run(make, {}, True)
        except (OnePointNeeded, StudyError):
            return None
        return term if isinstance(term, t.Literal) and varies(term.value) else None

    def _around(self) -> _Gathered | None:
        """The reads of the group around a part."""
        gathered = self.reads[-1] if self.reads else None
        return gathered if isinstance(gathered, _Gathered) else None

    def _kept(
        self, part: Part, make: Callable[[], Any], nodes: Iterable[yaml.Node | None], reads: dict[Question, Hashable]
    ) -> Any:
        around = self._around()
        found: dict[Question, Hashable] = {}
        if self.shared.place(part, nodes) in self.shared.common.parts:
            answer = self.answer if around is None else self._noting(found)
            if (outcome := self._look_up(part, answer)) is not None:
                self.warnings.extend(outcome.warnings)
                if around is not None:
                    around.update(found)
                return outcome.value
        problems, warnings = len(self.problems), len(self.warnings)
        try:
            value = self._run(make, reads, False)
        except (OnePointNeeded, StudyError):
            if around is not None:
                around.whole = False
            raise
        whole = not isinstance(reads, _Gathered) or reads.whole
        if len(self.problems) == problems and whole:
            self.shared.note(part, tuple(reads.items()), Outcome(value, tuple(self.warnings[warnings:])))
        if around is not None:
            around.update(reads)
        return value

    def _noting(self, reads: dict[Question, Hashable]) -> Callable[[Question], Hashable]:
        """Answers questions, and notes the answers."""

        def answer(question: Question) -> Hashable:
            reads[question] = self.answer(question)
            return reads[question]

        return answer

    def piece(self, place: tuple[yaml.Scalar, int], make: Callable[[], Any]) -> Any:
        """The same for a piece of an expression, by where it begins in its text. The part around it reads what the piece reads."""
        scalar, start = place
        piece = ("piece", id(scalar), start, self.at_all_points)
        reads: dict[Question, Hashable] = {}
        outcome = self._look_up(piece, self._noting(reads))
        if outcome is None:
            value = self._run(make, reads := {}, self.at_all_points)
            outcome = Outcome((scalar, value), ())
            self.shared.note(piece, tuple(reads.items()), outcome)
        if self.reads:
            self.reads[-1].update(reads)
        return outcome.value[1]

    def of_node(self, node: yaml.Node | None, make: Callable[[], T]) -> T:
        """What `make` reads of a node, as a piece: it hangs on less than the part that it stands in. Of one node one thing is read so."""
        if not isinstance(node, yaml.Scalar):
            return make()
        value: T = self.piece((node, -1), make)
        return value

    def note_read(self, question: Question) -> None:
        """Notes that the part which is being checked asks a question, with the answer."""
        if self.reads and question not in self.reads[-1]:
            self.reads.append({})  # what is read for the answer is in the answer
            try:
                answer = self.answer(question)
            finally:
                self.reads.pop()
            self.reads[-1][question] = answer

    def _run(self, make: Callable[[], Any], reads: dict[Question, Hashable], at_all_points: bool) -> Any:
        """What `make` gives, for all sweep points or for this one; what it reads is added to `reads`."""
        self.reads.append(reads)
        before, self.at_all_points = self.at_all_points, at_all_points
        try:
            return make()
        finally:
            self.at_all_points = before
            self.reads.pop()

    def _look_up(self, part: Part, answer: Callable[[Question], Hashable]) -> Outcome | None:
        """The outcome of a part at another point. What is read to answer its questions is not read by the part around it."""
        self.reads.append({})
        try:
            return self.shared.find(part, answer)
        except StudyError:
            return None  # a name with an error is looked up again where its error belongs
        finally:
            self.reads.pop()
