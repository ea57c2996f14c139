"""What the head of a large file says of its columns, without their values: enough to check a study, and too little to run one.

A column is read after all where the check hangs on its values: whole numbers of a file that keeps no statistics, rows that may lack
a value, and columns that say who trains. Nothing is hashed: only a run needs checksums.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from .columns import KINDS, Column, described
from .heads_alone import present_heads
from .image_folder import state
from .values import Facts, WholeColumns

LARGE = 2**26
"""Files of more bytes are described by their heads where no values are needed, and columns of fewer are read for their bounds."""


def by_head(path: Path) -> bool:
    """Whether a file is to be described by its head."""
    if present_heads() is None:
        return False
    size = sum(size for _, size, _ in state(path)[0]) if path.is_dir() else path.stat().st_size
    return size > LARGE


class HeadColumns(Mapping[str, Column]):
    """The columns of a file by name, each described when it is asked for."""

    def __init__(self, opened: WholeColumns, facts: Mapping[str, Facts], mark: str) -> None:
        """`mark` stands for the checksums: it changes when the file does."""
        self.opened = opened
        self.facts = facts
        self.mark = mark
        self._columns: dict[str, Column] = {}

    def __getitem__(self, name: str) -> Column:
        facts = self.facts[name]
        if name not in self._columns:
            self._columns[name] = self._of_head(name, facts)
        column = self._columns[name]
        heads = present_heads()
        if heads is not None and column.kind == "int" and facts.low is None and _bytes(facts) > LARGE:
            heads.loose = True
        return column

    def __iter__(self) -> Iterator[str]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)

    def read(self, name: str) -> Column:
        """A column as its values make it, without a checksum of them."""
        column = described(name, self.opened.stretches(name), hashed=False)
        self._columns[name] = replace(column, checksum=self._mark(name))
        return self._columns[name]

    def _of_head(self, name: str, facts: Facts) -> Column:
        sample = facts.sample
        if facts.gaps and not sample.problem:
            return self.read(name)
        kind = KINDS[sample.values.dtype.kind]
        low, high = facts.low, facts.high
        if kind == "int" and low is None and not sample.problem:
            if _bytes(facts) <= LARGE:
                return self.read(name)
            limits = np.iinfo(sample.values.dtype)
            low, high = int(limits.min), int(limits.max)
        shape = sample.values.shape[1:]
        if sample.problem:
            return Column(name, "text", (), facts.rows, sample.stored, problem=sample.problem)
        return Column(name, kind, shape, facts.rows, sample.stored, low, high, checksum=self._mark(name))

    def _mark(self, name: str) -> str:
        return f"{self.mark} {name}"


def _bytes(facts: Facts) -> int:
    values = facts.sample.values
    return int(facts.rows * values.dtype.itemsize * np.prod(values.shape[1:], dtype=np.int64))
