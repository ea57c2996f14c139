"""Draws all of whose values are taken: each combination of them is an example, or so many of them train and the others are tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at
from ..ir import terms as t
from ..ir.data import Combinations, DataSource, Digits, Enumerated
from ..model.experiment import FULL
from ..model.task import Data
from ..source import nodes as yaml
from .scope import ExperimentScope
from .shares import counted
from .weighed_examples import density

MAX_BITS = 24
BINARY_DISTRIBUTIONS = ("rademacher", "bernoulli")
FEW = "`integer(n)`, `rademacher([d])`, `bernoulli(p, [d])` and `categorical(p)`"


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
        raise problem_at(model.span("enumerate"), "no draw is listed", "Write `enumerate: [a, b]`.")
    samples: list[tuple[str, t.Sample]] = []
    digits: list[Digits] = []
    total = 1
    for name, span in zip(written, spans, strict=True):
        sample, likely = _few(experiment, name, span)
        count = likely.count
        if any(sample.path == one.path for one in digits):
            raise problem_at(span, f"'{name}' is listed twice", "Its values are all taken already.")
        samples.append((name, sample))
        digits.append(replace(likely, stride=total))
        entries = prod(sample.shape)
        if count**entries > 2**MAX_BITS or total * count**entries > 2**MAX_BITS:
            hint = f"Leave `data` out, so that examples are sampled; the limit is 2^{MAX_BITS}."
            if len(written) == 1:
                power = f"{count}^{entries}" if sample.shape else f"{count:,}"
                raise problem_at(span, f"'{name}' has {power} values", hint)
            raise problem_at(span, f"{listing(written)} have more than 2^{MAX_BITS} combinations", hint)
        total *= count**entries
    weights = weigh(experiment, samples, digits, model.span("enumerate"))
    if divided:
        source = _divided(experiment, model, total, tuple(digits), weights)
        _must_be_all(experiment, samples, written, model.span("enumerate"))
        return source
    _must_be_all(experiment, samples, written, model.span("enumerate"))
    _must_be_whole(experiment, f"2^{total.bit_length() - 1}" if total.bit_count() == 1 else f"{total:,}")
    coin = len(digits) == 1 and samples[0][1].distribution in BINARY_DISTRIBUTIONS
    if coin and digits[0] == Digits(digits[0].path):
        return Enumerated(total, digits[0].path)
    return Enumerated(total, (), tuple(digits), density=weights)


def weigh(
    experiment: ExperimentScope, samples: Sequence[tuple[str, t.Sample]], digits: Sequence[Digits], span: Span
) -> t.Term | None:
    """What an example weighs, known to all that is checked from here on; None where all are equally likely."""
    terms = [sample for _, sample in samples]
    weight: t.Term | None = experiment.shared.once(
        f"density {digits}", terms, lambda: density(experiment.checker, samples, digits, span)
    )
    experiment.dependencies.density = weight
    return weight


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


def _few(experiment: ExperimentScope, name: str, span: Span) -> tuple[t.Sample, Digits]:
    """The draw that a name is, and the values that each of its entries has. Raises StudyError."""
    examples = experiment.stage("example")
    if name not in examples:
        hint = did_you_mean(name, examples) or f"Drawn for each example: {listing(examples) or 'nothing'}."
        raise problem_at(span, f"'{name}' is not drawn for each example", hint)
    term = experiment.term_of(experiment.bindings[name], span)
    if isinstance(term, t.Sample) and term.distribution == "integer":
        return term, Digits(term.path, int(term.sizes["n"]))
    if not isinstance(term, t.Sample) or term.distribution not in (*BINARY_DISTRIBUTIONS, "categorical"):
        hint = f"Draws with few values are {FEW}."
        raise problem_at(span, f"the values of '{name}' cannot be enumerated", hint)
    p = term.parameters.get("p")
    return term, Digits(term.path) if p is None else _by_probability(term, p, name, span)


def _by_probability(sample: t.Sample, p: t.Term, name: str, span: Span) -> Digits:
    """The values of a draw that have a probability, and their odds where they are not alike. Raises StudyError."""
    if not isinstance(p, t.Literal):
        message = f"the probabilities of the values of '{name}' are not known before anything runs"
        raise problem_at(
            span,
            message,
            "Give it probabilities that are constants, or leave `data` out, so that examples are sampled.",
        )
    shares = np.asarray(p.value, float)
    if sample.distribution == "categorical":
        shares = shares / shares.sum()
    elif not shares.shape:
        shares = np.stack([1 - shares, shares])
    elif ((shares == 0) | (shares == 1)).any():
        hint = "Write that entry as a number, and enumerate the others."
        raise problem_at(span, f"an entry of '{name}' is always the same", hint)
    else:
        return Digits(sample.path, odds=() if (shares == 0.5).all() else tuple(shares.ravel().tolist()))
    there = np.flatnonzero(shares)
    odds = shares * len(there)
    alike = bool(np.ptp(shares[there]) == 0)
    values = tuple(there.tolist()) if len(there) < len(shares) else ()
    return Digits(sample.path, len(there), values=values, odds=() if alike else tuple(odds.tolist()))


def _must_be_all(
    experiment: ExperimentScope, samples: list[tuple[str, t.Sample]], names: list[str], span: Span
) -> None:
    """Refuses another draw beside them."""
    for other in experiment.stage("example"):
        for item in t.walk(experiment.term_of(experiment.bindings[other], span)):
            if isinstance(item, t.Sample) and not any(item is sample for _, sample in samples):
                hint = "Expectations are exact only if nothing else is drawn: move it to `draw`, or sample."
                whose = listing([f"'{name}'" for name in names])
                raise problem_at(
                    item.span, f"'{other}' is drawn for each example too, beside the enumerated {whose}", hint
                )


def _divided(
    experiment: ExperimentScope, model: Data, total: int, digits: tuple[Digits, ...], weights: t.Term | None
) -> Combinations:
    """So many of all combinations to train on, and the rest to test on."""
    train = counted(experiment, model, "train", total, what="combinations")
    assert train is not None
    training = experiment.model.training
    said = training.evaluate.node("examples") if training else None
    if said is not None:
        message = "the combinations that do not train are tested, and this is another number"
        raise problem_at(said.span, message, "Remove it.")
    if not 0 < train < total:
        message = f"{train:,} of {total:,} combinations train, and none is left to {'test' if train else 'train'} on"
        raise problem_at(
            model.span("train"), message, "`train: 0.4` is a share. Without `train` all are trained and tested on."
        )
    experiment.dependencies.divided = (train, total - train)
    return Combinations(total - train, train, digits, model.order, density=weights)


def _must_be_whole(experiment: ExperimentScope, every: str) -> None:
    """Refuses another number of examples."""
    training = experiment.model.training
    for said in (training.evaluate.node("examples"), training.node("batch")) if training else ():
        if said is not None and not (isinstance(said, yaml.Scalar) and said.value == FULL):
            message = f"with `enumerate` all {every} examples are taken each time, and this is another number"
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
