"""Random documents after the models, and edits of them: every field of every model is written, changed, added and removed.

What they say is nonsense; a merge looks at what a document is made of, and never at what it computes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Literal, get_args, get_origin

from dlspec.spec.model.base import Closed, OneOf
from dlspec.spec.model.fields import CONDITIONS, EXPRESSION, TEXT, TOP, Place, fields
from dlspec.spec.model.task import Data

Path = tuple[str | int, ...]
Field = tuple[type[Closed], str]
FEW = 5
"""How many keys a mapping has at most."""
DEEP = 9
"""How many levels deep a document goes at most."""


def reachable() -> set[Field]:
    """All fields of all models that a document can hold."""
    known: set[type[Closed]] = set()
    found: set[Field] = set()
    waiting = [TOP]
    while waiting:
        place = waiting.pop()
        for alternative in place.alternatives:
            if isinstance(alternative, type) and issubclass(alternative, Closed):
                if alternative not in known:
                    known.add(alternative)
                    found |= {(alternative, name) for name in fields(alternative)}
                    waiting += [_below(alternative, name) for name in fields(alternative)]
            elif get_origin(alternative) is dict:
                waiting.append(Place((alternative,)).below("name", {}))
            elif get_origin(alternative) in (list, tuple):
                waiting.append(Place((alternative,)).item())
    return found


def _below(model: type[Closed], name: str) -> Place:
    return Place((model,)).below(name, {name: ""})


@dataclass
class Writer:
    """Writes documents; `seen` counts the fields that it wrote, so that rare ones are written next."""

    random: Random
    seen: dict[Field, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1000))

    def document(self) -> dict[str, Any]:
        """A document with `dlspec` and two experiments or more."""
        tree = {"dlspec": 1, **self.model(TOP.models[0], 0)}
        del tree["dlspec"]
        experiments = TOP.below("experiments", {"experiments": ""})
        names = {f"e{next(self.numbers)}": self.value(experiments.below("e", {}), 2) for _ in range(2)}
        return {"dlspec": 1, **tree, "experiments": names}

    def value(self, place: Place, depth: int) -> Any:
        """Something that may stand at a place."""
        alternatives = place.alternatives
        if depth >= DEEP:
            alternatives = tuple(item for item in alternatives if not _nested(item))
        if not alternatives:
            return self.text()
        best = min(alternatives, key=lambda item: (self.rarity(item), self.random.random()))
        return self.alternative(self.random.choice([best, *alternatives]), place, depth)

    def rarity(self, alternative: Any) -> int:
        if not (isinstance(alternative, type) and issubclass(alternative, Closed)):
            return 3
        return min((self.seen.get((alternative, name), 0) for name in fields(alternative)), default=3)

    def alternative(self, kind: Any, place: Place, depth: int) -> Any:
        number = next(self.numbers)
        if kind is EXPRESSION or kind is CONDITIONS:
            return self.random.choice(
                [number, number / 7, f"E(f{number}^2)", f"a + b * {number}", f"g(x, {number}) / 2"]
            )
        if kind is TEXT:
            return self.text()
        if kind is bool:
            return self.random.random() < 0.5
        if kind in (int, float):
            return number
        if get_origin(kind) is Literal:
            return self.random.choice(get_args(kind))
        if get_origin(kind) is dict:
            below = Place((kind,)).below("name", {})
            head = "({})" if place.heads else ""
            return {f"n{next(self.numbers)}{head.format('p, q') if head else ''}": self.value(below, depth + 1)
                    for _ in range(self.random.randint(1, 3))}  # fmt: skip
        if get_origin(kind) in (list, tuple):
            return [self.value(Place((kind,)).item(), depth + 1) for _ in range(self.random.randint(1, 3))]
        return self.model(kind, depth) if isinstance(kind, type) and issubclass(kind, Closed) else number

    def text(self) -> str:
        number = next(self.numbers)
        return self.random.choice(
            [f"text {number}", f"It is: {number}.", f"two\nlines {number}\n", f"'{number}' # quoted"]
        )

    def model(self, model: type[Closed], depth: int) -> dict[str, Any]:
        """A mapping of some fields of a model, those that were written least among them; of a choice, one."""
        names = sorted(fields(model), key=lambda name: (self.seen.get((model, name), 0), self.random.random()))
        if not names:
            return {}
        size = 1 if issubclass(model, OneOf) else self.random.randint(1, FEW)
        first = {"kind"} & set(names)
        tree = {}
        for name in [*first, *[name for name in names if name not in first][:size]]:
            self.seen[model, name] = self.seen.get((model, name), 0) + 1
            place = _below(model, name)
            words = place.words if name == "kind" else ()
            tree[name] = words[0] if words else self.value(place, depth + 1)
        return tree


def _nested(alternative: Any) -> bool:
    return (isinstance(alternative, type) and issubclass(alternative, Closed)) or get_origin(alternative) in (
        list,
        tuple,
        dict,
    )


@dataclass(frozen=True)
class Edit:
    """A change of one path: `value` is GONE where it is removed."""

    path: Path
    value: Any

    def disjoint(self, other: Edit) -> bool:
        """Whether neither path leads through the other."""
        return all(
            a != b for a, b in [(self.path[: len(other.path)], other.path), (other.path[: len(self.path)], self.path)]
        )


GONE = object()


def edits(tree: dict[str, Any], writer: Writer) -> Iterator[Edit]:
    """Every single edit of a document that there is a rule for."""
    yield from _edits(tree, TOP, (), writer, 0)


def _edits(tree: Any, place: Place, path: Path, writer: Writer, depth: int) -> Iterator[Edit]:
    if isinstance(tree, dict) and tree:
        keys = {key: value if isinstance(value, str) else "" for key, value in tree.items()}
        model = place.model(keys)
        for key, value in tree.items():
            here = (*path, key)
            if key in ("dlspec", "kind"):
                continue
            yield from _edits(value, place.below(key, keys), here, writer, depth + 1)
            if len(tree) > 1 and not (model and issubclass(model, OneOf)) and path and not _kind(model, key):
                yield Edit(here, GONE)
        if model is None:
            fresh = f"n{next(writer.numbers)}" + ("(p)" if place.heads else "")
            yield Edit((*path, fresh), writer.value(place.below(fresh, keys), depth + 1))
        elif not issubclass(model, OneOf):
            for name in fields(model):
                if name not in tree and name != "kind" and not _kind(model, name):
                    yield Edit((*path, name), writer.value(_below(model, name), depth + 1))
    elif isinstance(tree, list) and _layers(place):
        for number, item in enumerate(tree):
            yield from _edits(item, place.item(), (*path, number), writer, depth + 1)
    elif path and not isinstance(path[-1], int):
        value = writer.text() if tree == {} else another(tree, place, writer)
        yield Edit(path, value)


def _kind(model: type[Closed] | None, name: str) -> bool:
    """Whether a key makes of its mapping one of another kind, which is one whole."""
    return model is Data and name == "enumerate"


def _layers(place: Place) -> bool:
    return EXPRESSION not in place.alternatives and any(
        issubclass(model, OneOf) and model.bare for model in place.item().models
    )


def another(value: Any, place: Place, writer: Writer) -> Any:
    """Another value of the same kind."""
    number = next(writer.numbers)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return number
    if isinstance(value, list):
        return [*value, number]
    words = [word for word in place.words if word != value]
    return writer.random.choice(words) if words and value in place.words else f"{value} + {number}".replace("\n", " ")


@dataclass(frozen=True)
class Rename:
    """Another name for an entry of a map of names; the other side may change what stands under it."""

    path: Path
    name: str

    def do(self, tree: dict[str, Any]) -> None:
        """Changes a document."""
        held = at(tree, self.path[:-1])
        entries = [(self.name if key == self.path[-1] else key, value) for key, value in held.items()]
        held.clear()
        held.update(entries)


@dataclass(frozen=True)
class Insert:
    """Another layer in a list; the other side may change those that stand there."""

    path: Path
    value: Any

    def do(self, tree: dict[str, Any]) -> None:
        """Changes a document."""
        *steps, place = self.path
        at(tree, tuple(steps)).insert(place, self.value)


Move = Rename | Insert


def moves(tree: Any, writer: Writer, place: Place = TOP, path: Path = ()) -> Iterator[Move]:
    """Every rename and insertion that a document can have."""
    if isinstance(tree, dict):
        keys = {key: value if isinstance(value, str) else "" for key, value in tree.items()}
        for key, value in tree.items():
            if place.model(keys) is None and place.names and value != {}:
                yield Rename((*path, key), f"n{next(writer.numbers)}" + ("(p)" if place.heads else ""))
            yield from moves(value, writer, place.below(key, keys), (*path, key))
    elif isinstance(tree, list) and _layers(place):
        for number, item in enumerate(tree):
            yield Insert((*path, number), {"dense": next(writer.numbers)})
            yield from moves(item, writer, place.item(), (*path, number))


def edited(tree: dict[str, Any], chosen: list[Edit], moves: list[Move] | None = None) -> dict[str, Any]:
    """A document after edits, and then moves."""
    changed = copy.deepcopy(tree)
    for edit in chosen:
        held = at(changed, edit.path[:-1])
        if edit.value is GONE:
            del held[edit.path[-1]]
        else:
            held[edit.path[-1]] = edit.value
    for move in moves or []:
        move.do(changed)
    return changed


def at(tree: Any, path: Path) -> Any:
    """What stands at a path."""
    for step in path:
        tree = tree[step]
    return tree
