"""Checks functions that nothing calls: their syntax and names, since their types are unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..diagnostics.problems import Problem, StudyError, did_you_mean, sentence
from ..diagnostics.suggestions import Words
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
    words = Words(known | set(_words(experiment)) | {"pi"})
    callables = Words({*OPERATIONS, *FORMS, *DISTRIBUTIONS, *words})
    problems: list[Problem] = []
    for function in functions:
        for node in _scalars(function.node):
            try:
                text = read(node)
            except StudyError as error:
                problems.extend(error.problems)
                continue
            problems.extend(_unknown(text, function, words, callables))
    return problems


def _unknown(text: Text, function: Function, words: Words, callables: Words) -> Iterator[Problem]:
    """The names of a body that are neither among words that all functions know nor its own; they are many, so the words are made once for all."""
    tree = n.walk(text.tree)
    own = {name for node in tree if isinstance(node, n.Comprehension) for name, _ in node.ranges} | set(
        function.parameters
    )
    note = f"The function '{function.name}' is never called."
    for node in tree:
        if isinstance(node, n.Name) and node.name not in words and node.name not in own:
            hint = sentence(did_you_mean(node.name, own | {words.near(node.name)}), note)
            yield Problem(f"unknown name '{node.name}'", text.span(node), hint)
        if isinstance(node, n.Call) and node.function not in callables and node.function not in own:
            head = n.Name(node.function, start=node.start, end=node.start + len(node.function))
            hint = sentence(did_you_mean(node.function, own | {callables.near(node.function)}), note)
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
