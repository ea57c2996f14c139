"""Patches: one part of a document laid over another. Maps merge, anything else replaces, `null` deletes.

A loss is one value, and is replaced whole; terms that say a weight alone keep the rest, and the path of a term changes that term. One-of maps (optimiser,
layer, gradient mode) merge under the same key and are replaced under another. A measure that says how it is taken alone
keeps what it is of. A map patches a list of layers by name, and may put new ones between them.
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from dataclasses import replace
from typing import Any

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at, sentence
from ..model.experiment import Diagnostic
from ..source.nodes import Mapping, Node, Scalar, Sequence, data
from ..tables.layers import LAYERS
from ..tables.optimizers import OPTIMIZERS
from .insertions import insert, kinds_in, moved_before, phase_before, says_where

Path = tuple[str, ...]
PHASES: Path = ("training", "phases")
ALSO_OF_ENUMERATED = {"train", "order"}
"""What of `task.data` goes with `enumerate`, too, and says nothing of where examples come from."""
EACH = "*"
"""What stands for the name of every phase in a patch."""


class Terms(Mapping):
    """A patch of single terms of a loss, by their paths: the others stay, which a loss that is written as a map takes the place of."""

    __slots__ = ()


def merge(base: Node | None, patch: Node, path: Path = (), adds: bool = True) -> Node | None:
    """The base with the patch over it; None when it is deleted. `adds` says whether new names may appear."""
    if isinstance(patch, Scalar) and patch.value is None and patch.plain:
        return None
    if base is None:
        if path == PHASES and isinstance(patch, Mapping) and patch.get(EACH) is not None:
            return of_each(Mapping((), patch.span), patch)
        _nothing_to_delete(patch)
        return patch
    if path == ("loss",):
        return _merge_loss(base, patch)
    if isinstance(base, Sequence) and isinstance(patch, Mapping) and path[-1:] == ("layers",):
        return _merge_layers(base, patch, path, adds)
    if path[:-1] == ("measures",) and isinstance(patch, Mapping) and patch.get("of") is None and _says_how(patch):
        base = base if isinstance(base, Mapping) else nest(("of",), base, base.span)  # how what is measured is taken
    if not isinstance(base, Mapping) or not isinstance(patch, Mapping):
        return patch
    if _one_of(path, base, patch) and set(base.keys()) != set(patch.keys()):
        return patch
    if path == PHASES and patch.get(EACH) is not None:  # what is said of a phase itself goes over what is said of each
        every = merge(base, of_each(base, patch), path, adds)
        return merge(every, without(patch, EACH), path, adds)
    entries = dict((key.text, (key, node)) for key, node in base.entries)
    for key, node in patch.entries:
        below = entries.get(key.text)
        anchor = None
        if path == PHASES:
            node, anchor = phase_before(key, node, entries)
        merged = merge(below[1] if below else None, node, (*path, key.text), adds)
        if merged is None:
            if below is None:
                message = f"there is no '{key.text}' to delete here"
                raise problem_at(
                    key.span, message, did_you_mean(key.text, entries) or "Remove it: nothing here has this name."
                )
            del entries[key.text]
        else:
            entries[key.text] = (below[0] if below and not isinstance(node, Scalar) else key, merged)
            entries = entries if anchor is None else moved_before(entries, key.text, anchor)
    return Mapping(tuple(entries.values()), base.span)


def of_each(base: Mapping, patch: Mapping) -> Mapping:
    """What a patch of phases says of each (`"*"`), said of every phase of the base by its name. Raises StudyError where the base has no phase."""
    said, key = patch.get(EACH), patch.key(EACH)
    assert said is not None and key is not None
    if not base.entries:
        raise problem_at(key.span, "there are no phases to change", "Give the training `phases:`, or change `steps`.")
    names = base.keys()
    return Mapping(tuple((replace(key, value=name, text=name), said) for name in names), patch.span)


def _nothing_to_delete(patch: Node) -> None:
    """Refuses `null` in a map that is new."""
    for key, node in patch.entries if isinstance(patch, Mapping) else ():
        if isinstance(node, Scalar) and node.value is None and node.plain:
            raise problem_at(key.span, f"there is no '{key.text}' to delete here", "Remove it, or give it a value.")
        _nothing_to_delete(node)


def _one_of(path: Path, base: Mapping, patch: Mapping) -> bool:
    """Whether a map at this path is one key that names a kind."""
    if (path[:2] == ("training", "optimizer") and len(path) <= 3) or (
        path[:1] == ("training",) and "optimizer" in path[3:] and len(path) - path.index("optimizer", 3) <= 2
    ):
        return bool(set(base.keys()) & set(OPTIMIZERS)) or bool(set(patch.keys()) & set(OPTIMIZERS))
    if path == ("task", "data"):
        before, now = (one.get("enumerate") is not None for one in (base, patch))
        return before != now and (now or not ALSO_OF_ENUMERATED.issuperset(patch.keys()))
    if path[:-1] == ("measures",):
        return not set(base.keys()) & set(patch.keys()) and not (_says_how(base) and _says_how(patch))
    return path[:-1] == ("gradient",) or (path[:2] == PHASES and path[3:-1] == ("gradient",))


def _says_how(node: Node) -> bool:
    """Whether a map says of a measure what it is of, or how it is taken: it is no statistic."""
    return isinstance(node, Mapping) and bool(node.entries) and set(node.keys()).isdisjoint(Diagnostic.model_fields)


def weights_alone(patch: Node) -> bool:
    """Whether a patch of a loss changes some of its terms, and leaves the others: it says weights, deletes terms, or is of one path."""
    if isinstance(patch, Terms):
        return True
    return isinstance(patch, Mapping) and bool(patch.entries) and all(_no_term(node) for _, node in patch.entries)


def _no_term(node: Node) -> bool:
    if isinstance(node, Scalar):
        return node.value is None and node.plain
    return isinstance(node, Mapping) and node.get("of") is None


def _merge_loss(base: Node, patch: Node) -> Node:
    """A loss in place of another. A term that says a weight alone is that of the base with this weight."""
    if not isinstance(base, Mapping) or not isinstance(patch, Mapping):
        return patch
    if isinstance(patch, Terms):
        return _merge_terms(base, patch)
    entries = {key.text: (key, node) for key, node in base.entries} if weights_alone(patch) else {}
    for key, node in patch.entries:
        if isinstance(node, Mapping) and node.get("of") is None:
            if (before := base.get(key.text)) is None:
                hint = sentence(did_you_mean(key.text, base.keys()), f"Its terms are {listing(base.keys())}.")
                raise problem_at(key.span, f"the loss has no term '{key.text}' to weight", hint)
            node = merge(_long(before), node, ("loss", key.text)) or node
        elif isinstance(node, Scalar) and node.value is None and node.plain and entries:
            if entries.pop(key.text, None) is None:
                hint = did_you_mean(key.text, base.keys()) or f"The terms of the loss are {listing(base.keys())}."
                raise problem_at(key.span, f"there is no '{key.text}' to delete here", hint)
            continue
        elif isinstance(node, Scalar) and node.value is None and node.plain and base.get(key.text) is not None:
            hint = "Remove this: a loss with a new term replaces all terms."
            raise problem_at(key.span, f"'{key.text}' is removed already", hint)
        entries[key.text] = (key, node)
    return Mapping(tuple(entries.values()), base.span)


def _merge_terms(base: Mapping, patch: Terms) -> Node:
    """A loss with some terms changed; a loss of other terms, as a variant may have it, stays what it is."""
    entries = {key.text: (key, node) for key, node in base.entries}
    for key, node in patch.entries:
        own_key, own = entries.get(key.text, (key, None))
        if own is None:
            continue
        merged = merge(_long(own) if isinstance(node, Mapping) else own, node, ("loss", key.text))
        if merged is None:
            del entries[key.text]
        else:
            entries[key.text] = own_key, merged
    return Mapping(tuple(entries.values()), base.span)


def _long(term: Node) -> Node:
    """A term of a loss with its value under `of`."""
    long: Node = term if isinstance(term, Mapping) else nest(("of",), term, term.span)
    return long


def _merge_layers(base: Sequence, patch: Mapping, path: Path, adds: bool) -> Sequence:
    """Layers patched by name, or by kind and position (`dense_2`), and new ones put between them."""
    items = list(base.items)
    names = layer_names(items)
    for key, node in patch.entries:
        if isinstance(node, Mapping) and says_where(node):
            insert(key, node, items, names)
            continue
        if key.text not in names:
            new = [f"`{key.text}: {{{word}: …, after: {next(iter(names), 'x')}}}` adds one." for word in kinds_in(node)]
            known = [f"The layers are {listing(names)}.", *new]
            hint = sentence(did_you_mean(key.text, names), " ".join(known))
            raise problem_at(key.span, f"there is no layer '{key.text}' here", hint)
        place = names[key.text]
        if isinstance(node, Scalar) and node.value is None:
            items[place] = Scalar(None, "", True, node.span)
            continue
        items[place] = _merge_layer(items[place], node, (*path, key.text), adds)
    kept = tuple(item for item in items if not (isinstance(item, Scalar) and item.value is None))
    return Sequence(kept, base.span)


def _merge_layer(item: Node, patch: Node, path: Path, adds: bool) -> Node:
    if isinstance(item, Scalar):
        item = Mapping(((item, Mapping((), item.span)),), item.span)
    if not isinstance(item, Mapping) or len(item.entries) != 1:
        return patch
    ((kind, inner),) = item.entries
    arguments = LAYERS[kind.text].parameters if kind.text in LAYERS else ()
    if isinstance(patch, Mapping) and len(patch.entries) == 1:
        word = patch.keys()[0]
        if word in (*LAYERS, "repeat") and word not in arguments and word != kind.text:
            return _renamed(item, patch)
        if word == kind.text and word not in arguments:
            patch = patch.entries[0][1]
    if not isinstance(inner, Mapping):
        inner = _long_form(kind.text, inner)
    if not isinstance(patch, Mapping):
        patch = _long_form(kind.text, patch)
    merged = merge(inner, patch, path, adds)
    return Mapping(((kind, merged if merged is not None else inner),), item.span)


def _renamed(item: Mapping, patch: Mapping) -> Node:
    """A layer of another kind in place of a named one: it keeps the name that it was reached by."""
    inner = item.entries[0][1]
    key = inner.key("name") if isinstance(inner, Mapping) else None
    ((kind, given),) = patch.entries
    if key is None or not isinstance(inner, Mapping):
        return patch
    nothing = isinstance(given, Scalar) and given.value is None
    given = Mapping((), given.span) if nothing else given
    given = given if isinstance(given, Mapping) else _long_form(kind.text, given)
    if given.key("name") is not None or (name := inner.get("name")) is None:
        return patch
    return Mapping(((kind, replace(given, entries=(*given.entries, (key, name)))),), patch.span)


def _long_form(kind: str, given: Node) -> Mapping:
    """`dense: 3` as `dense: {units: 3}`."""
    primary = LAYERS[kind].primary if kind in LAYERS else None
    word = Scalar(primary, primary or "", True, given.span)
    return Mapping(((word, given),) if primary else (), given.span)


def layer_names(items: SequenceOf[Node]) -> dict[str, int]:
    """How the layers of a list can be addressed: by their names, or by kind and position from 1."""
    places: dict[str, int] = {}
    counts: dict[str, int] = {}
    for place, item in enumerate(items):
        kind, name = "", None
        if isinstance(item, Scalar):
            kind = item.text
        elif isinstance(item, Mapping) and item.entries:
            key, inner = item.entries[0]
            kind = key.text
            given = inner.get("name") if isinstance(inner, Mapping) else None
            name = given.text if isinstance(given, Scalar) else None
        counts[kind] = counts.get(kind, 0) + 1
        places[f"{kind}_{counts[kind]}"] = place
        if name:
            places[name] = place
    for kind, count in counts.items():
        if count == 1:
            places.setdefault(kind, places[f"{kind}_1"])
    return places


def nest(path: SequenceOf[str], value: Node, span: Span) -> Any:
    """A patch of one path: `training.steps=10` as `{training: {steps: 10}}`. One of a term of the loss leaves the other terms."""
    node = value
    for place, name in reversed(list(enumerate(path))):
        around = tuple(path[2:place] if path[0] == "variants" else path[:place])
        kind = Terms if around == ("loss",) else Mapping
        node = kind(((Scalar(name, name, True, span), node),), span)
    return node


def must_change(before: Node | None, after: Node | None, span: Span, what: str) -> None:
    """Refuses a patch that is not empty and yet changes nothing."""
    if alike(before, after):
        raise problem_at(span, f"{what} changes nothing: it says only what holds already", "Remove it, or write `{}`.")


def alike(before: Node | None, after: Node | None) -> bool:
    """Whether two trees hold the same data; what both share is not gone through."""
    if before is after:
        return True
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        pairs = ((node, after.get(key.text)) for key, node in before.entries)
        return len(before.entries) == len(after.entries) and all(alike(one, other) for one, other in pairs)
    if isinstance(before, Sequence) and isinstance(after, Sequence):
        items = zip(before.items, after.items, strict=False)
        return len(before.items) == len(after.items) and all(alike(one, other) for one, other in items)
    return before is not None and after is not None and data(before) == data(after)


def still_to_delete(node: Node, patch: Mapping) -> Mapping:
    """A patch less its deletions of what is not there: a variant may have deleted it already."""
    entries = []
    for key, item in patch.entries:
        below = node.get(key.text) if isinstance(node, Mapping) else None
        if (
            isinstance(node, Mapping)
            and below is None
            and isinstance(item, Scalar)
            and item.value is None
            and item.plain
        ):
            continue
        entries.append((key, still_to_delete(below, item) if below and isinstance(item, Mapping) else item))
    return replace(patch, entries=tuple(entries))


def without(node: Mapping, *keys: str) -> Mapping:
    """A mapping less some of its keys."""
    return replace(node, entries=tuple(entry for entry in node.entries if entry[0].text not in keys))
