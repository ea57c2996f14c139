"""The arrays of stored replicates, read from their files on first use, so that a stored replicate needs little memory until then."""

from __future__ import annotations

import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from ..results.errors import Damaged
from ..results.replicates import Array, Curve

if TYPE_CHECKING:
    from .requests import CellRequest

CACHE_BYTES = 64 << 20
"""How many bytes of curves are kept that were read, for whoever asks next; of what comes after only the file that was read last."""
ROUNDING = 1e-14
"""By how much of their size sums of many rounded quotients are off."""
OVERHEAD_BYTES = 1000
"""What a replicate's curves take beside their numbers, in bytes."""

Curves = Mapping[str, Mapping[str, Array]]
"""The curves of a result file, or their sampling errors: replicate's key → measure's digest → [steps, …]."""


class Stored(NamedTuple):
    """The numbers of a result file: of each column that holds some, those of the measures that have them."""

    values: Curves
    beside: Mapping[str, Curves]


class Numbers:
    """Reads curves and samples; from several threads. Each file's checksum is compared whenever it is read from its beginning.

    `read` gives the numbers of a result file by its name, `checked` looks at a file of samples, both raise Damaged; `lost` is
    then told, and raises what the user is to know.
    """

    def __init__(
        self,
        read: Callable[[str], Stored],
        checked: Callable[[Path], object],
        lost: Callable[[Damaged], NoReturn],
    ) -> None:
        self.read = read
        self.checked = checked
        self.lost = lost
        self.lock = threading.Lock()
        self.kept: dict[str, Stored] = {}
        self.latest: tuple[str, Stored] | None = None
        """The last file beyond those that are kept: the replicates of a file are asked for one after another."""
        self.archive: tuple[Path, Any] | None = None
        """The file of samples that was read last, open."""
        self.room = CACHE_BYTES

    def curves(self, file: str, key: str) -> Mapping[str, Array]:
        """The curves of a replicate, by the digests of its measures."""
        return self._read(file).values[key]

    def beside(self, column: str, file: str, key: str) -> Mapping[str, Array]:
        """What a column holds beside those of a replicate's curves that have it, by the digests of the measures."""
        return self._read(file).beside[column][key]

    def _read(self, file: str) -> Stored:
        with self.lock:
            if (kept := self.kept.get(file)) is not None:
                return kept
            if self.latest is not None and self.latest[0] == file:
                return self.latest[1]
            self.latest = None
            try:
                parts = self.read(file)
            except Damaged as damaged:
                self.lost(damaged)
            columns = (parts.values, *parts.beside.values())
            size = sum(
                OVERHEAD_BYTES + sum(x.nbytes for x in own.values()) for part in columns for own in part.values()
            )
            if size <= self.room:
                self.kept[file] = parts
                self.room -= size
            else:
                self.latest = file, parts
            return parts

    def samples(self, path: Path, entries: Sequence[str]) -> list[Array]:
        """Entries of a file of samples."""
        with self.lock:
            try:
                archive = self._archive(path)
                return [archive[name] for name in entries]
            except Damaged as damaged:
                self.lost(damaged)
            except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
                self.lost(Damaged(path, getattr(error, "strerror", None) or str(error)))

    def _archive(self, path: Path) -> Any:
        """A file of samples, open; it stays so until another is asked for, as its replicates are asked for one after another."""
        if self.archive is None or self.archive[0] != path:
            self.close()
            self.checked(path)
            self.archive = path, np.load(path, allow_pickle=False)
        return self.archive[1]

    def close(self) -> None:
        """Closes what is open; it is opened again when it is asked for."""
        if self.archive is not None:
            self.archive[1].close()
            self.archive = None


class StoredCurves(Mapping[str, Curve]):
    """A stored replicate's curves: measure → [steps, …]; `measures` are digests by name, `places` those of the wanted steps.

    Without `places` all steps are wanted. `read` gives the curves of a file's replicate: those of the measures, or what lies beside them.
    `counted` are the measures that are a whole number by a number of examples.
    """

    __slots__ = ("counted", "file", "key", "measures", "places", "read")

    def __init__(
        self,
        read: Callable[[str, str], Mapping[str, Array]],
        file: str,
        key: str,
        measures: Mapping[str, str],
        places: Sequence[int] | None,
        counted: Mapping[str, int] | None = None,
    ) -> None:
        self.counted = counted or {}
        self.read = read
        self.file = file
        self.key = key
        self.measures = measures
        self.places = places

    def __getitem__(self, measure: str) -> Curve:
        item = self.measures[measure]
        values = self.read(self.file, self.key)[item]
        values = values if self.places is None else values[list(self.places)]
        return Curve(quotients(values, self.counted[measure]) if measure in self.counted else values)

    def __iter__(self) -> Iterator[str]:
        return iter(self.measures)

    def __len__(self) -> int:
        return len(self.measures)


def quotients(values: Array, count: int) -> Array:
    """Whole numbers by a number of examples, as one division gives them.

    Versions before multiplied by a reciprocal, and a rate of 1 over 49 examples was 0.9999999999999999. What is no such number stays.

    >>> quotients(np.asarray([49 * (1 / 49), 0.5]), 49).tolist()
    [1.0, 0.5]
    """
    with np.errstate(invalid="ignore"):
        nearest = np.rint(values * count) / count
        return np.where(np.abs(nearest - values) <= ROUNDING * np.abs(values), nearest, values)


class StoredSamples(Mapping[str, dict[int, dict[str, Array]]]):
    """A stored replicate's samples: figure → step → label → [examples, …]; `about` is what its result file says of it."""

    def __init__(
        self, numbers: Numbers, path: Path, number: int, wanted: CellRequest, about: Mapping[str, Any]
    ) -> None:
        self.numbers = numbers
        self.path = path
        self.number = number
        self.labels = wanted.samples
        held = about["samples"]
        self.steps = {
            figure: [
                step
                for step in sorted(wanted.shown(figure, about))
                if all(step in held.get(item, ()) for item in labels.values())
            ]
            for figure, labels in wanted.samples.items()
        }

    def __getitem__(self, figure: str) -> dict[int, dict[str, Array]]:
        if not self.steps[figure]:
            raise KeyError(figure)
        labels = self.labels[figure]
        names = [entry(self.number, item, step) for step in self.steps[figure] for item in labels.values()]
        values = iter(self.numbers.samples(self.path, names))
        return {step: {label: next(values) for label in labels} for step in self.steps[figure]}

    def __iter__(self) -> Iterator[str]:
        return (figure for figure, steps in self.steps.items() if steps)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def entry(number: int, item: str, step: int) -> str:
    """What an array in a file of samples is called: of a replicate, a sample's digest, at a step."""
    return f"{number}/{item}/{step}"
