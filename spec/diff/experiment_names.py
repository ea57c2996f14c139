"""Which experiments of two studies are one under two names."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from ..diagnostics.problems import listing
from .changes import FACTORS
from .likeness import ALIKE, Parts, assigned, likeness, parts
from .settings import Side
from .swaps import exchanged
from .training_likeness import training_likeness
from .trees import rough, same


def renamed_experiments(old: Mapping[str, Side], new: Mapping[str, Side]) -> dict[str, str]:
    """Old name to new of experiments under another name: those whose names were exchanged, and what stays most alike."""
    new_names = exchanged(old, new, _same, _key)
    gone = {name: _parts(side) for name, side in old.items() if name not in new and name not in new_names}
    fresh = {name: side for name, side in new.items() if name not in old and name not in new_names.values()}
    return new_names | assigned(gone, {name: _parts(side) for name, side in fresh.items()} if gone else {})


def alike(a: Side, b: Side) -> str:
    """In which of their parts two experiments that are not one are alike, in words; empty where in none.

    That is what is most worth knowing of an experiment in the place of another: too little else is alike to compare.
    """
    found = [name for name in FACTORS if _likeness(name, a, b) >= ALIKE]
    return f"alike in {listing(found)}" if found else ""


def _likeness(name: str, a: Side, b: Side) -> float:
    """How alike two experiments are in a part: trainings as the first cells have them, others as they are written."""
    if name == "training":
        return training_likeness(a.plan.programs[0], b.plan.programs[0])
    own = [parts(tree) if (tree := side.base.entries.get(name)) is not None else Parts() for side in (a, b)]
    return likeness(*own) if all(own) else 0.0


def _same(a: Side, b: Side) -> bool:
    """Whether two experiments are the same in every setting."""
    if a.trees.keys() != b.trees.keys() or a.plan.axes != b.plan.axes:
        return False
    return all(same(a.trees[key], b.trees[key]) for key in a.trees)


def _key(side: Side) -> Hashable:
    """Equal for experiments that are the same in every setting, and for few others."""
    first = min(side.trees, key=repr)
    return frozenset(side.trees), rough(side.trees[first])


def _parts(side: Side) -> Parts:
    """What an experiment is made of in any setting, its axes and their values."""
    everything = parts(side.base)
    for tree in {id(tree): tree for tree in side.trees.values()}.values():
        everything |= parts(tree)
    for axis, values in side.plan.axes.items():
        everything.update(("axis", axis, repr(value)) for value in values)
    return everything
