"""Cells that are measured only, and differ in how many alike blocks a network has, go one after the other through one compiled program."""

from __future__ import annotations

import threading
from pathlib import Path

import dlspec
import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.program.job import Job, JobGroup
from dlspec.interpreter.program.program_cache import ProgramCache
from dlspec.interpreter.program.training_loop import train, train_group
from dlspec.interpreter.schedule.batching import cells_side_by_side
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.merge_cells import merge_cells
from dlspec.spec.passes.signature_digests import cell_form_digest

from tests.interpreter.silent import Silent

STUDY = """
dlspec: 1
study: depths
experiments:
  e:
    constants: {depth: 2, gain: 1}
    sweep: {depth: [2, 5, 4], gain: [1, 2]}
    task: {data: {test: 50}, example: {x: "normal([4])", n: "poisson(3)"}}
    architecture:
      f:
        input: x * gain
        layers:
          - repeat: {times: depth, layers: [{dense: {units: 4, activation: tanh, kernel_initializer: "normal(0, gain / sqrt(fan_in))"}}]}
          - dense: 1
    measures: {m: E(f^2), n: "quantile(n, 0.5)", most: "quantile(f, 1)"}
    replicates: 2
"""


def cells(text: str = STUDY) -> tuple[Program, ...]:
    return spec.resolve(spec.parse(Source("depths.yaml", text))).experiments[0].programs


def job(number: int, program: Program, jit: str) -> Job:
    return Job(number, ReplicateBatch(CellRequest.of(program, "cpu"), (0, 1)), jit)


@pytest.mark.parametrize("jit", ["xla", "graph"])
def test_each_cell_has_the_numbers_that_it_has_alone(jit: str) -> None:
    programs = cells()
    batch, forms = merge_cells(programs), ProgramCache()
    assert batch is not None
    for place in (3, 0) if jit == "xla" else (1, 3, 5):  # depths 5, 2 and 2, 5, 4
        one = JobGroup((job(place, programs[place], jit),), batch.only([place]))
        (found,) = train_group(one, Silent(), threading.Event(), forms)
        alone = train(job(place, programs[place], jit), Silent(), threading.Event())
        assert [replicate.status for replicate in (*found, *alone)] == 4 * ["done"], found[0].message
        for left, right in zip(found, alone, strict=True):
            assert left.key == right.key
            for name in ("n", "m", "most"):
                assert np.array_equal(left.curves[name], right.curves[name])
    assert forms.compiled == 1


def test_they_are_not_side_by_side_and_those_of_one_depth_are() -> None:
    programs = cells()
    assert cells_side_by_side(programs, "cpu") == 6 * [1]
    assert cells_side_by_side(programs[:2], "cpu") == [2, 2]


APART = {
    "a weight is spoken of": ("m: E(f^2)", 'm: "E(f^2) + sum(f.dense_1.bias)"'),
    "all weights are spoken of": ("m: E(f^2)", 'm: "E(f^2) + norm(f.weights)"'),
    "a layer is spoken of": ("m: E(f^2)", 'm: "E(sum(f.dense_1))"'),
    "a derivative is taken": ("m: E(f^2)", 'm: "E(sum(gradient(f, x)^2))"'),
    "blocks are trained": ("replicates: 2", "replicates: 2\n    loss: {l: f^2}\n    training: {optimizer: sgd, batch: 2, steps: 1}"),
    "blocks draw": ("}}]}", "}}, dropout: 0.5]}"),
    "blocks are of functions": ("}}]}", "}}, bend]}"),
    "blocks are of two layers": ("}}]}", "}}, dense: 4]}"),
    "something is added": ("times: depth,", "times: depth, skip: add,"),
}  # fmt: skip


@pytest.mark.parametrize("what", APART)
def test_depths_that_are_told_apart_are_compiled_apart(what: str) -> None:
    text = STUDY.replace(*APART[what]).replace("    measures:", "    functions: {bend(a): a + tanh(a)}\n    measures:")
    assert text.count(APART[what][1]) == 1
    programs = cells(text)
    assert len({cell_form_digest(program) for program in programs}) == 3
    assert merge_cells([programs[0], programs[2]]) is None
    assert merge_cells(programs[:2]) is not None


def test_kept_weights_are_those_of_the_own_depth(tmp_path: Path) -> None:
    path = tmp_path / "depths.yaml"
    path.write_text(STUDY)
    run = dlspec.run(path, overrides={"e.sweep.gain": [1]}, runs=tmp_path / "runs", keep_weights=True, jit="graph")
    names = dict.fromkeys(run.finals()["cell"])
    assert [len(run.weights(name)["f"].weights) for name in names] == [2 * depth + 2 for depth in (2, 5, 4)]
