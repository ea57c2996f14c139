"""Layers and phases that a patch puts between others: `norm: {layer_normalization: {}, after: hidden}`, `rest: {steps: 100, before: task_b}`."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence as SequenceOf
from dataclasses import replace
from typing import Any

from ..diagnostics.problems import did_you_mean, listing, problem_at, sentence
from ..source.nodes import Mapping, Node, Scalar
from ..tables.layers import LAYERS

BEFORE, AFTER = "before", "after"


def says_where(node: Node) -> bool:
    """Whether an entry of a patch of layers says where it goes."""
    return isinstance(node, Mapping) and not {BEFORE, AFTER}.isdisjoint(node.keys())


def kinds_in(node: Node) -> list[str]:
    """The kinds of layers that an entry of a patch of layers names: one where it is meant as a new layer."""
    return [key.text for key, _ in node.entries if key.text in (*LAYERS, "repeat")] if isinstance(node, Mapping) else []


def insert(key: Scalar, node: Mapping, items: list[Node], names: dict[str, int]) -> None:
    """Puts a new layer, called by its key, before or after another one.

    Args:
        key: The new layer's name.
        node: The layer, under its kind, and `before` or `after` with the name of another.
        items: The layers, changed in place.
        names: Where the layers are that names reach, changed in place.
    """
    if key.text in names:
        message = f"a layer '{key.text}' exists here already, and `{BEFORE}` and `{AFTER}` place a new one"
        raise problem_at(key.span, message, "Give the new layer another name; to change this one, remove its place.")
    place = _place(key, node, names)
    kind, layer = _layer(key, node)
    _undisturbed(kind, items[place:])
    items.insert(place, layer)
    for name, other in list(names.items()):
        names[name] = other + (other >= place)
    names[key.text] = place


def _place(key: Scalar, node: Mapping, names: dict[str, int]) -> int:
    """Where in the list a new layer goes."""
    words = [word for word in (BEFORE, AFTER) if node.get(word) is not None]
    if len(words) == 2:
        raise problem_at(key.span, f"'{key.text}' goes `{BEFORE}` one layer and `{AFTER}` another", "Keep one of them.")
    (word,) = words
    return names[_anchor(node, word, key, names, "layer")] + (word == AFTER)


def _anchor(node: Mapping, word: str, key: Scalar, names: Collection[str], what: str) -> str:
    """The layer or phase, as `what` says, that a new one goes before or after; `key` is where it says so, if it names nothing."""
    anchor = node.get(word)
    if not isinstance(anchor, Scalar) or anchor.text not in names:
        span = anchor.span if anchor is not None else key.span
        text = anchor.text if isinstance(anchor, Scalar) else ""
        hint = sentence(did_you_mean(text, names), f"The {what}s are {listing(names)}.")
        raise problem_at(span, f"there is no {what} '{text}' here to go {word}", hint)
    return anchor.text


def _layer(key: Scalar, node: Mapping) -> tuple[Scalar, Node]:
    """A new layer's kind, and the layer with its name."""
    layers = [(kind, inner) for kind, inner in node.entries if kind.text not in (BEFORE, AFTER)]
    if len(layers) != 1 or layers[0][0].text not in (*LAYERS, "repeat"):
        wrong = [kind for kind, _ in layers if kind.text not in (*LAYERS, "repeat")]
        message = f"a new layer '{key.text}' takes its kind, and `{BEFORE}` or `{AFTER}`"
        near = did_you_mean(wrong[0].text, (*LAYERS, "repeat")) if wrong else ""
        example = (
            f"Write `{key.text}: {{layer_normalization: {{}}, {AFTER}: hidden}}`; a function is `activation: NAME`."
        )
        raise problem_at((wrong[0] if wrong else key).span, message, sentence(near, example))
    ((kind, inner),) = layers
    if not isinstance(inner, Mapping):
        primary = LAYERS[kind.text].primary if kind.text in LAYERS else None
        nothing = isinstance(inner, Scalar) and inner.value is None
        word = Scalar(primary, primary or "", True, inner.span)
        inner = Mapping(((word, inner),) if primary and not nothing else (), inner.span)
    if (said := inner.key("name")) is not None:
        raise problem_at(said.span, f"this layer has its name, '{key.text}', from its key", "Remove its `name`.")
    word = Scalar("name", "name", True, key.span)
    named = replace(inner, entries=((word, Scalar(key.text, key.text, True, key.span)), *inner.entries))
    return kind, Mapping(((kind, named),), node.span)


def _undisturbed(kind: Scalar, behind: SequenceOf[Node]) -> None:
    """Refuses a layer that changes the place of another among those of its kind: by it that is named, and draws its weights."""
    for item in behind:
        own, inner = item.entries[0] if isinstance(item, Mapping) and item.entries else (item, None)
        named = isinstance(inner, Mapping) and inner.key("name") is not None
        if isinstance(own, Scalar) and own.text == kind.text and not named:
            word = kind.text
            message = f"the '{word}' after this one has no name: its position would change, and with it its name and its first weights"
            raise problem_at(kind.span, message, f"Give the '{word}' after it a `name` in the experiment.")


def phase_before(key: Scalar, node: Node, names: Collection[str]) -> tuple[Node, str | None]:
    """An entry of a patch of phases without what says its place, and the phase that it goes before, if it says one.

    `names` are the phases that are there. Raises StudyError.
    """
    if not isinstance(node, Mapping) or (word := node.key(BEFORE)) is None:
        return node, None
    if key.text in names:
        message = f"a phase '{key.text}' exists here already, and `{BEFORE}` places a new one"
        raise problem_at(word.span, message, "Give the new phase another name; to change this one, remove its place.")
    anchor = _anchor(node, BEFORE, word, names, "phase")
    rest = tuple(entry for entry in node.entries if entry[0].text != BEFORE)
    return replace(node, entries=rest), anchor


def moved_before(entries: dict[str, Any], name: str, anchor: str) -> dict[str, Any]:
    """The entries, with one of them put before another.

    >>> moved_before({"a": 1, "b": 2, "c": 3}, "c", "b")
    {'a': 1, 'c': 3, 'b': 2}
    """
    order = [other for other in entries if other != name]
    order.insert(order.index(anchor), name)
    return {other: entries[other] for other in order}
