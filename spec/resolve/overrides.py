"""Overrides: a value for one path, given on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..diagnostics.problems import Source, Span, did_you_mean, problem_at, sentence
from ..source import nodes as yaml
from .document import Document
from .patches import nest


@dataclass(frozen=True)
class Override:
    """`-o path=value`: a value for one path, of all experiments or of one; `values` are several, which make an axis."""

    path: tuple[str, ...]
    value: yaml.Node
    span: Span
    values: tuple[yaml.Node, ...] = ()

    @property
    def place(self) -> tuple[str, ...]:
        """The path without the word `experiments` before the name of one."""
        return self.path[1:] if self.path[0] == "experiments" else self.path

    @staticmethod
    def read(text: str) -> Override:
        """Reads `training.steps=100`, `staircase.variants.non_flat.training.steps=100`, `training.batch=32,64`. Raises StudyError."""
        path, equals, _ = text.partition("=")
        source = Source("-o", text)
        span = Span(source, 1, 1, 1, len(text) + 1)
        if not equals or not path.strip():
            raise problem_at(span, "an override is written path=value", "`-o training.steps=100`")
        steps = tuple(path.strip().split("."))
        if TEXTS.isdisjoint(steps) and len(places := list(_stretches(text, len(path) + 1))) > 1:
            for start, end in places:
                if not text[start:end].strip():
                    hint = f"Several values make an axis: `-o {path}=32,64`; `null` is none."
                    comma = end + 1 if end < len(text) else start
                    raise problem_at(Span(source, 1, comma, 1, comma + 1), "a value is missing beside the comma", hint)
            values = tuple(yaml.parse_value(Source("-o", text[:end]), start) for start, end in places)
            return Override(steps, values[0], span, values)
        return Override(steps, yaml.parse_value(source, len(path) + 1), span)


TEXTS = frozenset({"about", "claims", "figures", "says", "title"})
"""Below these a comma is one of a text."""
OPENING, CLOSING = "([{", ")]}"


def _stretches(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Where the values of an override lie, between commas that stand in no brackets and no quotes.

    >>> [text[start:end] for text in ["d=1,2", "x=f(a, b),[1, 2]", "y='a, b'"] for start, end in _stretches(text, 2)]
    ['1', '2', 'f(a, b)', '[1, 2]', "'a, b'"]
    """
    depth, quote, first, blank = 0, "", start, True
    for place in range(start, len(text)):
        letter = text[place]
        if quote:
            quote = "" if letter == quote and text[place - 1] != "\\" else quote
        elif blank and letter in "\"'":
            quote = letter
        elif letter in OPENING or letter in CLOSING:
            depth += 1 if letter in OPENING else -1
        elif letter == "," and depth <= 0:
            yield first, place
            first = place + 1
        blank = (letter.isspace() and blank) or letter in f",{OPENING}"
    yield first, len(text)


def by_experiment(document: Document, overrides: Sequence[Override]) -> dict[str, list[Override]]:
    """Overrides by experiment: one that names none goes to all that have its path."""
    by_experiment: dict[str, list[Override]] = {name: [] for name in document.experiments} if overrides else {}
    for override in overrides:
        path = override.place
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


def must_be_asked_for(document: Document, overrides: Sequence[Override], wanted: Mapping[str, Sequence[str]]) -> None:
    """Refuses an override of an experiment, or of a variant, that `--only` leaves out: it would change nothing. Raises StudyError.

    Args:
        wanted: The variants that are asked for, by experiment; none where all are. Nothing where all experiments are.
    """
    for override in overrides if wanted else ():
        path = override.place
        if not path or (name := path[0]) not in document.experiments:
            continue
        if name not in wanted:
            shown = ".".join((next(iter(wanted)), *path[1:]))
            hint = f"Add `--only {name}`, or change what runs: `-o {shown}=…`; an experiment with a `base` takes it as written."
            raise problem_at(override.span, f"the override changes nothing: `--only` leaves '{name}' out", hint)
        if path[1:2] == ("variants",) and len(path) > 2 and wanted[name] and path[2] not in wanted[name]:
            hint = f"Add `--only {name}/{path[2]}`, or remove the override."
            raise problem_at(
                override.span, f"the override changes nothing: `--only` leaves '{name}/{path[2]}' out", hint
            )


def as_patch(name: str, path: tuple[str, ...], override: Override) -> yaml.Mapping:
    """An override as a patch of its experiment. Raises StudyError where it names no part of it."""
    patch = nest(path, override.value, override.span)
    if not isinstance(patch, yaml.Mapping):
        hint = f"Name a value in it: `-o {name}.training.steps=100`. `--only` chooses experiments and variants."
        raise problem_at(override.span, f"'{name}' is an experiment, and an override cannot set it as a whole", hint)
    if not patch.entries:
        raise problem_at(override.span, "the override changes nothing", f"`-o {name}.training.steps=100`")
    return patch
