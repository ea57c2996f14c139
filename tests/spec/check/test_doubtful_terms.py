"""What is right by the rules and seldom meant is warned of: scores that are probabilities already, arrays that are spread over each other."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source, StudyError

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    functions: {{nll(v): "cross_entropy(v, y)", soft(v): softmax(v)}}
    task: {{example: {{x: "normal([4])", y: argmax(x)}}}}
    architecture:
      f: {{input: x, layers: [dense: {{units: 4, activation: {last}, name: last}}, {more}]}}
      g: {{input: x, layers: [dense: {{units: 1, activation: {last}}}]}}
    outputs: {{p: softmax(f.last), h: "soft(f)"}}
    loss: {{l: "sum(f.weights^2)"}}
    training: {{optimizer: adam, batch: 32, steps: 10}}
    measures: {{used: "E(p[0])", m: "E({measure})"}}
"""


def warned(last: str, measure: str, more: str = "activation: linear") -> list[str]:
    """What is warned of, but for what stands in every study here."""
    text = STUDY.format(last=last, measure=measure, more=more)
    found = spec.resolve(spec.parse(Source("s.yaml", text))).warnings
    return [one.message for one in found if "taken twice" in one.message and one.span.line > 12]


@pytest.mark.parametrize(
    ("measure", "more"),
    [
        ("cross_entropy(p, y)", "activation: linear"), ("nll(p)", "activation: linear"), ("cross_entropy(soft(f), y)", "activation: linear"),
        ("cross_entropy(h, y)", "activation: linear"), ("cross_entropy(stop(p), y)", "activation: linear"),
        ("cross_entropy(f, y)", "activation: softmax"), ("cross_entropy(f(2 * x), y)", "softmax"), ("log_softmax(p)[0]", "activation: linear"),
        ("cross_entropy(f, y)", "soft"), ("logistic(1, sigmoid(g))", "activation: linear"),
    ],
)  # fmt: skip
def test_probabilities_for_scores_are_warned_of(measure: str, more: str) -> None:
    assert len(warned("linear", measure, more)) == 1


@pytest.mark.parametrize(
    ("last", "measure"),
    [
        ("linear", "cross_entropy(f, y)"), ("linear", "cross_entropy(log(p), y)"), ("log_softmax", "cross_entropy(f, y)"),
        ("linear", "logistic(1, g)"), ("linear", "sum(softmax(f) * p)"), ("sigmoid", "cross_entropy(f, y)"), ("linear", "logistic(1, p[0])"),
    ],
)  # fmt: skip
def test_scores_are_not(last: str, measure: str) -> None:
    assert warned(last, measure) == []


def test_a_layer_that_ends_in_a_sigmoid_is_named() -> None:
    (told,) = warned("sigmoid", "logistic(1, g)")
    assert told == "`logistic` takes the sigmoid of its scores itself, and is given a sigmoid: it is taken twice"


SPREAD = """
dlspec: 1
study: s
experiments:
  e:
    constants: {{T: 5, k: 1}}
    sweep: {{k: {counts}}}
    task: {{example: {{x: "normal([T, 5])", y: "x[:, 0]", b: "y > 0"}}}}
    architecture: {{f: {{input: x, layers: [dense: 8, dense: k]}}}}
    measures: {{m: "E(mean({measure}))"}}
"""


def spread(measure: str, counts: str = "[1]") -> list[str]:
    """What is warned of."""
    return [
        one.message
        for one in spec.resolve(spec.parse(Source("s.yaml", SPREAD.format(measure=measure, counts=counts)))).warnings
    ]


@pytest.mark.parametrize(
    "measure", ["(f - y)^2", "maximum(y, f)", "f if b else 0", "clip(f, 0, abs(y))", "hinge(y, f)"]
)
def test_a_column_with_a_row_is_warned_of(measure: str) -> None:
    (told,) = spread(measure)
    assert " is real[5, 5]: each entry of one with each of the other" in told


@pytest.mark.parametrize(
    "measure",
    [
        "(f[:, 0] - y)^2",
        "f - x",
        "x - y",
        "f + 1",
        "reshape(y, [5, 1]) - reshape(y, [1, 5])",
        "[f[i, 0] - y[j] for i < 5, j < 5]",
    ],
)
def test_what_is_spread_as_it_is_said_is_not(measure: str) -> None:
    assert spread(measure) == []


def test_of_swept_sizes_that_alone_is_told_which_is_spread() -> None:
    (told,) = spec.resolve(spec.parse(Source("s.yaml", SPREAD.format(measure="(f - y)^2", counts="[1, 5]")))).warnings
    assert told.hint.endswith("This arises with k = 1.") and not spread("(f - y)^2", "[5]")


SIGNS = """
dlspec: 1
study: s
experiments:
  e:
    constants: {{c: 0}}
    functions: {{mine(v): "hinge(v, f)"}}
    task: {{example: {{x: "normal([4])", k: "integer(2)", b: "x[0] > 0", a: argmax(x), r: "rademacher()"}}}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    loss: {{l: "f^2 + 0 * mine(2 * k - 1)"}}
    training: {{optimizer: adam, batch: 4, steps: 3}}
    measures: {{m: "E({measure})"}}
"""


def signs(measure: str) -> list[str]:
    """What is warned of."""
    return [one.message for one in spec.resolve(spec.parse(Source("s.yaml", SIGNS.format(measure=measure)))).warnings]


@pytest.mark.parametrize(
    ("measure", "values"),
    [
        ("hinge(k, f)", "0 or 1"), ("logistic(b, f)", "0 or 1"), ("logistic(1 if b else 0, f)", "0 or 1"), ("logistic(c, f)", "0"),
        ("hinge(a, f)", "0 … 3"), ("mine(k)", "0 or 1"),
        ("hinge(step, f)", "0 … 3"),
        ("sum([hinge(i, f) for i < 3])", "0 … 2"),
        ("hinge(k, f) if x[1] > 0 else 0", "0 or 1"), ("0 if b else mine(k)", "0 or 1"), ("norm(gradient(logistic(k, f), x))", "0 or 1"),
        ("mine(1 if b else 0)", "0 or 1"), ("hinge([0, 1], [f, -f])[0]", "0 or 1"), ("logistic(2, f)", "2"),
    ],
)  # fmt: skip
def test_labels_of_0_and_1_where_signs_are_asked_for(measure: str, values: str) -> None:
    (told,) = signs(measure)
    assert told.endswith(f"takes y = ±1, and this is {values}")


@pytest.mark.parametrize(
    "measure", ["hinge(2 * k - 1, f)", "hinge(k + 1, f) if k < 1 else 0", "logistic(1 if b else -1, f)", "hinge(r, f)", "logistic(1, f) + logistic(-1, f)",
     "hinge(x[0], f)",
     "hinge(-1 if k == 0 else 1, f)"],
)  # fmt: skip
def test_signs_are_not_warned_of(measure: str) -> None:
    assert signs(measure) == []


@pytest.mark.parametrize(("measure", "meant"), [("max(abs(f))", "quantile(x, 1)"), ("min(k)", "quantile(x, 0)")])
def test_the_largest_of_one_number_is_warned_of(measure: str, meant: str) -> None:
    text = SIGNS.format(measure=measure)
    (told,) = spec.resolve(spec.parse(Source("s.yaml", text))).warnings
    assert told.message.endswith("of one number is that number: expressions speak of one example")
    assert told.hint == f"Over examples it is `{meant}`."
    assert signs(measure.replace("abs(f)", "x").replace("(k)", "(x)")) == []


@pytest.mark.parametrize("value", ["std(f)", "variance(x[0] - f)", "E(variance(f))", "1 - E(f^2) / E(variance(k))"])
def test_one_number_has_no_spread(value: str) -> None:
    with pytest.raises(StudyError) as caught:
        spec.resolve(spec.parse(Source("s.yaml", SIGNS.format(measure=value))))
    (told,) = caught.value.problems
    assert "a single number has no spread: expressions speak of one example" in told.message
    assert "E((x - E(x))^2)" in told.hint


BARE = SIGNS.replace('"E({measure})"', '"{measure}"')


def order(measure: str) -> list[tuple[str, str]]:
    """What is warned of a measure that stands as it is."""
    found = spec.resolve(spec.parse(Source("s.yaml", BARE.format(measure=measure)))).warnings
    return [(one.message.split(" is taken of ")[0], one.hint) for one in found if "comes last" in one.message]


@pytest.mark.parametrize(
    ("measure", "outer", "mended"),
    [
        ("sqrt(mean((x - f)^2))", "`sqrt`", "`sqrt(E(mean(…)))`"), ("sqrt(mean((f - x[0])^2))", "`sqrt`", "`sqrt(E(mean(…)))`"),
        ("1 - mean(x^2) + 2 * exp(mean(-x))", "`exp`", "`exp(E(mean(…)))`"), ("f / mean(x)", "`/`", "`E(mean(…))`"), ("mean(x)^2", "`^`", "`E(mean(…))`"),
        ("norm(gradient(f, f.weights))", "`norm`", "`norm(E(gradient(…)))`"), ("log(squared_norm(gradient(f, f.weights)))", "`log`", "`E(gradient(…))`"),
        ("sqrt(mean((x - f)^2)) if b else 0", "`sqrt`", "`sqrt(E(mean(…)))`"),
    ],
)  # fmt: skip
def test_a_measure_without_an_E_that_would_be_another_with_one(measure: str, outer: str, mended: str) -> None:
    """Its value is the mean of each example's root: 0.798 of the root of the mean square for one normal number."""
    ((told, hint),) = order(measure)
    assert told == outer and mended in hint


@pytest.mark.parametrize(
    "measure",
    ["mean((x - f)^2)", "2 * mean(x) - 1", "E(sqrt(mean(x^2)))", "sqrt(E(mean(x^2)))", "norm(x - f)", "norm(x - repeat(mean([x, x], axis=0)[0], 4))",
     "mean(x) / 2", "norm(f.weights)", "f", "f * k > 0", "sqrt(f^2)", "norm(E(gradient(f, f.weights)))", "gradient(f, f.weights)[0]",
     "sqrt(mean(f.weights^2)) * f", "quantile(sqrt(mean(x^2)), 0.5)"],
)  # fmt: skip
def test_a_measure_without_an_E_that_is_the_same_with_one(measure: str) -> None:
    assert order(measure) == []
