"""Expectations and gradients inside functions: `cov(a, b): E((a - E(a)) * (b - E(b)))`.

An expectation is taken by itself, before what is around it, and a gradient is the chain rule of what it holds. So each
carries the arguments of the functions around it that it uses, and its function keeps only those that it uses elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..ir import terms as t
from ..ir.bodies import free_parameters


def enclosed(term: t.Term, bound: Mapping[str, t.Term]) -> t.Term:
    """A term in which no parameter of the functions around it is free: `bound` are their arguments, outermost first."""
    free = free_parameters(term)
    for key, argument in reversed(list(bound.items())):
        if key in free:
            term = t.Invoke("", (key,), (argument,), term, type=term.type, span=term.span)
            free |= free_parameters(argument)
    return term


def behind(term: t.Term, bound: Mapping[str, t.Term]) -> t.Term:
    """What a parameter stands for; any other term is itself."""
    while isinstance(term, t.Parameter) and term.key in bound:
        term = bound[term.key]
    return term


def ranges(term: t.Term) -> bool:
    """Whether anything in a term ranges over examples."""
    return t.has(term, t.Expectation, t.Gradient)


def applied(function: str, keys: Sequence[str], arguments: Sequence[t.Term], body: t.Term) -> t.Term:
    """A function whose body ranges over examples, applied to what the rest of its body uses. No gradient passes through it."""
    free = free_parameters(body)
    used = [(key, argument) for key, argument in zip(keys, arguments, strict=True) if key in free]
    if not used:
        return body
    names, given = zip(*used, strict=True)
    return t.Invoke(function, names, given, body, type=body.type, span=body.span)
