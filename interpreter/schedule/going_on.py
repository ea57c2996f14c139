"""Cells that are equal up to a border of training's phases: one of them leads, and the others go on from the checkpoint that it leaves there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.digests import Digests, digest
from dlspec.spec.passes.shared_borders import Border, borders, shared_borders

from ..program.begun import name_alone
from ..program.job import AtBorder, Job
from ..store.checkpoints import Checkpoints
from ..store.requests import ReplicateBatch


class GoingOn:
    """Which replicate batches of a run go on from which borders, and who leads there. A border is settled once it has been led to, or its leader has ended."""

    def __init__(
        self,
        batches: Iterable[ReplicateBatch],
        form: Callable[[Program], str],
        checkpoints: Callable[[str, ReplicateBatch], Checkpoints],
        stored: Iterable[ReplicateBatch] = (),
    ) -> None:
        """`form` is how a program is compiled: others' checkpoints would go on with other rounding; `checkpoints` gives that of a border.

        `stored` are batches that need not run: what they left at borders, in a run that was broken off, is removed with the rest.
        """
        digests = Digests()
        known: dict[int, tuple[Border, ...]] = {}

        def chain_of(batch: ReplicateBatch) -> list[Border]:
            program = batch.program
            if id(program) not in known:
                known[id(program)] = borders(program, digests, batch.request.device)
            beside = [batch.numbers, batch.wide, form(program)]
            return [replace(one, key=digest([one.key, *beside])) for one in known[id(program)]]

        named = {batch.name: batch for batch in batches}
        chains = {name: chain_of(batch) for name, batch in named.items()}
        files = {one.key: checkpoints(one.key, named[name]) for name, chain in chains.items() for one in chain}
        left = {key: where for key, file in files.items() if (where := file.there(whole=True)) is not None}
        parted = {one.key for chain in shared_borders(chains).values() for one in chain}
        self.files = {key: file for key, file in files.items() if key in parted or key in left}
        self.shared = {
            name: kept
            for name, chain in chains.items()
            if (kept := tuple(one for one in chain if one.key in self.files))
        }  # also where one alone is left of those that go on from there: of a run that was broken off the others are stored
        self.spent = [checkpoints(one.key, batch) for batch in stored for one in chain_of(batch)]
        self.settled = set(left)
        self.leaders = {where.group for where in left.values()}
        """Who led to the borders that a run before has left: alone, and alone they go on, for their rounding's sake."""
        self.led: dict[str, int] = {}
        """By their keys the borders that a job leads to, and its number."""

    def ahead(self, batch: ReplicateBatch) -> tuple[Border, ...]:
        """The borders on a batch's way that are not settled."""
        chain = self.shared.get(batch.name, ())
        self.settled.update(one.key for one in chain if one.key in self.led and self.files[one.key].there())
        return tuple(one for one in chain if one.key not in self.settled)

    def ready(self, batch: ReplicateBatch) -> bool:
        """Whether a batch need not wait for one that leads to a border on its way."""
        return not any(one.key in self.led for one in self.ahead(batch))

    def leads(self, batch: ReplicateBatch) -> bool:
        """Whether a batch, if it begins now, leads to a border, or has led to one before."""
        return bool(self.ahead(batch)) or name_alone(batch.name) in self.leaders

    def begin(self, batch: ReplicateBatch, job: int) -> tuple[AtBorder | None, tuple[AtBorder, ...]]:
        """Where a batch goes on from, and the borders that it leads to from now on."""
        ahead = self.ahead(batch)
        self.led.update((one.key, job) for one in ahead)
        behind = [one for one in self.shared.get(batch.name, ()) if one not in ahead and self.files[one.key].there()]
        return (self._at(behind[-1]) if behind else None), tuple(map(self._at, ahead))

    def _at(self, border: Border) -> AtBorder:
        return AtBorder(border.number, border.step, border.key, self.files[border.key])

    def ended(self, job: Job) -> None:
        """A job has ended: what it led to is settled, whether it left a checkpoint or not."""
        keys = [key for key, number in self.led.items() if number == job.number]
        self.settled.update(keys)
        for key in keys:
            del self.led[key]

    def remove(self, warn: Callable[[str], None]) -> None:
        """Removes the checkpoints: all that went on from them is stored. `warn` is told of those that can't be removed."""
        for file in (*self.files.values(), *self.spent):
            file.spend(warn)
