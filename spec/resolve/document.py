"""A validated document, with the base of each experiment under it; every error of the models at its place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import pydantic

from ..diagnostics.problems import Problem, Source, StudyError, did_you_mean, problem_at, those
from ..model.base import Closed
from ..model.experiment import Experiment
from ..model.study import Study
from ..source import nodes as yaml
from .patches import merge, without

M = TypeVar("M", bound=Closed)

MAX_NAMED_BASES = 12
"""How many experiments on a circle of bases are named."""

NOT_INHERITED = ("claims", "figures", "about", "base")
"""What an experiment does not take over from its base."""


@dataclass(frozen=True, eq=False)
class Document:
    """A study as it stands in its file: each experiment with its base laid under it, validated."""

    source: Source
    top: yaml.Mapping
    study: Study
    experiments: dict[str, yaml.Mapping]


def derived(top: yaml.Mapping) -> dict[str, yaml.Mapping]:
    """The experiments with their bases under them. Raises StudyError."""
    experiments, problems = over_bases(top)
    if problems:
        raise StudyError(problems)
    return experiments


def over_bases(top: yaml.Mapping) -> tuple[dict[str, yaml.Mapping], list[Problem]]:
    """The experiments that could be laid over their bases, and what is wrong with the bases of others."""
    node = top.get("experiments")
    if not isinstance(node, yaml.Mapping):
        return {}, []
    found: dict[str, yaml.Mapping] = {}
    problems: list[Problem] = []
    for key, _ in node.entries:
        try:
            for name in reversed(_bases(node, key.text, found)):
                found[name] = _over_base(node, name, found)
        except StudyError as error:
            problems.extend(error.problems)
    return found, problems


def _bases(node: yaml.Mapping, name: str, known: Mapping[str, yaml.Mapping]) -> list[str]:
    """An experiment and those that it is derived from, up to one that is known."""
    chain: dict[str, None] = {}
    while name not in known and isinstance(own := node.get(name), yaml.Mapping):
        chain[name] = None
        base = own.get("base")
        if not isinstance(base, yaml.Scalar) or not isinstance(base.value, str):
            break
        if base.text in chain:
            names = [*chain, base.text]
            loop = " → ".join(names if len(names) <= MAX_NAMED_BASES else [*names[:3], "…", *names[-2:]])
            hint = "Remove `base`, or name another experiment."
            raise problem_at(base.span, f"the experiment is derived from itself: {loop}", hint)
        if node.key(base.text) is None:
            every = node.keys()
            others = [other for other in every if other not in chain]
            hint = did_you_mean(base.text, every, chain) or those("other experiments", others)
            raise problem_at(base.span, f"there is no experiment '{base.text}'", hint)
        name = base.text
    return list(chain)


def _over_base(node: yaml.Mapping, name: str, base_node: Mapping[str, yaml.Mapping]) -> yaml.Mapping:
    """An experiment over its base, which is found already."""
    over = node.get(name)
    assert isinstance(over, yaml.Mapping)
    base = over.get("base")
    below = base_node.get(base.text) if isinstance(base, yaml.Scalar) and isinstance(base.value, str) else None
    if below is None:
        return over
    merged = merge(without(below, *NOT_INHERITED), without(over, "base"))
    assert isinstance(merged, yaml.Mapping)
    return merged


def with_experiments(top: yaml.Mapping, experiments: dict[str, yaml.Mapping]) -> yaml.Mapping:
    """A study's tree with other experiments under the same names."""
    entries = []
    for key, node in top.entries:
        if key.text == "experiments" and isinstance(node, yaml.Mapping):
            inner = tuple((name, experiments.get(name.text, below)) for name, below in node.entries)
            node = yaml.Mapping(inner, node.span)
        entries.append((key, node))
    return yaml.Mapping(tuple(entries), top.span)


def experiment(node: yaml.Mapping, like: Experiment | None = None) -> Experiment:
    """A patched experiment, validated: sections that it has in common with another are not validated again. Raises StudyError."""
    try:
        return Experiment.like(node, like) if like is not None else Experiment.from_node(node)
    except pydantic.ValidationError:
        return validated(Experiment, node)


def validated(model: type[M], node: yaml.Mapping) -> M:
    """The model of a tree. Raises StudyError with all that is wrong, each at its key or value."""
    try:
        return model.from_node(node)
    except pydantic.ValidationError as error:
        from ..model.validation_errors import problems  # of studies with errors alone

        raise StudyError(problems(model, node, error)) from None
