"""A stored verdict stands beside a claim that means what was judged, and beside no other of the same words."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from dlspec import spec
from dlspec.interpreter.results.past_runs import finals, stored_runs, verdicts
from dlspec.spec.diagnostics.problems import Source

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    constants: {limit: 5, d: 2}
    sweep: {d: [2, 4]}
    task: {example: {x: "normal([d])"}}
    measures: {m: E(sum(x)), other: "E(x[0])"}
    replicates: 3
    claims:
      c: {says: It is small., check: final(m) <= limit}
"""


def plan(text: str) -> spec.StudyPlan:
    return spec.resolve(spec.parse(Source("s.yaml", text)))


def stored(folder: Path, text: str) -> None:
    """A run of a study in which its claim held."""
    folder.mkdir(parents=True)
    cells = [
        {"experiment": p.experiment, "variant": p.variant, "constants": dict(p.point), "replicate": r, "digest": p.digest, "status": "done", "final": {"m": 1.0}}
        for experiment in plan(text).experiments for p in experiment.programs for r in range(p.replicates)
    ]  # fmt: skip
    claims = [{"id": "e.c", "check": "final(m) <= limit", "verdict": "holds"}]
    about = {"study": "s", "profile": "", "finished": "2026-01-01T00:00:00+00:00"}
    for file, content in {"cells.json": cells, "claims.json": claims, "run.json": about}.items():
        (folder / file).write_text(json.dumps(content), "utf-8")
    (folder / "spec.yaml").write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("It is small.", "It is very small.", True),
        ("E(x[0])", "E(x[1])", True),
        ("limit: 5", "limit: 10 / 2", True),
        ("limit: 5", "limit: 1", False),
        ("E(sum(x))", "E(sum(x^2))", False),
        ("<= limit}", "<= limit, judge: mean}", False),
        ("<= limit}", "<= limit, family: f}\n      b: {says: So., check: final(m) < 9, family: f}", False),
        ("[2, 4]", "[2]", False),
        ("replicates: 3", "replicates: 2", False),
    ],
)
def test_a_verdict_is_that_of_the_same_meaning(old: str, new: str, same: bool, tmp_path: Path) -> None:
    assert old in STUDY
    stored(tmp_path / "run", STUDY)
    runs = stored_runs(tmp_path)
    assert verdicts(runs, plan(STUDY)) == {"e.c": "holds"}
    assert verdicts(runs, plan(STUDY.replace(old, new))) == ({"e.c": "holds"} if same else {})


def test_a_final_that_is_not_finite_is_none_the_less_one_of_them(tmp_path: Path) -> None:
    """A diff showed the mean of those replicates whose final was finite, as if there were no others."""
    stored(tmp_path / "run", STUDY)
    file = tmp_path / "run" / "cells.json"
    cells = json.loads(file.read_text("utf-8"))
    cells[0]["final"], cells[1]["final"] = {"m": None}, {"m": None}
    cells[1]["infinite"] = {"m": -1}
    file.write_text(json.dumps(cells), "utf-8")
    first, second = plan(STUDY).experiments[0].programs
    runs = stored_runs(tmp_path)
    undefined, infinite, last = finals(runs, first)["m"]
    assert math.isnan(undefined) and (infinite, last) == (-math.inf, 1.0)
    assert finals(runs, second) == {"m": [1.0, 1.0, 1.0]}
