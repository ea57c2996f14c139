"""Validation examples: one more finite set, which is neither the training nor the test set, of every source that has examples to spare."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.data_files.memory_limit import LIMIT
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.digests import measure_digest

COUNT = 60
VALUES = np.random.default_rng(3).normal(size=COUNT).round(3)
BODY = """
dlspec: 1
study: t
experiments:
  e:
    dtype: float64
    task:
      data: DATA
      example: {x: X}
    architecture: {f: {input: "[x]", layers: [dense: 1]}}
    loss: {l: "(f - x)^2"}
    training: {optimizer: {sgd: 0.1}, batch: 5, steps: 4}
    measures:
      seen: {of: E(x), on: train}
      test: E(x)
      validation: {of: E(x), on: validation}
      spread: {of: "E(x^2) - E(x)^2", on: validation}
    replicates: 3
"""


def program(folder: Path, data: str, x: str = "normal()", **replaced: str) -> Program:
    text = BODY.replace("DATA", data).replace("x: X", f"x: {x}")
    for before, after in replaced.items():
        text = text.replace(before, after)
    return spec.resolve(spec.parse(Source(str(folder / "t.yaml"), text))).experiments[0].programs[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rows = [f"{x},{place % 3},{place // 4}" for place, x in enumerate(VALUES)]
    (tmp_path / "d.csv").write_text("\n".join(["x,y,g", *rows]) + "\n")
    return tmp_path


@pytest.mark.parametrize(
    ("data", "xla"),
    [("{test: 4000, validation: 5000}", False), ("{train: 50, test: 4000, validation: 5000}", True)],
)
def test_drawn_ones_are_others_and_as_many_as_said(folder: Path, data: str, xla: bool) -> None:
    one = program(folder, data)
    assert (one.evaluated("validation"), one.evaluated("test")) == (5000, 4000)
    values, errors = Compiled(one, range(3), xla).evaluate_with_errors()
    assert len({*values["validation"], *values["test"], *values["seen"]}) >= 6
    np.testing.assert_allclose(errors["validation"], np.sqrt(values["spread"] / 4999), rtol=1e-9)
    assert (np.abs(values["validation"]) < 5 * errors["validation"]).all()
    np.testing.assert_array_equal(  # however many there are, they are the same
        Compiled(program(folder, data.replace("4000", "7")), range(3), xla).evaluate()["validation"],
        values["validation"],
    )


@pytest.mark.parametrize(
    ("way", "xla"), [("", True), (", stratify: y", False), (", group: g", True), (", order: file", False)]
)
def test_rows_of_files_are_in_one_of_the_three_sets(
    folder: Path, way: str, xla: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = program(folder, f"{{file: d.csv, train: 0.4, validation: 12{way}}}", "d.x")
    assert (one.data.train, one.data.test, one.data.validation) == (24, 24, 12)
    compiled = Compiled(one, range(3), xla)
    rows = compiled.seeds.draws["file rows"].numpy()
    values = compiled.evaluate()
    for row, mine in enumerate(rows):
        assert (np.sort(mine) == np.arange(COUNT)).all()
        for name, part in {"seen": mine[:24], "test": mine[24:48], "validation": mine[48:]}.items():
            np.testing.assert_allclose(values[name][row], VALUES[part].mean(), rtol=1e-12)
        if "stratify" in way:
            assert (np.bincount(mine[48:] % 3) == 4).all() and (np.bincount(mine[:24] % 3) == 8).all()
        if "group" in way:
            assert len({*mine[48:] // 4}) == 3
    fewer = program(folder, f"{{file: d.csv, train: 24, test: 12, validation: 12{way}}}", "d.x")
    expected = Compiled(fewer, range(1), xla).evaluate()
    monkeypatch.setenv(LIMIT, "200")  # 192 bytes are evaluated, and all rows have 240: they come in windows
    limited = Compiled(fewer, range(1), xla)
    assert not limited.held
    for name, value in limited.evaluate().items():
        np.testing.assert_array_equal(value, expected[name])


def test_digests_know_how_many_there_are(folder: Path) -> None:
    def digests(data: str) -> list[str]:
        one = program(folder, data)
        return [one.digest, *(measure_digest(one, measure) for measure in one.measures)]

    ten, twenty = digests("{train: 50, validation: 10}"), digests("{train: 50, validation: 20}")
    assert ten[:3] == twenty[:3] and ten[3] != twenty[3]


@pytest.mark.parametrize(
    ("data", "x", "message"),
    [
        ("{train: 50}", "normal()", "there are no validation examples"),
        ("fresh", "normal()", "there are no validation examples"),
        ("{enumerate: x, validation: 3}", "rademacher()", "'validation' does not go with 'enumerate'"),
        ("{file: d.csv, train: 50, validation: 12}", "d.x", "62 rows are asked for, and there are 60"),
        ("{file: d.csv, train: 50, test: 5, validation: 0.2}", "d.x", "67 rows are asked for, and there are 60"),
    ],
)
def test_what_is_not_there_is_refused(folder: Path, data: str, x: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        program(folder, data, x)


def test_a_test_stream_of_that_name_stays_one(folder: Path) -> None:
    other = {"    architecture": '      tests: {validation: {x: "3 + normal()"}}\n    architecture'}
    values = Compiled(program(folder, "{train: 50}", **other), range(3), False).evaluate()
    assert (values["validation"] > 2).all()
    with pytest.raises(StudyError, match="cannot be the name of a test stream"):
        program(folder, "{train: 50, validation: 10}", **other)
