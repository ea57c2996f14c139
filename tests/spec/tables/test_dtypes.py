"""Number types: the table names what a study may ask for, and each is a meaning of its own."""

from __future__ import annotations

from typing import get_args

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.model.experiment import Experiment
from dlspec.spec.model.reference import describe, reference
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.memory import memory
from dlspec.spec.tables.dtypes import DTYPES

BODY = """
dlspec: 1
study: s
experiments:
  e:
    DTYPE
    task: {example: {x: "normal([10])", y: "sum(x)"}}
    architecture: {f: {input: x, layers: [dense: 20, dense: 1]}}
    loss: {l: "(f - y)^2"}
    training: {optimizer: adam, batch: 8, steps: 10}
    measures: {m: E(f)}
"""
PARAMETERS = 10 * 20 + 20 + 20 + 1


def program(dtype: str = "") -> spec.Program:
    text = BODY.replace("DTYPE", f"dtype: {dtype}" if dtype else "about: the default")
    return spec.resolve(spec.parse(Source("s.yaml", text))).experiments[0].programs[0]


def test_a_study_may_ask_for_what_the_table_has() -> None:
    assert get_args(Experiment.model_fields["dtype"].annotation) == tuple(DTYPES)


def test_the_reference_lists_them() -> None:
    for name, row in DTYPES.items():
        assert f"| `{name}` |" in reference()
        assert row.meaning in (describe(name) or "")


def test_each_is_in_the_digest_and_float32_is_the_default() -> None:
    digests = {name: program(name).digest for name in DTYPES}
    assert len(set(digests.values())) == len(DTYPES)
    assert program().digest == digests["float32"]


@pytest.mark.parametrize(
    ("dtype", "real", "layer", "copies"),
    [("float32", 4, 4, 0), ("float64", 8, 8, 0), ("tf32", 4, 4, 0), ("bfloat16", 4, 2, 2)],
)
def test_memory_by_hand(dtype: str, real: int, layer: int, copies: int) -> None:
    """Weights, their gradients and Adam's two slots are real; what layers give is held as it goes from layer to layer.

    bfloat16 has a rounded copy of each weight besides.
    """
    found, exact = cost(program(dtype)), cost(program())
    assert found.state_bytes == PARAMETERS * (4 * real + copies)
    inputs, loss = 10 + 1, 1 + 1  # x and its sum; a difference and its square
    assert found.example_bytes == 2 * ((20 + 1) * layer + loss * real) + 2 * inputs * real
    assert (found.parameters, found.forward, found.step) == (exact.parameters, exact.forward, exact.step)
    assert memory(program(dtype)) >= found.state_bytes
