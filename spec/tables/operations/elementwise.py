"""Elementwise mathematics: operators, comparisons, functions of one number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...ir.types import Type, broadcast, join
from .table import Operation, table


def _power(types: Sequence[Type], static: Mapping[str, Any]) -> tuple[Type, Mapping[str, Any]]:
    """Int to the power of an int is an int (the checker refuses negative ones); anything else is real."""
    kind = "int" if join(given.kind for given in types) in ("bool", "int") else "real"
    return Type(kind, broadcast([given.shape for given in types])), static


def _sigmoid(x: Any) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1 / (1 + small), small / (1 + small))


def _softplus(x: Any) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[float])(x)


def _binary(
    name: str,
    operator: str,
    meaning: str,
    numpy: Any,
    example: tuple[str, str],
    result: str = "number",
    corner: str = "",
    **facts: Any,
) -> Operation:
    kind = "real" if operator == "/" else "number"
    signature = f"(a: {kind}[...], b: {kind}[...]) -> {result}[...]"
    rule = _power if operator == "^" else None
    return Operation(
        name, signature, meaning, numpy, operator=operator, example=example, rule=rule, corner=corner, **facts
    )


def _unary(
    name: str,
    meaning: str,
    numpy: Any,
    example: tuple[str, str],
    kind: str = "real",
    source: str = "",
    corner: str = "",
    **facts: Any,
) -> Operation:
    signature = f"(x: {kind}[...]) -> {kind}[...]"
    return Operation(name, signature, meaning, numpy, example=example, source=source, corner=corner, **facts)


ELEMENTWISE = table(
    "elementwise",
    [
        _binary("add", "+", "a + b", np.add, ("2 + 3", "5"), monotone=True, linear=("a b",)),
        _binary("subtract", "-", "a - b", np.subtract, ("2 - 3", "-1"), monotone=True, linear=("a b",)),
        _binary("multiply", "*", "a · b", np.multiply, ("2 * 3", "6"), monotone=True, linear=("a", "b")),
        _binary(
            "divide", "/", "a / b, always real", np.divide, ("1 / 2", "0.5"), "real", monotone_beside_0=1, linear=("a",),
            corner="0 / 0 is undefined, 1 / 0 infinite with the sign of the zero; to XLA 0 + x is x, for -0 too",
        ),
        _binary(
            "floor_divide", "//", "the largest whole number ≤ a / b", np.floor_divide, ("-7 // 2", "-4"),
            corner="of ints, 0 where b is 0; of reals as a / 0, by the sign of that zero; gradient 0",
        ),
        _binary(
            "modulo", "%", "a - b · (a // b), with the sign of b", np.mod, ("-7 % 3", "2"),
            corner="of ints, 0 where b is 0; of reals undefined; the gradient to a is 1 throughout",
        ),
        _binary(
            "power", "^", "a to the power of b", np.power, ("2^3", "8"),
            corner="x^0 and 1^x are 1 whatever x is; the gradient to a at 0 is 0 for 0 < b < 1, as for sqrt, that to b is 0 where a ≤ 0",
        ),
        _binary("equal", "==", "whether a and b are equal", np.equal, ("2 == 2", "true"), "bool", corner="undefined equals nothing"),
        _binary("not_equal", "!=", "whether a and b differ", np.not_equal, ("2 != 2", "false"), "bool", corner="undefined differs from everything"),
        _binary("less", "<", "whether a is less than b", np.less, ("2 < 3", "true"), "bool", corner="false where a value is undefined"),
        _binary("less_equal", "<=", "whether a is at most b", np.less_equal, ("2 <= 2", "true"), "bool", corner="false where a value is undefined"),
        _binary("greater", ">", "whether a is greater than b", np.greater, ("2 > 3", "false"), "bool", corner="false where a value is undefined"),
        _binary("greater_equal", ">=", "whether a is at least b", np.greater_equal, ("2 >= 3", "false"), "bool", corner="false where a value is undefined"),
        Operation(
            "logical_and", "(a: bool[...], b: bool[...]) -> bool[...]", "both", np.logical_and,
            operator="and", example=("true and false", "false"),
        ),
        Operation(
            "logical_or", "(a: bool[...], b: bool[...]) -> bool[...]", "at least one", np.logical_or,
            operator="or", example=("true or false", "true"),
        ),
        Operation(
            "logical_not", "(a: bool[...]) -> bool[...]", "the opposite", np.logical_not,
            operator="not", example=("not true", "false"),
        ),
        Operation(
            "select", "(condition: bool[...], then: number[...], otherwise: number[...]) -> number[...]",
            "`then` where the condition holds, elsewhere `otherwise`; also written `a if c else b`", np.where,
            example=("select([true, false], 1, 2)", "[1, 2]"),
            corner="only the gradient of the branch taken, whatever the other is", linear=("then otherwise",),
        ),
        _unary("negative", "-x", np.negative, ("negative(2)", "-2"), "number", monotone=True, linear=("x",)),
        _unary("abs", "the magnitude of x", np.abs, ("abs(-2)", "2"), "number", corner="gradient 0 at 0", monotone_beside_0=0),
        _unary("sign", "-1, 0 or 1", np.sign, ("sign(-2.5)", "-1.0"), "number", corner="gradient 0", monotone=True),
        _unary("square", "x²", np.square, ("square(3)", "9"), "number", monotone_beside_0=0),
        _unary(
            "sqrt", "the square root", np.sqrt, ("sqrt(9)", "3.0"),
            corner="undefined below 0; gradient 0 at 0, where it is infinite, so that sqrt(sum(x^2)) has that of norm",
            monotone=True,
        ),
        _unary("exp", "e to the power of x", np.exp, ("exp(0)", "1.0"), monotone=True),
        _unary("expm1", "exp(x) - 1, exact near 0", np.expm1, ("expm1(0)", "0.0"), monotone=True),
        _unary("log", "the natural logarithm", np.log, ("log(1)", "0.0"), corner="-infinity at 0, undefined below", monotone=True),
        _unary("log1p", "log(1 + x), exact near 0", np.log1p, ("log1p(0)", "0.0"), corner="-infinity at -1, undefined below", monotone=True),
        _unary("log2", "the logarithm to the base 2", np.log2, ("log2(1)", "0.0"), corner="-infinity at 0, undefined below", monotone=True),
        _unary("log10", "the logarithm to the base 10", np.log10, ("log10(1)", "0.0"), corner="-infinity at 0, undefined below", monotone=True),
        _unary("sin", "the sine, of radians", np.sin, ("sin(0)", "0.0")),
        _unary("cos", "the cosine, of radians", np.cos, ("cos(0)", "1.0")),
        _unary("tan", "the tangent, of radians", np.tan, ("tan(0)", "0.0")),
        _unary("atan", "the inverse tangent, in radians", np.arctan, ("atan(0)", "0.0"), monotone=True),
        _unary("asin", "the inverse sine, in radians", np.arcsin, ("asin(0)", "0.0"),
            corner="undefined beyond -1 and 1, where its gradient is infinite", monotone=True),
        _unary("acos", "the inverse cosine, in radians", np.arccos, ("acos(1)", "0.0"),
            corner="undefined beyond -1 and 1, where its gradient is infinite", monotone=True),
        _unary("sinh", "the hyperbolic sine", np.sinh, ("sinh(0)", "0.0"), monotone=True),
        _unary("cosh", "the hyperbolic cosine", np.cosh, ("cosh(0)", "1.0"), monotone_beside_0=0),
        _unary("asinh", "the inverse hyperbolic sine", np.arcsinh, ("asinh(0)", "0.0"), monotone=True),
        _unary("acosh", "the inverse hyperbolic cosine", np.arccosh, ("acosh(1)", "0.0"), corner="undefined below 1, where its gradient is infinite", monotone=True),
        _unary("atanh", "the inverse hyperbolic tangent", np.arctanh, ("atanh(0)", "0.0"), corner="infinite at -1 and 1, undefined beyond", monotone=True),
        Operation(
            "atan2", "(y: real[...], x: real[...]) -> real[...]", "the angle of the point (x, y), in radians",
            np.arctan2, example=("atan2(0, 1)", "0.0"),
            corner="gradient 0 at the origin",
        ),
        _unary("tanh", "the hyperbolic tangent", np.tanh, ("tanh(0)", "0.0"), monotone=True),
        _unary("sigmoid", "1 / (1 + exp(-x))", _sigmoid, ("sigmoid(0)", "0.5"), monotone=True),
        _unary("relu", "max(0, x)", lambda x: np.maximum(x, 0), ("relu(-2)", "0"), "number", "Nair & Hinton 2010", corner="gradient 0 at 0", monotone=True),
        _unary("softplus", "log(1 + exp(x))", _softplus, ("softplus(0)", "0.6931471805599453"), "real", "Dugas et al. 2001", monotone=True),
        _unary("erf", "the error function", _erf, ("erf(0)", "0.0"), monotone=True),
        _unary("floor", "the largest whole number ≤ x", np.floor, ("floor(-1.5)", "-2.0"), corner="gradient 0", monotone=True),
        _unary("ceil", "the smallest whole number ≥ x", np.ceil, ("ceil(-1.5)", "-1.0"), corner="gradient 0", monotone=True),
        _unary("round", "the nearest whole number, halves to even", np.round, ("round(2.5)", "2.0"), corner="gradient 0", monotone=True),
        Operation(
            "minimum", "(a: number[...], b: number[...]) -> number[...]", "the smaller of two", np.minimum,
            example=("minimum(2, 3)", "2"),
            corner="at a tie the gradient is shared equally, but is 0 if one of the tied is a constant",
            monotone=True,
            splits_ties=True,
        ),
        Operation(
            "maximum", "(a: number[...], b: number[...]) -> number[...]", "the larger of two", np.maximum,
            example=("maximum(2, 3)", "3"),
            corner="at a tie the gradient is shared equally, but is 0 if one of the tied is a constant: maximum(f, 0) is flat at 0, as relu(f)",
            monotone=True,
            splits_ties=True,
        ),
        Operation(
            "clip", "(x: number[...], low: number[...], high: number[...]) -> number[...]", "x kept between low and high",
            lambda x, low, high: np.minimum(np.maximum(x, low), high), example=("clip(5, 0, 2)", "2"),
            corner="like minimum(maximum(x, low), high): gradient 0 at constant bounds",
            monotone=True,
            splits_ties=True,
        ),
        Operation(
            "within", "(x: number[...], low: number[...], high: number[...]) -> bool[...]", "whether low ≤ x ≤ high",
            lambda x, low, high: np.logical_and(np.less_equal(low, x), np.less_equal(x, high)),
            example=("within(2, 0, 3)", "true"),
            corner="false where a value is undefined",
        ),
        Operation(
            "is_finite", "(x: real[...]) -> bool[...]", "whether x is neither infinite nor undefined", np.isfinite,
            example=("is_finite(2)", "true"),
        ),
    ],
)  # fmt: skip
