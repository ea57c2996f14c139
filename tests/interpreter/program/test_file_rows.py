"""Rows of files in training and measures, against the same rows in NumPy: each once an epoch, in both compiled forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program import file_rows
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.merge_cells import merge_cells

pytestmark = pytest.mark.usefixtures("traced_once")
FORMS = pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
COUNT, TRAIN = 30, 20
VALUES = np.random.default_rng(3).normal(size=(COUNT, 2)).round(3)
LABELS = np.arange(COUNT) % 3
RATE = 0.5

BODY = """
dlspec: 1
study: t
experiments:
  e:
    dtype: float64
    sweep: {rate: [0.5, 0.25]}
    constants: {rate: 0.5}
    task:
      data: {files: {d: d.csv}, train: 20, MORE}
      example: {x: "d[a:b]", y: d.y, noise: normal(), turned: int(d.f)}
    architecture: {f: {input: "[1.0 for i < 2]", layers: [dense: {units: 1, use_bias: false, kernel_initializer: zeros}]}}
    loss: {linear: "-x[0] * f - 0 * noise"}
    training: {optimizer: {sgd: rate}, batch: 5, steps: 8, evaluate: {every: 8}}
    measures:
      train: {of: "E(x)", on: train}
      test: E(x)
      classes: E(one_hot(y, 3))
      turned: E(one_hot(turned, 3))
      noise: E(noise)
      seen: {of: E(noise), on: train}
      f: E(f)
    replicates: 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rows = [f"{a},{b},{y},{y}.0" for (a, b), y in zip(VALUES, LABELS, strict=True)]
    (tmp_path / "d.csv").write_text("\n".join(["a,b,y,f", *rows]) + "\n")
    return tmp_path


def programs(folder: Path, more: str = "order: shuffle", **replaced: str) -> tuple[Program, ...]:
    text = BODY.replace("MORE", more)
    for before, after in replaced.items():
        text = text.replace(before, after)
    return spec.resolve(spec.parse(Source(str(folder / "t.yaml"), text))).experiments[0].programs


@FORMS
def test_an_epoch_takes_each_training_row_once_and_measures_take_the_others(folder: Path, xla: bool) -> None:
    batch = merge_cells(programs(folder, "stratify: y"))
    assert batch is not None
    compiled = Compiled(batch, range(3), xla)
    before = compiled.evaluate()
    compiled.train(4)
    after = compiled.evaluate()
    rows = compiled.seeds.draws["file rows"].numpy()
    assert len({tuple(row) for row in rows}) == 3  # a split of each replicate's own
    for row in range(6):
        mine = rows[row % 3]
        train, test = VALUES[mine[:TRAIN]], VALUES[mine[TRAIN:]]
        np.testing.assert_allclose(after["train"][row], train.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(after["test"][row], test.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(after["classes"][row], np.bincount(LABELS[mine[TRAIN:]]) / 10, rtol=1e-12)
        assert (after["turned"][row] == after["classes"][row]).all()
        rate = (0.5, 0.25)[row // 3]
        np.testing.assert_allclose(after["f"][row], 2 * rate * 4 * train[:, 0].mean(), rtol=1e-12)
    assert (before["noise"] == after["noise"]).all() and (before["seen"] == after["seen"]).all()
    compiled.train(4)
    np.testing.assert_allclose(compiled.evaluate()["f"], 2 * after["f"], rtol=1e-12)


@FORMS
def test_draws_beside_a_row_are_new_at_each_visit(folder: Path, xla: bool) -> None:
    (one, _) = programs(folder, "order: file", **{"-x[0] * f - 0 * noise": "-noise * f"})
    compiled = Compiled(one, range(3), xla)
    gains = []
    for _ in range(2):
        before = compiled.evaluate()["f"]
        compiled.train(4)
        gains.append(compiled.evaluate()["f"] - before)
    assert (gains[0] != gains[1]).all() and (gains[0] != 0).all()


@FORMS
def test_the_order_of_the_file_and_draws_with_replacement(folder: Path, xla: bool) -> None:
    (one, _) = programs(folder, "order: file")
    compiled = Compiled(one, range(2), xla)
    compiled.train(1)
    np.testing.assert_allclose(compiled.evaluate()["f"], 2 * RATE * VALUES[:5, 0].mean(), rtol=1e-12)
    (one, _) = programs(folder, "order: with_replacement")
    compiled = Compiled(one, range(2), xla)
    compiled.train(4)
    rows = compiled.seeds.draws["file rows"].numpy()
    epoch = 2 * RATE * 4 * VALUES[rows[:, :TRAIN], 0].mean(axis=1)
    assert (np.abs(compiled.evaluate()["f"] - epoch) > 1e-3).all()


def test_a_test_stream_may_look_up_other_columns(folder: Path) -> None:
    (one, _) = programs(
        folder, **{"      example:": "      tests: {other: {x: '[d.b, d.y]'}}\n      example:", "test: E(x)": "test: {of: E(x), on: other}"}
    )  # fmt: skip
    compiled = Compiled(one, range(3), False)
    rows = compiled.seeds.draws["file rows"].numpy()[:, TRAIN:]
    expected = np.stack([VALUES[rows, 1].mean(axis=1), LABELS[rows].mean(axis=1)], axis=1)
    np.testing.assert_allclose(compiled.evaluate()["test"], expected, rtol=1e-12)


def test_a_run_that_goes_on_from_a_checkpoint_is_the_same_to_the_bit(folder: Path) -> None:
    (one, _) = programs(folder, "stratify: y", **{"-x[0] * f - 0 * noise": "(sum(x) - f + noise)^2"})
    whole = Compiled(one, range(3), True)
    whole.train(8)
    first = Compiled(one, range(3), True)
    first.train(3)
    again = Compiled(one, range(3), True)
    again.restore(3, first.saved())
    again.train(5)
    for name, value in whole.evaluate().items():
        assert value.tobytes() == again.evaluate()[name].tobytes(), name


def test_a_file_that_changes_after_it_was_checked_is_refused(folder: Path) -> None:
    (one, _) = programs(folder)
    (folder / "d.csv").write_text((folder / "d.csv").read_text().replace("0.", "7."))
    file_rows._columns.cache_clear()
    with pytest.raises(StudyError, match=r"d\.csv: changed after the study was read"):
        Compiled(one, range(1), False)
