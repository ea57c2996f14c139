"""Every operation of the table: plain graph, XLA and NumPy agree in value, kind and shape; gradients are finite differences."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower import LOWERINGS
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.tables.operations import OPERATIONS

POOL = {
    "real": ["w", "w3", "w23", "w13", "W", "W3", "c3"],
    "int": ["i", "i3", "i23", "K", "K3", "n3"],
    "bool": ["b", "b3", "b23"],
}
# What an argument is wrapped in, where an operation is not defined, or huge, on all numbers.
DOMAIN = {
    "sqrt": ["abs({}) + 0.1"], "log": ["abs({}) + 0.1"], "log1p": ["abs({})"], "divide": ["{}", "{} + 7"], "tan": ["{} / 4"],
    "huber": ["{}", "{}", "abs({}) + 0.5"], "exp": ["{} / 2"], "expm1": ["{} / 2"], "is_finite": ["1 / {}"],
    "log2": ["abs({}) + 0.1"], "log10": ["abs({}) + 0.1"], "asin": ["tanh({})"], "acos": ["tanh({})"],
    "acosh": ["abs({}) + 1.5"], "atanh": ["0.9 * tanh({})"], "sinh": ["{} / 2"], "cosh": ["{} / 2"],
}  # fmt: skip
MATRIX = "w33 / 4 + [[2, 0, 0], [0, 3, 1], [0, 1, 2]]"
SHAPED: dict[str, list[str]] = {
    "power": ["(abs(w3) + 0.1) ^ w", "i3 ^ 2", "K ^ n3", "i3 ^ i23", "w23 ^ 3", "(i + 1) ^ -i3", "2 ^ w3", "b3 ^ 2"],
    "negative": ["-w23", "-K3", "-b"],
    "argmax": ["argmax(w4)", "argmax(w23)", "argmax(w23, axis=0)", "argmax(i23)", "argmax(b3)", "argmax(W3 * w23)"],
    "argmin": ["argmin(w4)", "argmin(w423, axis=1)", "argmin(i23, axis=0)", "argmin(c3 + w)"],
    "dot": ["dot(w3, W3)", "dot(i3, K3)", "dot(w3, n3)", "dot(b3, b3)", "dot(c3, W3)"],
    "matmul": [
        "matmul(w23, w33)", "matmul(w23, W3)", "matmul(W3, w33)", "matmul(W33, W33)", "matmul(i23, K3)", "matmul(w3, transpose(W23))",
        "matmul(b23, b3)",
    ],
    "outer": ["outer(w3, W3)", "outer(i3, w4)", "outer(K3, n3)", "outer(b3, b3)"],
    "transpose": ["transpose(w23)", "transpose(i23)", "transpose(W33)"],
    "inverse": [f"inverse({MATRIX})"],
    "solve": [f"solve({MATRIX}, w3)", f"solve({MATRIX}, W3)", f"solve({MATRIX}, c3)", "solve([[2, 1, 0], [1, 3, 1], [0, 1, 2]], w3)"],
    "cond": [f"cond({MATRIX})", "cond(w23)"],
    "singular_values": ["singular_values(w33)", "singular_values(W33)", "singular_values(w23)"],
    "svd_u": ["svd_u(w33)", "svd_u(w23)", "svd_u(transpose(W23))"], "svd_v": ["svd_v(w33)", "svd_v(w23)", "svd_v(transpose(W23))"],
    "eigenvalues": ["eigenvalues(w33)", "eigenvalues(W33 + w33)"], "eigenvectors": ["eigenvectors(w33)", "eigenvectors(W33)"],
    "qr_q": ["qr_q(w33)", "qr_q(transpose(w23))"], "qr_r": ["qr_r(w33)", "qr_r(transpose(W23))"], 
    "cholesky": [f"cholesky({MATRIX})", "cholesky(matmul(W33, transpose(W33)))"],
    "pinv": ["pinv(w33)", "pinv(w23)", "pinv(transpose(W23))", "pinv(outer(w3, W3))"],
    "lstsq": [f"lstsq({MATRIX}, w3)", "lstsq(w23, w3[0:2])", "lstsq(transpose(W23), w3)", "lstsq(outer(c3, c3), w3)"],
    "spectral_norm": ["spectral_norm(w33)", "spectral_norm(W23)"], "nuclear_norm": ["nuclear_norm(w33)", "nuclear_norm(W23)"],
    "trace": ["trace(w33)", "trace(outer(i3, i3))"],
    "diagonal": ["diagonal(w33)", "diagonal(outer(K3, i3))"],
    "det": ["det(w33)", f"det({MATRIX})"],
    "range": ["range(4) + w4", "range(1, 7, 2) * w3", "range(0, 1, 0.25) + w4", "range(3) + i3"],
    "linspace": ["linspace(-1, 1, 3) * w3", "linspace(0, 5, 4) + w4"],
    "unique": ["unique([3, 1, 3, 2]) * w3", "unique([0.5, 0.25, 0.5]) + w"],
    "zeros": ["zeros([2, 3]) + w3", "zeros([3]) + W"],
    "ones": ["ones([2, 3]) * w3", "ones(4) + w4"],
    "eye": ["eye(3) + w33", "eye(3) * W3"],
    "concat": [
        "concat(w3, w4)", "concat(W3, w3)", "concat(w3, c3, i3)", "concat(w23, W23)", "concat(i3, K3)", "concat(b3, b3)", "concat(w23, w33)",
        "concat(c3, W3)",
    ],
    "sort": ["sort(w4)", "sort(w23)", "sort(i23)", "sort(W3)", "sort(b3)", "sort(w423)"],
    "argsort": ["argsort(w4)", "argsort(i23)", "argsort(concat(i3, i3))", "argsort(b3)", "argsort(W23)"],
    "top_k": ["top_k(w4, 2)", "top_k(i23, 3)", "top_k(b3, 1)", "top_k(W3, k=2)"], "argtop_k": ["argtop_k(w4, 2)", "argtop_k(i23, 3)", "argtop_k(b3, 2)"],
    "fft_real": ["fft_real(w4)", "fft_real(w23)", "fft_real(i3)", "fft_real(W3)"], "fft_imag": ["fft_imag(w4)", "fft_imag(w423)"],
    "reverse": ["reverse(w23)", "reverse(i3)", "reverse(w423)", "reverse(b3)"],
    "roll": ["roll(w4, 1)", "roll(w23, -1)", "roll(i3, 5)", "roll(b3, 2)"],
    "diff": ["diff(w4)", "diff(w423)", "diff(i3)", "diff(b3)", "diff(W3)"],
    "cumsum": ["cumsum(w4)", "cumsum(w423)", "cumsum(i23)", "cumsum(b3)"],
    "cumprod": ["cumprod(w4)", "cumprod(w423)", "cumprod(i3)", "cumprod(b3)"],
    "reshape": ["reshape(w23, [6])", "reshape(w423, [3, 8])", "reshape(i3, [3, 1])", "reshape(b23, [3, 2])", "reshape(w, [1])"],
    "repeat": ["repeat(w, 2)", "repeat(w23, 3)", "repeat(i3, 2)", "repeat(b, 2)", "repeat(W3, 2)"],
    "one_hot": ["one_hot(i, 4)", "one_hot(i23, 5)", "one_hot(K, 5)", "one_hot(i - 1, 3)"],
    "scatter": ["scatter(i3, w3, 5)", "scatter(n3, w3, 3)", "scatter(i3, K3, 4)", "scatter(K3, w3, 5)", "scatter(i3, b3, 5)"],
    "step_of": ["step_of(w, steps)", "step_of(w23, steps)", "step_of(w3, sort(W3))", "step_of(i3, steps)", "step_of(w23, sort(w3))"],
    "floor_to": ["floor_to(w, steps)", "floor_to(w23, steps)", "floor_to(w3, sort(W3))", "floor_to(w, sort(w4))", "floor_to(i3, steps)"],
    "line_image": ["line_image(w, 3, [1, 2], 5)", "line_image(2 * W, abs(w) + 1, w3[0:2], 4)", "line_image(w, 9, K3[0:2], 3)", "line_image(0, 2, i3[0:2], 4)"],
    "cross_entropy": ["cross_entropy(w4, i // 2)", "cross_entropy(w23, i23[0, 0:2] // 2)", "cross_entropy(9 * w4, K)", "cross_entropy(i3, 1)"],
    "softmax": ["softmax(w4)", "softmax(w23 * 9)", "softmax(i3)", "softmax(W3)"],
    "log_softmax": ["log_softmax(w4)", "log_softmax(w23 * 99)", "log_softmax(i3)"],
}  # fmt: skip
COARSE = ("svd_u(", "svd_v(", "eigenvectors(", "pinv(", "lstsq(")
"""What is made of XLA's singular vectors and eigenvectors, which it turns until they are right to 1e-6, in float64 too."""
FACTORED = (
    *COARSE, "inverse(", "solve(", "cond(", "singular_values(", "eigenvalues(", "qr_q(", "qr_r(", "cholesky(", "spectral_norm(", "nuclear_norm(",
)  # fmt: skip
"""What takes XLA a second to compile for each matrix."""
REDUCED = ["w4", "w23", "w423", "W3", "i23", "b23", "w3 * W23"]


def cases(every: int = 1) -> list[str]:
    """Expressions for every row: those above, or arguments from the pool that fit the signature; of a row's, one of so many."""
    rng = np.random.default_rng(1)
    found: list[str] = []
    for name, row in OPERATIONS.items():
        own: list[str] = []
        if name in SHAPED:
            own = SHAPED[name]
        elif row.elementwise:
            own = [elementwise(name, rng) for _ in range(4)]
        elif row.family == "reductions":
            given = [text for text in REDUCED if row.arguments[0].kind != "bool" or text.startswith("b")]
            own = [f"{name}({text})" for text in given] + [f"{name}({text}, axis=-1)" for text in given]
            own += [f"{name}(w423 > 0, axis=1)" if given == ["b23"] else f"{name}(w423, axis=1)"]
        found += own[::every]
    return found


def elementwise(name: str, rng: Any) -> str:
    """A call with arguments of kinds that the row takes and of shapes that broadcast."""
    row, arguments = OPERATIONS[name], []
    kinds = {
        "real": ["real", "real", "int", "bool"],
        "number": ["real", "int", "bool"],
        "bool": ["bool"],
        "int": ["int"],
    }
    for place, argument in enumerate(row.arguments):
        text = str(rng.choice(POOL[str(rng.choice(kinds[argument.kind]))]))
        wrap = DOMAIN.get(name, [])
        arguments.append(wrap[place].format(text) if place < len(wrap) else text)
    return f"{name}({', '.join(arguments)})"


def test_every_operation_has_a_lowering_and_no_lowering_is_left_over() -> None:
    assert OPERATIONS.keys() == LOWERINGS.keys()


@pytest.mark.parametrize("every", [1, 2])
def test_the_cases_speak_of_every_operation(every: int) -> None:
    text = " ".join(cases(every))
    written = {row.name for row in OPERATIONS.values() if re.search(rf"\b{row.name}\(", text)}
    assert written | {"power", "negative"} == OPERATIONS.keys()


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize(("dtype", "rtol", "atol"), [("float64", 1e-9, 1e-9), ("float32", 1e-4, 2e-5)])
def test_values_kinds_and_shapes_are_those_of_numpy(
    checked: Callable[..., Any], xla: bool, dtype: str, rtol: float, atol: float
) -> None:
    """Every case in each form and with each number type; under XLA in float32, which takes longest to compile, half of each row's.

    What is factored under XLA in float64 is compared where its gradient is, which takes the same factors.
    """
    own = cases(2 if xla and dtype == "float32" else 1)
    if xla and dtype == "float64":
        own = [text for text in own if not text.startswith(FACTORED)]
    checked(own, dtype).check(xla, rtol, atol, [text for text in own if xla and text.startswith(COARSE)])


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_whole_numbers_divided_by_zero_give_zero_in_every_form(checked: Callable[..., Any], xla: bool) -> None:
    found = checked(["i3 // (i3 - i3)", "i3 % (K - K)"]).compiled(xla)
    assert all((tensor.numpy() == 0).all() for tensor in found.values())


def test_operations_that_shapes_come_from_refuse_to_be_lowered() -> None:
    with pytest.raises(TypeError, match="before anything runs"):
        LOWERINGS["unique"](tf.zeros([3]))


# -- gradients -----------------------------------------------------------------------------------------------------------

FLAT = {
    "sign", "floor", "ceil", "round", "floor_divide", "floor_to", "line_image",
}  # fmt: skip
"""Piecewise constant: the derivative is 0 wherever there is one, and so is the gradient."""

NONE: dict[str, str] = {
    **dict.fromkeys(
        ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "within", "is_finite"), "gives a bool"
    ),
    **dict.fromkeys(("logical_and", "logical_or", "logical_not", "any", "all"), "takes bools"),
    **dict.fromkeys(("argmax", "argmin", "argsort", "argtop_k", "step_of"), "gives an index"),
    "one_hot": "takes an index",
    **dict.fromkeys(("range", "linspace", "unique", "zeros", "ones", "eye"), "computed before anything runs"),
}
"""Operations with nothing to differentiate, and why."""

# Expressions of one operation, smooth where they are taken, in the names w, w3, w23 … alone.
SMOOTH: dict[str, list[str]] = {
    "power": ["(abs(w3) + 0.1) ^ w", "w23 ^ 3"], "select": ["select(b3, w3, w23)"], "clip": ["clip(w23, -0.7, w13 / 9)"],
    "dot": ["dot(w3, W3 * w3)"], "matmul": ["matmul(w23, w33)", "matmul(w3, w33)"], "outer": ["outer(w3, w4)"],
    "solve": [f"solve({MATRIX}, w3)"], "concat": ["concat(w3, w4, W3)"], "scatter": ["scatter(i3, w3, 5)"],
    "hinge": ["hinge(w3, w23)"], "huber": ["huber(w3, w23, 0.6)"], "cross_entropy": ["cross_entropy(w4, i // 2)"],
    "modulo": ["modulo(w3, 0.7)"], "floor_divide": ["floor_divide(w3, 0.7)"], "floor_to": ["floor_to(w23, steps)"],
    "cond": [f"cond({MATRIX})"], "inverse": [f"inverse({MATRIX})"], "det": [f"det({MATRIX})"], "roll": ["roll(w23, 1)"],
    "line_image": ["line_image(w, 3, w3[0:2], 5)"], "reshape": ["reshape(w23, [6])"], "repeat": ["repeat(w3, 2)"], "singular_values": [f"singular_values({MATRIX})"],
    "svd_u": [f"svd_u({MATRIX})", "svd_u(w23)", "svd_u(transpose(w23))"], "svd_v": [f"svd_v({MATRIX})", "svd_v(w23)", "svd_v(transpose(w23))"],
    "eigenvalues": [f"eigenvalues({MATRIX})"], "eigenvectors": [f"eigenvectors({MATRIX})"], "qr_q": [f"qr_q({MATRIX})", "qr_q(transpose(w23))"],
    "qr_r": [f"qr_r({MATRIX})", "qr_r(transpose(w23))"], "cholesky": [f"cholesky({MATRIX})"], "pinv": [f"pinv({MATRIX})", "pinv(w23)", "pinv(outer(w3, w4))"],
    "lstsq": [f"lstsq({MATRIX}, w3)", "lstsq(transpose(w23), w3)"], "spectral_norm": ["spectral_norm(w23)"], "nuclear_norm": ["nuclear_norm(w23)"],
    "top_k": ["top_k(w4, 2)"],
}  # fmt: skip


def smooth() -> list[str]:
    """A differentiable expression for every operation that has a gradient."""
    found = []
    for name, row in OPERATIONS.items():
        if name in NONE:
            continue
        if name in SMOOTH:
            found += SMOOTH[name]
            continue
        names = (
            ["w33"]
            if row.arguments[0].shape in (("n", "n"), ("m", "n"))
            else ["w423"]
            if row.family != "elementwise"
            else ["w23"]
        )
        names += ["w3"] * (len(row.arguments) - 1)
        if row.family == "reductions":
            names = names[:1]
        wrap = DOMAIN.get(name, ["{}"] * len(names))
        found.append(f"{name}({', '.join(text.format(argument) for text, argument in zip(wrap, names, strict=False))})")
    return found


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_gradients_are_finite_differences(checked: Callable[..., Any], xla: bool) -> None:
    """Of the sum of each output with fixed random factors, along one random direction of all reals at once.

    And of an upstream gradient of 0 the backward pass changes as they say: it is linear in what comes in, where 0 comes in, too.
    Values, kinds and shapes are those of NumPy.
    """
    held = checked(smooth(), "float64")
    tensors = held.tensors()
    rng = np.random.default_rng(3)
    reals = {name: tensor for name, tensor in tensors.items() if tensor.dtype.is_floating}
    direction = {name: tf.constant(rng.normal(size=tensor.shape)) for name, tensor in reals.items()}
    factors = {text: tf.constant(rng.normal(size=(2, 3, *term.type.shape))) for text, term in held.terms.items()}

    def values(given: dict[str, Any]) -> dict[str, Any]:
        lowering = held.lowering({**tensors, **given})
        return {
            text: lowering.broadcast_to_axes(lowering(term), (REPLICATE, EXAMPLE), len(term.type.shape))
            for text, term in held.terms.items()
        }

    def weighted(found: dict[str, Any]) -> dict[str, Any]:
        return {text: tf.reduce_sum(factors[text] * value) for text, value in found.items()}

    def reached(term: t.Term) -> dict[str, Any]:
        """Of the reals, those that a term is made of: the others' gradients are no operations at all."""
        names = {part.name for part in t.walk(term) if isinstance(part, t.Reference)}
        return {name: tensor for name, tensor in reals.items() if name in names}

    def along(gradients: dict[str, Any]) -> Any:
        return tf.add_n([tf.reduce_sum(gradient * direction[name]) for name, gradient in gradients.items()])

    @tf.function(jit_compile=xla, autograph=False)
    def slopes() -> tuple[dict[str, Any], ...]:
        found, upper = {}, tf.zeros([], tf.float64)
        with tf.GradientTape(persistent=True) as above:
            above.watch(upper)
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(list(reals.values()))
                taken = values(reals)
                sums = weighted(taken)
            changes = {}
            for text, total in sums.items():
                own = reached(held.terms[text])
                found[text] = along(tape.gradient(total, own, unconnected_gradients="zero"))
                changes[text] = along(tape.gradient(total, own, unconnected_gradients="zero", output_gradients=upper))
        return (
            taken, found, {text: above.gradient(changes[text], upper, unconnected_gradients="zero") for text in sums}
        )  # fmt: skip

    @tf.function(autograph=False)
    def moved(by: Any) -> dict[str, Any]:
        return weighted(values({name: tensor + by * direction[name] for name, tensor in reals.items()}))

    step = 1e-5
    ahead, behind = moved(tf.constant(step, tf.float64)), moved(tf.constant(-step, tf.float64))
    taken, given, changes = slopes()
    held.compare(taken, 1e-9, 1e-9, [text for text in held.terms if xla and text.startswith(COARSE)])
    wrong = []
    for text in held.terms:
        expected = (float(ahead[text]) - float(behind[text])) / (2 * step)
        if not np.isclose(float(given[text]), expected, rtol=1e-5, atol=1e-6):
            wrong.append(f"{text}: {expected} is {float(given[text])}")
        if not np.isclose(float(changes[text]), expected, rtol=1e-5, atol=1e-6):
            wrong.append(f"{text}: from an upstream gradient of 0, {expected} is {float(changes[text])}")
        flat = any(text.startswith(f"{name}(") for name in FLAT)
        if flat != (float(given[text]) == 0):
            wrong.append(f"{text}: the gradient is {float(given[text])}")
    assert not wrong, "\n".join(wrong)


def test_operations_with_and_without_gradients_are_all_of_them() -> None:
    spoken = set(itertools.chain(NONE, (text.split("(")[0] for text in smooth()))) | {"power"}
    assert spoken >= OPERATIONS.keys()
    assert all(any(text.startswith(name) for text in smooth()) for name in FACTORED)
