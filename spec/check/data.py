"""Where examples come from: new at every step, finite sets, or every value of a binary draw."""

from __future__ import annotations

from math import prod

import numpy as np

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at
from ..ir import terms as t
from ..ir.data import DataSource, Enumerated, Finite, Fresh
from ..model.experiment import Evaluate
from ..source import nodes as yaml
from .file_rows import file_rows, refuse_file_options
from .scope import ExperimentScope

MAX_BITS = 24
FULL = "full"
"""The batch that is the whole training set."""
BINARY_DISTRIBUTIONS = ("rademacher", "bernoulli")


def data_source(experiment: ExperimentScope) -> DataSource:
    """What `task.data` says. Raises StudyError."""
    model = experiment.model.task.data
    if model == "fresh":
        return Fresh(_evaluated(experiment))
    if model.file is not None or model.files is not None:
        refuse_examples(experiment)
        return file_rows(experiment, model)
    refuse_file_options(model)
    if model.enumerate is not None:
        extra = [name for name in ("train", "test", "order") if name in model.model_fields_set]
        if extra:
            hint = "Leave it out: every value is there once, to train on and to test on."
            raise problem_at(model.key(extra[0]), f"'{extra[0]}' does not go with 'enumerate'", hint)
        return _enumerated(experiment, model.enumerate, model.span("enumerate"))
    refuse_examples(experiment)
    test = experiment.count(model.node("test"), model.test, "'test'")
    if model.train is None:
        if "order" in model.model_fields_set:
            raise problem_at(
                model.span(), "fresh data have no order: each example is new", "Give `train`, or remove `order`."
            )
        return Fresh(test)
    return Finite(test, experiment.count(model.node("train"), 0, "'train'"), model.order)


def refuse_examples(experiment: ExperimentScope) -> None:
    """Refuses a second number of test examples."""
    training = experiment.model.training
    said = training.evaluate.node("examples") if training else None
    if said is not None:
        message = "the test examples are those of `task.data`, and here is another number"
        raise problem_at(said.span, message, "Remove it.")


def _evaluated(experiment: ExperimentScope) -> int:
    """Over how many test examples measures are taken, where new ones can be had."""
    training = experiment.model.training
    if training is None:
        return int(Evaluate.model_fields["examples"].default)
    return experiment.count(training.evaluate.node("examples"), training.evaluate.examples, "'examples'")


def _enumerated(experiment: ExperimentScope, name: str, span: Span) -> Enumerated:
    examples = experiment.stage("example")
    if name not in examples:
        hint = did_you_mean(name, examples) or f"Drawn for each example: {listing(examples) or 'nothing'}."
        raise problem_at(span, f"'{name}' is not drawn for each example", hint)
    term = coins(experiment, name, span, MAX_BITS, "Leave `data` out, so that examples are sampled")
    for other in examples:
        for item in t.walk(experiment.term_of(experiment.bindings[other], span)):
            if isinstance(item, t.Sample) and item is not term:
                hint = "Expectations are exact only where nothing else is drawn: move it to `draw`, or sample."
                raise problem_at(
                    item.span, f"'{other}' is drawn for each example too, beside the enumerated '{name}'", hint
                )
    bits = prod(term.shape)
    training = experiment.model.training
    for said in (training.evaluate.node("examples"), training.node("batch")) if training else ():
        if said is not None and not (isinstance(said, yaml.Scalar) and said.value == FULL):
            message = f"with `enumerate` all 2^{bits} examples are taken each time, and here is another number"
            raise problem_at(said.span, message, "Remove it.")
    return Enumerated(2**bits, term.path)


def coins(experiment: ExperimentScope, name: str, span: Span, limit: int, otherwise: str) -> t.Sample:
    """The binary draw that a name is, if its values can be enumerated. Raises StudyError."""
    term = experiment.term_of(experiment.bindings[name], span)
    if not isinstance(term, t.Sample) or term.distribution not in BINARY_DISTRIBUTIONS or not _fair(term):
        hint = "Only `rademacher([d])` and `bernoulli(0.5, [d])` have values that are few and equally likely."
        raise problem_at(span, f"the values of '{name}' cannot be enumerated", hint)
    if prod(term.shape) > limit:
        raise problem_at(span, f"'{name}' has 2^{prod(term.shape)} values", f"{otherwise}; the limit is 2^{limit}.")
    return term


def _fair(term: t.Sample) -> bool:
    p = term.parameters.get("p")
    return p is None or (isinstance(p, t.Literal) and bool(np.all(p.value == 0.5)))
