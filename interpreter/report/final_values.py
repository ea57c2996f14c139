"""The replicates of an experiment as a table: each measure's mean over replicates, and the range that they span."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..results.array_entries import MAX_ENTRIES, entry_name, shape_words
from ..results.number_text import mean_of, number
from ..results.replicates import DONE, final_of

MOST_ENTRIES = 5000
"""How many entries of a larger array measure are shown at most, over all programs of an experiment."""
MAX_UNFOLDED_ROWS = 16
"""From how many rows on a table is folded."""
MOST_ROWS = 2000
"""How many rows of a table are shown at most."""

Replicate = Mapping[str, Any]


@dataclass(frozen=True)
class Spread:
    """What replicates gave: their mean, and the range that they span, or nothing where they agree."""

    mean: str
    range: str = ""
    exact: float | None = field(default=None, compare=False)
    """The mean as it is, where there is one."""

    @staticmethod
    def of(values: Sequence[float | None]) -> Spread:
        """The spread of the values of replicates that are done; `–` and how many are undefined, where some are."""
        seen = [value for value in values if value is not None]
        if len(seen) < len(values):
            return Spread("–", f"{len(values) - len(seen)} of {len(values)} undefined" if len(values) > 1 else "")
        if not seen:
            return Spread("–")
        low, high = number(min(seen)), number(max(seen))
        mean = mean_of(seen)
        return Spread(number(mean), f"{low} … {high}" if low != high else "", mean)


@dataclass(frozen=True)
class Row:
    """A variant at a point of the sweep, with what its replicates gave."""

    name: str
    finals: Sequence[Spread]
    steps: str
    replicates: str
    digest: str
    anchor: str = ""


@dataclass(frozen=True)
class Entry:
    """An entry of an array measure of a program: where it lies, and what its replicates gave."""

    name: str
    place: str
    final: Spread


@dataclass(frozen=True)
class Large:
    """An array measure that is too large for columns: its shape, what all its entries span, and the entries.

    `more` is how many entries are not shown.
    """

    name: str
    shape: str
    span: str
    entries: Sequence[Entry]
    more: int


@dataclass(frozen=True)
class Finals:
    """The replicates of one experiment."""

    experiment: str
    replicates: Sequence[Replicate]

    @cached_property
    def measures(self) -> list[str]:
        """The columns: measures, and the entries of arrays that are small in all cells."""
        return list(dict.fromkeys(name for replicate in self.replicates for name in self._numbers(replicate)))

    def _numbers(self, replicate: Replicate) -> dict[str, float | None]:
        return numbers(replicate, self._large_names)

    @cached_property
    def arrays(self) -> list[Large]:
        """Measures that are too large for columns in a cell, each with all its entries."""
        return [self._large(name) for name in self._large_names]

    @cached_property
    def _large_names(self) -> Collection[str]:
        return dict.fromkeys(
            name
            for replicate in self.replicates
            for name, value in replicate["final"].items()
            if len(list(_flat(value, ()))) > MAX_ENTRIES
        )

    def _large(self, measure: str) -> Large:
        found: list[Entry] = []
        ends: list[float] = []
        count = 0
        for group in self.programs:
            given = [dict(_flat(final_of(replicate).get(measure), ())) for replicate in group]
            done = [own for own, replicate in zip(given, group, strict=True) if replicate["status"] == DONE]
            for place in dict.fromkeys(place for own in given for place in own if place):
                values = [own[place] for own in done if place in own]
                ends = [
                    f(seen) for seen in [[*ends, *(v for v in values if v is not None)]] if seen for f in (min, max)
                ]
                count += 1
                if count <= MOST_ENTRIES:
                    found.append(Entry(label(group[0]), ", ".join(map(str, place)), Spread.of(values)))
        shapes = (
            _shape(replicate["final"][measure])
            for replicate in self.replicates
            if replicate["final"].get(measure) is not None
        )
        return Large(measure, shape_words(shapes), " to ".join(map(number, ends)) or "–", found, count - len(found))

    @cached_property
    def programs(self) -> list[list[Replicate]]:
        """The replicates of each cell."""
        found: dict[tuple[str, str], list[Replicate]] = {}
        for replicate in self.replicates:
            found.setdefault((replicate["variant"], json.dumps(replicate["constants"])), []).append(replicate)
        return list(found.values())

    @cached_property
    def rows(self) -> list[Row]:
        """A row a program."""
        rows = []
        for anchor, group in zip(self.anchors, self.programs[:MOST_ROWS], strict=False):
            done = [self._numbers(replicate) for replicate in group if replicate["status"] == DONE]
            good = len(done)
            rows.append(
                Row(
                    label(group[0]), [Spread.of([own[name] for own in done if name in own]) for name in self.measures],
                    f"{max(replicate['steps'] for replicate in group):,}",
                    f"{good}" if good == len(group) else f"{good} of {len(group)}",
                    ", ".join(dict.fromkeys(replicate["digest"] for replicate in group)), anchor,
                )
            )  # fmt: skip
        return rows

    @property
    def folded(self) -> bool:
        """Whether the table is too long to be open."""
        return len(self.programs) > MAX_UNFOLDED_ROWS

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return max(0, len(self.programs) - MOST_ROWS)

    @cached_property
    def each(self) -> list[Row]:
        """A row a replicate, where there are not too many."""
        if len(self.replicates) > MOST_ROWS:
            return []
        return [
            Row(
                label(replicate), [Spread.of([self._numbers(replicate).get(name)]) for name in self.measures],
                f"{replicate['steps']:,}", str(replicate["replicate"]), replicate.get("key") or "–",
            )
            for replicate in self.replicates
        ]  # fmt: skip

    @cached_property
    def anchors(self) -> list[str]:
        """Where each cell stands on the page: by its digest, and by its number where another has the same."""
        taken: dict[str, int] = {}
        names = []
        for group in self.programs:
            name = f"cell-{self.experiment}-{group[0]['digest']}"
            taken[name] = taken.get(name, 0) + 1
            names.append(name if taken[name] == 1 else f"{name}-{taken[name]}")
        return names


def finals(replicates: Sequence[Replicate]) -> list[Finals]:
    """The replicates by experiment."""
    found: dict[str, list[Replicate]] = {}
    for replicate in replicates:
        found.setdefault(replicate["experiment"], []).append(replicate)
    return [Finals(name, group) for name, group in found.items()]


def label(replicate: Replicate) -> str:
    """What tells a replicate's program from the others: `deep, d = 10`."""
    parts = [replicate["variant"]] if replicate["variant"] else []
    parts += [f"{name} = {value}" for name, value in replicate["constants"].items()]
    return ", ".join(parts) or str(replicate["experiment"])


def numbers(replicate: Replicate, without: Collection[str] = ()) -> dict[str, float | None]:
    """A replicate's finals but for some, one number a name, arrays taken apart; all of them nothing where it is not done."""
    return {
        entry_name(measure, place): value
        for measure, final in final_of(replicate).items()
        if measure not in without
        for place, value in _flat(final, ())
    }


def _flat(value: Any, place: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], float | None]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flat(item, (*place, index))
    else:
        yield place, value


def _shape(value: Any) -> tuple[int, ...]:
    return (len(value), *(_shape(value[0]) if value else ())) if isinstance(value, list) else ()
