"""Models made from the tables of parameters: one closed mapping a row, with each argument's meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, create_model

from ..diagnostics import did_you_mean, sentence
from ..initializers import INITIALIZERS
from ..parameters import ACTIVATIONS, CONSTRAINTS, Parameter
from .base import Closed, Expression, OneOf

REGULARIZERS = ("kernel_regularizer", "bias_regularizer", "activity_regularizer", "recurrent_regularizer")


def arguments_model(title: str, meaning: str, parameters: Mapping[str, Parameter], **more: Any) -> type[Closed]:
    """A closed model with one field a parameter."""
    fields: dict[str, Any] = dict(more)
    for parameter in parameters.values():
        kind = _field_type(parameter)
        description = parameter.meaning[0].upper() + parameter.meaning[1:] + "."
        default = ... if parameter.required else parameter.default
        fields[parameter.name] = (kind | None if default is None else kind, Field(default, description=description))
    return create_model(title, __base__=Closed, __doc__=meaning, **fields)


def one_of(title: str, doc: str, noun: str, rows: Mapping[str, tuple[str, Any]], **more: Any) -> type[OneOf]:
    """A one-of mapping whose keys are a table's rows."""
    fields: dict[str, Any] = {row: (model | None, Field(None, description=text)) for row, (text, model) in rows.items()}
    made = create_model(title, __base__=OneOf, __doc__=doc, **fields, **more)
    made.noun = noun
    return made


def _field_type(parameter: Parameter) -> Any:
    match parameter.kind:
        case "bool":
            return bool
        case "choice":
            return Literal[parameter.choices]
        case "activation":
            return Activation
        case "initializer":
            return Initializer
        case "constraint":
            return Constraint
    return Expression


def _check_activation(value: Any) -> Any:
    if isinstance(value, str) and value not in ACTIVATIONS:
        hint = did_you_mean(value, ACTIVATIONS) or f"Keras knows {', '.join(ACTIVATIONS)}."
        raise ValueError(sentence(f"unknown activation '{value}'.", hint))
    return value


Activation: Any = Annotated[Literal[tuple(ACTIVATIONS)], BeforeValidator(_check_activation)]

Initializer: Any = one_of(
    "Initializer",
    "How a weight starts: a number, a distribution that knows `fan_in` and `fan_out`, or one of Keras' initialisers.",
    "an initialiser",
    {row.name: (row.meaning, arguments_model(f"{row.keras}Initializer", row.meaning, row.parameters)) for row in INITIALIZERS.values()},
    expression=(Expression | None, Field(None, description="A number, or a distribution: `normal(0, 1 / sqrt(fan_in))`.")),
)
Initializer.bare = "expression"
Initializer.primary = {"constant": "value"}

Constraint: Any = one_of(
    "Constraint",
    "What weights are kept to after each step.",
    "a constraint",
    {name: (name.replace("_", " "), arguments_model(f"{name}_constraint", name, rows)) for name, rows in CONSTRAINTS.items()},
)
Constraint.primary = {"max_norm": "max_value"}
