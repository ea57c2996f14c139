"""That profiles and overrides only change what is there: a name of the writer's own that they would add is refused."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

from ..diagnostics.problems import did_you_mean, problem_at, sentence
from ..model.base import NameOf
from ..model.experiment import Experiment
from ..model.fields import Place
from ..source.nodes import Mapping, Node, Sequence
from .patches import EACH, PHASES, Path, layer_names, of_each

EXPERIMENT = Place((Experiment,))
AXES = "sweep"
"""The map whose entries may be maps that get new values: those of an axis."""


def must_exist(base: Node, patch: Node, what: str, path: Path = (), place: Place = EXPERIMENT) -> None:
    """Refuses names that a profile or an override would add to what is there.

    Args:
        base: What is there, at `path` of an experiment; `place` is what may stand there.
        patch: What is laid over it.
        what: Who does so, in words: "an override".

    Raises StudyError, at the first name that is not there.
    """
    if not isinstance(patch, Mapping):
        return
    if isinstance(base, Sequence) and place.holds_layers:
        _layers_must_exist(base, patch, what, path, place)
        return
    known = base.keys() if isinstance(base, Mapping) else ()
    texts = base.texts() if isinstance(base, Mapping) and base.entries else patch.texts()
    only = f"{what[0].upper()}{what[1:]} only changes what is there."
    for key, node in patch.entries:
        below = base.get(key.text) if isinstance(base, Mapping) else None
        if key.text == EACH and path == PHASES and isinstance(base, Mapping) and base.entries:
            must_exist(base, of_each(base, patch), what, path, place)
            continue
        inner = place.below(key.text, {**texts, key.text: ""})
        if below is not None:
            must_exist(below, node, what, (*path, key.text), inner)
        elif path and _declares(place, base, patch) and path[:-1] != (AXES,):
            message = f"there is no '{key.text}' under '{'.'.join(path)}'"
            raise problem_at(key.span, message, sentence(did_you_mean(key.text, known), only))
        elif isinstance(node, Mapping) and node.entries and _declares(inner, None, node):
            first, _ = node.entries[0]
            raise problem_at(first.span, f"there is no '{first.text}' under '{key.text}'", only)


def _layers_must_exist(base: Sequence, patch: Mapping, what: str, path: Path, place: Place) -> None:
    """The same of the layers of a list, which are reached by name."""
    names = layer_names(base.items)
    for key, node in patch.entries:
        if key.text not in names:
            message = f"there is no '{key.text}' under '{'.'.join(path)}'"
            hint = sentence(did_you_mean(key.text, names), f"{what[0].upper()}{what[1:]} only changes what is there.")
            raise problem_at(key.span, message, hint)
        item = base.items[names[key.text]]
        if not isinstance(item, Mapping) or not isinstance(node, Mapping):
            continue
        (kind, arguments), *_ = item.entries
        own = node.get(kind.text) if node.keys() == (kind.text,) else node
        within = place.item().below(kind.text, {kind.text: ""})
        if own is not None:
            must_exist(arguments, own, what, (*path, key.text), within)


def _declares(place: Place, base: Node | None, patch: Mapping) -> bool:
    """Whether the keys of a mapping at a place are names: neither those of a model, nor labels of a figure, words of the language or parts of names."""
    maps = [get_args(item) for item in place.alternatives if get_origin(item) is dict]
    if not any(not _is_any_text(key) or place.below("", {}).models for key, _ in maps):
        return False
    return all(
        place.model(node.texts()) is None for node in (base, patch) if isinstance(node, Mapping) and node.entries
    )


def _is_any_text(key: Any) -> bool:
    """Whether keys have no form of their own, though they may be names, or parts of them, that are declared elsewhere."""
    return key is str or (get_origin(key) is Annotated and all(isinstance(mark, NameOf) for mark in key.__metadata__))
