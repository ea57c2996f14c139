"""Which measures are never below 0: errors, rates and sizes are recognised by how they are computed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..ir import terms as t
from ..ir.plan import Program
from ..ir.term_pass import TermPass

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


_NEVER: TermPass[[], bool] = TermPass("sign of a measure")
"""Whether a term is never below 0, as far as it can be told."""


def _never(term: t.Term) -> bool:
    return term.type.kind == "bool" or _NEVER.of(term)(term)


_NEVER.exclude("what is compared is one cell's", t.SweptConstant)


@_NEVER.case(t.Literal)
def _literal(term: t.Literal) -> bool:
    return bool(np.all(np.asarray(term.value) >= 0))


@_NEVER.case(t.Expectation, t.Invoke)
def _body(term: t.Expectation | t.Invoke) -> bool:
    return _never(term.body)


@_NEVER.case(t.WithWeights)
def _at_other_weights(term: t.WithWeights) -> bool:
    return _never(term.operand)


@_NEVER.case(t.Comprehend)
def _comprehend(term: t.Comprehend) -> bool:
    return _never(term.body)


@_NEVER.case(t.Gather, t.Cut)
def _entries(term: t.Gather | t.Cut) -> bool:
    return _never(term.array)


@_NEVER.case(t.Stop)
def _stop(term: t.Stop) -> bool:
    return _never(term.operand)


@_NEVER.case(t.Stack)
def _stack(term: t.Stack) -> bool:
    return all(map(_never, term.items))


@_NEVER.case(t.Operate)
def _operate(term: t.Operate) -> bool:
    if term.operation == "power" and isinstance(exponent := term.arguments[1], t.Literal):
        return bool(np.all(np.asarray(exponent.value) % 2 == 0)) or _never(term.arguments[0])
    if term.operation in _ALWAYS:
        return True
    return term.operation in _OF_SUCH and all(map(_never, term.arguments))


@_NEVER.case(
    t.Reference, t.Parameter, t.IndexVariable, t.Sample, t.NetworkOutput, t.Weight, t.AllWeights, t.Gradient, t.GradientStatistic,
    t.SamplingFloor, t.LeftOut, t.StepNumber, t.Scan, t.Recalled, *t.DERIVED, t.FileValue,
)  # fmt: skip
def _untold(term: t.Term) -> bool:
    return False
