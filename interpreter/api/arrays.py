"""The curves of an experiment as an xarray Dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..results.replicates import Replicate
from ..results.table_columns import column_name, plain
from .frames import needs

if TYPE_CHECKING:
    import xarray as xr

FIXED = ("variant", "replicate", "step", "status")
"""The names that each Dataset may have of itself."""


def dataset(replicates: Sequence[Replicate], about: Mapping[str, Any]) -> xr.Dataset:
    """The curves of one experiment's replicates; see `Run.to_xarray`. `about` becomes the Dataset's `attrs`."""
    needs("xarray", "xarray")
    import xarray as xr

    axes = _axes(replicates)
    dims = list(axes)
    places = [{values: place for place, values in enumerate(rows)} for _, rows in axes.values()]
    numbers = sorted({replicate.number for replicate in replicates})
    steps = sorted({step for replicate in replicates for step in replicate.steps})
    lengths = [*map(len, places), len(numbers)]
    taken = {*FIXED, *(name for names, _ in axes.values() for name in names)}
    of = [
        (*(place[_values(replicate, names)] for place, (names, _) in zip(places, axes.values(), strict=True)), numbers.index(replicate.number))
        for replicate in replicates
    ]  # fmt: skip
    status = np.full(lengths, "", dtype=object)
    for at, replicate in zip(of, replicates, strict=True):
        status[at] = replicate.status
    variables: dict[str, Any] = {"status": ([*dims, "replicate"], status.astype(str))}
    step_places = {step: place for place, step in enumerate(steps)}
    measures = {
        name: column_name("measure", name, taken)
        for name in dict.fromkeys(name for replicate in replicates for name in replicate.curves)
    }
    taken |= {*measures.values(), *dims}
    for measure, name in measures.items():
        shape = _shape(replicates, measure)
        values = np.full([*lengths, len(steps), *shape], np.nan)
        for at, replicate in zip(of, replicates, strict=True):
            if measure in replicate.curves:
                curve = np.asarray(replicate.curves[measure], dtype=np.float64)
                evaluated = [step_places[step] for step in replicate.steps[: len(curve)]]
                values[at][(evaluated, *(slice(length) for length in curve.shape[1:]))] = curve
        inner = [column_name("entry", f"{name}_{place}", taken) for place in range(len(shape))]
        variables[name] = ([*dims, "replicate", "step", *inner], values)
    coordinates: dict[str, Any] = {"replicate": numbers, "step": steps}
    for dim, (names, rows) in axes.items():
        for name, column in zip(names, zip(*rows, strict=True), strict=True):
            coordinates[name if name == "variant" else column_name("axis", name, FIXED)] = (dim, list(column))
    return xr.Dataset(variables, coordinates, dict(about))


def _values(replicate: Replicate, names: Sequence[str]) -> tuple[Any, ...]:
    """Where a replicate lies on some axes; a value that is a list is its text."""
    own = {"variant": replicate.variant, **replicate.constants}
    values = (own.get(name, np.nan) for name in names)
    return tuple(map(plain, values))


def _axes(replicates: Sequence[Replicate]) -> dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
    """The dimensions beside replicate and step: the axes of each, and the values of these at each of its places.

    Axes that go in step, so that each value of one belongs to one value of the other, are one dimension, called as the first of them.
    """
    names = [
        *(["variant"] if any(r.variant for r in replicates) else []),
        *dict.fromkeys(n for r in replicates for n in r.constants),
    ]
    groups: list[list[str]] = []
    for name in names:
        partner = next((group for group in groups if _in_step(replicates, group[0], name)), None)
        if partner is None:
            groups.append([name])
        else:
            partner.append(name)
    dimensions = {}
    for group in groups:
        rows = list(dict.fromkeys(_values(replicate, group) for replicate in replicates))
        dim = group[0] if group[0] == "variant" else column_name("axis", group[0], FIXED)
        dimensions[dim] = (tuple(group), rows)
    return dimensions


def _in_step(replicates: Sequence[Replicate], first: str, second: str) -> bool:
    """Whether each value of one axis goes with one value of the other, and there are several."""
    if "variant" in (first, second):
        return False
    pairs = {_values(replicate, (first, second)) for replicate in replicates}
    return len(pairs) > 1 and len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def _shape(replicates: Sequence[Replicate], measure: str) -> tuple[int, ...]:
    """The shape of a measure, the largest of each dimension where cells differ."""
    shapes = [
        np.shape(replicate.curves[measure])[1:] for replicate in replicates if len(replicate.curves.get(measure, ()))
    ]
    most = max(map(len, shapes), default=0)
    return tuple(max(shape[place] for shape in shapes if place < len(shape)) for place in range(most))
