"""What a compiled program hangs on: programs of one signature run in one graph, and cells of one form side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..ir import terms as t
from ..ir.plan import LayerPlan, NetworkPlan, Program
from ..ir.types import Type
from .alike_blocks import with_one_block
from .canonical import Walk
from .digests import DirectWalk, digest
from .optimizers_by_phase import optimizers_by_phase
from .program_roots import differentiates, redraws
from .shared_noise import measures_share_noise, shares_noise
from .training_digests import repeated, stored_form, updates_form


def signature_digest(program: Program) -> str:
    """What a program's compiled graph depends on: two programs with the same signature run in the same graph.

    Not in it are the inputs of the graph: seeds, draws (unless a statistic draws them anew), initial weights, learning
    rates that are numbers, how many steps there are and when is evaluated.
    """
    return digest([*_form(program, _SignatureWalk(program, redraws(program))), *_shared_optimizers(program)])


def _shared_optimizers(program: Program) -> list[list[int]]:
    """Which updates of several phases are made by the same optimisers, of which each has one learning rate."""
    phases = program.training.phases if program.training is not None else ()
    return [[own.number for own in phase] for phase in optimizers_by_phase(program)] if len(phases) > 1 else []


def measured_digest(program: Program) -> str:
    """What all that measures a program and shows it says, however it is trained: where it is the same, what is compiled for that mostly is, too."""
    networks = {network.name for network in program.networks}
    modes = {target: mode for target, mode in program.gradient.items() if target.partition(".")[0] in networks}
    kept = program.gradient if differentiates(program) else modes
    return signature_digest(replace(program, training=None, loss=(), gradient=kept))


def cell_form_digest(program: Program) -> str:
    """What cells have in common that may be trained side by side: their signature but for the values of numbers, and their course.

    The course: the seed tree, the replicates, the number of steps, and after which of them measures are taken and figures shown.
    """
    program, plan = with_one_block(program), program.training
    course = [program.experiment, program.seed, program.replicates, [probe.steps for probe in program.probes]]
    course += [[[phase.steps, *repeated(phase)] for phase in plan.phases], plan.evaluations] if plan is not None else []
    # Inputs that are one in one cell may be two in another
    exact = shares_noise(program) or measures_share_noise(program)
    walk = (_SignatureWalk if exact else _CellFormWalk)(program, redraws(program))
    return digest([*course, *_form(program, walk)])


def _form(program: Program, walk: _SignatureWalk) -> list[Any]:
    """All of a program that a compiled graph depends on, as a walk writes it."""
    loss = [[term.name, walk.term(term.term), walk.term(term.weight)] for term in program.loss]
    measures = [
        [measure.name, measure.on, *map(program.evaluated, measure.streams), walk.term(measure.term)]
        for measure in program.measures
    ]
    probes = [
        [probe.figure, probe.examples, {label: walk.term(term) for label, term in probe.terms.items()}]
        for probe in program.probes
    ]
    for plan in program.networks:
        walk.network(plan.name)
    for stage, items in (("draw", program.draws), ("example", program.examples)):
        for item in items:
            walk.reach(item.name, stage)
    phases = program.training.phases if program.training else ()
    training = [part for phase in phases for part in (phase.batch, updates_form(walk, phase, program.loss))] or None
    named = len(phases) > 1 or (phases and phases[0].times > 1)
    later = [
        [[program.loss.index(term) for term in phase.loss], phase.steps, *repeated(phase)] for phase in phases if named
    ]
    modes = {name: [mode.name, walk.number(mode)] for name, mode in program.gradient.items()}
    parts = [loss, measures, probes, walk.networks(), walk.bindings(), modes, training, *later, *walk.streams()]
    for one in program.under_each_mode[1:]:
        places = [place for place, phase in enumerate(phases) if phase.gradient is one.gradient]
        parts.append([places, _form(without_phases(one), type(walk)(one, walk.redrawn))])
    return [program.dtype, *stored_form(program), *program.data.identity(), program.data.test, *parts]


def without_phases(program: Program) -> Program:
    """A program under the modes of one of its phases, in all of its phases."""
    plan = program.training
    assert plan is not None
    return replace(program, training=replace(plan, phases=tuple(replace(one, gradient=None) for one in plan.phases)))


class _SignatureWalk(Walk):
    """The same without the inputs of a compiled graph: of draws the types alone, and no initial weights."""

    def __init__(self, program: Program, redrawn: bool) -> None:
        super().__init__(program)
        self.redrawn = redrawn

    def binding(self, term: t.Term, stage: str) -> Any:
        return self.term(term) if self.redrawn or stage != "draw" else [term.type.kind, list(term.type.shape)]

    def layer(self, layer: LayerPlan) -> Any:
        return [*super().layer(replace(layer, initializers={})), *(["turns"] if layer.turns is not None else [])]

    def stack(self, plan: NetworkPlan) -> Any:
        """A network's meaning, and whether it looks rows up: that depends on draws, of which only the types are in it."""
        return [super().stack(plan), plan.index is not None]


class _CellFormWalk(_SignatureWalk):
    """The same without the values of numbers: of each the kind and the shape."""

    def constant(self, value: np.ndarray[Any, Any], given: Type) -> Any:
        return ["number", given.kind, list(given.shape)] if given.kind != "bool" else super().constant(value, given)

    def argument(self, value: Any) -> Any:
        """As it is, where it is a term: what is compiled is not given the numbers of gradient modes and layers."""
        return DirectWalk(self.program).term(value) if isinstance(value, t.Term) else super().argument(value)

    def given(self, value: Any) -> Any:
        return "number" if value else self.value(value)
