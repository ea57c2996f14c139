"""Why a claim is not decided at a place: which part of it is undefined there, which replicate has no final, which event never came."""

from __future__ import annotations

from typing import Any

import numpy as np
from dlspec.spec.diagnostics.problems import listing
from dlspec.spec.ir import claims as c
from dlspec.spec.passes.print_claim import claim_text

from ..results.number_text import number
from ..results.replicates import Replicate, Results
from .grid import Entry, infinite
from .over_steps import along_steps
from .values import CONDITIONS, beside, chosen, value

MAX_REPLICATES_NAMED = 3
"""How many replicates are named at most that an event never came in."""


def where(entry: Entry, results: Results) -> str:
    """A place in words: `deep, d = 4, replicate 1`; replicates where there are several."""
    words = []
    for dimension, place in sorted(entry.items()):
        if dimension == len(results.dimensions):
            words += [f"replicate {place}"] if results.count > 1 else []
            continue
        for axis in results.dimensions[dimension]:
            at = results.axes[axis][place]
            words.append(str(at) if axis == "variant" else f"{axis} = {at}")
    return ", ".join(words)


def undecided(tree: Any, entry: Entry, results: Results) -> str:
    """Why a part of a claim is not decided, or undefined, at an entry; empty where it is neither."""
    grid = value(tree, results)
    index = grid.index({dimension: entry[dimension] for dimension in grid.places if dimension in entry})
    if index is None or not (np.isnan(grid.low[index]) or infinite(grid.low[index], grid.high[index])):
        return ""
    match tree:
        case c.Measured() | c.Diverged():
            return _cell(tree, entry, results)
        case c.Along():
            return _along(tree, entry, results)
        case c.Over():
            dimension = results.dimension[tree.axis]
            for place in value(tree.y, results).places[dimension]:
                if reason := undecided(tree.y, {**entry, dimension: place}, results):
                    return reason
            return f"`{claim_text(tree)}` is not decided{_at(entry, results)} by an event that never came"
        case c.OverEntries(entries=entries):
            reasons = (undecided(one, entry, results) for one in entries)
            never_came = f"`{claim_text(tree)}` is not decided{_at(entry, results)} by an event that never came"
            return next(filter(None, reasons), never_came)
        case c.Apply(_, arguments):
            for argument in arguments:
                if reason := undecided(argument, entry, results):
                    return reason
            if any(_wide(argument, entry, results) for argument in arguments):
                return f"`{claim_text(tree)}` is not decided{_at(entry, results)} by an event that never came"
            values = [
                f"`{claim_text(one)}` is {_worth(one, entry, results)}"
                for one in arguments
                if not isinstance(one, c.Number)
            ]
            return f"`{claim_text(tree)}` is undefined{_at(entry, results)}, where {listing(values)}"
    return ""


def never(tree: Any, results: Results) -> str:
    """Which replicates an event that a claim asks for never came in; empty where it came in all."""
    found = []
    for part in dict.fromkeys(_events(tree)):
        grid = value(part, results)
        wide = grid.low < grid.high
        if count := int(np.count_nonzero(wide)):
            places = [grid.entry(index) for index in np.argwhere(wide)[:MAX_REPLICATES_NAMED].tolist()]
            names = [words for entry in places if (words := where(entry, results))]
            names += [f"{count - MAX_REPLICATES_NAMED:,} more"] if count > MAX_REPLICATES_NAMED else []
            last = np.unique(grid.low[wide]).tolist()
            to = f"up to step {int(last[0]) - 1:,}" if len(last) == 1 else "up to its last step"
            found.append(f"`{claim_text(part)}` never came {to}" + (f" in {'; '.join(names)}" if names else ""))
    return "; ".join(found)


def _events(tree: Any) -> list[Any]:
    if isinstance(tree, c.Measured):
        return [tree] if tree.reduction == "first_step" else []
    parts = (
        tree.arguments
        if isinstance(tree, c.Apply)
        else tree.entries
        if isinstance(tree, c.OverEntries)
        else (tree.y, tree.x)
        if isinstance(tree, c.Along)
        else (tree.y,)
        if isinstance(tree, c.Over)
        else ()
    )
    return [found for part in parts for found in _events(part)]


def _at(entry: Entry, results: Results) -> str:
    return f" at {words}" if (words := where(entry, results)) else ""


def _wide(tree: Any, entry: Entry, results: Results) -> bool:
    grid = value(tree, results)
    index = grid.index({dimension: entry[dimension] for dimension in grid.places if dimension in entry})
    return index is not None and bool(grid.low[index] < grid.high[index])


def _worth(tree: Any, entry: Entry, results: Results) -> str:
    grid = value(tree, results)
    index = grid.index({dimension: entry[dimension] for dimension in grid.places if dimension in entry})
    worth = float(grid.low[index]) if index is not None else float("nan")
    if isinstance(tree, c.Apply) and tree.operation in CONDITIONS:
        return "true" if worth else "false"
    return number(worth)


def _along(tree: c.Along, entry: Entry, results: Results) -> str:
    places, _, _ = beside(tree, results)
    dimension = results.dimension[tree.axis]
    for place in places[dimension]:
        for part in (tree.y, tree.x):
            if reason := undecided(part, {**entry, dimension: place}, results):
                return reason
    if any(_wide(tree.y, {**entry, dimension: place}, results) for place in places[dimension]):
        return f"`{claim_text(tree)}` is not decided{_at(entry, results)} by an event that never came"
    return f"`{claim_text(tree)}` is undefined{_at(entry, results)}: `{claim_text(tree.x)}` is the same all along"


def _cell(tree: c.Measured | c.Diverged, entry: Entry, results: Results) -> str:
    """What is wrong with the replicate that a part looks at."""
    places = {d: kept[0] if len(kept) == 1 else entry[d] for d, kept in chosen(tree.selections, results).items()}
    places = {**places, **{d: place for d, place in entry.items() if d in places}}
    pinned = {results.dimension[one.axis] for one in tree.selections if one.operator == "=="}
    for dimension, kept in chosen(tree.selections, results).items():
        if len(kept) == 1 and dimension in pinned:
            places[dimension] = kept[0]
    replicate: Replicate | None = results.table[tuple(places[d] for d in sorted(places))]
    if replicate is None:
        return f"not run: {where(places, results) or results.experiment}"
    if replicate.status != "done":
        return f"{replicate.status}: {replicate.name} {replicate.message}".strip()
    assert isinstance(tree, c.Measured)
    name = f"the measure '{tree.measure}'"
    if not len(replicate.curves.get(tree.measure, ())):
        return f"{name} was not evaluated in {replicate.name}"
    if tree.reduction == "at" and tree.step not in replicate.steps:
        return f"{name} was not evaluated at step {tree.step:,} in {replicate.name}, which ended at step {replicate.steps[-1]:,}"
    if tree.reduction == "first_step" and (reason := undecided(tree.threshold, entry, results)):
        return reason
    inside = c.within(tree.window, replicate.steps)
    if inside.start >= inside.stop:
        return (
            f"{name} was not evaluated in these steps in {replicate.name}, which ended at step {replicate.steps[-1]:,}"
        )
    values = along_steps(tree, replicate.curves[tree.measure])[inside]
    lost = np.isnan(values) if np.isnan(values).any() else np.isinf(values)
    at = inside.start + int(np.argmax(lost))
    if tree.reduction in ("final", "at"):
        at = len(replicate.steps) - 1 if tree.step is None else replicate.steps.index(tree.step)
    own = along_steps(tree, replicate.curves[tree.measure])[at]
    what = "infinite" if np.isinf(own) else "undefined (NaN)"
    return f"{name} was {what} at step {replicate.steps[at]:,} in {replicate.name}"
