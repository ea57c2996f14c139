"""Sampling errors and biases lie beside the values in a result file; files of before have none, and are read as ever."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from dlspec.interpreter.results.atomic_files import checksum_of
from dlspec.interpreter.results.replicates import BIASES, ERRORS, Replicate
from dlspec.interpreter.store import files
from dlspec.interpreter.store.checkpoints import Checkpoint, Checkpoints, SideBySide
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.interpreter.store.store import Store

Asked = Callable[..., list[CellRequest]]


def test_errors_are_stored_and_files_without_them_are_read(
    tmp_path: Path, asked: Asked, make_cell: Callable[..., Replicate]
) -> None:
    own = asked()[0]
    batch = ReplicateBatch(own, (0, 1))
    made = [make_cell(own, number) for number in (0, 1)]
    name, other = list(made[0].curves)[:2]
    for replicate in made:
        replicate.beside["error"] = {name: [0.1 * np.abs(value) for value in replicate.curves[name]]}
        replicate.beside["bias"] = {other: [0.2 * value for value in replicate.curves[other]]}
    with Store(tmp_path / "store", pytest.fail) as store:
        store.acquire(batch)
        store.commit([(batch, made)], {})
        for replicate, found in zip(made, store.find([(own, 0), (own, 1)]), strict=True):
            assert found is not None and found.errors.keys() == {name} < found.curves.keys()
            np.testing.assert_array_equal(found.errors[name], replicate.errors[name])
            assert found.biases.keys() == {other}
            np.testing.assert_array_equal(found.biases[other], replicate.biases[other])
            np.testing.assert_array_equal(found.curves[name], replicate.curves[name])
    (path,) = files.every(tmp_path / "store" / "cells")
    whole = files.numbers(tmp_path / "store" / "cells", path.name)
    older = pq.read_table(path).drop_columns(["error", "bias"])
    versions = re.compile(f'"error": {ERRORS}|"bias": {BIASES}'.encode())
    metadata = {key: versions.sub(b'"older": 3', value) for key, value in older.schema.metadata.items()}
    pq.write_table(older.replace_schema_metadata(metadata), path)
    renamed = path.with_name(f"{path.name.split('.')[0]}.{checksum_of(path.read_bytes())}.parquet")
    path.rename(renamed)
    found = files.numbers(tmp_path / "store" / "cells", renamed.name)
    assert not any(any(curves.values()) for curves in found.beside.values())
    assert found.values.keys() == whole.values.keys()
    for key, held in found.values.items():
        for item, values in held.items():
            np.testing.assert_array_equal(values, whole.values[key][item])


@pytest.mark.parametrize("version", [True, 1, 2, 3, 5])
def test_errors_of_another_version_are_left_out_and_the_numbers_stay(
    version: int, tmp_path: Path, asked: Asked, make_cell: Callable[..., Replicate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first version, written as `true`, told 0 of numbers that jump with an expectation."""
    own = asked()[0]
    batch, made = ReplicateBatch(own, (0,)), make_cell(own, 0)
    name = next(iter(made.curves))
    made.beside["error"] = {name: [np.zeros_like(value) for value in made.curves[name]]}
    with Store(tmp_path / "store", pytest.fail) as store:
        store.acquire(batch)
        with monkeypatch.context() as before:
            before.setitem(files.BESIDE, "error", version)
            store.commit([(batch, [made])], {})
        (found,) = store.find([(own, 0)])
        assert found is not None and not found.errors and found.curves.keys() == made.curves.keys()
        for measure, values in made.curves.items():
            np.testing.assert_array_equal(found.curves[measure], values)


def test_a_checkpoint_keeps_them(
    tmp_path: Path, asked: Asked, make_cell: Callable[..., Replicate], same_cell: Callable[..., None]
) -> None:
    own = asked()[0]
    made = [make_cell(own, number) for number in (0, 1)]
    for replicate in made:
        replicate.beside["error"] = {
            name: [0.1 * np.abs(value) for value in values] for name, values in replicate.curves.items()
        }
        replicate.beside["bias"] = {
            name: [0.2 * value for value in values] for name, values in replicate.curves.items()
        }
    checkpoints = Checkpoints(tmp_path / "one.ckpt", {}, 0)
    checkpoints.save(Checkpoint(10, 1.0, [], made, SideBySide("group", 3, 1, 2)))
    resumed = [own.replicate(number) for number in (0, 1)]
    checkpoint = checkpoints.load(resumed)
    assert checkpoint is not None and checkpoint.beside == checkpoints.there() == SideBySide("group", 3, 1, 2)
    for before, after in zip(made, resumed, strict=True):
        same_cell(before, after)
        for one in (before, after):
            last = {name: values[-1] for name, values in one.curves.items()}
            one.record(50, last, error={"error": np.float64(1)}, bias={"error": np.float64(2)})
        same_cell(before, after)
