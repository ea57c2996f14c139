"""What the models refuse, in the language's own words: each problem at its key or value in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, get_origin

import pydantic
from pydantic.fields import FieldInfo

from ..diagnostics.problems import Problem, Span, did_you_mean, listing, sentence
from ..diagnostics.suggestions import Words
from ..source import nodes as yaml
from .base import Closed, OneOf
from .further_keys import further
from .other_keys import meant, other_key
from .other_values import as_conditions, other_value

WANTED = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "float_type": "a number",
    "float_parsing": "a number",
}
"""What a value of the wrong type should have been."""

CHOICES = ("literal_error", "union_tag_invalid")
Path = tuple[str | int, ...]
"""A place in a tree: keys, and numbers of entries."""

MAX_PLACES = 4096
"""Of how many places in a model the types are kept: a long file with an error in each line has some thousands."""


@dataclass(frozen=True, eq=False)
class _Fault:
    """One refusal: its place in the model, its place in the tree, and the branches of a union that all refuse it."""

    model: type[Closed]
    top: yaml.Mapping
    error: Any
    path: Path
    wanted: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of refusal."""
        return str(self.error["type"])

    @property
    def word(self) -> str:
        """What people call the place: a key, or the entry of a list."""
        return _called(self.path)

    @property
    def owner(self) -> type[Closed] | None:
        """The model that the place belongs to."""
        return owner_of(self.model, self.error["loc"][:-1])

    def at_key(self) -> Span:
        """The span of the deepest key that is there."""
        above = yaml.find(self.top, self.path[:-1])
        key = above.key(str(self.path[-1])) if isinstance(above, yaml.Mapping) and self.path else None
        return key.span if key is not None else yaml.locate(self.top, self.path)[0]

    def at_value(self) -> Span:
        """The span of the value where it stands on one line, and of its key otherwise."""
        node = yaml.find(self.top, self.path)
        if node is None or node.span.line != node.span.end_line or node.span.column == node.span.end_column:
            return yaml.locate(self.top, self.path)[0]
        return node.span


def problems(model: type[Closed], top: yaml.Mapping, error: pydantic.ValidationError) -> list[Problem]:
    """The problems of a tree that a model refuses."""
    faults = [_Fault(model, top, item, _path(top, item)) for item in error.errors(include_url=False)]
    return [_problem(fault) for fault in _without_misspelt(_united(faults))]


def refused(model: type[Closed], top: yaml.Mapping, error: pydantic.ValidationError) -> list[tuple[Path, str | None]]:
    """The places of a tree that a model refuses, and of a key the one that it misspells: "" of one that is none, None of any other fault."""
    faults = [_Fault(model, top, item, _path(top, item)) for item in error.errors(include_url=False)]
    return [(fault.path, _misspelt(fault)) for fault in faults]


def _misspelt(fault: _Fault) -> str | None:
    if fault.kind != "extra_forbidden" or fault.owner is None or other_key(fault.word, _keys(fault.owner)):
        return None
    return _keys(fault.owner).near(fault.word)


def _united(faults: Sequence[_Fault]) -> list[_Fault]:
    """One fault for all branches of a union; none for a branch where another was followed further in."""
    found: dict[tuple[str | int, ...], _Fault] = {}
    rest = []
    for fault in faults:
        if fault.kind not in WANTED:
            rest.append(fault)
            continue
        first = found.get(fault.path, fault)
        wanted = tuple(dict.fromkeys((*first.wanted, WANTED[fault.kind])))
        found[fault.path] = _Fault(fault.model, fault.top, first.error, fault.path, wanted)
    inner = {other.path[:length] for other in faults for length in range(len(other.path))}
    inner |= {fault.path for fault in rest if fault.kind == "string_pattern_mismatch"}
    return rest + [fault for path, fault in found.items() if path not in inner]


def _without_misspelt(faults: Sequence[_Fault]) -> list[_Fault]:
    """The faults less those of a missing key that stands there, misspelt."""
    beside: dict[tuple[str | int, ...], list[str]] = {}
    for fault in faults:
        if fault.kind == "extra_forbidden":
            beside.setdefault(fault.path[:-1], []).append(str(fault.path[-1]))

    def misspelt(fault: _Fault) -> bool:
        words = beside.get(fault.path[:-1], ())
        return fault.kind == "missing" and any(
            other_key(word, [fault.word]) or did_you_mean(word, [fault.word]) for word in words
        )

    return [fault for fault in faults if not misspelt(fault)]


def _problem(fault: _Fault) -> Problem:
    match fault.kind:
        case "extra_forbidden":
            return _unknown(fault)
        case "missing":
            return _missing(fault)
        case "value_error":
            return _refused(fault)
        case "string_pattern_mismatch":
            key = fault.error["loc"][-1] == "[key]"
            message = f"'{fault.error.get('input', fault.word)}' is not a name"
            hint = _other(fault) or "A name is a letter, then letters, digits and underscores."
            return Problem(message, fault.at_key() if key else fault.at_value(), hint)
        case "literal_error" | "union_tag_invalid" | "union_tag_not_found":
            return _choice(fault)
        case "too_short" | "dict_too_short":
            return Problem(
                f"'{fault.word}' has to hold at least one entry",
                fault.at_key(),
                _described(fault) or "Write one below it, or remove the key.",
            )
    return Problem(_prose(fault), fault.at_value(), _other(fault) or _remedy(fault) or _is(fault))


def _other(fault: _Fault) -> str:
    """The remedy for a value as other tools write it."""
    return other_value(fault.path, fault.error.get("input"))


def _unknown(fault: _Fault) -> Problem:
    word, owner = fault.word, fault.owner
    if word.endswith("_regularizer"):
        hint = "Write a loss term instead: `{of: squared_norm(f.weights), weight: 1e-4}`."
        return Problem("Keras' regularisers are refused", fault.at_key(), hint)
    known = _keys(owner) if owner else Words()
    where = f" of {owner.noun}" if owner and issubclass(owner, OneOf) else ""
    listed = f"Known here: {listing(known, 30)}." if known else "Remove it: this place has no keys."
    return Problem(f"unknown key '{word}'{where}", fault.at_key(), meant(word, known, further(word, known)) or listed)


@cache
def _keys(model: type[Closed]) -> Words:
    """The keys that a model knows."""
    return Words(name for name in model.model_fields if name != getattr(model, "bare", ""))


def _missing(fault: _Fault) -> Problem:
    span, _ = yaml.locate(fault.top, fault.path)
    if isinstance(fault.path[-1], int):
        hint = "Add it to the list, between its brackets."
        return Problem(f"'{_called(fault.path[:-1])}' lacks its entry {fault.path[-1] + 1}", span, hint)
    above = yaml.find(fault.top, fault.path[:-1])
    meaning = _described(fault)
    what = f", {meaning[:1].lower()}{meaning[1:]}" if meaning else ""
    if isinstance(above, yaml.Scalar) and above.text:
        return Problem(f"'{fault.word}' is missing here", span, f"Write `{above.text}: {{{fault.word}: …}}`{what}")
    return Problem(f"'{fault.word}' is missing here", span, f"Add `{fault.word}:`{what}")


def _refused(fault: _Fault) -> Problem:
    """What a validator of the models says: a message, and after two spaces the hint."""
    word = str(fault.error["loc"][-1])
    written = yaml.find(fault.top, fault.path)
    if isinstance(written, yaml.Scalar) and written.text == word and isinstance(fault.error["input"], dict):
        return Problem(f"`{word}` needs an argument", fault.at_value(), f"Write `{{{word}: …}}`.")
    at = fault.at_key() if fault.error["loc"][-1] == "[key]" else fault.at_value()
    first, _, hint = str(fault.error["msg"]).removeprefix("Value error, ").partition(".  ")
    return Problem(first, at, _other(fault) or hint)


def _choice(fault: _Fault) -> Problem:
    """A word that is none of those that can stand there."""
    context = fault.error.get("ctx", {})
    if fault.kind == "union_tag_not_found":
        return Problem(
            "'kind' is missing here: which figure it is", fault.at_key(), "Add `kind: curves`, or another kind."
        )
    words = str(context.get("expected") or context.get("expected_tags", "")).replace(" or ", ", ").split(", ")
    bare = [word.strip("'") for word in words]
    if fault.kind == "union_tag_invalid":
        node = yaml.find(fault.top, [*fault.path, "kind"])
        given = node.text if isinstance(node, yaml.Scalar) else str(context.get("tag"))
        span, word = node.span if node is not None else fault.at_key(), "kind"
        return Problem(
            f"'{word}' is one of {', '.join(words)}, not '{given}'",
            span,
            other_value((word,), given) or did_you_mean(given, bare) or "Choose one of them.",
        )
    given = _shown(fault.error.get("input"))
    if len(words) == 1:
        return Problem(f"'{fault.word}' has to be {words[0]}, and is {given}", fault.at_value(), f"Write {words[0]}.")
    message = f"'{fault.word}' is one of {', '.join(words)}, not {given}"
    return Problem(
        message,
        fault.at_value(),
        _other(fault) or did_you_mean(str(fault.error.get("input")), bare) or "Choose one of them.",
    )


def _prose(fault: _Fault) -> str:
    found, context = _shown(fault.error.get("input")), fault.error.get("ctx", {})
    if fault.kind in WANTED:
        if _bare(fault):
            return f"'{fault.word}' takes no arguments"
        return f"'{fault.word}' takes {' or '.join(fault.wanted)}, and this is {found}"
    if fault.kind == "greater_than_equal":
        return f"'{fault.word}' has to be at least {context['ge']}, and is {found}"
    if fault.kind == "less_than":
        return f"'{fault.word}' has to be below {context['lt']}, and is {found}"
    if fault.kind == "too_long":
        return f"'{fault.word}' takes {context.get('max_length')} entries, and has {context.get('actual_length')}"
    message = str(fault.error["msg"])
    return message[0].lower() + message[1:]


def _remedy(fault: _Fault) -> str:
    if fault.wanted == ("a mapping",) and isinstance(fault.error.get("input"), list):
        return "Write `name: value`, one per line, without dashes."
    if fault.wanted == ("a list",) and isinstance(fault.error.get("input"), dict):
        return "Put a dash before each entry."
    if fault.kind in WANTED and _bare(fault):
        return f"Write `{fault.word}` alone."
    if "a mapping" in fault.wanted and (keys := _required(fault)):
        return sentence(f"Write `{fault.word}: {{{', '.join(f'{key}: …' for key in keys)}}}`.", _meaning(fault))
    if fault.wanted and fault.error.get("input") is None:
        return sentence(f"Write {' or '.join(fault.wanted)} after the colon, or remove the key.", _meaning(fault))
    if "a text" in fault.wanted and isinstance(fault.error.get("input"), dict | list):
        text = "Write one text; quote it if it holds a colon, a comma or a bracket."
        return as_conditions(fault.word, fault.error["input"]) or text
    return ""


def _required(fault: _Fault) -> list[str]:
    """The keys that a place has to have, where one model alone may stand there."""
    inside, field = owner_of(fault.model, fault.error["loc"]), _field(fault)
    if inside is None or issubclass(inside, OneOf):
        return []
    if field is not None and get_origin(field.annotation) is dict:
        return ["name"]
    return [name for name, field in inside.model_fields.items() if field.is_required()]


def _bare(fault: _Fault) -> bool:
    """Whether nothing can stand in a place: a kind without arguments."""
    inside = owner_of(fault.model, fault.error["loc"])
    return inside is not None and not inside.model_fields


def _is(fault: _Fault) -> str:
    """What would be taken in a place, and what it means, where the models say it."""
    wanted = f"Write {' or '.join(fault.wanted)}." if fault.wanted else ""
    owner = fault.owner
    known = f"Known here: {listing(_keys(owner), 30)}." if owner is not None and owner.model_fields else ""
    return sentence(wanted, _meaning(fault)) or known or "Write another value, or remove the key."


def _meaning(fault: _Fault) -> str:
    """`seed`: the root of all randomness."""
    meaning = _described(fault)
    return f"`{fault.word}`: {meaning[:1].lower()}{meaning[1:]}" if meaning else ""


def _described(fault: _Fault) -> str:
    """What the models say of a place."""
    field = _field(fault)
    return (field.description or "") if field is not None else ""


def _field(fault: _Fault) -> FieldInfo | None:
    """The field of a model that a place is; none of an entry of a list or a map."""
    loc = fault.error["loc"]
    places = [place for place, step in enumerate(loc) if step == fault.word]
    owner = owner_of(fault.model, loc[: places[-1]]) if places else fault.owner  # a union adds steps of its own
    return owner.model_fields.get(fault.word) if owner else None


def _called(path: Sequence[str | int]) -> str:
    if path and isinstance(path[-1], int):
        return f"{_called(path[:-1])}[{path[-1]}]"
    return str(path[-1]) if path else ""


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"'{value}'" if isinstance(value, str) else f"{value}".lower() if isinstance(value, bool) else f"{value}"


def _path(top: yaml.Node, error: Any) -> tuple[str | int, ...]:
    """A model's location as a path in the tree: tags of unions, and names put in by short forms, are left out."""
    path: list[str | int] = []
    at: yaml.Node | None = top
    steps = [step for step in error["loc"] if step != "[key]"]
    for place, step in enumerate(steps):
        below = yaml.find(at, [step])
        if below is None and (place < len(steps) - 1 or error["type"] != "missing"):
            continue
        path.append(step)
        at = below if below is not None else at
    return tuple(path)


def owner_of(model: type[Closed], loc: Sequence[str | int]) -> type[Closed] | None:
    """The model that holds a location, for the names that it knows."""
    return _owner(model, tuple(0 if isinstance(step, int) else step for step in loc))


@lru_cache(maxsize=MAX_PLACES)
def _owner(model: type[Closed], loc: tuple[str | int, ...]) -> type[Closed] | None:
    """The same, looked for once for all that is wrong in one place, and in the items of one list."""
    owner = _reached(model, loc)
    return owner if isinstance(owner, type) and issubclass(owner, Closed) else _single(owner)


@lru_cache(maxsize=MAX_PLACES)
def _reached(model: type[Closed], loc: tuple[str | int, ...]) -> Any:
    """The type at a location, from that of the place around it."""
    if not loc:
        return model
    around, step = _reached(model, loc[:-1]), loc[-1]
    field = getattr(around, "model_fields", {}).get(step) if isinstance(around, type) else None
    return _inner(field.annotation if field is not None else around, step)


def _single(kind: Any) -> type[Closed] | None:
    models = _models(kind)
    return models[0] if len(models) == 1 else None


def _models(kind: Any) -> list[type[Closed]]:
    found = [item for item in _flat(kind) if isinstance(item, type) and issubclass(item, Closed)]
    return list(dict.fromkeys(found))


def _flat(kind: Any) -> list[Any]:
    arguments = getattr(kind, "__args__", None)
    return [kind] if not arguments else [inner for argument in arguments for inner in _flat(argument)]


def _inner(kind: Any, step: Any) -> Any:
    """The type one step further in: through unions (by tag), lists and maps."""
    if isinstance(kind, type) and issubclass(kind, Closed):
        return kind
    models = _models(kind)
    tagged = [model for part in _branches(kind, step) for model in _models(part)]
    tagged = tagged or [model for model in models if _tag(model) == step]
    if tagged:
        return tagged[0]
    return models[0] if len(models) == 1 else kind


def _branches(kind: Any, tag: Any) -> list[Any]:
    """The parts of a union that carry a tag."""
    if any(isinstance(item, pydantic.Tag) and item.tag == tag for item in getattr(kind, "__metadata__", ())):
        return [kind]
    return [found for part in getattr(kind, "__args__", ()) for found in _branches(part, tag)]


def _tag(model: type[Closed]) -> str | None:
    field = model.model_fields.get("kind")
    arguments = getattr(field.annotation, "__args__", ()) if field is not None else ()
    return arguments[0] if arguments else None
