"""An axis whose values are arrays: a kept run calls its cells as its plan does, and is compared, grouped and drawn by them."""

from __future__ import annotations

from pathlib import Path

import dlspec
import numpy as np
import pytest

STUDY = """\
dlspec: 1
study: arrays
experiments:
  e:
    constants: {w: [1, 2]}
    sweep: {w: [[1, 2], [3, 4], [5, 6]]}
    task: {draw: {v: normal()}}
    measures: {size: "sum(w) + 0 * v"}
    replicates: 2
    claims: {rises: {says: It is large., check: final(size) >= 3}}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dlspec.Run:
    monkeypatch.chdir(tmp_path)
    Path("arrays.yaml").write_text(STUDY)
    return dlspec.run("arrays.yaml")


def test_cells_have_one_name_in_a_plan_and_in_a_run_and_one_text_on_their_axis(run: dlspec.Run) -> None:
    """Those of a run that is kept had lists where the plan has tuples."""
    planned, finals = dlspec.load("arrays.yaml").plan().cells, run.finals()
    assert list(planned["cell"]) == ["e w=(1, 2)", "e w=(3, 4)", "e w=(5, 6)"] == list(dict.fromkeys(finals["cell"]))
    texts = ["[1, 2]", "[3, 4]", "[5, 6]"]
    assert list(planned["w"]) == texts == list(dict.fromkeys(finals["w"])) == list(dict.fromkeys(run.curves()["w"]))
    assert list(run.to_xarray().coords["w"].values) == texts
    np.testing.assert_array_equal(run.to_xarray()["size"].sel(step=0), [[3, 3], [7, 7], [11, 11]])
    assert "w = (3, 4)" in run._repr_html_() and "w = (3, 4)" in (run.path / "report.html").read_text()


def test_runs_are_compared(run: dlspec.Run) -> None:
    """It was an internal error."""
    later = dlspec.run("arrays.yaml", overrides={"seed": 7})
    finals = dlspec.compare(run, later).finals()
    assert list(finals["cell"]) == ["w = (1, 2)", "w = (3, 4)", "w = (5, 6)"]
    np.testing.assert_array_equal(finals[["first", "second", "difference"]], [[3, 3, 0], [7, 7, 0], [11, 11, 0]])
