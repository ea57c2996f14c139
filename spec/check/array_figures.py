"""Checks figures that show measures as arrays, in every cell: `profile`, `heatmap` and `histogram`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..diagnostics.problems import problem_at
from ..ir.claims import Selection, looked_at
from ..ir.plan import Program
from ..model.figures import entry
from .profiles import check_profile
from .shown_arrays import left_of, wrong_shape


def check_arrays(figure: Any, where: Sequence[Selection], programs: Sequence[Program]) -> dict[str, tuple[int, ...]]:
    """The steps at which a figure shows each cell, where it says which. Raises StudyError where it cannot be drawn."""
    if figure.kind == "profile":
        return check_profile(figure, where, programs)
    shown = [program for program in programs if looked_at(where, program.place)]
    check = _check_heatmap if figure.kind == "heatmap" else _check_histogram
    check(figure, shown)
    return {}


def _check_heatmap(figure: Any, programs: Sequence[Program]) -> None:
    if (figure.x is None) != (figure.y is None):
        given = "x" if figure.y is None else "y"
        message = f"this heatmap has `{given}`, and no `{'y' if given == 'x' else 'x'}`"
        hint = "Give both: each is an axis. Without both, the measure is a matrix [m, n] in each cell."
        raise problem_at(figure.key(given), message, hint)
    for one, other in (("x", "y"), ("x", "panel"), ("y", "panel")):
        if getattr(figure, one) is not None and getattr(figure, one) == getattr(figure, other):
            message = f"`{one}` and `{other}` are one axis, '{getattr(figure, one)}'"
            raise problem_at(
                figure.key(other), message, "A heatmap has two axes; a third may have one panel per value."
            )
    (node,) = figure.nodes("z")
    for program in programs:
        shapes = {measure.name: measure.term.type.shape for measure in program.measures}
        shape = left_of(figure.z, node.span, shapes, program)
        name = entry(figure.z)[0]
        if figure.x is not None and shape:
            zeros = ", ".join("0" for _ in shapes[name])
            message = f"the measure '{name}' is an array {list(shapes[name])}; a heatmap over two axes shows one number per cell"
            raise problem_at(
                node.span,
                message,
                f"Choose an entry: `{name}[{zeros}]`; or leave `x` and `y` out, for a panel per cell.",
            )
        if figure.x is None and len(shape) != 2:
            if not shapes[name]:
                message = f"the measure '{name}' is one number, and this heatmap has no axes"
                raise problem_at(node.span, message, "Name its two axes: `x` and `y`.")
            raise wrong_shape(figure.z, node.span, shapes[name], "a heatmap without `x` and `y` shows arrays [m, n]")


def _check_histogram(figure: Any, programs: Sequence[Program]) -> None:
    words = figure.y if isinstance(figure.y, list) else [figure.y]
    for program in programs:
        shapes = {measure.name: measure.term.type.shape for measure in program.measures}
        for word, node in zip(words, figure.nodes("y"), strict=False):
            left_of(word, node.span, shapes, program)
