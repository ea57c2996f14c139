"""The requests of a plan for its replicates, and the keys of these in a store. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dlspec.spec.ir.plan import Program, StudyPlan
from dlspec.spec.passes.digests import CANONICAL, MAX_CACHED, Digests, digest, digest_of_text
from dlspec.spec.passes.sampled_means import counted

from ..results.replicates import Replicate


def shown_at(steps: Iterable[int], end: int | None) -> set[int]:
    """Of the steps that a figure asks for those at which a replicate is sampled that stopped at `end`, and `end` for what comes after.

    >>> sorted(shown_at((0, 10, 20), 15)), sorted(shown_at((0, 10), 15)), sorted(shown_at((10,), None))
    ([0, 10, 15], [0, 10], [10])
    """
    return set(steps) if end is None else {min(step, end) for step in steps}


@dataclass(frozen=True, eq=False)
class CellRequest:
    """What is asked of the replicates of a program: measures at steps, and what figures show.

    `digest` is that of the training, with the kind of device. `measures` maps names to digests, `samples` figures to
    labels to digests, `sample_steps` figures to steps. `counted` are the measures that are a whole number by a number of examples.
    """

    program: Program
    device: str
    digest: str
    measures: Mapping[str, str]
    steps: tuple[int, ...]
    samples: Mapping[str, Mapping[str, str]]
    sample_steps: Mapping[str, tuple[int, ...]]
    base: str
    counted: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def of(program: Program, device: str) -> CellRequest:
        """What a program asks for on a kind of device."""
        return _RequestBuilder(device).of(program)

    def key(self, number: int) -> str:
        """A replicate's name in the store: its training, measures, steps and samples, and the replicate."""
        return digest_of_text(f'["{self.base}",{number}]')

    def replicate(self, number: int, key: str = "") -> Replicate:
        """The replicate, with nothing in it yet; under its own key, or that of the replicate that serves for it."""
        program = self.program
        return Replicate(
            program.experiment, program.variant, dict(program.point), number, self.digest, key=key or self.key(number)
        )  # fmt: skip

    def served_by(self, stored: Mapping[str, Any]) -> bool:
        """Whether a stored replicate holds all that is asked: `held` is what a part says of it.

        One that a version before ended where a measure was not finite is trained again: now it goes on. One that stopped early, by
        its condition or by diverging, owes nothing after its end; what a figure shows at a later step is shown where its condition
        stopped it.
        """
        measures = {item["digest"] for item in stored["measures"]}
        steps = set(stored["steps"])
        if not set(self.measures.values()) <= measures:
            return False
        if stored.get("cause"):
            return False
        end = stored["end"] if stored["end"] is not None else max(steps, default=0)
        if not {step for step in self.steps if step <= end} <= steps:
            return False
        return all(
            self.shown(figure, stored) <= set(stored["samples"].get(item, ()))
            for figure, labels in self.samples.items()
            for item in labels.values()
        )

    def shown(self, figure: str, stored: Mapping[str, Any]) -> set[int]:
        """At which steps a stored replicate has what a figure shows."""
        steps = self.sample_steps[figure]
        if stored["end"] is not None:  # it diverged, and has no last state to show
            return {step for step in steps if step <= stored["end"]}
        return shown_at(steps, max(stored["steps"], default=0))


@dataclass(frozen=True, eq=False)
class ReplicateBatch:
    """Replicates of a program that are trained side by side: what is run, claimed and stored at once.

    `wide` says for how many of them it is compiled where these are more: what is compiled for another batch then serves it, too.
    """

    request: CellRequest
    numbers: tuple[int, ...]
    wide: int = 0

    @property
    def program(self) -> Program:
        """Its program."""
        return self.request.program

    @property
    def rows(self) -> int:
        """How many rows of a compiled program it takes."""
        return max(self.wide, len(self.numbers))

    @property
    def keys(self) -> list[str]:
        """The names of its replicates in the store."""
        return [self.request.key(number) for number in self.numbers]

    @property
    def name(self) -> str:
        """The name of what is stored of it: the same for the same replicates."""
        return digest(sorted(self.keys))

    def only(self, numbers: Sequence[int]) -> ReplicateBatch:
        """A part of it, or all."""
        return replace(self, numbers=tuple(numbers), wide=self.wide if len(numbers) == len(self.numbers) else 0)


def requests_of(plan: StudyPlan, device: str) -> list[CellRequest]:
    """What each program of a plan asks for, in the plan's order."""
    wanting = _RequestBuilder(device)
    return [wanting.of(program) for experiment in plan.experiments for program in experiment.programs]


@dataclass(frozen=True, eq=False)
class _SharedRequest:
    """What programs ask for that differ in their training alone; `of` keeps alive what it is known by, `text` is its own."""

    of: Any
    measures: Mapping[str, str]
    steps: tuple[int, ...]
    samples: Mapping[str, Mapping[str, str]]
    sample_steps: Mapping[str, tuple[int, ...]]
    text: str
    counted: Mapping[str, int]


class _RequestBuilder:
    """Finds what programs ask for on a kind of device; what several ask for alike is made once, and held once."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.digests = Digests()
        self.asked: dict[Any, _SharedRequest] = {}

    def of(self, program: Program) -> CellRequest:
        """What a program asks for."""
        training = program.digest if self.device == "cpu" else self.digests.training(program, self.device)
        asked = self._asked(program)
        base = digest_of_text(f'["{training}",{asked.text}]')
        return CellRequest(
            program, self.device, training, asked.measures, asked.steps, asked.samples, asked.sample_steps, base,
            asked.counted,
        )  # fmt: skip

    def _asked(self, program: Program) -> _SharedRequest:
        body = self.digests.body(program)
        steps = program.training.evaluations if program.training else (0,)
        of = (body, program.data, steps, *program.measures, *program.probes)
        key = tuple(map(id, of))
        if (request := self.asked.get(key)) is None:
            if len(self.asked) >= MAX_CACHED:
                self.asked.clear()
            request = self.asked[key] = self._made(program, of, tuple(sorted(set(steps))))
        return request

    def _made(self, program: Program, of: Any, steps: tuple[int, ...]) -> _SharedRequest:
        measures = {measure.name: self.digests.measure(program, measure) for measure in program.measures}
        samples = {
            probe.figure: {
                label: self.digests.sample(program, term, probe.examples) for label, term in probe.terms.items()
            }
            for probe in program.probes
        }
        sample_steps = {probe.figure: tuple(sorted(probe.steps)) for probe in program.probes}
        shown = sorted(
            {(item, step) for figure, labels in samples.items() for item in labels.values() for step in sample_steps[figure]}
        )  # fmt: skip
        text = CANONICAL.encode([sorted(set(measures.values())), steps, shown])[1:-1]
        return _SharedRequest(of, measures, steps, samples, sample_steps, text, counted(program))
