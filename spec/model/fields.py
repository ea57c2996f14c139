"""What the models say of each place of a document: which keys it takes, in which order, and whether it is an expression.

Read from the models' annotations, so a field that is added is known here at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import WithJsonSchema, create_model

from .base import CONDITION, EXPRESSION_MARK, FUNCTION_HEAD, Closed, Declares, NameOf, OneOf
from .experiment import Experiment
from .generated import Deferred
from .patch import Refused
from .study import Study

EXPRESSION, CONDITIONS, TEXT = "an expression", "a condition", "a text"
ORDERED = frozenset({"phases", "updates"})
"""Maps whose order has a meaning: what comes one after the other in training."""


@dataclass(frozen=True)
class Place:
    """What may stand somewhere: alternatives (models, maps, lists, literals, or one of the words above).

    The places below it are made once, so that those of a file are as many as the models have.
    """

    alternatives: tuple[Any, ...]
    meaning: str = ""

    @cached_property
    def models(self) -> tuple[type[Closed], ...]:
        """The closed mappings that may stand here."""
        return tuple(item for item in self.alternatives if isinstance(item, type) and issubclass(item, Closed))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words that may stand here for themselves."""
        found = [str(word) for item in self.alternatives if get_origin(item) is Literal for word in get_args(item)]
        found += [name for model in self.models if issubclass(model, OneOf) for name in fields(model)]
        if bool in self.alternatives:
            found += ["true", "false"]
        return tuple(found)

    @property
    def condition(self) -> bool:
        """Whether a claim's or a figure's condition may stand here."""
        return CONDITIONS in self.alternatives

    def expression(self, text: str) -> bool:
        """Whether a text that stands here is an expression."""
        if EXPRESSION in self.alternatives or CONDITIONS in self.alternatives:
            return True
        bare = [model for model in self.models if issubclass(model, OneOf) and model.bare]
        return any(text not in fields(model) and EXPRESSION in _field(model, model.bare).alternatives for model in bare)

    def model(self, keys: Mapping[str, str]) -> type[Closed] | None:
        """The model of a mapping with these keys (and the texts of those that are scalars); None for a map of names."""
        models = self.models
        tagged = [model for model in models if "kind" in fields(model) and keys.get("kind") in _words(model, "kind")]
        if tagged:
            return tagged[0]
        fitting = sorted(models, key=lambda model: -len(set(keys) & set(fields(model)))) if len(models) > 1 else models
        if self.names and not (fitting and set(keys) & set(fields(fitting[0]))):
            return None
        return fitting[0] if fitting else None

    @cached_property
    def names(self) -> bool:
        """Whether a mapping whose keys are the writer's own may stand here."""
        return any(get_origin(item) is dict for item in self.alternatives) or self._layers is not None

    @property
    def holds_layers(self) -> bool:
        """Whether a list of layers may stand here, which a patch reaches by name."""
        return self._layers is not None

    @cached_property
    def heads(self) -> bool:
        """Whether keys here are heads of functions."""
        return FUNCTION_HEAD in self._marks_of_keys

    @property
    def declares(self) -> str:
        """The kind of names that keys here declare, if they are the writer's own; empty where they declare none."""
        return next((mark.kind for mark in self._marks_of_keys if isinstance(mark, Declares)), "")

    @property
    def keys_are_of(self) -> tuple[str, ...]:
        """The kinds of names, declared elsewhere, that keys here stand for."""
        return tuple(kind for mark in self._marks_of_keys if isinstance(mark, NameOf) for kind in mark.kinds)

    @property
    def text_is_of(self) -> tuple[str, ...]:
        """The kinds of names, declared elsewhere, that a text here stands for."""
        return tuple(kind for mark in self.alternatives if isinstance(mark, NameOf) for kind in mark.kinds)

    @property
    def _marks_of_keys(self) -> tuple[Any, ...]:
        keys = [get_args(item)[0] for item in self.alternatives if get_origin(item) is dict]
        return tuple(mark for key in keys for mark in getattr(key, "__metadata__", ()))

    @cached_property
    def _layers(self) -> type[OneOf] | None:
        """The entries of a list of one-of maps, which a patch reaches by name."""
        for item in self.alternatives:
            if get_origin(item) is list:
                models = Place(_flat(get_args(item)[0])).models
                if models and issubclass(models[0], OneOf) and models[0].bare:
                    return models[0]
        return None

    def below(self, key: str, keys: Mapping[str, str]) -> Place:
        """The place under a key of a mapping that has these keys."""
        if key == "kind" and len(self.models) > 1:
            return Place(tuple(item for model in self.models for item in _field(model, key).alternatives))
        model = self.model(keys)
        if model is not None:
            return _field(model, key)
        if self._under_names is not None:
            return self._under_names
        kind = re.sub(r"_\d+$", "", key)
        layers = self._layers
        return _field(layers, kind) if layers is not None and kind in fields(layers) else NOWHERE

    @cached_property
    def _under_names(self) -> Place | None:
        """The place of a value in a map whose keys are the writer's own."""
        maps = (item for item in self.alternatives if get_origin(item) is dict)
        return next((Place(_flat(get_args(item)[1])) for item in maps), None)

    def item(self) -> Place:
        """The place of an entry of a list."""
        return self._item

    @cached_property
    def _item(self) -> Place:
        if EXPRESSION in self.alternatives:
            return Place((EXPRESSION,))
        for item in self.alternatives:
            if get_origin(item) in (list, tuple):
                return Place(_flat(get_args(item)[0]))
        return NOWHERE


NOWHERE = Place(())
TOP = Place((Study,))


@cache
def fields(model: type[Closed]) -> tuple[str, ...]:
    """A model's keys in canonical order: its own, then those that it shares with others of its kind."""
    shared = {name for base in model.__bases__ for name in getattr(base, "model_fields", {})}
    names = [name for name in model.model_fields if not (issubclass(model, OneOf) and name == model.bare)]
    if issubclass(model, OneOf) and model.bare == "expression":
        return tuple(names)
    return tuple(sorted(names, key=lambda name: name in shared))


def place_at(steps: Iterable[tuple[str | int, Mapping[str, str]]]) -> Place:
    """The place that steps lead to from the top: each a key or an index, and the keys of the mapping that it is in."""
    place = TOP
    for step, keys in steps:
        place = place.item() if isinstance(step, int) else place.below(step, keys)
    return place


def meaning(model: type[Closed], name: str) -> str:
    """What a field is for."""
    field = model.model_fields.get(name)
    return (field.description or "") if field is not None else ""


@cache
def _field(model: type[Closed], name: str) -> Place:
    field = model.model_fields.get(name)
    if field is None:
        return NOWHERE
    kind = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    found = _flat(kind)
    if issubclass(model, OneOf) and name in model.primary:
        inner = next((item for item in found if isinstance(item, type) and issubclass(item, Closed)), None)
        if inner is not None:
            found += _field(inner, model.primary[name]).alternatives
    return Place(found, field.description or "")


@cache
def _patch(refused: Refused) -> type[Closed]:
    """An experiment less what a patch cannot hold: a model that says what may stand there, and validates nothing."""
    held = {name: (item.annotation, item) for name, item in Experiment.model_fields.items() if name not in refused.keys}
    return create_model(refused.title, __base__=Closed, __doc__=Experiment.__doc__, **held)  # type: ignore[call-overload, no-any-return]


def _words(model: type[Closed], name: str) -> tuple[str, ...]:
    return tuple(str(word) for item in _field(model, name).alternatives for word in get_args(item))


def _flat(kind: Any) -> tuple[Any, ...]:
    """The alternatives of an annotation, in order."""
    if isinstance(kind, Deferred):
        return (kind.make(),)
    origin = get_origin(kind)
    if origin is Annotated:
        inner, *marks = get_args(kind)
        if any(
            isinstance(mark, WithJsonSchema) and EXPRESSION_MARK.items() <= (mark.json_schema or {}).items()
            for mark in marks
        ):
            return (EXPRESSION,)
        if CONDITION in marks:
            return (CONDITIONS,)
        return (*_flat(inner), *(mark for mark in marks if isinstance(mark, NameOf)))
    if origin in (Union, UnionType):
        return tuple(item for part in get_args(kind) for item in _flat(part))
    if origin is dict and get_args(kind)[1] is Any:
        refused = [mark for mark in getattr(get_args(kind)[0], "__metadata__", ()) if isinstance(mark, Refused)]
        return (_patch(refused[0]) if refused else Experiment,)  # what is open in the models is a patch
    if kind in (NoneType, None, Any):
        return ()
    return (TEXT,) if kind is str else (kind,)
