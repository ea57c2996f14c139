"""Which draws of finite data are made once, and which anew at each visit: `redraw`, and `once`."""

from __future__ import annotations

from dataclasses import replace

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at
from ..ir import terms as t
from ..ir.data import DataSource
from ..model.task import Data
from .scope import ExperimentScope

KEYS = ("redraw", "once")


def with_visits(experiment: ExperimentScope, source: DataSource) -> DataSource:
    """A source with the draws that are not made as it makes its own. Raises StudyError."""
    model = experiment.model.task.data
    if not isinstance(model, Data):
        return source
    for key in KEYS:
        if key in model.model_fields_set:
            _must_go_with(model, key, source)
            paths = _paths(experiment, model, key)
            source = replace(source, otherwise=tuple(sorted(paths)))
    return source


def _must_go_with(model: Data, key: str, source: DataSource) -> None:
    """Refuses what says what holds already, and what has no meaning there."""
    files = model.file is not None or model.files is not None
    if model.enumerate is not None:
        raise problem_at(model.key(key), f"'{key}' does not go with 'enumerate'", "Nothing is drawn beside its values.")
    if not source.train:
        hint = "`train: 1000` makes a set whose examples are visited again."
        raise problem_at(model.key(key), f"'{key}' is only for finite data, and here each example is new", hint)
    if files and key == "redraw":
        hint = "`once: [noise]` names those that stay with their row."
        raise problem_at(model.key(key), "draws beside rows of files are all redrawn at each visit", hint)
    if not files and key == "once":
        hint = "`redraw: [noise]` names those that are redrawn at each visit."
        raise problem_at(model.key(key), "the draws of a finite set are all made once", hint)


def _paths(experiment: ExperimentScope, model: Data, key: str) -> list[tuple[str, ...]]:
    """The places in the seed tree of the samples that some names of the example draw. Raises StudyError."""
    names = model.redraw if key == "redraw" else model.once
    if not names:
        raise problem_at(model.key(key), f"`{key}` names no draw", f"Write `{key}: [noise]`, or leave it out.")
    paths: list[tuple[str, ...]] = []
    for place, name in enumerate(names):
        span = model.span(key, place)
        if name in names[:place]:
            raise problem_at(span, f"'{name}' is listed twice", "Leave one out.")
        paths += [sample.path for sample in _samples(experiment, name, span)]
    return paths


def _samples(experiment: ExperimentScope, name: str, span: Span) -> list[t.Sample]:
    examples = experiment.stage("example")
    if name not in examples:
        hint = did_you_mean(name, examples) or f"Drawn for each example: {listing(examples) or 'nothing'}."
        raise problem_at(span, f"'{name}' is not drawn for each example", hint)
    term = experiment.term_of(experiment.bindings[name], span)
    samples = [item for item in t.walk(term) if isinstance(item, t.Sample)]
    if not samples:
        message = f"'{name}' draws nothing itself"
        raise problem_at(span, message, "Name the draws that it is made of; what is made of them follows.")
    return samples
