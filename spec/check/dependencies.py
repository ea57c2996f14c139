"""The dependencies of terms, through names: other names in order, weights, and the example."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from ..diagnostics.problems import problem_at
from ..ir import terms as t
from ..ir.term_pass import TermPass
from .memo import Shared
from .namespace import Binding


class Dependencies:
    """What the terms of an experiment depend on. `note_read` notes what the part that is being checked reads about a name."""

    def __init__(
        self,
        shared: Shared,
        bindings: Mapping[str, Binding],
        terms: Mapping[str, t.Term],
        note_read: Callable[[str, str], None],
    ) -> None:
        self.shared = shared
        self.bindings = bindings
        self.terms = terms
        self.note_read = note_read
        self.varying: dict[str, bool] = {}
        """Of outputs: whether one has a value per example."""
        self.learning: dict[str, bool] = {}
        """Of outputs: whether one depends on weights."""
        self.density: t.Term | None = None
        """What an example weighs, where not all weigh the same."""
        self.divided: tuple[int, ...] = ()
        """How many of the examples that weigh differently train, and how many are tested, where that is not all of them each."""

    def weight(self) -> t.Term | None:
        """What an example weighs, where not all weigh the same."""
        self.note_read("density", "")
        return self.density

    def reached(self, term: t.Term) -> Iterator[t.Term]:
        """All terms that one depends on, through names."""
        pending, seen = [term], set()
        while pending:
            for item in t.walk(pending.pop()):
                yield item
                if isinstance(item, t.Reference) and item.name not in seen and item.name in self.terms:
                    self.note_read("whole", item.name)
                    seen.add(item.name)
                    pending.append(self.terms[item.name])

    def reaches(self, term: t.Term, names: Collection[str]) -> bool:
        """Whether a term is made of some of these names."""
        return any(isinstance(item, t.Reference) and item.name in names for item in self.reached(term))

    def by_use(self, names: Iterable[str], stage: str) -> list[str]:
        """Some names of a stage and those of it that they are made from, each after its own."""
        order_: dict[str, None] = {}
        seen: set[str] = set()
        for first in names:
            path = [(first, iter(self._used(self.terms[first])))] if first not in seen else []
            seen.add(first)
            while path:
                name, below = path[-1]
                for used in below:
                    if used not in seen and used in self.bindings and self.bindings[used].stage == stage:
                        seen.add(used)
                        path.append((used, iter(self._used(self.terms[used]))))
                        break
                else:
                    order_[name] = None
                    path.pop()
        return list(order_)

    def _used(self, term: t.Term) -> tuple[str, ...]:
        """The names that stand in a term."""
        references = (item.name for item in t.within(term, t.Reference))
        names: tuple[str, ...] = self.shared.once("used", (term,), lambda: tuple(references))
        return names

    def per_example(self, term: t.Term) -> t.Term | None:
        """Some part of a term, outside any expectation, that has one value per example."""
        return _PER_EXAMPLE.of(term)(term, self)

    def varies(self, name: str) -> bool:
        """Whether a binding has one value per example. Outputs are asked each after those that it is made from."""
        varying = self.varying
        if self.bindings[name].stage != "outputs":
            return self.bindings[name].stage == "example"
        for used in self.by_use([name], "outputs") if name not in varying else ():
            varying[used] = self.per_example(self.terms[used]) is not None
        return varying[name]

    def trained(self, term: t.Term) -> bool:
        """Whether a term depends on weights."""
        return t.has(term, *LEARNING) and any(self._learns(item) for item in t.walk(term, _now))

    def _learns(self, item: t.Term) -> bool:
        if isinstance(item, t.Reference) and item.stage == "outputs":
            self.note_read("trained", item.name)
            return self.learns(item.name)
        if isinstance(item, t.Parameter):
            return item.key in self.shared.common.differentiable
        return isinstance(item, t.NetworkOutput | t.Weight | t.AllWeights)

    def learns(self, name: str) -> bool:
        """Whether an output depends on weights. Outputs are asked each after those that it is made from."""
        for used in self.by_use([name], "outputs") if name not in self.learning else ():
            self.learning[used] = self.trained(self.terms[used])
        return self.learning[name]


def over_examples(dependencies: Dependencies, term: t.Term, mean: Callable[[t.Term], t.Term]) -> t.Term:
    """A term, or its mean where it has one value per example. Raises StudyError."""
    loose = dependencies.per_example(term)
    if loose is None:
        return term
    if t.has(term, t.Expectation):
        message = "this combines one value per example with an `E` over examples"
        raise problem_at(loose.span or term.span, message, "Put it inside an `E(…)`, or put one around the whole.")
    return mean(term)


LEARNING = (t.Reference, t.Parameter, t.NetworkOutput, t.Weight, t.AllWeights)
"""The classes of terms that may depend on weights by themselves."""


def _now(term: t.Term) -> Iterable[t.Term]:
    """The parts of a term whose weights are the present ones."""
    return () if isinstance(term, t.Recalled) else t.children(term)


_PER_EXAMPLE: TermPass[[Dependencies], t.Term | None] = TermPass("part per example")


@_PER_EXAMPLE.case(t.Expectation, t.BatchMean, t.GradientStatistic, t.SamplingFloor, t.LeftOut)
def _over_examples(term: t.Term, dependencies: Dependencies) -> t.Term | None:
    return None


@_PER_EXAMPLE.case(t.Gradient, *t.DERIVATIVES, t.NetworkOutput)
def _of_one_example(term: t.Term, dependencies: Dependencies) -> t.Term | None:
    return term


@_PER_EXAMPLE.case(t.Reference)
def _named(term: t.Reference, dependencies: Dependencies) -> t.Term | None:
    dependencies.note_read("varies", term.name)
    return term if dependencies.varies(term.name) else None


@_PER_EXAMPLE.case(
    t.Literal, t.SweptConstant, t.Parameter, t.IndexVariable, t.Operate, t.Invoke, t.Scan, t.Comprehend, t.Gather, t.Cut, t.Stack, t.Stop, t.Sample,
    t.Weight, t.AllWeights, t.StepNumber, t.Recalled, t.WithWeights, t.FileValue,
)  # fmt: skip
def _first_of_parts(term: t.Term, dependencies: Dependencies) -> t.Term | None:
    for child in t.children(term):
        if (part := dependencies.per_example(child)) is not None:
            return part
    return None
