"""A script without a guard: processes that train for it do not run it again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SCRIPT = '''
import dlspec
import dlspec.interpreter.executors.local as local

local.MAX_COMPILATIONS = 0  # the first program goes to a process of its own already
print("once", flush=True)
study = dlspec.Study("""
dlspec: 1
study: s
experiments:
  e:
    task: {example: {x: normal()}}
    measures: {level: E(x)}
""")
run = dlspec.run(study, jit="graph")
print(run.exit_code, run.record.replicates["done"])
'''


def test_a_script_is_not_run_again_by_the_processes_that_train_for_it(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert (done.stdout, done.stderr) == ("once\n0 1\n", "")
    assert len(list((tmp_path / "runs").glob("s-*"))) == 1
