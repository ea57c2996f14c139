"""A run's folder read back: its cells with their curves, and its verdicts."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dlspec.spec.ir.plan import ClaimPlan

from .cells import Cell, Curve, Results
from .errors import StoreError
from .run_list import Kept
from .verdicts import Verdict


def results(run: Kept) -> dict[str, Results]:
    """The cells by experiment, a measure's array in its shape, [steps, …]. Raises StoreError."""
    path = run.folder / "curves.parquet"
    shapes: dict[int, dict[str, tuple[int, ...]]] = {}
    cells: dict[tuple[str, str, str, int], Cell] = {}
    for item in run.read("cells.json"):
        cell = Cell(
            item["experiment"], item["variant"], item["constants"], item["replicate"], item["digest"],
            item["status"], item["message"], item["seconds"], item["compiled"],
        )  # fmt: skip
        place = (cell.experiment, cell.variant, json.dumps(dict(cell.constants), sort_keys=True), cell.replicate)
        cells[place] = cell
        shapes[id(cell)] = {name: np.shape(value) for name, value in item["final"].items()}
    try:
        with pq.ParquetFile(path) as held:
            for group in range(held.num_row_groups):
                _curves(held.read_row_group(group), cells, shapes)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        hint = "The cells lie in the store still: run the study again."
        raise StoreError(f"{path}: cannot be read: {str(error).splitlines()[0]}", hint) from error
    found: dict[str, list[Cell]] = {}
    for cell in cells.values():
        found.setdefault(cell.experiment, []).append(cell)
    return {name: Results(name, {}, 1 + max(cell.replicate for cell in group), group) for name, group in found.items()}


def _curves(
    table: pa.Table, cells: dict[tuple[str, str, str, int], Cell], shapes: dict[int, dict[str, tuple[int, ...]]]
) -> None:  # fmt: skip
    """A row group's curves: rows of one cell and measure follow one another, step by step."""
    if not table.num_rows:
        return
    names = ("experiment", "variant", "constants", "replicate", "measure")
    coded = [table.column(name).combine_chunks().dictionary_encode() for name in names]
    codes = np.stack([column.indices.to_numpy() for column in coded])
    starts = np.flatnonzero(np.concatenate([[True], (codes[:, 1:] != codes[:, :-1]).any(axis=0)]))
    steps, values = table.column("step").to_numpy(), table.column("value").to_numpy()
    width = table.column("index").to_numpy()
    for start, end in zip(starts, [*starts[1:], len(values)], strict=True):
        experiment, variant, constants, replicate, measure = (
            column.dictionary[int(code)].as_py() for column, code in zip(coded, codes[:, start], strict=True)
        )
        cell = cells.get((experiment, variant, constants, replicate))
        if cell is None:
            raise ValueError(f"{experiment}/{variant} replicate {replicate} is not in cells.json")
        entries = int(width[start:end].max()) + 1
        cell.steps = steps[start:end:entries].tolist()
        shape = shapes[id(cell)].get(measure, () if entries == 1 else (entries,))
        cell.curves = {**cell.curves, measure: Curve(values[start:end].reshape(-1, *shape))}


def verdicts(run: Kept) -> list[Verdict]:
    """The verdicts as they were."""
    found = []
    for item in run.read("claims.json"):
        experiment, _, name = item["id"].partition(".")
        claim = ClaimPlan(experiment, name, item["says"], item["check"], None, "")
        interval = item["interval"]
        low, high = (np.nan if v is None else v for v in interval) if interval else (0.0, 0.0)
        found.append(Verdict(claim, item["verdict"], item["value"], (low, high) if interval else None, item["reason"]))
    return found
