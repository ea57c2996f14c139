"""Rows of files that are larger than what is held in memory: the same bits as of the same rows in memory, from every kind of file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest
from dlspec import spec
from dlspec.interpreter.program import file_windows
from dlspec.interpreter.program.file_rows import ROWS
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.data_files import memory_limit, row_access
from dlspec.spec.data_files.row_copies import row_access as rows_of
from dlspec.spec.data_files.survey import survey
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes import memory
from dlspec.spec.passes.merge_cells import merge_cells

COUNT = 2000
X = np.random.default_rng(5).normal(size=(COUNT, 3)).astype("f4")
Y = np.random.default_rng(6).integers(0, 4, COUNT).astype("i1")

BODY = """
dlspec: 1
study: t
experiments:
  e:
    sweep: {rate: [0.5, 0.25]}
    constants: {rate: 0.5}
    task:
      data: {FILES, train: 600, test: 80, ORDER}
      example: {x: "VALUE / 3 + 0.1 * normal([3])", y: LABEL}
    architecture:
      f: {input: x, layers: [dense: {units: 8, activation: tanh}, dense: 4]}
      g: {input: x, layers: [whiten: {examples: 50}, dense: 4]}
    loss: {f: "cross_entropy(f, y)", g: "cross_entropy(g, y)"}
    training: {optimizer: {sgd: rate}, batch: 7, COURSE, evaluate: {every: 9}}
    measures:
      f: "E(cross_entropy(f, y))"
      seen: {of: "E(x)", on: train}
      snr: {gradient_snr: {of: "cross_entropy(f, y)", weights: f.weights}}
    replicates: 2
"""
COURSES = {
    "steps": "steps: 60",
    "phases": "phases: {a: {steps: 11, times: 2}, b: {steps: 30, batch: 12, loss: {f: 'cross_entropy(f, y)'}}}",
    "updates": "steps: 40, updates: {a: {networks: [f], loss: [f], times: 3}, b: {networks: [g], loss: [g], times: 2}}",
}


def table() -> pa.Table:
    names = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": Y}
    columns = {
        **{name: pa.array(values) for name, values in names.items()},
        "x": pa.array(list(X), pa.list_(pa.float32())),
    }
    return pa.table(columns)


def written(folder: Path, kind: str) -> tuple[str, str, str]:
    """A file, or two, of the same rows: what a study says of it, of the inputs and of the labels."""
    if kind == "npy":
        np.save(folder / "x.npy", X)
        np.save(folder / "y.npy", Y.astype(">i4"))
        return "files: {x_: x.npy, y_: y.npy}", "x_", "y_"
    if kind.startswith("npz"):
        (np.savez if kind == "npz" else np.savez_compressed)(folder / "d.npz", x=X, y=Y)
        return "file: d.npz", "d.x", "d.y"
    if kind == "parquet":
        parquet.write_table(table(), folder / "d.parquet", row_group_size=37)
    elif kind == "feather":
        feather.write_feather(table(), folder / "d.feather", chunksize=41)
    elif kind == "arrow":
        with pa.ipc.new_stream(folder / "d.arrow", table().schema) as stream:
            stream.write_table(table(), max_chunksize=29)
    else:
        csv.write_csv(table().drop_columns("x"), folder / "d.csv")
        return "file: d.csv", "d[a:c]", "d.y"
    return f"file: d.{kind}", "d.x" if kind != "feather" else "d[a:c]", "d.y"


def programs(folder: Path, kind: str, course: str = "steps", order: str = "order: shuffle") -> tuple[Program, ...]:
    files, value, label = written(folder, kind)
    text = BODY.replace("FILES", files).replace("VALUE", value).replace("LABEL", label)
    text = text.replace("COURSE", COURSES[course]).replace("ORDER", order)
    return spec.resolve(spec.parse(Source(str(folder / "t.yaml"), text))).experiments[0].programs


def results(compiled: Compiled, stretches: list[int]) -> list[Any]:
    for count in stretches:
        compiled.train(count)
    values = compiled.evaluate()
    return [*(value for cell in compiled.saved() for value in cell), *(values[name] for name in sorted(values))]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        memory_limit.LIMIT, "24000"
    )  # all columns take 32,000 bytes, and what is evaluated 21,760 at most


def compared(folder: Path, monkeypatch: pytest.MonkeyPatch, cells: Any, xla: bool, steps: list[int]) -> Compiled:
    whole = Compiled(cells, range(2), xla)
    assert whole.held and not whole.windows
    expected = results(whole, steps)
    in_windows(monkeypatch)
    limited = Compiled(cells, range(2), xla)
    assert not limited.held and max(limited.windows) <= sum(steps) / 2
    for a, b in zip(results(limited, steps), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    return limited


@pytest.mark.parametrize("kind", ["npy", "npz", "npz packed", "parquet", "feather", "arrow", "csv"])
def test_each_kind_of_file_gives_the_rows_that_it_has_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (one, _) = programs(tmp_path, kind)
    rows = np.random.default_rng(1).integers(0, COUNT, 500)
    for limited in (False, True):
        monkeypatch.setattr(row_access, "address_space_limited", lambda limited=limited: limited)
        monkeypatch.setattr(row_access, "SEGMENT", 1000)
        for term in one.of_files.values():
            file = one.data.file(term.file)  # type: ignore[attr-defined]
            rows_there = rows_of(Path(file.path), file.header, term.columns, term.checksums, term.several)
            taken = rows_there.take(rows)
            assert taken.dtype.isnative
            expected = (X if taken.ndim > 1 else Y)[rows]  # in CSV as digits, which name the float32
            np.testing.assert_array_equal(taken.astype(expected.dtype), expected)
    copies = list((tmp_path / "cache" / "dlspec" / "data_rows").glob("*.rows"))
    assert len(copies) == (0 if kind in ("npy", "npz") else 2)


@pytest.mark.parametrize(("course", "xla"), [("steps", False), ("steps", True), ("phases", False), ("updates", True)])
def test_training_in_windows_gives_the_bits_of_training_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, course: str, xla: bool
) -> None:
    limited = compared(tmp_path, monkeypatch, programs(tmp_path, "parquet", course)[0], xla, [9, 1, 42])
    kept = limited.saved()
    limited.train(3)
    expected = limited.saved()
    again = Compiled(limited.batch, range(2), xla)
    again.restore(52, kept)
    again.train(3)
    for a, b in zip(again.saved()[0], expected[0], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("order", ["order: file", "order: with_replacement", "stratify: y"])
def test_orders_and_cells_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    batch = merge_cells(programs(tmp_path, "parquet", order=order))
    assert batch is not None
    compared(tmp_path, monkeypatch, batch, False, [60])


def test_the_next_window_is_read_while_one_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (one, _) = programs(tmp_path, "npy")
    in_windows(monkeypatch)
    compiled = Compiled(one, range(2), False)
    read: list[int] = []
    reads = file_windows.FileWindows._read
    monkeypatch.setattr(
        file_windows.FileWindows, "_read", lambda self, step, number, order: read.append(number) or reads(self, step, number, order)
    )  # fmt: skip
    compiled.train(1)
    files = compiled.seeds.files
    assert files is not None and files._ahead is not None
    files._ahead[1].result()
    assert read == [0, 1]
    for _ in range(59):
        compiled.train(1)
    assert read == list(range(-(-60 // compiled.windows[0])))  # each once, and none behind the last step


EVALUATED = """
dlspec: 1
study: t
experiments:
  e:
    sweep: {rate: [0.5, 0.25]}
    constants: {rate: 0.5}
    task:
      data: {files: {x_: x.npy, y_: y.npy}, train: 600, test: 803, validation: 97, ORDER}
      statistics: {mu: E(raw), sd: "sqrt(E((raw - mu)^2))"}
      example: {raw: x_, x: "(raw - mu) / sd + 0.1 * normal([3])", y: "int(y_)"}
      tests: {far: {raw: "x_ + 3"}}
    architecture: {f: {input: x, layers: [dense: {units: 8, activation: tanh}, dense: 4]}}
    outputs: {l: "cross_entropy(f, y)"}
    loss: {f: l}
    training:
      optimizer: {sgd: rate}
      batch: 7
      phases: {a: {steps: 5}, b: {steps: 6}}
    estimates: {seen: {after: a, of: "E(gradient(l, f.weights)^2)", examples: 250}}
    measures:
      mean: E(raw)
      loss: E(l)
      trained: {of: "E(raw^2)", on: train}
      far: {of: E(l), on: far}
      wrong: {of: "E(argmax(f) != y)", on: validation}
      chosen: "E(l, where=y == 1)"
      middle: {of: "quantile(l, 0.5)", on: validation}
      high: {of: "quantile(raw, 0.9, where=y == 2)", on: validation}
      variance: "E((l - E(l))^2)"
      spread: "sqrt(E((l - E(l, on=train))^2, on=train))"
      slope: "norm(E(gradient(l, f.weights)))"
      fisher: "sum(seen)"
      snr: {gradient_snr: {of: l, weights: f.weights, examples: 64}}
    replicates: 2
"""


@pytest.mark.parametrize(
    ("order", "xla", "left_out"),
    [
        ("order: file", False, ()),
        ("order: shuffle", True, ("far", "chosen", "wrong", "variance", "slope", "fisher", "snr", "snr_floor")),
    ],
    ids=["graph", "xla"],
)
def test_what_is_evaluated_in_windows_is_what_it_is_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str, xla: bool, left_out: Sequence[str]
) -> None:
    """Of rows at random, and of those that all replicates have alike; the last window is shorter, and what cells share is read once."""
    written(tmp_path, "npy")
    text = EVALUATED.replace("ORDER", order)
    cells = spec.resolve(spec.parse(Source(str(tmp_path / "t.yaml"), text))).experiments[0].programs
    measured = tuple(measure for measure in cells[0].measures if measure.name not in left_out)
    estimates = () if "fisher" in left_out else cells[0].estimates
    batch = merge_cells([replace(cell, measures=measured, estimates=estimates) for cell in cells])
    assert batch is not None
    monkeypatch.setattr(memory, "CHUNK_BYTES", 2**13)
    values, errors = [], []
    for limit in (None, 3900):
        if limit is not None:
            monkeypatch.setenv(memory_limit.LIMIT, str(limit))
        compiled = Compiled(batch, range(2), xla)
        compiled.train(11)
        found = compiled.evaluate_with_errors()
        values.append(found[0])
        errors.append(found[1])
    files = compiled.seeds.files
    assert files is not None and files.apart
    assert compiled.seeds.draws[ROWS].shape[1] == (
        0 if "snr" in left_out else 64
    )  # a statistic of gradients reads at once
    assert set(errors[0]) == set(errors[1]) >= {"mean", "loss", *({"far", "variance", "chosen"} - {*left_out})}
    for name in values[0]:  # beside quantiles networks take all examples at once in memory
        rounding = 2e-6 if name in ("wrong", "middle", "high") else 0
        np.testing.assert_allclose(values[1][name], values[0][name], rtol=rounding, err_msg=name)
    for name in errors[0]:
        np.testing.assert_allclose(errors[1][name], errors[0][name], rtol=1e-12, err_msg=name)
    for row in range(4):
        train, test, validation = np.split(files.table[row % 2], [600, 1403])
        np.testing.assert_allclose(values[1]["mean"][row], X[test].mean(0, dtype="f8"), rtol=1e-6)
        np.testing.assert_allclose(values[1]["trained"][row], np.square(X[train]).mean(0, dtype="f8"), rtol=1e-6)
        np.testing.assert_allclose(
            values[1]["high"][row], np.quantile(X[validation][Y[validation] == 2], 0.9, axis=0), rtol=1e-6
        )
        np.testing.assert_allclose(errors[1]["mean"][row], X[test].std(0, ddof=1) / np.sqrt(803), rtol=1e-5)


def test_what_is_read_at_once_has_to_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (one, _) = programs(tmp_path, "npy")
    monkeypatch.setenv(memory_limit.LIMIT, "1K")
    with pytest.raises(StudyError) as caught:
        Compiled(one, range(2), False)
    (problem,) = caught.value.problems
    assert "whitened layers and figures read 249 rows" in problem.message and "`examples: 1000`" in problem.hint
    monkeypatch.setenv(memory_limit.LIMIT, "much")
    with pytest.raises(StudyError, match="'much', which is not a number of bytes"):
        Compiled(one, range(2), False)


def test_a_file_that_changed_is_refused_and_a_copy_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one, _) = programs(tmp_path, "parquet")
    in_windows(monkeypatch)
    monkeypatch.setenv("DLSPEC_DATA_CACHE", str(tmp_path / "d.parquet"))
    with pytest.raises(StudyError, match="rows of data files cannot be kept there"):
        Compiled(one, range(2), False)
    monkeypatch.setenv("DLSPEC_DATA_CACHE", "/dev/full/x")
    with pytest.raises(StudyError, match="rows of data files cannot be kept there"):
        Compiled(one, range(2), False)
    parquet.write_table(table().slice(1), tmp_path / "d.parquet")
    with pytest.raises(StudyError, match="changed after the study was read"):
        Compiled(one, range(2), False)


def test_copies_are_removed_when_no_run_has_used_them_for_a_month(tmp_path: Path) -> None:
    written(tmp_path, "parquet")
    path = tmp_path / "d.parquet"
    checksums = {name: column.checksum for name, column in survey(path).columns.items()}
    first = rows_of(path, True, ["x"], [checksums["x"]], False)
    about = first.path.with_suffix(".json")
    again = rows_of(path, True, ["x"], [checksums["x"]], False)
    assert again == first
    os.utime(about, (0, 0))
    other = rows_of(path, True, ["a", "b"], [checksums["a"], checksums["b"]], True)
    assert not about.exists() and not first.path.exists()
    with other.path.open("ab") as file:
        file.write(b"1")  # not as long as it says
    assert rows_of(path, True, ["a", "b"], [checksums["a"], checksums["b"]], True).end == other.path.stat().st_size


def test_the_limit_is_a_quarter_of_what_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(memory_limit.LIMIT, raising=False)
    monkeypatch.setattr(memory_limit, "CGROUP", tmp_path / "memory.max")
    whole = memory_limit.memory_limit()
    assert whole > 2**26
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_limit.memory_limit() == whole
    (tmp_path / "memory.max").write_text(f"{2**26}\n")
    assert memory_limit.memory_limit() == 2**24
    for said, expected in {"512M": 2**29, "3 GiB": 3 * 2**30, "17": 17, "1kb": 1024}.items():
        monkeypatch.setenv(memory_limit.LIMIT, said)
        assert memory_limit.memory_limit() == expected
