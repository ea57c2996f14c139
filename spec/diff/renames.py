"""Finds renamed names by what they stand for, and writes the older tree with the new names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from ..expressions import nodes as n
from .classes import is_until
from .expressions import names, substituted
from .layer_names import renamed_layers, with_layer_names
from .likeness import Parts, assigned, parts
from .paths import differences
from .selections import reselected
from .settings import AxisNames
from .swaps import exchanged
from .trees import UNORDERED, Branch, Expression, Layers, Tree, expression, in_one_order, leaves, rough, same

KINDS: Mapping[tuple[str, ...], str] = {
    ("constants",): "constant",
    ("functions",): "function",
    ("task", "draw"): "draw",
    ("task", "example"): "example",
    ("task", "statistics"): "statistic",
    ("task", "tests"): "test stream",
    ("training", "phases"): "phase",
    ("training", "updates"): "update",
    ("architecture",): "network",
    ("estimates",): "estimate",
    ("outputs",): "output",
    ("loss",): "loss term",
    ("measures",): "measure",
    ("claims",): "claim",
    ("figures",): "figure",
}
"""The maps whose keys are the writer's own names."""
SAID_AGAIN: Mapping[tuple[str, ...], str] = {("task", "tests"): "example", ("training", "phases", "loss"): "loss term"}
"""Maps of maps in which such names stand again, and what more leads to them from each name of the outer map."""
SEEDING = frozenset({"draw", "example", "network", "experiment", "layer"})
"""Names that enter a seed: renaming one gives the same distribution, and other numbers."""
NAMESPACE = frozenset({"constant", "function", "draw", "example", "statistic", "network", "estimate", "output"})
"""Names that expressions use."""
JUDGED = ("claims", "figures")
"""Where names of measures and of variants stand in expressions."""
Use = tuple[tuple[str, ...], int]
"""Where a name is used: the path of an expression, and the place in it."""


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
    axes: AxisNames = field(default_factory=AxisNames)

    def of(self, kinds: Iterable[str]) -> dict[str, str]:
        """Old name to new, for names of some kinds."""
        wanted = set(kinds)
        return {item.old: item.new for item in self.found if item.kind in wanted}

    def carried(self, tree: Branch) -> Branch:
        """An older tree with the new names."""
        if not self.found and not self.axes.axes and not self.axes.values:
            return tree
        values = self.of(NAMESPACE)
        beside = self.of({"phase", "test stream"})
        judged = {**beside, **values, **self.of({"measure"}), **self.axes.axes}
        layer_names = self._layer_names(values)
        layers = _by_old_path(layer_names, values)
        entries: dict[str, Tree] = {}
        for key, inner in tree.entries.items():
            mapping = judged if key in JUDGED else {**beside, **values}
            mapping = {**self.of({"measure"}), **mapping} if key == "measures" else mapping
            if key in JUDGED and self.axes.values:
                inner = reselected(inner, self.axes.values)
            if key == "training" and isinstance(inner, Branch):
                entries[key] = self._training(inner, {**beside, **values}, layers)
            else:
                entries[key] = _carried(inner, mapping, layers)
        for place in [*KINDS, ("gradient",)]:
            own = {item.old: item.new for item in self.found if item.place == place}
            if place == ("gradient",):
                own = _targets(entries.get("gradient"), values, layers)
            entries = _rekeyed(entries, place, own)
        for place, kind in SAID_AGAIN.items():
            for name in _map(Branch(entries), place[:2]):
                entries = _rekeyed(entries, (*place[:2], name, *place[2:]), self.of({kind}))
        if layer_names and "architecture" in entries:
            entries["architecture"] = Branch(with_layer_names(_map(Branch(entries), ("architecture",)), layer_names))
        return replace(tree, entries=entries)

    def _layer_names(self, values: Mapping[str, str]) -> dict[tuple[str, ...], str]:
        """New names of layers, by the new name of the network, those of the layers that they are in, and their old names."""
        places = [((*item.place[1::2], item.old), item.new) for item in self.found if item.kind == "layer"]
        return {(values.get(network, network), *inner): new for (network, *inner), new in places}

    def _training(self, tree: Branch, values: Mapping[str, str], layers: Mapping[str, str]) -> Branch:
        """The training, or a phase of it: `until` speaks of measures, and an optimiser may be a network's."""
        entries = {
            key: _carried(inner, {**values, **self.of({"measure"})} if key == "until" else values, layers)
            for key, inner in tree.entries.items()
        }
        if isinstance(phases := tree.entries.get("phases"), Branch):
            inner = {
                key: self._training(one, values, layers)
                for key, one in phases.entries.items()
                if isinstance(one, Branch)
            }
            entries["phases"] = replace(phases, entries=inner)
        if isinstance(modes := entries.get("gradient"), Branch):
            targets = _targets(modes, values, layers)
            kept = {targets.get(key, key): inner for key, inner in modes.entries.items()}
            entries["gradient"] = replace(modes, entries=kept)
        if isinstance(updates := tree.entries.get("updates"), Branch):
            entries["updates"] = replace(
                updates, entries={key: self._update(one, values) for key, one in updates.entries.items()}
            )
        optimizer = entries.get("optimizer")
        if isinstance(optimizer, Branch) and not optimizer.head:
            kept = {values.get(key, key): inner for key, inner in optimizer.entries.items()}
            entries["optimizer"] = replace(optimizer, entries=kept)
        return replace(tree, entries=entries)

    def _update(self, tree: Tree, values: Mapping[str, str]) -> Tree:
        """An update, which speaks of networks and of terms of the loss."""
        if not isinstance(tree, Branch):
            return tree
        terms = self.of({"loss term"})
        entries = {
            key: _entry(key, inner, terms if key == "loss" else values, {}) for key, inner in tree.entries.items()
        }
        return replace(tree, entries=entries)


def find(before: Branch, after: Branch, axes: AxisNames) -> Renames:
    """The names of an experiment that were written otherwise, those that others are made from first."""
    renames = Renames(axes=axes)
    renames.found += _layer_names(before, after)
    _exchange(before, after, renames)
    while True:
        carried = renames.carried(before)
        fresh = list(islice(_candidates(carried, after), 1)) or _layer_names(carried, after)
        if not fresh:
            return renames
        renames.found += fresh


def _exchange(before: Branch, after: Branch, renames: Renames) -> None:
    """Adds names that were exchanged, where fewer paths differ so than with each name for itself."""
    for place, kind in KINDS.items():
        new_names = exchanged(_map(renames.carried(before), place), _map(after, place), same, rough)
        if new_names:
            swapped = replace(
                renames, found=[*renames.found, *(Rename(kind, place, *pair) for pair in new_names.items())]
            )
            if len(differences(swapped.carried(before), after)) < len(differences(renames.carried(before), after)):
                renames.found = swapped.found


def _candidates(before: Branch, after: Branch) -> Iterator[Rename]:
    """Pairs of a name that went and one that came that mean the same: by what they stand for, else by their use.

    Then those that are most alike in both.
    """
    lone: list[tuple[tuple[str, ...], str, list[str], list[str]]] = []
    for place, kind in KINDS.items():
        old, new = _map(before, place), _map(after, place)
        gone, fresh = [key for key in old if key not in new], [key for key in new if key not in old]
        if gone and fresh:
            lone.append((place, kind, gone, fresh))
    if not lone:
        return
    used = uses(before), uses(after)
    for by_use in (False, True):
        for place, kind, gone, fresh in lone:
            old, new = _map(before, place), _map(after, place)
            for name in gone:
                own = used[0].get(name, []) if kind in NAMESPACE else []
                scored = []
                for other in fresh:
                    theirs = used[1].get(other, []) if kind in NAMESPACE else []
                    if (own == theirs and bool(own)) if by_use else same(old[name], new[other]):
                        scored.append((len([use for use in own if use in theirs]), other))
                if scored:
                    best = max(scored, key=lambda item: item[0])[1]
                    yield Rename(kind, place, name, best)
    for place, kind, gone, fresh in lone:
        sides = [
            {name: _parts(_map(tree, place)[name], kind, uses_of.get(name, [])) for name in names}
            for tree, names, uses_of in zip((before, after), (gone, fresh), used, strict=True)
        ]
        yield from (Rename(kind, place, was, now) for was, now in assigned(*sides).items())


def _parts(tree: Tree, kind: str, used: Iterable[Use]) -> Parts:
    """What a name stands for and where it is used, as far as it can be used by its name."""
    judged = kind == "measure"
    if not judged and kind not in NAMESPACE:
        return parts(tree)
    return parts(tree) + Counter(use for use in used if _of_measures(use[0]) == judged)


def _of_measures(path: tuple[str, ...]) -> bool:
    """Whether names of measures stand in the expressions at a path."""
    return path[0] in JUDGED or is_until(path)


def uses(tree: Branch) -> dict[str, list[Use]]:
    """For each name, in which leaf and at which place of its expression it stands."""
    places: dict[str, list[Use]] = {}
    for path, leaf in leaves(tree):
        if isinstance(leaf, Expression):
            free = names(leaf.tree) - set(leaf.parameters)
            for place, node in enumerate(n.walk(leaf.tree)):
                word = node.name if isinstance(node, n.Name) else node.function if isinstance(node, n.Call) else ""
                if word in free:
                    places.setdefault(word, []).append((path, place))
    phases = _map(tree, ("training", "phases"))
    for modes in (("gradient",), *(("training", "phases", name, "gradient") for name in phases)):
        for target in _map(tree, modes):
            places.setdefault(target.partition(".")[0], []).append((modes, 0))
    return places


def _layer_names(before: Branch, after: Branch) -> list[Rename]:
    """Layers under another name in the same place."""
    networks = _map(before, ("architecture",)), _map(after, ("architecture",))
    places = [(place, new) for place, new in renamed_layers(*networks)]
    return [Rename("layer", ("architecture", *_between(place[:-1])), place[-1], new) for place, new in places]


def _between(steps: tuple[str, ...]) -> tuple[str, ...]:
    """The path below `architecture` of a layer's siblings: `f`, `layers`, `block`, `layers`."""
    return tuple(word for step in steps for word in (step, "layers"))


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
            return replace(tree, entries={key: _entry(key, inner, mapping, layers) for key, inner in entries.items()})
        case Layers(items):
            return Layers(tuple((key, _only(_carried(item, mapping, layers))) for key, item in items))
    return tree


def _entry(key: str, tree: Tree, mapping: Mapping[str, str], layers: Mapping[str, str]) -> Tree:
    carried = _carried(tree, mapping, layers)
    return in_one_order(carried) if key in UNORDERED and isinstance(carried, Expression) else carried


def _only(tree: Tree) -> Branch | Expression:
    assert isinstance(tree, Branch | Expression)
    return tree


def _by_old_path(layer_names: Mapping[tuple[str, ...], str], networks: Mapping[str, str]) -> dict[str, str]:
    """New names of layers by the path that expressions of the older side know them by: `f.block.hidden`."""
    old_networks = {new: old for old, new in networks.items()}
    old_names = {(*place[:-1], new): place[-1] for place, new in layer_names.items()}
    paths = {}
    for place, new in layer_names.items():
        outer = [old_names.get(place[: i + 1], place[i]) for i in range(1, len(place) - 1)]
        paths[".".join([old_networks.get(place[0], place[0]), *outer, place[-1]])] = new
    return paths


def _targets(gradient: Tree | None, values: Mapping[str, str], layers: Mapping[str, str]) -> dict[str, str]:
    """The targets of gradient modes under their new names."""
    targets = {}
    for key in gradient.entries if isinstance(gradient, Branch) else ():
        head, *steps = key.split(".")
        inner = [layers.get(".".join([head, *steps[: i + 1]]), step) for i, step in enumerate(steps)]
        now = ".".join([values.get(head, head), *inner])
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
