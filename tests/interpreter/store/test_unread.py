"""A start with everything stored reads no replicate's file; what it takes on trust is compared when it is read after all."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.results.errors import StoreError
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.store import files
from dlspec.interpreter.store import lazy_arrays as numbers_module
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.interpreter.store.store import Store

EVERY = (0, 1, 2)
Asked = Callable[..., list[CellRequest]]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def filled(tmp_path: Path, asked: Asked, make_cell: Callable[..., Replicate]) -> Path:
    """A store with the six replicates of the small study, which have samples."""
    with Store(tmp_path / "store", pytest.fail) as store:
        for own in asked():
            store.acquire(ReplicateBatch(own, EVERY))
            store.commit([(ReplicateBatch(own, EVERY), [make_cell(own, r) for r in EVERY])], {})
    return tmp_path / "store"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the replicates' files that are read, one for each time."""
    names: list[str] = []
    content, checksum = files._content, files.atomic_files.checksum

    def read(path: Path) -> Any:
        names.append(path.name)
        return content(path)

    def summed(path: Path) -> str:
        names.append(path.name)
        return checksum(path)

    monkeypatch.setattr(files, "_content", read)
    monkeypatch.setattr(files.atomic_files, "checksum", summed)
    return names


def found(store: Store, wanted: list[CellRequest]) -> list[Replicate | None]:
    return store.find([(own, number) for own in wanted for number in EVERY])


def changed(path: Path, forget: bool = False) -> None:
    """Changes a file's last byte but three; with `forget` the file looks as if nobody had."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-4] ^= 1
    path.write_bytes(content)
    after = before.st_mtime_ns if forget else before.st_mtime_ns + 1
    os.utime(path, ns=(before.st_atime_ns, after))
    assert path.stat().st_size == before.st_size


def test_a_start_opens_no_file(
    filled: Path, asked: Asked, make_cell: Callable[..., Replicate], same_cell: Callable[..., None], opened: list[str]
) -> None:
    with Store(filled, pytest.fail) as store:
        replicates = found(store, asked())
        assert None not in replicates and not opened
        for own, group in zip(asked(), (replicates[:3], replicates[3:]), strict=True):
            for number, replicate in enumerate(group):
                assert replicate is not None and replicate.stored
                same_cell(replicate, make_cell(own, number))
    curves = [name for name in opened if name.endswith(".parquet")]
    assert len(curves) == len(set(curves)) == 2, "each part is read once for all that ask"


def test_a_store_that_remembers_nothing_reads_once(filled: Path, asked: Asked, opened: list[str]) -> None:
    """As a store is that was made before the index remembered parts."""
    with sqlite3.connect(filled / "index.sqlite") as connection:
        connection.execute("DROP TABLE seen")
    connection.close()
    with Store(filled, pytest.fail) as store:
        assert None not in found(store, asked())
        assert len(opened) == 4, "two parts and their samples"
        assert None not in found(store, asked())
    with Store(filled, pytest.fail) as store:
        assert None not in found(store, asked())
    assert len(opened) == 4


def test_a_file_with_another_time_is_read_and_remembered(filled: Path, asked: Asked, opened: list[str]) -> None:
    path = next(files.every(filled / "cells"))
    os.utime(path, ns=(1, 1))
    with Store(filled, pytest.fail) as store:
        assert None not in found(store, asked())
        assert None not in found(store, asked())
    assert opened[0] == path.name and opened.count(path.name) == 1


@pytest.mark.parametrize("end", ["parquet", "npz"])
def test_a_file_that_was_changed_in_place_is_found_before_its_cells_count(filled: Path, asked: Asked, end: str) -> None:
    """Of the same size, at another time: the part is set aside with its samples, the other one counts."""
    changed(next(filled.glob(f"cells/??/*.{end}")))
    warned: list[str] = []
    with Store(filled, warned.append) as store:
        assert sum(replicate is None for replicate in found(store, asked())) == 3
    assert len(warned) == 1 and files.BYTES_CHANGED in warned[0] and "3 replicates of it will run again" in warned[0]


@pytest.mark.parametrize("end", ["parquet", "npz"])
@pytest.mark.parametrize("gone", [False, True])
def test_what_counted_as_whole_and_is_not_is_an_error_when_it_is_read(
    filled: Path, asked: Asked, make_cell: Callable[..., Replicate], end: str, gone: bool
) -> None:
    """Never a wrong number: the error says what to do, and the next start misses the replicates."""
    path = next(filled.glob(f"cells/??/*.{end}"))
    with Store(filled, pytest.fail) as store:
        if not gone:
            changed(path, forget=True)
        replicates = found(store, asked())
        assert None not in replicates
        if gone:
            path.unlink()
        with pytest.raises(StoreError, match="No such file" if gone else files.BYTES_CHANGED) as caught:
            for replicate in replicates:
                assert replicate is not None
                _ = replicate.final() if end == "parquet" else replicate.samples["fit"]
        assert "Run again" in caught.value.problems[0].hint
        assert gone or path.name in {item.name for item in (filled / "damaged").iterdir()}
    warned: list[str] = []
    with Store(filled, warned.append) as store:
        lost = [replicate is None for replicate in found(store, asked())]
        assert sum(lost) == 3 and len(warned) == 1
        own = asked()[lost[3]]
        store.acquire(ReplicateBatch(own, EVERY))
        store.commit([(ReplicateBatch(own, EVERY), [make_cell(own, r) for r in EVERY])], {})
        assert None not in found(store, asked())


def test_fewer_steps_are_cut_from_what_is_read(filled: Path, asked: Asked, make_cell: Callable[..., Replicate]) -> None:
    fewer = asked(("every: 10", "every: 20"))[0]
    with Store(filled, pytest.fail) as store:
        (replicate,) = store.find([(fewer, 0)])
    assert replicate is not None and replicate.steps == [0, 20, 40]
    whole = make_cell(asked()[0], 0)
    for name, curve in replicate.curves.items():
        assert np.array_equal(np.asarray(curve), np.asarray(whole.curves[name])[::2])


def test_of_what_does_not_fit_the_last_file_stays(
    filled: Path, asked: Asked, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers_module, "CACHE_BYTES", 1000)
    with Store(filled, pytest.fail) as store:
        one, other = ([(own, number) for number in EVERY] for own in asked())
        replicates = store.find([*one, *other])
        opened.clear()
        for replicate in replicates:  # one cell after the other, as claims and tables do
            assert replicate is not None and replicate.final() and replicate.samples["fit"]
        assert not store.numbers.kept
        assert len(opened) == len(set(opened)) == 4, "two files of curves and two of samples, each once"


def test_a_repaired_index_remembers(filled: Path, asked: Asked, opened: list[str]) -> None:
    from dlspec.interpreter.store.repair import repair

    assert repair(filled).replicates == 6
    opened.clear()
    with Store(filled, pytest.fail) as store:
        assert None not in found(store, asked()) and not opened


def test_damage_that_only_a_reader_sees_as_a_user_meets_it(tmp_path: Path, study: str, dlspec: Command) -> None:
    (tmp_path / "small.yaml").write_text(study, "utf-8")
    assert dlspec("run", "small.yaml", "-j", "1", cwd=tmp_path).returncode == 0  # one file a cell
    path = next(files.every(tmp_path / "runs" / "store" / "cells"))
    changed(path, forget=True)
    done = dlspec("run", "small.yaml", cwd=tmp_path)
    assert done.returncode == 1 and "all 6 replicates are stored already" in done.stderr
    assert files.BYTES_CHANGED in done.stderr and "Run again" in done.stderr
    assert "Traceback" not in done.stderr and "internal" not in done.stderr
    after = dlspec("run", "small.yaml", cwd=tmp_path)
    assert after.returncode == 0 and "3 of 6 replicates are stored already, 3 to run" in after.stderr
