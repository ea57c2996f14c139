"""Renamed layers of networks, at any depth: the older network with their new names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from .layer_alignment import aligned, kind, own_name
from .trees import Branch, Layers, Tree

Place = tuple[str, ...]
"""A layer by the names of its network, of the layers that it is in, and its own."""


def renamed_layers(before: Mapping[str, Tree], after: Mapping[str, Tree]) -> Iterator[tuple[Place, str]]:
    """Layers of networks that have another name in the same place: by their old names inside the new ones, and what they are called now."""
    for network, tree in before.items():
        yield from _renamed(_layers(tree), _layers(after.get(network)), (network,))


def with_layer_names(networks: Mapping[str, Tree], names: Mapping[Place, str]) -> dict[str, Tree]:
    """Networks with their layers under new names."""
    return {network: _renaming(tree, (network,), names) for network, tree in networks.items()}


def _renamed(before: Layers, after: Layers, outer: Place) -> Iterator[tuple[Place, str]]:
    keys = {key for key, _ in before.items}, {key for key, _ in after.items}
    for pair in aligned(before, after):
        if pair.old is None or pair.new is None:
            continue
        (old, old_item), (new, new_item) = before.items[pair.old], after.items[pair.new]
        if kind(old_item) != kind(new_item):
            continue
        seen = own_name(old, old_item) or own_name(new, new_item)
        if old != new and seen and new not in keys[0] and old not in keys[1]:
            yield (*outer, old), new
            old = new
        if old == new:
            yield from _renamed(_layers(old_item), _layers(new_item), (*outer, new))


def _renaming(tree: Tree, outer: Place, names: Mapping[Place, str]) -> Tree:
    if not isinstance(tree, Branch) or not isinstance(layers := tree.entries.get("layers"), Layers):
        return tree
    items = []
    for key, item in layers.items:
        now = names.get((*outer, key), key)
        inner = _renaming(item, (*outer, now), names)
        assert not isinstance(inner, Layers) and inner is not None
        items.append((now, inner))
    return replace(tree, entries={**tree.entries, "layers": Layers(tuple(items))})  # type: ignore[arg-type]


def _layers(tree: Tree | None) -> Layers:
    layers = tree.entries.get("layers") if isinstance(tree, Branch) else None
    return layers if isinstance(layers, Layers) else Layers(())
