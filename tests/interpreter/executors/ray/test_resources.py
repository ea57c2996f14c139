"""What a replicate batch asks of a node comes from its plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from dlspec.interpreter.executors.ray.resources import CORE_OPERATIONS, MOST_CORES, Node, Resources
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.memory import PROCESS_BYTES, memory

BODY = """
task: {example: {x: "normal([8])"}}
architecture: {f: {input: x, layers: [dense: UNITS, dense: 1]}}
loss: {squared: f^2}
training: {optimizer: sgd, batch: BATCH, steps: 10, evaluate: {every: 10, examples: 16}}
measures: {error: E(f^2)}
replicates: 4
"""
Made = Callable[[int, int], ReplicateBatch]


@pytest.fixture
def replicate_batch(program: Callable[[str], Program]) -> Made:
    """A replicate batch of four replicates: a hidden layer of so many units, trained on batches of so many examples."""

    def made(units: int, batch: int) -> ReplicateBatch:
        found = program(BODY.replace("UNITS", str(units)).replace("BATCH", str(batch)))
        return ReplicateBatch(CellRequest.of(found, "cpu"), tuple(range(4)))

    return made


def test_a_small_replicate_batch_takes_a_core(replicate_batch: Made) -> None:
    small = replicate_batch(4, 8)
    assert Resources.of(small, "cpu") == Resources(1, 0, PROCESS_BYTES + memory(small.program))


def test_cores_and_memory_grow_with_the_plan(replicate_batch: Made) -> None:
    large = replicate_batch(4096, 2048)
    operations = 4 * cost(large.program).step
    assert operations > 3 * CORE_OPERATIONS
    asked = Resources.of(large, "cpu")
    assert asked.cores == min(MOST_CORES, round(operations / CORE_OPERATIONS)) > 1
    one = Resources.of(large.only([0]), "cpu")
    assert one.memory == PROCESS_BYTES + memory(large.program, replicates=1) < asked.memory
    assert one.cores <= asked.cores


def test_a_gpu_is_taken_whole(replicate_batch: Made) -> None:
    large = replicate_batch(4096, 2048)
    assert Resources.of(large, "gpu") == replace(Resources.of(large, "cpu"), cores=1, gpus=1)


def test_what_a_node_holds() -> None:
    node = Node("1", "a", cores=8, gpus=1, memory=10 * 2**30)
    assert node.holds(Resources(2, 0, 2**30)) == 4
    assert node.holds(Resources(1, 0, 4 * 2**30)) == 2
    assert node.holds(Resources(1, 1, 2**30)) == 1
    assert node.holds(Resources(1, 2, 2**30)) == 0
    assert node.holds(Resources(1, 0, 11 * 2**30)) == 0
    assert Resources(16, 0, 1).within([node]) == Resources(8, 0, 1)
    assert str(Resources(2, 1, 2**30)) == "2 cores, 1 GPU and 1 GiB of memory"
