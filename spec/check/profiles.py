"""Checks figures of kind `profile`: the arrays that they show, in every cell, and the steps at which these are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..diagnostics.problems import Span, listing, problem_at
from ..ir.claims import Selection, looked_at
from ..ir.plan import Program
from ..model.figures import entry
from ..source import nodes as yaml
from .claims import constant_number
from .expression_text import read
from .shown_arrays import left_of, wrong_shape

MOST_TOLD = 8
"""How many of the evaluated steps an error lists."""


def check_profile(figure: Any, where: Sequence[Selection], programs: Sequence[Program]) -> dict[str, tuple[int, ...]]:
    """The steps at which a profile shows each cell, by the cell's name. Raises StudyError where it cannot be drawn.

    In every cell that is shown a `y` is an array [n], and `x` one of the same n.
    """
    ys = figure.y if isinstance(figure.y, list) else [figure.y]
    y_nodes, x_nodes = figure.nodes("y"), figure.nodes("x")
    steps = {}
    for program in programs:
        if not looked_at(where, program.place):
            continue
        shapes = {measure.name: measure.term.type.shape for measure in program.measures}
        sizes = [(word, _size(word, node.span, shapes, program)) for word, node in zip(ys, y_nodes, strict=False)]
        if figure.x is not None:
            constant = _constant(figure.x, program, x_nodes[0].span)
            wanted = _size(figure.x, x_nodes[0].span, shapes, program) if constant is None else len(constant)
            for (word, size), node in zip(sizes, y_nodes, strict=False):
                if size != wanted:
                    message = f"'{word}' has {size} entries, and x, '{figure.x}', has {wanted}, in {program.name}"
                    raise problem_at(node.span, message, "A profile has an x for each entry of y.")
        steps[program.name] = tuple(sorted(_steps(figure, program)))
    return steps


def constant_places(figure: Any, programs: Sequence[Program]) -> dict[str, tuple[float, ...]]:
    """Where the entries of a profile lie whose `x` is a constant array, by the cell's name. Raises StudyError."""
    if figure.kind != "profile" or figure.x is None:
        return {}
    (node,) = figure.nodes("x")
    found = ((program.name, _constant(figure.x, program, node.span)) for program in programs)
    return {name: places for name, places in found if places is not None}


def _constant(word: str, program: Program, span: Span) -> tuple[float, ...] | None:
    """The numbers of a constant array [n], or of a row of one; None where it is none of the constants, or a measure has its name."""
    name, index = entry(word)
    if name not in program.constants or any(measure.name == name for measure in program.measures):
        return None
    whole = np.asarray(program.constants[name])
    shape = left_of(word, span, {name: whole.shape}, program)
    if len(shape) != 1:
        message = f"the constant '{name}' is {f'an array {list(whole.shape)}' if whole.shape else 'one number'}"
        raise problem_at(
            span, f"{message}; an x of a `profile` is an array [n]", "It has a number for each entry of y."
        )
    return tuple(map(float, whole[index]))


def _size(word: str, span: Span, shapes: Mapping[str, tuple[int, ...]], program: Program) -> int:
    """How many entries the array has that a measure, or a row of one, is."""
    shape = left_of(word, span, shapes, program)
    if len(shape) != 1:
        raise wrong_shape(word, span, shapes[entry(word)[0]], "a figure of kind `profile` shows arrays [n]")
    return shape[0]


def _steps(figure: Any, program: Program) -> set[int]:
    """The steps of a program that are shown: none after its last, and each with an evaluation."""
    evaluated = program.training.evaluations if program.training is not None else (0,)
    last = evaluated[-1]
    if figure.steps is None:
        return {last}
    constants = {name: float(value) for name, value in program.constants.items() if not np.shape(value)}
    steps = set()
    for node in figure.nodes("steps"):
        if not isinstance(node, yaml.Scalar):
            continue
        wanted = constant_number(read(node), constants)
        if wanted < 0 or not wanted.is_integer():
            raise problem_at(
                node.span,
                f"a step is a whole number from 0 on, and this is {wanted:g}",
                "Steps count from 0; `//` divides into whole numbers.",
            )
        step = min(int(wanted), last)
        if step not in evaluated:
            near = sorted(sorted(evaluated, key=lambda one: abs(one - step))[:MOST_TOLD])
            message = f"at step {step:,} of {program.name} nothing is measured"
            hint = f"Add it to `evaluate`: `at: [{step}]`; or take one of those near it: {listing([f'{one:,}' for one in near])}."
            raise problem_at(node.span, message, hint)
        steps.add(step)
    if not steps:
        raise problem_at(figure.key("steps"), "`steps` names no step", "Name one, or leave it out: the last is shown.")
    return steps
