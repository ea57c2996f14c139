"""Compares resolved programs at a path: whether two spellings mean the same, by the rules of `spec/passes/digests.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..expressions import nodes as n
from ..ir.plan import Program
from ..passes.digests import network_meaning, term_meaning
from ..tables.operations import OPERATORS
from .expressions import without_kinds
from .paths import Pair
from .trees import Expression

Programs = Sequence[tuple[Program, Program]]


def means_the_same(pair: Pair, programs: Programs) -> bool:
    """Whether a pair differs in spelling alone, in every program that has it.

    A binding, a term of the loss and a measure are compared as the digest takes them: functions and outputs opened,
    constants by value. A constant, and a number that is made of constants, is compared by its value.
    """
    if pair.path[:2] == ("task", "data") and programs and all(before.data == after.data for before, after in programs):
        return True
    if pair.path[:1] == ("architecture",) and len(pair.path) > 3 and _same_network(pair.path[1], programs):
        return True
    if pair.before is None or pair.after is None:
        return _evaluation(pair, programs)
    return bool(programs) and all(_same(pair, *both) for both in programs)


def keeps_meaning(path: tuple[str, ...], programs: Programs) -> bool:
    """Whether what stands at a path is known to mean the same on both sides of every program."""
    path = path[:-1] if path[-1:] == ("of",) else path
    sides = [[_meaning(path, program) for program in both] for both in programs]
    return bool(sides) and all(before is not None and before == after for before, after in sides)


def _same_network(name: str, programs: Programs) -> bool:
    """Whether a network is the same on both sides of every program: an argument that was written holds by default, say."""
    sides = [[network_meaning(program, name) for program in both] for both in programs]
    return bool(sides) and all(before is not None and before == after for before, after in sides)


def _evaluation(pair: Pair, programs: Programs) -> bool:
    """When measures are taken, however it is said."""
    if pair.path[:2] != ("training", "evaluate") or pair.path[2:] == ("examples",):
        return False
    steps = [[p.training.evaluations if p.training else () for p in both] for both in programs]
    return bool(steps) and all(a == b for a, b in steps)


def _same(pair: Pair, before: Program, after: Program) -> bool:
    if pair.path[:1] == ("constants",):
        return _alike(before.constants.get(pair.path[1]), after.constants.get(pair.path[1]))
    sides = [_meaning(pair.path, program) for program in (before, after)]
    if None not in sides:
        return bool(sides[0] == sides[1]) or _same_but_for_the_mean(pair)
    if _evaluation(pair, [(before, after)]):
        return True
    if _same_but_for_kinds(pair):
        return True
    values = [
        constant(side.tree, program.constants) if isinstance(side, Expression) and not side.parameters else None
        for side, program in zip((pair.before, pair.after), (before, after), strict=True)
    ]
    if any(value is None for value in values):
        return False
    # A last layer of literally one unit loses its axis: there the spelling matters.
    literal = [isinstance(side, Expression) and side.tree == n.Number(1) for side in (pair.before, pair.after)]
    return bool(values[0] == values[1]) and not (pair.path[-1:] == ("units",) and literal[0] != literal[1])


def _alike(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return False
    same = np.shape(a) == np.shape(b) and np.asarray(a).dtype.kind == np.asarray(b).dtype.kind
    return same and bool(np.array_equal(a, b))


def _same_but_for_kinds(pair: Pair) -> bool:
    """Whether numbers differ in kind alone where that is no matter: in what optimisers, layers and schedules are given."""
    if not (isinstance(pair.before, Expression) and isinstance(pair.after, Expression)):
        return False
    if pair.path[0] not in ("training", "layer_defaults") and "layers" not in pair.path:
        return False
    return bool(without_kinds(pair.before.form) == without_kinds(pair.after.form))


def _same_but_for_the_mean(pair: Pair) -> bool:
    """Whether one side of a measure is bare where the other is its `E`: what `on` and `mode` say beside it are paths of their own."""
    if pair.path[:1] != ("measures",) or len(pair.path) != 2:
        return False
    if not (isinstance(pair.before, Expression) and isinstance(pair.after, Expression)):
        return False
    return bool(_bare(pair.before.form) == _bare(pair.after.form))


def _bare(form: Any) -> Any:
    """What stands in the `E` of a measure; what has none is as it is.

    >>> from ..expressions.parser import parse_expression
    >>> _bare(parse_expression("E(x)")) == _bare(parse_expression("x")) != _bare(parse_expression("E(x, on=train)"))
    True
    """
    match form:
        case n.Call("E", (inner,), ()):
            return inner
    return form


@lru_cache(maxsize=16)
def _by_name(items: tuple[Any, ...]) -> Mapping[str, Any]:
    """Parts of a program by their names."""
    return {item.name: item for item in items}


def _meaning(path: tuple[str, ...], program: Program) -> str | None:
    """What the digest takes a binding, a term of the loss or a measure for; None for another path."""
    term: Any = None
    rest: Any = None
    if path[:2] in (("task", "draw"), ("task", "example")) and len(path) == 3:
        named = program.draws if path[1] == "draw" else program.examples
        term = getattr(_by_name(named).get(path[2]), "term", None)
    elif path[:2] == ("task", "statistics") and len(path) == 3:
        term = next((item.term for item in program.statistics if item.name == path[2]), None)
    elif path[:1] == ("outputs",) and len(path) == 2:
        term = getattr(_by_name(program.outputs).get(path[1]), "term", None)
    elif path[:1] == ("loss",) and len(path) == 2:
        term = getattr(_by_name(program.loss).get(path[1]), "term", None)
    elif path[:1] == ("loss",) and path[2:] == ("weight",):
        term = next((item.weight for item in program.loss if item.name == path[1]), None)
    elif path[:1] == ("measures",) and len(path) == 2:
        found = _by_name(program.measures).get(path[1])
        term, rest = (found.term, found.on) if found else (None, None)
    if term is None:
        return None
    return json.dumps([term_meaning(program, term), rest], sort_keys=True)


def constant(node: n.Node, constants: Mapping[str, Any]) -> float | None:
    """The value of a number made of numbers and single constants by arithmetic; None for anything else.

    >>> from ..expressions.parser import parse_expression
    >>> constant(parse_expression("2 * d + 1"), {"d": 5})
    11.0
    """
    match node:
        case n.Number(value):
            return float(value)
        case n.Name(name) if name in constants and not np.shape(constants[name]):
            return float(constants[name])
        case n.Unary("-", operand):
            inner = constant(operand, constants)
            return None if inner is None else -inner
        case n.Binary(operator, left, right) if operator in ("+", "-", "*", "/", "//", "^"):
            sides = (constant(left, constants), constant(right, constants))
            if None in sides:
                return None
            with np.errstate(all="ignore"):
                return float(OPERATORS[operator].numpy(*sides))
    return None
