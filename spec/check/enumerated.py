"""Draws all of whose values are taken: each combination of them is an example, or so many of them train and the others are tested."""

from __future__ import annotations

from math import prod

import numpy as np

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at
from ..ir import terms as t
from ..ir.data import Combinations, DataSource, Digits, Enumerated
from ..model.task import Data
from ..source import nodes as yaml
from .scope import ExperimentScope
from .shares import counted

MAX_BITS = 24
FULL = "full"
"""The batch that is the whole training set."""
BINARY_DISTRIBUTIONS = ("rademacher", "bernoulli")
EVEN = "`integer(n)`, `rademacher([d])` and `bernoulli(0.5, [d])`"


def enumerated(experiment: ExperimentScope, model: Data) -> DataSource:
    """What `enumerate` says. Raises StudyError."""
    divided = "train" in model.model_fields_set
    _refuse(model, divided)
    written = model.enumerate if isinstance(model.enumerate, list) else [model.enumerate or ""]
    spans = [
        model.span("enumerate", n) if isinstance(model.enumerate, list) else model.span("enumerate")
        for n in range(len(written))
    ]
    if not written:
        raise problem_at(model.span("enumerate"), "no draw is named", "`enumerate: [a, b]`")
    samples: list[t.Sample] = []
    digits: list[Digits] = []
    total = 1
    for name, span in zip(written, spans, strict=True):
        sample, count = _few(experiment, name, span)
        if any(sample.path == one.path for one in digits):
            raise problem_at(span, f"'{name}' stands twice", "Its values are all taken already.")
        samples.append(sample)
        digits.append(Digits(sample.path, count, total))
        entries = prod(sample.shape)
        if count**entries > 2**MAX_BITS or total * count**entries > 2**MAX_BITS:
            hint = f"Leave `data` out, so that examples are sampled; the limit is 2^{MAX_BITS}."
            if len(written) == 1:
                power = f"{count}^{entries}" if sample.shape else f"{count:,}"
                raise problem_at(span, f"'{name}' has {power} values", hint)
            raise problem_at(span, f"{listing(written)} have more than 2^{MAX_BITS} combinations", hint)
        total *= count**entries
    _must_be_all(experiment, samples, written, model.span("enumerate"))
    if divided:
        return _divided(experiment, model, total, tuple(digits))
    _must_be_whole(experiment, f"2^{total.bit_length() - 1}" if total.bit_count() == 1 else f"{total:,}")
    if len(digits) == 1 and digits[0].count == 2 and samples[0].distribution in BINARY_DISTRIBUTIONS:
        return Enumerated(total, digits[0].path)
    return Enumerated(total, (), tuple(digits))


def _refuse(model: Data, divided: bool) -> None:
    """Refuses what does not go with it."""
    for name in ("test", "validation", "order"):
        if name in model.model_fields_set and (name != "order" or not divided):
            hint = (
                "Leave it out: what does not train is tested."
                if divided
                else "Leave it out: every value is there once, to train on and to test on."
            )
            raise problem_at(model.key(name), f"'{name}' does not go with 'enumerate'", hint)


def _few(experiment: ExperimentScope, name: str, span: Span) -> tuple[t.Sample, int]:
    """The draw that a name is, and how many values each of its entries has, all equally likely. Raises StudyError."""
    examples = experiment.stage("example")
    if name not in examples:
        hint = did_you_mean(name, examples) or f"Drawn for each example: {listing(examples) or 'nothing'}."
        raise problem_at(span, f"'{name}' is not drawn for each example", hint)
    term = experiment.term_of(experiment.bindings[name], span)
    if isinstance(term, t.Sample) and term.distribution == "integer":
        return term, int(term.sizes["n"])
    if not isinstance(term, t.Sample) or term.distribution not in BINARY_DISTRIBUTIONS or not _fair(term):
        hint = f"Only {EVEN} have values that are few and equally likely."
        raise problem_at(span, f"the values of '{name}' cannot be enumerated", hint)
    return term, 2


def _must_be_all(experiment: ExperimentScope, samples: list[t.Sample], names: list[str], span: Span) -> None:
    """Refuses another draw beside them."""
    for other in experiment.stage("example"):
        for item in t.walk(experiment.term_of(experiment.bindings[other], span)):
            if isinstance(item, t.Sample) and not any(item is sample for sample in samples):
                hint = "Expectations are exact only where nothing else is drawn: move it to `draw`, or sample."
                whose = listing([f"'{name}'" for name in names])
                raise problem_at(
                    item.span, f"'{other}' is drawn for each example too, beside the enumerated {whose}", hint
                )


def _divided(experiment: ExperimentScope, model: Data, total: int, digits: tuple[Digits, ...]) -> Combinations:
    """So many of all combinations to train on, and the rest to test on."""
    train = counted(experiment, model, "train", total, what="combinations")
    assert train is not None
    training = experiment.model.training
    said = training.evaluate.node("examples") if training else None
    if said is not None:
        message = "the combinations that do not train are tested, and here is another number"
        raise problem_at(said.span, message, "Remove it.")
    if not 0 < train < total:
        message = f"{train:,} of {total:,} combinations train, and none is left to {'test' if train else 'train'} on"
        raise problem_at(
            model.span("train"), message, "`train: 0.4` is a share. Without `train` all are trained and tested on."
        )
    return Combinations(total - train, train, digits, model.order)


def _must_be_whole(experiment: ExperimentScope, every: str) -> None:
    """Refuses another number of examples."""
    training = experiment.model.training
    for said in (training.evaluate.node("examples"), training.node("batch")) if training else ():
        if said is not None and not (isinstance(said, yaml.Scalar) and said.value == FULL):
            message = f"with `enumerate` all {every} examples are taken each time, and here is another number"
            raise problem_at(said.span, message, "Remove it.")


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
