"""Checks the values that figures show of single examples, and the steps at which they are read."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from ..diagnostics.problems import Problem, problem_at
from ..ir import terms as t
from ..ir.plan import ProbePlan, TrainingPlan
from ..model.figures import ROWS_SEARCHED, Figure
from . import constant_folding as folding
from .context import Context
from .scope import ExperimentScope

Path = list[str | int]


def probes(experiment: ExperimentScope, training: TrainingPlan | None, axes: Collection[str] = ()) -> list[ProbePlan]:
    """What every figure shows of single examples; `axes` are those of the experiment."""
    last = training.steps if training else 0
    if not any(figure.of_examples for figure in experiment.model.figures.values()):
        return []
    node = experiment.model.node("figures")
    return experiment.group(("probes", last), lambda: _probes(experiment, last, axes), node)


def _probes(experiment: ExperimentScope, last: int, axes: Collection[str]) -> list[ProbePlan]:
    plans = []
    for name, figure in experiment.model.figures.items():
        if figure.of_examples:
            probe = experiment.attempt(
                lambda name=name, figure=figure: experiment.part(
                    ("probe", name, last), lambda: _probe(experiment, name, figure, last, axes), figure.node()
                )
            )
            if probe is not None:
                plans.append(probe)
    return plans


def _probe(experiment: ExperimentScope, name: str, figure: Any, last: int, axes: Collection[str]) -> ProbePlan:
    """The values of one figure, at its steps."""
    terms = {}
    for label, path in _shown(figure, axes):
        node = figure.node(*path)
        assert node is not None
        terms[label] = experiment.checker.value(node, Context("measures", ("figures", name, label)))
    for term in terms.values():
        found = next((item for item in t.walk(term) if isinstance(item, t.Expectation | t.Gradient)), None)
        if found is not None:
            what = "an average" if isinstance(found, t.Expectation) else "a gradient"
            message = f"a figure of kind `{figure.kind}` shows single examples, and this is {what}"
            raise problem_at(term.span, message, "A figure of kind `curves` shows measures over the steps.")
    if figure.kind == "images":
        _image(terms)
    else:
        _one_shape(terms, figure.kind)
    if figure.kind in ("function", "scatter"):
        examples = experiment.count(figure.node("examples"), figure.examples, "'examples'")
    else:
        examples = experiment.count(figure.node("count"), figure.count, "'count'")
        examples *= ROWS_SEARCHED if "rows" in terms else 1
    if experiment.data is not None and experiment.data.tabled:
        experiment.note_read("data")
        if not experiment.data.test:
            message = f"a figure of kind `{figure.kind}` shows test examples, and there are none"
            raise problem_at(figure.span(), message, "Leave rows for tests: `train: 0.8`.")
        examples = min(examples, experiment.data.test)  # there are no more of them
    steps = {last} if figure.kind != "images" or _trained(terms.values()) else {0}
    return ProbePlan(name, terms, examples, tuple(sorted(_steps(experiment, figure, last) or steps)))


def _trained(terms: Iterable[t.Term]) -> bool:
    """Whether training can change some values: they hold a network's output, weights, the step, or a named output."""
    parts = [item for term in terms for item in t.walk(term)]
    return any(
        isinstance(item, t.NetworkOutput | t.Weight | t.AllWeights | t.StepNumber)
        or (isinstance(item, t.Reference) and item.stage == "outputs")
        for item in parts
    )


def _shown(figure: Any, axes: Collection[str]) -> list[tuple[str, Path]]:
    """The labels of a figure's values, and where their expressions stand; rows of images that are cells hold no values."""
    if figure.kind == "images":
        sorted_ = figure.rows is not None and figure.rows not in axes
        rows: list[tuple[str, Path]] = [("rows", ["rows"])] if sorted_ else []
        return [("image", ["image"]), *rows]
    own: list[tuple[str, Path]] = [("x", ["x"])] if getattr(figure, "x", None) is not None else []
    curves: list[tuple[str, Path]] = [(f"y:{label}", ["y", label]) for label in figure.y]
    return [*own, *curves]


def _image(terms: dict[str, t.Term]) -> None:
    shape = terms["image"].type.shape
    if len(shape) != 2 and not (len(shape) == 3 and shape[-1] in (1, 3)):
        hint = "An image is [height, width] or [height, width, 3]; `reshape` or an index makes one."
        raise problem_at(terms["image"].span, f"this is not an image: {terms['image'].type}", hint)
    if "rows" in terms and terms["rows"].type.shape:
        raise problem_at(
            terms["rows"].span,
            f"'rows' is one number per example, and this is {terms['rows'].type}",
            "Take one entry of it: `z[0]`.",
        )


def _one_shape(terms: dict[str, t.Term], kind: str) -> None:
    first, model = next(iter(terms.items()))
    if kind == "examples" and len(model.type.shape) != 1:
        hint = (
            "`x[:, 0]` is a column of it; `images` shows [height, width]."
            if len(model.type.shape) > 1
            else "A single number against another is a figure of kind `function`."
        )
        raise problem_at(model.span, f"a figure of kind `examples` shows arrays [n], and this is {model.type}", hint)
    if kind == "scatter":
        for term in terms.values():
            if term.type.shape != (2,):
                hint = "Write the two as an array: `[x[0], x[1]]`."
                message = f"a figure of kind `scatter` shows points, arrays [2], and this is {term.type}"
                raise problem_at(term.span, message, hint)
    for label, term in terms.items():
        if term.type.shape != model.type.shape:
            message = f"'{label.removeprefix('y:')}' is {term.type}, and {first.removeprefix('y:')} is {model.type}"
            raise problem_at(term.span, message, "A curve has a y for each x: both have one shape.")


def _steps(experiment: ExperimentScope, figure: Figure, last: int) -> set[int]:
    """The steps that a figure names, none after the last."""
    steps = set()
    for item in figure.nodes("steps"):
        term = experiment.checker.value(item, Context("constants", ()))
        wanted = int(folding.integer(term, "a step"))
        if wanted < 0:
            raise problem_at(item.span, f"a step cannot be negative, and this is {wanted}", "Steps count from 0.")
        if wanted > last:
            message = f"step {wanted:,} comes after the last, {last:,}, which is shown instead"
            experiment.warnings.append(
                Problem(message, item.span, "Lower it, or raise `steps`.", "warning", of_all_cells=True)
            )
        steps.add(min(wanted, last))
    return steps
