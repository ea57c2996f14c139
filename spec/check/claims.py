"""Checks of claims and stopping conditions: names resolved to measures and axes, everything else refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at, sentence, those
from ..expressions import nodes as n
from ..expressions.parser import COMPARISONS
from ..ir import claims as c
from ..tables.judges import JUDGES
from ..tables.operations import CLAIM_FORMS, OPERATIONS, OPERATORS
from .claim_comparisons import must_choose_among_equally_many, must_take
from .claim_conditions import SEVERAL, in_place_of
from .claim_entries import along_entries
from .claim_quantifiers import quantified
from .claim_subject import Subject
from .claim_windows import in_window, is_of_steps, must_be_evaluated
from .constant_folding import must_be_finite
from .expression_text import Text
from .measure_shapes import must_have_entry
from .steps import ENDS, borders_of, step_of


def check_claim(text: Text, subject: Subject, judge: str = "replicates") -> c.Claim:
    """The tree of a claim's check. Raises StudyError."""
    span = text.span(text.tree)
    tree = whole_claim(text, subject)
    if not _is_condition(text.tree):
        raise problem_at(span, "a claim is a condition, and this is a number", "Compare it: `final(error) <= 0.1`.")
    must_take(JUDGES[judge], tree, span)
    subject.compare(tree, span)
    must_choose_among_equally_many(tree, subject.evaluations, span)
    return tree


def whole_claim(text: Text, subject: Subject) -> c.Claim:
    """The tree of a number or a condition, which may be one for all values of some indices: `final(m[i]) < 0.5 for i < 3`. Raises StudyError."""
    if isinstance(text.tree, n.Comprehension) and _is_condition(text.tree.body):
        return quantified(
            text.tree, text, subject.constants,
            lambda node, constants: _number(node, text, constants),
            lambda node, constants: claim_part(node, text, replace(subject, constants=constants)),
        )  # fmt: skip
    return claim_part(text.tree, text, subject)


def check_until(text: Text, subject: Subject) -> c.Claim:
    """The tree of a stopping condition: bare measures stand for their newest values."""
    tree = claim_part(text.tree, text, subject, until=True)
    if not _is_condition(text.tree):
        raise problem_at(
            text.span(text.tree), "`until` is a condition, and this is a number", "Compare it: `error < 0.1`."
        )
    return tree


def check_condition(text: Text, subject: Subject) -> c.Selection:
    """A condition on an axis: `variant == forward_only`, `d <= 10`."""
    return _selection(text.tree, text, subject)


def constant_number(text: Text, constants: Mapping[str, float]) -> float:
    """The number that an expression of constants is. Raises StudyError."""
    return _number(text.tree, text, constants)


def _number(node: n.Expr, text: Text, constants: Mapping[str, float]) -> float:
    tree = claim_part(node, text, Subject({}, {}, constants))
    if not isinstance(tree, c.Number):
        raise problem_at(text.span(node), "a number made of constants is needed here", "Write `1 / classes`, say.")
    return tree.value


def _is_condition(node: n.Expr) -> bool:
    match node:
        case n.Boolean():
            return True
        case n.Comprehension(body):
            return _is_condition(body)
        case n.Unary(operator) | n.Binary(operator):
            return operator == "not" or (operator in OPERATORS and OPERATORS[operator].result.kind == "bool")
        case n.Call(function):
            row = OPERATIONS.get(function)
            return function in ("increasing", "decreasing", "diverged") or (
                row is not None and row.result.kind == "bool"
            )
    return False


def _forms() -> str:
    return f"Claims are made of {', '.join(CLAIM_FORMS)} and elementwise operations."


def claim_part(node: n.Expr, text: Text, subject: Subject, until: bool = False) -> c.Claim:
    """The tree of a part of a claim: a number or a condition. Raises StudyError."""
    span = text.span(node)
    match node:
        case n.Number(value):
            return c.Number(float(value))
        case n.Boolean(value):
            return c.Number(float(value))
        case n.Name(name):
            return _name(name, span, subject, until)
        case n.Index() if until:
            return _measured("final", node, (), text, subject, span)
        case n.Unary(operator, operand):
            sign = {"-": "negative", "not": "logical_not"}.get(operator)
            _must_be_conditions(operator, (operand,), text)
            inner = claim_part(operand, text, subject, until)
            return _applied(sign, (inner,), span) if sign else inner
        case n.Binary(operator, left, right):
            _must_be_conditions(operator, (left, right), text)
            parts = (claim_part(left, text, subject, until), claim_part(right, text, subject, until))
            return _applied(OPERATORS[operator].name, parts, span)
        case n.Call(function, arguments, keywords) if not keywords:
            return _call(function, arguments, node, text, subject, span, until)
        case n.Call(keywords=((name, value), *_)):
            hint = f"A condition compares: `{name} == {value.name if isinstance(value, n.Name) else 10}`."
            raise problem_at(text.keyword(name, value), "claims take no arguments by name", hint)
    if isinstance(node, n.Index):
        raise problem_at(span, "this has no meaning in a claim", _of_an_index(node, subject))
    raise problem_at(span, "this has no meaning in a claim", _forms())


def _of_an_index(node: n.Index, subject: Subject) -> str:
    """What is meant by an index behind a measure, or behind its value."""
    array = node.array
    while isinstance(array, n.Index):
        array = array.array
    if isinstance(array, n.Name) and array.name in subject.measures:
        return f"At the last step it is `final({array.name})`, at another one `at({array.name}, 100)`; an entry of an array is `final(v[0])`."
    if isinstance(array, n.Call) and array.function in (*c.BEST, "final", "mean_over", "at"):
        return f"Write what is looked at in its brackets: `{array.function}(m[0])` is an entry of an array, `{array.function}(m, variant == a)` is of a variant."
    return _forms()


def _must_be_conditions(operator: str, operands: tuple[n.Expr, ...], text: Text) -> None:
    """Refuses `and`, `or`, `not` of a number: it would be taken for true."""
    for operand in operands if operator in ("and", "or", "not") else ():
        if not _is_condition(operand):
            hint = "Compare it: `final(error) <= 0.1`."
            raise problem_at(text.span(operand), f"`{operator}` takes conditions, and this is a number", hint)


def _applied(operation: str, arguments: tuple[c.Claim, ...], span: Span) -> c.Claim:
    """An operation of claims; of numbers alone, its value. Raises StudyError where that is not finite: it would decide what it can't."""
    numbers = [argument.value for argument in arguments if isinstance(argument, c.Number)]
    if len(numbers) < len(arguments):
        return c.Apply(operation, arguments)
    with np.errstate(all="ignore"):
        found = np.asarray(OPERATIONS[operation].numpy(*numbers), dtype=float)
    must_be_finite(OPERATIONS[operation], found, span)
    return c.Number(float(found))


def _name(name: str, span: Span, subject: Subject, until: bool) -> c.Claim:
    if name in subject.measures:
        if until:
            must_have_entry(name, (), subject.shapes(name, ()), span)
            return c.Measured("final", name)
        hint = f"Say when: `final({name})`, `lowest({name})`, `at({name}, 0)`."
        raise problem_at(span, f"the measure '{name}' has a value at each step", hint)
    if name in subject.axes:
        if all(isinstance(value, int | float) for value in subject.axes[name]):
            return c.Coordinate(name)
        raise problem_at(
            span,
            f"'{name}' is an axis of names, not of numbers",
            f"Use it in a condition: `{name} == {subject.axes[name][0]}`.",
        )
    if name in subject.constants:
        return c.Number(subject.constants[name])
    known = [*subject.measures, *subject.axes, *subject.constants]
    if name == "step":
        hint = "Steps are no axis: use `final(m)` beside `at(m, 0)`, `highest(m, step > 100)` or `first_step(m < c)`."
        raise problem_at(span, "a claim has no value for each step", hint)
    raise problem_at(span, f"unknown name '{name}'", did_you_mean(name, known) or f"Known here: {listing(known)}.")


def _call(
    function: str, arguments: tuple[n.Expr, ...], node: n.Call, text: Text, subject: Subject, span: Span, until: bool
) -> c.Claim:
    if function in ("final", *c.BEST, "mean_over"):
        return _measured(function, *_first(arguments, function, span), text, subject, span)
    if function == "at":
        if len(arguments) < 2:
            raise problem_at(span, "`at` takes a measure and a step", "`at(error, 100)` is the error at step 100.")
        found = _measured("at", arguments[0], arguments[2:], text, subject, span)
        borders = borders_of(subject.borders, found.selections)
        step = step_of(arguments[1], text, subject.constants, borders)
        must_be_evaluated(step, found.selections, subject.evaluated, text.span(arguments[1]))
        return c.Measured("at", found.measure, found.index, step, selections=found.selections)
    if function == "first_step":
        first, rest = _first(arguments, function, span)
        if not isinstance(first, n.Binary) or first.operator not in COMPARISONS:
            raise problem_at(span, "`first_step` takes a comparison", "`first_step(accuracy >= 0.95)`")
        found = _measured("first_step", first.left, rest, text, subject, span)
        threshold = claim_part(first.right, text, subject)
        return replace(found, operator=first.operator, threshold=threshold)
    if function == "diverged":
        return c.Diverged(tuple(_selection(item, text, subject) for item in arguments))
    if function in ("slope", "increasing", "decreasing"):
        if len(arguments) != 2:
            raise problem_at(
                span,
                f"`{function}{CLAIM_FORMS[function].signature}` takes 2 arguments, and is given {len(arguments)}",
                "Write `slope(final(m), d)`: what is judged, and the axis.",
            )
        along = arguments[1]
        words = isinstance(along, n.Name) and along.name in subject.axes and along.name not in subject.swept
        x = None if words else claim_part(along, text, subject)
        axis = _axis_of(x)
        if x is None or axis is None:
            hint = f"Swept here: {listing(subject.swept)}." if subject.swept else "There is no sweep over a constant."
            gone = subject.left_out(along.name) if isinstance(along, n.Name) and along.name not in subject.axes else ""
            raise problem_at(text.span(along), "this is neither a swept constant nor made from one", gone or hint)
        return c.Along(function, claim_part(arguments[0], text, subject), x, axis)
    if function in c.OVER:
        return _over(function, arguments, text, subject, span, until)
    if function in ENDS and not until:
        return c.Number(step_of(node, text, subject.constants, borders_of(subject.borders, ())))
    row = OPERATIONS.get(function)
    if row is not None and row.elementwise:
        if len(arguments) != len(row.arguments):
            message = f"`{row.name}` takes {len(row.arguments)} arguments, and is given {len(arguments)}"
            raise problem_at(span, message, f"It is `{row.name}{row.signature}`: {row.meaning}.")
        return _applied(function, tuple(claim_part(item, text, subject, until) for item in arguments), span)
    from ..tables.other_words import OTHER_CLAIM_WORDS  # of studies with errors alone

    known = [*CLAIM_FORMS, *(name for name, row in OPERATIONS.items() if row.elementwise)]
    head = text.span(n.Name(function, start=node.start, end=node.start + len(function)))
    raise problem_at(
        head,
        f"'{function}' has no meaning in {'`until`' if until else 'a claim'}",
        OTHER_CLAIM_WORDS.get(function) or did_you_mean(function, known) or _forms(),
    )


def _other_axis(axis: str, subject: Subject) -> str:
    """What may be meant by an axis that there is not."""
    if axis in ("replicate", "replicates", "seed", "seeds") and axis not in subject.measures:
        return "Replicates are no axis: each is judged by itself; `judge: mean` judges their mean."
    return subject.left_out(axis) or did_you_mean(axis, subject.axes) or those("axes", subject.axes)


def _over(
    function: str, arguments: tuple[n.Expr, ...], text: Text, subject: Subject, span: Span, until: bool
) -> c.Claim:
    """A reduction along an axis, or the index of an array. Raises StudyError."""
    if len(arguments) != 2 or not isinstance(arguments[1], n.Name):
        hint = f"Write `{function}(final(error), d)`: what to reduce, and along which axis."
        raise problem_at(span, f"`{function}` needs an axis to run along", hint)
    axis = arguments[1].name
    if axis not in subject.axes:
        part = along_entries(
            function, arguments[0], arguments[1], text, subject.constants, subject.lengths,
            lambda node, constants: claim_part(node, text, replace(subject, constants=constants), until),
        )  # fmt: skip
        if part is not None:
            return part
        hint = _other_axis(axis, subject)
        if array := next((name for name, shape in subject.measures.items() if shape), None):
            hint = sentence(hint, f"An index runs over the entries of an array: `{function}(final({array}[i]), i)`.")
        raise problem_at(text.span(arguments[1]), f"there is no axis '{axis}'", hint)
    if function.startswith("arg") and axis not in subject.swept:
        hint = f"`{function[3:]}` is the value there; compare variants by `final(…, variant == NAME)`."
        raise problem_at(
            text.span(arguments[1]), f"'{axis}' is an axis of names, and `{function}` gives a number", hint
        )
    return c.Over(function, claim_part(arguments[0], text, subject, until), axis)


def _first(arguments: tuple[n.Expr, ...], function: str, span: Span) -> tuple[n.Expr, tuple[n.Expr, ...]]:
    if not arguments:
        raise problem_at(span, f"`{function}` takes a measure", f"`{function}{CLAIM_FORMS[function].signature}`")
    return arguments[0], arguments[1:]


def _measured(
    reduction: str, node: n.Expr, conditions: tuple[n.Expr, ...], text: Text, subject: Subject, span: Span
) -> c.Measured:
    index: tuple[int, ...] = ()
    entry = node
    while isinstance(node, n.Index):  # `left[0][1]` is `left[0, 1]`
        places = [
            None if isinstance(item, n.Slice) else _number(item, text, subject.constants) for item in node.subscripts
        ]
        if any(place is None or place != int(place) or place < 0 for place in places):
            raise problem_at(text.span(node), "an entry of a measure is chosen by whole numbers", "Write `left[0]`.")
        index, node = (*(int(place) for place in places if place is not None), *index), node.array
    if not isinstance(node, n.Name) or node.name not in subject.measures:
        word = node.name if isinstance(node, n.Name) else ""
        hint = (
            did_you_mean(word, subject.measures)
            or f"Name what is looked at under `measures`.  Known here: {listing(subject.measures)}."
        )
        raise problem_at(text.span(node), f"`{reduction}` takes the name of a measure", hint)
    on_steps = [item for item in conditions if is_of_steps(item, subject.axes)]
    selections = tuple(_selection(item, text, subject) for item in conditions if item not in on_steps)
    must_have_entry(node.name, index, subject.shapes(node.name, selections), text.span(entry))
    part = c.Measured(reduction, node.name, index, selections=selections)
    if not on_steps:
        return part
    evaluated = [(point, steps) for point, steps in subject.evaluated if c.looked_at(selections, point)]
    borders = borders_of(subject.borders, selections)
    return in_window(part, on_steps, text, subject.constants, borders, evaluated)


def _selection(node: n.Expr, text: Text, subject: Subject) -> c.Selection:
    span = text.span(node)
    if not (isinstance(node, n.Binary) and node.operator in COMPARISONS and isinstance(node.left, n.Name)):
        raise problem_at(span, "a condition compares an axis with a value", in_place_of(node, subject.axes))
    axis = node.left.name
    if axis not in subject.axes:
        raise problem_at(text.span(node.left), f"there is no axis '{axis}'", _other_axis(axis, subject))
    values = subject.axes[axis]
    if isinstance(node.right, n.Name):
        word = node.right.name
        if word not in values:
            hint = (
                did_you_mean(word, [str(value) for value in values])
                or f"It has {listing(str(value) for value in values)}."
            )
            raise problem_at(text.span(node.right), f"the axis '{axis}' has no '{word}'", hint)
        if node.operator not in ("==", "!="):
            raise problem_at(
                span, f"'{axis}' is an axis of names: it is compared by == or !=", "Write `variant == NAME`."
            )
        return c.Selection(axis, node.operator, word)
    value = None if (several := isinstance(node.right, n.Array)) else claim_part(node.right, text, subject)
    if not isinstance(value, c.Number):
        hint = SEVERAL if several else "Write `d <= 10` or `variant == NAME`."
        raise problem_at(text.span(node.right), "an axis is compared with one constant", hint)
    selection = c.Selection(axis, node.operator, value.value)
    if not any(isinstance(item, int | float) and c.holds(selection, item) for item in values):
        raise problem_at(
            span,
            f"no value of '{axis}' fits: it has {listing(str(item) for item in values)}",
            "Choose one of its values.",
        )
    return selection


def _axis_of(tree: Any) -> str | None:
    if isinstance(tree, c.Coordinate):
        return tree.axis
    if isinstance(tree, c.Apply):
        found = {axis for axis in map(_axis_of, tree.arguments) if axis}
        return found.pop() if len(found) == 1 else None
    return None
