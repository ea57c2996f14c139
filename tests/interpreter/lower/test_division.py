"""`//` and `%`: as constants, in NumPy, as a graph and under XLA they are one, and a divisor of 0 has one meaning each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from dlspec.spec import StudyError

NUMBERS = [
    (1, 0.1), (1, 0.2), (0.3, 0.1), (0.7, 0.1), (6, 0.1), (1e15, 0.1), (-1, 0.1), (1, -0.1), (-0.3, -0.1), (5.5, 1.1), (0.1, 3), (-0.1, 3),
    (1e-30, -2), (7.5, 2.5), (7, 2), (-7, 2), (7, -2), (-7, -2), (0, 3),
]  # fmt: skip
"""Dividends and divisors: 0.1 is a little more than a tenth, so `1 // 0.1` is 9 though the quotient rounds to 10."""
ZEROS = [(7, "0"), (0, "0"), (-7, "0"), (7.5, "0"), (7, "0.0"), (-7.5, "0.0"), (0.0, "0.0")]
BODY = """
dtype: float64
constants: {{{constants}}}
task: {{example: {{w: normal()}}}}
measures: {{m: E(w)}}
"""


def is_int(*numbers: float) -> bool:
    """Whether all are ints, as they are written."""
    return all(isinstance(number, int) for number in numbers)


def at_run_time(a: float, operator: str, b: float) -> str:
    """The operation on numbers that are known only when it runs: ints of an int, reals of a real.

    Of the square, for compilers take 0 + x for x: a zero would have the sign of w.
    """
    name = "i" if is_int(a, b) else "square(w)"
    return f"({a} + 0 * {name}) {operator} ({b} + 0 * {name})"


def in_numpy(a: float, operator: str, b: float) -> Any:
    """The same in NumPy, in int64 or float64."""
    dtype = np.int64 if is_int(a, b) else np.float64
    operation = np.floor_divide if operator == "//" else np.mod
    with np.errstate(all="ignore"):
        return operation(np.asarray(a, dtype), np.asarray(b, dtype))


def test_numpy_is_right() -> None:
    """In exact arithmetic on the very numbers; the rest rounds once."""
    for a, b in NUMBERS:
        quotient = math.floor(Fraction(a) / Fraction(b))
        assert in_numpy(a, "//", b) == float(quotient), (a, b)
        assert in_numpy(a, "%", b) == pytest.approx(float(Fraction(a) - quotient * Fraction(b)), rel=1e-15), (a, b)
    assert in_numpy(1, "//", 0.1) == 9


def test_constants_are_what_numpy_says(program: Callable[[str], Any]) -> None:
    cases = [(a, operator, b) for a, b in NUMBERS for operator in ("//", "%")]
    constants = ", ".join(f'c{place}: "{a} {operator} {b}"' for place, (a, operator, b) in enumerate(cases))
    values = program(BODY.format(constants=constants)).constants
    for place, case in enumerate(cases):
        value, expected = values[f"c{place}"], in_numpy(*case)
        assert value == expected and value.dtype == expected.dtype, case


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_so_is_what_runs_and_a_divisor_of_zero_has_one_meaning(checked: Callable[..., Any], xla: bool) -> None:
    """Of ints both are 0; of reals a // 0 is a / 0 and a % 0 is undefined."""
    expected = {at_run_time(a, operator, b): in_numpy(a, operator, b) for a, b in NUMBERS for operator in ("//", "%")}
    for a, text in ZEROS:
        b = float(text) if "." in text else int(text)
        if is_int(a, b):
            quotient, rest = 0.0, 0.0
        else:
            quotient, rest = np.sign(a) * np.inf if a else np.nan, np.nan
        expected |= {at_run_time(a, "//", b): quotient, at_run_time(a, "%", b): rest}
    expressions = checked(list(expected), "float64")
    evaluated = {"numpy": expressions.numpy(), "compiled": {k: v.numpy() for k, v in expressions.compiled(xla).items()}}
    wrong = [
        f"{text} in {form}: {value} is {np.ravel(values[text])[0]}"
        for form, values in evaluated.items()
        for text, value in expected.items()
        if not np.allclose(values[text], value, 1e-12, 0, equal_nan=True)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_float32_divides_its_own_numbers(checked: Callable[..., Any], xla: bool) -> None:
    """Of the float32 next to each number, in exact arithmetic: that of 0.3 is more than three times that of 0.1."""
    reals = [(a, b) for a, b in NUMBERS if not is_int(a, b) and abs(a / b) < 2**23]
    expected = {}
    for a, b in reals:
        quotient = math.floor(Fraction(float(np.float32(a))) / Fraction(float(np.float32(b))))
        expected[at_run_time(a, "//", b)] = quotient
    assert expected[at_run_time(1, "//", 0.1)] == 9
    assert expected[at_run_time(0.3, "//", 0.1)] == 3
    found = checked(list(expected), "float32").compiled(xla)
    assert {text: float(np.ravel(found[text].numpy())[0]) for text in expected} == expected


@pytest.mark.parametrize("operator", ["//", "%"])
def test_a_constant_divisor_of_zero_is_refused(program: Callable[[str], Any], operator: str) -> None:
    for a, b in ZEROS:
        with pytest.raises(StudyError) as caught:
            program(BODY.format(constants=f'c: "{a} {operator} {b}"'))
        (problem,) = caught.value.problems
        assert re.fullmatch(re.escape(f"`{operator}` divides by zero here"), problem.message)
        assert problem.hint == "Choose a divisor that is not 0."
        assert problem.span is not None and problem.span.line == 6
