"""The shapes of measures, and of entries of them, that figures show as arrays."""

from __future__ import annotations

from collections.abc import Mapping

from ..diagnostics.problems import Span, StudyError, did_you_mean, listing, problem_at
from ..ir.plan import Program
from ..model.figures import entry

Shape = tuple[int, ...]


def left_of(word: str, span: Span, shapes: Mapping[str, Shape], program: Program) -> Shape:
    """The shape of a measure, or of an entry of one, in a cell. Raises StudyError where there is no such."""
    name, index = entry(word)
    if name not in shapes:
        hint = did_you_mean(name, shapes) or f"Known here: {listing(shapes)}."
        raise problem_at(span, f"there is no measure '{name}'", hint)
    shape = shapes[name]
    if len(index) > len(shape) or any(place >= size for place, size in zip(index, shape, strict=False)):
        message = f"{_kind(name, shape)}, and has no entry {list(index)}, in {program.name}"
        raise problem_at(span, message, "Entries count from 0.")
    return shape[len(index) :]


def wrong_shape(word: str, span: Span, shape: Shape, wanted: str) -> StudyError:
    """That a measure of a shape, or an entry of it, is not what a figure shows: "a figure of kind `profile` shows arrays [n]"."""
    name, index = entry(word)
    if not shape:
        hint = "Numbers over the steps are a figure of kind `curves`."
    elif len(index) == len(shape):
        hint = f"Leave the entry out: `{name}`."
    else:
        hint = (
            f"Show a row of it, such as `{name}[{', '.join('0' for _ in shape[1:])}]`."
            if len(shape) > 1
            else "Show it as a `profile`."
        )
    what = f", and `{word}` an entry of it" if shape and len(index) == len(shape) else ""
    return problem_at(span, f"{_kind(name, shape)}{what}; {wanted}", hint)


def _kind(name: str, shape: Shape) -> str:
    return f"the measure '{name}' is {f'an array {list(shape)}' if shape else 'one number'}"
