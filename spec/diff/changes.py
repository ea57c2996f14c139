"""The parts of a diff: changes with their classes, cells with their digests, warnings and a headline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..passes.counted_work import Cost

CLASSES = ("task", "architecture", "loss", "gradient", "training", "measure", "claim", "figure", "text")
FACTORS = ("task", "architecture", "loss", "gradient", "training")
"""The classes that decide what is trained: an experiment varies one of them, and the others are kept."""

LOOSENED, IN_PART, PERHAPS = "loosened", "loosened in part", "perhaps loosened"
STRICTER, REMOVED = "stricter", "removed"
"""How what a claim asks moved, as people and JSON are told."""
Texts = tuple[str | None, str | None]
"""What stood there before, and what stands there after."""


@dataclass(frozen=True)
class Edit:
    """A stretch of an expression: `same` text, or what was `removed` or `added`."""

    kind: str
    text: str


@dataclass(frozen=True)
class Where:
    """In which cells a change is: `variants` is empty where it is in all of them, or there are none."""

    variants: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One path that differs. `action` is `changed`, `added`, `removed`, `moved` or `renamed`.

    Of what `moved` within its list, `before` and `after` say behind which item it stood and stands.
    `edits` spells the expression with what was removed and added in it. `note` is what a reader has to know beside it.
    A change with `scope` is that of a whole part: a `variant`, an `experiment`, a `profile`, a `sweep` or a `file`.
    """

    experiment: str
    path: tuple[str, ...]
    action: str
    before: str | None
    after: str | None
    classes: tuple[str, ...]
    edits: tuple[Edit, ...] = ()
    where: Where = Where()
    note: str = ""
    scope: str = ""
    seeds: bool = False
    """Whether a rename gives other random numbers (of the same distribution)."""
    respelled: bool = False
    """Whether only operands of + and * are in another order: the same value, but for rounding."""
    opened: bool = False
    """Whether what results are made from is only put otherwise: a name came or went, and all values are the same."""
    inherited: str = ""
    """The experiment that this one is derived from and has the change from, so that it is told once."""
    heirs: tuple[str, ...] = ()
    """The experiments that have the change from this one."""
    direction: str = ""
    """Of what a claim asks: how it moved, in the words of a warning or `stricter`."""
    parts: tuple[Change, ...] = ()
    """Of a variant that was added: where it differs from the base."""

    @property
    def factor(self) -> bool:
        """Whether what is trained may differ."""
        if self.action == "renamed" or self.scope or self.respelled:
            return False
        return any(name in FACTORS for name in self.classes)

    @property
    def label(self) -> str:
        """The whole path in a line."""
        return ".".join([*([self.experiment] if self.experiment else []), *self.path])


@dataclass(frozen=True)
class CellSide:
    """A cell on one side: its digest, what it costs, and how many replicates there are."""

    digest: str
    measures: Mapping[str, str]
    taken: frozenset[object]
    """The steps at which measures are taken, and what figures show at which."""
    networks: Mapping[str, str]
    steps: int
    replicates: int
    cost: Cost

    @property
    def total(self) -> int:
        """Floating-point operations of the whole training, all replicates."""
        return self.cost.step * self.steps * self.replicates


@dataclass(frozen=True)
class Cell:
    """A cell on both sides. `status` says what becomes of stored results.

    `same`: they stay valid. `measures`: the training is the same, the measures named in `measures` are not.
    `steps`: training and measures are the same, but wanted at more steps, or more is shown in figures.
    `again`: it must run again. `new`, `gone`: it is on one side only.
    `known`: it is another one than before, or new, and its results are those of the older side's cell `known_as`.
    """

    experiment: str
    variant: str
    point: Mapping[str, Any]
    before: CellSide | None
    after: CellSide | None
    status: str
    measures: tuple[str, ...] = ()
    known_as: str = ""
    older_name: str = ""
    """What people called it on the older side."""

    @property
    def recounted(self) -> bool:
        """Whether it has another number of replicates than before."""
        return bool(self.before and self.after and self.before.replicates != self.after.replicates)

    @property
    def label(self) -> str:
        """Its experiment and variant."""
        return f"{self.experiment}/{self.variant}" if self.variant else self.experiment

    @property
    def name(self) -> str:
        """What people call it: `staircase/forward_only d=10`."""
        return " ".join([self.label, *(f"{key}={value}" for key, value in self.point.items())])


@dataclass(frozen=True)
class Reason:
    """One thing that moved what a claim asks: `direction` is `loosened`, `perhaps loosened`, `stricter` or `removed`."""

    direction: str
    what: str


@dataclass(frozen=True)
class Warned:
    """A claim that was loosened, removed, or stands on something else now."""

    experiment: str
    claim: str
    message: str
    profile: str = ""
    """In which profile; empty for what holds without one."""
    direction: str = PERHAPS
    """`removed`; `loosened` if some part of it asks less for certain, `loosened in part` if another asks more; or `perhaps loosened`."""
    reasons: tuple[Reason, ...] = ()
    """Why, one by one; `message` says them in a sentence."""

    @property
    def certain(self) -> bool:
        """Whether it asks less for certain, in some part at least."""
        return self.direction in (LOOSENED, IN_PART, REMOVED)


@dataclass(frozen=True)
class StudyDiff:
    """All that differs between two studies."""

    before: str
    after: str
    headline: str
    changes: tuple[Change, ...] = ()
    cells: tuple[Cell, ...] = ()
    warnings: tuple[Warned, ...] = ()
    unchanged: Mapping[str, int] = field(default_factory=dict)
    """Experiments that are the same throughout, with how many cells each has."""
    profiles: Mapping[str, tuple[Cell, ...]] = field(default_factory=dict)
    """In each profile the cells of experiments that differ there and that it patches."""
    confounded: bool = False
    """Whether in some cell several of the classes changed that decide what is trained, by several values."""

    @property
    def same(self) -> bool:
        """Whether both mean the same: nothing but names that enter no result, and what they stand for, differs.

        It is computed from all that is shown of a difference: changes, warnings, and the cells of every profile.
        """
        neutral = all(change.opened or (change.action == "renamed" and not change.seeds) for change in self.changes)
        return neutral and not self.warnings and not self.moved

    @property
    def moved(self) -> list[Cell]:
        """The cells, of any profile, of which stored results do not stay as they are."""
        every = [*self.cells, *(cell for own in self.profiles.values() for cell in own)]
        return [cell for cell in every if cell.status != "same" or cell.recounted]
