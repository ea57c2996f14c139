"""The folder of a run: everything that it gave, written whole or not at all."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dlspec.spec.identity import LANGUAGE, NUMERICS
from dlspec.spec.resolved import StudyPlan

from .claims import Verdict
from .results import Cell, Results

FORMAT_VERSION = 1


def claims_json(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Claims as data."""
    return [
        {
            "id": verdict.id, "says": verdict.claim.says, "check": verdict.claim.text, "verdict": verdict.verdict,
            "value": _number(verdict.value), "interval": [_number(v) for v in verdict.interval] if verdict.interval else None,
            "reason": verdict.reason,
        }
        for verdict in verdicts
    ]  # fmt: skip


def cells_json(results: Mapping[str, Results]) -> list[dict[str, Any]]:
    """Cells with their finals as data; a number that is not finite is null."""
    return [
        {
            "experiment": cell.experiment, "variant": cell.variant, "constants": dict(cell.constants), "replicate": cell.replicate,
            "digest": cell.digest, "status": cell.status, "message": cell.message, "compiled": cell.compiled,
            "steps": cell.steps[-1] if cell.steps else 0, "seconds": round(cell.seconds, 3),
            "final": {name: _finite(value) for name, value in cell.final().items()},
        }
        for found in results.values()
        for cell in found.cells
    ]  # fmt: skip


def summary(plan: StudyPlan, run: str, results: Mapping[str, Results], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """What `dlspec run --json` prints."""
    return {
        "format_version": FORMAT_VERSION, "study": plan.name, "profile": plan.profile or None, "run": run,
        "cells": cells_json(results), "claims": claims_json(verdicts),
    }  # fmt: skip


def provenance(device: str) -> dict[str, Any]:
    """Versions and device: what the numbers may depend on beside the spec."""
    packages = ("dlspec", "tensorflow", "keras", "numpy")
    return {
        "packages": {name: version(name) for name in packages}, "python": platform.python_version(),
        "platform": platform.platform(), "processor": platform.machine(), "device": device,
        "language": LANGUAGE, "numerics": NUMERICS,
    }  # fmt: skip


class Run:
    """A run's folder under `runs/`, built beside its place and moved there when it is whole."""

    def __init__(self, root: Path, plan: StudyPlan) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        name = plan.name + (f"-{plan.profile}" if plan.profile else "")
        root.mkdir(parents=True, exist_ok=True)
        self.place = root / f"{name}-{stamp}"
        count = 1
        while self.place.exists():
            count += 1
            self.place = root / f"{name}-{stamp}-{count}"
        self.draft = Path(tempfile.mkdtemp(prefix=f".{self.place.name}-", dir=root))

    def write_claims(self, verdicts: Sequence[Verdict]) -> None:
        """The verdicts, into the draft."""
        self._json("claims.json", claims_json(verdicts))

    def write_results(
        self, plan: StudyPlan, results: Mapping[str, Results], device: str, command: Sequence[str]
    ) -> None:
        """What was trained and how, into the draft."""
        cells = [cell for found in results.values() for cell in found.cells]
        pq.write_table(curves_table(cells), self.draft / "curves.parquet")
        (self.draft / "spec.yaml").write_text(plan.text, "utf-8")
        self._json("cells.json", cells_json(results))
        about = {
            "format_version": FORMAT_VERSION,
            "study": plan.name,
            "profile": plan.profile,
            "command": list(command),
        }
        self._json(
            "run.json", {**about, "finished": datetime.now(UTC).isoformat(timespec="seconds"), **provenance(device)}
        )
        samples = {
            f"{cell.experiment}/{cell.variant}/{_point(cell)}/{cell.replicate}/{figure}/{step}/{name}": value
            for cell in cells
            for figure, by_step in cell.samples.items()
            for step, values in by_step.items()
            for name, value in values.items()
        }
        if samples:
            np.savez_compressed(self.draft / "samples.npz", allow_pickle=False, **samples)

    def _json(self, name: str, value: Any) -> None:
        (self.draft / name).write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", "utf-8")

    def commit(self) -> Path:
        """Moves the draft to its place: from now on it is a run."""
        os.chmod(self.draft, 0o755)
        os.replace(self.draft, self.place)
        return self.place

    def discard(self) -> None:
        """Removes the draft."""
        shutil.rmtree(self.draft, ignore_errors=True)


def curves_table(cells: Sequence[Cell]) -> pa.Table:
    """All curves, one row a number: the cell, the measure, its index, the step, the value."""
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("experiment", "variant", "constants", "replicate", "digest", "measure", "index", "step", "value")
    }
    for cell in cells:
        for name, values in cell.curves.items():
            for step, value in zip(cell.steps, values, strict=False):
                flat = np.ravel(value)
                for index, number in enumerate(flat):
                    row = (
                        cell.experiment, cell.variant, _point(cell), cell.replicate, cell.digest, name, index, step, float(number),
                    )  # fmt: skip
                    for column, item in zip(columns.values(), row, strict=True):
                        column.append(item)
    kinds = [
        pa.string(),
        pa.string(),
        pa.string(),
        pa.int32(),
        pa.string(),
        pa.string(),
        pa.int32(),
        pa.int64(),
        pa.float64(),
    ]
    return pa.table(
        [pa.array(values, kind) for values, kind in zip(columns.values(), kinds, strict=True)], names=list(columns)
    )


def _point(cell: Cell) -> str:
    return json.dumps(dict(cell.constants), sort_keys=True)


def _number(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def _finite(value: Any) -> Any:
    return [_finite(item) for item in value] if isinstance(value, list) else _number(value)
