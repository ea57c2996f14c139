"""Whether weights of another time, and estimates, are there where they are needed: a condition on `phase` or `pass` may leave some passes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..diagnostics.problems import Problem, Span
from ..ir import terms as t
from ..ir.plan import Program
from ..ir.training import Phase
from ..passes.related_bounds import GUARDED
from ..passes.timed_values import Timed
from .measure_reads import MeasureReads
from .moments import Needed, recalls

Array = np.ndarray[Any, Any]
LATER = "Give the term to a later phase alone, by a `loss` of its own."


def _holding(program: Program, terms: Iterable[t.Term], reads: MeasureReads) -> list[t.Term]:
    """Those of some terms in which, through outputs, too, there is anything of another time."""
    late: set[str] = set()

    def holds(term: t.Term) -> bool:
        read = reads.of(term)
        return read.recalled or read.after or not late.isdisjoint(read.names)

    for output in program.outputs:
        if holds(output.term):
            late.add(output.name)
    return [term for term in terms if holds(term)]


def unavailable(program: Program, reads: MeasureReads) -> list[Problem]:
    """Weights that are never kept, and those that a loss needs before they are there."""
    plan = program.training
    phases = plan.phases if plan is not None else ()
    averaged = any(o.arguments.get("use_ema") for phase in phases for o in phase.all_optimizers)
    places = {phase.name: place for place, phase in enumerate(phases)}
    waits = {item.name: places[item.phase] for item in program.estimates}
    shown = [m.term for m in program.measures] + [term for probe in program.probes for term in probe.terms.values()]
    lost = [_holding(program, [one.term for one in phase.loss], reads) for phase in phases]
    estimated = [item.term for item in program.estimates]
    found: dict[tuple[Span | None, str], Problem] = {}

    def tell(item: Needed, said: tuple[str, str] | None) -> None:
        if said is not None:
            found.setdefault((item.span, said[0]), Problem(said[0], item.span, said[1]))

    def after(item: Needed) -> int | None:
        """The phase whose end a value waits for."""
        if isinstance(item, t.Reference):
            return waits[item.name]
        return places.get(item.phase) if item.moment == "after" else None

    every = [*_holding(program, shown, reads), *estimated, *(term for terms in lost for term in terms)]
    for item in recalls(program, every):
        if isinstance(item, t.Recalled):
            tell(item, _unavailable(item, phases[places[item.phase]].times if item.phase in places else 0, averaged))
    for estimate in program.estimates:
        for item in recalls(program, [estimate.term]):
            if (late := after(item)) is not None and late > places[estimate.phase]:
                tell(item, (f"the estimate '{estimate.name}' needs {_late(item, phases[late].name)}", LATER))
    for place, phase in enumerate(phases):
        for item, late in too_early(program, place, lost[place], after) if lost[place] else ():
            name = phases[late].name
            what = f"the loss of the phase '{phase.name}' needs {_late(item, name)}"
            tell(item, (what, _instead(item, phase, name)))
    return list(found.values())


def _late(item: Needed, phase: str) -> str:
    what = f"the estimate '{item.name}'" if isinstance(item, t.Reference) else "the weights"
    return f"{what} after '{phase}', which has not ended then"


def _instead(item: Needed, phase: Phase, after: str) -> str:
    """What to write where a value is not there at some updates of a phase."""
    first = 1 + ((item.number or 0) if isinstance(item, t.Recalled) else 0)
    if after != phase.name or first >= phase.times:
        return LATER
    return f"It exists from pass {first} on (passes count from 0): `… if pass >= {first} else initial(…)`, or give the term to a later phase."


def _unavailable(item: t.Recalled, times: int, averaged: bool) -> tuple[str, str] | None:
    """What is wrong with a moment, and what to do."""
    if item.moment in ("average", "current") and not averaged:
        return (
            f"`{item.moment}` needs moving averages of the weights, and no optimiser keeps any",
            "Give an optimiser `use_ema: true`.",
        )
    if item.moment != "after":
        return None
    if not times:
        return (
            f"the phase '{item.phase}' has 0 steps here, and no weights at its end",
            "Give it steps, or take `initial(…)`.",
        )
    if item.number is not None and not 0 <= item.number < times:
        count = f"{times} pass{'es' if times > 1 else ''}"
        return f"the phase '{item.phase}' has {count}, and no pass {item.number}", f"Passes are 0 … {times - 1}."
    return None


def too_early(
    program: Program, phase: int, terms: Iterable[t.Term], after: Callable[[Needed], int | None]
) -> list[tuple[Needed, int]]:
    """What terms of a phase's loss need at updates at which it is not there yet, each with the phase whose end it waits for, as `after` says."""
    plan = program.training
    assert plan is not None
    owners = np.asarray(plan.owners)
    own = np.flatnonzero(owners == phase)
    early = []
    for item, needed in _needed(program, terms, own):
        if (waits := after(item)) is not None:
            ended = np.cumsum(owners == waits)[own] - (waits == phase)
            number = item.number if isinstance(item, t.Recalled) else None
            if (needed & (ended <= (number or 0))).any():
                early.append((item, waits))
    return early


def _needed(program: Program, terms: Iterable[t.Term], passes: Array) -> list[tuple[Needed, Array]]:
    """What some terms recall, and the estimates in them, through outputs, too: each with whether it is needed in each of some passes.

    A branch that a condition on `phase` and `pass` leaves out is not needed. One on `step` may be true and false.
    """
    plan = program.training
    assert plan is not None
    outputs = {item.name: item.term for item in program.outputs}
    counted = {"phase": passes, "pass": np.asarray(plan.passes)[passes]}
    seen: dict[int, Array] = {}
    found: dict[int, Needed] = {}
    stack = [(term, np.ones(len(passes), bool)) for term in terms]
    while stack:
        term, where = stack.pop()
        before = seen.get(id(term), np.zeros_like(where))
        if not (where & ~before).any():
            continue
        seen[id(term)] = where | before
        if isinstance(term, t.Recalled) or (isinstance(term, t.Reference) and term.stage == "estimates"):
            found[id(term)] = term
        if isinstance(term, t.Reference) and term.name in outputs:
            stack.append((outputs[term.name], where))
        stack += _below(term, where, Timed(outputs, {}, counted))
    return [(item, seen[place]) for place, item in found.items()]


def _below(term: t.Term, where: Array, timed: Timed) -> Iterator[tuple[t.Term, Array]]:
    """The terms right below one, and in which passes each counts."""
    guarded: Mapping[int, bool] = GUARDED.get(term.operation, {}) if isinstance(term, t.Operate) else {}
    below = t.children(term)
    for place, item in enumerate(below):
        yield item, where & _may_be(below[0], guarded[place], timed) if place in guarded else where


def _may_be(condition: t.Term, truth: bool, timed: Timed) -> Any:
    """In which passes a condition may be true, or false: in all where counters do not say."""
    if (values := timed.values(condition)) is not None:
        return values == truth
    operation = condition.operation if isinstance(condition, t.Operate) else ""
    if operation not in ("logical_and", "logical_or"):
        return True
    one, other = (_may_be(part, truth, timed) for part in t.children(condition))
    return one & other if truth == (operation == "logical_and") else one | other
