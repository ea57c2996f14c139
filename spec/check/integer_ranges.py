"""Checks the ranges of all ints of a program, and of what they index, once the whole program is known."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace

from ..diagnostics.problems import Problem, Span, sentence
from ..ir import terms as t
from ..ir.plan import Program
from ..passes.integer_ranges import Known, Ranges
from ..passes.joint_values import MAX_VALUES
from ..passes.time import at_evaluations, at_updates
from ..source.several import OnePointNeeded
from .measure_reads import MeasureReads


def data_ranges(program: Program) -> Ranges | None:
    """The bounds of what is drawn and of examples: for all programs that have these. None where something is wrong."""
    found = _ranges(program)
    found.times = at_updates(program.training)
    for item in (*program.draws, *program.examples):
        found.of(item.term)
    return None if found.problems else found


def estimate_ranges(program: Program) -> dict[int, Known]:
    """The bounds of estimates and of statistics, by term: they are of training examples, whatever is measured over."""
    found = _ranges(program)
    found.times = at_updates(program.training)
    return {id(item.term): found.of(item.term) for item in (*program.estimates, *program.statistics)}


def ranges(
    program: Program,
    data: Ranges | None,
    reads: MeasureReads,
    estimates: Mapping[int, Known] | None = None,
) -> list[Problem]:
    """Ints that an int does not hold, labels and words that are none, indices outside: what is seen before anything runs.

    `data` are the bounds of what is drawn and of examples, if nothing is wrong with these, `estimates` those of estimates where they are
    known. A measure that was sound where all that it reads had the same bounds is sound here, too.
    """
    if not _has_ints(program, reads):
        return []
    found = _ranges(program)
    found.known.update({**(data.known if data is not None else {}), **(estimates or {})})
    found.times = at_updates(program.training)
    for name, term in _roots(program):
        _root(found, name, term)
    found.times = at_evaluations(program.training)
    _measures(found, program, data, reads)
    for probe in program.probes:
        for label, term in probe.terms.items():
            _root(found, label, term)
    return found.problems


def _has_ints(program: Program, reads: MeasureReads) -> bool:
    """Whether any int or bool stands in a program that may be outside of where it belongs."""
    terms = [term for _, term in _roots(program)]
    terms += [layer.body for network in program.networks for layer in network.leaves() if layer.body is not None]
    terms += [term for probe in program.probes for term in probe.terms.values()]
    return any(reads.of(term).ranged for term in terms) or reads.together(program.measures)[2]


def _measures(ranges_: Ranges, program: Program, data: Ranges | None, reads: MeasureReads) -> None:
    """Looks through the measures, after all that they read."""
    if ranges_.problems or data is None:  # what hangs on a problem is not told to be sound
        for measure in program.measures:
            _root(ranges_, measure.name, measure.term)
        return
    bounds = {name: ranges_.known[id(term)] for name, term in ranges_.bindings.items()}
    plans = {plan.name: (id(plan), id(data), ranges_.known[id(plan.input)]) for plan in program.networks}
    together: Hashable = (id(reads.together(program.measures)), *bounds.items(), *plans.items())
    if together in reads.sound:
        return
    before, by_names = len(ranges_.problems), False
    for measure in program.measures:
        own = reads.of(measure.term)
        key: Hashable = (id(own), tuple([bounds[name] for name in own.names]), tuple([plans[n] for n in own.networks]))
        if key not in reads.sound:
            told = len(ranges_.problems)
            ranges_.values.behind_names.clear()
            _root(ranges_, measure.name, measure.term)
            if ranges_.values.behind_names:  # more than bounds was looked at
                by_names = True
            elif len(ranges_.problems) == told:
                reads.sound.add(key)
    if len(ranges_.problems) == before and not by_names:
        reads.sound.add(together)


def _root(ranges_: Ranges, name: str, term: t.Term) -> None:
    """Looks through what is computed under a name; problems name it."""
    before = len(ranges_.problems)
    given = ranges_.of(term)
    if name in ranges_.networks:
        ranges_.network(ranges_.networks[name], given)
    ranges_.problems[before:] = [replace(item, hint=_where(name, term, item)) for item in ranges_.problems[before:]]


class PartBounds:
    """The bounds of ints and bools within what is computed under a program's names; nothing that is wrong is told.

    Each raises OnePointNeeded where bounds hang on a number that varies along sweep points: those of all of them may be too wide.
    `data` are the bounds of what is drawn and of examples at updates, and `counted` says whether a counter stands in any term.
    """

    def __init__(self, program: Program, data: Ranges | None, counted: bool) -> None:
        self.program = program
        self.data, self.counted = data, counted
        self.found: dict[bool, Ranges] = {}
        self.told: set[Span | None] = set()

    def of(self, part: t.Term, root: t.Term, measured: bool) -> Known:
        """Those of a part of a root, which is looked through from there; `measured` says that it is taken at evaluations. None where they are not known."""
        looked = self._looked_through(root, measured)
        _must_be_of_one_point(looked)
        return looked.known.get(id(part), looked.behind.get(id(part)))

    def values(self, part: t.Term, root: t.Term, measured: bool) -> frozenset[int] | None:
        """All values of an int part of a root, as far as they are known: by its bounds, or of few by trying. None where they are not."""
        known = self.of(part, root, measured)
        if known is None or known[1] - known[0] >= MAX_VALUES:
            return None
        tried = self.found[measured].narrowed(part)
        return frozenset(range(known[0], known[1] + 1) if tried is None else tried)

    def doubts(self, root: t.Term, measured: bool) -> Iterator[Problem]:
        """Warnings of indices of a root that may be outside, each place once."""
        looked = self._looked_through(root, measured)
        if looked.doubts:
            _must_be_of_one_point(looked)
        for doubt in looked.doubts:
            if doubt.span not in self.told:
                self.told.add(doubt.span)
                yield doubt
        looked.doubts.clear()

    def _looked_through(self, root: t.Term, measured: bool) -> Ranges:
        if measured not in self.found:
            ranges_ = self.found[measured] = _ranges(self.program)
            ranges_.times = (at_evaluations if measured else at_updates)(self.program.training)
            if self.data is not None and not self.data.vary and not (measured and self.counted):
                _take(ranges_, self.data)
        self.found[measured].of(root)
        return self.found[measured]


def _take(ranges_: Ranges, data: Ranges) -> None:
    """Gives ranges the bounds that others of the same names found, and their warnings."""
    ranges_.known.update(data.known)
    ranges_.behind.update(data.behind)
    ranges_.parameters.update(data.parameters)
    ranges_.doubts.extend(data.doubts)
    ranges_.told.update(data.told)


def _must_be_of_one_point(ranges_: Ranges) -> None:
    if ranges_.vary:
        raise OnePointNeeded


def _ranges(program: Program) -> Ranges:
    bindings = {item.name: item.term for item in (*program.draws, *program.examples, *program.outputs)}
    bindings |= {item.name: item.term for item in (*program.statistics, *program.estimates)}
    return Ranges(bindings, {plan.name: plan for plan in program.networks})


def _roots(program: Program) -> Iterator[tuple[str, t.Term]]:
    """All that measures may read, and the loss, by name."""
    for item in (*program.draws, *program.examples):
        yield item.name, item.term
    for plan in program.networks:
        yield plan.name, plan.input
        for layer in plan.leaves():
            yield from ((f"{plan.name}.{layer.key}.{weight}", one.body) for weight, one in layer.kept_by.items())
    for item in program.outputs:
        yield item.name, item.term
    for taken in (*program.statistics, *program.estimates):
        yield taken.name, taken.term
    for loss in program.loss:
        yield loss.name, loss.term
        yield loss.name, loss.weight


def _where(name: str, term: t.Term, problem: Problem) -> str:
    """The hint, with the binding named where the place is not in its own text, but in a function's."""
    if problem.span is None or term.span is None or problem.span.line == term.span.line:
        return problem.hint
    return sentence(problem.hint, f"It is reached from '{name}'.")
