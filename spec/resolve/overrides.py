"""Overrides: a value for one path, given on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..diagnostics.problems import Source, Span, did_you_mean, problem_at, sentence
from ..source import nodes as yaml
from .document import Document
from .patches import nest


@dataclass(frozen=True)
class Override:
    """`-o path=value`: a value for one path, of all experiments or of one."""

    path: tuple[str, ...]
    value: yaml.Node
    span: Span

    @staticmethod
    def read(text: str) -> Override:
        """Reads `training.steps=100`, `staircase.variants.non_flat.training.steps=100`. Raises StudyError."""
        path, equals, _ = text.partition("=")
        source = Source("-o", text)
        span = Span(source, 1, 1, 1, len(text) + 1)
        if not equals or not path.strip():
            raise problem_at(span, "an override is written path=value", "`-o training.steps=100`")
        node = yaml.parse_value(source, len(path) + 1)
        return Override(tuple(path.strip().split(".")), node, span)


def by_experiment(document: Document, overrides: Sequence[Override]) -> dict[str, list[Override]]:
    """Overrides by experiment: one that names none goes to all that have its path."""
    by_experiment: dict[str, list[Override]] = {name: [] for name in document.experiments}
    for override in overrides:
        path = override.path[1:] if override.path[0] == "experiments" else override.path
        if path and path[0] in document.experiments:
            by_experiment[path[0]].append(replace(override, path=path[1:]))
            continue
        fields = set(type(next(iter(document.study.experiments.values()))).model_fields)
        if not path or path[0] not in fields:
            known = [*document.experiments, *fields]
            hint = sentence(
                did_you_mean(path[0] if path else "", known),
                "A path begins with an experiment, or with one of its keys.",
            )
            raise problem_at(override.span, f"there is no path '{'.'.join(override.path)}'", hint)
        for name in document.experiments:
            by_experiment[name].append(replace(override, path=path))
    return by_experiment


def as_patch(name: str, path: tuple[str, ...], override: Override) -> yaml.Mapping:
    """An override as a patch of its experiment. Raises StudyError where it names no part of it."""
    patch = nest(path, override.value, override.span)
    if not isinstance(patch, yaml.Mapping):
        hint = f"Say what of it: `-o {name}.training.steps=100`. `--only` chooses experiments and variants."
        raise problem_at(override.span, f"the experiment '{name}' is no value that an override can set", hint)
    if not patch.entries:
        raise problem_at(override.span, "the override changes nothing", f"`-o {name}.training.steps=100`")
    return patch
