"""Constraints by functions: what takes a whole weight, and gives what it is kept to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..diagnostics.problems import did_you_mean, listing, problem_at
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.plan import InitialValue, WeightFunction
from ..ir.types import Shape, Type
from ..model.base import OneOf
from ..source import nodes as yaml
from ..tables.keras_parameters import CONSTRAINTS
from ..tables.layers import Layer
from ..tables.operations import OPERATIONS
from .context import Context, Elaborator
from .expression_text import Text


def kept_by(
    checker: Elaborator, network: str, key: str, row: Layer, weights: Mapping[str, Shape], constraints: Mapping[str, Any]
) -> dict[str, WeightFunction]:  # fmt: skip
    """Of a layer's weights those that functions keep; `constraints` are by argument. Raises StudyError."""
    functions = {}
    for weight, shape in weights.items():
        constraint = constraints.get(f"{row.argument_of(weight)}_constraint")
        if constraint is not None and not isinstance(constraint, InitialValue) and weight not in row.untrained:
            functions[weight] = weight_function(checker, constraint, network, f"'{network}.{key}.{weight}'", shape)
    return functions


def weight_function(checker: Elaborator, entry: OneOf, network: str, named: str, shape: Shape) -> WeightFunction:
    """The function that is named, applied to a weight of a shape. Raises StudyError."""
    node = entry.node("function")
    assert isinstance(node, yaml.Scalar)
    word, kind = str(node.value), Type("real", tuple(shape))
    function = checker.names.function(word)
    if function is None and word not in OPERATIONS:
        vocabulary = checker.names.vocabulary
        known = (*CONSTRAINTS, *vocabulary.functions)
        hint = did_you_mean(word, known) or f"Keras has {listing(CONSTRAINTS)}; or name a function of one argument."
        if word in vocabulary.known():
            hint = "Declare a function of one argument under `functions`, and name that."
            raise problem_at(node.span, f"a constraint is a function, and '{word}' is not one", hint)
        raise problem_at(node.span, f"unknown constraint '{word}'", hint)
    parameters = (
        function.parameters if function is not None else [one for one in OPERATIONS[word].arguments if not one.optional]
    )
    if len(parameters) != 1:
        message = f"'{word}' takes {len(parameters)} arguments, and a constraint has one: the whole weight"
        raise problem_at(node.span, message, "Declare a function of one argument, and name that.")
    key = f"weight@{next(checker.keys)}"
    checker.differentiable.add(key)
    call = n.Call(word, (n.Name("x", start=0, end=len(word)),), start=0, end=len(word))
    local = {"x": t.Parameter(key, type=kind, span=node.span)}
    body = checker.term(call, Text(call, node), Context("constraint", ("architecture", network), local))
    if body.type.shape != kind.shape:
        message = f"the constraint '{word}' makes {body.type} of {named}, which is {kind}"
        raise problem_at(node.span, message, "It takes the whole weight, and keeps its shape.")
    if body.type.kind != "real":
        some = "ints" if body.type.kind == "int" else "bools"
        message = f"the constraint '{word}' gives {some}, and {named} is real"
        raise problem_at(node.span, message, "Make it real: `1.0 * (…)`.")
    return WeightFunction(key, body)
