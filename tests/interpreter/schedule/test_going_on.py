"""Cells that are equal up to a border of training's phases: their steps are made once, and the numbers are those of each trained alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.api.plan_text import plan_text
from dlspec.interpreter.cli.run_options import RunOptions
from dlspec.interpreter.executors.base import Threads
from dlspec.interpreter.program.begun import name_alone
from dlspec.interpreter.program.job import Job, JobGroup
from dlspec.interpreter.program.program_cache import ProgramCache
from dlspec.interpreter.program.training_loop import train_group
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.schedule.estimate import rows
from dlspec.interpreter.schedule.progress import Quiet
from dlspec.interpreter.schedule.scheduler import Progress, Run
from dlspec.interpreter.store.checkpoints import Checkpoint, SideBySide
from dlspec.interpreter.store.requests import CellRequest, requests_of
from dlspec.interpreter.store.store import Store
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.digests import Digests
from dlspec.spec.passes.shared_borders import borders, shared_borders

STUDY = """
dlspec: 1
study: t
experiments:
  e:
    constants: {anchor: 1}
    task: {example: {x: "normal([3])", y: "x[0] + phase"}}
    architecture:
      f: {input: x, layers: [dense: {units: 6, activation: tanh, name: hid}, dropout: 0.2, dense: {units: 1, name: head}]}
      g: {input: x, layers: [dense: 1]}
    loss: {l: (f - y)^2}
    training:
      optimizer: {adam: 0.01}
      batch: 4
      evaluate: {every: 2, examples: 64}
      phases:
        a: {steps: 5, times: 2}
        b: {steps: 4, restart: [f.head], loss: {l: (f - y)^2, g: (g - y)^2}}
        c: {steps: 3}
    estimates: {fisher: {after: a, of: "E(gradient((f - y)^2, f.hid.kernel)^2)", examples: 32}}
    measures:
      error: E((f - y)^2)
      weights: norm(f.weights) + norm(g.weights)
      moved: norm(f.weights - after(a, f.weights))
      known: sum(fisher)
    replicates: 2
    variants:
      plain: {}
      other: {training: {phases: {b: {loss: {g: abs(g - y)}}}}}
      slow: {training: {phases: {c: {optimizer: {sgd: 0.001}}}}}
      apart: {training: {phases: {a: {batch: 5}}}}
      ewc: {training: {phases: {c: {loss: {l: f^2, stay: "anchor * sum(fisher * (f.hid.kernel - after(a, f.hid.kernel))^2)"}}}}}
"""


class Steps(Quiet):
    """Notes from which step each job began."""

    ending: Any = None
    """What tells the jobs of a run to end."""

    def __init__(self) -> None:
        super().__init__()
        self.begun_at: list[tuple[str, int]] = []

    def started(self, job: Job, step: int) -> None:
        self.begun_at.append((job.batch.program.variant, step))


def ran(
    root: Path, asked: Sequence[CellRequest], form: str, jobs: int = 1, stop: Any = None, watcher: Any = None
) -> tuple[dict[tuple[str, int], Any], list[tuple[str, int]]]:
    """The curves of all replicates, by variant and number, and where jobs began."""
    watcher, forms, warned = watcher or Steps(), ProgramCache(), pytest.fail
    with Store(root, warned) as store:
        progress = Progress.of_store(asked, store, RunOptions(""), jobs)

        def train(group: JobGroup, ending: Any) -> list[list[Replicate]]:
            watcher.ending = ending
            return train_group(group, watcher, ending, forms)

        executor = Threads(jobs, train)
        options = RunOptions("", checkpoint=0.0)
        Run(progress, store, executor, options, watcher, stop or threading.Event(), lambda _: form).finish()
        assert not list((root / "checkpoints").glob("*.ckpt")) or stop is not None
    curves = {
        (asked[place].program.variant, number): {k: np.asarray(v) for k, v in one.curves.items()}
        for (place, number), one in progress.replicates.items()
        if one.status == "done"
    }
    return curves, watcher.begun_at


def cells() -> tuple[list[Program], list[CellRequest]]:
    plan = spec.resolve(spec.parse(Source("t.yaml", STUDY.lstrip())))
    return list(plan.experiments[0].programs), requests_of(plan, "cpu")


def same(one: Any, other: Any) -> None:
    assert one.keys() == other.keys()
    for key in one:
        for name, values in one[key].items():
            np.testing.assert_array_equal(values, other[key][name], err_msg=f"{key} {name}")


def test_which_cells_go_on_from_which_borders() -> None:
    """Names of phases and what is measured are part of it; a border where none goes apart is no place to go on from."""
    programs, _ = cells()
    digests = Digests()
    chains = {program.variant: borders(program, digests) for program in programs}
    assert [(one.number, one.step, one.name) for one in chains["plain"]] == [(2, 10, "a"), (3, 14, "b")]
    shared = {name: [one.step for one in chain] for name, chain in shared_borders(chains).items()}
    assert shared == {"plain": [10, 14], "other": [10], "slow": [10, 14], "apart": [], "ewc": [10, 14]}
    assert shared_borders({name: chains[name] for name in ("plain", "slow")})["slow"][0].step == 14


@pytest.mark.parametrize("form", ["graph", pytest.param("xla", marks=pytest.mark.slow)])
def test_they_have_the_bits_of_cells_trained_alone_and_steps_are_made_once(form: str, tmp_path: Path) -> None:
    """As a graph the first is broken off in the last phase: what it left at the borders is there for the next run."""
    trained = ("plain", "other", "ewc") if form == "graph" else ("plain", "ewc")
    asked = [one for one in cells()[1] if one.program.variant in trained]
    stop = threading.Event()

    class Breaks(Steps):
        def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
            if step >= 14:
                stop.set()

    if form == "graph":
        _, begun = ran(tmp_path / "all", asked, form, stop=stop, watcher=Breaks())
        assert begun == [("plain", 0)]
        assert len(list((tmp_path / "all" / "checkpoints").glob("*.ckpt"))) == 3
    together, begun = ran(tmp_path / "all", asked, form)
    assert len(begun) == len(asked) and dict(begun)["plain"] >= 14 * (form == "graph")
    assert dict(begun)["ewc"] == 14 and dict(begun).get("other", 10) == 10
    alone = {}
    for one in asked:
        if one.program.variant != "plain":
            alone |= ran(tmp_path / one.program.variant, [one], form)[0]
    same({key: value for key, value in together.items() if key[0] != "plain"}, alone)


def test_the_last_goes_on_after_a_run_that_ended_when_its_leader_was_stored(tmp_path: Path) -> None:
    """What the leader left at the border is there for the one that is left, which alone would share it with nobody."""
    asked = [one for one in cells()[1] if one.program.variant in ("plain", "ewc")]
    stop = threading.Event()

    class Ends(Steps):
        def finished(self, job: Job, replicates: Sequence[Replicate]) -> None:
            stop.set()

    stored, begun = ran(tmp_path / "broken", asked, "graph", stop=stop, watcher=Ends())
    assert begun == [("plain", 0)] and {variant for variant, _ in stored} == {"plain"}
    files = {path: path.read_bytes() for path in (tmp_path / "broken" / "checkpoints").glob("*.ckpt")}
    gone_on, begun = ran(tmp_path / "broken", asked, "graph")
    assert begun == [("ewc", 14)]
    same(gone_on, ran(tmp_path / "whole", asked, "graph")[0])
    for path, content in files.items():
        path.write_bytes(content)
    ran(tmp_path / "broken", asked, "graph")  # which removes what a run left that was killed when all was stored


def rates(last: str) -> list[CellRequest]:
    """Cells that differ in a rate, which an optimiser has in the last phase."""
    text = (
        STUDY.split("    variants:")[0]
        .lstrip()
        .replace("constants: {anchor: 1}", "constants: {rate: 0.1}\n    sweep: {rate: [0.1, 0.2, 0.3]}")
    )
    text = text.replace("c: {steps: 3}", last)
    return requests_of(spec.resolve(spec.parse(Source("t.yaml", text))), "cpu")


def test_who_had_left_nothing_yet_behind_a_border_lies_beside_the_others_again(tmp_path: Path) -> None:
    """A run killed after one of the cells side by side had left a checkpoint, before the other had: both lie in programs of as many rows."""
    asked = rates("c: {steps: 6, optimizer: {sgd: {learning_rate: rate}}}")
    stop = threading.Event()

    class Rows(Steps):
        def __init__(self, breaks: bool) -> None:
            super().__init__()
            self.breaks, self.rows = breaks, dict[str, int]()

        def evaluated(self, job: Job, step: int, measures: dict[str, Any], rate: float) -> None:
            if self.breaks and job.batch.program.point["rate"] > 0.1 and step > 14:
                stop.set()
                self.ending.wait()

        def finished(self, job: Job, replicates: Sequence[Replicate]) -> None:
            self.rows[job.batch.program.name] = replicates[0].rows

    whole, killed, again = Rows(False), Rows(True), Rows(False)
    ran(tmp_path / "whole", asked, "graph", watcher=whole)
    assert list(whole.rows.values()) == [2, 4, 4]
    ran(tmp_path / "broken", asked, "graph", stop=stop, watcher=killed)
    own = [tmp_path / "broken" / "checkpoints" / f"{one.name}.ckpt" for one in Progress(asked[1:]).missing()]
    assert all(path.exists() for path in own)
    own[1].unlink()
    ran(tmp_path / "broken", asked, "graph", watcher=again)
    assert again.rows == {"e rate=0.2": 4, "e rate=0.3": 4}


def test_who_goes_on_waits_for_the_checkpoint_and_no_longer(tmp_path: Path) -> None:
    """Two at a time: the leader's last steps and those of others are made side by side; where none was left they begin at once anew."""
    asked = [one for one in cells()[1] if one.program.variant in ("plain", "ewc", "slow")]
    for leaves in (True, False):
        told: list[tuple[str, str | int | None]] = []

        def train(group: JobGroup, ending: Any, leaves: bool = leaves, told: Any = told) -> list[list[Replicate]]:
            (job,) = group.jobs
            name = job.batch.program.variant
            told.append((name, job.border.step if job.border is not None else None))
            for border in job.leaves if leaves else ():
                time.sleep(0.1)
                told.append((name, f"left {border.step}"))
                kept = [job.batch.request.replicate(number) for number in job.batch.numbers]
                border.checkpoints.save(
                    Checkpoint(border.step, 0.0, [], kept, SideBySide("", 1, 0, 2)), border.keys(len(kept))
                )
            time.sleep(0.5)
            return [job.without_result("failed", "nothing was trained")]

        with Store(tmp_path / str(leaves), pytest.fail) as store:
            progress = Progress.of_store(asked, store, RunOptions(""))
            Run(
                progress, store, Threads(2, train), RunOptions(""), Quiet(), threading.Event(), lambda _: "graph"
            ).finish()
        assert told[0] == ("plain", None)
        if leaves:
            assert told[1] == ("plain", "left 14") and {*told[2:]} == {("ewc", 14), ("slow", 14)}
        else:
            assert told[1:] == [("slow", None), ("ewc", None)]


def test_a_plan_says_it() -> None:
    plan = spec.resolve(spec.parse(Source("t.yaml", STUDY.lstrip())))
    found = rows(plan, {}, 1e9)
    text = plan_text(plan, found, 1e9)
    assert "trained once to the end of a (10 steps): other goes on from there" in text
    assert "trained once to the end of b (14 steps): slow and ewc go on from there" in text
    stored = rows(plan, {row.program.name: 2 for row in (found[0], found[4])}, 1e9)
    assert [row.begins and row.begins.step for row in stored] == [None, None, 10, None, None]


def test_who_led_alone_goes_on_alone(tmp_path: Path) -> None:
    """A run broken off behind the border: the next has the same cells side by side as one that nothing breaks, for the sake of its bits."""
    asked = rates("c: {steps: 3, optimizer: {sgd: {learning_rate: rate}}}")
    told: list[list[tuple[float, int | None]]] = []
    stop = threading.Event()

    def train(group: JobGroup, ending: Any) -> list[list[Replicate]]:
        told.append([(job.batch.program.point["rate"], job.border.step if job.border else None) for job in group.jobs])
        for job in group.jobs:
            for border in job.leaves:
                kept = [job.batch.request.replicate(number) for number in job.batch.numbers]
                beside = SideBySide(name_alone(job.batch.name), 1, 0, 2)
                state = [np.arange(9.0)]
                border.checkpoints.save(Checkpoint(border.step, 0.0, state, kept, beside), border.keys(len(kept)))
        return [job.without_result("failed", "nothing was trained") for job in group.jobs]

    class Ends(Quiet):
        def finished(self, job: Job, replicates: Sequence[Replicate]) -> None:
            stop.set()

    def run(watcher: Quiet) -> None:
        stop.clear()
        told.clear()
        with Store(tmp_path, pytest.fail) as store:
            progress = Progress.of_store(asked, store, RunOptions(""))
            Run(progress, store, Threads(1, train), RunOptions(""), watcher, stop, lambda _: "graph").finish()

    run(Ends())
    assert told == [[(0.1, None)]]
    whole = {path: path.read_bytes() for path in (tmp_path / "checkpoints").glob("*.ckpt")}
    for path, content in whole.items():
        path.write_bytes(content.replace(b"NUMPY", b"NUMPI"))
    run(Quiet())
    assert told == [[(0.1, None)], [(0.2, 14), (0.3, 14)]], (
        "damage is led to anew: the others begin behind the border still"
    )
    for path, content in whole.items():
        path.write_bytes(content)
    run(Quiet())
    assert told == [[(0.1, 14)], [(0.2, 14), (0.3, 14)]]
