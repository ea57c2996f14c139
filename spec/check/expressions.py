"""The type checker: syntax tree to typed term. Constants are computed on the way; every error has its place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..diagnostics.problems import Span, StudyError, did_you_mean, listing, problem_at, shortened
from ..expressions import nodes as n
from ..expressions.parser import COMPARISONS
from ..ir import terms as t
from ..ir.types import KINDS, ShapeProblem, Type, join
from ..passes import integer_ranges as intervals
from ..passes.evaluate import as_kind
from ..source import nodes as yaml
from ..source.several import AllValues
from ..tables.counters import COUNTERS
from ..tables.distributions import DISTRIBUTIONS
from ..tables.named_numbers import NAMED_NUMBERS
from ..tables.operations import FORMS, OPERATIONS, OPERATORS, Operation, result_type, wanted_kinds
from ..tables.operations.intervals import INT64
from ..tables.stored_types import LEFT_OUT
from . import all_points
from . import constant_folding as folding
from .calls import MAX_CALLS, applied_to, call, signature
from .constant_limits import Budget
from .context import Context, Names
from .expression_text import Text, read
from .named_columns import named_columns
from .namespace import Function, counters_in
from .weight_paths import inside, part
from .whole_numbers import not_whole

MAX_STEPS = 150
"""How deep expressions may be nested when each function is written out: as deep as all passes over terms can go."""
SIGNS = {"-": "negative"}


class Checker:
    """Elaborates the expressions of one experiment. One instance an experiment: its keys are unique there."""

    def __init__(self, names: Names, dtype: str = "float32") -> None:
        self.names = names
        self.dtype = dtype
        self.keys: Iterator[int] = itertools.count(1)
        self.calls_left = MAX_CALLS
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
            "Write it after the colon, in quotes if it holds `: ` or braces.",
        )

    def unbracketed(self, node: yaml.Sequence, item: yaml.Node) -> None:
        """Refuses `x: [i for i < n]`, whose brackets YAML takes for those of a list."""
        line = node.span.source.lines[node.span.line - 1]
        if line[node.span.column - 1 : node.span.column] != "[" or not isinstance(item, yaml.Scalar) or not item.plain:
            return
        if isinstance(item.value, str) and isinstance(read(item).tree, n.Comprehension):
            hint = f"At the top of a value, write index notation without them: `{item.text}`"
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
        if self.names.files and (named := named_columns(node)) is not None and named.file in self.names.files:
            from .file_values import file_value  # of studies with files alone

            return file_value(self.names.source(), named, context.stage, span, self.dtype)
        match node:
            case n.Number(AllValues() as value):
                return t.placed(all_points.holding(value.values, all_points.KINDS[value.dtype.kind]), span)
            case n.Number(value):
                kind = "int" if isinstance(value, int) else "real"
                if isinstance(value, int) and abs(value) >= 2**63:
                    hint = "Write it as a real number: `1e20`."
                    raise problem_at(span, f"{shortened(str(value))} is too large for an int", hint)
                return t.Literal(as_kind(value, kind), type=Type(kind), span=span)
            case n.Boolean(value):
                if str(value).lower() in self.names.failed:  # it is meant as a name, which it cannot be
                    raise StudyError([])
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
                return call(self, node, text, context)
            case n.Index(array, subscripts):
                return self.index(self.term(array, text, context), subscripts, text, context, span)
            case n.Comprehension(body, ranges):
                return self.comprehend(body, ranges, text, context, span)
            case n.Attribute():
                return self.attribute(node, text, context)

    def name(self, name: str, context: Context, span: Span) -> t.Term:
        """A name: bound inside the expression, by the experiment, or by a network."""
        if name in context.local:
            return t.placed(context.local[name], span)
        found = self.names.term(name, context.stage, span)
        if found is None:
            found = self.names.network(name, None, context.stage, span)
        if found is None and name in counters_in(context.stage):
            return t.StepNumber(name, type=Type("real" if context.stage == "schedule" else "int"), span=span)
        if found is None and name == LEFT_OUT and context.stage == "measures":
            return t.LeftOut(type=Type("real"), span=span)
        if found is None and name in NAMED_NUMBERS:
            return t.Literal(np.asarray(NAMED_NUMBERS[name].value), type=Type("real"), span=span)
        if found is not None:
            return t.placed(found, span)
        function = self.names.function(name)
        if function is not None and not function.parameters:
            raise problem_at(span, f"'{name}' is a function without parameters", f"Write `{name}()`.")
        if function is not None or name in OPERATIONS or name in FORMS or name in DISTRIBUTIONS:
            raise problem_at(
                span,
                f"'{name}' is a function: it needs its arguments, `{name}(…)`",
                "Write what it is applied to in brackets, or choose another name for a value of your own.",
            )
        if name == LEFT_OUT:
            message = f"`{name}` says how many updates were left out, and is allowed only in measures"
            raise problem_at(span, message, "Measure it: `measures: {skipped: left_out}`.")
        if name in COUNTERS:
            where = (
                "learning rates and weights of loss terms have `step` alone"
                if context.stage == "schedule"
                else ("constants, draws and the start of weights are made before the first update")
            )
            hint = (
                "Use it from `example` on: in examples, inputs of networks, outputs, losses and measures, in numbers of `dropout`, "
                "`gaussian_noise` and gradient modes."
            ) + (" A learning rate and the `weight` of a loss term take it, too." if name == "step" else "")
            raise problem_at(span, f"`{name}` has no value here: {where}", hint)
        from ..tables.operations.other_names import OTHER_NAMES  # of studies with errors alone

        known = self.names.vocabulary.values(context.stage)
        own = context.path[-1] if context.path[:1] == ("value",) else ""
        near = did_you_mean(name, context.local) or did_you_mean(name, known, (own,)) or OTHER_NAMES.get(name, "")
        first = itertools.islice((word for word in itertools.chain(context.local, known) if word != own), 13)
        total = len(context.local) + len(known) - (own in known)
        hint = near or f"Known here: {listing(first, total=total)}."
        if not near and context.stage == "schedule":
            hint += " A number that changes is an expression in `step`: `0.05 * (1 + cos(pi * step / 1000))`."
        raise problem_at(span, f"unknown name '{name}'", hint)

    def stack(self, items: Sequence[t.Term], span: Span) -> t.Term:
        """Items of one shape as one array."""
        shape = items[0].type.shape
        if any(item.type.shape != shape for item in items):
            texts = listing(dict.fromkeys(str(item.type) for item in items))
            hint = "The items of an array have one shape, as in NumPy. `concat(a, b)` joins arrays, `concat(a, [c])` appends a number."
            raise problem_at(span, f"this array holds {texts}", hint)
        kind = join(item.type.kind for item in items)
        kind = "int" if kind == "int" else kind
        result = folding.sized(Type(kind, (len(items), *shape)), span)
        if all(isinstance(item, t.Literal) for item in items):
            values = [item.value for item in items if isinstance(item, t.Literal)]
            if any(map(all_points.varies, values)):
                return t.Literal(all_points.stacked(values, kind), type=result, span=span)
            stacked = np.stack(values) if shape else np.array(values)
            return t.Literal(as_kind(stacked, kind), type=result, span=span)
        kept = map(folding.real, items) if kind == "real" else items
        return t.Stack(tuple(kept), type=result, span=span)

    def apply(self, function: Function, arguments: list[t.Term], context: Context, span: Span) -> t.Term:
        """A user's function applied to terms."""
        return applied_to(self, function, arguments, context, span)

    def operate(self, row: Operation, terms: list[t.Term], static: dict[str, Any], span: Span) -> t.Term:
        """An operation applied; computed at once when all its arguments are literals."""
        patterns = row.values
        if patterns and patterns[-1].variadic:
            patterns = row.values_given(len(terms))
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
            raise problem_at(span, message, problem.hint or signature(row)) from None
        folding.sized(result, span)
        if all(isinstance(term, t.Literal) for term in terms) and terms:
            if row.name in intervals.CHOOSING:
                chosen = t.Operate(row.name, tuple(terms), more, type=result, span=span)
                if found := intervals.outside(chosen, INT64):
                    raise StudyError(found)
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
                "The mean over the examples where c holds is `E(x, where=c)`."
                if not rank and any(isinstance(one, n.Binary) and one.operator in COMPARISONS for one in subscripts)
                else "Leave out the extra subscripts.",
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
                raise not_whole(place, span)
            if place.type.kind == "bool" and place.type.shape:
                raise problem_at(
                    place.span,
                    f"an index has to be an int, and this is {place.type}: a mask takes no entries out, as shapes are known before anything runs",
                    "`z if c else 0` keeps the shape; the mean where c holds is `sum(z if c else 0) / sum(c)`, over examples `E(z, where=c)`.",
                )
            if len(place.type.shape) > 1 or (place.type.shape and len(subscripts) > 1):
                raise problem_at(
                    place.span,
                    f"an index is an int or, alone, an array of ints; this is {place.type}",
                    "Use one index per subscript: `W[i, j]`.",
                )
            if isinstance(place, t.Literal):
                place = self.place(place, size)
            shape = (*array.type.shape[:axis], *place.type.shape, *array.type.shape[axis + 1 :])
            array = t.Gather(array, place, axis, type=Type(array.type.kind, shape), span=span)
        return folding.closed(array)

    def place(self, place: t.Literal, size: int) -> t.Literal:
        """Constant indices inside their range, counted from the front."""
        least, most = int(place.value.min()), int(place.value.max())
        if most >= size or least < -size:
            worst = int(place.value.flat[int(np.argmax((place.value < -size) | (place.value >= size)))])
            raise problem_at(
                place.span,
                f"the index {worst} is outside the array, whose length is {size}",
                "Indices count from 0, or from -1 at the end.",
            )
        if least >= 0 and place.type.kind == "int":
            return place
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
        """A weight or what a layer gives: `f.block[0].hidden.kernel`, `f(u).hidden`, `initial(f).hidden`."""
        path: list[str | int] = []
        item: n.Expr = node
        while not isinstance(item, n.Name):
            if isinstance(item, n.Call) and item.function in FORMS and FORMS[item.function].operand is not None:
                return self.term(inside(node, item), text, context)
            if isinstance(item, n.Call):
                whole = self.term(item, text, context)
                return part(self.names, whole, path[::-1], context.stage, text.span(node))
            if isinstance(item, n.Attribute):
                path.append(item.name)
                item = item.owner
            elif (
                isinstance(item, n.Index) and len(item.subscripts) == 1 and not isinstance(item.subscripts[0], n.Slice)
            ):
                path.append(int(folding.integer(self.term(item.subscripts[0], text, context), "the block's number")))
                item = item.array
            else:
                message = "only networks have parts written with a dot"
                raise problem_at(text.span(item), message, "Weights are written `score.dense_2.kernel`.")
        return self.names.weight([item.name, *reversed(path)], context.stage, text.span(node))

    def numeric(self, term: t.Term, what: str) -> t.Term:
        """A number; a bool counts as an int."""
        if term.type.kind == "bool":
            raise problem_at(
                term.span,
                f"`{what}` takes a number, and this is {term.type}",
                "`1 if c else 0` makes a number of a condition.",
            )
        return term
