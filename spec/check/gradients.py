"""Derivatives as values: `gradient(x, y)`, `jacobian(v, y)`, `directional(v, y, d)`, `hessian_vector(x, y, d)`."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from ..diagnostics.problems import Span, problem_at, sentence
from ..ir import terms as t
from ..ir.bodies import free_indices
from ..ir.types import Type
from ..passes.print_term import spell
from .context import Elaborator
from .namespace import LATE_STAGES
from .other_weights import refuse_means_in_weights
from .weighed_examples import weighed_loss

FORMS_OF_DERIVATIVES = ("gradient", "jacobian", "directional", "hessian_vector")
MAX_ENTRIES = 64
"""Of a Jacobian by weights: each entry of the value takes a backward pass of its own, and gradients of all weights for each example."""


def derivative(form: str, of: t.Term, by: t.Term, along: t.Term | None, stage: str, span: Span) -> t.Term:
    """A derivative of one example's value with respect to a name, a layer's output or weights. Raises StudyError."""
    if stage not in LATE_STAGES:
        what = {"gradient": "a gradient", "jacobian": "a Jacobian matrix"}.get(form, "a derivative")
        raise problem_at(span, f"{what} has no value here", "Use it in outputs, losses and measures.")
    chosen = _chosen(by)
    refuse_means_in_weights(form, of, chosen, stage, span)
    if form in ("gradient", "hessian_vector"):
        must_be_one_number(of, "`jacobian(…)` takes an array; " if form == "gradient" else "", chosen)
    else:
        _must_be_of_one_example(of, "a Jacobian matrix" if form == "jacobian" else "a derivative", chosen)
    if along is not None:
        _must_be_a_direction(along, chosen, by.span or span)
        shape = chosen.type.shape if form == "hessian_vector" else of.type.shape
        return t.Directional(of, chosen, along, form == "hessian_vector", type=Type("real", shape), span=span)
    if form == "gradient" and stage == "measures" and isinstance(chosen, t.Weight | t.AllWeights):
        return t.Gradient(of, chosen, type=Type("real", chosen.type.shape), span=span)
    if isinstance(chosen, t.Weight | t.AllWeights) and prod(of.type.shape) > MAX_ENTRIES:
        hint = "Take fewer of its entries, or products with vectors: `directional(v, f.weights, d)`."
        raise problem_at(
            of.span or span,
            f"a Jacobian matrix by weights is taken of at most {MAX_ENTRIES} entries, and this is {of.type}",
            hint,
        )
    return t.ValueGradient(of, chosen, type=Type("real", (*of.type.shape, *chosen.type.shape)), span=span)


def subject(by: t.Term, bound: Mapping[str, t.Term]) -> tuple[t.Term, Mapping[str, t.Term]]:
    """What a derivative is taken with respect to, and the arguments by which what it is of may be made anew.

    A parameter that stands for a name of the example, an output, a layer's output or weights is that. Any other is itself: the state of a loop, or
    a function's own value, whatever it was made of.
    """
    own = by
    while isinstance(by, t.Parameter):
        own, by = by, bound.get(by.key)  # type: ignore[assignment]
    named = isinstance(by, t.Reference) and by.stage in ("example", "outputs")
    layer = isinstance(by, t.NetworkOutput) and by.layer is not None and by.input is None
    if not isinstance(own, t.Parameter) or named or layer or isinstance(by, t.Weight | t.AllWeights):
        return by, bound
    return own, {key: argument for key, argument in bound.items() if key != own.key}


def _chosen(by: t.Term) -> t.By:
    """The name, the parameter, the layer's output or the weights that a derivative is taken with respect to. Raises StudyError."""
    if isinstance(by, t.NetworkOutput) and by.layer is not None:
        return _output(by)
    if isinstance(by, t.Parameter):
        if by.type.kind != "real":
            hint = "Give the function real numbers: for an int k, write `1.0 * k`."
            raise problem_at(by.span, f"'{spell(by)}' is {by.type}, and has no gradient", hint)
        return by
    if not isinstance(by, t.Reference):
        return weights_of(by)
    if by.stage not in ("example", "outputs"):
        hint = "Name a value that is made for each example, or an output."
        raise problem_at(
            by.span, f"'{by.name}' is drawn once per replicate: no gradient is taken with respect to it", hint
        )
    if by.type.kind != "real":
        hint = f"A gradient is taken with respect to real numbers: `1.0 * {by.name}` under a name of its own is one."
        raise problem_at(by.span, f"'{by.name}' is {by.type}, and has no gradient", hint)
    return by


def _output(by: t.NetworkOutput) -> t.NetworkOutput:
    """A layer's output on its network's own input. Raises StudyError."""
    if by.input is not None:
        message = "a gradient by a layer's output is taken on its network's own input, and this is another input"
        hint = f"Write `{by.network}.{by.layer}`, on the input given in `architecture`."
        raise problem_at(by.span, message, hint)
    return by


def _must_be_a_direction(along: t.Term, by: t.By, span: Span) -> None:
    """Refuses a direction that is not of the shape of what the derivative is taken with respect to."""
    name = f"'{by.name}'" if isinstance(by, t.Reference) else "the weights"
    name = f"'{spell(by)}'" if isinstance(by, t.NetworkOutput | t.Parameter) else name
    if along.type.kind == "bool" or along.type.shape != by.type.shape:
        message = f"a direction of {name} is {Type('real', by.type.shape)}, and this is {along.type}"
        hint = "Give one number for each entry: `gradient(x, y)` has that shape, and so has a draw of it."
        raise problem_at(along.span or span, message, hint)
    if free_indices(along):
        hint = "Write one derivative for each direction under a name of its own."
        raise problem_at(
            along.span or span, "a direction cannot depend on an index of the index notation around it", hint
        )
    if any(isinstance(item, t.Expectation | t.Gradient) for item in t.walk(along)):
        hint = sentence("Take a draw, a name of the example, or a gradient by a name.", _each_examples(along))
        raise problem_at(
            along.span or span,
            "a direction belongs to one example, and this has an average or a gradient by weights",
            hint,
        )


def _each_examples(term: t.Term) -> str:
    """What to write where a derivative is to be taken of a gradient by weights, which in a measure stands for what its mean is of."""
    if not any(isinstance(item, t.Gradient) for item in t.walk(term)):
        return ""
    return 'One example\'s own gradient by weights has a name under `outputs`, used here: `outputs: {g: "gradient(x, f.weights)"}`.'


def must_be_one_number(of: t.Term, of_arrays: str = "", by: t.By | None = None) -> None:
    """Refuses what has no gradient, or several: a gradient is taken of one number per example. Raises StudyError.

    `of_arrays` says what else is taken of an array.
    """
    if of.type.shape or of.type.kind == "bool":
        hint = (
            f"{of_arrays}`sum(…)` or `mean(…)` makes one number of an array."
            if of.type.shape
            else "A comparison has no gradient."
        )
        raise problem_at(of.span, f"a gradient is taken of one number per example, and this is {of.type}", hint)
    _must_be_of_one_example(of, "a gradient", by)


def _must_be_of_one_example(of: t.Term, what: str, by: t.By | None) -> None:
    """Refuses what is no value of one example by itself; a function's parameter may have one for each value of an index. Raises StudyError."""
    if of.type.kind == "bool":
        raise problem_at(of.span, f"{what} is taken of numbers, and this is {of.type}", "A comparison has no gradient.")
    if free_indices(of) and not isinstance(by, t.Parameter):
        hint = "Write one `gradient` for each entry, or the sum of them."
        raise problem_at(of.span, f"{what} cannot depend on an index of the index notation around it", hint)
    if any(isinstance(item, t.Expectation | t.Gradient) for item in t.walk(of)):
        hint = "The gradient of an average is the average of gradients: `E(gradient(x, w))`."
        hint = _each_examples(of) or hint
        raise problem_at(
            of.span, f"{what} is taken of one example's value, and this has an average or a gradient", hint
        )
    mean = next((item for item in t.walk(of) if isinstance(item, t.BatchMean)), None)
    if mean is not None:
        hint = "The gradient of a mean is the mean of gradients: `B(gradient(x, w))`."
        raise problem_at(
            mean.span or of.span, f"{what} is taken of one example's value, and this has a mean over the batch", hint
        )


def weights_of(term: t.Term) -> t.Weight | t.AllWeights:
    """The weights that a term stands for. Raises StudyError."""
    if isinstance(term, t.Weight | t.AllWeights):
        return term
    if isinstance(term, t.NetworkOutput):
        hint = f"Name the output of '{term.network}' under `outputs`, and take the gradient by that name."
        raise problem_at(
            term.span,
            f"'{term.network}' is a network, and a gradient is taken with respect to names, layers' outputs and weights",
            hint,
        )
    if isinstance(term, t.Literal):
        hint = "Write the derivative out, or pass the function a name, or what is made of one."
        raise problem_at(term.span, "this is a constant, and no gradient is taken with respect to one", hint)
    hint = (
        "Write a name of the example or an output, `f.hidden` for what a layer gives, `f.weights` for all of a network's weights, "
        "or `f.dense_1.kernel` for one. Any other value is given to a function first: `slope(u): gradient(u^2, u)`, `slope(2 * x)`."
    )
    raise problem_at(term.span, "a gradient is taken with respect to a name, a layer's output or weights", hint)


def batch_mean(checker: Elaborator, of: t.Term, stage: str, span: Span) -> t.Term:
    """`B(e)`: the mean over the batch, in a loss. Raises StudyError."""
    if stage != "loss":
        hint = "In measures `E(…)` is the mean over the evaluation examples; `mean(…)` is that of an array."
        raise problem_at(span, "`B` is the mean over the training batch, and is allowed only in losses", hint)
    inner = next((item for item in t.walk(of) if isinstance(item, t.BatchMean)), None)
    if inner is not None:
        raise problem_at(
            inner.span or span,
            "this mean over the batch is inside another, and is one number for the whole batch",
            "Leave one out.",
        )
    if isinstance(of, t.Literal):
        return of
    return t.BatchMean(weighed_loss(checker, of, span), type=Type("real", of.type.shape), span=span)
