"""A file to a validated document: YAML, then the models; every error of theirs at its place in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from . import source as yaml
from .diagnostics import Problem, Source, SpecError, did_you_mean, listing, problem_at, sentence
from .expressions.parser import KEYWORDS
from .model.base import Closed, OneOf
from .model.experiment import Experiment
from .model.study import Study
from .patches import merge, without

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
    experiments = _derived(top)
    expanded = _with_experiments(top, experiments)
    study = validated(Study, expanded)
    return Document(source, top, study, experiments)


def _derived(top: yaml.Mapping) -> dict[str, yaml.Mapping]:
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
                raise problem_at(base.span, f"the experiment is derived from itself: {loop}")
            if base.text not in node.keys():
                hint = did_you_mean(base.text, node.keys()) or f"The experiments are {listing(node.keys())}."
                raise problem_at(base.span, f"there is no experiment '{base.text}'", hint)
            below = derive(base.text, (*chain, name))
            if below is not None:
                merged = merge(without(below, *OWN), without(own, "base"))
                assert isinstance(merged, yaml.Mapping)
                own = merged
        found[name] = own
        return own

    for name in node.keys():
        derive(name, ())
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
        problems = [_problem(model, node, item) for item in error.errors(include_url=False)]
        raise SpecError(problems) from None


def _problem(model: type[Closed], node: yaml.Mapping, error: Any) -> Problem:
    path, kind, message = _path(node, error["loc"]), error["type"], error["msg"]
    span, depth = yaml.locate(node, path)
    word = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        key = yaml.find(node, path[:-1])
        if isinstance(key, yaml.Mapping) and (at := key.key(word)) is not None:
            span = at.span
        owner = owner_of(model, error["loc"][:-1])
        if word.endswith("_regularizer"):
            hint = "Write a loss term instead: `{of: squared_norm(f.weights), weight: 1e-4}`."
            return Problem("Keras' regularisers are refused", span, hint)
        known = [name for name in owner.model_fields if name != getattr(owner, "bare", "")] if owner else []
        where = f" of {owner.noun}" if owner and issubclass(owner, OneOf) else ""
        hint = did_you_mean(word, known) or (f"Known here: {listing(known, 30)}." if known else "")
        return Problem(f"unknown key '{word}'{where}", span, hint)
    if kind == "missing":
        message = f"'{word}' is missing here"
        owner = owner_of(model, error["loc"][:-1])
        field = owner.model_fields.get(word) if owner else None
        return Problem(message, span, field.description or "" if field else "")
    if kind == "string_pattern_mismatch":
        at = yaml.find(node, path[:-1] if depth == len(path) else path)
        if isinstance(at, yaml.Mapping) and (key := at.key(word)) is not None:
            span = key.span
        word = str(error.get("input", word))
        return Problem(f"'{word}' is not a name", span, "A name is a letter, then letters, digits and underscores.")
    if kind == "value_error":
        text = message.removeprefix("Value error, ")
        first, _, hint = text.partition(".  ")
        return Problem(first, span, hint)
    return Problem(_prose(kind, message, error, word), span, _remedy(kind, error))


def _prose(kind: str, message: str, error: Any, word: str) -> str:
    found = _shown(error.get("input"))
    context = error.get("ctx", {})
    if kind in ("literal_error", "union_tag_invalid"):
        expected = context.get("expected") or context.get("expected_tags", "")
        return f"'{word}' is one of {expected.replace(' or ', ', ')}, not {found}"
    if kind == "union_tag_not_found":
        return "'kind' is missing here: which figure it is"
    wanted = {
        "model_type": "a mapping",
        "model_attributes_type": "a mapping",
        "dict_type": "a mapping",
        "list_type": "a list",
        "string_type": "a text",
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "int_from_float": "a whole number",
        "bool_type": "true or false",
        "bool_parsing": "true or false",
        "float_type": "a number",
        "float_parsing": "a number",
        "tuple_type": "a list",
    }.get(kind)
    if wanted:
        return f"'{word}' takes {wanted}, and this is {found}"
    if kind in ("too_short", "dict_too_short"):
        return f"'{word}' has to hold at least one entry"
    return message[0].lower() + message[1:]


def _remedy(kind: str, error: Any) -> str:
    if kind in ("literal_error", "union_tag_invalid"):
        context = error.get("ctx", {})
        words = str(context.get("expected") or context.get("expected_tags", "")).replace("'", "").replace(" or ", ", ").split(", ")
        return did_you_mean(str(error.get("input")), words)
    return ""


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"'{value}'" if isinstance(value, str) else f"{value}".lower() if isinstance(value, bool) else f"{value}"


def _path(node: yaml.Node, loc: Sequence[str | int]) -> list[str | int]:
    """A model's location as a path in the tree: tags of unions, and names put in by short forms, are left out."""
    path: list[str | int] = []
    at: yaml.Node | None = node
    for place, step in enumerate(loc):
        below = yaml.find(at, [step])
        if below is None and place < len(loc) - 1:
            continue
        if step == "[key]":
            continue
        path.append(step)
        at = below if below is not None else at
    return path


def owner_of(model: type[Closed], loc: Sequence[str | int]) -> type[Closed] | None:
    """The model that holds a location, for the names that it knows."""
    owner: Any = model
    for step in loc:
        field = getattr(owner, "model_fields", {}).get(step) if isinstance(owner, type) else None
        if field is not None:
            owner = field.annotation
            metadata = field.metadata
        else:
            metadata = []
        owner = _inner(owner, step, [*metadata])
    return owner if isinstance(owner, type) and issubclass(owner, Closed) else _single(owner)


def _single(kind: Any) -> type[Closed] | None:
    found = [item for item in _flat(kind) if isinstance(item, type) and issubclass(item, Closed)]
    return found[0] if len(found) == 1 else None


def _flat(kind: Any) -> list[Any]:
    arguments = getattr(kind, "__args__", None)
    return [kind] if not arguments else [inner for argument in arguments for inner in _flat(argument)]


def _inner(kind: Any, step: Any, metadata: Sequence[Any]) -> Any:
    """The type one step further in: through unions (by tag), lists and maps."""
    if isinstance(kind, type) and issubclass(kind, Closed):
        return kind
    options = _flat(kind)
    models = [item for item in options if isinstance(item, type) and issubclass(item, Closed)]
    tagged = [m for m in models if _tag(m) == step]
    if tagged:
        return tagged[0]
    return models[0] if len(models) == 1 else kind


def _tag(model: type[Closed]) -> str | None:
    field = model.model_fields.get("kind")
    arguments = getattr(field.annotation, "__args__", ()) if field is not None else ()
    return arguments[0] if arguments else None


def reserved(name: str) -> bool:
    """Whether a name is one of the expression language's own words."""
    return name in KEYWORDS


__all__ = ["Document", "experiment", "load", "parse", "sentence"]
