"""What another process is sent: a replicate batch without the study's text."""

from __future__ import annotations

import pickle
from collections.abc import Callable

from dlspec.interpreter.executors.pickling import packed, unpacked
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.spec.ir.plan import Program

BODY = """
task: {example: {x: "normal([8])"}}
architecture: {f: {input: x, layers: [dense: 1]}}
loss: {squared: f^2}
training: {optimizer: sgd, batch: 8, steps: 10, evaluate: {every: 10, examples: 16}}
measures: {error: E(f^2)}
"""


def test_a_batch_arrives_without_the_text(program: Callable[[str], Program]) -> None:
    """The names of its cells in the store are the same on both sides, so is all that they are made from."""
    batch = ReplicateBatch(CellRequest.of(program(BODY + "# a remark that is nobody's business\n"), "cpu"), (0, 1))
    assert b"normal([8])" in pickle.dumps(batch)
    sent = packed(batch)
    assert b"normal([8])" not in sent
    arrived = unpacked(sent, ReplicateBatch)
    assert ReplicateBatch(CellRequest.of(arrived.program, "cpu"), arrived.numbers).keys == arrived.keys == batch.keys
