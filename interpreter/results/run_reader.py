"""A run's folder read back: its replicates with their curves, and its verdicts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dlspec.spec.ir.plan import ClaimPlan

from .errors import StoreError
from .replicates import BESIDE, Curve, Replicate, Results
from .run_list import RunRecord
from .verdicts import Decision, Evidence, Point, Verdict


def results(run: RunRecord) -> dict[str, Results]:
    """The replicates by experiment, a measure's array in its shape, [steps, …]. Raises StoreError."""
    path = run.folder / "curves.parquet"
    shapes: dict[int, dict[str, tuple[int, ...]]] = {}
    replicates: dict[tuple[str, str, str, int], Replicate] = {}
    for item in run.read("cells.json"):
        replicate = Replicate(
            item["experiment"], item["variant"], item["constants"], item["replicate"], item["digest"],
            item["status"], item["message"], item["seconds"], item["compiled"], item["rows"], key=item.get("key") or "",
        )  # fmt: skip
        place = (
            replicate.experiment,
            replicate.variant,
            json.dumps(dict(replicate.constants), sort_keys=True),
            replicate.number,
        )
        replicates[place] = replicate
        shapes[id(replicate)] = {name: np.shape(value) for name, value in item["final"].items()}
    try:
        with pq.ParquetFile(path) as held:
            for group in range(held.num_row_groups):
                _curves(held.read_row_group(group), replicates, shapes)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        hint = "The replicates are still in the store: run the study again."
        raise StoreError(f"{path}: cannot be read: {str(error).splitlines()[0]}", hint) from error
    found: dict[str, list[Replicate]] = {}
    for replicate in replicates.values():
        found.setdefault(replicate.experiment, []).append(replicate)
    return {
        name: Results(name, {}, 1 + max(replicate.number for replicate in group), group)
        for name, group in found.items()
    }


def _curves(
    table: pa.Table, replicates: dict[tuple[str, str, str, int], Replicate], shapes: dict[int, dict[str, tuple[int, ...]]]
) -> None:  # fmt: skip
    """A row group's curves, and what lies beside them: rows of one replicate and measure follow one another, step by step."""
    if not table.num_rows:
        return
    names = ("experiment", "variant", "constants", "replicate", "measure")
    coded = [table.column(name).combine_chunks().dictionary_encode() for name in names]
    codes = np.stack([column.indices.to_numpy() for column in coded])
    starts = np.flatnonzero(np.concatenate([[True], (codes[:, 1:] != codes[:, :-1]).any(axis=0)]))
    steps, values = table.column("step").to_numpy(), table.column("value").to_numpy()
    width = table.column("index").to_numpy()
    beside = {
        name: (table.column(name).is_valid().to_numpy(), table.column(name).to_numpy())
        for name in BESIDE
        if name in table.column_names  # runs of before have none
    }
    for start, end in zip(starts, [*starts[1:], len(values)], strict=True):
        experiment, variant, constants, number, measure = (
            column.dictionary[int(code)].as_py() for column, code in zip(coded, codes[:, start], strict=True)
        )
        replicate = replicates.get((experiment, variant, constants, number))
        if replicate is None:
            raise ValueError(f"{experiment}/{variant} replicate {number} is not in cells.json")
        entries = int(width[start:end].max()) + 1
        replicate.steps = steps[start:end:entries].tolist()
        shape = shapes[id(replicate)].get(measure, () if entries == 1 else (entries,))
        replicate.curves = {**replicate.curves, measure: Curve(values[start:end].reshape(-1, *shape))}
        for name, (there, numbers) in beside.items():
            if there[start:end].all():
                own = Curve(numbers[start:end].reshape(-1, *shape))
                replicate.beside[name] = {**replicate.beside[name], measure: own}


def verdicts(run: RunRecord) -> list[Verdict]:
    """The verdicts as they were."""
    as_judged = []
    for item in run.read("claims.json"):
        experiment, _, name = item["id"].partition(".")
        claim = ClaimPlan(experiment, name, item["says"], item["check"], None, family=item["family"] or "")
        decision = Decision(
            item["verdict"], item["reason"], item["strength"], item["chance"], _ends(item["interval"]),
            error=item["error"], needed=item["needed"],
        )  # fmt: skip
        conditions = [_evidence(part) for part in item.get("evidence") or ()]
        looks = tuple(item.get("looks") or ())
        as_judged.append(
            Verdict(
                claim,
                decision,
                item["value"],
                _ends(item["range"]),
                conditions,
                looks,
                item["meaning"],
                item["judged_on"],
            )
        )
    return as_judged


def _evidence(part: Mapping[str, Any]) -> Evidence:
    """What was seen of a condition; runs of before wrote less of it."""
    points = [Point(**_known(Point, point)) for point in part.get("points") or ()]
    return Evidence(**{**_known(Evidence, part), "points": points})


def _known(kind: type, item: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that a record has fields for."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in item.items() if name in names}


def _ends(pair: Sequence[float | None] | None) -> tuple[float, float] | None:
    """The ends of a range or an interval; what was not finite is written as null."""
    if pair is None:
        return None
    low, high = (np.nan if end is None else end for end in pair)
    return low, high
