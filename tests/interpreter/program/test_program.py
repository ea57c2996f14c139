"""Compiled programs: a step is NumPy's, measures are NumPy's, and a replicate's numbers depend on nothing around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.backend.jit_policy import uses_xla
from dlspec.interpreter.program.context import ProgramContext
from dlspec.interpreter.program.program import Compiled
from dlspec.interpreter.program.program_cache import ProgramCache
from dlspec.interpreter.program.training_loop import _useful
from dlspec.interpreter.results.replicates import Replicate

CHAIN = """
dtype: {dtype}
constants: {{d: 6}}
task:
  draw: {{v: "normal([d])", b: normal()}}
  example:
    x: normal([d])
    k: integer(3)
    y: tanh(dot(v, x) + b) + 0.1 * k
architecture:
  f:
    input: x
    layers: [{{dense: {{units: 8, activation: relu, name: hidden}}}}, {{dense: {{units: 1, name: last}}}}]
outputs: {{guess: f}}
loss: {{squared: "(guess - y)^2"}}
training: {{optimizer: {{sgd: {rate}}}, batch: 16, steps: 40, evaluate: {{every: 10, examples: 100}}}}
measures:
  error: E((guess - y)^2)
  spread: sqrt(E(guess^2) - E(guess)^2)
  middle: quantile(y, 0.5)
  far: "quantile(abs(guess - y), 0.9)"
  centred: "E((y - E(y))^2)"
  profile: E(x * y)
  waves: E(y * x[j] * cos(i * x[j])) ^ 2 for i < 2, j < d
  fit: {{of: "E((guess - y)^2)", on: train}}
  share: k == 1
  size: squared_norm(f.weights) + b
replicates: 3
"""


def text(dtype: str = "float64", rate: float = 0.0625) -> str:
    return CHAIN.format(dtype=dtype, rate=rate)


def examples(held: Compiled, stream: str, first: int, count: int) -> dict[str, Any]:
    """Bindings of a stretch of a stream: [R, B, …]."""
    lowering = held.context.lowering(
        held.seeds.keys[stream], tf.range(first, first + count, dtype=tf.int64), count, held.seeds.draws
    )
    return {item.name: lowering(item.term).tensor.numpy() for item in held.program.examples}


def weights(held: Compiled) -> dict[str, Any]:
    return {f"{layer}.{name}": variable.numpy() for (layer, name), variable in held.networks["f"].weights.items()}


def forward(w: dict[str, Any], x: Any) -> tuple[Any, Any]:
    before = np.einsum("rbi,rij->rbj", x, w["hidden.kernel"]) + w["hidden.bias"][:, None]
    return before, np.einsum("rbj,rj->rb", np.maximum(before, 0), w["last.kernel"][..., 0]) + w["last.bias"]


def test_labels_are_what_the_task_says(reused: Callable[..., Compiled]) -> None:
    held = reused(text(), 3)
    given, v, b = examples(held, "train", 0, 20), held.seeds.draws["v"].numpy(), held.seeds.draws["b"].numpy()
    np.testing.assert_allclose(
        given["y"], np.tanh(np.einsum("rbi,ri->rb", given["x"], v) + b[:, None]) + 0.1 * given["k"], rtol=1e-12
    )


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_steps_of_sgd_are_numpys_by_hand(reused: Callable[..., Compiled], xla: bool) -> None:
    """Three steps on examples 0…15, 16…31, 32…47 of each replicate's own walk."""
    held = reused(text(), 3, xla)
    expected, start = weights(held), weights(held)
    for step in range(3):
        given = examples(held, "train", 16 * step, 16)
        before, guess = forward(expected, given["x"])
        upstream = 2 * (guess - given["y"]) / 16
        below = upstream[..., None] * expected["last.kernel"][:, None, :, 0] * (before > 0)
        slopes = {
            "hidden.kernel": np.einsum("rbi,rbj->rij", given["x"], below), "hidden.bias": below.sum(axis=1),
            "last.kernel": np.einsum("rbj,rb->rj", np.maximum(before, 0), upstream)[..., None],
            "last.bias": upstream.sum(axis=1, keepdims=True),
        }  # fmt: skip
        expected = {name: value - 0.0625 * slopes[name] for name, value in expected.items()}
    assert held.train(3) == [None, None, None]
    for name, value in weights(held).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-9, atol=1e-12)
        assert not np.allclose(value, start[name])


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_measures_are_numpys(reused: Callable[..., Compiled], xla: bool) -> None:
    held = reused(text(), 3, xla)
    held.train(5)
    given, train, w = examples(held, "test", 0, 100), examples(held, "train", 0, 100), weights(held)
    _, guess = forward(w, given["x"])
    y, found = given["y"], held.evaluate()
    expected = {
        "error": ((guess - y) ** 2).mean(axis=1), "spread": guess.std(axis=1), "middle": np.median(y, axis=1),
        "far": np.quantile(np.abs(guess - y), 0.9, axis=1), "centred": y.var(axis=1), "profile": (given["x"] * y[..., None]).mean(axis=1),
        "waves": (y[..., None, None] * given["x"][:, :, None] * np.cos(np.arange(2)[:, None] * given["x"][:, :, None])).mean(axis=1) ** 2,
        "fit": ((forward(w, train["x"])[1] - train["y"]) ** 2).mean(axis=1), "share": (given["k"] == 1).mean(axis=1),
        "size": sum((value**2).reshape(3, -1).sum(axis=1) for value in w.values()) + held.seeds.draws["b"].numpy(),
    }  # fmt: skip
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == np.float64
        np.testing.assert_allclose(found[name], value, rtol=1e-9, err_msg=name)


def test_examples_that_do_not_fill_a_chunk_are_counted_once(
    compiled: Callable[..., Compiled], reused: Callable[..., Compiled], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = text().replace('  middle: quantile(y, 0.5)\n  far: "quantile(abs(guess - y), 0.9)"\n', "")
    whole = reused(text(), 3).evaluate()
    monkeypatch.setattr(ProgramContext, "chunk", lambda self, wanted, *more: min(wanted, 32))
    for xla in (False, True):
        parts = compiled(plain, 3, xla).evaluate()
        assert whole.keys() - parts.keys() == {"middle", "far"}
        for name, value in parts.items():
            np.testing.assert_allclose(value, whole[name], rtol=1e-10, err_msg=name)


def test_probes_are_the_first_test_examples(compiled: Callable[..., Compiled]) -> None:
    figure = "figures: {p: {kind: function, x: y, y: {learnt: guess}, examples: 7}}"
    held = compiled(text() + figure, 2)
    (probe,) = held.program.probes
    found, given = held.probe(probe), examples(held, "test", 0, 7)
    np.testing.assert_array_equal(found["x"], given["y"])
    np.testing.assert_allclose(found["y:learnt"], forward(weights(held), given["x"])[1], rtol=1e-10)


# -- the same replicate gives the same numbers ----------------------------------------------------------------------------------


def curves(replicates: list[Replicate], number: int) -> dict[str, Any]:
    (replicate,) = [replicate for replicate in replicates if replicate.number == number]
    assert replicate.status == "done", replicate.message
    return {name: np.asarray(values) for name, values in replicate.curves.items()}


def test_a_cell_is_the_same_in_either_form_alone_or_beside_others(
    program: Any, replicates: Any, program_cache: ProgramCache
) -> None:
    """Words to the bit; curves of 40 steps in float32 to 2e-4, in float64 to 1e-9."""
    for dtype, tolerance in (("float32", 2e-4), ("float64", 1e-9)):
        plan = program(text(dtype))
        found = {jit: replicates(plan, jit, program_cache) for jit in ("graph", "xla")}
        again = replicates(plan, "graph") if dtype == "float32" else found["graph"]
        assert [replicate.compiled for replicate in found["xla"]] == ["xla"] * 3
        alone = {xla: Compiled(plan, [1], xla) for xla in (False, True)}
        beside = Compiled(plan, [0, 1, 2], False)
        np.testing.assert_array_equal(alone[True].seeds.keys["train"][:, 0], beside.seeds.keys["train"][:, 1])
        first, second = examples(alone[False], "train", 0, 8), examples(beside, "train", 0, 8)
        np.testing.assert_array_equal(first["k"][0], second["k"][1])
        np.testing.assert_array_equal(first["x"][0], second["x"][1])
        for number in range(3):
            one, other = curves(found["graph"], number), curves(found["xla"], number)
            assert one["error"].shape == (5,)
            for name, value in curves(again, number).items():
                np.testing.assert_array_equal(one[name], value, err_msg=name)
                np.testing.assert_allclose(other[name], value, rtol=tolerance, atol=tolerance, err_msg=name)
        for held in alone.values() if dtype == "float32" else ():
            steps = [held.evaluate()]
            for _ in range(4):
                held.train(10)
                steps.append(held.evaluate())
            for name, value in curves(found["graph"], 1).items():
                np.testing.assert_allclose(
                    [step[name][0] for step in steps], value, rtol=tolerance, atol=tolerance, err_msg=name
                )
        assert not np.allclose(curves(found["graph"], 0)["error"], curves(found["graph"], 1)["error"])


def test_words_are_the_same_to_the_bit_in_both_forms(compiled: Callable[..., Compiled]) -> None:
    body = """
task:
  draw: {p: "permutation(7)", s: "rademacher([9])"}
  example: {i: "integer(1000, [4])", c: "rademacher([33])", b: "bernoulli(0.3, [5])", u: "uniform(-1, 3, [6])", o: "subset(9, 4)"}
measures: {m: E(sum(i))}
"""
    values = []
    for xla in (False, True):
        held = compiled(body, 3, xla)

        @tf.function(jit_compile=xla, autograph=False)
        def run(keys: Any, held: Compiled = held) -> dict[str, Any]:
            lowering = held.context.lowering(keys, tf.range(50, dtype=tf.int64), 50, held.seeds.draws)
            return {item.name: lowering(item.term).tensor for item in held.program.examples}

        values.append(
            {name: tensor.numpy() for name, tensor in {**run(held.seeds.keys["train"]), **held.seeds.draws}.items()}
        )
    for name, value in values[0].items():
        np.testing.assert_array_equal(value, values[1][name], err_msg=name)


def test_a_batch_is_a_stretch_of_one_walk(reused: Callable[..., Compiled]) -> None:
    """Example i is the same whatever batch it comes in, and the test stream is another."""
    held = reused(text("float32"), 2)
    whole, part = examples(held, "train", 0, 64), examples(held, "train", 40, 10)
    for name in whole:
        np.testing.assert_allclose(whole[name][:, 40:50], part[name], rtol=1e-6)
    assert not np.allclose(examples(held, "test", 0, 64)["x"], whole["x"])


def test_what_is_added_changes_nobodys_numbers(programs: Any, replicates: Any, program_cache: ProgramCache) -> None:
    """A measure, a variant, an unused draw, an example's value, more replicates."""
    plain = replicates(programs(text("float32"))[""], "graph", program_cache)
    more = (
        text("float32")
        .replace("replicates: 3", "replicates: 2")
        .replace("  share:", "  added: E(sum(x))\n  share:")
        .replace("b: normal()}", 'b: normal(), unused: "normal([9])"}')
    )
    more = more.replace("k: integer(3)", "k: integer(3)\n    other: normal([4])")
    more += "variants:\n  same: {}\n  slow: {training: {optimizer: {sgd: {learning_rate: 0.001}}}}\n"
    variants = programs(more)
    assert list(variants) == ["same", "slow"]
    ran = {name: replicates(variant, "graph", program_cache) for name, variant in variants.items()}
    for number in range(2):
        first, second, slow = (curves(group, number) for group in (plain, ran["same"], ran["slow"]))
        for name, value in first.items():
            np.testing.assert_allclose(value, second[name], rtol=1e-6, err_msg=name)
        assert first.keys() < second.keys()
        # A variant's comparison is paired: the same start, draws and examples.
        np.testing.assert_allclose(first["error"][0], slow["error"][0], rtol=1e-6)
        assert not np.allclose(first["error"][1:], slow["error"][1:])


def test_the_seed_and_the_experiments_name_change_everything(compiled: Callable[..., Compiled]) -> None:
    one, other = compiled(text(), 1), compiled("seed: 1\n" + text(), 1)
    assert not np.allclose(one.seeds.draws["v"], other.seeds.draws["v"])
    assert not np.allclose(weights(one)["hidden.kernel"], weights(other)["hidden.kernel"])
    assert not np.allclose(examples(one, "train", 0, 4)["x"], examples(other, "train", 0, 4)["x"])


# -- divergence ------------------------------------------------------------------------------------------------------------

EXPLODING = """
constants: {rate: 0.01}
task:
  draw: {big: "bernoulli(0.5)"}
  example: {x: "normal([3])", y: normal()}
architecture: {f: {input: x, layers: [{dense: 1}]}}
loss: {squared: "(f - y)^2", gap: "abs(f) * (1 + big * 1e25)"}
training: {optimizer: {sgd: 0.01}, batch: 4, steps: 40, evaluate: {every: 5, examples: 16}}
measures: {error: E((f - y)^2)}
replicates: 6
variants:
  calm: {loss: {squared: "(f - y)^2"}}
  wild: {}
"""


@pytest.mark.parametrize("jit", ["graph", "xla"])
def test_a_diverged_replicate_keeps_its_curve_and_the_others_go_on(programs: Any, replicates: Any, jit: str) -> None:
    plans = programs(EXPLODING)
    big = Compiled(plans["wild"], range(6), False).seeds.draws["big"].numpy()
    assert 0 < big.sum() < 6
    found = replicates(plans["wild"], jit)
    for replicate, wild in zip(found, big, strict=True):
        if wild:
            assert replicate.status == "diverged"
            assert "not finite at step" in replicate.message
            assert "'squared'" in replicate.message
            assert replicate.steps[0] == 0
            assert len(replicate.curves["error"]) == len(replicate.steps) < 9
            step = int(replicate.message.rsplit(" ", 1)[-1].replace(",", ""))
            assert replicate.steps[-1] <= step
        else:
            assert (replicate.status, replicate.message) == ("done", "")
            assert replicate.steps == list(range(0, 41, 5))
            assert np.isfinite(replicate.curves["error"]).all()
    assert all(replicate.status == "done" for replicate in replicates(plans["calm"], jit))


def test_the_first_step_and_term_that_are_not_finite_are_told(compiled: Callable[..., Compiled]) -> None:
    """The weights double away from 0 until float32 ends: the step is that of NumPy."""
    body = """
task: {example: {x: "0 * normal([2]) + 1"}}
architecture: {f: {input: x, layers: [{dense: {units: 1, use_bias: false, kernel_initializer: ones}}]}}
loss: {small: "f * 0", squared: "-(f ^ 2)"}
training: {optimizer: {sgd: 16}, batch: 2, steps: 60}
measures: {m: E(f)}
"""
    held = compiled(body, 2)
    found = held.train(60)
    f, step = np.float32(2), 0
    with np.errstate(over="ignore"):
        while np.isfinite(f * f):
            f, step = f + np.float32(16) * 4 * f, step + 1
    for fault in found:
        assert fault is not None
        assert (fault.step, fault.what) == (step, "the loss term 'squared'")


def test_a_faulty_program_ends_alone_and_says_why(
    program: Any, replicates: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Compiled) -> None:
        raise ValueError("no such thing")

    monkeypatch.setattr(Compiled, "evaluate_with_errors", broken)
    found = replicates(program(text()))
    assert [replicate.status for replicate in found] == ["failed"] * 3
    assert "ValueError: no such thing" in found[0].message


def test_a_graphs_failure_names_its_operation_and_its_reason() -> None:
    @tf.function(autograph=False)
    def inverted(x: Any) -> Any:
        return tf.linalg.inv(x)

    @tf.function(autograph=False)
    def checked(x: Any) -> Any:
        return tf.debugging.check_numerics(x, "the loss")

    found = []
    for function, given in ((inverted, tf.zeros([2, 2])), (checked, tf.constant([np.nan]))):
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            function(given)
        found.append(_useful(caught.value))
    assert "MatrixInverse" in found[0]
    assert "Graph execution error" not in found[0]
    assert all(part in found[1] for part in ("the loss", "NaN", "CheckNumerics"))
    assert _useful(ValueError("one\ntwo")) == "one"


# -- compiled forms --------------------------------------------------------------------------------------------------------


def test_convolutions_train_in_the_plain_graph_on_a_cpu_and_all_else_under_xla(program: Any) -> None:
    dense = program(text())
    body = (
        text()
        .replace("normal([d])\n    k", "normal([6, 2])\n    k")
        .replace("dot(v, x)", "x[0, 0]")
        .replace("E(x * y)", "E(y)")
    )
    convolved = program(body.replace("layers: [", "layers: [{conv1d: {filters: 2, kernel_size: 3}}, flatten, "))
    assert uses_xla(dense)
    assert not uses_xla(convolved)
    assert uses_xla(convolved, "gpu")
    assert uses_xla(program("task: {example: {x: normal()}}\nmeasures: {m: E(x)}"))
