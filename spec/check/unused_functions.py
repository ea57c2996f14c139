"""Checks functions that nothing calls: their syntax and names, since their types are unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from ..diagnostics.problems import Problem, StudyError, did_you_mean, sentence
from ..diagnostics.suggestions import Words
from ..expressions import nodes as n
from ..source import nodes as yaml
from ..tables.counters import COUNTERS
from ..tables.distributions import DISTRIBUTIONS
from ..tables.named_numbers import NAMED_NUMBERS
from ..tables.operations import FORMS, OPERATIONS
from .expression_text import Text, read
from .namespace import Function


def unused(functions: Sequence[Function], experiment: yaml.Node | None, known: set[str]) -> list[Problem]:
    """What is wrong in the bodies of some functions. A name that any variant may declare is none of it."""
    if not functions:
        return []
    names = _Names(known, experiment)
    problems: list[Problem] = []
    for function in functions:
        for node in _scalars(function.node):
            try:
                text = read(node)
            except StudyError as error:
                problems.extend(error.problems)
                continue
            problems.extend(_unknown(text, function, names))
    return problems


class _Names:
    """The names that all functions know. Those that any variant may declare are looked for in the experiment where others do not do, once for all."""

    def __init__(self, known: set[str], experiment: yaml.Node | None) -> None:
        self.known = known
        self.experiment = experiment

    @cached_property
    def words(self) -> Words:
        """The names of values."""
        return Words(self.known | set(_words(self.experiment)) | {*NAMED_NUMBERS, *COUNTERS})

    @cached_property
    def callables(self) -> Words:
        """The names of what is called, and of values."""
        return Words({*OPERATIONS, *FORMS, *DISTRIBUTIONS, *self.words})

    def value(self, name: str) -> bool:
        """Whether a name may be that of a value."""
        return name in self.known or name in self.words

    def called(self, name: str) -> bool:
        """Whether a name may be that of what is called."""
        return any(name in table for table in (OPERATIONS, FORMS, DISTRIBUTIONS, self.known)) or name in self.callables


def _unknown(text: Text, function: Function, names: _Names) -> Iterator[Problem]:
    """The names of a body that are neither among those that all functions know nor its own."""
    tree = n.walk(text.tree)
    own = {name for node in tree if isinstance(node, n.Comprehension) for name, _ in node.ranges} | set(
        function.parameters
    )
    note = f"The function '{function.name}' is never called."
    for node in tree:
        if isinstance(node, n.Name) and node.name not in own and not names.value(node.name):
            hint = sentence(did_you_mean(node.name, own | {names.words.near(node.name)}), note)
            yield Problem(f"unknown name '{node.name}'", text.span(node), hint)
        if isinstance(node, n.Call) and node.function not in own and not names.called(node.function):
            head = n.Name(node.function, start=node.start, end=node.start + len(node.function))
            hint = sentence(did_you_mean(node.function, own | {names.callables.near(node.function)}), note)
            yield Problem(f"unknown operation '{node.function}'", text.span(head), hint)


def _scalars(node: yaml.Node) -> Iterator[yaml.Scalar]:
    if isinstance(node, yaml.Scalar):
        yield node
    elif isinstance(node, yaml.Sequence):
        for item in node.items:
            yield from _scalars(item)


def _words(node: yaml.Node | None) -> Iterator[str]:
    """All keys of a tree, a function's head by its name."""
    if isinstance(node, yaml.Mapping):
        for key, below in node.entries:
            yield re.split(r"\s*\(", key.text)[0]
            yield from _words(below)
