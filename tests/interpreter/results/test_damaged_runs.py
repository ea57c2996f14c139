"""Runs whose folders are damaged, and folders with odd names: what is whole is shown, what is not is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.results.json_shapes import SHAPES, filled
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.results.run_writer import RunFolder, cells_json, claims_json
from dlspec.interpreter.verdicts.judge import judge
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.new_study import first_spec

from tests import forked
from tests.forked import MAIN


def dlspec(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1"}
    command = [sys.executable, "-c", MAIN, *arguments]
    return forked.run(
        command, light=arguments[:1] != ("run",), cwd=cwd, capture_output=True, text=True, env=environment, timeout=120
    )


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """A run of the first spec in a folder of runs, its numbers made by hand."""

    def made(root: str = "runs") -> Path:
        plan = spec.resolve(spec.parse(Source("first.yaml", first_spec("first", "x"))))
        results = {}
        for experiment in plan.experiments:
            replicates = []
            for program in experiment.programs:
                for number in range(program.replicates):
                    replicate = Replicate(
                        experiment.name, program.variant, dict(program.point), number, program.digest, key="k"
                    )
                    for step in (0, 10):
                        replicate.record(step, {measure.name: np.asarray(0.25) for measure in program.measures})
                    replicates.append(replicate)
            results[experiment.name] = Results.of_plan(experiment, replicates)
        folder = RunFolder(tmp_path / root, plan)
        folder.write_results(plan, results, "cpu", ["run", "first.yaml"])
        verdicts = [judge(claim, results[e.name]) for e in plan.experiments for claim in e.claims]
        folder.write_claims(verdicts)
        folder.write_verdicts(verdicts)
        return folder.commit()

    return made


BROKEN = ("{", "3", "{}", '["x"]', '[{"id": "e.x"}]', "\x00", "[" * 100_000)


@pytest.mark.parametrize("content", BROKEN[:-1])
@pytest.mark.parametrize("name", ["claims.json", "cells.json"])
def test_what_is_damaged_has_another_shape(name: str, content: str) -> None:
    try:
        value = json.loads(content)
    except ValueError:
        return
    with pytest.raises(ValueError, match=r"is no|has no"):
        filled(value, SHAPES[name])


def test_what_is_written_has_the_shape_that_is_read(make_run: Callable[..., Path]) -> None:
    run = make_run()
    for name in SHAPES:
        value = json.loads((run / name).read_text("utf-8"))
        assert value and filled(value, SHAPES[name]) == value
    assert cells_json({}) == claims_json([]) == []


@pytest.mark.parametrize("content", BROKEN)
def test_damaged_claims_leave_the_finals(content: str, make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = make_run()
    (run / "claims.json").write_text(content, "utf-8")
    done = dlspec("runs", "show", run.name, cwd=tmp_path)
    assert done.returncode == 1 and "0.25" in done.stdout and f"run    runs/{run.name}" in done.stdout
    (line,) = done.stderr.splitlines()
    assert (
        line.startswith(f"warning: claims failed: runs/{run.name}/claims.json: cannot be read")
        and "run the study again" in line
    )


def test_damaged_files_are_told_by_every_command(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run, other = make_run(), make_run()
    (run / "claims.json").write_text("[{}]", "utf-8")

    def told(*arguments: str) -> tuple[int, str, str]:
        done = dlspec(*arguments, cwd=tmp_path)
        assert "Traceback" not in done.stderr and "internal error" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    code, out, err = told("compare", run.name, other.name)
    assert code == 1 and "0.25" in out and "same cells" in out and "claims.json" in err
    code, out, err = told("report", run.name)
    page = (run / "report.html").read_text("utf-8")
    assert code == 1 and "claims.json" in err and "0.25" in page and "claims.json: cannot be read" in page
    code, out, err = told("report", run.name)
    assert code == 1 and "claims.json" in err and (run / "report.html").read_text("utf-8") == page
    code, out, err = told("runs")
    assert code == 0 and run.name in out and other.name in out, "run.json counts the verdicts"
    (run / "cells.json").write_text("{}", "utf-8")
    code, out, err = told("runs", "show", run.name)
    assert code == 1 and "cells.json: cannot be read: it is not a list" in err and run.name in out
    code, out, err = told("runs", "export", run.name, "x.csv", "--finals")
    assert code == 1 and "cells.json" in err
    assert told("runs", "export", run.name, "y.csv")[0] == 0, "the curves are whole"
    (run / "run.json").write_text('{"finished": "2024-01-01T00:00:00", "cells": 3}', "utf-8")
    code, out, err = told("runs")
    assert code == 0 and other.name in out and f"{run.name} " not in out and "cells.json" in err
    (run / "run.json").write_text("[]", "utf-8")
    code, out, err = told("runs")
    assert code == 0 and other.name in out and "run.json: cannot be read: it is not an object" in err


def test_cells_of_a_run_that_cannot_be_read_are_not_pruned(make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = make_run()
    (tmp_path / "runs" / "store").mkdir()
    (tmp_path / "runs" / "store" / "index.sqlite").write_bytes(b"")
    (run / "cells.json").write_text("{", "utf-8")
    done = dlspec("runs", "prune", "--replicates", cwd=tmp_path)
    assert done.returncode == 1 and "cells.json: cannot be read" in done.stderr and "store:" not in done.stdout


@pytest.mark.parametrize("root", ["a[b]c", "[red]", "x [/] y", "[1, 2]", "*?", "50%{}"])
def test_folders_may_be_called_anything(root: str, make_run: Callable[..., Path], tmp_path: Path) -> None:
    run = make_run(root)
    shown = dlspec("runs", "show", run.name, "--runs", root, cwd=tmp_path)
    assert shown.returncode == 0 and f"run    {root}/{run.name}\n" in shown.stdout


def test_values_in_brackets_are_no_markup(make_run: Callable[..., Path], tmp_path: Path, capsys: Any) -> None:
    from dlspec.interpreter.cli.text.results import print_finals
    from rich.console import Console

    replicates = [Replicate("e", "", {"d": "[bold]"}, number, "", "diverged", "at [red]") for number in (0, 1)]
    for replicate, value in zip(replicates, (0.5, np.inf), strict=True):
        replicate.record(0, {"m": np.asarray(value)})
    print_finals({"e": Results("e", {"d": ("[bold]",)}, 2, replicates)}, Console(width=160))
    out = capsys.readouterr().out
    assert "d = [bold]" in out and "at [red]" in out


def test_a_difference_tells_which_runs_it_cannot_read(make_run: Callable[..., Path], tmp_path: Path) -> None:
    """What is left out of the numbers beside a difference is named, a line each; the difference is shown all the same."""
    run, other = make_run(), make_run()
    (run / "cells.json").write_text("{}", "utf-8")
    after = tmp_path / "after.yaml"
    text = (run / "spec.yaml").read_text("utf-8")
    (tmp_path / "before.yaml").write_text(text, "utf-8")
    after.write_text(text.replace("steps: ", "steps: 1"), "utf-8")
    done = dlspec("diff", "before.yaml", "after.yaml", cwd=tmp_path)
    assert done.returncode == 1 and "steps" in done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("warning: ") and f"{run.name}/cells.json: cannot be read: it is not a list" in line
    (other / "run.json").write_text("[]", "utf-8")
    assert len(dlspec("diff", "before.yaml", "after.yaml", cwd=tmp_path).stderr.splitlines()) == 2
