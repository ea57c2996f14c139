"""Merges of random documents over the fields of all models, against what the edits of both sides come to, made one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import yaml
from dlspec.spec.merge import merged
from dlspec.spec.source.undecided_sides import undecided_sides

from .random_documents import GONE, Edit, Field, Insert, Move, Writer, at, edited, edits, moves, reachable
from .test_properties import text_of

BLOCK = 16
"""How many cases have a writer in common, whose rare fields come first."""
SCALARS = (str, int, float)


@dataclass
class Case:
    """A document, what each side alone does with it, what both do alike, and what each does with one path in its own way."""

    tree: dict[str, Any]
    looks: list[int]
    ours: list[Edit] = field(default_factory=list)
    theirs: list[Edit] = field(default_factory=list)
    shared: list[Edit] = field(default_factory=list)
    disputed: list[tuple[Edit, Edit]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)

    def text(self, side: str, *chosen: Edit) -> str:
        """The document after edits, and for ours the moves, in the layout of a side."""
        tree = edited(self.tree, list(chosen), self.moves if side == "ours" else [])
        return text_of(tree, self.looks[("base", "ours", "theirs").index(side)], side)


def case(seed: int, writer: Writer) -> Case:
    """The case of a number."""
    writer.random = Random(seed)
    tree = writer.document()
    possible = list(edits(tree, writer))
    writer.random.shuffle(possible)
    found = Case(tree, [writer.random.randrange(6) for _ in range(3)])
    taken: list[Edit] = []
    for edit in possible[:14]:
        if not all(edit.disjoint(other) for other in taken):
            continue
        taken.append(edit)
        kind = writer.random.choice(["ours", "theirs", "ours", "theirs", "shared", "disputed"])
        if kind != "disputed":
            getattr(found, kind).append(edit)
        elif edit.value is not GONE and isinstance(edit.value, SCALARS) and not isinstance(edit.value, bool):
            held = at(tree, edit.path[:-1])
            other = GONE if edit.path[-1] in held and writer.random.random() < 0.3 else f"other {next(writer.numbers)}"
            found.disputed.append((edit, Edit(edit.path, other)))
    found.moves = _free(list(moves(tree, writer)), found, writer)
    return found


def _free(possible: list[Move], found: Case, writer: Writer) -> list[Move]:
    """A move that what else ours does has nothing to do with."""
    own = [*found.ours, *found.shared, *(edit for pair in found.disputed for edit in pair)]
    gone = [edit for edit in found.theirs if edit.value is GONE]
    free = []
    for move in possible:
        around = Edit(move.path[:-1] if isinstance(move, Insert) else move.path, None)
        if all(around.disjoint(edit) for edit in own) and not any(
            around.path[: len(edit.path)] == edit.path for edit in gone
        ):
            free.append(move)
    inserts = [move for move in free if isinstance(move, Insert)]
    free = inserts if inserts and writer.random.random() < 0.7 else free
    return writer.random.sample(free, min(1, len(free)))


def read(text: str) -> Any:
    """What YAML reads, by its fast reader where there is one."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def check(found: Case) -> int:
    """Compares merges of a case with what they have to be; gives how many there were."""
    base = found.text("base")
    assert read(base) == found.tree
    mine, other = [*found.ours, *found.shared], [*found.theirs, *found.shared]
    ours, theirs = found.text("ours", *mine), found.text("theirs", *other)
    assert merged(base, ours, base).text == ours and merged(base, base, theirs).text == theirs
    every = [*found.ours, *found.theirs, *found.shared]
    both = edited(found.tree, every, found.moves)
    for one, two in ((ours, theirs), (theirs, ours)):
        result = merged(base, one, two)
        assert result.conflicts == () and read(result.text) == both
    if not found.disputed:
        return 4
    first, second = ([edits[side] for edits in found.disputed] for side in (0, 1))
    ours, theirs = found.text("ours", *mine, *first), found.text("theirs", *other, *second)
    expected = [edited(found.tree, [*every, *chosen], found.moves) for chosen in (first, second)]
    for one, two, wanted in ((ours, theirs, expected), (theirs, ours, expected[::-1])):
        result = merged(base, one, two)
        assert len(result.conflicts) == len(found.disputed) == result.text.count("!conflict")
        sides = undecided_sides(result.text)
        assert sides is not None and [read(sides.ours), read(sides.theirs)] == wanted
    return 6


def block(number: int) -> tuple[int, set[Field]]:
    """Checks the cases of a block; gives how many merges there were, and of what fields."""
    writer = Writer(Random(number))
    merges = sum(check(case(number * BLOCK + place, writer)) for place in range(BLOCK))
    return merges, reachable() & writer.seen.keys()


def test_merges_over_the_fields_of_all_models() -> None:
    merges, seen = block(0)
    assert merges >= 4 * BLOCK and len(seen) > 0.75 * len(reachable())
