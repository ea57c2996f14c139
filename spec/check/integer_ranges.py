"""Checks the ranges of all ints of a program, and of what they index, once the whole program is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..diagnostics.problems import Problem, sentence
from ..ir import terms as t
from ..ir.plan import Program
from ..passes.integer_ranges import Known, Ranges


def data_ranges(program: Program) -> dict[int, Known] | None:
    """The bounds of what is drawn and of examples, by term: for all programs that have these. None where something is wrong."""
    found = _ranges(program)
    for item in (*program.draws, *program.examples):
        found.of(item.term)
    return None if found.problems else found.known


def ranges(program: Program, data: Mapping[int, Known] | None = None) -> list[Problem]:
    """Ints that an int does not hold, labels and words that are none, indices outside: what is seen before anything runs.

    `data` are bounds that are known already.
    """
    found = _ranges(program)
    found.known.update(data or {})
    for name, term in _roots(program):
        before = len(found.problems)
        given = found.of(term)
        if name in found.networks:
            found.network(found.networks[name], given)
        named = [replace(item, hint=_where(name, term, item)) for item in found.problems[before:]]
        found.problems[before:] = named
    return found.problems


def _ranges(program: Program) -> Ranges:
    bindings = {item.name: item.term for item in (*program.draws, *program.examples, *program.outputs)}
    return Ranges(bindings, {plan.name: plan for plan in program.networks})


def _roots(program: Program) -> Iterator[tuple[str, t.Term]]:
    """All that is computed, by its name."""
    for item in (*program.draws, *program.examples):
        yield item.name, item.term
    for plan in program.networks:
        yield plan.name, plan.input
    for item in program.outputs:
        yield item.name, item.term
    for loss in program.loss:
        yield loss.name, loss.term
        yield loss.name, loss.weight
    for measure in program.measures:
        yield measure.name, measure.term
    for probe in program.probes:
        yield from probe.terms.items()


def _where(name: str, term: t.Term, problem: Problem) -> str:
    """The hint, with the binding named where the place is not in its own text, but in a function's."""
    if problem.span is None or term.span is None or problem.span.line == term.span.line:
        return problem.hint
    return sentence(problem.hint, f"It is reached from '{name}'.")
