"""Special forms: what looks like a call but has a meaning of its own (a range of examples, a gradient, a claim)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .by_name import by_name


@dataclass(frozen=True, slots=True)
class Form:
    """A special form: where it may stand (`stage`: there, and from `outputs` on in losses and measures), how it is written, what it means.

    `operand` is the place of the argument whose value at other weights it gives, where it does: a dot behind the form is one behind that.
    """

    name: str
    signature: str
    meaning: str
    stage: str
    source: str = ""
    operand: int | None = None


def _forms(*rows: Form) -> Mapping[str, Form]:
    return by_name(rows, "special form")


FORMS = _forms(
    Form("len", "(x: any[n, ...]) -> int", "the length of the first axis; always a constant", "any"),
    Form(
        "int",
        "(x: any) -> int",
        "x as whole numbers, if it is known to be whole before anything runs: constants and columns of files, `int(d.label)`",
        "any",
    ),
    Form("stop", "(x: any) -> any", "x, through which no gradient passes", "any"),
    Form(
        "choice",
        "(values: any[n, ...], p: real[n] = equal, shape) -> any",
        "draws an entry of an array along its first axis, entry i with probability p[i] / sum(p); only under `task.draw` and `task.example`",
        "draw",
    ),
    Form(
        "scan",
        "(f, start: any[*s], xs: any[n, ...]) -> any[n, *s]",
        "the states of a user's function of two arguments: `f(start, xs[0])`, then f of the last state and the next entry of xs; "
        "each has the type of the start, n is at most 10,000",
        "any",
    ),
    Form(
        "iterate",
        "(f, start: any[*s], n) -> any[*s]",
        "a user's function of one argument applied n times, `f(f(f(start)))` for n = 3; the type is the start's, n is constant "
        "and at most 10,000",
        "any",
    ),
    Form(
        "initial",
        "(x: any) -> any",
        "x at the weights before the first update; a constant for gradients",
        "outputs",
        operand=0,
    ),
    Form(
        "after",
        "(phase, x: any) -> any",
        "x at the weights at the end of a phase of training, `after(task_a, f.weights)`, or of a pass of it, `after(task[0], f)`; a constant "
        "for gradients, and missing until then",
        "outputs",
        operand=1,
    ),
    Form(
        "average",
        "(x: any) -> any",
        "x at the moving averages of the weights, which `use_ema` keeps; a constant for gradients",
        "outputs",
        operand=0,
    ),
    Form(
        "current",
        "(x: any) -> any",
        "x at the trained weights, where measures use their averages; a constant for gradients",
        "outputs",
        operand=0,
    ),
    Form(
        "with_weights",
        "(x: any, y, w: real[the shape of y]) -> any",
        "x where the weights y, `f.weights` or a layer's, have the values w, the same for all examples; gradients go through w to what it is made "
        "of: `with_weights(f, f.weights, (1 - t) * a + t * b)`",
        "outputs",
        operand=0,
    ),
    Form(
        "E",
        "(x: any, where: bool[] = true, on = test) -> real",
        "the mean over the evaluation examples, accumulated in float64; `E(x, where=n > 10)` over those for which the condition holds, and missing "
        "if there are none; `E(x, on=train)` over those of another stream",
        "measures",
    ),
    Form(
        "quantile",
        "(x: real, q: real, where: bool[] = true, on = test) -> real",
        "the q-quantile over the evaluation examples (0.5 is the median), or over those where a condition holds, or of another stream, as in `E`",
        "measures",
    ),
    Form(
        "gradient",
        "(x: real[], y) -> real[the shape of y]",
        "the gradient of one example's x, by the gradient modes, with respect to y: a name of the example, an output, what a layer gives, weights, or the parameter of a "
        "function around it; by weights its `E` is the full gradient in measures, its `B` that of the batch in losses",
        "outputs",
    ),
    Form(
        "jacobian",
        "(v: real[*s], y) -> real[*s, the shape of y]",
        "the gradients of all entries of one example's v with respect to y, as `gradient` takes it: a backward pass for each",
        "outputs",
    ),
    Form(
        "directional",
        "(v: real[*s], y, d: real[the shape of y]) -> real[*s]",
        "the derivative of one example's v where y goes along d: the Jacobian matrix of v times d, without the matrix",
        "outputs",
    ),
    Form(
        "hessian_vector",
        "(x: real[], y, d: real[the shape of y]) -> real[the shape of y]",
        "the Hessian matrix of one example's x by y times d: how its gradient changes along d",
        "outputs",
        "Pearlmutter 1994",
    ),
    Form(
        "B",
        "(x: any) -> real",
        "the mean over the examples of the batch, in losses: `squared_norm(B(gradient(l, f.weights)))`",
        "loss",
    ),
)

CLAIM_FORMS = _forms(
    Form("final", "(measure, conditions…)", "the measure at the last step", "claims"),
    Form("lowest", "(measure, conditions…)", "the measure's smallest value over the steps", "claims"),
    Form("highest", "(measure, conditions…)", "the measure's largest value over the steps", "claims"),
    Form("mean_over", "(measure, conditions…)", "the measure's mean over the steps, each evaluation weighted by the steps around it", "claims"),
    Form("at", "(measure, step, conditions…)", "the measure at an evaluated step", "claims"),
    Form("first_step", "(measure comparison, conditions…)", "the first evaluated step at which it holds; if it never does, a number beyond the last step", "claims"),
    Form("slope", "(y, x)", "the least-squares slope of y against x, along the axis of x", "claims"),
    Form("increasing", "(y, axis)", "whether y grows strictly along a swept constant", "claims"),
    Form("decreasing", "(y, axis)", "whether y falls strictly along a swept constant", "claims"),
    Form("mean", "(y, axis)", "the mean along an axis, `mean(final(error), d)`, or the index of an array, `mean(final(v[i]), i)`", "claims"),
    Form("max", "(y, axis)", "the largest along an axis, or the index of an array", "claims"),
    Form("min", "(y, axis)", "the smallest along an axis, or the index of an array", "claims"),
    Form("argmax", "(y, axis)", "the value of a swept constant, or the index of an array, at which y is largest, of several the first", "claims"),
    Form("argmin", "(y, axis)", "the value of a swept constant, or the index of an array, at which y is smallest, of several the first", "claims"),
    Form("diverged", "(conditions…)", "whether the cell's training became infinite or undefined", "claims"),
)  # fmt: skip
