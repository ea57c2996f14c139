"""What the models say of values to be merged: which are one whole, and which short forms stand for longer ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_origin

from ..model.base import OneOf
from ..model.fields import EXPRESSION, Place, fields
from ..model.task import Data
from .meaning import keys
from .pieces import Collection, Flow, Item, Scalar, Value


def one_whole(values: Sequence[Collection], place: Place) -> bool:
    """Whether mappings are values of different kinds, which are not merged key by key: two optimisers, two kinds of figures."""
    models = [place.model(keys(value)) for value in values if value.items]
    if len(set(models)) > 1:
        return True
    model = models[0] if models else None
    if model is not None and issubclass(model, OneOf):
        return len({tuple(keys(value)) for value in values}) > 1
    if model is Data:
        return len({"enumerate" in keys(value) for value in values}) > 1
    return len({keys(value).get("kind", "") for value in values if value.items}) > 1


def primary(values: Sequence[Collection], place: Place, key: str) -> str | None:
    """The argument that a layer's or an optimiser's value is, where it is written without its name."""
    for value in values:
        model = place.model(keys(value))
        if model is not None and issubclass(model, OneOf):
            return model.primary.get(key)
    return None


def long_form(value: Value, place: Place, short: str | None) -> Value:
    """`3` as `{units: 3}`, `adam` as `{adam: {}}`, an expression as `{of: expression}`; what has no longer form as it is."""
    if not isinstance(value, Scalar) or value.literal or value.target is not None or value.tag:
        return value
    if short is not None:
        return _map(short, value) if value.written else Flow(True, "{", (), "}")
    word = value.text
    for model in place.models:
        if issubclass(model, OneOf) and word in fields(model):
            return _map(word, Flow(True, "{", (), "}"))
    if EXPRESSION in place.alternatives and any("of" in fields(model) for model in place.models):
        return _map("of", value)
    return value


def listed(value: Value, place: Place) -> Value:
    """One entry as the list of it, where a list may stand."""
    if not isinstance(value, Scalar) or not list_of_items(place):
        return value
    return Flow(False, "[", (Item((), None, "", "", value, ""),), "]")


def list_of_items(place: Place) -> bool:
    """Whether a list that stands here has items of its own, and is not an array or a pair, which are one value."""
    return EXPRESSION not in place.alternatives and any(get_origin(item) is list for item in place.alternatives)


def layers(place: Place) -> bool:
    """Whether a list that stands here is one of layers: the order counts, and they have names."""
    return any(isinstance(item, type) and issubclass(item, OneOf) for item in place.item().alternatives)


def own_names(values: Sequence[Collection], place: Place) -> bool:
    """Whether the keys of mappings are the writer's own."""
    return place.names and all(place.model(keys(value)) is None for value in values if value.items)


def _map(key: str, value: Value) -> Flow:
    return Flow(True, "{", (Item((), key, key, f"{key}: ", value, ""),), "}")
