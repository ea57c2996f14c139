"""Calls: of functions of the user, networks, distributions, special forms and operations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..diagnostics.problems import InternalError, Problem, Span, StudyError, did_you_mean, listing, problem_at, sentence
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.types import Type
from ..passes.print_term import bare
from ..tables.distributions import DISTRIBUTIONS
from ..tables.layers import LAYERS
from ..tables.operations import CLAIM_FORMS, FORMS, OPERATIONS, Operation
from . import all_points
from . import constant_folding as folding
from .context import Context, Elaborator
from .distributions import choice, sample
from .example_means import OVER_EXAMPLES, must_be_in_a_measure, over_stream
from .expectations import applied, enclosed, ranges
from .expression_text import Text
from .gradients import FORMS_OF_DERIVATIVES, batch_mean, derivative, subject
from .loops import LOOPS, loop
from .moments import MOMENTS, recalled
from .namespace import Function
from .other_weights import WITH_WEIGHTS, with_weights
from .steps import ENDS, step_of
from .whole_numbers import turned

FORM_ARGUMENTS = {
    **OVER_EXAMPLES, "gradient": 2, "jacobian": 2, "directional": 3, "hessian_vector": 3, "scan": 3, "iterate": 3, "after": 2,
    WITH_WEIGHTS: 3,
}  # fmt: skip
"""How many arguments the special forms have that have not one."""
MAX_CALLS = 5_000
MAX_CALLS_NAMED = 3
"""How many of the calls that lead to a fault are told, from the inner one."""


def call(checker: Elaborator, node: n.Call, text: Text, context: Context) -> t.Term:
    """A user's function, a network, a distribution, a special form or an operation, in this order."""
    span = text.span(node)
    head = _head(span, node.function)
    function = checker.names.function(node.function)
    if function is not None:
        return invoke(checker, function, node, text, context, span)
    if node.function in FORMS:
        return special_form(checker, node, text, context, span)
    if node.function in DISTRIBUTIONS:
        return sample(checker, node, text, context, span)
    if node.function in OPERATIONS:
        return operation(checker, OPERATIONS[node.function], node, text, context, span)
    if node.function not in checker.names.vocabulary.known():
        if node.function in ENDS and context.stage == "schedule":
            step = step_of(node, text, checker.names.scalars(), [checker.names.borders()])
            return t.Literal(np.asarray(step), type=Type("int", ()), span=span)
        must_be_no_claims(node.function, head)
    if len(node.arguments) == 1:
        argument = checker.term(node.arguments[0], text, context)
        keywords = dict(node.keywords)
        network = checker.names.network(
            node.function, argument, context.stage, span,
            lambda: {name: checker.term(value, text, context) for name, value in keywords.items()},
        )  # fmt: skip
        if network is not None:
            return replace(network, span=span)
    if node.function in checker.names.vocabulary.known():
        raise problem_at(
            head,
            f"'{node.function}' is a value, and only functions and networks are called",
            f"A product is written `{node.function} * (…)`, an entry `{node.function}[…]`.",
        )
    from ..tables.operations.other_names import OTHER_NAMES  # of studies with errors alone

    near = OTHER_NAMES.get(node.function) or (
        "It is a layer: use it in a network's `layers`."
        if node.function in LAYERS
        else did_you_mean(node.function, checker.names.vocabulary.callables(context.stage))
    )
    hint = sentence(near, "`dlspec ops` lists them all.")
    raise problem_at(head, f"unknown operation '{node.function}'", hint)


def must_be_no_claims(function: str, span: Span) -> None:
    """Refuses a form of claims, and where phases begin and end, in an expression that is computed. Raises StudyError."""
    if function in CLAIM_FORMS:
        row = CLAIM_FORMS[function]
        hint = f"Under `claims` it is `{row.name}{row.signature}`: {row.meaning}."
        hint = sentence("An entry of an array is written `f.weights[n]`.", hint) if row.name == "at" else hint
        raise problem_at(span, f"`{function}` is allowed only in claims", hint)
    if function in ENDS:
        hint = "Give the phase its steps by a constant, and compare with that: `constants: {first: 100}`, `phases: {a: {steps: first}}`, `step < first`."
        raise problem_at(
            span,
            f"`{function}` is a step, and is allowed only in claims, in schedules and in `evaluate: {{at: […]}}`",
            hint,
        )


def invoke(checker: Elaborator, function: Function, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
    """A user's function: its body checked for these arguments."""
    if node.keywords or len(node.arguments) != len(function.parameters):
        shape = f"`{function.name}({', '.join(function.parameters)})`"
        if node.keywords:
            raise problem_at(
                text.keyword(*node.keywords[0]),
                f"{shape} takes its arguments by position",
                "Leave the name and `=` out.",
            )
        wanted = _arguments(len(function.parameters))
        raise problem_at(
            span,
            f"{shape} takes {wanted}, and is given {len(node.arguments)}",
            "Give one for each name in the brackets of its head, under `functions`.",
        )
    given = [checker.term(argument, text, context) for argument in node.arguments]
    return applied_to(checker, function, given, context, span)


def applied_to(
    checker: Elaborator, function: Function, arguments: list[t.Term], context: Context, span: Span
) -> t.Term:
    """A user's function applied to terms, one for each of its parameters."""
    if function.name in context.calls:
        chain = " → ".join([*context.calls[context.calls.index(function.name) :], function.name])
        raise problem_at(span, f"the function '{function.name}' uses itself: {chain}", "Functions do not recurse.")
    checker.called.add(function.name)
    checker.calls_left -= 1
    if checker.calls_left < 0:
        raise problem_at(
            span, f"more than {MAX_CALLS:,} calls, when each function is written out", "Name results instead."
        )
    local: dict[str, t.Term] = {}
    keys = []
    for name, argument in zip(function.parameters, arguments, strict=True):
        key = f"{name}@{next(checker.keys)}"
        keys.append(key)
        literal = isinstance(argument, t.Literal)
        if not literal and checker.names.trained(argument):
            checker.differentiable.add(key)
        local[name] = argument if literal else t.Parameter(key, type=argument.type, span=argument.span)
    bound = {**context.bound, **dict(zip(keys, arguments, strict=True))}
    inner = replace(context, local=local, calls=(*context.calls, function.name), bound=bound)
    try:
        body = checker.value(function.node, inner)
    except StudyError as error:
        raise StudyError([_noted(problem, span, function.name) for problem in error.problems]) from None
    carries = any(row.real_output for row in checker.names.gradient(function.name)[0])
    if isinstance(body, t.Literal):
        return replace(folding.real(body) if carries else body, span=span)
    if ranges(body):
        return replace(applied(function.name, keys, arguments, body), span=span)
    carrier, surrogate = backward(checker, function, keys, arguments, body, inner, span)
    # What lets a gradient through is real, whatever its body gives: ints would end it.
    result = Type("real", body.type.shape) if carries else body.type
    return t.Invoke(function.name, tuple(keys), tuple(arguments), body, carrier, surrogate, type=result, span=span)


def backward(
    checker: Elaborator,
    function: Function,
    keys: list[str],
    arguments: list[t.Term],
    body: t.Term,
    inner: Context,
    span: Span,
) -> tuple[int | None, t.Term | None]:
    """What gradient modes need of a call: the argument that the upstream gradient goes on to, and the surrogate's value."""
    rows, surrogate = checker.names.gradient(function.name)
    soft = None
    if surrogate is not None:
        soft = checker.value(surrogate.node, inner)
        if soft.type.shape != body.type.shape:
            message = f"the surrogate of '{function.name}' is {soft.type}, and the function {body.type}"
            raise problem_at(surrogate.key, message, "Both must have the same shape.")
        if soft.type.kind != "real" and checker.differentiable.intersection(keys):
            message = f"the surrogate of '{function.name}' is {soft.type}, and has no gradient"
            raise problem_at(surrogate.key, message, "Only real numbers have one; `stop` lets none through.")
    row = next((row for row in rows if row.route == "carrier"), None)
    if row is None:
        return None, soft
    learnt = [place for place, key in enumerate(keys) if key in checker.differentiable]
    trained = [place for place in learnt if arguments[place].type.kind == "real"]
    if learnt and not trained:
        place = learnt[0]
        message = (
            f"`{row.name}` passes its upstream gradient to '{function.parameters[place]}' of '{function.name}', which is "
            f"{arguments[place].type}: no gradient passes through it"
        )
        raise problem_at(arguments[place].span or span, message, "Pass it the real number made from the weights.")
    if not learnt and checker.names.trained(body):
        message = f"`{row.name}` passes its upstream gradient to an argument of '{function.name}', and only its body depends on weights"
        raise problem_at(span, message, "Pass it what depends on weights as an argument, or leave the mode out.")
    if not trained:
        return None, soft
    if len(trained) > 1:
        names = listing(f"'{function.parameters[place]}'" for place in trained)
        message = f"`{row.name}` passes its upstream gradient to one argument of '{function.name}', and {names} depend on weights"
        raise problem_at(span, message, "`stop(x)` makes an argument a constant for the backward pass.")
    given = arguments[trained[0]].type
    if given.shape != body.type.shape:
        parameter = function.parameters[trained[0]]
        message = f"`{row.name}` passes an upstream gradient of type {body.type} to '{parameter}', which is {given}"
        raise problem_at(span, message, "Both must have the same shape.")
    return trained[0], soft


def operation(checker: Elaborator, row: Operation, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
    """An operation of the table, its arguments given by position or by name."""
    given: list[tuple[Any, n.Expr]] = []
    arguments = list(row.arguments)
    variadic = bool(arguments) and arguments[-1].variadic
    if len(node.arguments) > len(arguments) and not variadic:
        message = f"`{row.name}` takes {_arguments(len(arguments))}, and is given {len(node.arguments)}"
        raise problem_at(span, message, row.of_two or signature(row))
    for place, expression in enumerate(node.arguments):
        given.append((arguments[min(place, len(arguments) - 1)], expression))
    taken = {argument.name for argument, _ in given}
    for name, expression in node.keywords:
        argument = next((argument for argument in arguments if argument.name == name), None)
        if argument is None or (name in taken and not argument.variadic):
            from ..tables.operations.other_names import OTHER_ARGUMENTS  # of studies with errors alone

            names = [argument.name for argument in arguments]
            other = OTHER_ARGUMENTS.get(name, "") if name != "dim" or "axis" in names else ""
            hint = (other or did_you_mean(name, names)) if argument is None else ""
            message = f"`{row.name}` has no argument '{name}'" if argument is None else f"'{name}' is given twice"
            raise problem_at(text.keyword(name, expression), message, hint or signature(row))
        taken.add(name)
        given.append((argument, expression))
    missing = [argument.name for argument in arguments if argument.name not in taken and not argument.optional]
    if missing:
        hint = signature(row)
        raise problem_at(span, f"`{row.name}` lacks {listing(f'{chr(39)}{name}{chr(39)}' for name in missing)}", hint)
    given.sort(key=lambda pair: arguments.index(pair[0]))
    made = [(argument, checker.term(expression, text, context)) for argument, expression in given]
    if row.of_two and len(node.arguments) > 1:
        _axis_or_number(row, made[0][1], made[1][1])
    try:
        static = {a.name: parameter(a.kind, a.name, row.name, term) for a, term in made if a.static}
        return checker.operate(row, [term for argument, term in made if not argument.static], static, span)
    except StudyError as error:
        if len(node.arguments) < 2 or not row.of_two:
            raise
        raise StudyError([replace(problem, hint=row.of_two) for problem in error.problems]) from None


def _axis_or_number(row: Operation, array: t.Term, second: t.Term) -> None:
    """Refuses `max(x, 0)` of a vector: its only axis says nothing, and elsewhere the larger of two is written so."""
    if isinstance(second, t.Literal) and len(array.type.shape) == 1:
        alone = bare(array) if len(bare(array)) <= 40 else "x"
        message = f"the second argument of `{row.name}` is an axis, and {array.type} has only one"
        raise problem_at(second.span, message, sentence(row.of_two, f"Over all entries, write `{row.name}({alone})`."))


def parameter(kind: str, name: str, row: str, term: t.Term) -> Any:
    """A static argument of an operation."""
    what = f"'{name}' of `{row}`"
    if kind == "size":
        return folding.size(term, what)
    if kind == "shape":
        return folding.shape(term, what)
    return int(folding.integer(term, what))


def special_form(checker: Elaborator, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
    """A special form."""
    row = FORMS[node.function]
    if row.name == "choice":
        return choice(checker, node, text, context, span)
    wanted = FORM_ARGUMENTS.get(row.name, 1)
    if len(node.arguments) == OVER_EXAMPLES.get(row.name):
        return over_stream(checker, node, text, context, span)
    if node.keywords:
        name, value = node.keywords[0]
        message = f"`{row.name}` takes its arguments by position, and '{name}' is given by name"
        raise problem_at(text.keyword(name, value), message, f"It is `{row.name}{row.signature}`: {row.meaning}.")
    if len(node.arguments) != wanted:
        message = f"`{row.name}` takes {_arguments(wanted)} by position, and is given {len(node.arguments)}"
        raise problem_at(span, message, f"It is `{row.name}{row.signature}`: {row.meaning}.")
    must_be_in_a_measure(row, context, span)
    if row.name in MOMENTS:
        return recalled(checker, node, text, context, span)
    if row.name == WITH_WEIGHTS:
        return with_weights(checker, node, text, context, span)
    if row.name in LOOPS:
        return loop(checker, row, node, text, context, span)
    if row.name in FORMS_OF_DERIVATIVES:
        # What it is taken by comes first: forms in the value, which carry the arguments around them, leave that parameter free.
        by, bound = subject(checker.term(node.arguments[1], text, context), context.bound)
        inner = replace(context, bound=bound)
        of, *along = (enclosed(checker.term(node.arguments[i], text, inner), bound) for i in range(wanted) if i != 1)
        return derivative(row.name, of, by, along[0] if along else None, context.stage, span)
    if row.name == "len":
        context = replace(context, stage="measures")
    operand = checker.term(node.arguments[0], text, context)
    if row.name == "len":
        if not operand.type.shape:
            raise problem_at(
                operand.span, "a single number has no length", "`len` is the length of an array's first axis."
            )
        return all_points.length(operand.type.shape[0], span)
    if row.name == "stop":
        return operand if isinstance(operand, t.Literal) else t.Stop(operand, type=operand.type, span=span)
    if row.name == "int":
        return turned(checker, operand, span)
    if row.name == "B":
        return batch_mean(checker, operand, context.stage, span)
    raise InternalError(f"no check of the special form '{row.name}'")


def signature(row: Operation) -> str:
    """A hint of how an operation is called, or which operator it is."""
    return (
        f"It is {f'the operator `{row.operator}`' if row.operator else f'`{row.name}{row.signature}`'}: {row.meaning}."
    )


def _arguments(count: int) -> str:
    return f"{count} argument{'' if count == 1 else 's'}"


def _head(span: Span, name: str) -> Span:
    """The part of a call's span that holds the function's name."""
    return Span(span.source, span.line, span.column, span.line, span.column + len(name))


def _noted(problem: Problem, span: Span, function: str) -> Problem:
    note = f"The call is in line {span.line}: `{function}`."
    told = note in problem.hint or problem.hint.count("The call is in line") >= MAX_CALLS_NAMED or problem.span == span
    return problem if told else replace(problem, hint=sentence(problem.hint, note))
