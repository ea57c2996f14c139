"""Syntax tree to text: one canonical spelling, with no bracket that is not needed."""

from __future__ import annotations

from . import nodes as n

PRECEDENCE = {
    "or": 2,
    "and": 3,
    "==": 5,
    "!=": 5,
    "<": 5,
    "<=": 5,
    ">": 5,
    ">=": 5,
    "+": 6,
    "-": 6,
    "*": 7,
    "/": 7,
    "//": 7,
    "%": 7,
    "^": 9,
}
MIN_ZEROS = 6
"""A whole number with so many zeros at its end is written with an exponent."""
_CONDITIONAL, _NOT, _SIGN, _POSTFIX, _ATOM = 1, 4, 8, 10, 11


def print_expression(node: n.Expr, *, top: bool = True) -> str:
    """The text of a tree; at the top of a value, index notation goes without its brackets.

    >>> from .parser import parse_expression
    >>> print_expression(parse_expression("(a+(b*c))^-2"))
    '(a + b * c)^-2'
    """
    if top and isinstance(node, n.Comprehension):
        return _comprehension(node)
    return _text(node, 0)


def _text(node: n.Expr, least: int) -> str:
    text, strength = _spell(node)
    return f"({text})" if strength < least else text


def _spell(node: n.Expr) -> tuple[str, int]:
    match node:
        case n.Number(value):
            return number_text(value), _ATOM
        case n.Boolean(value):
            return ("true" if value else "false"), _ATOM
        case n.Name(name):
            return name, _ATOM
        case n.Array(items):
            return f"[{', '.join(_text(item, 0) for item in items)}]", _ATOM
        case n.Comprehension():
            return f"[{_comprehension(node)}]", _ATOM
        case n.Unary(operator, operand):
            if operator == "not":
                return f"not {_text(operand, _NOT)}", _NOT
            return f"{operator}{_text(operand, _SIGN)}", _SIGN
        case n.Binary("^", left, right):
            return f"{_text(left, _POSTFIX)}^{_text(right, _SIGN)}", PRECEDENCE["^"]
        case n.Binary(operator, left, right):
            strength = PRECEDENCE[operator]
            first = strength + 1 if strength == PRECEDENCE["<"] else strength
            return f"{_text(left, first)} {operator} {_text(right, strength + 1)}", strength
        case n.Conditional(then, condition, otherwise):
            parts = _text(then, 2), _text(condition, 2), _text(otherwise, _CONDITIONAL)
            return f"{parts[0]} if {parts[1]} else {parts[2]}", _CONDITIONAL
        case n.Call(function, arguments, keywords):
            given = [_text(argument, 0) for argument in arguments]
            given += [f"{name}={_text(value, 0)}" for name, value in keywords]
            return f"{function}({', '.join(given)})", _POSTFIX
        case n.Index(array, subscripts):
            return f"{_text(array, _POSTFIX)}[{', '.join(_subscript(item) for item in subscripts)}]", _POSTFIX
        case n.Attribute(owner, name):
            least = _ATOM + 1 if isinstance(owner, n.Number) else _POSTFIX
            return f"{_text(owner, least)}.{name}", _POSTFIX


def _subscript(item: n.Expr | n.Slice) -> str:
    if isinstance(item, n.Slice):
        first = "" if item.first is None else _text(item.first, 0)
        last = "" if item.last is None else _text(item.last, 0)
        return f"{first}:{last}"
    return _text(item, 0)


def _comprehension(node: n.Comprehension) -> str:
    ranges = ", ".join(f"{name} < {_text(extent, PRECEDENCE['+'])}" for name, extent in node.ranges)
    return f"{_text(node.body, 0)} for {ranges}"


def number_text(value: int | float) -> str:
    """A short text that reads back as the same number of the same kind.

    >>> [number_text(value) for value in (3, 3.0, 1e-05, 1e16, 0.25, 1e9, 2.5e9, 1234567.0)]
    ['3', '3.0', '1e-5', '1e16', '0.25', '1e9', '2.5e9', '1234567.0']
    """
    if isinstance(value, int):
        return str(value)
    mantissa, _, exponent = repr(value).partition("e")
    whole = mantissa.removesuffix(".0").lstrip("-")
    digits = whole.rstrip("0")
    if not exponent and len(whole) - len(digits) >= MIN_ZEROS:
        sign, fraction = "-" if value < 0 else "", f".{digits[1:]}" if len(digits) > 1 else ""
        mantissa, exponent = f"{sign}{digits[0]}{fraction}", str(len(whole) - 1)
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa
