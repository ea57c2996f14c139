"""A function applied again and again: `scan(f, start, xs)` and `iterate(f, start, n)`."""

from __future__ import annotations

from dataclasses import replace

from ..diagnostics.problems import Span, StudyError, did_you_mean, problem_at, sentence
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.bodies import free_indices, free_parameters
from ..ir.types import KINDS, Type
from ..passes.evaluate import as_kind
from ..passes.print_term import spell
from ..tables.layers import LAYERS
from ..tables.operations import OPERATIONS
from ..tables.special_forms import Form
from . import constant_folding as folding
from .context import Context, Elaborator
from .expectations import enclosed, ranges
from .expression_text import Text
from .namespace import Function
from .other_weights import must_be_steady

LOOPS = ("scan", "iterate")
MAX_TURNS = 10_000
"""How often a function is applied at most: gradients keep every state."""


def loop(checker: Elaborator, row: Form, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
    """One of the forms. Its state has the type of the start; a constant start is as wide as the function asks for."""
    every = row.name == "scan"
    function = _function(checker, row, node.arguments[0], text, context)
    start = checker.term(node.arguments[1], text, context)
    items, turns = None, checker.term(node.arguments[2], text, context)
    if every:
        items = turns
        if not items.type.shape:
            message = f"`scan` runs along the first axis of what it is given, and this is {items.type}"
            raise problem_at(
                items.span, message, "`iterate(f, start, n)` applies a function n times to its own result."
            )
        steps = items.type.shape[0]
        if steps > MAX_TURNS:
            message = f"`scan` runs along at most {MAX_TURNS:,} entries, and these are {steps:,}"
            raise problem_at(items.span, message, "Take several entries at a time: `reshape(xs, [n, k])`.")
    else:
        steps = folding.size(turns, "how often `iterate` applies a function", MAX_TURNS)
    term = _term(checker, function, start, items, context, span, steps=steps, every=every)
    _must_be_pure(checker, term.body, row.name, function, span)
    must_be_steady(checker, term, span)
    _must_vary_along_no_index(term, context)
    return folding.closed(term)


def _function(checker: Elaborator, row: Form, node: n.Expr, text: Text, context: Context) -> Function:
    """The user's function that is named. Raises StudyError where none is, or one with other arguments."""
    wanted = ("a state", "the next entry of xs")[: 2 if row.name == "scan" else 1]
    span = text.span(node)
    shape = "g(s, x): …" if row.name == "scan" else "g(s): …"
    declare = f"Declare one under `functions`, as `{shape}`, and name it here without brackets."
    if not isinstance(node, n.Name):
        raise problem_at(span, f"`{row.name}` takes the name of a function first, and this is an expression", declare)
    function = None if node.name in context.local else checker.names.function(node.name)
    if function is None:
        if node.name in OPERATIONS:
            raise problem_at(
                span, f"`{row.name}` takes a function of yours, and '{node.name}' is an operation", declare
            )
        if node.name in context.local or node.name in checker.names.vocabulary.known():
            raise problem_at(span, f"`{row.name}` takes a function first, and '{node.name}' is not one", declare)
        near = did_you_mean(node.name, checker.names.vocabulary.functions)
        raise problem_at(span, f"unknown function '{node.name}'", sentence(near, declare))
    if len(function.parameters) != len(wanted):
        listed = ", ".join(function.parameters)
        message = f"`{row.name}` gives its function {' and '.join(wanted)}, and '{function.name}' is `{function.name}({listed})`"
        raise problem_at(span, message, f"It is `{row.name}{row.signature}`.")
    return function


def _term(
    checker: Elaborator, function: Function, start: t.Term, items: t.Term | None, context: Context, span: Span, *,
    steps: int, every: bool,
) -> t.Scan:  # fmt: skip
    """The application, its body checked for a state of the start's type; again where it shows that this was too narrow."""
    kind = start.type.kind
    learnt = checker.names.trained(start)
    while True:
        state = Type(kind, start.type.shape)
        keys = [f"{name}@{next(checker.keys)}" for name in function.parameters]
        arguments = [t.Parameter(keys[0], type=state, span=span)]
        if items is not None:
            arguments.append(t.Parameter(keys[1], type=Type(items.type.kind, items.type.shape[1:]), span=span))
            checker.differentiable.update(keys[1:] if checker.names.trained(items) else [])
        checker.differentiable.update(keys[:1] if learnt else [])
        try:
            body = checker.apply(function, list(arguments), context, span)
        except StudyError:
            if kind == "real" or not isinstance(start, t.Literal):
                raise
            kind = "real"  # a derivative by the state, which a constant start leaves real as well
            continue
        if body.type.shape != state.shape:
            message = f"'{function.name}' turns a state of {state} into {body.type}: a state keeps its type"
            raise problem_at(span, message, f"Make '{function.name}' give the shape of its first argument.")
        if KINDS.index(body.type.kind) > KINDS.index(kind):
            if not isinstance(start, t.Literal):
                hint = (
                    "Make the start real: `1.0 * x`." if body.type.kind == "real" else "Make the start an int: `1 * b`."
                )
                message = f"'{function.name}' turns a state of {state} into {body.type}: a state keeps its type"
                raise problem_at(span, message, hint)
            kind = body.type.kind
        elif checker.names.trained(body) and not learnt:
            learnt = True
        else:
            break
    if isinstance(start, t.Literal) and kind != start.type.kind:
        start = replace(start, value=as_kind(start.value, kind), type=state)
    result = folding.sized(Type(kind, (*([steps] if every else []), *state.shape)), span)
    return t.Scan(function.name, tuple(keys), start, items, body, steps, every, type=result, span=span)


def _must_vary_along_no_index(loop: t.Scan, context: Context) -> None:
    """Refuses a state that varies along an index around, where its function takes derivatives of it by other things. Raises StudyError."""
    if not any(free_indices(enclosed(item, context.bound)) for item in loop.arguments):
        return
    derivatives: list[t.ValueGradient | t.Directional] = [
        *t.within(loop.body, t.ValueGradient),
        *t.within(loop.body, t.Directional),
    ]
    for item in derivatives:
        if not isinstance(item.by, t.Parameter) and free_parameters(item):
            message = f"a derivative by `{spell(item.by)}` takes one state, and this has one for each value of an index"
            hint = f"Write one `{'scan' if loop.every else 'iterate'}` for each entry, or take the derivative by the function's own parameter."
            raise problem_at(item.span or loop.span, message, hint)


def _must_be_pure(checker: Elaborator, body: t.Term, form: str, function: Function, span: Span) -> None:
    """Refuses what ranges over examples, and networks whose application leaves something behind."""
    if ranges(body):
        message = f"'{function.name}' ranges over the evaluation examples, and `{form}` applies it to each by itself"
        raise problem_at(span, message, f"Take the mean outside of it, and give it to `{form}` with the start.")
    for item in t.within(body, t.NetworkOutput):
        if item.input is not None:
            for layer in checker.names.plan(item.network, span).applied():
                row = LAYERS.get(layer.row)
                draws = row is not None and row.draws_with(layer.config)
                if row is None or not (draws or layer.untrained or row.estimated_from):
                    continue
                what = "draws" if draws else "keeps statistics of what it is given"
                message = f"'{item.network}.{layer.key}' {what}, and `{form}` applies '{item.network}' again and again"
                hint = "Leave the layer out of that network; `layer_normalization` keeps nothing."
                raise problem_at(span, message, hint)
