"""Measures over the steps, reduced to a number for each of many replicates; those with as many evaluations at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from dlspec.spec.ir import claims as c

from ..results.replicates import BROKEN, DONE, Replicate
from .best_of_many import excess
from .grid import Array

MAX_NUMBERS = 2**21
"""How many numbers of curves are held at once: 16 MiB."""


def reduced(tree: c.Measured, replicates: Sequence[Replicate | None], debiased: bool = False) -> Array:
    """Each replicate's measure over the steps as one number; undefined where it has none, or did not come to its end.

    The best of evaluations of which one is infinite is not known: it is that number, or undefined.
    `debiased` takes from the best of many evaluations what chance adds to it.
    """
    if tree.reduction in ("final", "at"):
        return np.asarray([_at(tree, replicate) for replicate in replicates], dtype=float)
    if tree.reduction == "mean_over":
        return np.asarray([_mean(tree, replicate) for replicate in replicates], dtype=float)
    best = np.full(len(replicates), np.nan)
    sign = -1 if tree.reduction == "lowest" else 1
    for places, values, _ in _stacked(tree, replicates):
        at = np.argmin(values, axis=-1) if sign < 0 else np.argmax(values, axis=-1)
        by_chance = excess(values, at) if debiased else 0.0
        chosen = np.take_along_axis(values, at[:, np.newaxis], axis=-1)[:, 0] - sign * by_chance
        best[places] = np.where(np.isfinite(chosen) & ~np.isfinite(values).all(axis=-1), np.nan, chosen)
    return best


def errors_of(tree: c.Measured, replicates: Sequence[Replicate | None]) -> Array:
    """The sampling error of each replicate's measure: of its value at a step, or of the evaluation that is its best.

    Of a mean over steps it is the mean of theirs: they are of the same examples, and may all err one way. Undefined where none was
    kept. What choosing adds to the best is another thing (`best_of_many.py`).
    """
    if tree.reduction in ("final", "at", "mean_over"):
        erring = [replicate and replace(replicate, curves=replicate.errors) for replicate in replicates]
        taken = _mean if tree.reduction == "mean_over" else _at
        return np.asarray([taken(tree, replicate) for replicate in erring], dtype=float)
    errors = np.full(len(replicates), np.nan)
    for places, values, first in _stacked(tree, replicates):
        best = np.argmin(values, axis=-1) if tree.reduction == "lowest" else np.argmax(values, axis=-1)
        for place, at in zip(places, best.tolist(), strict=True):
            kept: Any = replicates[place].errors.get(tree.measure, ())  # type: ignore[union-attr]
            if len(kept):
                errors[place] = along_steps(tree, kept)[first + at]
    return errors


def first_steps(
    tree: c.Measured, replicates: Sequence[Replicate | None], thresholds: Array, debiased: bool = False
) -> tuple[Array, Array]:
    """For each replicate the first evaluated step at which a comparison with its threshold holds, or the range beyond its last.

    A replicate that diverged has the step at which it held before; where it did not, it is undefined.
    """
    low, high = np.full(len(replicates), np.nan), np.full(len(replicates), np.nan)
    for places, values, before in _stacked(tree, replicates, (DONE, *BROKEN)):
        if debiased and tree.operator in ("<", "<=", ">", ">="):
            sign = 1 if tree.operator.startswith("<") else -1
            values = values + sign * excess(values, np.argmin(sign * values, axis=-1))[:, np.newaxis]
        there = c.COMPARE[tree.operator](values, thresholds[places, np.newaxis])
        unknown = ~np.isfinite(values)
        first = np.argmax(there | unknown, axis=-1)
        for place, at, comes, lost in zip(
            places, first.tolist(), _taken(there, first), _taken(unknown, first), strict=True
        ):
            steps, whole = replicates[place].steps, replicates[place].status == DONE  # type: ignore[union-attr]
            if not lost and (comes or whole):
                found, beyond = steps[before + at], steps[before + values.shape[1] - 1] + 1
                low[place], high[place] = (found, found) if comes else (beyond, math.inf)
    return low, high


def along_steps(tree: c.Measured, curve: Any) -> Array:
    """A measure's entry at each evaluated step."""
    values: Array = np.asarray(curve, dtype=float)
    for place in tree.index:
        values = values[:, place]
    return values


def _at(tree: c.Measured, replicate: Replicate | None) -> float:
    """A replicate's measure at its last step, or at one that is asked for."""
    if replicate is None or replicate.status != DONE:
        return math.nan
    curve: Any = replicate.curves.get(tree.measure, ())
    if not len(curve) or (tree.step is not None and tree.step not in replicate.steps):
        return math.nan
    place = -1 if tree.step is None else replicate.steps.index(tree.step)
    return float(np.asarray(curve[place])[tree.index])


def _mean(tree: c.Measured, replicate: Replicate | None) -> float:
    """A replicate's mean over a window of steps, by the trapezoidal rule: what is evaluated seldom stands for many steps."""
    if replicate is None or replicate.status != DONE:
        return math.nan
    curve: Any = replicate.curves.get(tree.measure, ())
    inside = c.within(tree.window, replicate.steps)
    steps = np.asarray(replicate.steps[inside], dtype=float)
    if not len(curve) or not len(steps):
        return math.nan
    values = along_steps(tree, curve)[inside]
    if len(steps) == 1:
        return float(values[0])
    with np.errstate(invalid="ignore", over="ignore"):  # undefined of infinities of both signs
        between = values[1:] / 2 + values[:-1] / 2
        return float(np.sum(between * np.diff(steps)) / (steps[-1] - steps[0]))


def _stacked(
    tree: c.Measured, replicates: Sequence[Replicate | None], statuses: Sequence[str] = (DONE,)
) -> Iterator[tuple[list[int], Array, int]]:
    """The curves of the replicates that ended in some ways, [replicates, evaluations], with the places of these; some at a time.

    They are those within the window that is looked at, the number of whose first evaluation comes last.
    """
    waiting: dict[tuple[int, int], tuple[list[int], list[Array]]] = {}
    for place, replicate in enumerate(replicates):
        if replicate is None or replicate.status not in statuses:
            continue
        curve: Any = replicate.curves.get(tree.measure, ())
        inside = c.within(tree.window, replicate.steps)
        key = inside.start, inside.stop - inside.start
        if not len(curve) or key[1] < 1:
            continue
        places, curves = waiting.setdefault(key, ([], []))
        places.append(place)
        curves.append(along_steps(tree, curve)[inside])
        if len(curves) * key[1] >= MAX_NUMBERS:
            yield places, np.stack(curves), inside.start
            del waiting[key]
    for (first, _), (places, curves) in waiting.items():
        yield places, np.stack(curves), first


def _taken(flags: Array, at: Array) -> list[bool]:
    """One flag of each row."""
    taken: list[bool] = np.take_along_axis(flags, at[:, np.newaxis], axis=-1)[:, 0].tolist()
    return taken
