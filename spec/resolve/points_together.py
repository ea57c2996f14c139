"""Which constants vary from cell to cell of an experiment, and what they are in all cells: see `spec/check/all_points.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..check.all_points import AllSizes, AllValues, OnePointNeeded, PointsDiffer, literal
from ..check.experiment import ExperimentChecker, Point
from ..check.memo import Shared
from ..diagnostics.problems import Problem, StudyError
from ..ir.plan import Program
from ..model.layers import LayerDefaults
from ..source import nodes as yaml

MAX_LOOKED_AT = 100_000
"""Constants times documents up to which those that patches change are looked for."""

MIN_AT_ONCE = 10
"""From how many sweep points on a cell is checked for all of them at once: of fewer, each is checked as fast."""

Cell = tuple[Shared, Mapping[str, Any]]
"""What a cell shares with others, and its values of the swept constants."""


def take_together(cells: Sequence[Cell], patches: Iterable[yaml.Node | None]) -> None:
    """Tells what cells share which constants vary among them; `patches` are those of variants and of axes."""
    if len(cells) < 2:
        return
    documents = list({id(shared): shared for shared, _ in cells}.values())
    swept = cells[0][1].keys()
    for name in swept:
        values = literal([constants[name] for _, constants in cells])
        for shared in documents:
            shared.points[name] = values
    patched = {name for patch in patches for name in _constants(patch)} - swept
    if len(patched) * len(documents) > MAX_LOOKED_AT:
        return
    for name in patched:
        numbers = {id(shared): _number(shared.model.node("constants", name)) for shared in documents}
        if len(set(numbers.values())) > 1 or None in numbers.values():
            values = literal([numbers[id(shared)] for shared, _ in cells])
            for shared in documents:
                shared.points[name] = values


def at_once(
    points: Sequence[Point], shared: Shared, defaults: LayerDefaults | None
) -> Iterator[tuple[Sequence[int], Program, list[Problem]]]:
    """Some cells that differ in swept constants alone, checked at once: the places of these among the points, the program of each but
    for its constants, and the warnings of each. Halves are tried where points differ; what is left out is to be checked point by point."""
    pending: list[Sequence[int]] = [range(len(points))]
    refused = 0
    points_of_parts, shared.points = shared.points, {}  # all of the cell is for all points, and no part by itself
    try:
        while pending and refused <= 2 * len(points).bit_length():
            some = pending.pop()
            try:
                if len(some) > 1:
                    yield some, *_checked([points[place] for place in some], shared, defaults)
            except (PointsDiffer, StudyError):
                refused += 1
                half = len(some) // 2
                pending += [some[half:], some[:half]]
            except OnePointNeeded:
                return
    finally:
        shared.points = points_of_parts


def _checked(points: Sequence[Point], shared: Shared, defaults: LayerDefaults | None) -> tuple[Program, list[Problem]]:
    """What cells have in common, and their warnings. Raises StudyError, and OnePointNeeded where they cannot be checked at once."""
    first = points[0]
    together = {name: literal([point.values[name] for point in points]) for name in first.constants}
    found = {name: term for name, term in together.items() if term is not None}
    if len(found) < len(together):
        raise OnePointNeeded
    checker = ExperimentChecker(replace(first, constants={}, together=found), shared, defaults)
    program = checker.program()
    terms = [item.term for item in (*program.measures, *program.estimates)]
    terms += [term for probe in program.probes for term in probe.terms.values()]
    sizes = [program.replicates, *(size for term in terms for size in term.type.shape)]
    if any(isinstance(size, AllSizes) for size in sizes):
        raise OnePointNeeded  # claims and figures look at them
    return program, checker.scope.warnings


def at_point(program: Program, point: Point, place: int) -> Program:
    """The program of one of some cells that were checked at once, by its place among them."""
    constants = {
        name: np.asarray(value.values[place]) if isinstance(value, AllValues) else value
        for name, value in program.constants.items()
    }
    return replace(program, point=dict(point.values), constants=constants)


def _constants(patch: yaml.Node | None) -> tuple[str, ...]:
    """The constants that a patch changes."""
    node = patch.get("constants") if isinstance(patch, yaml.Mapping) else None
    return tuple(node.keys()) if isinstance(node, yaml.Mapping) else ()


def _number(node: yaml.Node | None) -> int | float | None:
    """The number that a constant is declared as; None for an expression, and for what is not there."""
    value = node.value if isinstance(node, yaml.Scalar) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
