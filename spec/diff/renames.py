"""Finds renamed names by what they stand for, and writes the older tree with the new names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..expressions import nodes as n
from .expressions import names, substituted
from .trees import Branch, Expression, Layers, Tree, expression, leaves, same

KINDS: Mapping[tuple[str, ...], str] = {
    ("constants",): "constant",
    ("functions",): "function",
    ("task", "draw"): "draw",
    ("task", "example"): "example",
    ("architecture",): "network",
    ("outputs",): "output",
    ("loss",): "loss term",
    ("measures",): "measure",
    ("claims",): "claim",
    ("figures",): "figure",
}
"""The maps whose keys are the writer's own names."""
SEEDING = frozenset({"draw", "example", "network", "experiment", "layer"})
"""Names that enter a seed: renaming one gives the same distribution, and other numbers."""
NAMESPACE = frozenset({"constant", "function", "draw", "example", "network", "output"})
"""Names that expressions use."""
JUDGED = ("claims", "figures")
"""Where names of measures and of variants stand in expressions."""


@dataclass(frozen=True)
class Rename:
    """One name written otherwise. `place` is the map that it stands in."""

    kind: str
    place: tuple[str, ...]
    old: str
    new: str


@dataclass
class Renames:
    """All that were found in an experiment."""

    found: list[Rename] = field(default_factory=list)
    variants: dict[str, str] = field(default_factory=dict)

    def of(self, kinds: Iterable[str]) -> dict[str, str]:
        """Old name to new, for names of some kinds."""
        wanted = set(kinds)
        return {item.old: item.new for item in self.found if item.kind in wanted}

    def carried(self, tree: Branch) -> Branch:
        """An older tree with the new names."""
        if not self.found and not self.variants:
            return tree
        values = self.of(NAMESPACE)
        judged = {**values, **self.of({"measure"}), **self.variants}
        parts = {(item.place[1], item.old): item.new for item in self.found if item.kind == "layer"}
        layers = {f"{values.get(network, network)}.{old}": new for (network, old), new in parts.items()}
        entries: dict[str, Tree] = {}
        for key, inner in tree.entries.items():
            mapping = judged if key in JUDGED else values
            if key == "training" and isinstance(inner, Branch):
                entries[key] = self._training(inner, values, layers)
            else:
                entries[key] = _carried(inner, mapping, layers)
        for place in [*KINDS, ("gradient",)]:
            own = {item.old: item.new for item in self.found if item.place == place}
            if place == ("gradient",):
                own = _targets(entries.get("gradient"), values, layers)
            entries = _rekeyed(entries, place, own)
        networks = {
            key: _relayered(key, inner, layers) for key, inner in _map(Branch(entries), ("architecture",)).items()
        }
        if layers and networks:
            entries["architecture"] = Branch(networks)
        return replace(tree, entries=entries)

    def _training(self, tree: Branch, values: Mapping[str, str], layers: Mapping[str, str]) -> Branch:
        """The training: `until` speaks of measures, and an optimiser may be a network's."""
        entries = {
            key: _carried(inner, {**values, **self.of({"measure"})} if key == "until" else values, layers)
            for key, inner in tree.entries.items()
        }
        optimizer = entries.get("optimizer")
        if isinstance(optimizer, Branch) and not optimizer.head:
            kept = {values.get(key, key): inner for key, inner in optimizer.entries.items()}
            entries["optimizer"] = replace(optimizer, entries=kept)
        return replace(tree, entries=entries)


def find(before: Branch, after: Branch, variants: Mapping[str, str]) -> Renames:
    """The names of an experiment that were written otherwise, those that others are made from first."""
    renames = Renames(variants=dict(variants))
    _layer_names(before, after, renames)
    while True:
        carried = renames.carried(before)
        fresh = next(_candidates(carried, after), None)
        if fresh is None:
            return renames
        renames.found.append(fresh)


def _candidates(before: Branch, after: Branch) -> Iterator[Rename]:
    """Pairs of a name that went and one that came that mean the same: by what they stand for, else by their use."""
    uses: tuple[dict[str, list[object]], dict[str, list[object]]] | None = None
    for by_use in (False, True):
        for place, kind in KINDS.items():
            old, new = _map(before, place), _map(after, place)
            gone = [key for key in old if key not in new]
            fresh = [key for key in new if key not in old]
            if not gone or not fresh:
                continue
            uses = uses or (_uses(before), _uses(after))
            for name in gone:
                own = uses[0].get(name, []) if kind in NAMESPACE else []
                scored = []
                for other in fresh:
                    theirs = uses[1].get(other, []) if kind in NAMESPACE else []
                    if (own == theirs and bool(own)) if by_use else same(old[name], new[other]):
                        scored.append((len([use for use in own if use in theirs]), other))
                if scored:
                    best = max(scored, key=lambda item: item[0])[1]
                    yield Rename(kind, place, name, best)


def _uses(tree: Branch) -> dict[str, list[object]]:
    """For each name, in which leaf and at which place of its expression it stands."""
    places: dict[str, list[object]] = {}
    for path, leaf in leaves(tree):
        if isinstance(leaf, Expression):
            free = names(leaf.tree) - set(leaf.parameters)
            for place, node in enumerate(n.walk(leaf.tree)):
                word = node.name if isinstance(node, n.Name) else node.function if isinstance(node, n.Call) else ""
                if word in free:
                    places.setdefault(word, []).append((path, place))
    for target in _map(tree, ("gradient",)):
        places.setdefault(target.partition(".")[0], []).append(("gradient",))
    return places


def _layer_names(before: Branch, after: Branch, renames: Renames) -> None:
    """Layers that differ in nothing but their names, where the networks have the same kinds of layers."""
    for key, network in _map(before, ("architecture",)).items():
        old, new = _items(network), _items(_map(after, ("architecture",)).get(key))
        if [_head(item) for _, item in old] != [_head(item) for _, item in new]:
            continue
        for (was, a), (now, b) in zip(old, new, strict=True):
            if was != now and same(a, b):
                renames.found.append(Rename("layer", ("architecture", key, "layers"), was, now))


def _head(item: Branch | Expression) -> str:
    return item.head if isinstance(item, Branch) else "apply"


def _items(network: Tree | None) -> tuple[tuple[str, Branch | Expression], ...]:
    layers = network.entries.get("layers") if isinstance(network, Branch) else None
    return layers.items if isinstance(layers, Layers) else ()


def _map(tree: Branch, place: tuple[str, ...]) -> Mapping[str, Tree]:
    node: Tree | None = tree
    for step in place:
        node = node.entries.get(step) if isinstance(node, Branch) else None
    return node.entries if isinstance(node, Branch) else {}


def _carried(tree: Tree, mapping: Mapping[str, str], layers: Mapping[str, str]) -> Tree:
    match tree:
        case Expression(node, parameters):
            own = {old: new for old, new in mapping.items() if old not in parameters}
            return expression(substituted(node, own, layers), parameters) if own or layers else tree
        case Branch(entries):
            return replace(tree, entries={key: _carried(inner, mapping, layers) for key, inner in entries.items()})
        case Layers(items):
            return Layers(tuple((key, _only(_carried(item, mapping, layers))) for key, item in items))
    return tree


def _relayered(key: str, network: Tree, layers: Mapping[str, str]) -> Tree:
    """A network with its layers' keys renamed."""
    if not isinstance(network, Branch) or not isinstance(network.entries.get("layers"), Layers):
        return network
    items = tuple((layers.get(f"{key}.{name}", name), item) for name, item in _items(network))
    return replace(network, entries={**network.entries, "layers": Layers(items)})


def _only(tree: Tree) -> Branch | Expression:
    assert isinstance(tree, Branch | Expression)
    return tree


def _targets(gradient: Tree | None, values: Mapping[str, str], layers: Mapping[str, str]) -> dict[str, str]:
    """The targets of gradient modes under their new names."""
    targets = {}
    for key in gradient.entries if isinstance(gradient, Branch) else ():
        head, dot, rest = key.partition(".")
        owner = values.get(head, head)
        now = owner + dot + layers.get(f"{owner}.{rest}", rest)
        if now != key:
            targets[key] = now
    return targets


def _rekeyed(entries: dict[str, Tree], place: tuple[str, ...], mapping: Mapping[str, str]) -> dict[str, Tree]:
    """A tree's entries with the keys of one map renamed."""
    inner = entries.get(place[0])
    if not mapping or not isinstance(inner, Branch):
        return entries
    below = {mapping.get(key, key): value for key, value in inner.entries.items()}
    if len(place) > 1:
        below = _rekeyed(dict(inner.entries), place[1:], mapping)
    return {**entries, place[0]: replace(inner, entries=below)}
