"""What claims speak of: measures with their shapes, axes with their values, constants of no axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..diagnostics.problems import Span, StudyError
from ..ir import claims as c
from .claim_axes import Reach
from .measure_shapes import ByCell
from .steps import Borders

Axes = tuple[Mapping[str, tuple[Any, ...]], tuple[tuple[str, ...], ...]]
"""Axes with their values, and which of them go in step."""


@dataclass(frozen=True)
class Subject:
    """What claims speak of: measures with their shapes, axes with their values, constants of no axis."""

    measures: Mapping[str, tuple[int, ...] | None]
    """Each measure's shape; None where no cell was sound, and it is not known."""
    axes: Mapping[str, tuple[Any, ...]]
    constants: Mapping[str, float]
    evaluated: tuple[tuple[Mapping[str, Any], tuple[int, ...]], ...] = ()
    """For each point of the axes, the steps at which measures are taken."""
    borders: tuple[tuple[Mapping[str, Any], Borders], ...] = ()
    """For each point of the axes, where the phases of training begin and end."""
    zipped: tuple[tuple[str, ...], ...] = ()
    planned: Mapping[str, tuple[Any, ...]] | None = None
    """The axes as they are planned, where others' values are known besides."""
    by_cell: ByCell = ()
    """The shapes in each cell of the measures that have several."""
    before: tuple[Axes, ...] = ()
    """Axes, and which of them go in step, as they are without the profile and the overrides: what is left out of these
    leaves a claim undecided, not wrong."""
    rates: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """The measures that are made of a rate, and between which values they lie."""

    @property
    def swept(self) -> list[str]:
        """The axes of numbers."""
        return [name for name, values in self.axes.items() if all(isinstance(value, int | float) for value in values)]

    @cached_property
    def reach(self) -> Reach:
        """What parts of claims speak of along the axes."""
        return Reach(self.axes if self.planned is None else self.planned, self.zipped)

    def evaluations(self, part: c.Measured) -> frozenset[int]:
        """How many evaluations a part looks at in each of its cells; nothing where that is not known."""
        looked_at = (steps for point, steps in self.evaluated if c.looked_at(part.selections, point))
        return frozenset(len(steps[c.within(part.window, steps)]) for steps in looked_at)

    def shapes(self, name: str, selections: tuple[c.Selection, ...]) -> dict[tuple[int, ...], Mapping[str, Any]]:
        """The shapes that a measure has where conditions hold, each with a cell; none where they are not known."""
        own = [
            (shapes[name], place) for place, shapes in self.by_cell if name in shapes and c.looked_at(selections, place)
        ]
        whole = self.measures[name]
        return dict(reversed(own)) or ({} if whole is None else {whole: {}})

    def lengths(self, measure: str, place: int) -> set[int]:
        """How many entries a measure has along one of its axes, in the cells that are known."""
        shapes = self.shapes(measure, ()) if measure in self.measures else ()
        return {shape[place] for shape in shapes if place < len(shape)}

    def left_out(self, axis: str) -> str:
        """What to do where a profile or an override has removed an axis; empty where none has."""
        if not any(axis in axes for axes, _ in self.before):
            return ""
        return f"The profile or an override removes '{axis}': keep one value of it, or remove the claim there, too."

    def compare(self, tree: c.Claim, span: Span) -> None:
        """Raises StudyError where the claim's parts can't be compared, neither as planned nor with what is left out."""
        found = _apart(self.reach, tree, span)
        others = [reach for reach in self.reaches_before if reach.knows(tree)] if found else []
        told = [_apart(reach, tree, span) for reach in others]
        if found and all(told):
            raise told[0] or found if told else found

    @cached_property
    def reaches_before(self) -> list[Reach]:
        """The same over the axes as they are written."""
        return [Reach(axes, zipped) for axes, zipped in self.before]


def _apart(reach: Reach, tree: c.Claim, span: Span) -> StudyError | None:
    """What is wrong with a claim over some axes."""
    try:
        reach.check(tree, span)
    except StudyError as error:
        return error
    return None
