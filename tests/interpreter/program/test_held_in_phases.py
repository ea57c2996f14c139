"""A phase's `until`: a replicate that meets it holds its weights to the border, where all go on together."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.cli.run import execute
from dlspec.interpreter.cli.run_options import Jit, RunOptions
from dlspec.interpreter.program.job import Job, JobGroup
from dlspec.interpreter.program.training_loop import train, train_group
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.schedule.batching import split_into_batches
from dlspec.interpreter.store.checkpoints import Checkpoints
from dlspec.interpreter.store.requests import CellRequest
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.merge_cells import merge_cells

from tests.interpreter.silent import Silent

pytestmark = pytest.mark.usefixtures("traced_once")
STUDY = """
dlspec: 1
study: held
experiments:
  e:
    seed: 7
    replicates: 4
    constants: {c: 5.5}
    sweep: {c: [5.5, 1.5]}
    task: {draw: {v: "uniform(1, 4)"}, example: {x: "0 * uniform() + 1"}}
    architecture: {f: {input: "[x]", layers: [{dense: {units: 1, use_bias: false, kernel_initializer: zeros}}]}}
    loss: {l: "-v * f"}
    training:
      optimizer: OPTIMIZER
      batch: 2
      evaluate: {every: 1, examples: 2}
      phases: {a: {steps: 3, times: 2, until: m > c}, b: {steps: 2}}
    measures: {m: "E(f)"}
"""
SGD = "{sgd: {learning_rate: 1}}"
"""Each step adds v to the one weight."""
MOVING = "{sgd: {learning_rate: '1.5 / (1 + step)', momentum: 0.5, use_ema: true, ema_momentum: 0.2}}"
"""It keeps moments and averages, of which measures are."""


def programs(optimizer: str) -> tuple[Program, ...]:
    plan = spec.resolve(spec.parse(Source("held.yaml", STUDY.replace("OPTIMIZER", optimizer))))
    return plan.experiments[0].programs


def jobs(cells: Sequence[Program], jit: str = "graph", numbers: Sequence[int] = range(4)) -> list[Job]:
    requests = [CellRequest.of(cell, "cpu") for cell in cells]
    return [Job(place, split_into_batches(one, numbers)[0], jit) for place, one in enumerate(requests)]


def curve(replicate: Replicate) -> list[float]:
    return [float(value) for value in replicate.curves["m"]]


def expected(v: float, c: float) -> list[float]:
    """What the weight is after each step, as it was said; each pass of `a` begins free."""
    found, held = [0.0], False
    for step in range(8):
        if step in (0, 3, 6):
            held = step == 0 and found[-1] > c
        found.append(found[-1] + (0 if held else v))
        held = held or (step < 5 and step != 2 and found[-1] > c)
    return found


@pytest.mark.parametrize("jit", ["graph", "xla"])
def test_a_replicate_holds_its_weights_to_the_border(jit: str) -> None:
    (job, _) = jobs(programs(SGD), jit)
    found = train(job, Silent(), threading.Event())
    speeds = [curve(replicate)[1] for replicate in found]
    for replicate, v in zip(found, speeds, strict=True):
        assert replicate.status == "done" and replicate.steps == list(range(9))
        np.testing.assert_allclose(curve(replicate), expected(v, 5.5), rtol=1e-5)
    held = ["held in the phase a[0]" in replicate.message for replicate in found]
    assert any(held) and not all(held)
    slow = min(range(4), key=speeds.__getitem__)
    assert found[slow].message == "its weights were held in the phase a[1] from step 5 to step 6"


@pytest.mark.parametrize("optimizer", [SGD, MOVING])
def test_beside_others_it_is_what_it_is_alone(optimizer: str) -> None:
    """Other replicates, and other cells with other conditions."""
    cells = programs(optimizer)
    batch = merge_cells(cells)
    assert batch is not None
    together = train_group(JobGroup(tuple(jobs(cells)), batch), Silent(), threading.Event())
    for cell, found in zip(cells, together, strict=True):
        for number in (0, 3):
            (alone,) = train(jobs([cell], numbers=[number])[0], Silent(), threading.Event())
            np.testing.assert_allclose(curve(found[number]), curve(alone), rtol=1e-6)
            assert found[number].message == alone.message
    assert len({replicate.message for found in together for replicate in found}) > 2


class Stops(Silent):
    """Ends training after some evaluations."""

    def __init__(self, after: int) -> None:
        self.left, self.stop = after, threading.Event()

    def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
        self.left -= 1
        if not self.left:
            self.stop.set()


@pytest.mark.parametrize("after", [3, 4, 6])
def test_a_run_that_was_killed_in_a_held_phase_goes_on_to_the_bit(after: int, tmp_path: Path) -> None:
    cell = programs(MOVING)[1]
    (plain,) = jobs([cell])
    whole = train(plain, Silent(), threading.Event())
    job = Job(0, plain.batch, "graph", Checkpoints(tmp_path / "c", {}, 0.0))
    stops = Stops(after)
    broken = train(job, stops, stops.stop)
    assert {replicate.status for replicate in broken} == {"interrupted"}
    found = train(job, Silent(), threading.Event())
    assert any("a[0]" in replicate.message for replicate in whole)
    for one, other in zip(found, whole, strict=True):
        assert curve(one) == curve(other) and one.message == other.message and one.status == "done"


def test_what_a_held_replicate_would_have_become_ends_nothing() -> None:
    """Its loss would not be finite in the rest of the phase."""
    rate = "{sgd: {learning_rate: '1 if step < 2 or step > 2 else 1e38'}}"
    text = STUDY.replace("    sweep: {c: [5.5, 1.5]}\n", "").replace("OPTIMIZER", rate)
    text = text.replace('"-v * f"', '"-v * f + 1e-30 * f^4"')
    (cell,) = spec.resolve(spec.parse(Source("held.yaml", text))).experiments[0].programs
    found = train(jobs([cell])[0], Silent(), threading.Event())
    held = {replicate.status for replicate in found if curve(replicate)[2] > 5.5}
    others = {replicate.status for replicate in found if curve(replicate)[2] <= 5.5}
    assert (held, others) == ({"done"}, {"diverged"})


def test_the_condition_is_part_of_the_training() -> None:
    """Of its digest, by what the measure is and when it is taken; and of what is random."""
    one, other = (program.digest for program in programs(SGD))
    assert one != other
    text = STUDY.replace("OPTIMIZER", SGD)
    digests = [
        spec.resolve(spec.parse(Source("held.yaml", changed))).experiments[0].programs[0].digest
        for changed in (
            text,
            text.replace(", until: m > c", ""),
            text.replace('m: "E(f)"', 'm: "E(f) * 1"'),
            text.replace("every: 1", "every: 2"),
        )
    ]
    assert len(set(digests)) == 4


def test_the_report_and_its_curves_say_what_was_held(tmp_path: Path) -> None:
    """And the run's files, from what is stored, too."""
    text = STUDY.replace("OPTIMIZER", SGD) + "    figures: {c: {kind: curves, y: m}}\n"
    plan = spec.resolve(spec.parse(Source("held.yaml", text)))
    for stored in (False, True):
        options = RunOptions(str(tmp_path / "held.yaml"), runs=tmp_path, jobs=1, jit=Jit.graph)
        assert execute(plan, options, ["run", "held.yaml"]) == 0
        newest = max(tmp_path.glob("*/run.json"), key=lambda path: path.stat().st_mtime_ns).parent
        cells = (newest / "cells.json").read_text("utf-8")
        assert f'"stored": {str(stored).lower()}' in cells
        count = cells.count("its weights were held in the phase a[1] from step 4 to step 6")
        assert 0 < count < 8
        below = " ".join(json.loads((newest / "e.c.json").read_text("utf-8"))["below"])
        assert below == "8 of 8 replicates held their weights to the end of a phase, whose `until` they met."
        page = (newest / "report.html").read_text("utf-8")
        assert "held to the end of a phase: 8 replicates in 2 cells" in page
