"""Derivatives that are values: what is differentiated has to depend on what they are taken by, through real numbers, and on no other example."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeGuard

from ..diagnostics.problems import Problem, listing
from ..ir import terms as t
from ..ir.plan import MeasurePlan, Program
from ..passes.gradient_paths import BRIDGES, Paths, Reached, unreached
from ..passes.print_term import brief, spell
from ..passes.program_roots import written
from ..passes.reached_examples import names_of, reached
from ..passes.steep_paths import SteepPaths
from ..tables.gradient_modes import GRADIENT_MODES, mode_of
from ..tables.layers import row_of
from .measure_reads import MeasureReads

Derivative = t.ValueGradient | t.Directional


def flat_gradients(program: Program, derived: Iterable[MeasurePlan], reads: MeasureReads) -> Iterator[Problem]:
    """Warnings of derivatives that are 0 everywhere, of a program in which none is undefined: every way leads through `round` or its like.

    `derived` are the measures in which gradients stand.
    """
    for problem in (
        *unreached(replace(program, loss=()), derived, SteepPaths(program)),
        *undefined_gradients(program, reads, SteepPaths),
    ):
        yield replace(problem, severity="warning")


def undefined_gradients(program: Program, reads: MeasureReads, ways: type[Paths] = Paths) -> list[Problem]:
    """What is wrong with the derivatives that stand in a program, where gradients go such ways."""
    inner = [network.input for network in program.networks]
    inner += [layer.body for network in program.networks for layer in network.applied() if layer.body is not None]
    if not any(reads.of(term).derived for term in (*written(program), *inner)):
        return []
    losses = [term.term for term in program.loss] if program.training is not None else []
    found: dict[int, Problem] = {}
    for root in written(program):
        for item in t.walk(root):
            if isinstance(item, Derivative) and id(item) not in found:
                undefined = _by_weights if isinstance(item.by, t.Weight | t.AllWeights) else _by_value
                if problem := undefined(program, item, ways(program)):
                    found[id(item)] = problem
    for item in reached(program, losses):
        if isinstance(item, Derivative) and id(item) not in found and (problem := coupling(program, item)):
            found[id(item)] = problem
    return list(found.values())


def bent_products(program: Program, reads: MeasureReads) -> list[Problem]:
    """What is wrong with products with a vector that stand in a program, as its gradient modes make them."""
    if not program.gradient or not any(reads.of(term).derived for term in written(program)):
        return []
    items = (item for root in written(program) for item in t.walk(root) if isinstance(item, t.Directional))
    return [problem for item in items if (problem := _bent(program, item)) is not None]


def _by_value(program: Program, term: Derivative, paths: Paths) -> Problem | None:
    """The problem of a gradient that is 0 everywhere: the value has nothing of the name, or of what the layer gives, or by way of ints alone."""
    by, shown = term.by, brief(term.of)
    name = f"'{spell(by)}'" if isinstance(by, t.Reference | t.Parameter) else f"`{spell(by)}`"
    passed = Reached()
    along = _ways(program, paths, by, passed)

    def comes(item: t.Term) -> bool:
        return _is(item, by) or _passes(paths, item, by)

    if any(comes(item) for item in t.walk(term.of, along)):
        return None
    if not any(_holds(program, item, by) for item in reached(program, [term.of])):
        own = by.name if isinstance(by, t.Reference) else ""
        known = [
            n for n in (*names_of(program, term.of, "example"), *names_of(program, term.of, "outputs")) if n != own
        ]
        hint = f"It is made from {listing(known)}." if known else "It is made from no name of an example."
        other = next((item for item in reached(program, [term.of]) if _is_applied_elsewhere(item, by)), None)
        if other is not None:
            hint = f"`{brief(other)}` is another application of the network, even on the same input: write `{other.network}` for that on its own."
        held = [n for n in known if _leads(program, n, own)]
        if held:
            hint = f"'{held[0]}' is made from {name}, and held constant like all other names of the example; what is made from {name} under `outputs` is followed."
        return Problem(f"`{shown}` does not depend on {name}: its gradient would be 0", term.of.span or term.span, hint)
    ways = ((item, reached(program, [item])) for item in passed.ends)
    end = next((item for item, parts in ways if any(_holds(program, part, by) for part in parts)), None)
    return _ended(term, name, end)


def _ways(program: Program, paths: Paths, by: t.By, passed: Reached) -> Callable[[t.Term], Iterable[t.Term]]:
    """Where a gradient by a name, a parameter or a layer's output goes on from a term; where it ends is noted in `passed`."""
    outputs = {item.name for item in program.outputs}

    def along(item: t.Term) -> Iterable[t.Term]:
        if item.type.kind != "real":
            passed.ends.append(item)
        if isinstance(item, t.WithWeights):  # no weights hang on a name of the example, but they may on a parameter
            return (item.operand, *(paths.onwards(item, passed) if isinstance(by, t.Parameter) else ()))
        held = isinstance(item, t.Reference) and item.name not in outputs
        return () if held or _is(item, by) else paths.onwards(item, passed)

    return along


def named_beside(program: Program, reads: MeasureReads) -> Iterator[Problem]:
    """Warnings of derivatives by a function's parameter that stands for a name, of values that have the name in other ways, too.

    All of these are differentiated, where of a function that is given `1.0 * x` the parameter alone is.
    """
    for root in written(program):
        for item in t.walk(root) if reads.of(root).derived else ():
            if isinstance(item, Derivative) and isinstance(item.by, t.Reference) and _has_beside(program, item):
                name = item.by.name
                message = f"`{brief(item.of)}` has '{name}' beside the parameter that stands for it, and is differentiated by both"
                hint = f"Put `stop(…)` around what is to be held constant, or pass `1.0 * {name}`: the gradient is then by the parameter alone."
                yield Problem(message, item.span, hint, severity="warning")


def _has_beside(program: Program, term: Derivative) -> bool:
    """Whether a value comes of a name in another way than by one parameter that stands for it."""
    given: list[t.Term] = []
    body = term.of
    while isinstance(body, t.Invoke) and not body.function:
        given.extend(body.arguments)
        body = body.body
    others = [argument for argument in given if not _is(argument, term.by)]
    if len(others) == len(given):
        return False
    along = _ways(program, Paths(program), term.by, Reached())
    found = (part for root in (body, *others) for part in t.walk(root, along))
    return len(given) - len(others) > 1 or any(_is(part, term.by) for part in found)


def _leads(program: Program, name: str, to: str) -> bool:
    """Whether a name of the example is made from another, directly or through others."""
    made = {binding.name: binding.term for binding in program.examples}

    def onwards(item: t.Term) -> Iterable[t.Term]:
        return (made[item.name],) if isinstance(item, t.Reference) and item.name in made else t.children(item)

    behind = t.walk(made[name], onwards) if name in made else ()
    return any(isinstance(item, t.Reference) and item.name == to for item in behind)


def _by_weights(program: Program, term: Derivative, paths: Paths) -> Problem | None:
    """The same of a gradient by weights; one that modes make 0 is none."""
    assert isinstance(term.by, t.Weight | t.AllWeights)
    wanted, made = paths.places(term.by), paths.made_of(term.of)
    name = spell(term.by)
    if not made & wanted:
        known = listing(dict.fromkeys(f"{place[0]}.weights" for place in sorted(made)))
        hint = f"It depends on {known}." if known else "It depends on no weights: take what a network gives."
        return Problem(
            f"`{brief(term.of)}` does not depend on `{name}`: its gradient would be 0", term.of.span or term.span, hint
        )
    found = paths.through(term.of)
    if found.weights & wanted:
        return None
    end = next((item for item in found.ends if paths.made_of(item) & wanted), None)
    stopped = any(isinstance(item, t.Stop) for item in reached(program, [term.of]))
    return _ended(term, f"`{name}`", end) if end is not None or stopped else None


def _ended(term: Derivative, to: str, end: t.Term | None) -> Problem:
    """The problem of a gradient that ends on the way: at an int or a bool, or at `stop`."""
    where = (
        f"`{brief(end)}` is {'flat' if end.type.kind == 'real' else end.type.kind}"
        if end is not None
        else "`stop` is on every path"
    )
    message = f"no gradient of `{brief(term.of)}` reaches {to}: {where}, and no gradient passes there"
    hint = f"Give the function a gradient mode ({BRIDGES}), or take what is smooth."
    return Problem(message, (end.span if end is not None else None) or term.span, hint)


def _bent(program: Program, term: Derivative) -> Problem | None:
    """The problem of a product with a vector where a mode makes the backward pass other than the product takes it for."""
    if not isinstance(term, t.Directional) or not (term.twice or term.of.type.shape):
        return None
    for target in _targets(program, term.of):
        row = mode_of(program.gradient, target)
        if term.twice and not row.keeps_derivative:
            message = f"`hessian_vector` takes second derivatives, and '{target}' has the gradient mode `{row.name}`: the matrix need not be symmetric"
            plain = listing(f"`{name}`" for name, mode in GRADIENT_MODES.items() if mode.keeps_derivative)
            return Problem(
                message, term.of.span or term.span, f"Take it of a value without that mode; {plain} are allowed."
            )
        if row.per_example:
            message = f"`directional` is linear in its direction, and '{target}' has the gradient mode `{row.name}`, which is not linear"
            return Problem(
                message, term.of.span or term.span, "Take it of a value without that mode, or of each entry by itself."
            )
    return None


def _targets(program: Program, of: t.Term) -> Iterator[str]:
    """The functions, networks and layers with a mode that a value is made by."""
    for item in reached(program, [of]):
        name = item.function if isinstance(item, t.Invoke) else getattr(item, "network", None)
        if name is not None:
            yield from (target for target in program.gradient if target.split(".")[0] == name)


def coupling(program: Program, term: Derivative | t.Gradient) -> Problem | None:
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


def _is(term: t.Term, by: t.By) -> bool:
    """Whether a term is the name, the parameter or the layer's output that a derivative is taken by."""
    if isinstance(by, t.Reference):
        return isinstance(term, t.Reference) and term.name == by.name
    if isinstance(by, t.Parameter):
        return isinstance(term, t.Parameter) and term.key == by.key
    given = _given_by(term, by)
    return given is not None and given.layer == _layer(by)


def _given_by(term: t.Term, by: t.By) -> t.NetworkOutput | None:
    """A term, where it is what that network gives on its own input whose layer's output a derivative is taken by."""
    if not isinstance(term, t.NetworkOutput) or term.input is not None or not isinstance(by, t.NetworkOutput):
        return None
    return term if term.network == by.network else None


def _is_applied_elsewhere(term: t.Term, by: t.By) -> TypeGuard[t.NetworkOutput]:
    """Whether a term is what the network whose layer's output a derivative is taken by gives on another input."""
    same = isinstance(term, t.NetworkOutput) and isinstance(by, t.NetworkOutput) and term.network == by.network
    return same and getattr(term, "input", None) is not None


def _layer(by: t.By) -> str | None:
    return by.layer if isinstance(by, t.NetworkOutput) else None


def _passes(paths: Paths, term: t.Term, by: t.By) -> bool:
    """Whether the gradient of a network's output comes to the output of the layer that a derivative is taken by."""
    given = _given_by(term, by)
    return given is not None and any(key == _layer(by) for _, key in paths.outputs(given))


def _holds(program: Program, term: t.Term, by: t.By) -> bool:
    """Whether a term is what a derivative is taken by, or is made by a network that goes through it."""
    given = _given_by(term, by)
    if given is None:
        return _is(term, by)
    plan = next(plan for plan in program.networks if plan.name == given.network)
    passed = plan if given.layer is None else plan.until(given.layer)
    return any(layer.key == _layer(by) for layer in passed.applied())
