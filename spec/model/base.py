"""The closed, frozen base class of all models of the document, and the types of their values."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from ..diagnostics.problems import Span, listing, sentence
from ..source import nodes as yaml
from ..source.several import Several

EXPRESSION_MARK = {"x-expression": True}
"""What stands for an expression in generated schemas until `schema.py` puts the reference there."""


set_slot = object.__setattr__
M = TypeVar("M", bound="Closed")


class Closed(BaseModel):
    """A mapping of the document: unknown keys are refused, values never change after validation.

    A model from a tree knows where it stands, and so does each model in it. Positions are no part of its value: models
    that stand in different places are equal where their fields are, and a copy or a pickled model has no position.
    """

    __slots__ = ("_node", "_span")
    if TYPE_CHECKING:
        _node: yaml.Node | None
        _span: Span

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True, strict=True)

    @classmethod
    def from_node(cls, node: yaml.Node, more: Mapping[str, Any] | None = None) -> Self:
        """The model of a tree, and of more fields that stand nowhere. Raises pydantic.ValidationError."""
        data = yaml.data(node)
        model = cls.model_validate({**data, **more} if more else data)
        _position(model, node, node.span)
        return model

    def node(self, *path: str | int) -> yaml.Node | None:
        """What is written under a field, or at a key or an index in it; without a path, what the model was made from.

        None where nothing is written. A value in place of a mapping (`adam: 0.1`) is that of the one field which it sets.
        """
        own: yaml.Node | None = getattr(self, "_node", None)
        if path and not isinstance(own, yaml.Mapping):
            own, path = own if path[0] in self.model_fields_set else None, path[1:]
        return yaml.find(own, path) if path else own

    def nodes(self, field: str) -> tuple[yaml.Node, ...]:
        """The items of a field's list, or the single one that is written in place of a list."""
        node = self.node(field)
        return node.items if isinstance(node, yaml.Sequence) else () if node is None else (node,)

    def span(self, *path: str | int) -> Span:
        """The place of the deepest part of a path that is written: of a word or a number itself, of anything else its key."""
        if not path or self._node is None:
            return self._span
        span, depth = yaml.locate(self._node, path)
        return span if depth else self._span

    @property
    def extent(self) -> Span:
        """The place of all that the model was made from."""
        return self._node.span if self._node is not None else self._span

    def key(self, field: str) -> Span:
        """The place of a field's key; of the model's own where it is not written."""
        key = self._node.key(field) if isinstance(self._node, yaml.Mapping) else None
        return key.span if key is not None else self._span


class OneOf(Closed):
    """A mapping with exactly one key, which names the kind of thing (`{adam: {...}}`, `{dense: {...}}`).

    Every field of a subclass is optional; the one that is present is the choice. Errors therefore speak of one branch
    only, and an editor completes the keys. Short forms: a word alone stands for a kind without arguments, a value in
    place of the arguments for the kind's `primary` one, and any other word or number for the field named by `bare`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)

    noun: ClassVar[str] = "an entry"
    bare: ClassVar[str] = ""
    primary: ClassVar[Mapping[str, str]] = {}
    bounded: ClassVar[Mapping[str, Mapping[str, float]]] = {}
    """What a schema says of a number in place of the arguments."""

    @property
    def kind(self) -> str:
        """The one key that is present."""
        return next(iter(self.model_fields_set))

    @property
    def value(self) -> Any:
        """What stands under the one key."""
        return getattr(self, self.kind)

    def goes_over(self, kind: str) -> bool:
        """Whether, laid over another of a kind, it keeps the arguments that it does not say: it is of that kind, and a map of arguments, `adam: {…}`."""
        return self.kind == kind and isinstance(yaml.find(self.node(), [kind]), yaml.Mapping)

    @model_validator(mode="before")
    @classmethod
    def _long_form(cls, value: Any) -> Any:
        if isinstance(value, cls):
            return value
        if isinstance(value, str) and value in cls.model_fields and value != cls.bare:
            return {value: {}}
        if isinstance(value, str | int | float | bool | Several):
            if cls.bare and (isinstance(value, str) or cls.bare not in ("function", "apply")):
                return {cls.bare: value}
            from .other_keys import meant  # of studies with errors alone

            word = str(value).lower() if isinstance(value, bool) else str(value)
            known = meant(word, cls.model_fields) or cls._known()
            raise ValueError(sentence(f"unknown word '{word}' for {cls.noun}.", known))
        if isinstance(value, list) and cls.bare == "expression":
            return {cls.bare: value}
        if not isinstance(value, dict):
            raise ValueError(sentence(f"{cls.noun} is one key with its arguments.", cls._known()))
        if len(value) != 1:
            if not value:
                raise ValueError(
                    sentence(f"{cls.noun} is one key with its arguments, but there is none here.", cls._known())
                )
            keys = ", ".join(f"'{key}'" for key in value)
            message = f"{cls.noun} is one key with its arguments, but there are {len(value)} here: {keys}."
            raise ValueError(sentence(message, "Keep one; in a list give each an entry of its own."))
        ((key, inner),) = value.items()
        if key in cls.model_fields and not isinstance(inner, dict) and key != cls.bare:
            if inner is None:
                return {key: {}}
            if key in cls.primary:
                return {key: {cls.primary[key]: inner}}
        return value

    @classmethod
    def _known(cls) -> str:
        return f"Known here: {listing((name for name in cls.model_fields if name != cls.bare), 30)}."

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Any:
        inner = handler.resolve_ref_schema(handler(core))
        shape = {**inner, "minProperties": 1, "maxProperties": 1}
        shape.pop("description", None)
        title, meaning = shape.pop("title", cls.__name__), inner.get("description", "")
        shape["properties"] = {
            key: {**_without_null(field), "description": field.get("description", "")}
            for key, field in inner["properties"].items()
            if key != cls.bare or key == "apply"
        }
        for key in cls.primary:
            field = shape["properties"][key]
            model = {name: part for name, part in field.items() if name != "description"}
            shape["properties"][key] = {
                "anyOf": [model, {**EXPRESSION_MARK, **cls.bounded.get(key, {}), "description": field["description"]}],
                "description": field["description"],
            }
        words = [name for name in shape["properties"]]
        forms: list[Any] = [shape, {"type": "string", "enum": words}]
        if cls.bare:
            numbers = [{"type": "number"}] if cls.bare != "function" else []
            forms[1] = {"anyOf": [{"enum": words}, {"type": "string"}, *numbers]}
        if cls.bare == "expression":
            forms[1]["anyOf"].append({"type": "array", "items": dict(EXPRESSION_MARK)})
        return {"title": title, "description": meaning, "anyOf": forms}


def placed(model: M, node: yaml.Node) -> M:
    """A model whose fields know where they stand, as the one of a tree that holds theirs."""
    set_slot(model, "_node", node)
    set_slot(model, "_span", node.span)
    return model


def _position(model: Closed, node: yaml.Node | None, span: Span) -> None:
    """Notes where a model stands, and each model in its fields, in lists and in maps; one that holds by default has no node."""
    set_slot(model, "_node", node)
    set_slot(model, "_span", span)
    fields, written = model.__dict__, model.model_fields_set
    for name in written if isinstance(model, OneOf) else fields:
        value = fields[name]
        if isinstance(value, Closed):
            _position(value, *_below(node, name, span, written))
        elif isinstance(value, dict | list) and name in written:
            items = value.items() if isinstance(value, dict) else enumerate(value)
            models = [(key, item) for key, item in items if isinstance(item, Closed)]
            container, _ = _below(node, name, span, written) if models else (None, span)
            for key, item in models:
                _position(item, *(yaml.below(container, key) or (None, span)))


def _below(node: yaml.Node | None, field: str, span: Span, written: Container[str]) -> tuple[yaml.Node | None, Span]:
    """What is written of a field, and its place: the whole of a value in place of a mapping, nothing of what holds by default."""
    if isinstance(node, yaml.Mapping):
        return yaml.below(node, field) or (None, span)
    return (node if field in written else None), span


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A field's schema without the null that stands for its absence."""
    found = {key: value for key, value in schema.items() if key not in ("default", "title")}
    branches = [branch for branch in found.get("anyOf", []) if branch != {"type": "null"}]
    if len(branches) == 1:
        return {**{key: value for key, value in found.items() if key != "anyOf"}, **branches[0]}
    return {**found, "anyOf": branches} if branches else found


def _expression(value: Any) -> Any:
    if isinstance(value, (bool, int, float, str, Several)):
        return value
    if isinstance(value, list):
        return [_expression(item) for item in value]
    if value is None or value == {}:  # an argument that is null is read as none
        raise ValueError(
            sentence("expected an expression, found nothing.", "Write one after the colon, or remove the key.")
        )
    message = "expected an expression (a number, a string, or a list of expressions), found a mapping."
    raise ValueError(sentence(message, "Write it after the colon; quote one that holds `: ` or braces."))


Expression = Annotated[
    Any,
    BeforeValidator(_expression),
    WithJsonSchema(EXPRESSION_MARK),
]
"""A number, a truth value, the text of an expression, or a list of expressions (an array)."""


def number(bounds: Mapping[str, float]) -> Any:
    """The type of an expression that is a number: where it is written out, a schema bounds it."""
    return Annotated[Any, BeforeValidator(_expression), WithJsonSchema({**EXPRESSION_MARK, **bounds})]


CONDITION = "condition"
Condition = Annotated[str, CONDITION]
"""The text of a condition: an expression of its own kind (`variant == non_flat`, `final(error) <= 1e-3`)."""

FUNCTION_HEAD = "function head"
FunctionHead = Annotated[str, FUNCTION_HEAD]
"""A function's name with its parameters: `u(r)`."""

EXPRESSION_SCHEMA = {
    "title": "Expression",
    "description": "A number, the text of an expression (`relu(x) + 1`), or a list of expressions (an array).",
    "anyOf": [
        {"title": "a number", "type": "number"},
        {"title": "a truth value", "type": "boolean"},
        {"title": "the text of an expression", "type": "string"},
        {"title": "a list of expressions", "type": "array", "items": {"$ref": "#/$defs/Expression"}},
    ],
}

NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
Name = Annotated[str, Field(pattern=NAME)]
"""A name that expressions can use: a letter, then letters, digits and underscores."""


@dataclass(frozen=True)
class Declares:
    """Marks the keys of a map as names of a kind, which they declare."""

    kind: str


@dataclass(frozen=True)
class NameOf:
    """Marks a text, or the keys of a map, as names that are declared elsewhere, of one of these kinds; a part of one may follow behind a dot."""

    kinds: tuple[str, ...]


MEASURE = "measure"
MeasureName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\[\d+(, ?\d+)*\])?$"), MEASURE]
"""A measure, or an entry of one that is an array: `error`, `left[0]`."""
