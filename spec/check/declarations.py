"""The names that an experiment declares, each in its stage, collected before any of them is checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..diagnostics.problems import Problem, Span
from ..model.experiment import Experiment
from ..source import nodes as yaml
from ..source.names import KEYWORDS, is_name
from ..tables.counters import COUNTERS
from ..tables.distributions import DISTRIBUTIONS
from ..tables.named_numbers import NAMED_NUMBERS
from ..tables.operations import FORMS, OPERATIONS
from .namespace import STAGES, Binding, Function, order


@dataclass(frozen=True, slots=True)
class Declared:
    """The namespace of an experiment, its swept constants as they stand under `constants`; and what is wrong with names."""

    bindings: dict[str, Binding]
    functions: dict[str, Function]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    refused: frozenset[str] = frozenset()
    """The words of the language that stand as names."""


def declared_in(model: Experiment) -> list[yaml.Node | None]:
    """Where an experiment declares names: its stages in order, and its functions last."""
    fields = Experiment.model_fields
    stages = [(model if stage in fields else model.task).node(stage) for stage in STAGES[: order("loss")]]
    return [*stages, model.node("functions")]


def spoken_of_in(model: Experiment) -> list[yaml.Node | None]:
    """Where an experiment gives names that stand in no namespace, and that expressions and claims speak of: measures, phases, test streams."""
    tests = model.task.node("tests")
    phases = model.training.node("phases") if model.training is not None else None
    return [tests, phases, model.node("measures")]


def declared(model: Experiment) -> Declared:
    """The namespace of an experiment; a name stands once in it. Those of a stage stand under the field of its name."""
    bindings: dict[str, Binding] = {}
    functions: dict[str, Function] = {}
    seen: dict[str, Span] = {}
    found: list[Problem] = []
    *stages, written = declared_in(model)
    for stage, node in zip(STAGES, stages, strict=False):
        for key, value in _entries(node):
            wrong = _faults(key, seen, HIDING_NETWORK if stage == "architecture" else "")
            found += wrong
            if not _refused(wrong):
                bindings[key.text] = Binding(key.text, stage, value, key.span)
    for key, value in _entries(written):
        match = re.fullmatch(r"\s*(\w+)\s*\(\s*((?:\w+(?:\s*,\s*\w+)*)?)\s*\)\s*", key.text)
        if match is None:
            hint = "A function is written `u(r): …`, `gap(a, b): …`, or `error(): …` without parameters."
            found.append(Problem(f"'{key.text}' is not a function head", key.span, hint))
            continue
        name, parameters = match[1], tuple(re.split(r"\s*,\s*", match[2])) if match[2] else ()
        wrong = _faults(replace(key, text=name), seen, HIDING_FUNCTION)
        found += wrong
        if not _refused(wrong):
            found += _parameter_faults(parameters, key.span)
            functions[name] = Function(name, parameters, value, key.span)
    found += (word_as_name(key) for node in spoken_of_in(model) for key, _ in _entries(node) if key.text in KEYWORDS)
    problems = tuple(problem for problem in found if problem.severity == "error")
    warnings = tuple(problem for problem in found if problem.severity != "error")
    refused = frozenset(name for name in seen if not is_name(name))
    return Declared(bindings, functions, problems, warnings, refused)


def _entries(node: yaml.Node | None) -> tuple[tuple[yaml.Scalar, yaml.Node], ...]:
    return node.entries if isinstance(node, yaml.Mapping) else ()


def _refused(names: list[Problem]) -> bool:
    return any(problem.severity == "error" for problem in names)


HIDING_FUNCTION = "`{0}(…)` is your own function, and the language's cannot be called beside it."
HIDING_NETWORK = "By itself it is your own network; with brackets, `{0}(…)`, it is the language's."
HIDING_VALUE = "By itself it is your own name."


def _faults(key: yaml.Scalar, seen: dict[str, Span], called: str) -> list[Problem]:
    """What is wrong with a name: it is none, or stands twice; a warning where it hides a word that stands as it does.

    `called` is what to say of a function or a network that is called as an operation is. Any other name stands without brackets, where
    operations and distributions never do: it may hide a counter or a named number alone.
    """
    name = key.text
    if not is_name(name):
        seen.setdefault(name, key.span)
        return [word_as_name(key)]
    if name in seen:
        message = f"the name '{name}' is already taken, in line {seen[name].line}"
        return [Problem(message, key.span, "An experiment has one namespace: rename one of them.")]
    seen[name] = key.span
    hint = HIDING_VALUE if name in COUNTERS or name in NAMED_NUMBERS else called if is_taken(name) else ""
    message = f"the name '{name}' hides a word of the language"
    return [Problem(message, key.span, hint.format(name), "warning")] if hint else []


def word_as_name(key: yaml.Scalar) -> Problem:
    """What is said of a word of expressions that stands as a name."""
    return Problem(
        f"'{key.text}' cannot be a name: it is a word of the expression language", key.span, "Choose another."
    )


def is_taken(name: str) -> bool:
    """Whether a name is no name, or hides a word of the language."""
    tables = (OPERATIONS, FORMS, DISTRIBUTIONS, COUNTERS, NAMED_NUMBERS)
    return any(name in table for table in tables) or not is_name(name)


def _parameter_faults(parameters: tuple[str, ...], span: Span) -> Iterator[Problem]:
    for word in parameters:
        if parameters.count(word) > 1:
            yield Problem(f"the parameter '{word}' is listed twice", span, "Rename one of them.")
        elif not is_name(word):
            message = f"'{word}' cannot be a parameter: it is a word of the expression language, or no name"
            yield Problem(message, span, "Choose another.")
