"""Numbers that may change in training: those of gradient modes, and of layers that draw. They are made of constants and counters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..diagnostics.problems import Problem, problem_at
from ..ir import terms as t
from ..ir.plan import Program
from ..passes.time import at_evaluations, at_updates
from ..passes.timed_values import Timed
from ..tables.bounds import ANY, Bounds
from ..tables.gradient_modes import GRADIENT_MODES
from ..tables.layers import LAYERS


def one_number(term: t.Term, what: str) -> t.Term:
    """A number that changes in training. Raises StudyError."""
    if term.type.shape or term.type.kind == "bool":
        hint = "`sum(…)` or an index makes one number of an array, `1 if … else 0` of a condition."
        raise problem_at(term.span, f"{what} is one number, and this is {term.type}", hint)
    return term


def timed_numbers(program: Program) -> Iterator[tuple[str, t.Term, Bounds]]:
    """What changes in training so: the word that it is said by, its term, and its bounds."""
    yield from _of_modes(program)
    yield from _of_layers(program)


def _of_modes(program: Program) -> Iterator[tuple[str, t.Term, Bounds]]:
    for mode in program.gradient.values():
        if isinstance(mode.value, t.Term):
            yield mode.name, mode.value, GRADIENT_MODES[mode.name].bounds


def _of_layers(program: Program) -> Iterator[tuple[str, t.Term, Bounds]]:
    for network in program.networks:
        for layer in network.leaves():
            for name, value in layer.config.items():
                if isinstance(value, t.Term):
                    yield name, value, LAYERS[layer.row].parameters[name].bounds


def outside_bounds(program: Program) -> list[Problem]:
    """Those that leave their bounds, or are not finite, at some step."""
    every = program.under_each_mode
    if not any(True for one in every for _ in timed_numbers(one)):
        return []
    times = at_updates(program.training) if program.training is not None else at_evaluations(None)
    found = [_outside(*timed, times) for timed in _of_layers(program)]
    for one in every:
        found += [_outside(*timed, _while_in_force(one, program, times)) for timed in _of_modes(one)]
    return [problem for problem in found if problem is not None]


def _while_in_force(one: Program, program: Program, times: Mapping[str, Any]) -> Mapping[str, Any]:
    """The counters at those updates in which the gradient modes of one of a program's phases are in force."""
    plan = program.training
    if plan is None:
        return times
    passes = [n for n, owner in enumerate(plan.owners) if program.during(plan.phases[owner]).gradient is one.gradient]
    within = np.isin(times["phase"], passes)
    return {name: values[within] for name, values in times.items()}


def _outside(word: str, term: t.Term, bounds: Bounds, times: Mapping[str, Any]) -> Problem | None:
    values = Timed({}, {}, times).values(term)
    if values is None:
        hint = "Make it from constants and counters, without index notation or loops."
        return Problem(f"the value of '{word}' at each step is not known before anything runs", term.span, hint)
    wrong = next((place for place, one in enumerate(values) if not (np.isfinite(one) and bounds.hold(one))), None)
    if wrong is None:
        return None
    wanted = "finite" if bounds == ANY else str(bounds)
    message = f"'{word}' has to be {wanted}, and is {bounds.text_outside(float(values[wrong]))} at step {int(times['step'][wrong]):,}"
    return Problem(message, term.span, "`clip(…, low, high)` keeps a number within bounds.")
