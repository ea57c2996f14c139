"""Blocks that are alike are one loop where nothing is differentiated: the numbers, to the bit, of the blocks written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from dlspec.interpreter.networks import blocks_in_a_loop
from dlspec.interpreter.program.program import Compiled

BODY = """
functions: {"bend(a)": a + tanh(a)}
task: {data: {test: 300}, example: {x: "normal([6])", z: "normal([6, 2])"}}
architecture:
  f:
    input: x
    layers:
      - repeat: {name: deep, times: 5, skip: add, layers: [{dense: {units: 9, activation: tanh}}, {dropout: 0.5}, {dense: 6}]}
      - repeat: {name: long, times: 5, layers: [{dense: {units: 6, activation: tanh}}]}
      - repeat: {name: outer, times: 4, layers: [{repeat: {name: inner, times: 4, layers: [{dense: {units: 6, activation: relu}}]}}]}
      - repeat: {name: few, times: 2, layers: [dense: 6]}
      - repeat: {name: bent, times: 4, activation: bend, layers: [dense: 6]}
  g: {input: z, layers: [{repeat: {name: convolved, times: 4, layers: [{conv1d: {filters: 2, kernel_size: 3, padding: same, activation: gelu}}]}}]}
measures: {m: E(f), f: "E(sum(f^2))", g: "E(sum(g^2))"MORE}
replicates: 2
"""


def body(more: str = "") -> str:
    return BODY.replace("MORE", f", {more}" if more else "")


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of each loop over blocks that is traced, how many turns it has."""
    counts: list[int] = []
    tf = blocks_in_a_loop.tf
    loop = tf.while_loop

    def counted(condition: Any, body: Any, first: Sequence[Any]) -> Any:
        counts.append(next(turn for turn in range(99) if not condition(turn)))
        return loop(condition, body, first)

    monkeypatch.setattr(blocks_in_a_loop.tf, "while_loop", counted)
    return counts


def test_a_loop_gives_the_bits_of_blocks_written_out(
    compiled: Callable[..., Compiled], turns: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    looped = compiled(body(), 2, xla=True).evaluate()
    assert sorted(turns) == [4, 4, 4, 4, 4, 5]  # inner blocks in each of four outer ones, `convolved`, and `long`
    turns.clear()
    monkeypatch.setattr(blocks_in_a_loop, "MIN_TURNS", 99)
    written_out = compiled(body(), 2, xla=True).evaluate()
    assert not turns
    assert all(np.array_equal(looped[name], written_out[name]) for name in looped)
    assert np.isfinite(looped["m"]).all()


@pytest.mark.parametrize(
    ("more", "loops"),
    [
        ('slope: "E(sum(gradient(sum(f), x)^2))"', []),  # a derivative goes through them
        ('seen: "E(sum(f.long[2].dense_1))"', [4, 4, 4, 4, 4]),
    ],
)
def test_what_is_asked_of_blocks_is_of_blocks_written_out(
    more: str, loops: list[int], compiled: Callable[..., Compiled], turns: list[int]
) -> None:
    held = compiled(body(more), 2, xla=True)
    held.measuring.at(0).evaluation._compiled.function.get_concrete_function(
        {name: held.seeds.keys[name] for name in ("train", "test")}, held.seeds.draws, 0, []
    )
    assert sorted(turns) == loops
