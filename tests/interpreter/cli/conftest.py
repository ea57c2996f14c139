"""The command as a user runs it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.api import running
from dlspec.interpreter.cli.run import execute
from dlspec.interpreter.cli.run_options import RunOptions
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.spec.diagnostics.problems import Source

from tests import forked
from tests.interpreter.cli.made_runs import SAMPLES, STUDY

HEAVY = ("tensorflow", "keras", "matplotlib")
RUN = f"""
import atexit, sys
atexit.register(lambda: print("loaded", *(m for m in {HEAVY!r} if m in sys.modules), file=sys.stderr))
from dlspec.interpreter.cli.app import main
main()
"""

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def dlspec(tmp_path: Path) -> Command:
    """Runs `dlspec` with arguments in a temporary folder; it must not load what training needs."""

    def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "NO_COLOR": "1"}
        done = forked.run(
            [sys.executable, "-c", RUN, *arguments], light=True,
            cwd=more.pop("cwd", tmp_path), capture_output=True, text=True, env=environment, timeout=120, **more,
        )  # fmt: skip
        *errors, loaded = done.stderr.splitlines()
        assert loaded == "loaded", done.stderr
        done.stderr = "".join(line + "\n" for line in errors)
        return done

    return run


@pytest.fixture
def plan(request: pytest.FixtureRequest) -> spec.StudyPlan:
    """A study with a claim that is seen, one that fails, and a figure of every kind; of one kind where that is enough."""
    few = request.node.get_closest_marker("usefixtures") is None
    text = STUDY[: STUDY.index("      bars:")] if few else STUDY
    return spec.resolve(spec.parse(Source("small.yaml", text)))


@pytest.fixture
def run(plan: spec.StudyPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Callable[..., Any]:
    """The command with replicates made by hand instead of trained: its exit code, its output, its warnings, its run's folder."""
    replicates = []
    for program in plan.experiments[0].programs:
        replicate = Replicate("e", "", dict(program.point), 0, program.digest, key=f"{len(replicates):016x}")
        for step in (0, 10, 20):
            replicate.record(step, {"error": np.asarray(3.0 / (1 + step)), "s": np.ones(3), "p": np.ones((3, 3))})
        replicate.samples = {name: {20: values} for name, values in SAMPLES.items()}
        replicates.append(replicate)
    results = {"e": Results.of_plan(plan.experiments[0], replicates)}
    monkeypatch.setattr(running, "_run", lambda *_: (results, "cpu"))

    def execute_it(stored: bool = False, **options: Any) -> tuple[int, str, list[str], Path | None]:
        for replicate in replicates:
            replicate.stored = stored
        root = tmp_path / "runs"
        before = set(root.glob("*/run.json"))
        code = execute(plan, RunOptions(str(tmp_path / "small.yaml"), runs=root, **options), ["run", "small.yaml"])
        made = list(set(root.glob("*/run.json")) - before)
        assert not list(root.glob(".*")), "no draft is left"
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err.splitlines(), made[0].parent if made else None

    return execute_it
