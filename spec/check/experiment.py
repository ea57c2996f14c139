"""One experiment at one point of its sweep: every part of it checked and typed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..diagnostics.problems import Problem, StudyError, in_file_order, problem_at
from ..ir import terms as t
from ..ir.data import DataSource, Fresh
from ..ir.measured import each_term_once
from ..ir.plan import LossPlan, Named, Program, TrainingPlan
from ..model.experiment import Network
from ..model.layers import LayerDefaults
from ..passes.gradient_paths import Paths, unreached
from ..passes.steep_paths import SteepPaths, untrained
from ..source import nodes as yaml
from .all_points import OnePointNeeded
from .available_moments import unavailable
from .copies import equal_inputs, mixed_copies
from .data import data_source
from .doubtful_terms import doubtful
from .estimates import estimates
from .figure_samples import probes
from .gradient_modes import by_gradient_modes, in_all_phases, in_phases, in_their_phases, modes, modes_in_force
from .idle_arguments import idle_in_layers, idle_in_training
from .integer_ranges import data_ranges, estimate_ranges, ranges
from .measure_reads import MeasureReads
from .measures import loss_term, measures
from .memo import ById, Shared
from .moments import may_be_missing
from .names import make_names
from .namespace import Function
from .other_weights import misplaced_weights
from .said_again import CellProblems
from .scope import ExperimentScope
from .statistics import statistics
from .stored_weights import left_out_of_nothing, stored_weights
from .streams import streams_of
from .timed_numbers import outside_bounds, timed_numbers
from .training import TrainingChecker
from .training_mode import measured_as_trained
from .unused_functions import unused
from .updates import idle_updates
from .value_gradients import bent_products, flat_gradients, named_beside, undefined_gradients
from .visits import with_visits
from .weighed_examples import unweighed_layers

MAX_REPLICATES = 100_000


@dataclass(frozen=True)
class Point:
    """Which cell: names for people, the swept constants' nodes, and everything that seeds."""

    study: str
    experiment: str
    variant: str
    values: Mapping[str, Any]
    constants: Mapping[str, yaml.Node]
    together: Mapping[str, t.Literal] = field(default_factory=dict)
    """What stands for the swept constants at all of some points, where these are checked at once."""


class ExperimentChecker:
    """Checks the parts of an experiment, in order, and builds its program."""

    def __init__(self, point: Point, shared: Shared, study_defaults: LayerDefaults | None = None) -> None:
        self.point = point
        self.shared = shared
        self.model = shared.model
        self.anew = partial(ExperimentScope, shared, point.constants, study_defaults, point.together)
        self.scope = self.anew()

    def program(self) -> Program:
        """The program. Raises StudyError with every independent problem, in file order, and OnePointNeeded (see `all_points.py`)."""
        program, together = self._attempt()
        some = self.scope.said_again.told_of(together)
        problems = self.scope.said_again.apart_before(together, some) if some else together
        if problems is None or bool(problems.errors) != bool(together.errors):
            program, problems = self._with_apart(some)
            self.scope.said_again.note_apart(together, some, problems)
        self.scope.warnings[:] = problems.warnings
        if program is None:
            raise StudyError(problems.errors)
        return program

    def _with_apart(self, some: frozenset[Hashable]) -> tuple[Program | None, CellProblems]:
        """The same with some expressions that stand again made each by itself, and those of which anything is told then."""
        while True:
            self.scope = self.anew()
            self.scope.said_again.apart = some
            program, problems = self._attempt()
            more = self.scope.said_again.told_of(problems)
            if not more:
                return program, problems
            some |= more

    def _attempt(self) -> tuple[Program | None, CellProblems]:
        """The program, where it is sound, and what is told of it. Raises OnePointNeeded."""
        try:
            program = self._program()
        except StudyError as error:
            return None, CellProblems(error.problems, tuple(self.scope.warnings))
        return program, CellProblems((), tuple(self.scope.warnings))

    def _program(self) -> Program:
        scope = self.scope
        scope.borders_of_training = TrainingChecker(scope).borders
        scope.data = scope.attempt(self._data)
        if scope.data is not None:
            scope.data = scope.attempt(partial(with_visits, scope, scope.data))
        make_names(scope)
        for name in self.model.architecture:
            scope.attempt(lambda name=name: scope.plan(name, scope.span))
        losses = [scope.attempt(partial(self._loss, key)) for key in self.model.loss]
        loss = self.once(term for term in losses if term is not None)
        found_modes = modes(scope)
        found = measures(scope)
        looked_at = self.shared.once("each term once", (found,), lambda: each_term_once(found))
        training = scope.attempt(lambda: TrainingChecker(scope).plan(loss, found))
        gradient = next(iter(found_modes.values()))
        if training is not None:
            gradient, training = in_phases(training, found_modes)
        self._warn_of_idle(training)
        stored = scope.attempt(
            lambda: scope.part(
                ("stored",),
                lambda: stored_weights(scope),
                *map(self.model.node, ("weights", "state", "loss_scale", "dtype")),
            )
        )
        if stored is None or stored.loss_scale is None:
            scope.problems.extend(self.shared.once("left out", (found,), lambda: tuple(left_out_of_nothing(found))))
        if scope.dependencies.density is not None and not isinstance(data := self.model.task.data, str):
            scope.problems.extend(unweighed_layers(list(scope.plans.values()), data.span("enumerate")))
        replicates = scope.attempt(lambda: scope.part(("replicates",), self.replicates, self.model.node("replicates")))
        streams = streams_of(scope)
        found_probes = probes(scope, training, {*self.point.values, *(["variant"] if self.point.variant else [])})
        found_estimates = self.once(
            estimates(scope, training, loss if training is None else training.loss, looked_at, found_probes)
        )
        using = [item.term for item in (*looked_at, *found_estimates)]
        using += [item.term for items in streams.values() for item in items]
        using += [term for probe in found_probes for term in probe.terms.values()]
        using += [item.term for item in (loss if training is None else training.loss)]
        found_statistics = self.once(statistics(scope, using, looked_at))
        idle = [function for name, function in scope.functions.items() if name not in scope.checker.called]
        scope.problems.extend(self._unused(idle))
        if self.model.training is not None and not self.model.loss and not self.model.training.phases:
            message = "the training has no loss to minimise"
            scope.problems.append(Problem(message, self.model.key("training"), "Add `loss:`."))
        if scope.problems:
            raise StudyError(in_file_order(scope.problems))
        program = Program(
            study=self.point.study, experiment=self.point.experiment, variant=self.point.variant,
            point=dict(self.point.values), seed=self.model.seed, dtype=self.model.dtype,
            constants={name: scope.terms[name].value for name in scope.stage("constants")},  # type: ignore[attr-defined]
            draws=self.named("draw"), examples=self.named("example"), outputs=self.named("outputs"),
            networks=tuple(scope.plans[name] for name in self.model.architecture),
            loss=loss if training is None else training.loss, gradient=gradient, training=training,
            measures=found, data=scope.data or Fresh(0), replicates=replicates or 1, probes=tuple(found_probes),
            estimates=found_estimates, stored=stored, statistics=found_statistics,
            streams={name: streams[name] for name in dict.fromkeys(s for m in looked_at for s in m.streams) if name in streams},
        )  # fmt: skip
        self.ranged(program)
        late = self.shared.once(
            "measures that may be missing",
            (*program.outputs, program.measures),
            lambda: may_be_missing(program.outputs, program.measures, self.shared.common.reads),
        )
        if late:
            kept = (replace(measure, ratio=True) if measure in late else measure for measure in program.measures)
            program = replace(program, measures=tuple(kept))
        return program

    def _warn_of_idle(self, training: TrainingPlan | None) -> None:
        """Warns of arguments that do nothing."""
        scope, model = self.scope, self.model
        networks = (network for network in model.architecture.values() if isinstance(network, Network))
        found = (problem for network in networks for problem in idle_in_layers(network.layers))
        scope.part(("idle",), lambda: scope.warnings.extend(found), model.node("architecture"))
        if training is not None and model.training is not None:
            scope.warnings.extend(idle_in_training(model.training, training.phases))

    def _loss(self, name: str) -> LossPlan:
        node = self.model.node("loss", name)
        entry, scope = self.model.loss[name], self.scope
        make = partial(scope.part, ("loss", name), lambda: loss_term(scope, name, entry, node), node)
        plan: LossPlan = scope.said_again.plan("loss", name, make)
        return plan

    def _unused(self, idle: Sequence[Function]) -> tuple[Problem, ...]:
        """What is wrong with functions that nothing calls, looked for once for the same ones among the same names."""
        if not idle:
            return ()
        cache = self.shared.common.cache
        key = ("unused", self.shared.names, ById(self.shared.whole), *(id(function.node) for function in idle))
        if key not in cache:
            cache[key] = tuple(unused(idle, self.shared.whole, self.scope.vocabulary.known()))
        problems: tuple[Problem, ...] = cache[key]
        return problems

    def ranged(self, program: Program) -> None:
        """Checks the ranges of ints and the ways of gradients, once for all cells whose terms are the same. Raises StudyError."""
        measures = self.shared.once("each term once", (program.measures,), lambda: each_term_once(program.measures))
        program = replace(program, measures=measures)
        clock = self._clock(program)
        kind = f"ranges {self.shared.common.number((modes_in_force(program), clock, _rounds(program)))}"
        named = (*program.draws, *program.examples, *program.outputs, *program.networks, *program.loss)
        probed = (term for probe in program.probes for term in probe.terms.values())
        terms = (*named, program.measures, *program.estimates, *program.streams.values(), *probed)
        try:
            if found := measured_as_trained(program):
                raise StudyError(in_file_order(found))
            self.scope.warnings.extend(self.shared.once(kind, terms, lambda: self._ranged(program, clock)))
        except StudyError:
            if self.shared.points:  # the bounds of all points together may be too wide
                raise OnePointNeeded from None
            raise

    def _clock(self, program: Program) -> tuple[Any, ...] | None:
        """What the counters of a program's terms hang on: its steps, and where its phases begin. None where none stands in it."""
        plan = program.training
        if plan is None:
            return (0,)
        terms = [item.term for item in (*program.draws, *program.examples, *program.outputs)]
        terms += [item.term for item in program.estimates]
        terms += [item.term for item in program.loss]
        terms += [network.input for network in program.networks]
        terms += [
            one.body for network in program.networks for layer in network.leaves() for one in layer.kept_by.values()
        ]
        terms += [term for one in program.under_each_mode for _, term, _ in timed_numbers(one)]
        terms += [term for probe in program.probes for term in probe.terms.values()]
        counted = self.shared.once(
            "steps are counted",
            (*terms, program.measures),
            lambda: _counts([*terms, *(measure.term for measure in program.measures)]),
        )
        if not counted:
            return None
        losses = [(phase.name, *map(id, phase.loss)) for phase in plan.phases]
        averaged = [o.arguments.get("use_ema") for phase in plan.phases for o in phase.all_optimizers]
        return (plan.steps, *plan.starts, *plan.passes, *losses, *averaged)

    def _ranged(self, program: Program, clock: tuple[Any, ...] | None) -> tuple[Problem, ...]:
        """The warnings of these checks. Raises StudyError."""
        drawn = (*program.draws, *program.examples)
        data = self.shared.once(f"ranges of data {clock}", drawn, lambda: data_ranges(program))
        reads = self.shared.common.reads
        _, derived, _ = reads.together(program.measures)
        estimates = estimate_ranges(program) if program.streams else {}
        by_modes = [(one, Paths(one)) for one in by_gradient_modes(program)]
        if found := [
            *ranges(program, data, reads),
            *(
                problem
                for stream in program.streams
                for problem in ranges(alone(program, stream), None, MeasureReads(), estimates)
            ),
            *in_their_phases(
                by_modes,
                lambda one, paths: (
                    *unreached(one, one.estimates, paths),
                    *undefined_gradients(replace(one, measures=(), probes=()), reads),
                    *bent_products(one, reads),
                    *idle_updates(one, paths),
                ),
            ),
            *in_all_phases(
                by_modes,
                lambda one, paths: (
                    *unreached(replace(one, loss=()), derived, paths),
                    *undefined_gradients(one, reads),
                ),
            ),
            *unavailable(program, reads),
            *misplaced_weights(program),
            *outside_bounds(program),
            *mixed_copies(program, self.model.architecture),
        ]:
            raise StudyError(in_file_order(found))
        return (
            *in_their_phases(by_modes, lambda one, _: untrained(one, SteepPaths(one))),
            *in_all_phases(by_modes, lambda one, _: tuple(flat_gradients(one, derived, reads))),
            *named_beside(program, reads),
            *doubtful(program, reads, data, clock is not None),
            *equal_inputs(program),
        )

    def _data(self) -> DataSource:
        """Where examples come from; what is enumerated is looked for in the terms themselves, at each point."""
        model = self.model.task.data
        if not isinstance(model, str) and model.enumerate is not None:
            return data_source(self.scope)
        evaluate = self.model.training.node("evaluate") if self.model.training else None
        nodes = self.model.task.node("data"), evaluate
        data: DataSource = self.scope.part(("data",), lambda: data_source(self.scope), *nodes)
        return data

    def replicates(self) -> int:
        """How many replicates there are, within the limit."""
        count = self.scope.count(self.model.node("replicates"), self.model.replicates, "'replicates'")
        if count > MAX_REPLICATES:
            hint = "A mean over replicates has a standard error of 1 / √replicates: 1,000 give 3 %."
            raise problem_at(
                self.model.span("replicates"), f"{count:,} replicates; the limit is {MAX_REPLICATES:,}", hint
            )
        return count

    def named(self, stage: str) -> tuple[Named, ...]:
        """The bindings of a stage, each after those that it uses."""
        terms = [self.scope.terms[name] for name in self.scope.stage(stage)]
        bindings: tuple[Named, ...] = self.shared.once(
            f"stage {stage} {self.shared.names}", terms, lambda: self._named(stage)
        )
        return bindings

    def _named(self, stage: str) -> tuple[Named, ...]:
        once, terms = self.shared.once, self.scope.terms
        names = self.scope.dependencies.by_use(self.scope.stage(stage), stage)
        return tuple(once(f"named {name}", (terms[name],), partial(Named, name, terms[name])) for name in names)

    def once(self, items: Iterable[Any]) -> tuple[Any, ...]:
        """Some parts in a tuple: the same one at every point where they are the same."""
        found: tuple[Any, ...] = tuple(items)
        kept: tuple[Any, ...] = self.shared.once("tuple", found, lambda: found)
        return kept


def alone(program: Program, stream: str) -> Program:
    """What is made of the examples of a test stream: the measures over it alone."""
    measures = tuple(measure for measure in program.measures if stream in measure.streams)
    return replace(program.on(stream), measures=measures, loss=(), probes=())


def _counts(terms: Iterable[t.Term]) -> bool:
    """Whether the number of a step, or what was at another, stands in any of some terms."""
    return any(t.has(term, t.StepNumber, t.Recalled) for term in terms)


def _rounds(program: Program) -> tuple[Any, ...]:
    """Who learns from which terms of the loss, where a study says what a step consists of."""
    phases = program.training.phases if program.training is not None else ()
    return tuple(
        (update.networks, *(program.loss.index(term) for term in update.loss))
        for phase in phases
        for update in phase.updates
    )
