"""Checks functions that nothing calls: their syntax and names, since their types are unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..diagnostics.problems import Problem, StudyError, did_you_mean, sentence
from ..expressions import nodes as n
from ..source import nodes as yaml
from ..tables.distributions import DISTRIBUTIONS
from ..tables.operations import FORMS, OPERATIONS
from .expression_text import Text, read
from .namespace import Function


def unused(functions: Sequence[Function], experiment: yaml.Node | None, known: set[str]) -> list[Problem]:
    """What is wrong in the bodies of some functions. A name that any variant may declare is none of it."""
    if not functions:
        return []
    words = known | set(_words(experiment)) | {"pi"}
    problems: list[Problem] = []
    for function in functions:
        for node in _scalars(function.node):
            try:
                text = read(node)
            except StudyError as error:
                problems.extend(error.problems)
                continue
            problems.extend(_unknown(text, words | set(function.parameters), function.name))
    return problems


def _unknown(text: Text, words: set[str], function: str) -> Iterator[Problem]:
    tree = n.walk(text.tree)
    local = {name for node in tree if isinstance(node, n.Comprehension) for name, _ in node.ranges}
    note = f"The function '{function}' is never called."
    for node in tree:
        if isinstance(node, n.Name) and node.name not in words | local:
            hint = sentence(did_you_mean(node.name, words | local), note)
            yield Problem(f"unknown name '{node.name}'", text.span(node), hint)
        if isinstance(node, n.Call):
            callable_ = {*OPERATIONS, *FORMS, *DISTRIBUTIONS, *words}
            if node.function not in callable_:
                head = n.Name(node.function, start=node.start, end=node.start + len(node.function))
                hint = sentence(did_you_mean(node.function, callable_), note)
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
