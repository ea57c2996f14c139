"""Types, shapes and stages of expressions in an experiment."""

from __future__ import annotations

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.ir import terms as t

NAMES = """\
dlspec: 1
study: types
experiments:
  e:
    constants:
      n: 3
      h: 0.5
      flag: true
      c: [1, 2, 3]
      M: [[1, 2], [3, 4]]
      {constant}
    functions:
      double(a): 2 * a
      gap(a, b): sum((a - b) ^ 2)
      pick(a): a[0]
      shift(r): r - v[0]
    task:
      draw:
        v: normal([n])
        k: integer(n)
        sub: subset(5, 2)
        perm: permutation(n)
        {draw}
      example:
        x: normal([4, n])
        s: rademacher([n])
        j: integer(4)
        u: uniform()
        coin: bernoulli(0.5)
        {example}
    architecture:
      f: {{input: "x[0]", layers: [{{dense: 5}}, relu, {{dense: 1}}]}}
      g: {{input: x, each: 4, layers: [{{dense: 2}}]}}
    outputs:
      guess: f
      {outputs}
    loss: {{l: "(f - u)^2"}}
    training: {{optimizer: sgd, batch: 2, steps: 4}}
    measures:
      m: E(u)
      {measures}
"""
STAGES = ("constant", "draw", "example", "outputs", "measures")


def program(stage: str, text: str) -> spec.Program:
    """The experiment with one more binding, `probe`, in a stage."""
    quoted = "'" + text.replace("'", "''") + "'"
    given = {name: f"probe: {quoted}" if name == stage else "" for name in STAGES}
    document = spec.parse(Source("types.yaml", NAMES.format(**given)))
    return spec.resolve(document).experiments[0].programs[0]


def term(stage: str, text: str) -> t.Term:
    """The term of an expression in a stage."""
    found = program(stage, text)
    named = (*found.draws, *found.examples, *found.outputs, *found.measures)
    return next(item.term for item in named if item.name == "probe")


def problem(stage: str, text: str) -> spec.Problem:
    """The one problem of an expression in a stage."""
    with pytest.raises(spec.StudyError) as caught:
        program(stage, text)
    (found,) = caught.value.problems
    return found


# -- kinds and shapes --------------------------------------------------------------------------------------------------

TYPES = [
    # kinds: bool < int < real
    ("1", "int"),
    ("1.0", "real"),
    ("u > 0", "bool"),
    ("1 + 2", "int"),
    ("1 + 2.0", "real"),
    ("4 / 2", "real"),
    ("j / 2", "real"),
    ("j // 2", "int"),
    ("u // 2", "real"),
    ("j % 3", "int"),
    ("coin * s", "int[3]"),
    ("coin * u", "real"),
    ("(u > 0) + (u > 1)", "int"),
    ("-j", "int"),
    ("-(u > 0)", "int"),
    ("j ^ 2", "int"),
    ("j ^ -1", "real"),
    ("j ^ k", "real"),
    ("u ^ 2", "real"),
    ("2 ^ 3", "int"),
    ("2 ^ -1", "real"),
    ("sqrt(4)", "real"),
    ("abs(s)", "int[3]"),
    ("floor(u)", "real"),
    ("sum(s)", "int"),
    ("sum(s > 0)", "int"),
    ("mean(s)", "real"),
    ("max(x)", "real"),
    ("any(s > 0)", "bool"),
    ("argmax(s)", "int"),
    ("u > 0 and not (u > 1)", "bool"),
    ("1 if u > 0 else 2", "int"),
    ("1 if u > 0 else 2.0", "real"),
    ("s if u > 0 else 0", "int[3]"),
    ("x if s > 0 else 0", "real[4, 3]"),
    # broadcasting
    ("x + v", "real[4, 3]"),
    ("x * u", "real[4, 3]"),
    ("v * s", "real[3]"),
    ("c + 1", "int[3]"),
    ("[u, 1]", "real[2]"),
    ("[s, v]", "real[2, 3]"),
    ("[[1, 2], [3, 4]]", "int[2, 2]"),
    ("maximum(x, v)", "real[4, 3]"),
    ("clip(x, 0, c)", "real[4, 3]"),
    # indices, slices, gathers
    ("x[0]", "real[3]"),
    ("x[-1, 2]", "real"),
    ("x[:, 0]", "real[4]"),
    ("x[1:3]", "real[2, 3]"),
    ("x[:-1, 1:]", "real[3, 2]"),
    ("x[0:n]", "real[3, 3]"),
    ("x[j]", "real[3]"),
    ("c[k]", "int"),
    ("v[sub]", "real[2]"),
    ("v[perm]", "real[3]"),
    ("x[sub]", "real[2, 3]"),
    ("x[j, k]", "real"),
    ("x[argmax(x[:, 0])]", "real[3]"),
    ("M[0][1]", "int"),
    # index notation
    ("i for i < 4", "int[4]"),
    ("relu(a - b + 1) for a < n, b < n + 1", "int[3, 4]"),
    ("v[i] * u for i < n", "real[3]"),
    ("x[i] for i < 2", "real[2, 3]"),
    ("sum([x[i, 0] for i < 4])", "real"),
    ("x[i + a, 0] for i < 2, a < 3", "real[2, 3]"),
    ("[u for i < 2] if u > 0 else 0", "real[2]"),
    ("[i * p for i < 2] for p < 3", "int[3, 2]"),
    # lengths are constants, wherever
    ("len(x)", "int"),
    ("len(x[0])", "int"),
    ("zeros([len(x), 2])", "real[4, 2]"),
    ("one_hot(j, len(x))", "real[4]"),
    # operations with rules of their own
    ("dot(v, x[0])", "real"),
    ("matmul(x, v)", "real[4]"),
    ("matmul(M, M)", "int[2, 2]"),
    ("transpose(x)", "real[3, 4]"),
    ("sum(x, axis=0)", "real[3]"),
    ("sum(x, axis=-1)", "real[4]"),
    ("concat(v, [u])", "real[4]"),
    ("diff(v)", "real[2]"),
    ("cumsum(s > 0)", "int[3]"),
    ("reshape(x, [2, 6])", "real[2, 6]"),
    ("scatter(sub, v[0:2], 5)", "real[5]"),
    ("step_of(x, [0, 1])", "int[4, 3]"),
    ("cross_entropy(x, [0, 1, 2, 0])", "real[4]"),
    ("stop(x)", "real[4, 3]"),
    # functions and networks
    ("double(s)", "int[3]"),
    ("double(x)", "real[4, 3]"),
    ("gap(x, v)", "real"),
    ("pick(c)", "int"),
    ("pi", "real"),
    ("f", "real"),
    ("g", "real[4, 2]"),
    ("f(v)", "real"),
    ("g(2 * x)[0]", "real[2]"),
    ("guess * 2", "real"),
]


@pytest.mark.parametrize(("text", "wanted"), TYPES)
def test_types(text: str, wanted: str) -> None:
    assert str(term("outputs", text).type) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x + [1, 2]", "[4, 3] and [2]"),
        ("[v, [1, 2]]", "int[2]"),
        ("v[0, 0]", "2 subscripts"),
        ("u[0]", "single number"),
        ("v[3]", "outside"),
        ("v[-4]", "outside"),
        ("v[u]", "int"),
        ("v[1:1]", "empty"),
        ("v[j:]", "constant"),
        ("i for i < j", "constant"),
        ("i for i < 0", "at least 1"),
        ("i for i < 1.5", "whole number"),
        ("zeros([j])", "constant"),
        ("zeros([k])", "drawn once per replicate"),
        ("not u", "bool"),
        ("u and true", "bool"),
        ("1 if u else 2", "bool"),
        ("dot(v, [1, 2])", "3"),
        ("matmul(v, v)", "dot"),
        ("sum(x, axis=2)", "axis"),
        ("reshape(x, [5])", "12"),
        ("cross_entropy(x, v)", "label"),
        ("one_hot(u, 3)", "int"),
        ("len(u)", "length"),
        ("double(1, 2)", "double(a)"),
        ("double", "arguments"),
        ("nothing", "unknown name"),
        ("nothing(1)", "unknown operation"),
        ("v(1)", "value"),
        ("f([1, 2])", "real[3]"),
        ("sum(x, axis=0, axis=1)", "twice"),
        ("sum(x, axes=0)", "axes"),
        ("sum()", "lacks"),
        ("normal([2])", "draws"),
        ("E(u)", "measures"),
        ("x.y", "network"),
        ("1 / 0", "finite"),
        ("log(0)", "finite"),
        ("zeros([10000, 10000])", "MiB"),
        ("9223372036854775808", "too large"),
    ],
)
def test_what_has_no_type(text: str, said: str) -> None:
    found = problem("outputs", text)
    assert said in found.message + " " + found.hint
    assert found.span is not None and found.span.source.name == "types.yaml"


def test_a_problem_points_at_its_part() -> None:
    found = problem("outputs", "1 + sum(v + [1, 2])")
    assert found.span is not None
    line = found.span.source.lines[found.span.line - 1]
    assert line[found.span.column - 1 : found.span.end_column - 1] == "v + [1, 2]"


# -- stages ------------------------------------------------------------------------------------------------------------

REACH = {"n": "constant", "v": "draw", "x": "example", "f": "architecture", "guess": "outputs"}
ORDER = ["constant", "draw", "example", "architecture", "outputs", "measures"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", REACH)
def test_a_name_is_used_by_its_own_stage_and_by_later_ones(name: str, stage: str) -> None:
    early = ORDER.index(REACH[name]) > ORDER.index(stage)
    if early:
        found = problem(stage, f"2 * {name}")
        assert f"'{name}'" in found.message
        assert "stages" in found.hint or "constant" in found.message
    else:
        program(stage, f"2 * {name}")


@pytest.mark.parametrize(
    ("stage", "text"), [("draw", "x[0, 0]"), ("example", "f"), ("constant", "sum(v)"), ("draw", "2 * guess")]
)
def test_too_early_is_said(stage: str, text: str) -> None:
    assert problem(stage, text).span is not None


@pytest.mark.parametrize("stage", ["constant", "outputs", "measures"])
def test_only_draws_and_examples_draw(stage: str) -> None:
    assert "draws" in problem(stage, "normal()").message
    assert isinstance(term("draw", "normal()"), t.Sample)
    assert isinstance(term("example", "normal()"), t.Sample)


def test_a_function_draws_nothing_and_takes_the_stage_of_its_call() -> None:
    assert "'v' is drawn once per replicate" in problem("constant", "shift(1)").message
    assert str(term("example", "shift(u)").type) == "real"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 + 2 * n", t.Literal),
        ("c[1:] + M", t.Literal),
        ("[i * n for i < n]", t.Literal),
        ("double(h)", t.Literal),
        ("len(x) + len(v)", t.Literal),
        ("sum(c)", t.Literal),
        ("n * v", t.Operate),
        ("v[0]", t.Gather),
        ("v[1:]", t.Cut),
        ("[v[0], 1]", t.Stack),
        ("[v[i] for i < n]", t.Comprehend),
        ("double(u)", t.Invoke),
        ("stop(v)", t.Stop),
        ("stop(c)", t.Literal),
        ("v", t.Reference),
        ("f", t.NetworkOutput),
    ],
)
def test_what_depends_on_nothing_is_computed(text: str, kind: type[t.Term]) -> None:
    assert isinstance(term("outputs", text), kind)


def test_index_variables_shadow_and_end_with_their_brackets() -> None:
    assert str(term("outputs", "sum([v for v < 4])").type) == "int"
    assert "unknown name" in problem("outputs", "[i for i < 2] + i").message


def test_parameters_shadow() -> None:
    found = term("outputs", "pick([u, v[0]])")
    assert str(found.type) == "real"
    assert str(program("outputs", "1").outputs[0].type) == "real"


def test_measures_are_over_examples() -> None:
    bare, said = term("measures", "u"), term("measures", "E(u)")
    assert isinstance(bare, t.Expectation) and isinstance(said, t.Expectation)
    assert isinstance(term("measures", "sqrt(E(u)) / E(u ^ 2)"), t.Operate)
    assert str(term("measures", "E(x > 0)").type) == "real[4, 3]"
    assert "with an `E`" in problem("measures", "u - E(u)").message
    assert not isinstance(term("measures", "sum(v)"), t.Expectation), "the same for all examples"
    assert str(term("measures", "f.weights").type) == "real[26]", "3 · 5 + 5 + 5 + 1"
    assert str(term("measures", "f.dense_1.kernel").type) == "real[3, 5]"
    median = term("measures", "quantile(u, 0.5)")
    assert isinstance(median, t.Expectation) and median.quantile == 0.5


def test_constants_are_values() -> None:
    found = program("constant", "unique(sort(concat(range(-2, 3), [0.5, 1])))").constants["probe"]
    np.testing.assert_array_equal(found, [-2, -1, 0, 0.5, 1, 2])
    assert found.dtype == np.float64
    assert program("constant", "2 ^ 10").constants["probe"].dtype == np.int64


def test_a_cycle_is_printed() -> None:
    text = NAMES.format(**dict.fromkeys(STAGES, "")).replace("h: 0.5", "h: p\n      p: 2 * q\n      q: h + 1")
    with pytest.raises(spec.StudyError) as caught:
        spec.resolve(spec.parse(Source("cycle.yaml", text)))
    assert any("h → p → q → h" in found.message for found in caught.value.problems)
    text = (
        NAMES.format(**dict.fromkeys(STAGES, ""))
        .replace("double(a): 2 * a", "double(a): pick([gap(a, a)])")
        .replace("a[0]", "double(a[0])")
    )
    with pytest.raises(spec.StudyError, match="uses itself"):
        spec.resolve(spec.parse(Source("cycle.yaml", text.replace("guess: f", "guess: double(f)"))))


def test_order_within_a_stage_is_free() -> None:
    text = NAMES.format(**dict.fromkeys(STAGES, "")).replace(
        "n: 3\n      h: 0.5", "n: 1 + two\n      two: 2\n      h: 0.5"
    )
    found = spec.resolve(spec.parse(Source("order.yaml", text))).experiments[0].programs[0]
    assert found.constants["n"] == 3
    assert [item.name for item in found.examples] == ["x", "s", "j", "u", "coin"]
