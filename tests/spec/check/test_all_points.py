"""What is checked for all sweep points at once is what is sound, and refused, at each of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.check.all_points import AllSizes, AllValues, OnePointNeeded, PointsDiffer
from dlspec.spec.check.experiment import ExperimentChecker
from dlspec.spec.check.expressions import Checker
from dlspec.spec.diagnostics.problems import Problem, Source, StudyError
from dlspec.spec.resolve import points_together, resolve
from dlspec.spec.resolve.resolve import in_every_profile

VALUES = ["-2", "-1", "0", "1", "2", "3", "5", "0.5", "-1.5", "1e300", "2000000000", "5000000000", "true", "[1, 2]"]
SOUND = ["1", "2", "3", "4", "6"]
SIZES = ["2", "3", "4", "5", "6", "7", "8", "9"]
LEAVES = ["c", "c", "c", "k", "k", "m", "2", "3.5", "u", "y", "x[0]", "f", "o", "i", "g(c)", "g(u)", "len(x)"]
SIZED = [
    "v", "sum(v)", "norm(v)", "dot(v, v)", "v[0]", "v[2]", "v[-1]", "v[i]", "q[0, 1]", "sum(q * q)", "mean(matmul(r, q))", "sum(r[0])",
    "sum(net.dense.kernel)", "norm(net)", "net[0]", "max(softmax(v))", "sum([v[j] * j for j < len(v)])", "argmax(v)", "len(v)", "v[1:]",
    "dot(v, q)", "sum(v + q[0])", "sum(v * r)", "c * u", "sum(one_hot(i, c))", "sum(zeros([c, m]))", "sum(reshape(q, [2, c]))", "u / c", "k * y",
    "sum(scan(h, zeros([c]), q))", "cross_entropy(net, i)", "quantile(v, 0.5)", "sum(roll(v, 1))", "sum(sort(v))", "sum([v, v])", "u if k > 6 else y",
]  # fmt: skip


def _expression(rng: random.Random, depth: int) -> str:
    """A random expression over swept constants, what is made of them, draws, examples, functions and outputs."""
    if depth == 0:
        return rng.choice(LEAVES)
    one, two, three = (_expression(rng, depth - 1 if rng.random() < 0.6 else 0) for _ in range(3))
    forms = [
        f"({one} + {two})", f"({one} - {two})", f"({one} * {two})", f"({one} / {two})", f"({one} // {two})",
        f"({one} % {two})", f"({one} ^ {two})", f"x[{one}]", f"x[0:{one}]", f"({one} if {two} > {three} else {three})",
        f"abs({one})", f"sqrt({one})", f"[{one}, {two}]", f"sum([{one} * j for j < {two}])", f"zeros([{one}])",
        f"scatter(i, {one}, {two})", f"one_hot(i, {one})", f"clip({one}, {two}, {three})", f"range({one})",
        f"maximum({one}, {two})", f"(not {one} > {two})", f"g({one})", f"E({one})", f"quantile({one}, {two})", f"h({one})",
        f"stop({one})", f"floor({one})", f"norm([{one}, {two}])", f"mean(x) * {one}", f"cross_entropy(x, {one})",
    ]  # fmt: skip
    return rng.choice(forms)


def _sized(rng: random.Random) -> str:
    """A study whose arrays and layers have swept sizes; some of its parts are sound at some points alone."""

    def size() -> str:
        return rng.choice(["c", "c", "c", "m", "k", "3"])

    def part() -> str:
        return rng.choice(["sum({0})", "{0}", "{0} * u", "norm([{0}, {0}])"]).format(rng.choice(SIZED))

    axes = ", ".join(f"{name}: [{', '.join(rng.sample(SIZES, 4))}]" for name in rng.choice([["c"], ["c"], ["c", "m"]]))
    layers = [rng.choice([f"dense: {size()}", "relu", "dense: 3", "layer_normalization"]) for _ in range(2)]
    return f"""
dlspec: 1
study: sizes
experiments:
  e:
    constants: {{c: 2, m: 4, k: "{rng.choice(["2 * c", "c + m", "c - 1", "c // 2"])}"}}
    sweep: {{{axes}}}
    functions: {{"h(a, b)": a + sum(b)}}
    task:
      draw: {{r: "normal([{size()}, {size()}])"}}
      example: {{v: "normal([{size()}])", q: "normal([{size()}, 2])", u: normal(), y: sum(v), i: "integer({size()})"}}
    architecture: {{net: {{input: {rng.choice(["v", "v", "q", "[u, y]"])}, layers: [dense: {size()}, {", ".join(layers)}]}}}}
    loss: {{l: "(sum(net) - {rng.choice(["y", "y", part()])})^2"}}
    training: {{optimizer: {{sgd: 0.1}}, batch: {size()}, steps: 2}}
    replicates: {rng.choice(["1", "1", "c"])}
    measures:
      one: "E({part()})"
      other: "{rng.choice(["E({})", "{}", "norm({})"]).format(part())}"
    figures:
      shown: {{kind: function, x: y, y: {{one: "{rng.choice(["u", part()])}"}}}}
"""


PATCHES = [
    "{training: {batch: #}}", "{training: {optimizer: {sgd: 0.#}}}", "{training: {optimizer: {sgd: #}}}", "{constants: {m: #}}",
    "{training: {optimizer: {adam: {learning_rate: 0.#, beta_1: 0.#}}}}", "{constants: {c: #, m: #}}", "{training: {batch: '# * c'}}",
    "{architecture: {net: {layers: [dense: #, dense: 3]}}}", "{architecture: {net: {layers: [dense: 3, dense: #]}}}",
    "{architecture: {net: {layers: {dense_1: {units: #}}}}}", "{architecture: {net: {layers: [dense: 3, dropout: 0.#, dense: 2]}}}",
    "{architecture: {net: {layers: [dense: {units: #, kernel_initializer: 'normal(0, #)'}, dense: 2]}}}",
    "{architecture: {net: {layers: [dense: {units: #, kernel_initializer: #, bias_initializer: {constant: 0.#}}, dense: 2]}}}",
    "{architecture: {net: {layers: [{repeat: {times: #, layers: [dense: 3]}}]}}}", "{architecture: {net: {layers: [{reshape: [#, 2]}, dense: 3]}}}",
    "{loss: {l: '(sum(net) - #)^2 * #.5'}}", "{loss: {l: {of: '(sum(net) - y)^2', weight: 0.#}}}", "{loss: {l: '(sum(net) - v[#])^#'}}",
    "{measures: {one: 'E(sum(net) * # + y // #)'}}", "{measures: {one: 'E(v[#])'}}",
    "{measures: {one: {gradient_noise: {of: 'sum(net)^2 - y * #', weights: net.weights, examples: 64 * #}}}}",
    "{measures: {one: 'quantile(y, 0.#)'}}", "{outputs: {o: 'sum(net) * # if y > # else #.0'}}", "{task: {example: {v: 'normal([#])'}}}",
    "{task: {example: {v: '# * normal([#])', u: 'uniform(-#, #)'}}}", "{task: {data: {train: #, test: 64}}}", "{task: {example: {i: 'integer(#)'}}}",
    "{functions: {'h(a, b)': 'a * # + sum(b)'}}", "{replicates: #}", "{seed: #}", "{training: {steps: #}}", "{training: {evaluate: {every: #}}}",
    "{training: {evaluate: {examples: #}}}", "{layer_defaults: {kernel_initializer: {constant: 0.#}}}",
]  # fmt: skip


def _varied(rng: random.Random) -> str:
    """A study whose variants are patches of a few forms, which differ in numbers; some are sound for some of these alone."""
    text = _sized(rng)
    begin, rest = text.split("    sweep:")
    numbers = [str(number) for number in range(1, 10)] + rng.choice(
        [[], [], ["0"], ["0", "12", "99999999999", "007", "1e300"]]
    )
    lines = []
    for form in rng.sample(PATCHES, 2):
        for _ in range(4):
            pieces = form.split("#")
            patch = pieces[0] + "".join(rng.choice(numbers) + piece for piece in pieces[1:])
            lines.append(f"      v{len(lines)}: {patch}\n")
    rng.shuffle(lines)
    kept = f"    sweep:{rest[: rest.index(chr(10))]}\n" if rng.random() < 0.2 else ""
    return f"{begin}    variants:\n{''.join(lines)}{kept}{rest[rest.index(chr(10)) + 1 :]}"


def _study(rng: random.Random) -> str:
    """A study that sweeps two constants and has a third made of them; a few of its parts are sound at no point, or at some."""
    values = SOUND if rng.random() < 0.6 else VALUES
    axes = ", ".join(f"{name}: [{', '.join(rng.sample(values, 3))}]" for name in rng.choice([["c"], ["c", "m"]]))
    variants = rng.choice(
        [
            "{}",
            "{a: {}, b: {constants: {m: 5}}}",
            "{a: {constants: {k: 3}}, b: {constants: {k: 4}}, d: {constants: {k: 0}}}",
        ]
    )
    measures = "\n".join(
        f'      m{n}: "{_expression(rng, rng.randint(1, 3))}"' for n in range(rng.choice([1, 1, 2, 8]))
    )
    return f"""
dlspec: 1
study: points
experiments:
  e:
    constants: {{c: 1, m: 2, k: "{rng.choice(["2 * c", "c + m", "1 / c", "c // 2", "[c, m][0]", "c - 1", "h(c)"])}"}}
    sweep: {{{axes}}}
    variants: {variants if axes.count(":") == 1 else "{}"}
    functions: {{g(a): a * c + 1, h(a): a // k}}
    task:
      draw: {{w: "normal([4])"}}
      example: {{x: "normal([4])", y: "dot(w, x)", u: "uniform(0, 1)", i: "integer(3)"}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    outputs: {{o: "f * {rng.choice(["c", "k", "2", "x[c]"])}", p: "{rng.choice([_expression(rng, 1), "y"])}"}}
    loss: {{l: "(f - y)^2"}}
    training: {{optimizer: {{sgd: 0.1}}, batch: 4, steps: 2}}
    measures:
{measures}
    figures:
      shown: {{kind: function, x: y, y: {{one: "{rng.choice([_expression(rng, 2), "u"])}"}}}}
"""


WRONG = {
    "u: normal()": "u: normal(zz)", 'u: "uniform(0, 1)"': 'u: "uniform(0, zz)"', "(f - y)^2": "(f - yy)^2", "(sum(net) - ": "(sum(nett) - ",
    "{sgd: 0.1}": "{sgd: 0.1, adam: 1}", "dense: 3": "dense: 0", "steps: 2": "step: 2",
}  # fmt: skip
"""What stands in these studies, and what is wrong in its place."""


def _wrong(rng: random.Random) -> str:
    """A study of any kind with an error that all of its cells have."""
    text = rng.choice([_study, _sized, _varied])(rng)
    said, wrong = rng.choice([(said, wrong) for said, wrong in WRONG.items() if said in text])
    return text.replace(said, wrong)


IN_PROFILES = (
    "training: {steps: 3}", "training: {batch: 0}", "training: {steps: '2 * c'}", "training: {optimizer: {adam: 0.1}}", "constants: {m: 5}",
    "replicates: 2", 'loss: {l: "(sum(nett) - y)^2"}', "architecture: {net: {layers: [dense: 0, dense: 3]}}", "measures: {more: E(zz)}",
    "variants: {v0: {training: {batch: 7}}}", 'variants: {v1: {loss: {l: "(sum(net) - zz)^2"}}, v2: {training: {steps: 9}}}',
    "variants: {v3: null}", "task: {example: {u: normal(qq)}}", "functions: {'h(a, b)': 'a + q'}",
)  # fmt: skip


def _profiled(rng: random.Random) -> str:
    """A study with variants, and one to three profiles of it, in which more may be wrong."""
    text = _varied(rng).rstrip() + "\nprofiles:\n"
    for number in range(rng.randint(1, 3)):
        patches = {patch.split(":")[0]: patch for patch in rng.sample(IN_PROFILES, rng.choice([1, 1, 2]))}
        text += f"  p{number}: {{experiments: {{e: {{{', '.join(patches.values())}}}}}}}\n"
    return text


def _seen(text: str, together: bool) -> list[Problem]:
    """The problems or the warnings of a study."""
    try:
        document = spec.parse(Source("study.yaml", text))
        return [item for plan in in_every_profile(document, lambda plan: plan.warnings, together) for item in plan]
    except StudyError as error:
        return list(error.problems)


@pytest.mark.parametrize(("study", "seed"), [(_study, 7), (_sized, 8), (_varied, 9), (_wrong, 10), (_profiled, 1)])
def test_points_together_are_refused_what_each_is_refused(
    study: Callable[[random.Random], str], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts and, from two sweep points on, whole cells."""
    monkeypatch.setattr(points_together, "MIN_AT_ONCE", 2)
    rng = random.Random(seed)
    sound = 0
    for _ in range(30):
        text = study(rng)
        alone = _seen(text, together=False)
        assert _seen(text, together=True) == alone, text
        sound += not any(problem.severity == "error" for problem in alone)
    assert 2 < sound < 28 or (study in (_wrong, _profiled) and sound < 28)


DOUBTFUL = """
dlspec: 1
study: doubtful
experiments:
  e:
    constants: {{c: 1, k: 1}}
    sweep: {{{name}: [{values}]}}
    task:
      draw: {{a: "zeros([3])"}}
      example: {{x: "normal([2])", i: "integer(3)", b: "integer(2)"}}
    architecture: {{f: {{input: x, layers: [dense: 1]}}}}
    measures: {{m: "{measure}"}}
"""
"""A measure that says what is seldom meant at some values of a number."""


@pytest.mark.parametrize(
    ("measure", "name", "values", "warned"),
    [
        ("E(hinge(c, f))", "c", ["1", "-1"], ["0.25", "3"]),  # a label of no sign
        ("E(hinge([c, k], [f, f]))", "c", ["1", "-1"], ["2"]),  # an array that holds it
        ("E(hinge(k * b, f))", "k", ["-1", "-2"], ["1", "2"]),  # an int within bounds that hang on it
        ("E(b * f > c)", "c", ["1", "0.5"], ["0"]),  # a margin, where it is 0
        ("E((1 if f > 0 else -1) == 2 * b - k)", "k", ["1"], ["0"]),  # values that are never equal
        ("a[0] + E(x[i * k])", "k", ["0"], ["1"]),  # an index that a draw puts outside
    ],
)
@pytest.mark.parametrize("least", [2, 1000])
def test_warnings_that_hang_on_a_swept_number_are_those_of_each_point(
    monkeypatch: pytest.MonkeyPatch, least: int, measure: str, name: str, values: list[str], warned: list[str]
) -> None:
    """Whole cells at once, and parts of them alone: none is missed, and none is told of points that it does not hold of."""
    monkeypatch.setattr(points_together, "MIN_AT_ONCE", least)
    for points in (values, [*values, *warned], [*warned, *values]):
        text = DOUBTFUL.format(measure=measure, name=name, values=", ".join(points))
        told = _seen(text, together=True)
        assert told == _seen(text, together=False)
        assert bool(told) == (points != values)
        assert all(item.severity == "warning" for item in told)


@pytest.mark.parametrize(
    "patch", ["{training: {batch: #}}", "{constants: {m: #}}", "{loss: {l: '(f - y)^2 * #'}}", "{}"]
)
def test_an_error_that_all_cells_have_takes_no_more_checks_of_more_cells(
    patch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred variants as of twenty; an error in one of them is told beside it."""
    programs, calls = ExperimentChecker.program, []
    monkeypatch.setattr(ExperimentChecker, "program", lambda self: calls.append(1) or programs(self))

    def said(variants: int, more: str = "") -> list[str]:
        lines = "".join(f"\n      v{n}: {patch.replace('#', str(n + 5))}" for n in range(variants))
        wrong = MANY.replace("    sweep: {c: [%s]}", f"    variants: {lines}{more}").replace("dot(w, x)", "dot(w, z)")
        calls.clear()
        return [problem.message for problem in _seen(wrong.replace("k: c * 2", "k: c * 2, m: 1"), True)]

    assert said(20) == ["unknown name 'z'"]
    few = len(calls)
    assert said(100) == ["unknown name 'z'"]
    assert len(calls) == few < 5
    assert len(said(100, "\n      other: {training: {steps: 0}}")) == 2


MANY = """
dlspec: 1
study: many
experiments:
  e:
    constants: {c: 1, k: c * 2}
    sweep: {c: [%s]}
    functions: {g(a): a * k}
    task:
      draw: {w: "normal([4])"}
      example: {x: "normal([4])", y: "dot(w, x)"}
    architecture: {f: {input: x, layers: [dense: 1]}}
    outputs: {o: f * c}
    loss: {l: "(f - y)^2"}
    training: {optimizer: {sgd: 0.1}, batch: 4, steps: 2}
    measures:
      bare: abs(f - y) > c + k
      called: E(g(o))
      branch: E((o if f > c else y) * 3)
      noise: {gradient_noise: {of: "(f - y)^2 * c", weights: f.weights}}
    figures:
      shown: {kind: function, x: y, y: {scaled: f * k}}
"""


def _operations(monkeypatch: pytest.MonkeyPatch, text: str) -> int:
    """How many operations are checked in a validation of a study, beside what compares cells one by one: a hundred along an axis at most."""
    calls = []
    operate = Checker.operate

    def counted(self: Checker, row: Any, *rest: Any) -> Any:
        calls.append(row.name)
        return operate(self, row, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Checker, "operate", counted)
        patched.setattr(resolve, "_equal", lambda *_: [])
        spec.validate(spec.parse(Source("many.yaml", text)))
    return len(calls)


def test_more_points_take_no_more_checks_of_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (_operations(monkeypatch, MANY % ", ".join(str(n + 1) for n in range(points))) for points in (10, 100))
    assert few > 10
    assert many == few, "nothing is checked again"


@pytest.mark.parametrize(
    "patch",
    [
        "{constants: {c: #}}",
        "{loss: {l: '(f - y)^2 * #.5 + #'}}",
        "{architecture: {f: {layers: [dense: #, {dense: 1}]}}}",
        "{training: {batch: #}}",
        "{training: {optimizer: {sgd: 0.#}}, constants: {c: #}}",
        "{training: {steps: #}}",
        "{training: {steps: '2 + #', batch: #}}",
        "{loss: {l: (f - y)^2, l#: abs(f - y)}}",
    ],
)
def test_more_variants_of_one_form_take_no_more_checks(patch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Operations are checked once for all variants."""

    def operations(variants: int) -> int:
        lines = "".join(f"\n      v{n}: {patch.replace('#', str(n + 5))}" for n in range(variants))
        return _operations(monkeypatch, MANY.replace("    sweep: {c: [%s]}", f"    variants: {lines}"))

    few, many = operations(20), operations(110)
    assert few > 10
    assert many == few


def test_a_number_that_is_read_once_for_all_cells_is_refused_in_each_profile() -> None:
    text = MANY.replace("[%s]", "[1, 2]").replace("weights: f.weights}", "weights: f.weights, examples: 64 * 0}")
    text += "profiles: {quick: {experiments: {e: {training: {steps: 1}}}}}\n"
    for together in (True, False):
        assert [problem.message for problem in _seen(text, together)] == ["'examples' has to be at least 1, and is 0"]


STEPS = """
dlspec: 1
study: steps
experiments:
  e:
    constants: {c: 4}
    task: {example: {x: "normal([4])", y: "sum(x)"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: "(f - y)^2"}
    training: {optimizer: {sgd: LR}, batch: 4, steps: 3 * c, evaluate: EVALUATE}
    measures: {m: "E(abs(f - y)) + MORE"}
    claims: {low: {says: so, check: "final(m) < 1 and highest(m, step <= 60) > 0"}}
    AXES
"""


@pytest.mark.parametrize("axes", ["sweep: {c: [#]}", "variants: {#}"])
@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"EVALUATE": "{at: [12, 40]}"}, {"EVALUATE": "{every: 3, log: 4}"}, {"EVALUATE": "{every: c}"}, {"3 * c": "c - 9"},
        {"EVALUATE": "{every: 1}", "3 * c": "500 * c"}, {"MORE": "x"}, {"MORE": "step // 3 + [1, 2, 3][step // 10]"},
        {"LR": "0.1 * (1 - step / 30)"}, {"LR": "0.1 / (step - 40)"}, {"<= 60": ">= 20"}, {"MORE": "sum(one_hot(step, 20))"},
    ],
)  # fmt: skip
def test_training_of_other_lengths_is_refused_together_what_each_is_refused(axes: str, wrong: dict[str, str]) -> None:
    """Steps that vary from cell to cell: evaluations, schedules and windows of each are those of its own."""
    text = STEPS
    for said, other in wrong.items():
        text = text.replace(said, other)
    for said, other in {"LR": "0.1", "EVALUATE": "{every: 5}", " + MORE": ""}.items():
        text = text.replace(said, other)
    values = range(5, 35, 2)
    written = [f"v{n}: {{constants: {{c: {n}}}}}" if "variants" in axes else str(n) for n in values]
    text = text.replace("AXES", axes.replace("#", ", ".join(written)))
    assert _seen(text, True) == _seen(text, False)


def test_a_part_that_fails_at_one_point_is_looked_at_again_at_the_others() -> None:
    text = MANY.replace("%s", "5, 1").replace("{o: f * c}", "{o: 'x[c] * f'}").replace("k: c * 2", "k: 3")
    text = text.replace("branch: E((o if f > c else y) * 3)", "branch: E(o[0])")
    for together in (True, False):
        assert [problem.message for problem in _seen(text, together)] == [
            "the index 5 is outside the array, whose length is 4",
            "a single number takes no subscript, and this is real",
        ]


@pytest.mark.parametrize(
    "look",
    [
        bool, int, float, list, len, str, repr, np.asarray, np.sqrt, lambda value: value + 1, lambda value: value > 1,
        lambda value: value == 1, lambda value: np.array([value]), lambda value: np.broadcast_to(value, (2,)),
        lambda value: np.stack([value, value]), lambda value: value.astype(float), lambda value: value[()], lambda value: -value,
        lambda value: np.float64(1) * value, lambda value: np.ones(2) < value, lambda value: f"{value}", hash,
    ],
)  # fmt: skip
def test_one_value_of_all_is_not_to_be_had(look: Callable[[Any], Any]) -> None:
    with pytest.raises(OnePointNeeded):
        look(AllValues(np.array([1, 2])))


def test_a_size_of_all_points_is_calculated_with_and_compared_where_all_agree() -> None:
    size = AllSizes(np.array([2, 3]))
    assert (2 * size + 1 == AllSizes(np.array([5, 7])), size > 1, size == 4, size != 4, size - size) == (
        True,
        True,
        False,
        True,
        0,
    )
    assert len({size, AllSizes(np.array([2, 3]))}) == 1
    for differs in (lambda: size == 2, lambda: size > 2, lambda: size in (1, 3)):
        with pytest.raises(PointsDiffer):
            differs()


@pytest.mark.parametrize(
    "look",
    [
        int, float, list, len, str, repr, range, np.zeros, np.asarray, np.sqrt, lambda size: size // 2, lambda size: 1 / size,
        lambda size: 2**size, lambda size: np.int64(3) * size, lambda size: np.ones(2) < size, lambda size: f"{size}",
        lambda size: size * 2**61, lambda size: "ab" * size, lambda size: [0] * size,
    ],
)  # fmt: skip
def test_one_size_of_all_is_not_to_be_had(look: Callable[[Any], Any]) -> None:
    with pytest.raises(OnePointNeeded):
        look(AllSizes(np.array([2, 3])))


def test_sizes_that_are_sound_in_a_part_of_the_points_are_told_as_each_is() -> None:
    text = MANY.replace("normal([4])", "normal([c])").replace("branch: E((o if f > c else y) * 3)", "branch: E(x[3])")
    text %= ", ".join(str(n + 1) for n in range(40))
    assert [problem.message for problem in _seen(text, True)] == ["the index 3 is outside the array, whose length is 1"]
    assert _seen(text, True) == _seen(text, False)
