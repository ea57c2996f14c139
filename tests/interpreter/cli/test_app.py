"""The command as a user runs it: streams, exit codes, files, JSON; a process of its own each time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from dlspec.spec.new_study import first_spec, schema_place

from tests import forked

SMALL = """
dlspec: 1
study: small
title: A small study
experiments:
  line:
    task: {draw: {v: "normal([3])"}, example: {x: "normal([3])", y: "dot(v, x)"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {squared: (f - y)^2}
    training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 8, steps: STEPS, evaluate: {every: EVERY, examples: 64}}
    measures: {error: E((f - y)^2)}
    replicates: 2
    claims:
      learns: {says: it learns, check: CHECK}
    figures:
      error: {kind: curves, y: error, scale: {y: log}}
      fit: {kind: function, x: "x[0]", y: {target: y, learnt: f}}
"""


def dlspec(*arguments: str, cwd: Path, forks: bool = True, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1"}
    command = [sys.executable, "-c", "from dlspec.interpreter.cli.app import main; main()", *arguments]
    light = arguments[:1] != ("run",) and "graph" not in arguments
    start = partial(forked.run, light=light) if forks else subprocess.run
    return start(command, cwd=cwd, capture_output=True, text=True, env=environment, timeout=300, **more)


def small(folder: Path, check: str = "final(error) < 1e-3", steps: int = 100, every: int = 50) -> Path:
    path = folder / "small.yaml"
    path.write_text(SMALL.replace("CHECK", check).replace("STEPS", str(steps)).replace("EVERY", str(every)), "utf-8")
    return path


def runs(folder: Path) -> list[Path]:
    """The folders of runs."""
    return sorted(path.parent for path in (folder / "runs").glob("*/run.json"))


def test_a_run_prints_its_numbers_and_verdicts_and_keeps_everything(tmp_path: Path) -> None:
    small(tmp_path)
    done = dlspec("run", "small.yaml", "-j", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "~ seen" in done.stdout and "error" in done.stdout
    assert "line: 100 steps, 2 replicates" in done.stderr
    (run,) = runs(tmp_path)
    names = {path.name for path in run.iterdir()}
    assert {
        "spec.yaml",
        "curves.parquet",
        "cells.json",
        "claims.json",
        "run.json",
        "samples.npz",
        "report.html",
    } <= names
    assert {f"line.{figure}.{end}" for figure in ("error", "fit") for end in ("png", "svg", "json")} <= names
    assert f"report {run.relative_to(tmp_path) / 'report.html'}" in done.stdout
    page = (run / "report.html").read_text("utf-8")
    assert run.name in page and "dlspec run small.yaml" in page and page.count("data:image/") == 2
    assert (run / "line.error.png").read_bytes().startswith(b"\x89PNG")
    assert (run / "spec.yaml").read_text("utf-8") == (tmp_path / "small.yaml").read_text("utf-8")
    table = pq.read_table(run / "curves.parquet").to_pydict()
    assert sorted(set(table["step"])) == [0, 50, 100] and len(table["value"]) == 6
    cells = json.loads((run / "cells.json").read_text("utf-8"))
    finals = [value for value, step in zip(table["value"], table["step"], strict=True) if step == 100]
    assert sorted(cell["final"]["error"] for cell in cells) == sorted(finals)
    about = json.loads((run / "run.json").read_text("utf-8"))
    assert about["device"] in ("cpu", "gpu") and about["packages"]["tensorflow"]
    assert about["seeds"] == {"line": [0]} and "git" in about


def test_json_is_one_object_on_stdout_and_the_same_numbers_every_time(tmp_path: Path) -> None:
    small(tmp_path)
    first, second = (
        json.loads(dlspec("run", "small.yaml", "--json", *again, cwd=tmp_path, forks=forks).stdout)
        for again, forks in (((), True), (("--force",), False))  # two seeds of hashes
    )
    assert set(first) == {"format_version", "study", "profile", "run", "cells", "claims"}
    assert [cell["final"] for cell in first["cells"]] == [cell["final"] for cell in second["cells"]]
    assert {"experiment", "variant", "constants", "replicate", "digest", "steps", "seconds", "final"} <= set(
        first["cells"][0]
    )
    assert {"id", "verdict", "value", "interval"} <= set(first["claims"][0])
    assert first["run"] != second["run"]


def test_a_claim_that_fails_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    small(tmp_path, check="final(error) > 10")
    done = dlspec("run", "small.yaml", cwd=tmp_path)
    assert done.returncode == 3 and "✗ fails" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("run", "none.yaml"), 1, "none.yaml: cannot be read"),
        (("run", "small.yaml", "-p", "quick"), 1, "there is no profile 'quick'\nThere are no profiles here."),
        (("run", "small.yaml", "-o", "training.step=3"), 1, "Did you mean 'steps'?"),
        (("run", "small.yaml", "--only", "lime"), 1, "Did you mean 'line'?"),
        (("run", "small.yaml", "--jit", "often"), 2, "often"),
        (("run",), 2, "FILE"),
        (("walk",), 2, "walk"),
        (("validate", "bad.yaml"), 1, "bad.yaml:9:26: unknown name 'z'"),
        (("new", "2x"), 2, "'2x' is not a name"),
        (("new", "_two words"), 2, "`dlspec new two_words`"),
        (("new", "small"), 1, "exists already"),
        (("ops", "floor_too"), 1, "Did you mean 'floor_to'?"),
    ],
)
def test_what_is_wrong_goes_to_stderr_with_its_exit_code(
    arguments: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    path = small(tmp_path)
    (tmp_path / "bad.yaml").write_text(path.read_text("utf-8").replace("(f - y)^2}", "(f - z)^2}", 1), "utf-8")
    done = dlspec(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert said in done.stderr and "Traceback" not in done.stderr and not done.stdout.strip()


def test_validate_needs_no_tensorflow(tmp_path: Path) -> None:
    small(tmp_path)
    code = (
        "import sys\nfrom dlspec.interpreter.cli.app import main\nsys.argv = ['dlspec', 'validate', 'small.yaml']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    print(end.code, 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.split("\n")[:2] == ["small.yaml: valid", "0 False"]


@pytest.mark.parametrize("stage", ["resolved", "cells", "expressions", "graph"])
def test_every_stage_can_be_shown(stage: str, tmp_path: Path) -> None:
    small(tmp_path)
    done = dlspec("show", "small.yaml", "--stage", stage, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "line" in done.stdout and not done.stderr


def test_ctrl_c_stops_at_an_evaluation_and_keeps_what_there_is(tmp_path: Path) -> None:
    small(tmp_path, steps=10**8, every=10**5)
    command = [
        sys.executable,
        "-c",
        "from dlspec.interpreter.__main__ import main; main()",
        "run",
        "small.yaml",
        "--log",
        "json",
    ]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        events = map(json.loads, process.stderr)
        assert next(events)["event"] == "planned"
        assert any(event.get("step", 0) > 0 for event in events)  # some of the training is done
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "kept in" in err and "Traceback" not in err
    (run,) = runs(tmp_path)
    cells = json.loads((run / "cells.json").read_text("utf-8"))
    assert {cell["status"] for cell in cells} == {"interrupted"}
    assert 0 < cells[0]["steps"] < 10**8
    assert "inconclusive" in out


def test_a_killed_run_leaves_no_run_behind(tmp_path: Path) -> None:
    small(tmp_path, steps=10**8, every=10**5)
    command = [sys.executable, "-c", "from dlspec.interpreter.cli.app import main; main()", "run", "small.yaml"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.kill()
        process.communicate(timeout=60)
    assert runs(tmp_path) == []


def test_a_run_goes_on_when_nobody_reads_its_log_any_more(tmp_path: Path) -> None:
    small(tmp_path)
    command = [
        sys.executable,
        "-c",
        "from dlspec.interpreter.cli.app import main; main()",
        "run",
        "small.yaml",
        "--log",
        "json",
    ]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None and process.stdout is not None
        assert json.loads(process.stderr.readline())["event"] == "planned"
        process.stderr.close()
        out = process.stdout.read()
        assert process.wait(120) == 0 and "~ seen" in out
    (run,) = runs(tmp_path)
    assert {cell["status"] for cell in json.loads((run / "cells.json").read_text("utf-8"))} == {"done"}


def test_the_first_spec_runs_and_its_claims_hold(tmp_path: Path) -> None:
    made = dlspec("new", "first", cwd=tmp_path)
    assert made.returncode == 0 and "dlspec run first.yaml" in made.stdout
    assert (tmp_path / "first.yaml").read_text("utf-8") == first_spec("first", schema_place(tmp_path))
    done = dlspec("run", "first.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {claim["verdict"] for claim in json.loads(done.stdout)["claims"]} == {"holds"}


def test_one_variant_alone_gives_the_numbers_it_gives_among_others(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text(first_spec("first", "x"), "utf-8")
    quick = ("-o", "training.steps=50", "--json")
    whole = json.loads(dlspec("run", "first.yaml", *quick, cwd=tmp_path).stdout)["cells"]
    alone = json.loads(dlspec("run", "first.yaml", "--only", "product/linear", *quick, cwd=tmp_path).stdout)["cells"]
    assert [cell["final"] for cell in alone] == [cell["final"] for cell in whole if cell["variant"] == "linear"]
    assert not np.allclose(alone[0]["final"]["accuracy"], 0.0)
