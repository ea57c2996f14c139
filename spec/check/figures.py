"""Checks of figures: the measures and axes that they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..diagnostics.problems import Problem, Span, did_you_mean, listing
from ..ir.claims import Selection
from ..model.figures import entry
from ..source import nodes as yaml
from .claims import Subject, check_condition
from .expression_text import read

FIELDS = ("y", "colour", "panel", "x")
OF_EXAMPLES = ("function", "examples", "images")
"""The kinds that show single examples."""


def check_figures(figures: Mapping[str, Any], experiment: yaml.Mapping, subject: Subject) -> list[Problem]:
    """What is wrong with an experiment's figures."""
    problems: list[Problem] = []
    for name, figure in figures.items():
        for field in FIELDS:
            value = getattr(figure, field, None)
            if value is None or (figure.kind in OF_EXAMPLES and field in ("x", "y")):
                continue
            path: list[str | int] = ["figures", name, field]
            places = [[*path, place] for place in range(len(value))] if isinstance(value, list) else [path]
            for place, word in zip(places, value if isinstance(value, list) else [value], strict=True):
                span, _ = yaml.locate(experiment, place)
                problem = _measure(word, span, subject) if field == "y" else _axis(word, span, field, subject)
                problems.extend([problem] if problem is not None else [])
    return problems


def conditions(name: str, experiment: yaml.Mapping, subject: Subject) -> tuple[Selection, ...]:
    """The cells that a figure shows. Raises SpecError."""
    node = yaml.find(experiment, ["figures", name, "where"])
    items = node.items if isinstance(node, yaml.Sequence) else () if node is None else (node,)
    return tuple(check_condition(read(item), subject) for item in items if isinstance(item, yaml.Scalar))


def _measure(word: str, span: Span, subject: Subject) -> Problem | None:
    """A measure that there is, and that is one number, or an entry of an array."""
    name, index = entry(word)
    if name not in subject.measures:
        hint = did_you_mean(name, subject.measures) or f"Known here: {listing(subject.measures)}."
        return Problem(f"there is no measure '{name}'", span, hint)
    shape = list(subject.measures[name] or ())
    if not index and shape:
        hint = f"Show entries of it, such as `{name}[{', '.join('0' for _ in shape)}]`."
        return Problem(f"the measure '{name}' is an array {shape}, and a figure shows a number", span, hint)
    if len(index) != len(shape) or any(place >= size for place, size in zip(index, shape, strict=False)):
        message = (
            f"the measure '{name}' is {f'an array {shape}' if shape else 'one number'}, and has no entry {list(index)}"
        )
        return Problem(message, span, "Entries count from 0.")
    return None


def _axis(word: str, span: Span, field: str, subject: Subject) -> Problem | None:
    """An axis that there is, and for x one of numbers."""
    if word not in subject.axes:
        hint = did_you_mean(word, subject.axes) or axes_known(subject.axes)
        return Problem(f"there is no axis '{word}'", span, hint)
    if field == "x" and word not in subject.swept:
        hint = f"Swept here: {listing(subject.swept)}." if subject.swept else "There is no sweep over a constant."
        return Problem(f"'{word}' is an axis of names, and x needs a swept constant", span, hint)
    return None


def axes_known(axes: Iterable[str]) -> str:
    """The axes that there are, as a hint."""
    names = listing(axes)
    if not names:
        return "There are no axes: no variants, and no sweep."
    return f"The axes are {names}." if " " in names else f"The only axis is {names}."
