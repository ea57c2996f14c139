"""Ints that may grow too large, labels that are none, words and indices outside: refused before anything runs."""

from __future__ import annotations

import itertools
import json
import random
import re
from typing import Any

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Problem, Source, StudyError


def problems(example: dict[str, Any], measure: str = "E(1.0)", **parts: Any) -> list[Problem]:
    """What is wrong with a study that draws `example` and measures one thing."""
    experiment = {"task": {"data": {"test": 4}, "example": example}, "measures": {"m": measure}, **parts}
    text = json.dumps({"dlspec": 1, "study": "s", "experiments": {"e": experiment}})
    try:
        spec.resolve(spec.parse(Source("ranges.yaml", text)))
    except StudyError as error:
        return list(error.problems)
    return []


BASE = {"k": "integer(100000)", "s": "rademacher([50])", "x": "normal([3])", "y": "integer(3)"}

TOO_LARGE = {
    "k * k": "9,999,800,001",
    "(k + 1)^2": "10,000,000,000",
    "[k^3 for i < 10][0]": "999,970,000,299,999",
    "square(k)": "9,999,800,001",
    "sum([k, 2147483647])": "2,147,583,646",
    "prod([k, k])": "9,999,800,001",
    "dot([k, k], [k, k])": "19,999,600,002",
    "cumsum([20000 * k, 20000 * k])[0]": "3,999,960,000",
    "matmul([[k, 0], [0, k]], [k, k])[0]": "19,999,600,002",
    "outer([k, 1], [k, 1])[0, 0]": "9,999,800,001",
    "trace([[k * 20000, 0], [0, k * 20000]])": "3,999,960,000",
    "scatter([0, 0], [k * 20000, k * 20000], 2)[0]": "3,999,960,000",
    "-(2147483647 * y)": "4,294,967,294",
    "-2147483648 * y - y": "4,294,967,296",
    "sum([k * i for i < 100000])": "9,999,800,001",
    "k + 3000000000": "3,000,000,000",
    "[3000000000, k][0]": "3,000,000,000",
    "[1, 3000000000][y]": "3,000,000,000",
    "1 if k > 3000000000 else 0": "3,000,000,000",
    "double(double(20000 * k))": "3,999,960,000",
}


@pytest.mark.parametrize("value", TOO_LARGE)
def test_an_int_that_may_grow_too_large_is_refused(value: str) -> None:
    found = problems({**BASE, "z": value}, functions={"double(r)": "r + r"} if "double" in value else {})
    assert found and TOO_LARGE[value] in found[0].message, found
    assert found[0].span is not None and "1.0 *" in found[0].hint
    assert len(found) == 1, "each cause is told once"


@pytest.mark.parametrize(
    "value",
    [
        "1.0 * k * k", "k * 21474", "prod(s)", "cumprod(s)", "dot(s, s)", "k % 7", "k // 3",
        "sum(s)^5", "clip(k, 0, 40000) * 50000", "minimum(k, 3)^19", "sign(k - 5) * 2147483647", "argsort(x) * 1000000000",
        "argmax(x) * 1073741823", "100000 * 100000 * x[0]", "3000000000 * x", "k + 2147383648", "(k % 10) ^ 9",
        "max([k, 5]) * 21474", "(1 if x[0] > 0 else -1) * 2147483647", "integer(2147483648)",
        "2 * permutation(5)", "sum([k, 2147383648])", "prod([k, 2, 10737])", "categorical([1, 1]) * 2147483647", "sum([i * y for i < 30000])",
    ],
)  # fmt: skip
def test_what_cannot_grow_too_large_is_not_refused(value: str) -> None:
    assert problems({**BASE, "z": value}) == []


def test_integer_draws_at_most_what_an_int_holds() -> None:
    (found,) = problems({"k": "integer(2147483649)"})
    assert "2,147,483,648" in found.message and "floor(uniform(0, 2147483649))" in found.hint


def test_constants_go_as_far_as_64_bits_and_are_real_where_a_real_is_asked_for() -> None:
    constants = {"c": "100000 * 100000", "d": "sum([1000000000 * i for i < 100])"}
    assert problems(BASE, "E(c * 1.0 + y * 1.0 + d / 2)", constants=constants) == []
    (found,) = problems(BASE, "E(c + y)", constants=constants)
    assert "10,000,000,000" in found.message and "1.0 * c" in found.hint
    (found,) = problems(BASE, constants={"c": "10000000000 * i * i * i for i < 1000"})
    assert "reach" in found.message and "9,223,372,036,854,775,807" in found.message


def test_what_a_function_reaches_stands_in_the_function() -> None:
    (found,) = problems({**BASE, "z": "far(k)"}, functions={"far(r)": "r * r"})
    assert "9,999,800,001" in found.message


def test_every_use_of_a_function_has_its_own_bounds() -> None:
    assert problems({**BASE, "z": "far(y) + far(argmax(x))"}, functions={"far(r)": "r * r * 200000000"}) == []


def test_a_divisor_that_may_be_zero() -> None:
    for operator in ("//", "%"):
        (found,) = problems({**BASE, "z": f"k {operator} y"})
        assert "may divide by 0" in found.message and "0 … 2" in found.message and "maximum(y, 1)" in found.hint
        assert problems({**BASE, "z": f"k {operator} maximum(y, 1)"}) == []
        assert problems({**BASE, "z": f"k {operator} (y + 1) + k {operator} (-y - 1) + x[0] {operator} y"}) == []


NETWORK = {
    "architecture": {"f": {"input": "x", "layers": [{"dense": 3}]}},
    "training": {"optimizer": "sgd", "batch": 4, "steps": 1},
}


@pytest.mark.parametrize(
    ("label", "bounds", "remedy"),
    [("y + 1", "1 … 3", "y + 1) - 1"), ("integer(4)", "0 … 3", "clip("), ("y - 1", "-1 … 1", "+ 1")],
)
def test_a_label_that_is_no_class(label: str, bounds: str, remedy: str) -> None:
    example = {**BASE, "z": label}
    found = problems(example, **NETWORK, loss={"l": "cross_entropy(f, z)"})
    assert bounds in found[0].message and "0 … 2" in found[0].message and "`z`" in found[0].message
    assert "clip(z, 0, 2)" in found[0].hint
    assert problems(example, **NETWORK, loss={"l": "cross_entropy(f, clip(z, 0, 2))"}) == []


def test_a_constant_label_that_is_no_class() -> None:
    assert problems(BASE, **NETWORK, loss={"l": "cross_entropy(f, 3)"})
    assert problems(BASE, "cross_entropy([0, 0], 2)")
    assert not problems(BASE, **NETWORK, loss={"l": "cross_entropy(f, 2)"})


def test_words_outside_an_embedding_also_of_another_input() -> None:
    layers = [{"embedding": {"input_dim": 5, "output_dim": 2}}, "flatten", {"dense": 1}]
    example = {"w": "integer(5, [2])", "x": "normal([3])", "v": "integer(6, [2])", "b": "bernoulli(0.5, [2])"}
    network = {
        "architecture": {"f": {"input": "w", "layers": layers}},
        "loss": {"l": "f^2"},
        "training": NETWORK["training"],
    }
    assert problems(example, "E(f + f(w) + f(b))", **network) == []
    (found,) = problems(example, "E(f(v))", **network)
    assert "0 … 4" in found.message and "0 … 5" in found.message and "`v`" in found.message
    (found,) = problems(example, "E(f(w - 1))", **network)
    assert "-1 … 3" in found.message
    (found,) = problems(example, "E(f(x[0:2]))", **network)
    assert "takes ints" in found.message and "real[2]" in found.message
    network["architecture"]["f"]["input"] = "v"
    assert "input_dim" in problems(example, **network)[0].hint


def test_scatter_one_hot_and_indices() -> None:
    assert problems({**BASE, "z": "scatter([y, 0], [1, 2], 3)"}) == []
    (found,) = problems({**BASE, "z": "scatter([y, 3], [1, 2], 3)"})
    assert "0 … 3" in found.message and "0 … 2" in found.message
    assert problems(BASE, "sum(scatter([3], [1], 3))"), "constants too"
    assert problems({**BASE, "z": "one_hot(k, 3)"}) == [], "an index outside gives zeros"
    (found,) = problems({**BASE, "z": "one_hot(k + 3, 3)"})
    assert "0 throughout" in found.message
    assert problems({**BASE, "z": "x[k]"}) == [], "a drawn index is clamped"
    for index in ("k + 3", "-k - 1"):
        (found,) = problems({**BASE, "z": f"x[{index}]"})
        assert "always outside: the array has 3 entries" in found.message
    for index in ("3", "-4"):
        assert "outside the array" in problems({**BASE, "z": f"x[{index}]"})[0].message


INSIDE = [
    "[x[i] for i < 3]", "[x[i + 1] - x[i] for i < 2]", "[x[2 - i] for i < 3]", "[x[(i + 1) % 3] for i < 3]", "[x[clip(i - 1, 0, 2)] for i < 3]",
    "[x[i - 1] if i > 0 else 0 for i < 3]", "[x[i + j] if i + j < 3 else 0 for i < 3, j < 3]", "[0 if i == 0 or i == 2 else x[i + 1] for i < 3]",
    "[x[i // 2] for i < 6]", "[x[y + i] for i < 3]", "[x[i - 1] if x[0] > i else 0 for i < 3]", "[before(i) if i >= 1 else 0 for i < 3]",
    "[sum([x[j - i] if j >= i else 0 for j < 3]) for i < 3]", "[W[0, i + 300] if i < 200 else 0 for i < 400][0]",
]  # fmt: skip
OFF_THE_ARRAY = {
    "[x[i + 1] - x[i] for i < 3]": "1 … 3", "[x[i - 1] for i < 3]": "-1 … 1", "[x[i + j] for i < 3, j < 2]": "0 … 3", "[W[0, i + 1] for i < 500][0]": "1 … 500",
    "[x[2 * i] if i < 2 else x[i + 1] for i < 3]": "3", "[x[i - 1] if i < 2 else 0 for i < 3]": "-1 … 0", "[before(i) for i < 3]": "-1 … 1",
    "[sum([x[j - i] for j < 3]) for i < 3]": "-2 … 2", "[[5, 6, 7][i - 1] for i < 3]": "-1 … 1", "[x[i - 1] if y > 0 else 0 for i < 3]": "-1 … 1",
}  # fmt: skip
NOTATION = {"functions": {"before(n)": "x[n - 1]"}, "task": {"draw": {"W": "normal([1, 500])"}, "example": BASE}}


@pytest.mark.parametrize("value", INSIDE)
def test_index_notation_within_an_array(value: str) -> None:
    assert problems({}, f"E(sum({value}))", **NOTATION) == []


@pytest.mark.parametrize(("value", "reached"), OFF_THE_ARRAY.items())
def test_index_notation_beyond_an_end_of_an_array(value: str, reached: str) -> None:
    """No entry stands there: that of the end would be taken in silence, where NumPy takes the last for -1."""
    (found,) = problems({}, f"E(sum({value}))", **NOTATION)
    assert (
        f" is {reached}, but the array has the entries 0 … " in found.message
        or f" is {reached}, always outside" in found.message
    )


def test_index_notation_of_swept_lengths_and_of_constants() -> None:
    parts = {"constants": {"n": 3, "c": [1, 2, 3, 4]}, "sweep": {"n": [3, 4]}}
    assert problems(BASE, "E(sum([c[i] for i < n]))", **parts) == []
    (found,) = problems(BASE, "E(sum([x[i] for i < n]))", **parts)
    assert found.message == "the index `i` is 0 … 3, but the array has the entries 0 … 2"
    (found,) = problems(BASE, "E(1.0 * sum(d))", constants={"c": [1, 2, 3], "d": "[c[i - 1] for i < 3]"})
    assert "-1 … 1" in found.message
    assert (
        problems(BASE, "E(1.0 * sum(d))", constants={"c": [1, 2, 3], "d": "[c[i - 1] if i > 0 else 7 for i < 3]"}) == []
    )


@pytest.mark.parametrize("value", ["x[x > 0]", "x[[true, false, true]]", "W[0, W[0] > 1]", "x[s == 1]"])
def test_a_mask_is_no_index(value: str) -> None:
    found = problems({}, f"E(sum({value}))", **NOTATION)
    assert any("a mask takes no entries out" in one.message for one in found)
    assert problems({}, "E([-1.0, 1.0][y > 0])", **NOTATION) == []


def test_ints_in_a_network_are_followed_through_its_functions() -> None:
    network = {"architecture": {"g": {"input": "k", "layers": ["twice", "square"]}}, "functions": {"twice(r)": "2 * r"}}
    (found,) = problems(BASE, "E(1.0 * g)", **network)
    assert "39,999,200,004" in found.message
    network["architecture"]["g"]["input"] = "y"
    assert problems(BASE, "E(1.0 * g)", **network) == []
    assert "39,999,200,004" in problems(BASE, "E(1.0 * g(k))", **network)[0].message


def test_a_dense_network_of_ints_takes_reals_too() -> None:
    network = {"architecture": {"f": {"input": "s", "layers": [{"dense": 1}]}}}
    assert problems(BASE, "E(f + f(1.5 * s))", **network) == []
    network["architecture"]["f"]["layers"] = ["square", {"dense": 1}]  # type: ignore[list-item]
    assert "takes ints" in problems(BASE, "E(f(1.5 * s))", **network)[0].message


def test_a_long_chain_of_names_is_no_recursion() -> None:
    example = {"k0": "integer(2)", **{f"k{i + 1}": f"maximum(k{i}, 1)" for i in range(300)}}
    assert problems(example) == []
    # The expression checker itself recurses over names; the pass over terms does not.
    import sys

    from dlspec.spec.ir import terms as t
    from dlspec.spec.ir.types import Type
    from dlspec.spec.passes.integer_ranges import Ranges

    term: t.Term = t.Sample("integer", (), {"n": 2}, {}, (), type=Type("int"))
    for _ in range(20 * sys.getrecursionlimit()):
        term = t.Operate("square", (term,), {}, type=Type("int"))
    assert Ranges({}, {}).of(term) == (0, 1)


@pytest.mark.parametrize(
    ("value", "sound"),
    [
        ("cross_entropy(x, k if k < 3 else 2)", True),
        ("cross_entropy(x, k if k <= 3 else 2)", False),
        ("cross_entropy(x, 2 if 3 <= k else k)", True),
        ("cross_entropy(x, 2 if k > 3 else k)", False),
        ("cross_entropy(x, k if 2 >= k else 0)", True),
        ("cross_entropy(x, k if k < y + 1 else 2)", True),
        ("cross_entropy(x, k if k < y + 2 else 2)", False),
        ("cross_entropy(x, k if y < 3 else 2)", False),
        ("10 // (k if k > 0 else 1)", True),
        ("10 // (k if k >= 0 else 1)", False),
        ("10 // (1 if k < 1 else k)", True),
        ("10 // (1 if k == 0 else k)", True),
        ("10 // (1 if k == 1 else k)", False),
        ("safe(k)", True),
        ("cross_entropy(x, one * one)", True),
        ("cross_entropy(x, one * -one)", False),
        ("cross_entropy(x, 1 - one * one)", True),
    ],
)  # fmt: skip
def test_a_branch_that_its_condition_bounds_and_a_square_are_no_less_than_they_are(value: str, sound: bool) -> None:
    """`k` is 0 … 11, `y` 0 … 2 and `one` -1 or 1; bounds of each alone would refuse them all."""
    example = {"k": "integer(12)", "y": "integer(3)", "one": "rademacher()", "x": "normal([3])", "v": value}
    found = problems(example, "E(v)", functions={"safe(a)": "10 // (a if a > 0 else 1)"})
    assert (not found) == sound, found


BRANCHES = {
    "10 // k if k > 0 else 0": True,
    "10 // k if k >= 0 else 0": False,
    "0 if k < 1 else 10 % k": True,
    "10 // k if k != 0 else 0": True,
    "10 // k if not k == 0 else 0": True,
    "10 // k if k > 0 and y > 1 else 0": True,
    "10 // k if k > 0 or y > 1 else 0": False,
    "0 if k == 0 or y == 0 else 10 // k + 7 // y": True,
    "0 if k == 0 and y == 0 else 10 // k": False,
    "10 // k if k % 2 == 1 else 0": True,
    "(10 // (y - 1) if y > 1 else 10 // (y + 1)) if k > 3 else 1": True,
    "(10 // (y - 1) if k > 1 else 10 // (y + 1)) if k > 3 else 1": False,
    "10 // wide if wide > 0 else 0": True,
    "10 // (wide - 1) if wide > 0 else 0": False,
    "10 // (2 * k - 1)": True,
    "10 // (3 * k - 6)": False,
    "10 // odd": True,
    "10 // one": True,
    "10 // (one + 1)": False,
    "10 // (one * k + 12)": True,
    "sum(10 // coins)": True,
    "10 // (k - k // 3 * 3 + 1)": True,
    "10 // (k - k // 3 * 3)": False,
    "cross_entropy(x, k - k // 3 * 3)": True,
    "cross_entropy(x, wide - 3 * (wide // 3))": True,
    "cross_entropy(x, wide - 4 * (wide // 4))": False,
    "cross_entropy(x, wide - 3 * (k // 3))": False,
    "scatter([k - k // 3 * 3], [1.0], 3)[0]": True,
    "sum(word(k - k // 3 * 3))": True,
    "sum(word(k - k // 3 * 3) + word(k - one - 1))": False,
    "k * 500000000 - k * 499999999": False,
    "(wide * wide if wide < 40000 else 0)": True,
    "(wide * wide if wide < 50000 else 0)": False,
    "safe(k)": True,
    "safe(2 * k - 1)": True,
    "unsafe(k)": False,
    "unsafe(k) if k > 0 else 1": True,
    "E(10 // k) if y > 3 else 0": False,
    "sum([10 // i if i > 0 else 0 for i < 5])": True,
    "sum([10 // i if i > y else 0 for i < 5])": True,
    "sum([10 // (i - 2) if i > y else 0 for i < 5])": False,
    "k > 0 and 10 // k > 1": True,
    "k >= 0 and 10 // k > 1": False,
    "k == 0 or 10 // k > 1": True,
    "k > 0 or 10 // k > 1": False,
    "10 // k > 1 and k > 0": False,
    "not (k == 0 or y == 0) and 10 // k > 7 // y": True,
    "not k == 0 and y > 0 and 10 // (k * y) > 1": True,
    "k % 2 == 1 and 10 // k > 1": True,
    "wide > 0 and (y > 0 and 10 // y > 1 or 10 // wide > 1)": True,
    "wide > 0 and (y > 0 and 10 // y > 1 or 10 // y > 1)": False,
    "any([i > 0 and 10 // i > k for i < 5])": True,
    "k > 3 and sum(masked) > 0.5": True,
    "10 // (k - y + 12)": True,
    "10 // (k - y)": False,
}
"""`k` is 0 … 11, `y` 0 … 2, `one` and each of `coins` -1 or 1, `wide` large, and `odd` is `2 * k - 1`."""


@pytest.mark.parametrize("value", BRANCHES)
def test_ints_are_what_their_conditions_and_few_values_let_them_be(value: str) -> None:
    example = {
        "k": "integer(12)", "y": "integer(3)", "one": "rademacher()", "coins": "rademacher([4])", "x": "normal([3])",
        "wide": "integer(2000000000)", "odd": "2 * k - 1",
    }  # fmt: skip
    functions = {"safe(a)": "10 // a if a > 0 else 0", "unsafe(a)": "10 // a"}
    word = {"word": {"input": "y", "layers": [{"embedding": {"input_dim": 3, "output_dim": 2}}]}}
    if "masked" in value:
        attention = {"multi_head_attention": {"num_heads": 1, "length": "y + 1"}}
        word["masked"] = {"input": "[x, x, x]", "layers": [attention, "flatten"]}
    found = problems(example, f"E({value})", functions=functions, architecture=word)
    assert (not found) == BRANCHES[value], found
    assert all(problem.span is not None and problem.hint for problem in found)


def _expression(rng: random.Random, depth: int) -> str:
    """A random int of `k`, `y`, `one` and `odd`, in words that Python and the language share."""
    if depth == 0:
        return rng.choice(["k", "y", "one", "odd", "2", "1", "3"])
    a, b, c, d = (_expression(rng, rng.randint(0, depth - 1)) for _ in range(4))
    compared = f"{a} {rng.choice(['<', '<=', '>', '>=', '==', '!='])} {b}"
    guarded = rng.choice([f"({a} > 0 and {c} // {a} > {b})", f"({a} == 0 or {c} % {a} > {b})"])
    condition = rng.choice([compared, f"not {a} == 0", f"{compared} and {b} > 0", f"{compared} or {a} != {c}", guarded])
    forms = [
        f"({a} + {b})",
        f"({a} - {b})",
        f"({a} * {b})",
        f"({a} // {b})",
        f"({a} % {b})",
        f"({c} if {condition} else {d})",
    ]
    return rng.choice([*forms, forms[3], forms[-1]])


def _divides_by_zero(value: str) -> bool:
    """Whether Python divides by 0 anywhere, for any values."""
    for k, y, one in itertools.product(range(5), range(3), (-1, 1)):
        try:
            eval(value, {"k": k, "y": y, "one": one, "odd": 2 * k - 1})
        except ZeroDivisionError:
            return True
    return False


def test_nothing_that_divides_by_zero_is_accepted_and_most_that_does_not_is() -> None:
    rng = random.Random(5)
    example = {"k": "integer(5)", "y": "integer(3)", "one": "rademacher()", "odd": "2 * k - 1"}
    count = {(divides, accepted): 0 for divides in (False, True) for accepted in (False, True)}
    for _ in range(150):
        value = _expression(rng, 3)
        found = problems(example, f"E({value})")
        assert all(re.search("divides? by (0|zero)", problem.message) for problem in found), (value, found)
        count[_divides_by_zero(value), not found] += 1
        assert not (_divides_by_zero(value) and not found), value
    assert count[True, False] > 15 and count[False, True] > 10 * count[False, False], count
