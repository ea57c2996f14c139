"""Test streams: the test examples with some of their names said otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at
from ..ir import terms as t
from ..ir.plan import Named
from ..source import nodes as yaml
from .context import Context
from .scope import ExperimentScope

OWN = ("test", "train")
"""The streams that every experiment has."""
VALIDATION = "validation"
"""The stream of the examples that `task.data` sets apart."""


def stream_of(experiment: ExperimentScope, name: str, span: Span | None) -> str:
    """A stream by its name. Raises StudyError where there is none."""
    experiment.note_read("tests")
    known = [*OWN, *experiment.tests.streams]
    if name == VALIDATION and name not in known:
        experiment.note_read("data")
        if experiment.data is not None and experiment.data.validation:
            return name
        hint = "`task: {data: {train: 1000, test: 1000, validation: 1000}}` sets some apart."
        raise problem_at(span, "there are no validation examples", hint)
    if name not in known:
        from ..model.other_keys import other_key  # of studies with errors alone

        hint = (
            other_key(name, ("validation",))
            or did_you_mean(name, known)
            or f"There are {listing(known)}; declare others under `task.tests`."
        )
        raise problem_at(span, f"there are no examples '{name}'", hint)
    return name


def streams_of(experiment: ExperimentScope) -> dict[str, tuple[Named, ...]]:
    """The examples of each test stream: those of the experiment, with the terms of some names instead. Errors are kept."""
    streams = {}
    for name in experiment.model.task.tests:
        examples = experiment.attempt(partial(_stream, experiment, name))
        if examples is not None:
            streams[name] = examples
    return streams


def _stream(experiment: ExperimentScope, name: str) -> tuple[Named, ...]:
    task = experiment.model.task
    key = _key(experiment, name)
    if name in OWN:
        hint = "Every experiment has that one: choose another name."
        raise problem_at(key, f"'{name}' cannot be the name of a test stream", hint)
    if name == VALIDATION and experiment.data is not None and experiment.data.validation:
        hint = "`task.data` has validation examples: choose another name."
        raise problem_at(key, f"'{name}' cannot be the name of a test stream", hint)
    if experiment.data is not None and experiment.data.exact:
        hint = "Draw examples instead, or give these a measure with `where`."
        raise problem_at(key, "with `enumerate` all values are there: there are no other examples", hint)
    terms: dict[str, t.Term] = {}
    for own in task.tests[name]:
        terms[own] = _patched(experiment, name, own)
    _must_not_be_circular(experiment, name, terms)
    every = {
        own: terms.get(own, experiment.terms[own]) for own in experiment.stage("example") if own in experiment.terms
    }
    once = experiment.shared.once
    named = [once(f"named {own}", (term,), partial(Named, own, term)) for own, term in every.items()]
    examples: tuple[Named, ...] = once(f"stream {name}", named, lambda: tuple(named))
    return examples


def _patched(experiment: ExperimentScope, stream: str, name: str) -> t.Term:
    """What a name of the example is in a stream: of the kind and the shape that it has elsewhere."""
    task = experiment.model.task
    node, key = task.node("tests", stream, name), _key(experiment, stream, name)
    known = experiment.stage("example")
    if name not in known:
        hint = did_you_mean(name, known) or f"An example has {listing(known) or 'no names'}."
        if name in experiment.model.constants:
            hint = f"A constant is the same in all of them: redefine the names that are made of '{name}'. {hint}"
        raise problem_at(key, f"'{name}' is not a name of the example", hint)
    assert node is not None
    weight = experiment.dependencies.density
    if weight is not None and any(isinstance(item, t.Reference) and item.name == name for item in t.walk(weight)):
        hint = f"Redefine a name that is made of '{name}', or measure `E(…, where=…)`."
        raise problem_at(key, f"examples are weighted by the probability of '{name}', which this would replace", hint)
    whole = experiment.term_of(experiment.bindings[name], key)

    def made() -> t.Term:
        term = experiment.checker.value(node, Context("example", ("value", name)))
        experiment.must_fit(term, node.span)
        if term.type != whole.type:
            message = f"'{name}' is {whole.type}, and here {term.type}: a test stream keeps kind and shape"
            raise problem_at(node.span, message, "Write a value of that type.")
        return term

    term: t.Term = experiment.part(("stream", stream, name, str(whole.type)), made, node)
    return term


def _key(experiment: ExperimentScope, *path: str) -> Span:
    """Where the last key of a path under `tests` stands."""
    *above, last = ("tests", *path)
    node = experiment.model.task.node(*above)
    key = node.key(last) if isinstance(node, yaml.Mapping) else None
    return key.span if key is not None else experiment.model.task.span()


def _must_not_be_circular(experiment: ExperimentScope, stream: str, terms: Mapping[str, t.Term]) -> None:
    """Refuses a name that is made of what is made of it."""
    done: set[str] = set()

    def used(name: str) -> list[str]:
        term = terms.get(name) or experiment.terms.get(name)
        found = (item.name for item in t.walk(term) if isinstance(item, t.Reference)) if term is not None else ()
        return [one for one in found if one in experiment.bindings and experiment.bindings[one].stage == "example"]

    for first in terms:
        path, pending = [first], [iter(used(first))]
        while path:
            below = next(pending[-1], None)
            if below is None:
                done.add(path.pop())
                pending.pop()
            elif below in path:
                chain = " → ".join([*path[path.index(below) :], below])
                key = _key(experiment, stream, first)
                raise problem_at(
                    key,
                    f"in '{stream}', '{below}' is defined through itself: {chain}",
                    "Define it by other names, or by draws.",
                )
            elif below not in done:
                path.append(below)
                pending.append(iter(used(below)))
