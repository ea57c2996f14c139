"""Identity of a cell: a digest over resolved meaning, not text.

In it: the reachable task, architecture, loss, gradient modes, training (not its evaluation, but for a stopping
condition), seed, dtype, constants by value, the versions of the language and of the numerics, and the kind of device.
Not in it: comments, order, formatting, defaults written out, names of variants, of outputs, functions and constants,
claims, figures, texts, unused names, replicate counts.
Names that seed (experiment, draws, bindings, networks, layers) are meaning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from ..ir import terms as t
from ..ir.plan import MeasurePlan, Phase, Program, StudyPlan
from .canonical import Walk
from .reached_examples import reached
from .shared_noise import noise_meaning
from .training_digests import condition_meaning, loss_meaning, repeated, stored_meaning, updates_meaning

LANGUAGE = 1
NUMERICS = 11
"""Raised whenever the same spec gives other numbers than before."""

MAX_CACHED = 4096
"""How many parts of programs are kept written out."""

CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(meaning: Any) -> str:
    """A short name of a nested structure: 16 hexadecimal digits of SHA-256."""
    return digest_of_text(CANONICAL.encode(meaning))


def digest_of_text(text: str) -> str:
    """The same of the structure's text, as `CANONICAL` writes it."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def identified(plan: StudyPlan) -> StudyPlan:
    """The plan with the digest of each of its programs."""
    digests = Digests()
    experiments = tuple(
        replace(item, programs=tuple(replace(program, digest=digests.training(program)) for program in item.programs))
        for item in plan.experiments
    )
    return replace(plan, experiments=experiments)


def training_digest(program: Program, device: str = "cpu") -> str:
    """What the trained weights depend on, but for the replicate."""
    return Digests().training(program, device)


def measure_digest(program: Program, measure: MeasurePlan) -> str:
    """What a measure's values depend on, beside the training's digest."""
    return Digests().measure(program, measure)


def sample_digest(program: Program, term: t.Term, examples: int) -> str:
    """What the values of a term over single test examples depend on, beside the training's digest."""
    return Digests().sample(program, term, examples)


def term_meaning(program: Program, term: t.Term) -> Any:
    """A term as digests take it: functions and outputs opened, constants by value, draws and bindings by name."""
    return Walk(program).term(term)


def network_meaning(program: Program, name: str) -> Any:
    """A network as digests take it, without what is made elsewhere; None where there is none of that name."""
    plan = next((item for item in program.networks if item.name == name), None)
    return None if plan is None else Walk(program).stack(plan)


@dataclass(frozen=True, slots=True)
class _Part:
    """A term or the like written out, with the names and networks in it. `source` is kept alive so that its id() stays unique."""

    source: Any
    text: str
    names: tuple[str, ...]
    networks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Reached:
    """All bindings and networks that some names and networks reach, written out, and the names of these networks."""

    bindings: str
    networks: str
    used: frozenset[str]


@dataclass(frozen=True)
class _Body:
    """What programs with the same task, architecture, outputs and gradient modes have in common.

    `source` is one of them, kept alive so that the ids of its parts stay unique. `parts` are those of all programs with the
    same outputs and modes, by id. `cache` holds each digest with the term that it is of; `closures` what names and networks reach.
    """

    source: Program
    walk: DirectWalk
    parts: dict[int, _Part]
    cache: dict[Any, tuple[Any, str]] = field(default_factory=dict)
    closures: dict[Any, _Reached] = field(default_factory=dict)

    def part(self, source: Any, write: Callable[[], Any]) -> _Part:
        """A part, written out when it is first needed."""
        if (part := self.parts.get(id(source))) is None:
            if len(self.parts) >= MAX_CACHED:
                self.parts.clear()
            self.walk.names, self.walk.invoked = {}, {}
            text = CANONICAL.encode(write())
            part = self.parts[id(source)] = _Part(source, text, tuple(self.walk.names), tuple(self.walk.invoked))
        return part

    def term(self, term: t.Term) -> _Part:
        """A term as a part."""
        return self.part(term, partial(self.walk.term, term))

    def reached(self, *parts: _Part) -> _Reached:
        """All bindings and networks that some parts reach."""
        names = tuple(name for part in parts for name in part.names)
        networks = tuple(name for part in parts for name in part.networks)
        if (reached := self.closures.get((names, networks))) is None:
            reached = self.closures[names, networks] = self._reached(names, networks)
        return reached

    def _reached(self, names: Iterable[str], networks: Iterable[str]) -> _Reached:
        bindings: dict[str, str] = {}
        plans: dict[str, str] = {}
        named, invoked = list(names), list(networks)
        while named or invoked:
            if invoked:
                found, name = plans, invoked.pop()
            else:
                found, name = bindings, named.pop()
            if name in found:
                continue
            if found is plans:
                plan = self.walk.plans[name]
                part = self.part(plan, partial(self.walk.stack, plan))
                plans[name] = part.text
            else:
                part = self._binding(name)
                bindings[name] = f'["{self.walk.stages[name]}",{part.text}]'
            named += part.names
            invoked += part.networks
        return _Reached(_map(bindings), _map(plans), frozenset(plans))

    def _binding(self, name: str) -> _Part:
        """What a name stands for."""
        if (estimate := self.walk.estimates.get(name)) is None:
            return self.term(self.walk.named[name].term)
        return self.part(estimate, partial(self.walk.estimate, estimate))


class Digests:
    """Digests of many programs, for which what they have in common is written out once.

    Common parts are recognised by identity: programs of one plan share terms and networks (`check/memo.py`). The
    digests are those of `digest` over the same nested lists, put together from their texts.
    """

    def __init__(self) -> None:
        self.bodies: dict[Any, _Body] = {}
        self.contexts: dict[Any, dict[int, _Part]] = {}

    def training(self, program: Program, device: str = "cpu") -> str:
        """What the trained weights depend on, but for the replicate."""
        head = [LANGUAGE, NUMERICS, program.experiment, program.seed, program.dtype, *stored_meaning(program)]
        head += [*noise_meaning(program), *program.data.identity()]
        if (plan := program.training) is None:
            return digest([[*head, None], device])
        body = self.body(program)
        phases = [
            (
                body.part(phase.loss, partial(loss_meaning, body.walk, phase.loss)),
                body.part(phase.updates or phase.optimizers, partial(updates_meaning, body.walk, phase)),
                phase,
            )
            for phase in plan.phases
        ]
        (loss, optimizers, first), *later = phases
        reached = body.reached(*(part for one, two, _ in phases for part in (one, two)))
        conditions = bool(plan.conditions)
        measures = {measure.name: self.measure(program, measure) for measure in program.measures if conditions}
        until = None if plan.until is None else condition_meaning(program, plan.until.tree, measures)

        def held(phase: Phase) -> list[Any]:
            return [] if phase.until is None else ["until", condition_meaning(program, phase.until.tree, measures)]

        parts = [
            CANONICAL.encode(head)[:-1], loss.text, reached.networks, reached.bindings, _modes(program, reached.used),
            optimizers.text, CANONICAL.encode([first.batch, first.steps, until, *repeated(first), *held(first)])[1:], CANONICAL.encode(device),
        ]  # fmt: skip
        parts += [
            f"[{loss.text},{optimizers.text},{CANONICAL.encode([phase.batch, phase.steps, *repeated(phase), *held(phase)])[1:]}"
            for loss, optimizers, phase in later
        ]
        parts += self._under_others(program, [phase.loss for phase in plan.phases], loss_meaning)
        return digest_of_text(f"[{','.join(parts)}]")

    def _under_others(self, program: Program, sources: Sequence[Any], meaning: Callable[[Walk, Any], Any]) -> list[str]:
        """What some parts of a program mean under the gradient modes of later phases, where these are others than in the first: with their phases."""
        texts = []
        for one in program.under_each_mode[1:]:
            assert program.training is not None
            body = self.body(one)
            parts = [body.part(source, partial(meaning, body.walk, source)) for source in sources]
            found = body.reached(*parts)
            places = [place for place, phase in enumerate(program.training.phases) if phase.gradient is one.gradient]
            written = ",".join(part.text for part in parts)
            texts.append(f"[{places},[{written}],{found.networks},{found.bindings},{_modes(one, found.used)}]")
        return texts

    def measure(self, program: Program, measure: MeasurePlan) -> str:
        """What a measure's values depend on, beside the training's digest."""
        first, *others = ([stream, self._measure(program, measure, stream)] for stream in measure.streams)
        return digest([first[1], *others]) if others else first[1]

    def _measure(self, program: Program, measure: MeasurePlan, on: str) -> str:
        """The same as far as it is over the examples of one stream."""
        body, data = self.body(program.on(on)), program.data.identity()
        examples = program.evaluated(on)
        stream = "test" if on in program.streams else on
        if program.statistics and on in program.streams:  # statistics are of the examples without what the stream says
            data = [*data, self._statistics(program)]
        key = ("measure", id(measure.term), stream, examples, CANONICAL.encode(data), _of_phases(program))
        if key not in body.cache:
            part = body.term(measure.term)
            reached = body.reached(part)
            rest = CANONICAL.encode([stream, examples, *data])[1:-1]
            derived = body.part(measure, partial(_derived, program, measure.term)).text == "true"
            modes = self._modes_in_phases(program, measure.term, reached) if derived else ""
            text = f"[{part.text},{reached.bindings},{reached.networks},{rest}{modes}]"
            body.cache[key] = measure.term, digest_of_text(text)
        return body.cache[key][1]

    def _statistics(self, program: Program) -> list[str]:
        """What the statistics of the training examples are made of."""
        body = self.body(program)
        parts = [body.term(item.term) for item in program.statistics]
        return [*(part.text for part in parts), body.reached(*parts).bindings]

    def sample(self, program: Program, term: t.Term, examples: int) -> str:
        """What the values of a term over single test examples depend on, beside the training's digest."""
        body = self.body(program)
        key = ("sample", id(term), examples, _of_phases(program))
        if key not in body.cache:
            part = body.term(term)
            reached = body.reached(part)
            modes = self._modes_in_phases(program, term, reached) if _derived(program, term) else ""
            text = f'["sample",{part.text},{reached.bindings},{reached.networks},{examples}{modes}]'
            body.cache[key] = term, digest_of_text(text)
        return body.cache[key][1]

    def _modes_in_phases(self, program: Program, term: t.Term, reached: _Reached) -> str:
        """The gradient modes that a derivative is taken under, and what it means under those of later phases."""
        others = self._under_others(program, [term], lambda walk, one: walk.term(one))
        return "".join(f",{text}" for text in (_modes(program, reached.used), *others))

    def body(self, program: Program) -> _Body:
        """What a program has in common with others."""
        modes = ((key, m.name, m.value) for key, m in program.gradient.items())
        context = (*map(id, program.outputs), *map(id, program.estimates), *modes)
        parts = (program.draws, program.examples, program.statistics, program.networks)
        key = (context, *(tuple(map(id, part)) for part in parts))
        if (body := self.bodies.get(key)) is None:
            if len(self.bodies) >= MAX_CACHED:
                self.bodies.clear()
                self.contexts.clear()
            body = self.bodies[key] = _Body(program, DirectWalk(program), self.contexts.setdefault(context, {}))
        return body


def _of_phases(program: Program) -> Any:
    """The gradient modes of the phases in which they are others than in the first: what tells them apart in this process."""
    phases = program.training.phases if program.training is not None else ()
    own = [(place, phase.gradient) for place, phase in enumerate(phases) if phase.gradient is not None]
    return tuple((place, *((key, m.name, m.value) for key, m in modes.items())) for place, modes in own)


def _derived(program: Program, term: t.Term) -> bool:
    """Whether gradients stand in a term, or in outputs and estimates that it uses, so that gradient modes are part of its meaning."""
    estimates = {item.name: item.term for item in program.estimates}
    roots = [
        term,
        *(estimates[i.name] for i in reached(program, [term]) if isinstance(i, t.Reference) and i.name in estimates),
    ]
    gradients = (t.Gradient, *t.DERIVATIVES, t.GradientStatistic)
    return any(isinstance(item, gradients) for item in reached(program, roots))


def _modes(program: Program, used: Iterable[str]) -> str:
    """The gradient modes of networks and of their layers."""
    if not program.gradient:
        return "{}"
    walk = DirectWalk(program)
    modes = {k: [m.name, walk.number(m)] for k, m in program.gradient.items() if k.split(".")[0] in used}
    return CANONICAL.encode(modes)


def _map(texts: Mapping[str, str]) -> str:
    """A mapping of texts that are written out already."""
    return "{" + ",".join(f"{_name(name)}:{text}" for name, text in sorted(texts.items())) + "}"


@cache
def _name(name: str) -> str:
    return CANONICAL.encode(name)


class DirectWalk(Walk):
    """Terms to nested lists; notes the names and networks that stand in them, and goes no further."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.names: dict[str, None] = {}
        self.invoked: dict[str, None] = {}
        self.stages = {item.name: "draw" for item in program.draws} | {
            item.name: "example" for item in program.examples
        }
        self.stages |= dict.fromkeys((item.name for item in program.statistics), "statistics")
        self.stages |= dict.fromkeys(self.estimates, "estimates")

    def reach(self, name: str, stage: str) -> None:
        self.names[name] = None

    def network(self, name: str) -> None:
        self.invoked[name] = None
