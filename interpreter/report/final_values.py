"""The cells of an experiment as a table: each measure's mean over replicates, and the range that they span."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..results.array_entries import ENTRIES, shape_words
from ..results.cells import DONE, final_of
from ..results.number_text import number

MOST_ENTRIES = 5000
"""How many entries of a larger array measure are shown at most, over all programs of an experiment."""
FOLDED = 16
"""From how many rows on a table is folded."""
MOST_ROWS = 2000
"""How many rows of a table are shown at most."""

Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Spread:
    """What replicates gave: their mean, and the range that they span, or nothing where they agree."""

    mean: str
    range: str = ""

    @staticmethod
    def of(values: Sequence[float | None]) -> Spread:
        """The spread of what is there; `–` if nothing is finite."""
        seen = [value for value in values if value is not None]
        if not seen:
            return Spread("–")
        low, high = number(min(seen)), number(max(seen))
        return Spread(number(sum(seen) / len(seen)), f"{low} to {high}" if low != high else "")


@dataclass(frozen=True)
class Row:
    """A variant at a point of the sweep, with what its replicates gave."""

    name: str
    finals: Sequence[Spread]
    steps: str
    replicates: str
    digest: str


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
    """The cells of one experiment."""

    experiment: str
    cells: Sequence[Cell]

    @cached_property
    def measures(self) -> list[str]:
        """The columns: measures, and the entries of small arrays."""
        return list(dict.fromkeys(name for cell in self.cells for name in numbers(cell)))

    @cached_property
    def arrays(self) -> list[Large]:
        """Measures that are too large for columns, each with all its entries."""
        large = dict.fromkeys(
            name
            for cell in self.cells
            for name, value in cell["final"].items()
            if len(list(_flat(value, ()))) > ENTRIES
        )
        return [self._large(name) for name in large]

    def _large(self, measure: str) -> Large:
        found: list[Entry] = []
        ends: list[float] = []
        count = 0
        for group in self.programs:
            given = [dict(_flat(final_of(cell).get(measure), ())) for cell in group]
            for place in dict.fromkeys(place for own in given for place in own if place):
                values = [own.get(place) for own in given]
                ends = [
                    f(seen) for seen in [[*ends, *(v for v in values if v is not None)]] if seen for f in (min, max)
                ]
                count += 1
                if count <= MOST_ENTRIES:
                    found.append(Entry(label(group[0]), ", ".join(map(str, place)), Spread.of(values)))
        shapes = (_shape(cell["final"][measure]) for cell in self.cells if cell["final"].get(measure) is not None)
        return Large(measure, shape_words(shapes), " to ".join(map(number, ends)) or "–", found, count - len(found))

    @cached_property
    def programs(self) -> list[list[Cell]]:
        """The cells that differ in their replicate alone."""
        found: dict[tuple[str, str], list[Cell]] = {}
        for cell in self.cells:
            found.setdefault((cell["variant"], json.dumps(cell["constants"])), []).append(cell)
        return list(found.values())

    @cached_property
    def rows(self) -> list[Row]:
        """A row a program."""
        rows = []
        for group in self.programs[:MOST_ROWS]:
            given = [numbers(cell) for cell in group]
            good = sum(cell["status"] == DONE for cell in group)
            rows.append(
                Row(
                    label(group[0]), [Spread.of([own.get(name) for own in given]) for name in self.measures],
                    f"{max(cell['steps'] for cell in group):,}",
                    f"{good}" if good == len(group) else f"{good} of {len(group)}",
                    ", ".join(dict.fromkeys(cell["digest"] for cell in group)),
                )
            )  # fmt: skip
        return rows

    @property
    def folded(self) -> bool:
        """Whether the table is too long to be open."""
        return len(self.programs) > FOLDED

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return max(0, len(self.programs) - MOST_ROWS)

    @cached_property
    def replicates(self) -> list[Row]:
        """A row a cell, where there are not too many."""
        if len(self.cells) > MOST_ROWS:
            return []
        return [
            Row(
                label(cell), [Spread.of([numbers(cell).get(name)]) for name in self.measures],
                f"{cell['steps']:,}", str(cell["replicate"]), cell.get("key") or "–",
            )
            for cell in self.cells
        ]  # fmt: skip

    @cached_property
    def troubles(self) -> list[str]:
        """What is to be said of cells that did not end well."""
        return [
            f"{label(cell)}, replicate {cell['replicate']}: {cell['status']}"
            + (f": {cell['message']}" if cell["message"] else "")
            for cell in self.cells
            if cell["status"] != DONE
        ][:MOST_ROWS]


def finals(cells: Sequence[Cell]) -> list[Finals]:
    """The cells by experiment."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell["experiment"], []).append(cell)
    return [Finals(name, group) for name, group in found.items()]


def label(cell: Cell) -> str:
    """What tells a cell's program from the others: `deep, d = 10`."""
    parts = [cell["variant"]] if cell["variant"] else []
    parts += [f"{name} = {value}" for name, value in cell["constants"].items()]
    return ", ".join(parts) or str(cell["experiment"])


def numbers(cell: Cell) -> dict[str, float | None]:
    """A cell's finals, one number a name, all of them nothing where it is not done.

    Arrays of a few entries are taken apart, larger ones left out.
    """
    return {name: value for measure, final in final_of(cell).items() for name, value in _entries(measure, final)}


def _entries(name: str, value: Any) -> Iterator[tuple[str, float | None]]:
    if not isinstance(value, list):
        yield name, value
        return
    flat = list(_flat(value, ()))
    if len(flat) <= ENTRIES:
        yield from ((f"{name}[{', '.join(map(str, place))}]", item) for place, item in flat)


def _flat(value: Any, place: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], float | None]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flat(item, (*place, index))
    else:
        yield place, value


def _shape(value: Any) -> tuple[int, ...]:
    return (len(value), *(_shape(value[0]) if value else ())) if isinstance(value, list) else ()
