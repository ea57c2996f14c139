"""Values at other weights than a network's own: `with_weights(f, f.weights, (1 - t) * a + t * b)`."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import NoReturn

from ..diagnostics.problems import Problem, Span, listing, problem_at
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.bodies import free_indices
from ..ir.plan import Program
from ..ir.types import shape_text
from ..passes.gradient_paths import Paths
from ..passes.print_term import brief, spell
from ..passes.program_roots import written
from ..passes.reached_examples import reached
from .context import Context, Elaborator
from .expectations import behind, enclosed
from .expression_text import Text
from .namespace import LATE_STAGES

WITH_WEIGHTS = "with_weights"
ALIKE = "Networks have each other's weights where their layers are alike."
MAX_VALUES = 100
"""How many values weights may have along indices around: what is computed with each is compiled by itself."""


def with_weights(checker: Elaborator, node: n.Call, text: Text, context: Context, span: Span) -> t.Term:
    """A value at other weights. Raises StudyError."""
    if context.stage not in LATE_STAGES:
        hint = "Use it in outputs, losses and measures."
        raise problem_at(span, f"`{WITH_WEIGHTS}` needs weights, and there are none here yet", hint)
    terms = (checker.term(argument, text, context) for argument in node.arguments)
    operand, chosen, weights = (enclosed(next(terms), context.bound), behind(next(terms), context.bound), next(terms))
    replaced = _replaced(chosen, span)
    if isinstance(operand, t.Literal):
        return operand
    _must_be_of_one_example(operand, span)
    _must_fit(checker, weights, replaced, span)
    _must_be_in_order(checker, weights, replaced, span)
    weights = enclosed(weights, context.bound)
    _must_be_of_all_examples(checker, weights, span)
    count = prod(index.extent for index in free_indices(weights))
    if count > MAX_VALUES:
        message = f"weights have at most {MAX_VALUES} values along the indices around them, and these have {count:,}"
        hint = "Take fewer: each is compiled by itself."
        raise problem_at(weights.span or span, message, hint)
    return t.WithWeights(operand, replaced, weights, type=operand.type, span=span)


def _replaced(chosen: t.Term, span: Span) -> t.Weight | t.AllWeights:
    """The weights that have other values. Raises StudyError."""
    if isinstance(chosen, t.Weight | t.AllWeights):
        return chosen
    message = f"`{WITH_WEIGHTS}` takes the weights to replace as its second argument, and this is "
    if isinstance(chosen, t.NetworkOutput):
        name = chosen.network if chosen.layer is None else f"{chosen.network}.{chosen.layer}"
        message += f"what '{name}' gives"
        raise problem_at(chosen.span or span, message, f"All of its weights, as one vector, are `{name}.weights`.")
    hint = "Name them: `f.weights` for all of a network, `f.hidden.weights` for a layer's, `f.hidden.kernel` for one."
    raise problem_at(chosen.span or span, f"{message}{chosen.type}", hint)


def _must_be_of_one_example(operand: t.Term, span: Span) -> None:
    """Refuses averages within, which are taken at the weights that are there. Raises StudyError."""
    over = next((item for item in t.walk(operand) if isinstance(item, t.Expectation | t.Gradient)), None)
    if over is None:
        return
    what = "a gradient by weights" if isinstance(over, t.Gradient) else "an average over examples"
    hint = (
        f"Take the gradient of it instead: `gradient({WITH_WEIGHTS}(x, f.weights, f.weights + stop(d)), f.weights)`."
        if isinstance(over, t.Gradient)
        else f"Write it inside: `E({WITH_WEIGHTS}(x, …))`."
    )
    raise problem_at(over.span or span, f"`{WITH_WEIGHTS}` is of one example's value, and this has {what}", hint)


def _must_fit(checker: Elaborator, weights: t.Term, replaced: t.Weight | t.AllWeights, span: Span) -> None:
    """Refuses values of another shape than that of the weights. Raises StudyError."""
    wanted, given, name = replaced.type, weights.type, spell(replaced)
    if given.kind == "bool":
        hint = f"Multiply by a mask: `{name} * (1 if c else 0)`."
        raise problem_at(weights.span or span, f"`{name}` is {wanted}, and these values are {given}", hint)
    if given.shape == wanted.shape:
        return
    message = f"`{name}` is {wanted}, and these values are {given}"
    size, count = prod(wanted.shape), prod(given.shape)
    hint = f"Give one number for each of the {size:,}, in the order of `{name}`."
    if not given.shape and wanted.shape:
        hint = f"To use one number for all, write `{name} + {spell(weights)}` or `{spell(weights)} * {name}`."
    elif copied := _of_other_copies(checker, weights, replaced, span):
        hint = copied
    elif size == count:
        hint = f"Give them their shape: `reshape(w, {list(wanted.shape)})`."
    elif isinstance(weights, t.AllWeights) and isinstance(replaced, t.AllWeights) and weights.layer == replaced.layer:
        hint = ALIKE
    elif isinstance(replaced, t.AllWeights) and replaced.layer is None and isinstance(weights, t.Weight):
        hint = (
            f"For one weight alone, write `{WITH_WEIGHTS}(x, {replaced.network}.{weights.layer}.{weights.weight}, w)`."
        )
    raise problem_at(weights.span or span, message, hint)


def _of_other_copies(checker: Elaborator, weights: t.Term, replaced: t.Weight | t.AllWeights, span: Span) -> str | None:
    """How weights of a network are given to one of other `copies`, where that is how they differ."""
    if not isinstance(weights, t.Weight | t.AllWeights) or weights.network == replaced.network:
        return None
    own, other = (checker.names.plan(part.network, span) for part in (replaced, weights))
    layers = [[leaf.weights for leaf in plan.leaves()] for plan in (own, other)]
    if own.copies == other.copies or layers[0] != layers[1]:
        return None
    counts = [f"{plan.copies} copies" if plan.copies else "no copies" for plan in (own, other)]
    told = f"`{own.name}` has {counts[0]}, and `{other.name}` {counts[1]}"
    if own.copies and other.copies:
        return f"{told}: give both the same number."
    leaf = next(leaf for leaf in own.leaves() if leaf.weights and replaced.layer in (None, leaf.key))
    part = replaced.weight if isinstance(replaced, t.Weight) else next(iter(leaf.weights))
    wanted, given = (f"{name}.{leaf.key}.{part}" for name in (own.name, other.name))
    one = f"[{given} for k < {own.copies}]" if own.copies else f"{given}[0]"
    how = "one weight after the other, as in" if isinstance(replaced, t.AllWeights) else "write"
    return f"{told}: give both the same number, or {how} `{WITH_WEIGHTS}(x, {wanted}, {one})`."


def _must_be_in_order(checker: Elaborator, weights: t.Term, replaced: t.Weight | t.AllWeights, span: Span) -> None:
    """Refuses the weights of a network of as many, in other layers: they would be dealt out anyhow. Raises StudyError."""

    def entry_by_entry(item: t.Term) -> list[t.Term]:
        return [part for part in t.children(item) if part.type.shape == replaced.type.shape]

    wanted = _shapes(checker, replaced, span)
    for item in t.walk(weights, entry_by_entry) if isinstance(replaced, t.AllWeights) else ():
        if isinstance(item, t.AllWeights) and not checker.names.plan(item.network, span).free:
            given = _shapes(checker, item, span)
            if given != wanted:
                message = f"`{spell(item)}` are {listing(given)}, and `{spell(replaced)}` {listing(wanted)}"
                hint = _of_other_copies(checker, item, replaced, span) or ALIKE
                raise problem_at(item.span or span, message, hint)


def _shapes(checker: Elaborator, weights: t.Weight | t.AllWeights, span: Span) -> list[str]:
    """The shapes of the weights that a vector of them holds, in order."""
    leaves = checker.names.plan(weights.network, span).leaves()
    return [
        shape_text(shape)
        for layer in leaves
        if weights.layer in (None, layer.key)
        for name, shape in layer.shapes.items()
        if name not in layer.untrained
    ]


def _must_be_of_all_examples(checker: Elaborator, weights: t.Term, span: Span) -> None:
    """Refuses values that differ from example to example. Raises StudyError."""
    part = checker.names.dependencies.per_example(weights)
    if part is not None:
        _refuse(part, weights.span or span)


def _refuse(part: t.Term, span: Span) -> NoReturn:
    message = f"weights are the same for all examples, and `{brief(part)}` has one value per example"
    hint = "Take constants, draws, weights, or means over the batch (`B(…)` in losses) or over examples (`E(…)` in measures)."
    if isinstance(part, t.Gradient):
        hint = f"The mean over the examples is `E({brief(part)})`."
    elif isinstance(part, t.DERIVATIVES):
        hint = f"The mean over the batch is `B({brief(part)})`."
    raise problem_at(part.span or span, message, hint)


def must_be_steady(checker: Elaborator, loop: t.Scan, span: Span) -> None:
    """Refuses a loop whose function takes states or entries for weights that differ from example to example. Raises StudyError."""
    part = checker.names.dependencies.per_example(loop)
    if part is None:
        return
    for item in t.within(loop.body, t.WithWeights):
        inner = next((one for one in t.within(item.weights, t.Parameter) if one.key in loop.parameters), None)
        if inner is not None:
            _refuse(part, inner.span or span)


def misplaced_weights(program: Program) -> list[Problem]:
    """What is wrong with the values at other weights in a program: those that hang on none of what is replaced, and derivatives past them."""
    if not any(t.has(term, t.WithWeights) for term in written(program)):
        return []
    paths = Paths(program)
    found: dict[int, Problem] = {}
    for root in written(program):
        for item in t.walk(root):
            if id(item) in found:
                continue
            if isinstance(item, t.WithWeights) and (problem := _unmoved(program, paths, item)) is not None:
                found[id(item)] = problem
            if isinstance(item, t.DERIVATIVES) and (problem := _past(program, item)) is not None:
                found[id(item)] = problem
    return list(found.values())


def _unmoved(program: Program, paths: Paths, term: t.WithWeights) -> Problem | None:
    """The problem of a value that none of the weights that are replaced have made."""
    replaced = term.replaced
    made = paths.made_of(term.operand)
    if made & paths.places(replaced) or (not paths.places(replaced) and _applies(program, term)):
        return None
    known = listing(dict.fromkeys(f"`{place[0]}.weights`" for place in sorted(made)))
    hint = f"It depends on {known}." if known else "It depends on no weights: take what a network gives."
    message = f"`{brief(term.operand)}` does not depend on `{spell(replaced)}`, whatever their values"
    return Problem(message, term.operand.span or term.span, hint)


def _applies(program: Program, term: t.WithWeights) -> bool:
    """Whether a network stands in a value whose weights that no gradient trains are replaced."""
    return any(getattr(item, "network", None) == term.replaced.network for item in reached(program, [term.operand]))


def _past(program: Program, term: t.ValueGradient | t.Directional) -> Problem | None:
    """The problem of a derivative by an output, or by what a layer gives, of something in which that is made anew at other weights."""
    by = term.by
    if isinstance(by, t.Weight | t.AllWeights | t.Parameter) or (isinstance(by, t.Reference) and by.stage == "example"):
        return None
    inner = next(_within(program, term.of), None)
    if inner is None:
        return None
    message = f"`{WITH_WEIGHTS}` replaces `{spell(by)}`: no derivative by it passes through"
    return Problem(message, term.span, _taken_within("gradient", by, inner))


def _taken_within(form: str, by: t.By, around: t.WithWeights) -> str:
    """The remedy for a derivative that is taken of a value at other weights."""
    return f"Take the derivative inside: `{WITH_WEIGHTS}({_written(form, by, around)}, {spell(around.replaced)}, …)`."


def _written(form: str, by: t.By, around: t.WithWeights) -> str:
    more = ", …" if form in ("directional", "hessian_vector") else ""
    return f"{form}({brief(around.operand)}, {spell(by)}{more})"


def refuse_means_in_weights(form: str, of: t.Term, by: t.By, stage: str, span: Span) -> None:
    """Refuses a derivative that would go through a mean, of which the weights in its value are made. Raises StudyError."""
    for item in t.walk(of):
        if not isinstance(item, t.WithWeights):
            continue
        mean = next((one for one in t.walk(item.weights) if isinstance(one, t.BatchMean | t.Expectation)), None)
        if mean is None:
            continue
        if not isinstance(by, t.Weight | t.AllWeights):
            hint = _taken_within(form, by, item)
        elif stage == "loss":
            own = f"{WITH_WEIGHTS}(B({_written(form, by, item)}), {spell(item.replaced)}, …)"
            hint = f"At these weights, held constant, it is `{own}`."
        else:
            hint = "Take weights, constants, draws and counters."
        message = f"no derivative goes through a mean over examples, and the values of `{spell(item.replaced)}` are made of one"
        raise problem_at(mean.span or span, message, hint)


def _within(program: Program, of: t.Term) -> Iterator[t.WithWeights]:
    return (item for item in reached(program, [of]) if isinstance(item, t.WithWeights))
