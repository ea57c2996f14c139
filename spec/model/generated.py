"""Models made from the tables of parameters: one closed mapping a row, with each argument's meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, create_model
from pydantic_core.core_schema import no_info_plain_validator_function

from ..diagnostics.problems import did_you_mean, sentence
from ..tables.initializers import INITIALIZERS
from ..tables.keras_parameters import ACTIVATIONS, CONSTRAINTS, Parameter
from ..tables.layers import LAYERS
from .base import NAME, Closed, Expression, Name, OneOf, number

NUMBERS = ("real", "schedule", "size", "count")
"""The kinds of parameters that are one number."""


def arguments_model(title: str, meaning: str, parameters: Mapping[str, Parameter], **more: Any) -> type[Closed]:
    """A closed model with one field a parameter."""
    fields: dict[str, Any] = dict(more)
    for parameter in parameters.values():
        kind = _field_type(parameter)
        description = parameter.meaning[0].upper() + parameter.meaning[1:] + "."
        default = ... if parameter.required else parameter.default
        fields[parameter.name] = (kind | None if default is None else kind, Field(default, description=description))
    return create_model(title, __base__=Closed, __doc__=meaning, **fields)


class Deferred(type):
    """The type of a row's arguments. Its model is made when first used: a document uses few of the many rows."""

    make: Any

    @property
    def __args__(cls) -> tuple[type[Closed]]:
        return (cls.make(),)

    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        reference = f"{cls.__module__}.{cls.__name__}:{id(cls)}"
        return no_info_plain_validator_function(lambda value: cls.make().model_validate(value), ref=reference)

    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Any:
        return handler.resolve_ref_schema(handler(cls.make().__pydantic_core_schema__))


def deferred_model(title: str, meaning: str, parameters: Mapping[str, Parameter], **more: Any) -> Deferred:
    """`arguments_model`, made when first used."""
    deferred = Deferred(title, (), {})
    deferred.make = cache(lambda: arguments_model(title, meaning, parameters, **more))
    return deferred


def one_of(title: str, doc: str, noun: str, rows: Mapping[str, tuple[str, Any]], **more: Any) -> type[OneOf]:
    """A one-of mapping whose keys are a table's rows."""
    fields: dict[str, Any] = {row: (model | None, Field(None, description=text)) for row, (text, model) in rows.items()}
    one_of_model = create_model(title, __base__=OneOf, __doc__=doc, **fields, **more)
    one_of_model.noun = noun
    return one_of_model


def short_bounds(primary: Mapping[str, str], rows: Mapping[str, Mapping[str, Parameter]]) -> dict[str, Any]:
    """What a schema says of a number that stands for the primary argument of a row."""
    return {row: rows[row][name].within.schema for row, name in primary.items() if rows[row][name].kind in NUMBERS}


def _field_type(parameter: Parameter) -> Any:
    match parameter.kind:
        case "bool":
            return bool
        case "choice" | "stream":
            return Literal[parameter.choices]
        case "activation":
            return Activation
        case "initializer":
            return Initializer
        case "constraint":
            return Constraint
        case "example":
            return Expression
        case "layer":
            return Recurrent
        case "names":
            return Name | list[Name]
    return number(parameter.within.schema) if parameter.kind in NUMBERS else Expression


def _check_activation(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(NAME, value):
        hint = did_you_mean(str(value), ACTIVATIONS) or f"Keras has {', '.join(ACTIVATIONS)}."
        raise ValueError(sentence("an activation is one of Keras', or the name of a function.", hint))
    return value


Activation: Any = Annotated[Literal[tuple(ACTIVATIONS)] | Name, BeforeValidator(_check_activation)]
"""One of Keras', or a function of one argument."""

Initializer: Any = one_of(
    "Initializer",
    "How a weight starts: a number, a distribution that knows `fan_in` and `fan_out`, or one of Keras' initialisers.",
    "an initialiser",
    {
        row.name: (row.meaning, deferred_model(f"{row.keras}Initializer", row.meaning, row.parameters))
        for row in INITIALIZERS.values()
    },
    expression=(
        Expression | None,
        Field(None, description="A number, or a distribution: `normal(0, 1 / sqrt(fan_in))`."),
    ),
)
Initializer.bare = "expression"
Initializer.primary = {"constant": "value"}

Constraint: Any = one_of(
    "Constraint",
    "The constraint that weights are kept to after each step.",
    "a constraint",
    {
        name: (name.replace("_", " "), deferred_model(f"{name}_constraint", name, rows))
        for name, rows in CONSTRAINTS.items()
    },
    function=(
        Name | None,
        Field(None, description="A function of one argument, the whole weight, which keeps its shape."),
    ),
)
Constraint.bare = "function"
Constraint.primary = {"max_norm": "max_value"}
Constraint.bounded = short_bounds(Constraint.primary, CONSTRAINTS)

Recurrent: Any = one_of(
    "Recurrent",
    "A recurrent layer: one key with its arguments.",
    "a recurrent layer",
    {
        row.name: (row.meaning, deferred_model(f"{row.class_name}Inner", row.meaning, row.parameters))
        for row in LAYERS.values()
        if row.loops
    },
)
Recurrent.primary = {row.name: row.primary for row in LAYERS.values() if row.loops and row.primary}
Recurrent.bounded = short_bounds(Recurrent.primary, {name: row.parameters for name, row in LAYERS.items()})
