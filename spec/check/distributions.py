"""Distributions in expressions: where they may stand, and what their arguments are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..diagnostics.problems import Span, did_you_mean, problem_at, sentence
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.types import Shape, ShapeProblem, Type, broadcast
from ..tables.distributions import DISTRIBUTIONS, Distribution, Parameter, bind
from ..tables.operations.intervals import INT32, INT64
from ..tables.operations.linear_algebra import least_pivot
from . import constant_folding as folding
from .argument_bounds import in_order, representable, within
from .context import Context, Elaborator
from .expression_text import Text
from .namespace import DRAWN_BY_WEIGHTS

MAX_VALUES = INT32[1] + 1
"""How many different values the ints from 0 on have."""


def sample(checker: Elaborator, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
    """One occurrence of a distribution: one draw, independent for each element of index notation.

    Points of a sweep share those whose arguments are numbers and names.
    """
    if context.local or context.calls or not all(map(_plain, (*node.arguments, *dict(node.keywords).values()))):
        return _sample(checker, node, text, context, span)
    made = False

    def make() -> t.Term:
        nonlocal made
        made = True
        return _sample(checker, node, text, context, span)

    term = checker.names.piece((text.node, node.start), make)
    if not made:
        next(context.samples)
    return term


def _drawn_before(context: Context) -> str:
    """How a draw comes to where none stands; where networks are known, with odds that they give, too."""
    more = DRAWN_BY_WEIGHTS if context.stage in ("outputs", "loss") else ""
    return sentence("Give the draw a name there, and use the name here.", more)


def choice(checker: Elaborator, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
    """`choice(values, p)`: an entry of an array, at an index that is drawn."""
    if context.stage not in ("draw", "example") or context.calls:
        message = "`choice` draws, and is allowed only in `task.draw` and `task.example`"
        raise problem_at(span, message, _drawn_before(context))
    if not node.arguments:
        raise problem_at(span, "`choice` lacks the values that it chooses from", _CHOICE)
    first, *rest = node.arguments
    values = checker.term(first, text, context)
    if not values.type.shape:
        raise problem_at(values.span, f"`choice` takes an array of values, and this is {values.type}", _CHOICE)
    keywords = dict(node.keywords)
    weighed = "p" in keywords or bool(rest)
    count = values.type.shape[0]
    if weighed:
        drawn = replace(node, function="categorical", arguments=tuple(rest))
    else:
        drawn = replace(node, function="integer", arguments=(n.Number(count, start=first.start, end=first.end), *rest))
    index = sample(checker, drawn, text, context, span)
    assert isinstance(index, t.Sample)
    if weighed and index.parameters["p"].type.shape != (count,):
        told = f"{index.parameters['p'].type.shape[0]} probabilities for {count} values"
        raise problem_at(span, f"`choice` is given {told}", "Give one for each entry of the array.")
    kind = values.type.kind
    return t.Gather(values, index, 0, type=Type(kind, (*index.type.shape, *values.type.shape[1:])), span=span)


_CHOICE = "It is `choice(values, p)`, or `choice(values)` if all are equally probable; `shape=[k]` asks for k of them."


def _plain(node: n.Expr) -> bool:
    return isinstance(node, n.Number | n.Name) or (isinstance(node, n.Array) and all(map(_plain, node.items)))


def _sample(checker: Elaborator, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
    row = DISTRIBUTIONS[node.function]
    if context.calls:
        message = f"`{row.name}` draws, and is not allowed in the body of the function '{context.calls[-1]}'"
        raise problem_at(span, message, "Draw under `task.draw` or `task.example`, and pass the value.")
    if context.stage not in ("draw", "example"):
        message = f"`{row.name}` draws, and is allowed only in `task.draw`, `task.example` and initialisers"
        raise problem_at(span, message, _drawn_before(context))
    known = [*(parameter.name for parameter in row.parameters), *(["shape"] if row.shaped else [])]
    for name, value in node.keywords:
        if name not in known:
            hint = did_you_mean(name, known) or f"It is `{row.name}{row.signature}`."
            raise problem_at(text.keyword(name, value), f"`{row.name}` has no parameter '{name}'", hint)
    terms = [checker.term(argument, text, context) for argument in node.arguments]
    keywords = {name: checker.term(value, text, context) for name, value in node.keywords}
    try:
        bound = bind(row, [bool(term.type.shape) for term in terms], list(keywords))
    except ValueError as error:
        hint = f"It draws {row.meaning}."
        if row.shaped and len(node.arguments) == len(row.parameters) + 1:
            hint = "A shape is written in brackets: `[n]`."
        raise problem_at(span, str(error), hint) from None
    given = {name: terms[place] if isinstance(place, int) else keywords[place] for name, place in bound.items()}
    sizes: dict[str, int] = {}
    parameters: dict[str, t.Term] = {}
    for parameter in row.parameters:
        term = given.get(parameter.name)
        if parameter.kind == "size" and term is not None:
            most = INT64[1] if row.shaped else folding.MAX_SIZE  # a number of values, or a length
            sizes[parameter.name] = folding.size(term, f"'{parameter.name}' of `{row.name}`", most)
        elif term is None:
            parameters[parameter.name] = t.Literal(np.asarray(parameter.default), type=Type("real"), span=span)
        else:
            _check(parameter, row, term, checker.dtype)
            parameters[parameter.name] = folding.real(term)
    if sizes.get("n", 0) > MAX_VALUES:
        message = f"an int is below {MAX_VALUES:,}, and `{row.name}` of {sizes['n']:,} draws larger ones"
        raise problem_at(given["n"].span, message, f"Draw a real number: `floor(uniform(0, {sizes['n']}))`.")
    if sizes.get("k", 0) > sizes.get("n", sizes.get("k", 0)):
        hint = "`subset(n, k)` takes k of the numbers 0, …, n - 1."
        raise problem_at(span, f"a subset of {sizes['k']} cannot be chosen from {sizes['n']}", hint)
    sizes |= _length(row, parameters, span)
    literal = {name: term.value for name, term in parameters.items() if isinstance(term, t.Literal)}
    in_order(row.parameters, literal, lambda name: span, row.name)
    shape = folding.shape(given["shape"], f"the shape of `{row.name}`") if "shape" in given else ()
    shape = _fitting(row.name, shape, "shape" in given, parameters, span)
    result = folding.sized(Type(row.kind, (*shape, *row.event(sizes))), span)
    path = (*context.path, f"{row.name}#{next(context.samples)}")
    return t.Sample(row.name, path, sizes, parameters, shape, type=result, span=span)


def _check(parameter: Parameter, row: Distribution, term: t.Term, dtype: str) -> None:
    """Refuses a parameter that is no array, or that is known to be out of its bounds."""
    what = f"'{parameter.name}' of `{row.name}`"
    if parameter.kind == "vector" and len(term.type.shape) != 1:
        raise problem_at(
            term.span,
            f"{what} has to be an array [n], and is {term.type}",
            "Write its numbers in brackets: `[0.5, 0.5]`.",
        )
    if parameter.kind == "matrix" and (len(term.type.shape) != 2 or term.type.shape[0] != term.type.shape[1]):
        message = f"{what} has to be a square matrix [n, n], and is {term.type}"
        raise problem_at(
            term.span, message, "For independent entries, write `[v[i] if i == j else 0 for i < n, j < n]`."
        )
    if not isinstance(term, t.Literal):
        return
    within(what, parameter.bounds, term.value, term.span, f"It is `{row.name}{row.signature}`: {row.meaning}.")
    representable(what, term.value, dtype, term.span)
    if parameter.kind == "matrix":
        _covariance(what, term)
    if parameter.kind == "vector" and parameter.bounds.least == 0 and not np.sum(term.value) > 0:
        raise problem_at(term.span, f"the entries of {what} are all 0", "At least one of them has to be more than 0.")


def _covariance(what: str, term: t.Literal) -> None:
    """Refuses a matrix that is the covariance of nothing."""
    value = np.asarray(term.value, float)
    if not np.allclose(value, value.T, rtol=1e-6, atol=0):
        raise problem_at(term.span, f"{what} has to be symmetric", "Its entry [i, j] has to equal its entry [j, i].")
    least = float(np.linalg.eigvalsh(value)[0])
    if not least > least_pivot(len(value), float) * float(np.abs(value).max()):
        hint = "`matmul(a, transpose(a))` is one; if only rounding is to blame, add `1e-6 * eye(n)`."
        raise problem_at(
            term.span, f"{what} has to be positive definite, and its least eigenvalue is {least:.3g}", hint
        )


def _length(row: Distribution, given: dict[str, t.Term], span: Span) -> dict[str, int]:
    """The length n of what a vector and a square matrix speak of. Raises StudyError where they differ."""
    if not any(parameter.kind == "matrix" for parameter in row.parameters):
        return {}
    lengths = {name: term.type.shape[0] for name, term in given.items()}
    if len(set(lengths.values())) > 1:
        told = " and ".join(f"'{name}' of {size}" for name, size in lengths.items())
        raise problem_at(span, f"`{row.name}` is given {told}", "The covariance of n numbers is [n, n].")
    return {"n": next(iter(lengths.values()))}


def _fitting(name: str, shape: Shape, said: bool, parameters: dict[str, t.Term], span: Span) -> Shape:
    """The shape of independent copies: as said, and wide enough for the parameters."""
    shapes = [term.type.shape for key, term in parameters.items() if DISTRIBUTIONS[name].parameters[0].kind != "vector"]
    try:
        wide = broadcast(found for found in [shape, *shapes] if found)
    except ShapeProblem as problem:
        hint = "Leave the shape out, or give one that fits the parameters."
        raise problem_at(span, f"`{name}`: {problem}", hint if said else problem.hint) from None
    if said and wide != shape:
        raise problem_at(
            span,
            f"the parameters of `{name}` have the shape {list(wide)}, and {list(shape)} is asked for",
            "Leave the shape out, or give one that ends like theirs.",
        )
    return wide
