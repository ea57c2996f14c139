"""Weights that start as constants, draws and what is made of them, with the fans."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.networks.initial_weights import Drawn, initializer
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.plan import InitialValue
from dlspec.spec.passes.digests import training_digest
from dlspec.spec.tables.initializers import INITIALIZERS

BODY = """
dtype: float64
constants: {start: 0.5, W: [[1, 2], [3, 4], [5, 6]], k: 2}
functions: {half(a): a / 2}
layer_defaults: {bias_initializer: start}
task: {draw: {b: "normal()", V: "normal([3, 2])", c: 2 * b}, example: {x: "normal([3])", y: sum(x)}}
architecture:
  f: {input: x, layers: [{dense: {units: 2, kernel_initializer: start}}, {dense: {units: 4, kernel_initializer: 2 / sqrt(fan_in + fan_out)}}]}
  g: {input: x, layers: [{dense: {units: 2, kernel_initializer: W, bias_initializer: half(start) * fan_in}}]}
  h: {input: x, layers: [{dense: {units: 2, kernel_initializer: V / fan_in, bias_initializer: [c, k]}}]}
  r: {input: "[x]", layers: [{lstm: {units: 2, bias_initializer: b, kernel_initializer: "{constant: start}"}}]}
  s: {input: "[x]", layers: [{lstm: {units: 2, bias_initializer: b, unit_forget_bias: false}}]}
loss: {l: sum(f) + sum(g) + sum(h)}
training: {optimizer: sgd, batch: 2, steps: 1}
measures: {m: E(sum(f))}
replicates: 3
""".replace('"{constant: start}"', "{constant: start}")


def test_weights_start_as_is_said(compiled: Callable[..., Compiled]) -> None:
    held = compiled(BODY, 3)
    found = {
        (network, *place): variable.numpy()
        for network, own in held.networks.items()
        for place, variable in own.weights.items()
    }
    b, v = held.seeds.draws["b"].numpy(), held.seeds.draws["V"].numpy()
    assert len(set(b)) == 3
    right = {
        ("f", "dense_1", "kernel"): np.full((3, 3, 2), 0.5), ("f", "dense_1", "bias"): np.full((3, 2), 0.5),
        ("f", "dense_2", "kernel"): np.full((3, 2, 4), 2 / np.sqrt(6)),
        ("g", "dense_1", "kernel"): np.broadcast_to([[1, 2], [3, 4], [5, 6]], (3, 3, 2)),
        ("g", "dense_1", "bias"): np.full((3, 2), 0.25 * 2), ("h", "dense_1", "kernel"): v / 3,
        ("h", "dense_1", "bias"): np.stack([2 * b, np.full(3, 2)], axis=1),
        ("r", "lstm_1", "bias"): np.stack([b, b, np.ones(3), np.ones(3), b, b, b, b], axis=1),
        ("r", "lstm_1", "kernel"): np.full((3, 3, 8), 0.5), ("s", "lstm_1", "bias"): np.repeat(b[:, None], 8, axis=1),
    }  # fmt: skip
    for place, value in right.items():
        np.testing.assert_allclose(found[place], value, rtol=1e-12, err_msg=str(place))


def test_a_program_is_begun_anew_with_other_values(program: Callable[[str], spec.Program]) -> None:
    held = Compiled(program(BODY), range(3), False)
    other = program(BODY.replace("[5, 6]]", "[5, 7]]").replace("V / fan_in", "V"))
    assert Compiled(other, range(3), False).signature == held.signature
    held.begin(other, [0, 1, 2])
    weights = {
        name: network.weights["dense_1", "kernel"].numpy() for name, network in held.networks.items() if name in "gh"
    }
    assert weights["g"][1, 2, 1] == 7
    np.testing.assert_allclose(weights["h"], held.seeds.draws["V"].numpy())


def test_digests_tell_what_weights_start_from(program: Callable[[str], spec.Program]) -> None:
    changes = (
        ("start: 0.5", "start: 0.25"),
        ("[5, 6]]", "[5, 7]]"),
        ("V / fan_in", "V"),
        ("[c, k]", "[b, k]"),
        ("c: 2 * b", "c: 3 * b"),
    )
    digests = {training_digest(program(BODY.replace(old, new))) for old, new in (("x", "x"), *changes)}
    assert len(digests) == 6


def test_free_parameters_start_by_the_fans_of_their_own_shape(compiled: Callable[..., Compiled]) -> None:
    rows = [row.name for row in INITIALIZERS.values() if row.by_fans]
    free = "".join(
        f"  {name}: {{parameter: [60, 40], initializer: {name}}}\n  one_{name}: {{parameter: [], initializer: {name}}}\n"
        for name in rows
    )
    held = compiled(f"architecture:\n{free}measures: {{m: sum(one_{rows[0]})}}\n", 1)
    variance = {"glorot": 2 / 100, "he": 2 / 60, "lecun": 1 / 60, "variance": 1 / 60}
    assert {name.partition("_")[0] for name in rows} == set(variance)
    for name in rows:
        ((value,),) = ([v.numpy() for v in held.networks[name].weights.values()],)
        np.testing.assert_allclose(value.var(), variance[name.partition("_")[0]], rtol=0.1, err_msg=name)
        ((one,),) = ([v.numpy() for v in held.networks[f"one_{name}"].weights.values()],)
        assert one.shape == (1,) and 0 < abs(one[0]) < 4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("keras_name", ["RandomNormal", "TruncatedNormal"])
def test_normals_that_were_drawn_before_are_spread_as_keras_spreads_them(keras_name: str, dtype: str) -> None:
    drawn = Drawn()
    for mean, deviation, seed in ((0.0, 0.1, 5), (0.3, 2.5, 5), (-1e-3, 1e-7, 5), (0.3, 2.5, 2**31 - 1)):
        start = InitialValue(keras_name, {"mean": mean, "stddev": deviation})
        right = np.array(initializer(start, seed)((7, 11), dtype=dtype))
        for _ in range(2):
            found = drawn.values(start, seed, (7, 11), dtype)
            assert found.dtype == right.dtype
            assert np.array_equal(found, right)
            found[...] = 0  # an array of one's own
    assert len(drawn._kept) == 2


def test_what_was_asked_for_last_is_kept_as_far_as_there_is_room() -> None:
    start, one = InitialValue("RandomNormal", {"mean": 0.0, "stddev": 2.0}), 7 * 11 * 4
    drawn = Drawn(room=2 * one + 1)
    right = {seed: np.array(initializer(start, seed)((7, 11), dtype="float32")) for seed in (1, 2, 3)}
    for seed in (1, 2, 1, 3, 1):
        assert np.array_equal(drawn.values(start, seed, (7, 11), "float32"), right[seed])
    assert [key[2] for key in drawn._kept] == [3, 1] and drawn._room == 1
    large = np.array(initializer(start, 4)((70, 11), dtype="float32"))
    assert np.array_equal(drawn.values(start, 4, (70, 11), "float32"), large)
    assert not drawn._kept and drawn._room == 2 * one + 1
