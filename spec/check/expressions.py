"""The type checker: syntax tree to typed term. Constants are computed on the way; every error has its place."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..diagnostics.problems import Problem, Span, SpecError, did_you_mean, listing, problem_at, sentence, shortened
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.types import KINDS, ShapeProblem, Type, broadcast, join
from ..passes import integer_ranges as intervals
from ..passes.evaluate import as_kind
from ..source import nodes as yaml
from ..tables.distributions import DISTRIBUTIONS
from ..tables.gradient_modes import CARRYING
from ..tables.operations import CLAIM_FORMS, FORMS, OPERATIONS, OPERATORS, Operation, result_type, wanted_kinds
from ..tables.operations.intervals import INT64
from . import constant_folding as folding
from .constant_limits import Budget
from .context import Context, Names
from .expectations import applied, behind, enclosed, ranges
from .expression_text import Text, read
from .namespace import Function

MAX_CALLS = 5_000
MAX_STEPS = 150
"""How deep expressions may be nested when each function is written out: as deep as all passes over terms can go."""
CALLS_TOLD = 3
"""How many of the calls that lead to a fault are told, from the inner one."""
SIGNS = {"-": "negative"}


class Checker:
    """Elaborates the expressions of one experiment. One instance an experiment: its keys are unique there."""

    def __init__(self, names: Names, dtype: str = "float32") -> None:
        self.names = names
        self.dtype = dtype
        self.keys = itertools.count(1)
        self.budget = MAX_CALLS
        self.kept = Budget()
        """What the constants of the study hold so far."""
        self.steps = 0
        """How deep the expression is that is being checked, through the functions that it calls."""
        self.differentiable: set[str] = set()
        self.called: set[str] = set()

    def value(self, node: yaml.Node, context: Context) -> t.Term:
        """The term of a document's value: an expression, or a list of them."""
        term = self._value(node, context)
        self.kept.keep(term)
        return term

    def _value(self, node: yaml.Node, context: Context) -> t.Term:
        if isinstance(node, yaml.Scalar):
            text = read(node)
            return self.term(text.tree, text, context)
        if isinstance(node, yaml.Sequence):
            if not node.items:
                raise problem_at(
                    node.span,
                    "an empty array has no shape",
                    "An array has at least one item; `zeros([n])` makes one of a given length.",
                )
            for item in node.items:
                self.unbracketed(node, item)
            return self.stack([self.value(item, context) for item in node.items], node.span)
        raise problem_at(
            node.span,
            "expected an expression (a number, a text, or a list), found a mapping",
            "Write it behind the colon; one that holds `: ` or braces stands in quotes.",
        )

    def unbracketed(self, node: yaml.Sequence, item: yaml.Node) -> None:
        """Refuses `x: [i for i < n]`, whose brackets YAML takes for those of a list."""
        line = node.span.source.lines[node.span.line - 1]
        if line[node.span.column - 1 : node.span.column] != "[" or not isinstance(item, yaml.Scalar) or not item.plain:
            return
        if isinstance(item.value, str) and isinstance(read(item).tree, n.Comprehension):
            hint = f"Index notation goes without them at the top of a value: `{item.text}`"
            raise problem_at(node.span, "YAML takes these brackets for those of a list", hint)

    # -- one method a kind of node -------------------------------------------------------------------------------

    def term(self, node: n.Expr, text: Text, context: Context) -> t.Term:
        """The term of a syntax tree."""
        self.steps += 1
        try:
            return self._term(node, text, context)
        finally:
            self.steps -= 1

    def _term(self, node: n.Expr, text: Text, context: Context) -> t.Term:
        span = text.span(node)
        if self.steps > MAX_STEPS:
            hint = "Give a part of it a name of its own: a name's value is made once, and counts as one step."
            message = f"this is nested more than {MAX_STEPS} steps deep, when each function is written out"
            raise problem_at(span, message, hint)
        match node:
            case n.Number(value):
                kind = "int" if isinstance(value, int) else "real"
                if isinstance(value, int) and abs(value) >= 2**63:
                    hint = "Write it as a real number: `1e20`."
                    raise problem_at(span, f"{shortened(str(value))} is too large for an int", hint)
                return t.Literal(as_kind(value, kind), type=Type(kind), span=span)
            case n.Boolean(value):
                return t.Literal(np.asarray(value), type=Type("bool"), span=span)
            case n.Name(name):
                return self.name(name, context, span)
            case n.Array(items):
                return self.stack([self.term(item, text, context) for item in items], span)
            case n.Unary("+", operand):
                return self.numeric(self.term(operand, text, context), "+")
            case n.Unary(operator, operand):
                row = OPERATIONS[SIGNS.get(operator, OPERATORS.get(operator, OPERATIONS["negative"]).name)]
                return self.operate(row, [self.term(operand, text, context)], {}, span)
            case n.Binary(operator, left, right):
                operands = [self.term(left, text, context), self.term(right, text, context)]
                return self.operate(OPERATORS[operator], operands, {}, span)
            case n.Conditional(then, condition, otherwise):
                parts = [self.term(part, text, context) for part in (condition, then, otherwise)]
                if parts[0].type.kind != "bool":
                    message = f"`if` takes a bool, and this is {parts[0].type}"
                    raise problem_at(parts[0].span, message, "A comparison gives a bool: `x > 0`.")
                return self.operate(OPERATIONS["select"], parts, {}, span)
            case n.Call():
                return self.call(node, text, context)
            case n.Index(array, subscripts):
                return self.index(self.term(array, text, context), subscripts, text, context, span)
            case n.Comprehension(body, ranges):
                return self.comprehend(body, ranges, text, context, span)
            case n.Attribute():
                return self.attribute(node, text, context)

    def name(self, name: str, context: Context, span: Span) -> t.Term:
        """A name: bound inside the expression, by the experiment, or by a network."""
        if name in context.local:
            return replace(context.local[name], span=span)
        found = self.names.term(name, context.phase, span)
        if found is None:
            found = self.names.network(name, None, context.phase, span)
        if found is None and name == "step" and context.phase == "schedule":
            return t.StepNumber(type=Type("real"), span=span)
        if found is None and name == "pi":
            return t.Literal(np.asarray(np.pi), type=Type("real"), span=span)
        if found is not None:
            return replace(found, span=span)
        if self.names.function(name) or name in OPERATIONS or name in FORMS or name in DISTRIBUTIONS:
            raise problem_at(
                span,
                f"'{name}' is a function: it needs its arguments, `{name}(…)`",
                "Write what it is applied to in brackets, or choose another name for a value of your own.",
            )
        if name == "step":
            raise problem_at(
                span,
                "`step` stands only in learning rates and in the weights of loss terms",
                "Elsewhere numbers do not change while the experiment runs: leave it out, or use a constant.",
            )
        known = self.names.values(context.phase)
        own = context.path[-1] if context.path[:1] == ("value",) else ""
        near = did_you_mean(name, context.local) or did_you_mean(name, known, own)
        first = itertools.islice((word for word in itertools.chain(context.local, known) if word != own), 13)
        total = len(context.local) + len(known) - (own in known)
        hint = near or f"Known here: {listing(first, total=total)}."
        raise problem_at(span, f"unknown name '{name}'", hint)

    def stack(self, items: Sequence[t.Term], span: Span) -> t.Term:
        """Items of equal or broadcasting shapes as one array."""
        try:
            shape = broadcast([item.type.shape for item in items])
        except ShapeProblem:
            texts = listing(dict.fromkeys(str(item.type) for item in items))
            hint = "The items of an array have one shape."
            raise problem_at(span, f"this array holds {texts}", hint) from None
        kind = join(item.type.kind for item in items)
        kind = "int" if kind == "int" else kind
        result = folding.sized(Type(kind, (len(items), *shape)), span)
        if all(isinstance(item, t.Literal) for item in items):
            values = [item.value for item in items if isinstance(item, t.Literal)]
            stacked = np.stack([np.broadcast_to(value, shape) for value in values]) if shape else np.array(values)
            return t.Literal(as_kind(stacked, kind), type=result, span=span)
        kept = map(folding.real, items) if kind == "real" else items
        return t.Stack(tuple(kept), type=result, span=span)

    def operate(self, row: Operation, terms: list[t.Term], static: dict[str, Any], span: Span) -> t.Term:
        """An operation applied; computed at once when all its arguments are literals."""
        patterns = [argument for argument in row.arguments if not argument.static]
        if patterns and patterns[-1].variadic:
            patterns += [patterns[-1]] * (len(terms) - len(patterns))
        for argument, term in zip(patterns, terms, strict=False):
            if argument.kind in KINDS and KINDS.index(term.type.kind) > KINDS.index(argument.kind):
                hint = {
                    "bool": "A comparison gives a bool: `x > 0`.",
                    "int": "`argmax`, `step_of` and `integer` give ints.",
                }
                shown = f"`{row.operator}`" if row.operator else f"'{argument.name}' of `{row.name}`"
                article = "an" if argument.kind == "int" else "a"
                message = f"{shown} takes {article} {argument.kind}, and this is {term.type}"
                raise problem_at(term.span, message, hint.get(argument.kind, ""))
        try:
            if row.constant:
                return folding.compute(row, terms, static, span)
            result, more = result_type(row, [term.type for term in terms], static)
        except ShapeProblem as problem:
            named = str(problem).startswith(f"{row.name} ")
            message = str(problem) if named else f"`{row.operator or row.name}`: {problem}"
            raise problem_at(span, message, problem.hint or _signature(row)) from None
        folding.sized(result, span)
        if all(isinstance(term, t.Literal) for term in terms) and terms:
            if row.name in intervals.CHOOSING:
                chosen = t.Operate(row.name, tuple(terms), more, type=result, span=span)
                if found := intervals.outside(chosen, INT64):
                    raise SpecError(found)
            return folding.fold(row, [term.value for term in terms if isinstance(term, t.Literal)], more, result, span)
        if row.name == "power" and result.kind == "int":
            exponent = terms[1]
            if not isinstance(exponent, t.Literal) or bool((exponent.value < 0).any()):
                result = Type("real", result.shape)
        wanted = wanted_kinds(row, [term.type for term in terms], result)
        terms = [folding.real(term) if kind == "real" else term for term, kind in zip(terms, wanted, strict=True)]
        for term in terms:
            self.kept.keep(term)
        return t.Operate(row.name, tuple(terms), more, type=result, span=span)

    def comprehend(
        self, body: n.Expr, ranges: Sequence[tuple[str, n.Expr]], text: Text, context: Context, span: Span
    ) -> t.Term:
        """Index notation; computed at once when its body holds nothing but literals and indices."""
        local, indices = dict(context.local), []
        for name, extent in ranges:
            bound = self.term(extent, text, replace(context, local=local))
            size = folding.size(bound, f"the range of '{name}'")
            index = t.IndexVariable(f"{name}#{next(self.keys)}", size, type=Type("int"), span=span)
            local[name] = index
            indices.append(index)
        inner = self.term(body, text, replace(context, local=local))
        shape = (*(index.extent for index in indices), *inner.type.shape)
        result = folding.sized(Type(inner.type.kind, shape), span)
        term = t.Comprehend(tuple(indices), inner, type=result, span=span)
        return folding.closed(term)

    def index(
        self, array: t.Term, subscripts: Sequence[n.Expr | n.Slice], text: Text, context: Context, span: Span
    ) -> t.Term:
        """`z[0]`, `z[1:]`, `W[i, j]`: one subscript an axis, from the first."""
        rank = len(array.type.shape)
        if len(subscripts) > rank:
            message = (
                f"{len(subscripts)} subscripts for an array of {rank} {'axis' if rank == 1 else 'axes'}, {array.type}"
            )
            raise problem_at(
                span,
                message if rank else f"a single number takes no subscript, and this is {array.type}",
                "Leave the subscripts out that are too many.",
            )
        axis = 0
        for subscript in subscripts:
            size = array.type.shape[axis]
            if isinstance(subscript, n.Slice):
                array = self.cut(array, subscript, axis, size, text, context, span)
                axis += 1
                continue
            place = self.term(subscript, text, context)
            if place.type.kind == "real":
                raise problem_at(
                    place.span, f"an index has to be an int, and this is {place.type}", "`a // b` of ints is an int."
                )
            if len(place.type.shape) > 1 or (place.type.shape and len(subscripts) > 1):
                raise problem_at(
                    place.span,
                    f"an index is an int or an array of them, alone; this is {place.type}",
                    "Use one index a subscript: `W[i, j]`.",
                )
            if isinstance(place, t.Literal):
                place = self.place(place, size)
            shape = (*array.type.shape[:axis], *place.type.shape, *array.type.shape[axis + 1 :])
            array = t.Gather(array, place, axis, type=Type(array.type.kind, shape), span=span)
        return folding.closed(array)

    def place(self, place: t.Literal, size: int) -> t.Literal:
        """Constant indices inside their range, counted from the front."""
        if bool(((place.value < -size) | (place.value >= size)).any()):
            worst = int(place.value.flat[int(np.argmax((place.value < -size) | (place.value >= size)))])
            raise problem_at(
                place.span,
                f"the index {worst} is outside the array, whose length is {size}",
                "Indices count from 0, or from -1 at the end.",
            )
        return replace(place, value=np.where(place.value < 0, place.value + size, place.value))

    def cut(
        self, array: t.Term, node: n.Slice, axis: int, size: int, text: Text, context: Context, span: Span
    ) -> t.Term:
        """A slice with constant ends, as Python has it."""
        ends = []
        for end in (node.first, node.last):
            value = None if end is None else int(folding.integer(self.term(end, text, context), "the end of a slice"))
            ends.append(value)
        first, last, _ = slice(*ends).indices(size)
        if last <= first:
            raise problem_at(
                text.span(node),
                f"this slice of an axis of length {size} is empty",
                "`z[a:b]` goes from a up to and without b.",
            )
        shape = (*array.type.shape[:axis], last - first, *array.type.shape[axis + 1 :])
        return t.Cut(array, axis, first, last, type=Type(array.type.kind, shape), span=span)

    def attribute(self, node: n.Attribute, text: Text, context: Context) -> t.Term:
        """A weight: `f.block[0].hidden.kernel`."""
        path: list[str | int] = []
        item: n.Expr = node
        while not isinstance(item, n.Name):
            if isinstance(item, n.Attribute):
                path.append(item.name)
                item = item.owner
            elif (
                isinstance(item, n.Index) and len(item.subscripts) == 1 and not isinstance(item.subscripts[0], n.Slice)
            ):
                path.append(int(folding.integer(self.term(item.subscripts[0], text, context), "the block's number")))
                item = item.array
            else:
                message = "only networks have parts that a dot reaches"
                raise problem_at(text.span(item), message, "Weights are written `score.dense_2.kernel`.")
        return self.names.weight([item.name, *reversed(path)], context.phase, text.span(node))

    # -- calls ---------------------------------------------------------------------------------------------------

    def call(self, node: n.Call, text: Text, context: Context) -> t.Term:
        """A user's function, a network, a distribution, a special form or an operation, in this order."""
        span = text.span(node)
        head = replace_end(span, node.function)
        function = self.names.function(node.function)
        if function is not None:
            return self.invoke(function, node, text, context, span)
        if node.function in FORMS:
            return self.form(node, text, context, span)
        if node.function in DISTRIBUTIONS:
            from .distributions import sample

            return sample(self, node, text, context, span)
        if node.function in OPERATIONS:
            return self.operation(OPERATIONS[node.function], node, text, context, span)
        if len(node.arguments) == 1 and not node.keywords:
            argument = self.term(node.arguments[0], text, context)
            network = self.names.network(node.function, argument, context.phase, span)
            if network is not None:
                return replace(network, span=span)
        if node.function in self.names.known():
            raise problem_at(
                head,
                f"'{node.function}' is a value, and only functions and networks are called",
                f"A product is written `{node.function} * (…)`, an entry `{node.function}[…]`.",
            )
        if node.function in CLAIM_FORMS:
            row = CLAIM_FORMS[node.function]
            hint = f"Under `claims` it is `{row.name}{row.signature}`: {row.meaning}."
            hint = sentence("An entry of an array is written `f.weights[n]`.", hint) if row.name == "at" else hint
            raise problem_at(head, f"`{node.function}` stands only in claims", hint)
        near = did_you_mean(node.function, self.names.callables(context.phase))
        hint = sentence(near, "`dlspec ops` lists them all.")
        raise problem_at(head, f"unknown operation '{node.function}'", hint)

    def invoke(self, function: Function, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
        """A user's function: its body checked for these arguments."""
        if function.name in context.calls:
            chain = " → ".join([*context.calls[context.calls.index(function.name) :], function.name])
            raise problem_at(span, f"the function '{function.name}' uses itself: {chain}", "Functions do not recurse.")
        self.called.add(function.name)
        self.budget -= 1
        if self.budget < 0:
            raise problem_at(
                span, f"more than {MAX_CALLS:,} calls, when each function is written out", "Name results instead."
            )
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
        arguments = [self.term(argument, text, context) for argument in node.arguments]
        local: dict[str, t.Term] = {}
        keys = []
        for name, argument in zip(function.parameters, arguments, strict=True):
            key = f"{name}@{next(self.keys)}"
            keys.append(key)
            literal = isinstance(argument, t.Literal)
            if not literal and self.names.trained(argument):
                self.differentiable.add(key)
            local[name] = argument if literal else t.Parameter(key, type=argument.type, span=argument.span)
        bound = {**context.bound, **dict(zip(keys, arguments, strict=True))}
        inner = replace(context, local=local, calls=(*context.calls, function.name), bound=bound)
        try:
            body = self.value(function.node, inner)
        except SpecError as error:
            raise SpecError([_noted(problem, span, function.name) for problem in error.problems]) from None
        carries = self.names.gradient(function.name)[0] in CARRYING
        if isinstance(body, t.Literal):
            return replace(folding.real(body) if carries else body, span=span)
        if ranges(body):
            return replace(applied(function.name, keys, arguments, body), span=span)
        carrier, surrogate = self.backward(function, keys, arguments, body, inner, span)
        # What lets a gradient through is real, whatever its body gives: ints would end it.
        result = Type("real", body.type.shape) if carries else body.type
        return t.Invoke(function.name, tuple(keys), tuple(arguments), body, carrier, surrogate, type=result, span=span)

    def backward(
        self, function: Function, keys: list[str], arguments: list[t.Term], body: t.Term, inner: Context, span: Span
    ) -> tuple[int | None, t.Term | None]:
        """What a gradient mode needs of a call: the argument that carries the message, or the surrogate's value."""
        mode, surrogate = self.names.gradient(function.name)
        if surrogate is not None:
            soft = self.value(surrogate.node, inner)
            if soft.type.shape != body.type.shape:
                message = f"the surrogate of '{function.name}' is {soft.type}, and the function {body.type}"
                raise problem_at(surrogate.key, message, "Both have to be of one shape.")
            if soft.type.kind != "real" and self.differentiable.intersection(keys):
                message = f"the surrogate of '{function.name}' is {soft.type}, and has no gradient"
                raise problem_at(surrogate.key, message, "Only real numbers have one; `stop` lets none through.")
            return None, soft
        learnt = [place for place, key in enumerate(keys) if key in self.differentiable]
        trained = [place for place in learnt if arguments[place].type.kind == "real"]
        if mode == "forward_only" and learnt and not trained:
            place = learnt[0]
            message = (
                f"`forward_only` passes its message to '{function.parameters[place]}' of '{function.name}', which is "
                f"{arguments[place].type}: no gradient passes through it"
            )
            raise problem_at(arguments[place].span or span, message, "Give it the real number that the weights make.")
        if mode != "forward_only" or not trained:
            return None, None
        if len(trained) > 1:
            names = listing(f"'{function.parameters[place]}'" for place in trained)
            message = (
                f"`forward_only` passes its message to one argument of '{function.name}', and {names} depend on weights"
            )
            raise problem_at(span, message, "`stop(x)` makes an argument a constant for the backward pass.")
        given = arguments[trained[0]].type
        if given.shape != body.type.shape:
            parameter = function.parameters[trained[0]]
            message = f"`forward_only` passes a message of the shape of {body.type} to '{parameter}', which is {given}"
            raise problem_at(span, message, "Both have to be of one shape.")
        return trained[0], None

    def operation(self, row: Operation, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
        """An operation of the table, its arguments given by position or by name."""
        given: list[tuple[Any, n.Expr]] = []
        arguments = list(row.arguments)
        variadic = bool(arguments) and arguments[-1].variadic
        if len(node.arguments) > len(arguments) and not variadic:
            message = f"`{row.name}` takes {_arguments(len(arguments))}, and is given {len(node.arguments)}"
            raise problem_at(span, message, _fewer(row.name) or _signature(row))
        for place, expression in enumerate(node.arguments):
            given.append((arguments[min(place, len(arguments) - 1)], expression))
        taken = {argument.name for argument, _ in given}
        for name, expression in node.keywords:
            argument = next((argument for argument in arguments if argument.name == name), None)
            if argument is None or (name in taken and not argument.variadic):
                hint = did_you_mean(name, [argument.name for argument in arguments]) if argument is None else ""
                message = f"`{row.name}` has no argument '{name}'" if argument is None else f"'{name}' is given twice"
                raise problem_at(text.keyword(name, expression), message, hint or _signature(row))
            taken.add(name)
            given.append((argument, expression))
        missing = [argument.name for argument in arguments if argument.name not in taken and not argument.optional]
        if missing:
            hint = _signature(row)
            raise problem_at(
                span, f"`{row.name}` lacks {listing(f'{chr(39)}{name}{chr(39)}' for name in missing)}", hint
            )
        given.sort(key=lambda pair: arguments.index(pair[0]))
        made = [(argument, self.term(expression, text, context)) for argument, expression in given]
        try:
            static = {a.name: self.parameter(a.kind, a.name, row.name, term) for a, term in made if a.static}
            return self.operate(row, [term for argument, term in made if not argument.static], static, span)
        except SpecError as error:
            if len(node.arguments) < 2 or not _fewer(row.name):
                raise
            raise SpecError([replace(problem, hint=_fewer(row.name)) for problem in error.problems]) from None

    def parameter(self, kind: str, name: str, row: str, term: t.Term) -> Any:
        """A static argument of an operation."""
        what = f"'{name}' of `{row}`"
        if kind == "size":
            return folding.size(term, what)
        if kind == "shape":
            return folding.shape(term, what)
        return int(folding.integer(term, what))

    def form(self, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
        """A special form."""
        row = FORMS[node.function]
        wanted = 2 if row.name in ("quantile", "gradient") else 1
        if len(node.arguments) != wanted or node.keywords:
            given = len(node.arguments) + len(node.keywords)
            message = f"`{row.name}` takes {_arguments(wanted)} by position, and is given {given}"
            raise problem_at(span, message, f"It is `{row.name}{row.signature}`: {row.meaning}.")
        if row.phase == "measures" and context.phase not in ("measures", "any"):
            if row.name == "gradient":
                raise problem_at(
                    span, "gradients as values stand only in measures", "The loss is what is differentiated."
                )
            message = f"`{row.name}` ranges over evaluation examples, and stands only in measures"
            raise problem_at(span, message, "`mean` is the mean of an array.")
        if row.name == "len":
            context = replace(context, phase="measures")
        operand = self.term(node.arguments[0], text, context)
        if row.name == "len":
            if not operand.type.shape:
                raise problem_at(
                    operand.span, "a single number has no length", "`len` is the length of an array's first axis."
                )
            return t.Literal(np.asarray(operand.type.shape[0]), type=Type("int"), span=span)
        if row.name == "stop":
            return operand if isinstance(operand, t.Literal) else t.Stop(operand, type=operand.type, span=span)
        if row.name == "gradient":
            from .gradient_measures import gradient

            weights = behind(self.term(node.arguments[1], text, context), context.bound)
            return gradient(enclosed(operand, context.bound), weights, span)
        quantile = None
        if row.name == "quantile":
            share = self.term(node.arguments[1], text, context)
            quantile = float(folding.number(share, "the quantile"))
            if not 0 <= quantile <= 1:
                raise problem_at(
                    share.span, f"a quantile lies between 0 and 1, and this is {quantile:g}", "The median is 0.5."
                )
        operand = enclosed(operand, context.bound)
        operand = folding.real(operand)
        return t.Expectation(operand, quantile, type=Type("real", operand.type.shape), span=span)

    # -- static values -------------------------------------------------------------------------------------------

    def numeric(self, term: t.Term, what: str) -> t.Term:
        """A number; a bool counts as an int."""
        if term.type.kind == "bool":
            raise problem_at(
                term.span,
                f"`{what}` takes a number, and this is {term.type}",
                "`1 if c else 0` makes a number of a condition.",
            )
        return term


def _arguments(count: int) -> str:
    return f"{count} argument{'' if count == 1 else 's'}"


def _signature(row: Operation) -> str:
    return "" if row.operator else f"It is `{row.name}{row.signature}`: {row.meaning}."


def _fewer(name: str) -> str:
    return {"min": "`minimum(a, b)` is the smaller of two.", "max": "`maximum(a, b)` is the larger of two."}.get(
        name, ""
    )


def replace_end(span: Span, name: str) -> Span:
    """The part of a call's span that holds the function's name."""
    return Span(span.source, span.line, span.column, span.line, span.column + len(name))


def _noted(problem: Problem, span: Span, function: str) -> Problem:
    note = f"The call is in line {span.line}: `{function}`."
    told = note in problem.hint or problem.hint.count("The call is in line") >= CALLS_TOLD or problem.span == span
    return problem if told else replace(problem, hint=sentence(problem.hint, note))
