"""The folder of a run: whole or not there at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from dlspec import spec
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.results.run_writer import RunFolder, cells_json, curves_table, write_samples
from dlspec.interpreter.results.verdicts import Decision, Verdict
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.new_study import first_spec


def replicate() -> Replicate:
    made = Replicate("product", "linear", {"d": 2}, 1, "abc")
    made.record(0, {"a": 1.5, "b": np.asarray([1.0, np.inf])})
    made.record(10, {"a": 2.5, "b": np.asarray([3.0, 4.0])})
    return made


def test_curves_are_a_row_a_number() -> None:
    rows = curves_table([replicate()]).to_pylist()
    assert [(r["measure"], r["index"], r["step"], r["value"]) for r in rows] == [
        ("a", 0, 0, 1.5), ("a", 0, 10, 2.5), ("b", 0, 0, 1.0), ("b", 1, 0, np.inf), ("b", 0, 10, 3.0), ("b", 1, 10, 4.0),
    ]  # fmt: skip
    assert {(r["experiment"], r["variant"], r["replicate"], r["digest"]) for r in rows} == {
        ("product", "linear", 1, "abc")
    }


def test_a_number_that_is_not_finite_is_null_in_json() -> None:
    bad = replicate()
    bad.record(20, {"a": np.nan, "b": np.asarray([np.inf, 1.0])})
    (found,) = cells_json({"product": Results("product", {}, 2, [bad])})
    assert found["final"] == {"a": None, "b": [None, 1.0]}
    json.dumps(found, allow_nan=False)


def test_a_run_is_there_when_it_is_committed_and_not_before(tmp_path: Path) -> None:
    plan = spec.resolve(spec.parse(Source("first.yaml", first_spec("first", "x"))))
    results = {"product": Results("product", {}, 2, [replicate()])}
    first, second = RunFolder(tmp_path, plan), RunFolder(tmp_path, plan)
    first.write_results(plan, results, "cpu", ["run"])
    assert [path for path in tmp_path.iterdir() if not path.name.startswith(".")] == []
    place = first.commit()
    assert place.parent == tmp_path and (place / "curves.parquet").stat().st_size > 0
    second.write_results(plan, results, "cpu", ["run"])
    other = second.commit()
    assert other != place and {path.name for path in other.iterdir()} == {path.name for path in place.iterdir()}
    third = RunFolder(tmp_path, plan)
    third.discard()
    assert set(tmp_path.iterdir()) == {place, other}


def test_a_run_says_how_its_cells_and_claims_came_out(tmp_path: Path) -> None:
    plan = spec.resolve(spec.parse(Source("first.yaml", first_spec("first", "x"))))
    bad = replicate()
    bad.status, bad.stored = "diverged", True
    folder = RunFolder(tmp_path, plan)
    folder.write_results(plan, {"product": Results("product", {}, 2, [replicate(), replicate(), bad])}, "cpu", ["run"])
    claim = plan.experiments[0].claims[0]
    folder.write_verdicts([Verdict(claim, Decision("holds"), 1.0), Verdict(claim, Decision("fails"), 1.0)])
    about = json.loads((folder.commit() / "run.json").read_text("utf-8"))
    assert about["cells"] == {"done": 2, "diverged": 1} and about["stored"] == 1
    assert about["verdicts"] == {"holds": 1, "fails": 1}


def test_samples_are_one_entry_a_value(tmp_path: Path) -> None:
    made = replicate()
    made.sample("fit", 10, {"x": np.arange(3.0)})
    write_samples(tmp_path / "samples.npz", [made])
    with np.load(tmp_path / "samples.npz") as found:
        assert list(found) == ['product/linear/{"d": 2}/1/fit/10/x']
        assert np.array_equal(found[next(iter(found))], np.arange(3.0))
    write_samples(tmp_path / "none.npz", [replicate()])
    assert not (tmp_path / "none.npz").exists()
