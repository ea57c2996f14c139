"""What the rows of operations say of ties, corners and undefined values: each clause of a text has cases in both forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower import Value
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.tables.operations import OPERATIONS

NAN, INF = np.nan, np.inf
Case = tuple[str, float, float | tuple[float, float] | None, float | tuple[float, float] | None]
"""An expression of a number w, the w at which it is taken, its value there and its derivative: of several the least and
the largest, None where the text says nothing of it."""

SHARES = "at a tie the gradient is shared equally, but is 0 if one of the tied is a constant"
EQUAL_LABEL = "step_of(w, [0, 1, 2])"  # an int that is w, for w = 0, 1, 2
CASES: dict[str, dict[str, list[Case]]] = {
    "divide": {
        "0 / 0 is undefined, 1 / 0 infinite with the sign of the zero": [
            ("w / (2 * w)", 0, NAN, None), ("1 / w", 0, INF, None), ("-1 / w", 0, -INF, None),
            ("1 / w", -0.0, -INF, None), ("1 / (0 * w)", -3, -INF, None),
        ],
        "to XLA 0 + x is x, for -0 too": [("abs(1 / (0 + 0 * w))", -3, INF, None), ("abs(1 / (0 + w))", -0.0, INF, None)],
    },
    "floor_divide": {
        "of ints, 0 where b is 0": [(f"{EQUAL_LABEL} // step_of(w - 5, [0, 1])", 2, 0, 0)],
        "of reals as a / 0, by the sign of that zero": [
            ("7.5 // (0 * w)", -3, -INF, None), ("7.5 // w", 0, INF, None), ("abs(7.5 // (0 + 0 * w))", -3, INF, None),
            ("w // (w - 2)", 2, INF, None), ("-w // (w - 2)", 2, -INF, None), ("(w - 2) // (w - 2)", 2, NAN, None)],
        "gradient 0": [("w // 0.75", 2, 2, 0), ("w // 1", 1, 1, 0), ("3 // w", 1, 3, 0), ("w // (w - 2)", 2, INF, 0)],
    },
    "modulo": {
        "of ints, 0 where b is 0": [(f"{EQUAL_LABEL} % step_of(w - 5, [0, 1])", 2, 0, 0)],
        "of reals undefined": [("w % (w - 2)", 2, NAN, None)],
        "the gradient to a is 1 throughout": [("w % 1", 1, 0, 1), ("w % 1", 0.5, 0.5, 1), ("w % -2", -2, 0, 1)],
    },
    "power": {
        "x^0 and 1^x are 1 whatever x is": [("w^0", NAN, 1, None), ("w^(0 * relu(w - 1))", -INF, 1, None), ("1^w", NAN, 1, None)],
        "the gradient to a at 0 is 0 for 0 < b < 1, as for sqrt, that to b is 0 where a ≤ 0": [
            ("w^0.5", 0, 0, 0), ("w^0.01", 0, 0, 0), ("0^w", 2, 0, 0), ("(-1)^w", 2, 1, 0), ("2^w", 0, 1, np.log(2)),
        ],
    },
    "equal": {"undefined equals nothing": [("w == w", NAN, 0, 0), ("w == 1", NAN, 0, 0)]},
    "not_equal": {"undefined differs from everything": [("w != w", NAN, 1, 0), ("w != 1", NAN, 1, 0)]},
    "less": {"false where a value is undefined": [("w < 1", NAN, 0, 0), ("1 < w", NAN, 0, 0)]},
    "less_equal": {"false where a value is undefined": [("w <= 1", NAN, 0, 0), ("1 <= w", NAN, 0, 0), ("w <= w", NAN, 0, 0)]},
    "greater": {"false where a value is undefined": [("w > 1", NAN, 0, 0), ("1 > w", NAN, 0, 0)]},
    "greater_equal": {"false where a value is undefined": [("w >= 1", NAN, 0, 0), ("1 >= w", NAN, 0, 0), ("w >= w", NAN, 0, 0)]},
    "within": {
        "false where a value is undefined": [("within(w, 0, 1)", NAN, 0, 0), ("within(0, w, 1)", NAN, 0, 0), ("within(0, -1, w)", NAN, 0, 0)],
    },
    "select": {
        "only the gradient of the branch taken, whatever the other is": [
            ("select(w > 0, log(w), 3 * w)", -1, -3, 3), ("select(w == 0, 2 * w, 1 / w)", 0, 0, 2), ("sqrt(w) if w > 0 else 5 * w", -1, -5, 5),
        ],
    },
    "abs": {"gradient 0 at 0": [("abs(w)", 0, 0, 0)]},
    "sign": {"gradient 0": [("sign(w)", 0, 0, 0), ("sign(w)", -2, -1, 0)]},
    "sqrt": {
        "undefined below 0": [("sqrt(w)", -1, NAN, None)],
        "gradient 0 at 0, where it is infinite, so that sqrt(sum(x^2)) has that of norm": [
            ("sqrt(w)", 0, 0, 0), ("sqrt(sum([w, 2 * w]^2))", 0, 0, 0), ("sqrt(sum([w, 0]^2))", -2, 2, -1),
        ],
    },
    "log": {"-infinity at 0, undefined below": [("log(w)", 0, -INF, None), ("log(w)", -1, NAN, None)]},
    "log1p": {"-infinity at -1, undefined below": [("log1p(w)", -1, -INF, None), ("log1p(w)", -2, NAN, None)]},
    "atan2": {"gradient 0 at the origin": [("atan2(w, 2 * w)", 0, 0, 0), ("atan2(w, 0)", 0, 0, 0)]},
    "relu": {"gradient 0 at 0": [("relu(w)", 0, 0, 0)]},
    "floor": {"gradient 0": [("floor(w)", 1, 1, 0), ("floor(w)", -0.5, -1, 0)]},
    "ceil": {"gradient 0": [("ceil(w)", 1, 1, 0), ("ceil(w)", 0.5, 1, 0)]},
    "round": {"gradient 0": [("round(w)", 0.5, 0, 0), ("round(w)", 0.75, 1, 0)]},
    "minimum": {SHARES: [("minimum(w, 3 * w)", 0, 0, 2), ("minimum(w, 0)", 0, 0, 0), ("minimum(0, w)", 0, 0, 0)]},
    "maximum": {
        f"{SHARES}: maximum(f, 0) is flat at 0, as relu(f)": [("maximum(w, 2 * w)", 0, 0, 1.5), ("maximum(w, 0)", 0, 0, 0), ("maximum(0, w)", 0, 0, 0)],
    },
    "clip": {
        "like minimum(maximum(x, low), high): gradient 0 at constant bounds": [
            ("clip(w, 0, 1)", 0, 0, 0), ("clip(w, 0, 1)", 1, 1, 0), ("clip(w, 0, 1)", 0.5, 0.5, 1), ("clip(w, 2 * w, 1)", 0, 0, 1.5),
            ("clip(w, 2, 1)", 0, 1, 0),
        ],
    },
    "line_image": {
        "empty where the length is negative": [("sum(line_image(w, -3 + 0 * w, [0, 0], 4))", 0.5, 0, 0)],
        "gradient 0": [("sum(line_image(0.1 * w, 1 + w, [0.1 * w, 0], 4))", 0.5, None, 0)],
    },
    "prod": {"the gradient is exact where a factor is 0": [("prod([w, 3, 2])", 0, 0, 6), ("prod([w, w, 2])", 0, 0, 0), ("prod([w, 0, 2])", 1, 0, 0)]},
    "cumprod": {"the gradient is exact where a factor is 0": [("cumprod([w, 3])[1]", 0, 0, 3), ("cumprod([3, w, 2])[2]", 0, 0, 6)]},
    "min": {SHARES: [("min([w, 3 * w])", 0, 0, 2), ("min([w, 0])", 0, 0, 0), ("min([0, w, w])", 0, 0, 0)]},
    "max": {
        f"{SHARES}: max([f, 0]) is flat at 0, as relu(f)": [("max([w, 2 * w, 3 * w])", 0, 0, 2), ("max([w, 0])", 0, 0, 0), ("max([0, w])", 0, 0, 0)],
    },
    "norm": {"gradient 0 at 0": [("norm([w, 2 * w])", 0, 0, 0)]},
    "argmax": {"where something is undefined, the first of it": [("argmax([1, w, w, 3])", NAN, 1, 0)]},
    "argmin": {"where something is undefined, the first of it": [("argmin([1, w, w, 0])", NAN, 1, 0)]},
    "sort": {
        "what is undefined comes last": [("sort([w, 3])[0]", NAN, 3, 0), ("sort([w, 3])[1]", NAN, NAN, 1)],
        "the gradient goes to where each value came from, equals in their order": [
            ("sort([w, 0])[0]", 0, 0, 1), ("sort([0, w])[0]", 0, 0, 0), ("sort([2 * w, 1, -w])[0]", 3, -3, -1),
        ],
    },
    "argsort": {
        "what is undefined comes last": [("argsort([w, 3])[1]", NAN, 0, 0)],
        "-0 equals 0": [("argsort([0, w])[1]", -0.0, 1, 0), ("argsort([w, 0])[1]", -0.0, 1, 0)],
    },
    "one_hot": {
        "all 0 where the index is outside": [
            (f"sum(one_hot({EQUAL_LABEL}, 2))", 2, 0, 0),
            (f"sum(one_hot({EQUAL_LABEL} - 2, 2))", 1, 0, 0),
        ],
    },
    "scatter": {
        "an index outside adds nothing": [
            (f"sum(scatter([0, {EQUAL_LABEL}], [w, 3 * w], 2))", 2, 2, 1),
            (f"sum(scatter([0, {EQUAL_LABEL} - 2], [w, 3 * w], 2))", 1, 1, 1),
        ],
    },
    "step_of": {"0 where x is undefined": [("step_of(w, [-1, 0, 1])", NAN, 0, 0)]},
    "floor_to": {"gradient 0": [("floor_to(w, [-1, 0, 1])", 0, 0, 0), ("floor_to(w, [-1, 0, 1])", -0.5, -1, 0)]},
    "inverse": {
        "undefined where the matrix is singular to rounding: a pivot of its QR factors ≤ n · eps · its Frobenius norm": [
            ("inverse([[w, 2 * w], [2, 4]])[0, 0]", 1, NAN, None), ("inverse([[w, 0], [0, 1]])[1, 1]", 4e-16, NAN, None),
            ("inverse([[w, 0], [0, 1]])[0, 0]", 5e-16, 2e15, None),
        ],
    },
    "solve": {
        "undefined where the matrix is singular, as in inverse, or b is not finite": [
            ("solve([[w, 2 * w], [2, 4]], [1, 2])[0]", 1, NAN, None), ("solve([[1, 0], [0, 2]], [w, 0])[0]", INF, NAN, None),
            ("solve([[w, 0], [0, 1]], [0, 1])[1]", 4e-16, NAN, None), ("solve([[w, 0], [0, 1]], [1, 1])[0]", 5e-16, 2e15, None),
        ],
    },
    "cond": {
        "infinite where the smallest singular value is ≤ max(m, n) · eps · the largest, its gradient undefined there": [
            ("cond([[w, 2 * w], [2, 4]])", 1, INF, NAN), ("cond([[w, 0], [0, 1]])", 4e-16, INF, NAN), ("cond([[w, 0], [0, 1]])", 5e-16, 2e15, None),
        ],
    },
    "singular_values": {"at a singular value of 0 one of its gradients": [("singular_values([[w, 0], [0, 1]])[1]", 0, 0, (-1, 1))]},
    "det": {"undefined where an entry is not finite": [("det([[w, 0], [0, 1]])", INF, NAN, None), ("det([[w, 1], [2, 0]])", NAN, NAN, None)]},
    "asin": {
        "undefined beyond -1 and 1, where its gradient is infinite": [("asin(w)", 1.5, NAN, NAN), ("asin(w)", 1, np.pi / 2, INF), ("asin(w)", -1, -np.pi / 2, INF)],
    },
    "acos": {
        "undefined beyond -1 and 1, where its gradient is infinite": [("acos(w)", -1.5, NAN, NAN), ("acos(w)", 1, 0, -INF), ("acos(w)", -1, np.pi, -INF)],
    },
    "acosh": {"undefined below 1, where its gradient is infinite": [("acosh(w)", 0.5, NAN, NAN), ("acosh(w)", -3, NAN, NAN), ("acosh(w)", 1, 0, INF)]},
    "atanh": {
        "infinite at -1 and 1, undefined beyond": [("atanh(w)", 1, INF, None), ("atanh(w)", -1, -INF, None), ("atanh(w)", 2, NAN, None)],
    },
    "log2": {"-infinity at 0, undefined below": [("log2(w)", 0, -INF, None), ("log2(w)", -1, NAN, None)]},
    "log10": {"-infinity at 0, undefined below": [("log10(w)", 0, -INF, None), ("log10(w)", -1, NAN, None)]},
    "std": {"gradient 0 where it is 0": [("std([w, 2 * w])", 0, 0, 0), ("std([w, 1, 1])", 1, 0, 0)]},
    "top_k": {
        "what is undefined comes first": [("top_k([1, w, 3], 2)[0]", NAN, NAN, 1), ("top_k([1, w, 3], 2)[1]", NAN, 3, 0)],
        "the gradient goes to where each value came from": [("top_k([1, 2 * w, 0], 2)[1]", 0.25, 0.5, 2), ("top_k([1, 2 * w, 0], 2)[0]", 0.25, 1, 0)],
    },
    "argtop_k": {"what is undefined comes first": [("argtop_k([1, w, 3], 2)[0]", NAN, 1, 0), ("argtop_k([1, w, 3], 2)[1]", NAN, 2, 0)]},
    "fft_real": {"undefined throughout where an entry of the axis is not finite": [("fft_real([w, 0])[0]", INF, NAN, None), ("fft_real([0, w, 1])[0]", NAN, NAN, None)]},
    "fft_imag": {"undefined throughout where an entry of the axis is not finite": [("fft_imag([w, 0])[0]", INF, NAN, None)]},
    "svd_u": {
        "any of them where singular values are equal, with an undefined gradient": [
            ("svd_u([[1, w], [0, 1]])[0, 1]", 0, (-1, 1), NAN), ("svd_u([[2, w], [0, 1]])[0, 1]", 0, 0, None),
        ],
    },
    "svd_v": {"any of them where singular values are equal, with an undefined gradient": [("svd_v([[1, w], [0, 1]])[0, 1]", 0, (-1, 1), NAN)]},
    "eigenvalues": {"where some are equal, one of their gradients": [
        ("eigenvalues([[1, w], [w, 1]])[1]", 0, 1, (-1, 1)), ("eigenvalues([[w, 0], [0, 1]])[0]", 1, 1, (0, 1))]},
    "eigenvectors": {"any of them where eigenvalues are equal, with an undefined gradient": [("eigenvectors([[1, w], [w, 1]])[0, 1]", 0, (-1, 1), NAN)]},
    "qr_q": {
        "undefined where the columns depend on each other: a pivot ≤ m · eps · the Frobenius norm": [
            ("qr_q([[w, 2 * w], [2, 4]])[0, 0]", 1, NAN, None), ("qr_q([[w, 0], [0, 1]])[1, 1]", 4e-16, NAN, None), ("qr_q([[w, 0], [0, 1]])[0, 0]", 5e-16, 1, None),
        ],
    },
    "qr_r": {
        "undefined where the columns depend on each other: a pivot ≤ m · eps · the Frobenius norm": [
            ("qr_r([[w, 2 * w], [2, 4]])[0, 0]", 1, NAN, None), ("qr_r([[-w, 0], [0, 1]])[0, 0]", 2, 2, 1),
        ],
    },
    "cholesky": {
        "undefined where it is not positive definite: the least eigenvalue ≤ n · eps · the largest": [
            ("cholesky([[w, 0], [0, 1]])[0, 0]", 0, NAN, None), ("cholesky([[w, 0], [0, 1]])[1, 1]", -1, NAN, None), ("cholesky([[w, 0], [0, 1]])[0, 0]", 4, 2, 0.25),
            ("cholesky([[w, 0], [0, 1]])[0, 0]", 4e-16, NAN, None),
        ],
    },
    "pinv": {
        "a singular value ≤ max(m, n) · eps · the largest counts as 0, and the gradient is that of matrices of the same rank": [
            ("pinv([[w, 0], [0, 0]])[0, 0]", 2, 0.5, -0.25), ("pinv([[1, 0], [0, w]])[1, 1]", 4e-16, 0, 0), ("pinv([[1, 0], [0, w]])[1, 1]", 5e-16, 2e15, None),
        ],
    },
    "lstsq": {
        "singular values count as 0 as in pinv": [("lstsq([[1, 0], [0, 0]], [w, w])[0]", 2, 2, 1), ("lstsq([[1, 0], [0, 0]], [w, w])[1]", 2, 0, 0)],
        "undefined where b is not finite": [("lstsq([[1, 0], [0, 2]], [w, 0])[1]", INF, NAN, None)],
    },
    "spectral_norm": {"one of the gradients where the largest are equal": [("spectral_norm([[w, 0], [0, 1]])", 1, 1, (0, 1))]},
    "nuclear_norm": {"one of the gradients where a singular value is 0": [("nuclear_norm([[w, 0], [0, 1]])", 0, 1, (-1, 1))]},
    "hinge": {"gradient 0 at y · score = 1": [("hinge(1, w)", 1, 0, 0), ("hinge(-1, w)", -1, 0, 0)]},
    "huber": {"gradient 0 at a gap of 0": [("huber(w, 2, 1)", 2, 0, 0)]},
    "cross_entropy": {
        "undefined where the label is no class": [
            (f"cross_entropy([w, 0], {EQUAL_LABEL})", 2, NAN, None),
            (f"cross_entropy([w, 0], {EQUAL_LABEL} - 2)", 1, NAN, None),
        ],
    },
}  # fmt: skip
"""By operation and by clause of its text. A row's text is its clauses, with "; " between them."""
ROWS = [(name, case) for name, clauses in CASES.items() for cases in clauses.values() for case in cases]
BODY = """
dtype: float64
task: {{example: {{w: normal()}}}}
measures: {{{measures}}}
"""


def test_every_text_has_cases_for_each_of_its_clauses() -> None:
    assert {name: "; ".join(clauses) for name, clauses in CASES.items()} == {
        name: row.corner for name, row in OPERATIONS.items() if row.corner
    }
    assert all(cases for clauses in CASES.values() for cases in clauses.values())


def test_every_case_applies_its_operation() -> None:
    for name, (text, *_) in ROWS:
        operator = OPERATIONS[name].operator
        called = re.search(rf"\b{name}\(", text) or (name == "select" and " if " in text)
        assert called or (operator is not None and operator in text), f"{text} for {name}"


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_values_and_gradients_are_those_of_the_texts(program: Callable[[str], Any], xla: bool) -> None:
    """All cases are one program, and each is an example: what two of them make of w alike is compiled once."""
    measures = ", ".join(f'm{place}: "E({text})"' for place, (_, (text, *_)) in enumerate(ROWS))
    # Ints out of range are evaluated all the same: a text says what comes of them where one gets through.
    with mock.patch("dlspec.spec.check.experiment.ranges", return_value=[]):
        compiled = Compiled(program(BODY.format(measures=measures)), (0,), xla)
    terms = [measure.term.body for measure in compiled.program.measures]

    @tf.function(jit_compile=xla, autograph=False)
    def values_and_slopes(numbers: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(numbers)
            lowering = compiled.context.lowering(
                compiled.seeds.keys["test"], tf.range(len(ROWS), dtype=tf.int64), len(ROWS), compiled.seeds.draws
            )
            lowering.values["w"] = Value(numbers, (REPLICATE, EXAMPLE))
            values = [lowering.cast(lowering(term).tensor, "real") for term in terms]
        slopes = [tape.gradient(value, numbers, unconnected_gradients="zero") for value in values]
        return [[found[0, place] for place, found in enumerate(each)] for each in (values, slopes)]

    values, slopes = values_and_slopes(tf.constant([[at for _, (_, at, _, _) in ROWS]], tf.float64))
    wrong = []
    for (_, (text, at, value, derivative)), got, slope in zip(ROWS, values, slopes, strict=True):
        if isinstance(value, tuple):  # one of several
            value = float(np.clip(float(got), *value))
        if value is not None and not np.isclose(float(got), value, 1e-9, 1e-12, equal_nan=True):
            wrong.append(f"{text} at {at}: {value} is {float(got)}")
        low, high = derivative if isinstance(derivative, tuple) else (derivative, derivative)
        if low is None:
            continue
        number = float(slope)
        if not (np.isclose(number, low, 1e-9, 1e-12, equal_nan=True) or low <= number <= high):
            wrong.append(f"the derivative of {text} at {at}: {derivative} is {number}")
    assert not wrong, "\n".join(wrong)
