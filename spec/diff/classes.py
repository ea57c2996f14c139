"""Which part of the science a path belongs to.

Constants, functions and outputs have no part of their own: they are classed by what is made from them. What nothing
that runs is made from is text; what only measures are made from is measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .changes import CLASSES, FACTORS
from .expressions import names
from .trees import TEXTS, Branch, Expression, Tree, leaves

Path = tuple[str, ...]

PARTS: Mapping[str, str] = {
    "task": "task",
    "architecture": "architecture",
    "layer_defaults": "architecture",
    "loss": "loss",
    "gradient": "gradient",
    "training": "training",
    "seed": "training",
    "dtype": "training",
    "weights": "training",
    "state": "training",
    "loss_scale": "training",
    "measures": "measure",
    "replicates": "measure",
    "claims": "claim",
    "figures": "figure",
    "about": "text",
    "title": "text",
    "source": "text",
    "study": "text",
}
"""The class of each key of an experiment; of a key that is not named here, `training`: it may change what is trained."""
BORROWED = frozenset({"constants", "functions", "estimates", "outputs"})
"""Parts whose names have the classes of what is made from them."""
TEST_EXAMPLES = ("task", "data", "test")
"""How many examples measures are taken over, where data are finite."""
NAMED = BORROWED | {"task", "architecture"}
"""Parts that matter only through what uses their names."""
BESIDE_CELLS = ("claims", "figures", "about")
"""Parts that are the same in every cell, and in no cell's meaning."""


def own_class(path: Path) -> str:
    """The class of a path by its own place."""
    if path[0] in ("claims", "figures") and len(path) == 3 and path[2] in TEXTS:  # a claim may itself be called `title`
        return "text"
    if path[:2] in (("training", "evaluate"), ("task", "tests")) or path == TEST_EXAMPLES:
        return "measure"
    if path[:2] == ("training", "phases") and path[3:4] == ("gradient",):
        return "gradient"
    return PARTS.get(path[0], "training")


def named(path: Path) -> str | None:
    """The name that a path defines, or is a part of."""
    if path[0] == "task":
        return path[2] if len(path) > 2 and path[1] in ("draw", "example", "statistics") else None
    if path[0] == "gradient" and len(path) > 1:
        return path[1].partition(".")[0]
    return path[1] if path[0] in NAMED and len(path) > 1 else None


def is_until(path: Path) -> bool:
    """Whether a condition on measures stands at a path that stops training, or holds it to the end of a phase."""
    return path[0] == "training" and path[-1] == "until" and len(path) in (2, 4)


class Reach:
    """What is made from each name of an experiment, through other names; gathered over all of its settings."""

    def __init__(self, trees: Iterable[Branch]) -> None:
        self.users: dict[str, set[Path]] = {}
        made: dict[str, set[str]] = {}
        roots: dict[str, set[str]] = {}
        measures: dict[str, set[str]] = {}
        trains = False
        sections: dict[tuple[str, int], Tree] = {}
        for tree in trees:
            trains = trains or bool(tree.entries.get("training"))
            sections.update(((name, id(section)), section) for name, section in tree.entries.items())
        for (section_name, _), section in sections.items():
            for path, leaf in leaves(section, (section_name,)):
                if not isinstance(leaf, Expression):
                    continue
                free = names(leaf.tree) - set(leaf.parameters)
                owner = named(path)
                target = made.setdefault(owner, set()) if owner else roots.setdefault(own_class(path), set())
                target |= free
                if path[0] == "measures":
                    measures.setdefault(path[1], set()).update(free)
                for name in free:
                    self.users.setdefault(name, set()).add(path)
        measured = _closure(roots.get("measure", set()), made)
        trained = set().union(*(roots.get(part, set()) for part in FACTORS))
        self.watched = {name for name in measures if any(map(is_until, self.users.get(name, ())))}
        """The measures that decide when training stops."""
        self.live = _closure(trained.union(*(measures[name] for name in self.watched)), made)
        if not trains:
            self.live |= measured
        self.seen = self.live | measured

    def classes(self, path: Path) -> tuple[str, ...]:
        """The classes of a path, in the language's order; `text` alone where no result is made from it."""
        found: set[str] = set()
        if path[0] in BORROWED and len(path) > 1:
            self._gather(path[1], found, set())
        else:
            found |= self._parts(path)
        return tuple(name for name in CLASSES if name in found and (name != "text" or found == {"text"})) or ("text",)

    def roots(self, name: str) -> set[Path]:
        """The paths outside constants, functions and outputs that a name reaches, through these."""
        paths: set[Path] = set()
        pending, seen = [name], {name}
        while pending:
            for path in self.users.get(pending.pop(), ()):
                if path[0] not in BORROWED:
                    paths.add(path)
                elif path[1] not in seen:
                    seen.add(path[1])
                    pending.append(path[1])
        return paths

    def measures_alone(self, path: Path) -> bool:
        """Whether nothing but measures is made from what stands at a path."""
        return self.classes(path) == ("measure",)

    def measured_from(self, path: Path) -> set[str]:
        """The measures that are made from what stands at a path, through any names."""
        if path[0] == "measures":
            return {path[1]}
        name = path[1] if path[0] in BORROWED and len(path) > 1 else named(path)
        measures: set[str] = set()
        pending = [name] if name else []
        seen = set(pending)
        while pending:
            for user in self.users.get(pending.pop(), ()):
                if user[0] == "measures":
                    measures.add(user[1])
                owner = user[1] if user[0] in BORROWED else named(user)
                if owner and owner not in seen:
                    seen.add(owner)
                    pending.append(owner)
        return measures

    def stops(self, path: Path) -> bool:
        """Whether a path says when or on what measures are taken, and one of them decides when training stops."""
        return bool(self.watched) and (path[:2] == ("training", "evaluate") or path == TEST_EXAMPLES)

    def _parts(self, path: Path) -> set[str]:
        """The classes of a path by its own place; a measure that decides when training stops is part of the training too."""
        if path[0] == "measures" and path[1:2] and path[1] in self.watched:
            return {"training", "measure"}
        return {"training"} if self.stops(path) else {self._part(path)}

    def _part(self, path: Path) -> str:
        part, name = own_class(path), named(path)
        if name is None or name in self.live or part not in FACTORS:
            return part
        return "measure" if name in self.seen and path[0] != "gradient" else "text"

    def _gather(self, name: str, paths: set[str], seen: set[str]) -> None:
        seen.add(name)
        for path in self.users.get(name, ()):
            if path[0] not in BORROWED:
                paths |= self._parts(path)
            elif path[1] not in seen:
                self._gather(path[1], paths, seen)


def _closure(start: set[str], sources: Mapping[str, set[str]]) -> set[str]:
    """All names that some are made from, and they themselves."""
    names: set[str] = set()
    pending = set(start)
    while pending:
        name = pending.pop()
        names.add(name)
        pending |= sources.get(name, set()) - names
    return names
