"""`scan` and `iterate`: what they give is what is written out turn by turn, in NumPy, graph and XLA, and so are gradients and costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.backend.jit_policy import uses_xla
from dlspec.interpreter.lower import loops
from dlspec.interpreter.results.replicates import Replicate
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.memory import memory
from dlspec.spec.passes.merge_cells import merge_cells
from dlspec.spec.passes.print_term import spell

WRITTEN_OUT = {
    "iterate(half, w, 3)": "half(half(half(w)))", "iterate(half, w23, 1)": "half(w23)", "iterate(bend, w3, 2)": "bend(bend(w3))",
    "iterate(bend, 0, 2)": "bend(bend(0.0))", "iterate(bend, W3, 2)": "bend(bend(W3))", "iterate(flip, b3, 3)": "not b3",
    "iterate(twice, w3, 2)": "twice(twice(w3))", "[iterate(half, w3[j] * k, 2) for j < 3, k < 2]": "[half(half(w3[j] * k)) for j < 3, k < 2]",
    "scan(blend, w, w4)": "[blend(w, w4[0]), blend(blend(w, w4[0]), w4[1]), blend(blend(blend(w, w4[0]), w4[1]), w4[2]), "
    "blend(blend(blend(blend(w, w4[0]), w4[1]), w4[2]), w4[3])]",
    "scan(blend, W3, w23)": "[blend(W3, w23[0]), blend(blend(W3, w23[0]), w23[1])]",
    "scan(blend, 1, c3[0:2])": "[blend(1.0, c3[0]), blend(blend(1.0, c3[0]), c3[1])]",
    "scan(gap, W, w423[0])": "[gap(W, w423[0, 0]), gap(gap(W, w423[0, 0]), w423[0, 1])]",
    "scan(count, i, K3[0:2])": "[count(i, K3[0]), count(count(i, K3[0]), K3[1])]",
    "[sum(scan(blend, w23[j], [w3, w3 * j])) for j < 2]":
    "[sum([blend(w23[j], w3), blend(blend(w23[j], w3), w3 * j)]) for j < 2]",
    "iterate(half, [2, 4], 2)": "half(half([2, 4]))", "scan(count, 3, [1, 5, 6])": "[4, 2, 1]",
}  # fmt: skip
"""The value of each, turn by turn."""


@pytest.mark.parametrize(("xla", "unrolled"), [(False, 0), (True, 0), (False, 3)], ids=["graph", "xla", "unrolled"])
def test_values_and_gradients_are_those_written_out(
    checked: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, xla: bool, unrolled: int
) -> None:
    monkeypatch.setattr(loops, "UNROLLED", unrolled)
    held = checked([*WRITTEN_OUT, *WRITTEN_OUT.values()], "float64")
    oracle = held.numpy()
    pairs = [(text, held.terms[text], held.terms[plain]) for text, plain in WRITTEN_OUT.items()]
    for text, loop, plain in pairs:
        assert loop.type == plain.type, text
        np.testing.assert_allclose(oracle[text], oracle[WRITTEN_OUT[text]], rtol=1e-12, atol=1e-14, err_msg=text)
    held.check(xla, 1e-9, 1e-9)
    tensors = held.tensors()
    reals = {name: tensor for name, tensor in tensors.items() if tensor.dtype.is_floating}
    rng = np.random.default_rng(3)
    factors = {text: tf.constant(rng.normal(size=(2, 3, *loop.type.shape))) for text, loop, _ in pairs}

    @tf.function(jit_compile=xla, autograph=False)
    def slopes(which: int) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(list(reals.values()))
            lowering, total = held.lowering({**tensors, **reals}), tf.constant(0.0, tf.float64)
            for text, *terms in pairs:
                value = lowering.broadcast_to_axes(
                    lowering(terms[which]), (REPLICATE, EXAMPLE), len(terms[which].type.shape)
                )
                if value.dtype.is_floating:
                    total += tf.reduce_sum(value * factors[text] ** 3)
        return tape.gradient(total, reals, unconnected_gradients="zero")

    turned, plain = slopes(0), slopes(1)
    assert any(np.abs(plain[name]).max() > 0.1 for name in reals)
    for name in reals:
        np.testing.assert_allclose(turned[name], plain[name], rtol=1e-9, atol=1e-12, err_msg=name)


STUDY = """
constants: {{c: 0.5}}
{sweep}
functions:
  net(s): tanh(c * g(s) + s)
  rnn(h, u): tanh(0.5 * h + u * g(x))
task: {{example: {{x: "normal([3])", y: "x[0]"}}}}
architecture: {{g: {{input: x, layers: [dense: {{units: 3, kernel_initializer: orthogonal}}]}}}}
outputs: {{o: "{output}"}}
loss: {{l: (sum(o) - y)^2}}
training: {{optimizer: {{sgd: 0.05}}, batch: 16, steps: 5}}
measures:
  error: E((sum(o) - y)^2)
  slope: E(squared_norm(gradient(sum(o), g.weights)))
  snr: {{gradient_snr: {{of: (sum(o) - y)^2, weights: g.weights, examples: 64}}}}
replicates: 2
"""
ITERATED = ("iterate(net, x, 3)", "net(net(net(x)))")
SCANNED = ("scan(rnn, x, [0.5, y])", "[rnn(x, 0.5), rnn(rnn(x, 0.5), y)]")


def test_training_through_a_loop_is_training_through_what_is_written_out(
    program: Callable[[str], Program], replicates: Callable[..., list[Replicate]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks within loops, gradients as values, and statistics that tell examples apart."""
    monkeypatch.setattr(loops, "UNROLLED", 0)
    found = []
    for output, jit in ((f"{ITERATED[0]} + sum({SCANNED[0]})", "xla"), (f"{ITERATED[1]} + sum({SCANNED[1]})", "graph")):
        held = program(STUDY.format(sweep="", output=output))
        found.append([{name: values[-1] for name, values in one.curves.items()} for one in replicates(held, jit)])
    for loop, plain in zip(*found, strict=True):
        for name in ("error", "slope", "snr"):
            np.testing.assert_allclose(loop[name], plain[name], rtol=2e-4, err_msg=name)


def test_a_gradient_that_is_a_value_goes_through_loops_and_is_trained_through(
    program: Callable[[str], Program], replicates: Callable[..., list[Replicate]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second derivative of a loop of the graph; XLA compiles long ones for minutes, and gets none unless it is told to."""
    monkeypatch.setattr(loops, "UNROLLED", 0)
    body = STUDY.replace('outputs: {{o: "{output}"}}', 'outputs: {{o: "{output}", pull: "gradient(sum(o), x)"}}')
    body = body.replace("loss: {{l: (sum(o) - y)^2}}", 'loss: {{l: "(sum(o) - y)^2 + squared_norm(pull)"}}')
    body = body[: body.index("measures:")] + "measures: {{error: E((sum(o) - y)^2), pulled: E(squared_norm(pull))}}\n"
    found = []
    for output in ITERATED:
        (one,) = replicates(program(body.format(sweep="", output=output)), "graph")
        found.append([one.curves[name][-1] for name in ("error", "pulled")])
    np.testing.assert_allclose(*found, rtol=2e-4)
    short, long = (program(body.format(sweep="", output=f"iterate(net, x, {n})")) for n in (8, 9))
    assert uses_xla(short) and not uses_xla(long)


def test_a_loop_costs_what_its_turns_do(program: Callable[[str], Program]) -> None:
    """Where the start is learnt, too: else the first turn alone would need no gradient by its state."""
    for pair in (ITERATED, (SCANNED[0], "[rnn(rnn(x, 0.5), y)]")):
        texts = [text.replace("(x", "(g").replace(", x", ", g") for text in pair]
        loop, plain = (program(STUDY.format(sweep="", output=output)) for output in texts)
        assert cost(loop).forward == pytest.approx(cost(plain).forward, rel=0.05), pair
        assert cost(loop).step == pytest.approx(cost(plain).step, rel=0.05), pair
    short, long = (program(STUDY.format(sweep="", output=f"iterate(net, x, {n})")) for n in (2, 2000))
    assert cost(long).forward > 800 * cost(short).forward
    assert memory(long) > memory(short)


def test_what_a_loop_means_is_in_its_digest_and_names_are_not(program: Callable[[str], Program]) -> None:
    texts = [STUDY.format(sweep="", output=output) for output in (*ITERATED, "iterate(net, x, 4)", *SCANNED)]
    renamed = (
        texts[0]
        .replace("net(s): tanh(c * g(s) + s)", "step_(q): tanh(c * g(q) + q)")
        .replace("iterate(net", "iterate(step_")
    )
    constant = texts[0].replace("c: 0.5", "c: 0.25")
    digests = [program(text).digest for text in (*texts, constant)]
    assert len(set(digests)) == len(digests)
    assert program(renamed).digest == digests[0]


def test_cells_that_differ_in_a_number_within_a_loop_share_a_program(programs: Callable[[str], Any]) -> None:
    from dlspec import spec
    from dlspec.spec.diagnostics.problems import Source

    body = STUDY.format(sweep="sweep: {c: [0.5, 0.25]}", output=ITERATED[0])
    text = "dlspec: 1\nstudy: t\nexperiments:\n  e:\n" + "".join(f"    {line}\n" for line in body.strip().splitlines())
    cells = spec.resolve(spec.parse(Source("test.yaml", text))).experiments[0].programs
    batch = merge_cells(cells)
    assert batch is not None
    (output,) = batch.program.outputs
    assert isinstance(output.term, t.Scan) and any(isinstance(item, t.SweptConstant) for item in t.walk(output.term))
    assert spell(output.term) == "iterate(net, x, 3)"


def test_ints_are_bounded_over_all_turns(program: Callable[[str], Program]) -> None:
    """What settles is accepted however often it is applied, and what grows as often as it fits."""
    held = program("""
functions:
  next(k): (75 * k + 74) % 65537
  more(k): k + 1
  add(s, k): s + k
task:
  example: {n: integer(10), a: "iterate(next, n, 10000)", b: "iterate(more, n, 5000)", c: "scan(add, n, range(100))"}
measures: {m: E(a + b), o: "E(sum(one_hot(iterate(more, n, 5) - 5, 10)))", s: "E(c[99])"}
""")
    assert [str(item.type) for item in held.examples] == ["int", "int", "int", "int[100]"]


def test_loops_of_constants_are_constants(program: Callable[[str], Program]) -> None:
    held = program("""
constants: {fib: "iterate(pair, [0, 1], 30)", sums: "scan(add, 0, [0.5, 2])", n: "iterate(double, 1, 3)"}
functions: {pair(s): "[s[1], s[0] + s[1]]", "add(s, a)": s + a, double(s): 2 * s}
task: {example: {x: "normal([n])"}}
measures: {f: "E(x[0]) * 0 + fib[0]", s: sums}
""")
    assert held.examples[0].type.shape == (8,)
    literals = [
        item.value.tolist() for measure in held.measures for item in t.walk(measure.term) if isinstance(item, t.Literal)
    ]
    assert [0.5, 2.5] in literals
    assert any(value == 832040 for value in literals if not isinstance(value, list))
