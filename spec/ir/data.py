"""Data sources: where the examples of a program come from, one class for each source.

What a training step reads of a source is its reader's (`interpreter/program/data_readers.py`), one for each class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .terms import Term


@dataclass(frozen=True)
class Digits:
    """A sample whose values are all taken: which of them an example has is in the digits of the example's number.

    Args:
        path: the sample's place in the seed tree.
        count: how many values each of its entries has.
        stride: how many combinations there are of the samples before it.
        values: which values are taken, where some have no probability; all of them from 0 on (or -1 and 1) if none are named.
        odds: the probabilities of all values by their mean one, those of each entry where they differ; none where all are alike.
    """

    path: tuple[str, ...]
    count: int = 2
    stride: int = 1
    values: tuple[int, ...] = ()
    odds: tuple[float, ...] = ()


@dataclass(frozen=True)
class DataSource(ABC):
    """A source of examples. `test` is the size of the test set, over which measures are taken, `validation` that of another one.

    `kind` names the class in digests and among the readers. Two sources are equal where they give the same examples.
    """

    kind: ClassVar[str]
    tabled: ClassVar[bool] = False
    """Whether examples are rows of a table, which each replicate divides into training and test examples: there are no others."""
    all_tested: ClassVar[bool] = False
    """Whether what does not train is all that is tested: a mean over it has no sampling error."""
    exact: ClassVar[bool] = False
    """Whether the examples are all there are: an expectation over them is exact, and the batch is all of them."""

    test: int
    validation: int = field(default=0, kw_only=True)
    otherwise: tuple[tuple[str, ...], ...] = field(default=(), kw_only=True)
    """The samples, by their places in the seed tree, that training makes the other way: anew at each visit of a finite set whose draws
    are made once, or once for each row of files beside which they are made anew."""
    density: Term | None = field(default=None, compare=False, repr=False, kw_only=True)
    """What an example weighs, where not all weigh the same: its probability by the mean one of all of them."""

    @property
    def train(self) -> int:
        """How many training examples there are; 0 where each is new."""
        return 0

    @property
    def enumerated(self) -> tuple[Digits, ...]:
        """The samples whose values are all taken; none where none are."""
        return ()

    @property
    def batch(self) -> int | None:
        """The batch that the source sets; None where training chooses it."""
        return self.train if self.exact else None

    @property
    def split_at_random(self) -> bool:
        """Whether which examples of a file train is drawn, replicate by replicate."""
        return False

    def evaluated(self, stream: str) -> int:
        """Over how many examples of a stream measures are taken: all of a finite set; other test streams have as many as `test`."""
        if stream == "validation" and self.validation:
            return self.validation
        return self.train if stream == "train" and self.train else self.test

    def first_row(self, stream: str) -> int:
        """Where the examples of a stream begin among the rows of a replicate, if they are rows of a table."""
        return {"test": self.train, "validation": self.train + self.test}.get(stream, 0)

    @abstractmethod
    def identity(self) -> list[Any]:
        """What digests take of the training examples, besides the terms that make them."""

    def _visits(self) -> list[Any]:
        return [[list(path) for path in self.otherwise]] if self.otherwise else []


@dataclass(frozen=True)
class Fresh(DataSource):
    """New examples at every step."""

    kind = "fresh"

    def identity(self) -> list[Any]:
        """Nothing: a program without data of its own has these."""
        return []


@dataclass(frozen=True)
class Finite(DataSource):
    """A finite training set of `size` examples: shuffled each epoch, or drawn `with_replacement`, as `order` says."""

    kind = "finite"

    size: int
    order: str = "shuffle"

    @property
    def train(self) -> int:
        """How many training examples there are."""
        return self.size

    def identity(self) -> list[Any]:
        """The size and the order."""
        return [[self.kind, self.size, self.order, [], *self._visits()]]


@dataclass(frozen=True)
class Enumerated(DataSource):
    """Every value of a binary draw once, to train on and to test on; `path` is the sample's place in the seed tree.

    Of other draws, or of several, every combination: `digits` are theirs.
    """

    kind = "enumerated"
    exact = True

    path: tuple[str, ...] = ()
    digits: tuple[Digits, ...] = ()

    @property
    def train(self) -> int:
        """How many values there are."""
        return self.test

    @property
    def enumerated(self) -> tuple[Digits, ...]:
        """The samples."""
        return self.digits or (Digits(self.path),)

    def identity(self) -> list[Any]:
        """How many values there are, and of which samples."""
        return [[self.kind, self.train, "shuffle", [_meant(self.digits)] if self.digits else list(self.path)]]


def _meant(digits: tuple[Digits, ...]) -> list[Any]:
    return [[list(one.path), one.count, *([list(one.values)] if one.values else [])] for one in digits]


@dataclass(frozen=True)
class Combinations(DataSource):
    """Every combination of the values of some draws once: `size` of them train, in each replicate others, and the rest are tested."""

    kind = "combinations"
    tabled = True
    all_tested = True

    size: int
    digits: tuple[Digits, ...]
    order: str = "shuffle"

    @property
    def train(self) -> int:
        """How many training examples there are."""
        return self.size

    @property
    def enumerated(self) -> tuple[Digits, ...]:
        """The samples."""
        return self.digits

    @property
    def split_at_random(self) -> bool:
        """Whether the split is drawn."""
        return True

    def identity(self) -> list[Any]:
        """How many there are, how many of them train, and of which samples."""
        return [[self.kind, self.size, self.order, [self.test, _meant(self.digits)]]]


@dataclass(frozen=True)
class NamedFile:
    """A data file under its name in a study; `checksum` is of all of its values."""

    name: str
    path: str
    header: bool
    checksum: str
    survey: Any = field(compare=False, repr=False)
    """What it holds (`data_files.survey`)."""


@dataclass(frozen=True)
class FileColumn:
    """A column of one of the files that says which rows go where, with the checksum of its values."""

    file: str
    column: str
    checksum: str


@dataclass(frozen=True)
class Rows(DataSource):
    """The rows of data files, which all have as many: `size` of them train, then `test` and `validation` of them measure, in each replicate others.

    Args:
        rows: how many rows there are, before those are left out that lack a value in one of the columns `complete`.
        order: `shuffle`, `with_replacement`, or `file`: split and taken as they stand.
        chosen: the column that says which rows train; None where they are drawn.
        strata: the column each of whose values is as frequent in both sets; `groups` that whose rows of one value stay together.
    """

    kind = "files"
    tabled = True

    size: int
    rows: int
    order: str = "shuffle"
    files: tuple[NamedFile, ...] = ()
    chosen: FileColumn | None = None
    strata: FileColumn | None = None
    groups: FileColumn | None = None
    complete: tuple[FileColumn, ...] = ()

    @property
    def train(self) -> int:
        """How many training examples there are."""
        return self.size

    @property
    def split_at_random(self) -> bool:
        """Whether the split is drawn."""
        return self.order != "file" and self.chosen is None

    def file(self, name: str) -> NamedFile:
        """One of the files."""
        return next(file for file in self.files if file.name == name)

    def identity(self) -> list[Any]:
        """How many rows there are, how many train and measure, and the columns that say which, by their values."""
        columns = [column and column.checksum for column in (self.chosen, self.strata, self.groups)]
        complete = sorted(column.checksum for column in self.complete)
        return [[self.kind, self.size, self.order, [self.rows, self.test, columns, complete], *self._visits()]]
