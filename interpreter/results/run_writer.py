"""The folder of a run: everything that it gave, written whole or not at all."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dlspec.spec.ir.data import Rows
from dlspec.spec.ir.plan import StudyPlan
from dlspec.spec.passes.digests import LANGUAGE, NUMERICS
from dlspec.spec.passes.registration import registered

from ..backend.startup import accelerator
from ..backend.versions import versions
from .atomic_files import draft_folder, sync
from .errors import StoreError
from .folder_names import TENSORBOARD
from .git_revision import revision
from .made_by import stored_by
from .npz import write_npz
from .optional_outputs import Aside
from .precision_text import precisions
from .replicates import BESIDE, Replicate, Results, signs
from .table_columns import beside_column, counted

if TYPE_CHECKING:
    from .verdicts import Verdict

FORMAT_VERSION = 2


def claims_json(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Claims as data: `range` is the least and largest value over replicates, `interval` is one of 95 % for what was judged."""
    return [
        {
            "id": verdict.id, "says": verdict.claim.says, "check": verdict.claim.text, "judge": str(verdict.claim.judge),
            "family": verdict.claim.family or None, **_plain(asdict(verdict.decision)),
            "value": _number(verdict.value), "range": _plain(verdict.range),
            "evidence": [_plain(asdict(part)) for part in verdict.evidence], "looks": list(verdict.looks),
            "meaning": verdict.meaning, "judged_on": verdict.judged_on,
        }
        for verdict in verdicts
    ]  # fmt: skip


def _plain(value: Any) -> Any:
    """Data with null for what is not finite."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def cells_json(results: Mapping[str, Results]) -> list[dict[str, Any]]:
    """Replicates with their finals as data; a number that is not finite is null, and so is all that is not done.

    `infinite` holds the signs of what is infinite, of measures that have such.
    """
    return [
        {
            "experiment": replicate.experiment, "variant": replicate.variant, "constants": dict(replicate.constants), "replicate": replicate.number,
            "digest": replicate.digest, "key": replicate.key, "stored": replicate.stored, "status": replicate.status, "message": replicate.message,
            "compiled": replicate.compiled, "rows": replicate.rows,
            "steps": replicate.steps[-1] if replicate.steps else 0, "seconds": round(replicate.seconds, 3),
            "final": {name: _finite(value) for name, value in replicate.final().items()},
            "infinite": {name: sign for name, value in replicate.final().items() if np.any(sign := signs(value))},
        }
        for found in results.values()
        for replicate in found.replicates
    ]  # fmt: skip


def summary(
    plan: StudyPlan, run: str | None, results: Mapping[str, Results], verdicts: Sequence[Verdict]
) -> dict[str, Any]:
    """What `dlspec run --json` prints; `run` is the run's folder, or nothing where it could not be made."""
    return {
        "format_version": FORMAT_VERSION, "study": plan.name, "profile": plan.profile or None, "run": run,
        "cells": cells_json(results), "claims": claims_json(verdicts),
    }  # fmt: skip


def provenance(device: str) -> dict[str, Any]:
    """Versions and device: what the numbers may depend on beside the spec."""
    return {
        "packages": versions(), "python": platform.python_version(),
        "platform": platform.platform(), "processor": platform.machine(), "device": device,
        "language": LANGUAGE, "numerics": NUMERICS, **({"accelerator": name} if (name := accelerator()) else {}),
    }  # fmt: skip


def new_title(root: Path, plan: StudyPlan) -> str:
    """What a run that begins now is called: the study, the profile, the time, and a number where another has that name."""
    name = "-".join(
        [plan.name, *([plan.profile] if plan.profile else []), datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")]
    )
    count, title = 1, name
    while (root / title).exists() or (root / TENSORBOARD / title).exists():
        count += 1
        title = f"{name}-{count}"
    return title


def _reads_files(plan: StudyPlan) -> bool:
    """Whether what a study means can be told again only where its data files are."""
    return any(isinstance(program.data, Rows) for item in plan.experiments for program in item.programs)


class RunFolder:
    """A run's folder under `runs/`, built beside its place and moved there when it is whole.

    What is left of it where its process is killed has the `owner` in its name, by whom it is removed (`store.garbage`).
    """

    def __init__(self, root: Path, plan: StudyPlan, title: str = "", owner: str = "") -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.title = title or new_title(root, plan)
        self.draft = draft_folder(root, self.title, owner)

    def write_claims(self, verdicts: Sequence[Verdict]) -> None:
        """The verdicts, into the draft."""
        self._json("claims.json", claims_json(verdicts))

    def write_results(
        self, plan: StudyPlan, results: Mapping[str, Results], device: str, command: Sequence[str],
        study: Path | None = None, aside: Aside | None = None,
    ) -> None:  # fmt: skip
        """What was trained and how, into the draft; `study` is the study's file, whose revision in git is noted.

        With `aside`, curves, samples and the revision each fail alone. Raises StoreError where stored numbers are lost.
        """
        replicates = [replicate for found in results.values() for replicate in found.replicates]
        curves, samples = self.draft / "curves.parquet", self.draft / "samples.npz"
        with self._part(aside, curves, (StoreError,)):
            write_curves(curves, replicates)
        git = None
        with self._part(aside, Path("the study's revision in git")):
            git = revision(study) if study is not None else None
        (self.draft / "spec.yaml").write_text(plan.text, "utf-8")
        self._json("cells.json", cells_json(results))
        self.about = {
            "format_version": FORMAT_VERSION, "study": plan.name, "profile": plan.profile, "command": list(command),
            "overrides": list(plan.overrides), "only": list(plan.only),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"), **provenance(device),
            "seeds": {e.name: sorted({program.seed for program in e.programs}) for e in plan.experiments},
            "git": git, "numbers": {experiment.name: precisions(experiment) for experiment in plan.experiments},
            "cells": dict(Counter(replicate.status for replicate in replicates)), "stored": sum(replicate.stored for replicate in replicates),
            **({"stored_by": others} if (others := stored_by(replicates, versions())) else {}),
            **({"design": registered(plan)["digest"]} if _reads_files(plan) else {}),
        }  # fmt: skip
        self._json("run.json", self.about)
        with self._part(aside, samples):
            write_samples(samples, replicates)

    @contextmanager
    def _part(self, aside: Aside | None, path: Path, through: tuple[type[Exception], ...] = ()) -> Iterator[None]:
        """A file of the draft that others do without: no half of it stays."""
        with aside.part(path.name, through=through) if aside is not None else nullcontext():
            try:
                yield
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    def write_verdicts(
        self, verdicts: Sequence[Verdict], registration: Mapping[str, Any] | None = None, interrupted: bool = False
    ) -> None:
        """How many claims came out how, into `run.json`: what `dlspec runs` lists; how they compare with what was registered, and whether
        the run was broken off."""
        counts = dict(Counter(verdict.verdict for verdict in verdicts))
        self._json(
            "run.json", {**self.about, "verdicts": counts, "registration": registration, "interrupted": interrupted}
        )

    def _json(self, name: str, value: Any) -> None:
        (self.draft / name).write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", "utf-8")

    def commit(self) -> Path:
        """Moves the draft to a place that is free: from now on it is a run."""
        os.chmod(self.draft, 0o755)
        for path in self.draft.iterdir():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        sync(self.draft)
        count = 1
        while True:
            place = self.root / f"{self.title}{f'-{count}' if count > 1 else ''}"
            try:
                os.rename(self.draft, place)  # a folder with something in it is never replaced
                sync(self.root)
                return place
            except OSError:
                if not place.exists():
                    raise
                count += 1

    def discard(self) -> None:
        """Removes the draft."""
        shutil.rmtree(self.draft, ignore_errors=True)


CURVES = pa.schema(
    [
        ("experiment", pa.string()), ("variant", pa.string()), ("constants", pa.string()), ("replicate", pa.int32()),
        ("digest", pa.string()), ("status", pa.string()), ("measure", pa.string()), ("index", pa.int32()), ("step", pa.int64()), ("value", pa.float64()),
        ("error", pa.float64()), ("bias", pa.float64()),
    ]
)  # fmt: skip
REPLICATES_PER_WRITE = 256


def write_curves(path: Path, replicates: Sequence[Replicate]) -> None:
    """All curves into one Parquet file, some replicates at a time."""
    with pq.ParquetWriter(path, CURVES, write_statistics=counted(CURVES)) as writer:
        for start in range(0, len(replicates), REPLICATES_PER_WRITE):
            writer.write_table(curves_table(replicates[start : start + REPLICATES_PER_WRITE]))


def curves_table(replicates: Iterable[Replicate]) -> pa.Table:
    """Curves, one row a number: the replicate and how it ended, the measure, its index, the step, the value, its sampling error and bias."""
    curves = [
        ((replicate.experiment, replicate.variant, point, replicate.number, replicate.digest, replicate.status, name), replicate.steps[: len(values)],
         np.asarray(values, dtype=np.float64).reshape(len(values), -1), [each.get(name) for each in replicate.beside.values()])
        for replicate in replicates for point in [_point(replicate)] for name, values in replicate.curves.items()
    ]  # fmt: skip
    if not curves:
        return CURVES.empty_table()
    words = zip(*(words for words, *_ in curves), strict=True)
    of = pa.array(np.repeat(np.arange(len(curves)), [table.size for _, _, table, _ in curves]))
    columns = [pa.array(column, field.type).take(of) for column, field in zip(words, CURVES, strict=False)]
    index = [np.tile(np.arange(table.shape[1]), len(table)) for _, _, table, _ in curves]
    step = [np.repeat(steps, table.shape[1]) for _, steps, table, _ in curves]
    columns += [
        pa.array(np.concatenate(index), pa.int32()), pa.array(np.concatenate(step), pa.int64()),
        pa.array(np.concatenate([table.ravel() for _, _, table, _ in curves]), pa.float64()),
        *(pa.concat_arrays([beside_column(beside[place], table.size) for _, _, table, beside in curves]) for place in range(len(BESIDE))),
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=CURVES)


def write_samples(path: Path, replicates: Iterable[Replicate]) -> None:
    """What figures show of single examples, as npz, a replicate at a time; no file where there is nothing."""
    if not write_npz(path, _samples(replicates)):
        path.unlink()


def _samples(replicates: Iterable[Replicate]) -> Iterator[tuple[str, Any]]:
    """The entries of the file: EXPERIMENT/VARIANT/CONSTANTS/REPLICATE/FIGURE/STEP/NAME, with their arrays."""
    for replicate in replicates:
        lead = f"{replicate.experiment}/{replicate.variant}/{_point(replicate)}/{replicate.number}"
        for figure, by_step in replicate.samples.items():
            for step, values in by_step.items():
                for name, value in values.items():
                    yield f"{lead}/{figure}/{step}/{name}", value


def _point(replicate: Replicate) -> str:
    return json.dumps(dict(replicate.constants), sort_keys=True)


def _number(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def _finite(value: Any) -> Any:
    return [_finite(item) for item in value] if isinstance(value, list) else _number(value)
