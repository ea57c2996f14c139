"""What is told of many changes is what is told when each is compared with each, and is found in one way through them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

from dlspec.spec.diff.changes import FACTORS, Change, Where
from dlspec.spec.diff.headline import _confounded, _meet
from dlspec.spec.diff.swaps import exchanged


def _changes(rng: random.Random) -> list[Change]:
    names = "abc"[: rng.randint(1, 3)]
    return [
        Change(
            rng.choice("ef"), ("loss", str(place)), "changed", "1", "2",
            tuple(rng.sample([*FACTORS, "measure"], rng.randint(1, 2))),
            where=Where(tuple(rng.sample(names, rng.randint(0, len(names))))),
        )
        for place in range(rng.randint(1, 6))
    ]  # fmt: skip


def _here(change: Change, variant: str) -> bool:
    return not change.where.variants or variant in change.where.variants


def test_two_changes_meet_where_a_cell_has_both() -> None:
    rng, met = random.Random(1), 0
    for _ in range(2000):
        changes = _changes(rng)
        meet = any(
            one.experiment == other.experiment and any(_here(one, name) and _here(other, name) for name in "abcd")
            for one, other in combinations(changes, 2)
        )
        assert _meet(changes) == meet
        met += meet
    assert 200 < met < 1800


def _each_by_itself(changes: Sequence[Change]) -> tuple[str, list[Change], list[str]] | None:
    """The experiment, the changes and the variants of the first variant in which several parts changed."""
    for experiment in dict.fromkeys(change.experiment for change in changes):
        own = [change for change in changes if change.experiment == experiment]
        variants = ["", *dict.fromkeys(name for change in own for name in change.where.variants)]
        for variant in variants:
            here = [change for change in own if _here(change, variant)]
            kinds = {kind for change in here for kind in change.classes if kind in FACTORS}
            if len(kinds) > 1 and len(here) > 1:
                alike = [name for name in variants if [c for c in own if _here(c, name)] == here]
                everywhere = all(not change.where.variants for change in here)
                return experiment, here, [] if everywhere else alike
    return None


def test_the_first_variant_with_several_parts_is_told() -> None:
    rng, told = random.Random(2), 0
    for _ in range(2000):
        changes = _changes(rng)
        found, each = _confounded(changes), _each_by_itself(changes)
        assert (found and (found.experiment, found.changes, found.variants)) == each
        told += each is not None
    assert 200 < told < 1800


def _in_rounds(old: dict[str, int], new: dict[str, int]) -> dict[str, str]:
    """Names that were exchanged, where each thing has a number of its own: what leads to nothing is left out until nothing does."""
    moved = {name for name in old if name in new and old[name] != new[name]}
    now = {thing: name for name, thing in new.items()}
    names = {name: now[thing] for name, thing in old.items() if thing in now and now[thing] != name}
    while broken := {name for name in moved if (name in names) != (name in names.values())}:
        names = {was: is_now for was, is_now in names.items() if was not in broken and is_now not in broken}
    return names if moved else {}


def test_rings_and_rows_of_names_are_found() -> None:
    rng, found = random.Random(3), 0
    for _ in range(3000):
        size = rng.randint(1, 7)
        old, new = (dict(zip(rng.sample("abcdefgh", size), rng.sample(range(8), size), strict=True)) for _ in range(2))
        names = exchanged(old, new, lambda one, other: one == other, lambda thing: thing)
        assert names == _in_rounds(old, new), (old, new)
        found += bool(names)
    assert found > 300


def test_a_long_row_that_leads_nowhere_is_given_up_in_one_way_along_it() -> None:
    asked = 0

    def same(one: int, other: int) -> bool:
        nonlocal asked
        asked += 1
        return one == other

    names = [f"v{place}" for place in range(3000)]
    old = {name: place for place, name in enumerate(names)}
    new = {name: place + 1 for place, name in enumerate(names)}
    assert exchanged(old, new, same, lambda thing: thing) == {}
    assert asked < 3 * len(names)
