"""Gradients with respect to names: the value has to depend on the name, through real numbers, and on no other example."""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics.problems import Problem, listing
from ..ir import terms as t
from ..ir.plan import Program
from ..passes.gradient_paths import BRIDGES, Paths, Reached
from ..passes.print_term import brief
from ..passes.program_roots import written
from ..passes.reached_examples import names_of, reached
from ..tables.layers import row_of


def undefined_gradients(program: Program) -> list[Problem]:
    """What is wrong with the gradients by names that stand in a program."""
    losses = [term.term for term in program.loss] if program.training is not None else []
    found: dict[int, Problem] = {}
    for root in written(program):
        for item in t.walk(root):
            if isinstance(item, t.ValueGradient) and id(item) not in found and (problem := _undefined(program, item)):
                found[id(item)] = problem
    for item in reached(program, losses):
        if isinstance(item, t.ValueGradient) and id(item) not in found and (problem := _coupled(program, item)):
            found[id(item)] = problem
    return list(found.values())


def _undefined(program: Program, term: t.ValueGradient) -> Problem | None:
    """The problem of a gradient that is 0 everywhere: the value has nothing of the name, or by way of ints alone."""
    name, shown = term.by.name, brief(term.of)
    paths, passed = Paths(program), Reached()
    outputs = {item.name for item in program.outputs}

    def along(item: t.Term) -> Iterable[t.Term]:
        if item.type.kind != "real":
            passed.ends.append(item)
        held = isinstance(item, t.Reference) and item.name not in outputs
        return () if held or _is(item, name) else paths.onwards(item, passed)

    if any(_is(item, name) for item in t.walk(term.of, along)):
        return None
    if not any(_is(item, name) for item in reached(program, [term.of])):
        known = [
            n for n in (*names_of(program, term.of, "example"), *names_of(program, term.of, "outputs")) if n != name
        ]
        hint = f"It is made from {listing(known)}." if known else "It is made from no name of an example."
        return Problem(
            f"`{shown}` does not depend on '{name}': its gradient would be 0", term.of.span or term.span, hint
        )
    end = next((item for item in passed.ends if any(_is(part, name) for part in reached(program, [item]))), None)
    where = f"`{brief(end)}` is {end.type.kind}" if end is not None else "`stop` is in every way"
    message = f"no gradient of `{shown}` comes to '{name}': {where}, and no gradient passes there"
    hint = f"Give the function a gradient mode ({BRIDGES}), or take what is smooth."
    return Problem(message, (end.span if end is not None else None) or term.span, hint)


def _coupled(program: Program, term: t.ValueGradient) -> Problem | None:
    """The problem of a gradient through a layer in which, in training, every example of a batch has to do with every other."""
    plans = {plan.name: plan for plan in program.networks}
    for item in reached(program, [term.of]):
        plan = plans[item.network] if isinstance(item, t.NetworkOutput) else None
        for layer in plan.applied() if plan is not None else ():
            row = row_of(layer)
            if row is not None and row.mixes_examples:
                message = f"this gradient is of one example's value, and the layer '{layer.key}' mixes those of a batch"
                hint = "Take `layer_normalization`, which sees one example alone."
                return Problem(message, term.span, hint)
    return None


def _is(term: t.Term, name: str) -> bool:
    return isinstance(term, t.Reference) and term.name == name
