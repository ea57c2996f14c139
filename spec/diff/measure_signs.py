"""Which measures are never below 0: errors, rates and sizes are recognised by how they are computed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..ir import terms as t
from ..ir.plan import Program

_ALWAYS = frozenset({"abs", "square", "exp", "sqrt", "relu", "sigmoid", "softplus", "norm", "huber", "cross_entropy"})
"""Operations whose value is never below 0."""
_OF_SUCH = frozenset(
    {"add", "multiply", "divide", "minimum", "sum", "mean", "max", "min", "prod", "log1p", "dot", "matmul", "trace", "concat"}
)  # fmt: skip
"""Operations that are never below 0 where no argument is."""


def never_negative(programs: Iterable[Program]) -> frozenset[str]:
    """The measures that are never below 0 in any of some programs that has them."""
    signed: dict[str, bool] = {}
    terms: dict[int, bool] = {}
    for program in programs:
        for item in program.measures:
            if id(item.term) not in terms:
                terms[id(item.term)] = _never(item.term)
            signed[item.name] = signed.get(item.name, True) and terms[id(item.term)]
    return frozenset(name for name, certain in signed.items() if certain)


def _never(term: t.Term) -> bool:
    if term.type.kind == "bool":
        return True
    match term:
        case t.Literal(value):
            return bool(np.all(np.asarray(value) >= 0))
        case t.Expectation(body) | t.Invoke(body=body) | t.Comprehend(body=body):
            return _never(body)
        case t.Gather(array) | t.Cut(array):
            return _never(array)
        case t.Stop(operand):
            return _never(operand)
        case t.Stack(items):
            return all(map(_never, items))
        case t.Operate("power", (base, t.Literal(exponent))):
            whole = np.asarray(exponent)
            return bool(np.all(whole % 2 == 0)) or _never(base)
        case t.Operate(operation, arguments):
            if operation in _ALWAYS:
                return True
            return operation in _OF_SUCH and all(map(_never, arguments))
    return False
