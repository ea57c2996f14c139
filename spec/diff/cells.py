"""Whether the stored results of each cell stay valid, and what the cell costs before and after."""

from __future__ import annotations

from collections.abc import Mapping

from ..ir.plan import Program
from ..passes.cost import cost
from ..passes.digests import Digests
from ..passes.print_network import shapes
from .changes import Cell, CellSide
from .settings import AxisNames, Point, Setting, Side, renamed

SAME_DIGEST = ("same", "steps")
"""What becomes of cells whose digests stay."""

Pairs = list[tuple[Program | None, Program | None]]


def paired(
    before: Side | None, after: Side | None, axes: AxisNames, constants: Mapping[str, str], digests: Digests
) -> Pairs:
    """The programs of an experiment side by side: of one variant and point, else of one digest."""
    old: dict[tuple[Setting, Point], Program] = {}
    for setting, points in before.programs.items() if before else ():
        now = axes.now(setting)
        old.update({(now, renamed(point, constants)): program for point, program in points.items()})
    found: Pairs = []
    lone: list[Program] = []
    for setting, points in after.programs.items() if after else ():
        for point, program in points.items():
            other = old.pop((setting, point), None)
            if other is None:
                lone.append(program)
            else:
                found.append((other, program))
    rest = list(old.values())
    for program in lone:
        twin = next((other for other in rest if _identity(other, digests) == _identity(program, digests)), None)
        if twin is not None:
            rest.remove(twin)
        found.append((twin, program))
    return [*found, *((program, None) for program in rest)]


def cells_of(side: Side, older: bool) -> list[Cell]:
    """The cells of an experiment that only the older or only the newer side has."""
    digests = Digests()
    before, after = (side, None) if older else (None, side)
    return cells(paired(before, after, AxisNames(), {}, digests), {}, digests)


def cells(pairs: Pairs, measures: Mapping[str, str], digests: Digests) -> list[Cell]:
    """The cells of paired programs; `measures` maps old names of measures to new ones."""
    return [_cell(before, after, measures, digests) for before, after in pairs]


def _cell(before: Program | None, after: Program | None, names: Mapping[str, str], digests: Digests) -> Cell:
    known = after if after is not None else before
    assert known is not None
    sides = (_side(before, names, digests) if before else None, _side(after, {}, digests) if after else None)
    status, differing = _status(*sides)
    return Cell(
        known.experiment,
        known.variant,
        dict(known.point),
        *sides,
        status,
        differing,
        older_name=before.name if before else "",
    )


def _status(before: CellSide | None, after: CellSide | None) -> tuple[str, tuple[str, ...]]:
    if before is None or after is None:
        return ("new" if before is None else "gone"), ()
    if before.digest != after.digest:
        return "again", ()
    known = set(before.measures.values())  # under whatever name
    differing = tuple(name for name, mark in after.measures.items() if mark not in known)
    if differing and not before.steps and not after.steps and len(differing) == len(after.measures):
        return "again", ()  # nothing is trained, and no measure is kept
    if differing:
        return "measures", differing
    if not after.taken <= before.taken:
        return "steps", ()
    return "same", ()


def _side(program: Program, names: Mapping[str, str], digests: Digests) -> CellSide:
    return CellSide(
        program.digest,
        {names.get(item.name, item.name): digests.measure(program, item) for item in program.measures},
        _taken(program, digests),
        {network.name: shapes(network) for network in program.networks},
        program.training.steps if program.training else 0,
        program.replicates,
        cost(program),
    )


def _taken(program: Program, digests: Digests) -> frozenset[object]:
    steps = program.training.evaluations if program.training else (0,)
    shown = {
        (digests.sample(program, term, probe.examples), step)
        for probe in program.probes
        for term in probe.terms.values()
        for step in probe.steps
    }
    return frozenset({*steps, *shown})


def _identity(program: Program, digests: Digests) -> tuple[object, ...]:
    marks = sorted(digests.measure(program, item) for item in program.measures)
    return (program.experiment, program.digest, *marks)
