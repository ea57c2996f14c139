"""What is compiled by XLA on a CPU, and what is not: matrices that it decomposes in many times the time of the plain graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.backend.jit_policy import jit_mode, uses_xla
from dlspec.interpreter.lower.registry import LOWERINGS
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import Program
from dlspec.spec.tables.operations import OPERATIONS
from dlspec.spec.tables.operations.linear_algebra import EIGH, SVD

STUDY = """
task: {{example: {{x: "normal([{n}])"}}}}
architecture: {{f: {{input: x, layers: [dense: {{units: {n}, name: hidden}}, dense: 1]}}}}
outputs: {{spread: nuclear_norm(f.hidden.kernel)}}
loss: {{l: {loss}}}
training: {{optimizer: {{sgd: 0.01}}, batch: 8, steps: 4}}
measures: {{error: E(f^2), kernel: f.hidden.kernel, s: "{measure}"}}
"""


def study(n: int, loss: str = "f^2", measure: str = "singular_values(f.hidden.kernel)") -> str:
    return STUDY.format(n=n, loss=loss, measure=measure)


def matrices(name: str) -> list[Any]:
    """What an operation is given whose arguments are matrices [4, 4] and vectors [4]."""
    shapes = [argument.shape or () for argument in OPERATIONS[name].values]
    return [tf.constant(np.eye(4)[: 1 if len(shape) == 1 else 4].reshape([4] * len(shape))) for shape in shapes]


@pytest.mark.parametrize(
    "name",
    [row.name for row in OPERATIONS.values() if row.family == "linear algebra" and len(row.values[0].shape or ()) == 2],
)
def test_the_rows_of_operations_say_what_their_graphs_decompose(name: str) -> None:
    """Whatever calls an algorithm that XLA lacks a fast form of has its limit, and nothing else has one."""
    given = matrices(name)
    graph = tf.function(LOWERINGS[name]).get_concrete_function(*given).graph
    kinds = {node.op for node in graph.as_graph_def().node}
    kinds |= {node.op for function in graph.as_graph_def().library.function for node in function.node_def}
    expected = SVD if "Svd" in kinds else EIGH if "SelfAdjointEigV2" in kinds else None
    assert OPERATIONS[name].xla_on_cpu == expected


def test_a_loss_that_decomposes_large_matrices_is_trained_in_the_plain_graph_on_a_cpu(
    program: Callable[[str], Program],
) -> None:
    large, small = study(SVD + 1, "f^2 + 0.1 * spread"), study(SVD, "f^2 + 0.1 * spread")
    assert not uses_xla(program(large)) and uses_xla(program(large), "gpu")
    assert uses_xla(program(small))
    assert uses_xla(program(study(SVD + 1))), "a measure is compiled by itself"
    assert jit_mode(program(large), "xla", "cpu") == "xla"
    drawn = 'task: {example: {x: "normal([40, 8])", c: cond(x)}}\nmeasures: {m: E(c)}'
    assert not uses_xla(program(drawn))


@pytest.mark.parametrize("n", [SVD, SVD + 1])
def test_measures_of_large_matrices_are_taken_in_the_plain_graph_beside_training_under_xla(
    compiled: Callable[..., Compiled], n: int
) -> None:
    made = compiled(study(n), replicates=2, xla=True)
    made.train(4)
    evaluation = made.measuring.at(4).evaluation
    assert made.context.xla and evaluation.xla is (n == SVD)
    found = made.evaluate()
    exact = np.linalg.svd(found["kernel"], compute_uv=False)
    np.testing.assert_allclose(found["s"], exact, rtol=1e-9, atol=1e-9)
    small = compiled(study(n, measure="1"), replicates=2, xla=True)
    small.train(4)
    np.testing.assert_allclose(found["error"], small.evaluate()["error"], rtol=1e-6)


@pytest.mark.parametrize("measure", ["E(singular_values(outer(x, x)))", "quantile(cond(outer(x, x) + eye(17)), 0.5)"])
def test_so_are_means_of_what_is_decomposed_for_each_example(compiled: Callable[..., Compiled], measure: str) -> None:
    by_xla, plain = (compiled(study(17, measure=measure), replicates=2, xla=xla) for xla in (True, False))
    assert not by_xla.measuring.at(0).evaluation.xla
    np.testing.assert_allclose(by_xla.evaluate()["s"], plain.evaluate()["s"], rtol=1e-5, atol=1e-5)
