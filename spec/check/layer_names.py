"""The unique keys of the layers in a list: their own names, else kind and position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..diagnostics.problems import Span, problem_at

WEIGHTS = "weights"
"""The name that reaches all weights of a network."""


def layer_keys(network: str, models: Sequence[Any]) -> list[str]:
    """A key for each layer.

    A name that also says another layer's kind and position, or the kind of the only other of its kind, would reach two
    layers, and give them one weight. Raises StudyError.
    """
    names = [getattr(model.value, "name", None) for model in models]
    places = _places([model.value if model.kind == "apply" else model.kind for model in models])
    keys = _places([model.kind for model in models])
    called = [_by_word(words) for words in (places, keys)]
    taken: dict[str, int] = {}
    for place, (name, model) in enumerate(zip(names, models, strict=True)):
        if name is None:
            continue
        span = model.value.span("name")
        if name in taken:
            raise problem_at(span, f"two layers of '{network}' have the name '{name}'", "Rename one of them.")
        taken[name] = place
        _free(network, name, place, called, span)
    words = [word for word, _ in keys]
    return [name or word for name, word in zip(names, words, strict=True)]


def _free(network: str, name: str, place: int, called: Sequence[Mapping[str, Sequence[int]]], span: Span) -> None:
    """Refuses a name that reaches something else already."""
    if name == WEIGHTS:
        message = f"`{network}.weights` is all weights of '{network}', and cannot be a layer's name"
        raise problem_at(span, message, "Choose another name.")
    for places in called:
        for other in places.get(name, ()):
            if other != place:
                message = f"the name '{name}' already belongs to layer {other + 1} of this list, by its kind"
                hint = "Choose another name: a layer is also called by its kind and position among those of its kind."
                raise problem_at(span, message, hint)


def _by_word(words: Sequence[tuple[str, str]]) -> dict[str, list[int]]:
    """The layers that each word reaches, in order."""
    layers: dict[str, list[int]] = {}
    for place, pair in enumerate(words):
        for word in dict.fromkeys(pair):
            layers.setdefault(word, []).append(place)
    return layers


def _places(kinds: Sequence[str]) -> list[tuple[str, str]]:
    """Kind and position of each, and its kind alone where it is the only one (else the same again)."""
    counts: dict[str, int] = {}
    times = Counter(kinds)
    places = []
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
        word = f"{kind}_{counts[kind]}"
        places.append((word, kind if times[kind] == 1 else word))
    return places
