"""Checks of figures: the measures and axes that they name."""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics.problems import Problem, Span, StudyError, did_you_mean, listing
from ..ir.claims import Selection
from ..model.base import MEASURE
from ..model.figures import SWEPT, Figure, entry, naming
from ..source import nodes as yaml
from .claim_subject import Subject
from .claims import check_condition
from .expression_text import read
from .measure_shapes import wrong_entry


def check_figures(figures: Iterable[Figure], subject: Subject) -> list[Problem]:
    """What is wrong with an experiment's figures."""
    problems: list[Problem] = []
    for figure in figures:
        shown = _shown(figure, subject)
        for field, what in naming(type(figure)).items():
            value, nodes = getattr(figure, field), figure.nodes(field)
            words = value if isinstance(value, list) else [] if value is None else [value]
            for word, node in zip(words, nodes, strict=False):
                if what == MEASURE and figure.of_arrays:
                    continue  # checked in each cell, with its arrays' sizes
                check = _swept if what == SWEPT else _axis
                problem = (
                    _measure(word, node.span, subject, shown) if what == MEASURE else check(word, node.span, subject)
                )
                problems.extend([problem] if problem is not None else [])
    return problems


def conditions(figure: Figure, subject: Subject) -> tuple[Selection, ...]:
    """The cells that a figure shows. Raises StudyError."""
    where = figure.nodes("where")
    return tuple(check_condition(read(item), subject) for item in where if isinstance(item, yaml.Scalar))


def _shown(figure: Figure, subject: Subject) -> tuple[Selection, ...]:
    """The cells that a figure shows; all where what it says of them is wrong, which is told elsewhere."""
    try:
        return conditions(figure, subject)
    except StudyError:
        return ()


def _measure(word: str, span: Span, subject: Subject, shown: tuple[Selection, ...]) -> Problem | None:
    """A measure that there is, and that is one number, or an entry of an array."""
    name, index = entry(word)
    if name not in subject.measures:
        hint = did_you_mean(name, subject.measures) or f"Known here: {listing(subject.measures)}."
        return Problem(f"there is no measure '{name}'", span, hint)
    return wrong_entry(name, index, subject.shapes(name, shown), span, "a figure shows a number")


def _axis(word: str, span: Span, subject: Subject) -> Problem | None:
    """An axis that there is."""
    if word not in subject.axes:
        hint = did_you_mean(word, subject.axes) or axes_known(subject.axes)
        return Problem(f"there is no axis '{word}'", span, hint)
    return None


def _swept(word: str, span: Span, subject: Subject) -> Problem | None:
    """An axis that there is, and one of numbers."""
    if (problem := _axis(word, span, subject)) is not None:
        return problem
    if word not in subject.swept:
        hint = f"Swept here: {listing(subject.swept)}." if subject.swept else "There is no sweep over a constant."
        return Problem(f"'{word}' is an axis of names, and x needs a swept constant", span, hint)
    return None


def axes_known(axes: Iterable[str]) -> str:
    """The axes that there are, as a hint."""
    names = listing(axes)
    if not names:
        return "There are no axes: no variants, and no sweep."
    return f"The axes are {names}." if " " in names else f"The only axis is {names}."
