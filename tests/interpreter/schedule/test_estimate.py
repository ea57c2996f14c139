"""What would not fit is refused with what would; no TensorFlow is loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dlspec import spec
from dlspec.interpreter.api.plan_text import cell_words, totals
from dlspec.interpreter.schedule.estimate import plan_data, refusal, rows
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program, StudyPlan
from dlspec.spec.passes.memory import PROCESS_BYTES, memory

ROOT = Path(__file__).parents[3]
DENSE = """
task: {example: {x: "rademacher([200])", y: "prod(x[:3])"}}
architecture: {f: {input: x, layers: [dense: {units: 300, activation: relu}, dense: {units: 100, activation: relu}, dense: 1]}}
loss: {l: "(f - y)^2"}
training: {optimizer: OPTIMIZER, batch: 64, steps: 10}
measures: {m: E(f)}
"""


def test_what_would_not_fit_is_refused_with_what_would(program: Callable[[str], Program]) -> None:
    one = program(DENSE.replace("OPTIMIZER", "adam").replace("batch: 64", "batch: 1000000") + "replicates: 3")
    (row,) = rows(_plan(one), {}, 1e10)
    assert refusal(row, PROCESS_BYTES + row.memory) == ""
    text = refusal(row, PROCESS_BYTES + row.memory // 2)
    batch = int(text.split("A batch of ")[1].split(" ")[0].replace(",", ""))
    assert memory(one, batch=batch) <= row.memory // 2 < memory(one, batch=batch + 1)
    assert "1 replicate would fit (there are 3)" in text
    assert "Neither a batch of 1 nor one replicate would fit" in refusal(row, PROCESS_BYTES)


def test_replicates_that_run_one_part_after_the_other_are_not_in_memory_together(
    program: Callable[[str], Program],
) -> None:
    text = DENSE.replace("OPTIMIZER", "adam")
    (few,), (many,) = (rows(_plan(program(f"{text}replicates: {count}")), {}, 1e10) for count in (1000, 100_000))
    assert few.memory == many.memory < memory(few.program) / 2
    (on_gpu,) = rows(_plan(few.program), {}, 1e10, "gpu")
    assert on_gpu.memory == memory(few.program)


EQUAL = """dlspec: 1
study: equal
experiments:
  e:
    task: {example: {x: "normal([4])", y: sum(x)}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: (f - y)^2}
    training: {optimizer: sgd, batch: 16, steps: 30}
    measures: {m: E((f - y)^2)}
    replicates: 3
    variants: {a: {}, b: {}, more: {replicates: 5}, other: {training: {optimizer: {sgd: 0.3}}}}
"""


def test_what_equal_cells_share_is_counted_once(tmp_path: Path) -> None:
    """As it is run once: `b` is `a`, and `more` has two replicates beside; with all that stored there is nothing to run but the other."""
    plan = spec.resolve(spec.parse(Source("s.yaml", EQUAL)))
    found = rows(plan, {}, 1e10)
    assert [row.to_run for row in found] == [3, 0, 2, 3]
    assert [row.seconds > 0 for row in found] == [True, False, True, True]
    assert "14 replicates in 4 cells, 8 to run" in totals(found)
    assert [cell_words(row)[-1] for row in found] == ["3 to run", "3 equal to others", "2 to run, 3 equal", "3 to run"]
    assert [cell["equal"] for cell in plan_data(plan, found, 1e10, [])["cells"]] == [0, 3, 3, 0]
    stored = rows(plan, {"e/a": 3, "e/b": 3, "e/more": 5}, 1e10)
    assert [row.to_run for row in stored] == [0, 0, 0, 3]
    assert [cell_words(row)[-1] for row in stored] == ["3 stored", "3 stored", "5 stored", "3 to run"]


def _plan(one: Program) -> StudyPlan:
    from dlspec.spec.ir.plan import ExperimentPlan

    return StudyPlan("t", "t", "", "", (ExperimentPlan("e", "", {}, (one,), (), ()),))


def test_the_command_needs_no_tensorflow(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom dlspec.interpreter.cli.app import main\ntry:\n    main()\nexcept SystemExit as end: print('code', end.code)\n"
        "print('loaded', *(n for n in ('tensorflow', 'keras', 'matplotlib', 'pyarrow') if n in sys.modules))"
    )
    file = str(ROOT / "tests/spec/diff/base.yaml")
    command = [sys.executable, "-c", code, "plan", file]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"}, timeout=120
    )
    assert done.stdout.splitlines()[-2:] == ["code 0", "loaded"], done.stderr
    assert "score [20] → 30 → 1" in done.stdout and "3 to run" in done.stdout and "expected time" in done.stdout
    done = subprocess.run(
        [*command, "--json", "--memory", "0.0001"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    data = json.loads(done.stdout.splitlines()[0])
    assert data["format_version"] == 1 and len(data["refused"]) == len(data["cells"]) == 6
    assert done.stdout.splitlines()[1] == "code 1" and "in addition to TensorFlow" in done.stderr
