"""Which rows of files are in which set, as measures of each set tell it, beside what NumPy reads of the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from dlspec.interpreter.results.replicates import Replicate
from dlspec.spec.ir.data import Rows
from dlspec.spec.ir.plan import Program

from .data_files import CLASSES, GROUP, SETS, columns, parts
from .outcome import Wrong

STREAMS = ("train", "test", "validation")


def check_rows(program: Program, replicates: Sequence[Replicate]) -> None:
    """Raises Wrong where a set has other rows than the study says, or fewer of them."""
    for replicate in replicates:
        if isinstance(program.data, Rows) and replicate.status == "done":
            _check(program.data, replicate)


def _check(source: Rows, replicate: Replicate) -> None:
    """Sums over each set, of the measures that are there."""
    sizes = dict(zip(STREAMS, (source.train, source.test, source.validation), strict=True))
    number = next((file for file in source.files if not file.path.endswith((".npy", ".idx"))), None)
    if number is None:
        return
    seed, rows, _ = parts(Path(number.path).name)
    table = columns(seed, rows)
    kept = np.isfinite(table["gap"]) if source.complete else np.full(rows, True)
    sums = {
        (name, stream): np.asarray(replicate.curves[measure][-1]) * size
        for stream, size in sizes.items()
        for name in SETS
        if size and (measure := f"{stream}_{name}") in replicate.curves
    }
    whole = {name: sum(value for (of, _), value in sums.items() if of == name) for name, _ in sums}
    told = {name: sum(sizes[stream] for of, stream in sums if of == name) for name, _ in sums}
    chosen = table["set"] if source.chosen is not None else None
    if chosen is not None:
        for stream in ("train", "test"):
            _equal(stream, sums.get(("x0", stream)), table["number"][kept & (chosen == stream)].sum())
        return
    if "x0" in whole and told["x0"] == kept.sum():
        _equal("all sets", whole["x0"], table["number"][kept].sum())
    if source.order == "file":
        begin, numbers = 0, table["number"][kept]
        for stream, size in sizes.items():
            _equal(stream, sums.get(("x0", stream)), numbers[begin : begin + size].sum())
            begin += size
    for (name, stream), value in sums.items():
        counts = np.round(value)
        if name == "of_writer" and (np.abs(value - counts).max() > 1e-4 or set(counts) - {0.0, float(GROUP)}):
            raise Wrong(f"rows: '{stream}' has parts of groups: {value}")
        if name == "of_label" and stream == "train":
            share = np.bincount(table["label"][kept], minlength=CLASSES) / kept.sum()
            if np.abs(value - share * sizes[stream]).max() >= 1 + 1e-4:
                raise Wrong(f"rows: '{stream}' has {value} of the classes, whose shares are {share}")


def _equal(stream: str, found: np.ndarray | None, expected: float) -> None:
    if found is not None and abs(float(found) - expected) > 1e-4:
        raise Wrong(f"rows: the sum over '{stream}' is {float(found):.6g}, and NumPy's is {expected:.6g}")
