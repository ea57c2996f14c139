"""A file to a validated document: YAML, then the models; every error of theirs at its place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pydantic

from . import source as yaml
from .diagnostics import Source, SpecError, did_you_mean, listing, problem_at
from .model.base import Closed
from .model.experiment import Experiment
from .model.study import Study
from .patches import merge, without
from .refusals import problems

M = TypeVar("M", bound=Closed)

OWN = ("claims", "figures", "about", "base")
"""What an experiment does not take over from its base."""


@dataclass(frozen=True, eq=False)
class Document:
    """A study as it stands in its file: each experiment with its base laid under it, validated."""

    source: Source
    top: yaml.Mapping
    study: Study
    experiments: dict[str, yaml.Mapping]


def load(path: str | Path) -> Document:
    """Reads and validates a file. Raises SpecError with every problem that was found."""
    return parse(yaml.read(path))


def parse(source: Source) -> Document:
    """Validates a text."""
    top = yaml.parse(source)
    experiments = derived(top)
    expanded = _with_experiments(top, experiments)
    study = validated(Study, expanded)
    return Document(source, top, study, experiments)


def derived(top: yaml.Mapping) -> dict[str, yaml.Mapping]:
    """The experiments with their bases under them."""
    node = top.get("experiments")
    if not isinstance(node, yaml.Mapping):
        return {}
    found: dict[str, yaml.Mapping] = {}

    def derive(name: str, chain: tuple[str, ...]) -> yaml.Mapping | None:
        own = node.get(name)
        if name in found or not isinstance(own, yaml.Mapping):
            return found.get(name)
        base = own.get("base")
        if isinstance(base, yaml.Scalar) and isinstance(base.value, str):
            if base.text in (*chain, name):
                loop = " → ".join([*chain, name, base.text])
                hint = "`base` names another experiment: remove it, or name that one."
                raise problem_at(base.span, f"the experiment is derived from itself: {loop}", hint)
            if node.key(base.text) is None:
                hint = did_you_mean(base.text, node.keys()) or f"The experiments are {listing(node.keys())}."
                raise problem_at(base.span, f"there is no experiment '{base.text}'", hint)
            below = derive(base.text, (*chain, name))
            if below is not None:
                merged = merge(without(below, *OWN), without(own, "base"))
                assert isinstance(merged, yaml.Mapping)
                own = merged
        found[name] = own
        return own

    for key, _ in node.entries:
        derive(key.text, ())
    return found


def _with_experiments(top: yaml.Mapping, experiments: dict[str, yaml.Mapping]) -> yaml.Mapping:
    entries = []
    for key, node in top.entries:
        if key.text == "experiments" and isinstance(node, yaml.Mapping):
            inner = tuple((name, experiments.get(name.text, below)) for name, below in node.entries)
            node = yaml.Mapping(inner, node.span)
        entries.append((key, node))
    return yaml.Mapping(tuple(entries), top.span)


def experiment(node: yaml.Mapping) -> Experiment:
    """A patched experiment, validated."""
    return validated(Experiment, node)


def validated(model: type[M], node: yaml.Mapping) -> M:
    """The model of a tree. Raises SpecError with all that is wrong, each at its key or value."""
    try:
        return model.model_validate(yaml.data(node))
    except pydantic.ValidationError as error:
        raise SpecError(problems(model, node, error)) from None
