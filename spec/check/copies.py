"""Copies of a network, and of an input: networks that give the same several times, and optimisers that would take copies for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..diagnostics.problems import Problem
from ..ir import terms as t
from ..ir.plan import OptimizerPlan, Program
from ..model.experiment import FreeParameter, Network
from ..passes.optimizers_by_phase import optimizers_by_phase
from ..passes.shared_noise import drawing
from ..tables.optimizers import OF_ONE_WEIGHT, OPTIMIZERS


def equal_inputs(program: Program) -> Iterator[Problem]:
    """A warning of each network with `each` whose inputs are copies of one, and of copies without weights, unless its layers draw and so tell them apart."""
    terms = {item.name: item.term for item in (*program.draws, *program.examples, *program.outputs)}
    for plan in program.networks:
        several = plan.each and plan.each > 1 and _copies(plan.whole(plan.input), terms)
        if several and plan.name not in drawing(program):
            message = f"'{plan.name}' is applied to {plan.each} copies of one input, with the same weights: it gives {plan.each} times the same"
            hint = f"Networks with weights of their own are `copies: {plan.each}`, of one input; `each` is for several inputs."
            yield Problem(message, plan.input.span, hint, "warning")
        if (plan.copies or 1) > 1 and not plan.parameters and plan.name not in drawing(program):
            message = f"'{plan.name}' has no weights that are learnt, and draws nothing: its {plan.copies} copies give the same"
            yield Problem(message, plan.input.span, "Leave `copies` out.", "warning")


def _copies(term: t.Term, terms: Mapping[str, t.Term]) -> bool:
    """Whether all entries along the first axis of a value are the same; `terms` are what names stand for."""
    while isinstance(term, t.Reference) and term.name in terms:
        term = terms[term.name]
    if isinstance(term, t.Stack):
        return len({item.name if isinstance(item, t.Reference) else id(item) for item in term.items}) == 1
    if isinstance(term, t.Comprehend):
        along = any(one.key == term.indices[0].key for one in t.within(term.body, t.IndexVariable))
        return not along and not t.has(term.body, t.Sample)
    return isinstance(term, t.Operate) and term.operation == "repeat"


def mixed_copies(program: Program, architecture: Mapping[str, Network | FreeParameter]) -> Iterator[Problem]:
    """An error of each network whose copies an optimiser would take for one weight."""
    copied = {plan.name for plan in program.networks if plan.copies is not None}
    mixed = {
        place[0]: mixing
        for phase in (optimizers_by_phase(program) if copied else ())
        for update in phase
        for _, place, optimizer in update.of_weights()
        if place[0] in copied and (mixing := _mixing(optimizer))
    }
    for name, mixing in mixed.items():
        node = architecture[name].node("copies")
        message = f"{mixing} takes a weight as a whole, and all copies of '{name}' are one weight"
        hint = "Choose an optimiser that works entry by entry, `global_clipnorm` or `clipvalue`, or give each network a name."
        yield Problem(message, node.span if node is not None else None, hint)


def _mixing(optimizer: OptimizerPlan) -> str:
    """What of an optimiser takes the norm of a weight; nothing where each entry is by itself, or all weights together."""
    clipping = next((f"`{name}`" for name in OF_ONE_WEIGHT if name in optimizer.arguments), "")
    return clipping if OPTIMIZERS[optimizer.name].elementwise else f"the optimiser `{optimizer.name}`"
