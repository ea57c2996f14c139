"""Which constants vary from cell to cell of an experiment, and what they are in all cells: see `spec/check/all_points.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..check.all_points import AllSizes, AllValues, AtEach, OnePointNeeded, PointsDiffer, literal
from ..check.experiment import ExperimentChecker, Point
from ..check.memo import Shared
from ..diagnostics.problems import Problem, StudyError
from ..ir.plan import Program
from ..model.experiment import Experiment
from ..model.layers import LayerDefaults
from ..source import nodes as yaml
from ..tables.gradient_statistics import FLOOR
from .sweep import parts
from .variants_together import Form, laid_over

MAX_LOOKED_AT = 100_000
"""Constants times documents up to which those that patches change are looked for."""

MIN_AT_ONCE = 10
"""From how many cells on these are checked at once: of fewer, each is checked as fast."""
MIN_PARTS = 100
"""From how many names and layers in an experiment on three cells of it are checked at once, too."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a cell, or of cells that were checked at once: the program, but for the constants of each, or the problems; and the warnings."""

    program: Program | None
    problems: Sequence[Problem]
    warnings: Sequence[Problem]


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


def worth_while(cells: int, model: Experiment) -> bool:
    """Whether so many cells are checked faster at once: it is one check more where they cannot be."""
    return cells >= MIN_AT_ONCE or (cells > 2 and parts(model) >= MIN_PARTS)


def at_once(
    cells: Sequence[tuple[Point, Form | None]], shared: Shared, defaults: LayerDefaults | None
) -> Iterator[tuple[Sequence[int], Checked]]:
    """Some cells that differ in swept constants alone, or in the numbers of patches of one form, checked at once: their places, and what came of it.

    Halves are tried where cells differ, and those with the same swept constants where one is needed; what is left out is to be checked
    cell by cell.

    Args:
        cells: Each with the form of its patches, where these differ.
        shared: What the cells share or, of patches of one form, what those of one share.
        defaults: The study's layer defaults.
    """
    pending: list[Sequence[int]] = [range(len(cells))]
    refused = 0
    while pending and refused <= 2 * len(cells).bit_length():
        some = pending.pop()
        try:
            if len(some) > 1:
                yield some, _checked([cells[place] for place in some], shared, defaults)
        except (PointsDiffer, StudyError):
            refused += 1
            half = len(some) // 2
            pending += [some[half:], some[:half]]
        except OnePointNeeded:
            refused += 1
            alike: dict[str, list[int]] = {}
            for place in some:
                point = cells[place][0]
                alike.setdefault(_said([point.values[name] for name in point.constants]), []).append(place)
            pending += alike.values() if len(alike) > 1 else ()


def _checked(cells: Sequence[tuple[Point, Form | None]], shared: Shared, defaults: LayerDefaults | None) -> Checked:
    """What comes of some cells. Raises StudyError where one of them may have a problem, and OnePointNeeded where they cannot be checked at once."""
    forms = [form for _, form in cells if form is not None]
    first = cells[0][0]
    values = {name: [point.values[name] for point, _ in cells] for name in first.constants}
    same = {name: node for name, node in first.constants.items() if len(set(map(_said, values[name]))) == 1}
    together = {name: literal(own) for name, own in values.items() if name not in same}
    terms_of_constants = {name: term for name, term in together.items() if term is not None}
    if len(terms_of_constants) < len(together):
        raise OnePointNeeded
    shared = laid_over(forms, shared) if forms else shared
    points_of_parts, shared.points = shared.points, {}  # all of the cell is for all points, and no part by itself
    try:
        checker = ExperimentChecker(replace(first, constants=same, together=terms_of_constants), shared, defaults)
        program = checker.program()
    except StudyError as error:
        found = (*error.problems, *checker.scope.warnings)
        own = forms[0].places() if forms else ()
        if not checker.scope.problems or (forms and any(one.span is None or one.span.begins_in(*own) for one in found)):
            raise
        return Checked(None, error.problems, checker.scope.warnings)
    finally:
        shared.points = points_of_parts
    terms = [item.term for item in (*program.measures, *program.estimates)]
    terms += [term for probe in program.probes for term in probe.terms.values()]
    sizes = [program.replicates, *(size for term in terms for size in term.type.shape)]
    if any(isinstance(size, AllSizes) for size in sizes):
        raise OnePointNeeded  # claims and figures look at them
    if forms and checker.scope.warnings:
        raise OnePointNeeded  # each stands in the cell's own patch
    return Checked(program, (), checker.scope.warnings)


def of_point(checked: Checked, point: Point, place: int, measures: Mapping[str, str]) -> Checked:
    """What came of one of some cells that were checked at once, by its place among them, and by what it calls measures of other names."""
    program = checked.program
    if program is None:
        return checked
    constants = {
        name: np.asarray(value.values[place]) if isinstance(value, AllValues) else value
        for name, value in program.constants.items()
    }
    named = program.measures
    if measures:
        named = tuple(replace(one, name=measures.get(one.name, one.name)) for one in named)
    training = program.training
    if training is not None and isinstance(training.evaluations, AtEach):
        phases = tuple(replace(phase, steps=phase.steps.values[place].item()) for phase in training.phases)
        training = replace(training, phases=phases, evaluations=training.evaluations.values[place])
    own = replace(
        program, variant=point.variant, point=dict(point.values), constants=constants, measures=named, training=training
    )
    return replace(checked, program=own)


def _said(value: Any) -> str:
    """A value, told from all that is another number or of another kind: `1` from `1.0`."""
    return repr(value)


def other_names(first: Form | None, form: Form | None) -> dict[str, str]:
    """What a cell calls the measures, and their sampling floors, of another cell of its form, where that is not the same."""
    if first is None or form is None:
        return {}
    pairs = [(one, other) for one, other in zip(first.measures, form.measures, strict=True) if one != other]
    return dict(pairs) | {one + FLOOR: other + FLOOR for one, other in pairs}


def _constants(patch: yaml.Node | None) -> tuple[str, ...]:
    """The constants that a patch changes."""
    node = patch.get("constants") if isinstance(patch, yaml.Mapping) else None
    return tuple(node.keys()) if isinstance(node, yaml.Mapping) else ()


def _number(node: yaml.Node | None) -> int | float | None:
    """The number that a constant is declared as; None for an expression, and for what is not there."""
    value = node.value if isinstance(node, yaml.Scalar) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
