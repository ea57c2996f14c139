"""Data sources: where the examples of a program come from, one class for each source.

What a training step reads of a source is its reader's (`interpreter/program/data_readers.py`), one for each class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class DataSource(ABC):
    """A source of examples. `test` is the size of the test set, over which measures are taken.

    `kind` names the class in digests and among the readers. Two sources are equal where they give the same examples.
    """

    kind: ClassVar[str]
    exact: ClassVar[bool] = False
    """Whether the examples are all there are: an expectation over them is exact, and the batch is all of them."""

    test: int

    @property
    def train(self) -> int:
        """How many training examples there are; 0 where each is new."""
        return 0

    @property
    def enumerated(self) -> tuple[str, ...]:
        """The place in the seed tree of the sample whose values are taken in turn; empty where there is none."""
        return ()

    @property
    def batch(self) -> int | None:
        """The batch that the source sets; None where training chooses it."""
        return self.train if self.exact else None

    def evaluated(self, stream: str) -> int:
        """Over how many examples of a stream, `test` or `train`, measures are taken: all of a finite set."""
        return self.train if stream == "train" and self.train else self.test

    @abstractmethod
    def identity(self) -> list[Any]:
        """What digests take of the training examples, besides the terms that make them."""


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
        return [[self.kind, self.size, self.order, []]]


@dataclass(frozen=True)
class Enumerated(DataSource):
    """Every value of a binary draw once, to train on and to test on; `path` is the sample's place in the seed tree."""

    kind = "enumerated"
    exact = True

    path: tuple[str, ...]

    @property
    def train(self) -> int:
        """How many values there are."""
        return self.test

    @property
    def enumerated(self) -> tuple[str, ...]:
        """The place of the sample in the seed tree."""
        return self.path

    def identity(self) -> list[Any]:
        """How many values there are, and of which sample."""
        return [[self.kind, self.train, "shuffle", list(self.path)]]
