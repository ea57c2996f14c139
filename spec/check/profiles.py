"""Checks figures of kind `profile`: the arrays that they show, in every cell, and the steps at which these are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at
from ..ir.claims import Selection, looked_at
from ..ir.plan import Program
from ..model.figures import entry
from ..source import nodes as yaml
from .claims import constant_number
from .expression_text import read

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
            wanted = _size(figure.x, x_nodes[0].span, shapes, program)
            for (word, size), node in zip(sizes, y_nodes, strict=False):
                if size != wanted:
                    message = f"'{word}' is an array of {size}, and x, '{figure.x}', one of {wanted}, in {program.name}"
                    raise problem_at(node.span, message, "A profile has an x for each entry of y.")
        steps[program.name] = tuple(sorted(_steps(figure, program)))
    return steps


def _size(word: str, span: Span, shapes: Mapping[str, tuple[int, ...]], program: Program) -> int:
    """How many entries the array has that a measure, or a row of one, is."""
    name, index = entry(word)
    if name not in shapes:
        raise problem_at(
            span, f"there is no measure '{name}'", did_you_mean(name, shapes) or f"Known here: {listing(shapes)}."
        )
    shape = shapes[name]
    text = f"the measure '{name}' is {f'an array {list(shape)}' if shape else 'one number'}"
    if len(index) > len(shape) or any(place >= size for place, size in zip(index, shape, strict=False)):
        raise problem_at(span, f"{text}, and has no entry {list(index)}, in {program.name}", "Entries count from 0.")
    if len(shape) - len(index) != 1:
        if not shape:
            hint = "Numbers over the steps are a figure of kind `curves`."
        elif len(index) == len(shape):
            hint = f"Leave the entry out: `{name}`."
        else:
            hint = f"Show a row of it, such as `{name}[{', '.join('0' for _ in shape[1:])}]`."
        what = f", and `{word}` an entry of it" if shape and len(index) == len(shape) else ""
        raise problem_at(span, f"{text}{what}; a figure of kind `profile` shows arrays [n]", hint)
    return shape[-1]


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
