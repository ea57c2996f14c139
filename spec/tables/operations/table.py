"""What a row of the operations' table is, and how its signature is read.

A signature names each argument and gives its kind and shape:

    (y: real[...], score: real[...]) -> real[...]     `...` shapes broadcast together
    (x: number[*s]) -> number[]                        `*s` stands for any shape; `number` is int or real, as given
    (a: real[n], b: real[n]) -> real[]                 `n` must be the same size everywhere
    (i: int[*s], size: size) -> real[*s, size]         `size`, `shape`, `axis`: constants known before anything runs
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ...ir.types import Shape, ShapeProblem, Type, broadcast, join, shape_text
from ..by_name import by_name

STATIC_KINDS = ("size", "shape", "axis", "integer")

Rule = Callable[[Sequence[Type], Mapping[str, Any]], tuple[Type, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its name, its kind, the pattern of its shape (None for a static one), and its default."""

    name: str
    kind: str
    shape: tuple[str, ...] | None
    optional: bool = False
    variadic: bool = False

    @property
    def static(self) -> bool:
        """Whether it is a constant that shapes come from."""
        return self.shape is None


@dataclass(frozen=True)
class Operation:
    """A row: the only declaration of an operation.

    `numpy` is its value on arrays whose leading axes are free, and the oracle of its lowering; static arguments
    come as keywords. `corner` says what comes of what is undefined or outside, and its gradient at ties and corners.
    `rule` replaces the signature's own type rule where that cannot say it; it may add to the
    static arguments. `constant` means that the shape depends on values, so these must be known before anything runs.
    `monotone` means that it rises or falls along each argument while the others stay, so that over ranges it is extreme at
    their ends; with `monotone_beside_0` it does so while that argument, counted from 0, keeps its sign. `splits_ties` means
    that its lowering asks which entries are constants: these take no share of a gradient at a tie. `applies` is the operation
    that it applies to its `score`, or else its first argument, by itself; `signs` is the argument that is 1 or -1. `linear` are
    groups of arguments: it is linear in those of a group together while all others stay. `of_two` says how to write what a second number
    by position is elsewhere, where it is an axis here. `instead` is what is meant over examples where it is applied to one number, which
    it gives back. `xla_on_cpu` is the longest side of a matrix up to which XLA's own algorithm is not many times slower on a CPU than the
    library that the plain graph calls; None where it is at any.
    """

    name: str
    signature: str
    meaning: str
    numpy: Callable[..., Any]
    source: str = ""
    operator: str = ""
    example: tuple[str, str] = ("", "")
    rule: Rule | None = None
    constant: bool = False
    corner: str = ""
    monotone: bool = False
    monotone_beside_0: int | None = None
    splits_ties: bool = False
    applies: str = ""
    signs: str = ""
    linear: tuple[str, ...] = ()
    of_two: str = ""
    instead: str = ""
    xla_on_cpu: int | None = None
    family: str = field(default="", compare=False)
    arguments: tuple[Argument, ...] = field(default=(), compare=False)
    result: Argument = field(default=Argument("", "real", ()), compare=False)

    @cached_property
    def elementwise(self) -> bool:
        """Whether every argument broadcasts against the others."""
        return all(argument.shape == ("...",) for argument in self.arguments)

    @cached_property
    def values(self) -> tuple[Argument, ...]:
        """The arguments that are not static."""
        return tuple(argument for argument in self.arguments if not argument.static)

    def values_given(self, count: int) -> tuple[Argument, ...]:
        """The argument that each of so many values is for, as far as there is one: the last one takes all that are left."""
        values = self.values
        return values if count <= len(values) or not values else values + values[-1:] * (count - len(values))


def parse_signature(text: str) -> tuple[tuple[Argument, ...], Argument]:
    """The arguments and the result of a signature."""
    match = re.fullmatch(r"\((.*)\) -> (.+)", text)
    if match is None:
        raise ValueError(f"not a signature: {text!r}")
    given = [_argument(part) for part in re.split(r",\s*(?![^\[]*\])", match[1]) if part]
    return tuple(given), _argument("result: " + match[2])


def _argument(text: str) -> Argument:
    match = re.fullmatch(r"(\*?)(\w+): (\w+)(?:\[(.*?)\])?( = none)?", text.strip())
    if match is None:
        raise ValueError(f"not an argument: {text!r}")
    star, name, kind, shape, default = match.groups()
    pattern = None if kind in STATIC_KINDS else tuple(part.strip() for part in (shape or "").split(",") if part.strip())
    return Argument(name, kind, pattern, default is not None, bool(star))


def result_type(
    operation: Operation, types: Sequence[Type], static: Mapping[str, Any]
) -> tuple[Type, Mapping[str, Any]]:
    """The type of an application and its static arguments. Raises ShapeProblem.

    `types` are those of the arguments that are not static, in order.
    """
    if operation.rule is not None:
        return operation.rule(types, static)
    patterns = operation.values
    if patterns and patterns[-1].variadic:
        patterns = operation.values_given(len(types))[: len(types)]
    sizes: dict[str, Any] = {name: value for name, value in static.items() if not isinstance(value, tuple)}
    spread = [given.shape for argument, given in zip(patterns, types, strict=False) if argument.shape == ("...",)]
    sizes["..."] = broadcast(spread)
    for argument, given in zip(patterns, types, strict=False):
        if argument.shape != ("...",):
            match_shape(argument, given.shape, sizes)
    number = join(given.kind for argument, given in zip(patterns, types, strict=False) if argument.kind == "number")
    kind = operation.result.kind
    kind = ("int" if number == "bool" else number) if kind == "number" else kind
    return Type(kind, build_shape(operation.result.shape or (), sizes)), static


def wanted_kinds(operation: Operation, types: Sequence[Type], result: Type) -> list[str]:
    """The kind that each argument which is not static counts as: a bool is an int, and both are real, where that is asked for.

    >>> add = table("", [Operation("add", "(a: number[...], b: number[...]) -> number[...]", "a + b", sum)])["add"]
    >>> wanted_kinds(add, [Type("int"), Type("real")], Type("real"))
    ['real', 'real']
    """
    pairs = list(zip(operation.values_given(len(types)), types, strict=False))
    number = join(given.kind for pattern, given in pairs if pattern.kind == "number")
    number = result.kind if operation.result.kind == "number" or operation.name == "power" else number
    number = "int" if number == "bool" else number
    return [number if pattern.kind == "number" else pattern.kind for pattern, _ in pairs]


def match_shape(argument: Argument, shape: Shape, sizes: dict[str, Any]) -> None:
    """Binds the sizes that a pattern names, or raises ShapeProblem."""
    pattern = list(argument.shape or ())
    rest = list(shape)
    if pattern and pattern[0].startswith("*"):
        tail = len(pattern) - 1
        if len(rest) < tail:
            raise _mismatch(argument, shape)
        sizes[pattern[0]] = tuple(rest[: len(rest) - tail])
        pattern, rest = pattern[1:], rest[len(rest) - tail :]
    if len(pattern) != len(rest):
        raise _mismatch(argument, shape)
    for name, size in zip(pattern, rest, strict=True):
        wanted = int(name) if name.isdigit() else sizes.setdefault(name, size)
        if wanted != size:
            raise ShapeProblem(f"'{argument.name}' has the shape {shape_text(shape)}, where {name} is {wanted} already")


def _mismatch(argument: Argument, shape: Shape) -> ShapeProblem:
    wanted = "[" + ", ".join(argument.shape or ()) + "]" if argument.shape else "a single number"
    found = f"the shape {shape_text(shape)}" if shape else "a single number"
    hint = "`sum` or an index makes a single number of an array." if not argument.shape else ""
    return ShapeProblem(f"'{argument.name}' has to be {wanted}, and is {found}", hint)


def build_shape(pattern: Sequence[str], sizes: Mapping[str, Any]) -> Shape:
    """A pattern with its sizes filled in."""
    shape: list[int] = []
    for name in pattern:
        if name == "..." or name.startswith("*"):
            shape.extend(sizes[name])
        else:
            shape.append(int(name) if name.isdigit() else sizes[name])
    return tuple(shape)


def table(family: str, rows: Iterable[Operation]) -> Mapping[str, Operation]:
    """The rows by name, with their signatures read; a duplicate is refused."""
    return by_name((_with_signature(row, family) for row in rows), "operation")


def _with_signature(row: Operation, family: str) -> Operation:
    arguments, result = parse_signature(row.signature)
    return replace(row, family=family, arguments=arguments, result=result)
