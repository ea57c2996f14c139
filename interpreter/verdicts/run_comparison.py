"""Two runs side by side, as data: finals with their spread and their difference, and verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..results.array_entries import entry_name, extremes, finals_at, is_small, places_of, shape_words, shapes_of
from ..results.cell_groups import label, programs
from ..results.made_by import OTHERWISE_MADE, OTHERWISE_TRAINED, trained_otherwise, unlike
from ..results.number_text import SPREAD, mean_of, number, pair, ranged, spread
from ..results.optional_outputs import Aside
from ..results.replicates import DONE, Replicate, Results
from ..results.run_list import RunRecord
from ..results.run_reader import results, verdicts
from ..results.verdicts import Verdict
from .rates import half_width

FORMAT_VERSION = 3
INTERVAL_FROM = 3
"""How many pairs of replicates an interval needs."""
ROUNDING = 4 * float(np.finfo(np.float64).eps)
"""By how much of the values their differences may differ and still be the same: by their rounding."""

CAPTION = f"A, B: {SPREAD}; B - A: mean ± half of its 95 % t interval, over pairs of replicates, three or more."
"""What the columns of a comparison hold."""

Done = tuple[int, int]
"""How many replicates of a program are done, and how many there are."""


@dataclass(frozen=True)
class Difference:
    """Second less first over `pairs` of replicates, of which `undefined` have no finite difference.

    `mean` is None where a pair has none. `half` is that of the 95 % t interval, None where there are fewer than three pairs
    or all differ by the same: then there is no spread to judge by.
    """

    pairs: int
    undefined: int
    mean: float | None
    half: float | None
    same: bool

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % t interval of the mean."""
        return None if self.mean is None or self.half is None else (self.mean - self.half, self.mean + self.half)


@dataclass(frozen=True)
class Final:
    """A measure of one program at its last step, in both runs: one number a replicate that is done.

    `same` says that both runs have the same cells, and the same numbers of them.
    """

    experiment: str
    program: str
    measure: str
    first: dict[int, float]
    second: dict[int, float]
    same: bool
    done: tuple[Done, Done] = ((0, 0), (0, 0))

    def difference(self) -> Difference | None:
        """Second less first, paired by replicate; nothing where no replicate is in both."""
        paired = sorted(self.first.keys() & self.second.keys())
        if not paired:
            return None
        gaps = [self.second[replicate] - self.first[replicate] for replicate in paired]
        if undefined := sum(not math.isfinite(gap) for gap in gaps):
            return Difference(len(gaps), undefined, None, None, same=False)
        largest = max(abs(side[replicate]) for side in (self.first, self.second) for replicate in paired)
        same = len(gaps) > 1 and max(gaps) - min(gaps) <= ROUNDING * largest
        half = half_width(gaps) if len(gaps) >= INTERVAL_FROM and not same else None
        return Difference(len(gaps), 0, float(np.mean(gaps)), half, same)


@dataclass(frozen=True)
class Comparison:
    """All that two runs can be compared by."""

    runs: tuple[RunRecord, RunRecord]
    results: tuple[dict[str, Results], dict[str, Results]]
    finals: Sequence[Final]
    claims: Sequence[tuple[str, Verdict | None, Verdict | None]]

    @property
    def made_by(self) -> str:
        """In which versions and devices the runs are unlike; empty where in none."""
        first, second = self.runs
        return unlike(first.about, second.about)

    @property
    def trained_otherwise(self) -> str:
        """Which replicates of the same cells were trained in other compiled programs; empty where none."""
        first, second = ([replicate for one in side.values() for replicate in one.replicates] for side in self.results)
        return trained_otherwise(first, second)

    @property
    def warnings(self) -> list[str]:
        """What was made otherwise in both, in words."""
        said = (OTHERWISE_MADE, self.made_by), (OTHERWISE_TRAINED, self.trained_otherwise)
        return [f"{lead} {words}" for lead, words in said if words]


def compare(first: RunRecord, second: RunRecord, aside: Aside | None = None) -> Comparison:
    """Reads both runs. Raises StoreError; with `aside`, claims that can't be read are told, and missing."""
    found = results(first), results(second)
    told = tuple(_told(run, aside) for run in (first, second))
    claims = [(name, told[0].get(name), told[1].get(name)) for name in dict.fromkeys([*told[0], *told[1]])]
    return Comparison((first, second), found, _finals(*found), claims)


def _told(run: RunRecord, aside: Aside | None) -> dict[str, Verdict]:
    with aside.part(f"claims of {run.name}", "The rest is here") if aside is not None else nullcontext():
        return {verdict.id: verdict for verdict in verdicts(run)}
    return {}


def _finals(first: dict[str, Results], second: dict[str, Results]) -> list[Final]:
    finals = []
    for experiment in dict.fromkeys([*first, *second]):
        one, other = paired(first.get(experiment), second.get(experiment))
        for name in dict.fromkeys([*one, *other]):
            replicates, others = one.get(name, []), other.get(name, [])
            same = {(c.digest, c.number) for c in replicates} == {(c.digest, c.number) for c in others}
            measures = dict.fromkeys(m for replicate in [*replicates, *others] for m in replicate.curves)
            for measure in measures:
                for told, ends in _ends(replicates, others, measure):
                    alike = same and _alike(
                        *ends
                    )  # a digest is of what is trained: a measure may be another all the same
                    finals.append(Final(experiment, name, told, *ends, alike, (_done(replicates), _done(others))))
    return finals


Groups = dict[str, list[Replicate]]


def paired(first: Results | None, second: Results | None) -> tuple[Groups, Groups]:
    """The replicates of each program of both runs, by what tells it from the others.

    What was trained alike under another name, as where a sweep was added around it, stands beside it, under both names.
    """
    one, other = _grouped(first), _grouped(second)
    elsewhere = {_digests(group): name for name, group in reversed(other.items()) if name not in one}
    both = {
        name: elsewhere.pop(trained)
        for name, group in one.items()
        if name not in other and (trained := _digests(group)) in elsewhere
    }
    names = {name: f"{name} (B: {there})" for name, there in both.items()}
    there_too = {there: names[name] for name, there in both.items()}
    return (
        {names.get(name, name): group for name, group in one.items()},
        {there_too.get(name, name): group for name, group in other.items()},
    )


def _digests(group: Sequence[Replicate]) -> frozenset[str]:
    return frozenset(replicate.digest for replicate in group)


def _grouped(results: Results | None) -> Groups:
    return {label(group[0]): group for group in programs(results.replicates)} if results else {}


Ends = tuple[dict[int, float], dict[int, float]]


def _ends(replicates: Sequence[Replicate], others: Sequence[Replicate], measure: str) -> Iterator[tuple[str, Ends]]:
    """The finals of both runs, by replicate: of a number, of each entry of a small array, or of how far a larger one goes."""
    shapes = shapes_of([*replicates, *others], measure)
    if is_small(shapes):
        for at in places_of(shapes):
            yield (
                entry_name(measure, at),
                (dict(finals_at(replicates, measure, at)), dict(finals_at(others, measure, at))),
            )
        return
    both = list(extremes(replicates, measure)), list(extremes(others, measure))
    for end, word in ((1, "least"), (2, "largest")):
        first, second = ({row[0]: row[end] for row in own} for own in both)
        yield f"{measure} ({shape_words(shapes)}), {word}", (first, second)


def _alike(first: dict[int, float], second: dict[int, float]) -> bool:
    """Whether all replicates have the same numbers, undefined ones among them."""
    return first.keys() == second.keys() and all(
        second[replicate] == value or (math.isnan(value) and math.isnan(second[replicate]))
        for replicate, value in first.items()
    )


def _done(replicates: Sequence[Replicate]) -> Done:
    return sum(replicate.status == DONE for replicate in replicates), len(replicates)


def spread_text(values: dict[int, float], done: Done) -> str:
    """The mean and the range, and of how many replicates that is, where it is not all."""
    some = f" ({done[0]} of {done[1]})" if done[0] < done[1] else ""
    if not values:
        return f"–{some}"
    return spread(values.values()) + some


def difference_text(final: Final) -> str:
    """By how much a measure differs, in words where it is no number."""
    if final.same:
        return "same cells"
    difference = final.difference()
    if difference is None:
        return "–"
    if difference.mean is None:
        return f"– ({difference.undefined} of {difference.pairs} not finite)"
    if difference.same:
        return f"{number(difference.mean)} in all {difference.pairs}"
    if difference.half is None:
        return number(difference.mean)
    size, half = pair(abs(difference.mean), difference.half)  # whether the interval holds 0 is seen
    return f"{'-' if difference.mean < 0 else ''}{size} ± {half}"


def seen(verdict: Verdict | None) -> str:
    """What was seen of a claim: the value that decided, with its range, and where that was, of several places."""
    if verdict is None or verdict.value is None:
        return "–"
    lead, digits = "", 3
    if len(verdict.evidence) == 1 and (only := verdict.evidence[0]).nearest >= 0:
        lead = f"{only.points[only.nearest].where}: " if only.of > 1 else ""
        digits = only.points[only.nearest].digits
    if verdict.range is None or verdict.range[0] == verdict.range[1]:
        return lead + number(verdict.value, digits)
    return lead + ranged(verdict.value, *verdict.range, digits)


def as_data(comparison: Comparison, figure: Sequence[Path]) -> dict[str, Any]:
    """The comparison as JSON; what is not finite is null."""

    def spread(values: dict[int, float]) -> dict[str, Any] | None:
        if not values:
            return None
        every = list(values.values())
        return {"mean": _finite(mean_of(every)), "range": [_finite(min(every)), _finite(max(every))]}

    def gap(final: Final) -> dict[str, Any] | None:
        difference = final.difference()
        if difference is None:
            return None
        ends = [_finite(end) for end in difference.interval] if difference.interval else None
        return {
            "mean": _finite(difference.mean),
            "interval": ends,
            "pairs": difference.pairs,
            "undefined": difference.undefined,
        }

    def told(verdict: Verdict | None) -> dict[str, Any] | None:
        if verdict is None:
            return None
        ends = [_finite(v) for v in verdict.range] if verdict.range else None
        return {"verdict": verdict.verdict, "value": _finite(verdict.value), "range": ends}

    return {
        "format_version": FORMAT_VERSION, "runs": [run.name for run in comparison.runs],
        "made_by": comparison.made_by or None, "trained_otherwise": comparison.trained_otherwise or None,
        "finals": [
            {
                "experiment": final.experiment, "program": final.program, "measure": final.measure, "same_cells": final.same,
                "first": spread(final.first), "second": spread(final.second), "difference": gap(final),
                "replicates": [{"done": good, "of": count} for good, count in final.done],
            }
            for final in comparison.finals
        ],
        "claims": [{"id": name, "first": told(one), "second": told(other)} for name, one, other in comparison.claims],
        "figures": [str(path) for path in figure],
    }  # fmt: skip


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
