"""Checks real arguments of layers within their bounds, and how weights start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at, sentence
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.plan import VALUE, InitialValue
from ..ir.types import led_by
from ..model.base import OneOf
from ..source import nodes as yaml
from ..tables.distributions import DISTRIBUTIONS, bind
from ..tables.initializers import INITIALIZERS, Initializer, fans, other_initializer
from ..tables.keras_parameters import CONSTRAINTS, Parameter
from ..tables.named_numbers import NAMED_NUMBERS
from . import all_points
from . import constant_folding as folding
from .argument_bounds import explained, in_order, representable, within
from .context import Context
from .expression_text import Text, read
from .expressions import Checker
from .timed_numbers import one_number

KERAS_DISTRIBUTIONS = {
    "normal": ("RandomNormal", {"mean": "mean", "deviation": "stddev"}),
    "truncated_normal": ("TruncatedNormal", {"mean": "mean", "deviation": "stddev"}),
    "uniform": ("RandomUniform", {"low": "minval", "high": "maxval"}),
}


class Numbers:
    """Checks the numbers of one network, whose place is that of errors in what holds by default."""

    def __init__(self, checker: Checker, dtype: str, span: Span, copies: int | None = None) -> None:
        self.checker = checker
        self.dtype = dtype
        self.span = span
        self.copies = copies
        """How many copies of the network there are, each with weights of its own."""

    def real(self, parameter: Parameter, value: Any, node: yaml.Node | None) -> Any:
        """A constant real argument within its bounds; a term, where it changes in training."""
        if node is None:
            return float(value)
        what = f"'{parameter.name}'"
        term = self.checker.value(node, Context("timed" if parameter.timed else "constants", ()))
        if parameter.timed and not isinstance(term, t.Literal):
            return one_number(term, what)
        number = folding.real_number(term, what)
        within(what, parameter.bounds, number, node.span, explained(parameter.meaning))
        representable(what, number, self.dtype, node.span)
        return number

    def reals(self, entry: OneOf, rows: Mapping[str, Parameter]) -> dict[str, Any]:
        """The arguments of a constraint or an initialiser."""
        arguments, model = {}, entry.value
        for name, row in rows.items():
            given = getattr(model, name)
            arguments[name] = given if row.kind == "choice" else self.real(row, given, model.node(name))
        in_order(rows.values(), arguments, lambda name: node.span if (node := model.node(name)) else entry.extent)
        return arguments

    def constraint(self, entry: OneOf) -> InitialValue | OneOf:
        """One of Keras' constraints with its arguments; a function as it is written."""
        if entry.kind == entry.bare:
            return entry
        return InitialValue(entry.kind, self.reals(entry, CONSTRAINTS[entry.kind]))

    def start(self, value: OneOf | str, shape: Any, fan_shape: Any = None) -> InitialValue:
        """An initialiser: a word, a mapping, a number, or a distribution that knows the fans, which are counted by the shape unless another is given."""
        if isinstance(value, str):
            if value in INITIALIZERS:
                self.fits(INITIALIZERS[value], shape, self.span)
                return InitialValue(INITIALIZERS[value].keras)
            scalar = yaml.Scalar(value, value, True, self.span)
            return self.distribution(read(scalar), shape, fan_shape or shape)
        if value.kind != "expression":
            row = INITIALIZERS[value.kind]
            self.fits(row, shape, value.extent)
            return InitialValue(row.keras, self.reals(value, row.parameters))
        node = value.node("expression")
        if isinstance(node, yaml.Sequence):
            return self.value(self.checker.value(node, Context("start", ())), shape)
        if not isinstance(node, yaml.Scalar):
            hint = f"Keras has {listing(INITIALIZERS, 20)}."
            raise problem_at(value.extent, "an initialiser is a name, a number or a distribution", hint)
        return self.distribution(read(node), shape, fan_shape or shape)

    def fits(self, row: Initializer, shape: Any, span: Span) -> None:
        """Refuses an initialiser that makes no arrays of a weight's shape."""
        if not row.axes.hold(len(shape)):
            many = f"weights of {row.axes.least:g} axes{'' if row.axes.most is not None else ' or more'}"
            message = f"the initialiser '{row.name}' makes {many}, and this weight is {list(shape)}"
            raise problem_at(span, message, f"It is {row.meaning}.")

    def distribution(self, text: Text, shape: Any, fan_shape: Any) -> InitialValue:
        """`truncated_normal(0, 1 / sqrt(fan_in))`, a constant, or what is made of constants and draws."""
        fan_in, fan_out = fans(fan_shape)
        local: dict[str, t.Term] = {
            name: all_points.length(size, text.node.span) for name, size in (("fan_in", fan_in), ("fan_out", fan_out))
        }
        tree = text.tree
        usable = self.checker.names.vocabulary
        if isinstance(tree, n.Name) and tree.name not in usable.known_and((*NAMED_NUMBERS, *local)):
            hint = other_initializer(tree.name) or sentence(
                did_you_mean(tree.name, usable.known_and((*INITIALIZERS, *local))),
                f"Keras has {listing(INITIALIZERS, 20)}.",
            )
            raise problem_at(text.span(tree), f"unknown initialiser '{tree.name}'", hint)
        if not (isinstance(tree, n.Call) and tree.function in DISTRIBUTIONS):
            inner = [item for item in n.walk(tree) if isinstance(item, n.Call) and item.function in DISTRIBUTIONS]
            inside = next(
                (item for item in n.walk(tree) if isinstance(item, n.Name) and item.name in INITIALIZERS), None
            )
            if inside is not None and inside.name not in usable.known_and((*NAMED_NUMBERS, *local)):
                hint = "It is scaled by its arguments, `{variance_scaling: {scale: 2 / d}}`; an expression may use `fan_in`, `fan_out`, constants and draws."
                raise problem_at(
                    text.span(inside), f"the initialiser '{inside.name}' cannot be part of an expression", hint
                )
            if inner and self.checker.names.function(inner[0].function) is None:
                hint = "Scale its parameters, as in `normal(0, 0.1)`, or draw under `task.draw` and use the name."
                raise problem_at(
                    text.span(inner[0]), "a distribution cannot be part of an expression in an initialiser", hint
                )
            return self.value(self.checker.term(tree, text, Context("start", (), local)), shape)
        context = Context("constants", (), local)
        if tree.function not in KERAS_DISTRIBUTIONS:
            hint = f"Weights start from {listing(KERAS_DISTRIBUTIONS)}, or one of Keras' initialisers."
            raise problem_at(text.span(tree), f"`{tree.function}` is not a distribution for weights", hint)
        keras, names = KERAS_DISTRIBUTIONS[tree.function]
        row = DISTRIBUTIONS[tree.function]
        try:
            bound = bind(
                row, [isinstance(argument, n.Array) for argument in tree.arguments], [key for key, _ in tree.keywords]
            )
        except ValueError as error:
            raise problem_at(text.span(tree), str(error), f"It is `{row.name}{row.signature}`.") from None
        if "shape" in bound:
            place = bound["shape"]
            shown = tree.arguments[place] if isinstance(place, int) else dict(tree.keywords)[place]
            raise problem_at(text.span(shown), "an initialiser takes no shape: the layer gives it", "Leave it out.")
        keywords = dict(tree.keywords)
        arguments = {parameter.name: parameter.default for parameter in row.parameters}
        for name, place in bound.items():
            expression = tree.arguments[place] if isinstance(place, int) else keywords[place]
            what, span = f"'{name}' of `{row.name}`", text.span(expression)
            value = folding.real_number(self.checker.term(expression, text, context), f"'{name}'")
            bounds = next(parameter.bounds for parameter in row.parameters if parameter.name == name)
            within(what, bounds, value, span, f"It is `{row.name}{row.signature}`.")
            representable(what, value, self.dtype, span)
            arguments[name] = value
        in_order(row.parameters, arguments, lambda name: text.span(tree), row.name)
        return InitialValue(keras, {names[name]: value for name, value in arguments.items()})

    def value(self, term: t.Term, shape: Any) -> InitialValue:
        """A weight that starts as a constant, or as each replicate's draws make it: a number, or an array of its shape."""
        if term.type.kind == "bool":
            hint = "`1 if b > 0 else 0` is a number."
            raise problem_at(term.span, "a weight starts as a number, and this is a bool", hint)
        own, shape = term.type.shape, led_by(shape, self.copies)
        if len(own) > len(shape) or any(a not in (1, b) for a, b in zip(own[::-1], shape[::-1], strict=False)):
            message = f"this initialiser has the shape {list(own)}, and the weight has {list(shape)}"
            raise problem_at(term.span, message, "Give one number, or an array of the weight's shape.")
        if not isinstance(term, t.Literal):
            return InitialValue(VALUE, {"value": term})
        representable("an initialiser", term.value, self.dtype, term.span)
        return (
            InitialValue("Constant", {"value": float(term.value)}) if not own else InitialValue(VALUE, {"value": term})
        )
