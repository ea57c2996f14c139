"""Overrides that give several values, `-o training.batch=32,64`: each makes an axis of the experiment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..diagnostics.problems import problem_at
from ..model.base import NAME
from ..model.fields import place_at
from ..source import nodes as yaml
from ..source.names import KEYWORDS
from ..tables.counters import COUNTERS
from ..tables.named_numbers import NAMED_NUMBERS
from .overrides import Override
from .patches import EACH, alike, merge, nest

WHOLE = frozenset({"about", "base", "claims", "figures", "sweep", "variants", "zip"})
"""The keys of an experiment below which nothing differs from cell to cell."""
SCOPES = ("constants", "functions", "architecture", "estimates", "outputs", "loss", "measures", "sweep", "variants")
REMEDY = "Let only one axis or profile change this path."


def swept(node: yaml.Mapping, path: tuple[str, ...], override: Override) -> tuple[yaml.Mapping, Override | None]:
    """An experiment with the axis that an override of several values makes, and what is still to be laid over it.

    Numbers, where an expression may stand, become a swept constant, which the path is set to. Anything else becomes an axis of named patches.
    Raises StudyError where the path speaks of all cells, or where another axis changes it.
    """
    shown = ".".join(path)
    if path[0] in WHOLE:
        hint = "Quote a value that holds a comma: `'about=\"one, two\"'`; write a list in brackets."
        raise problem_at(override.span, f"'{shown}' is the same in all cells, and takes one value", hint)
    for axis, patch in _patches(node):
        if touches(patch, path):
            raise problem_at(override.span, f"the axis '{axis}' changes '{shown}', too", REMEDY)
    if path[:1] == ("constants",) and len(path) == 2:
        return _with(node, "sweep", path[1], yaml.Sequence(override.values, override.span)), None
    numbers = all(isinstance(value, yaml.Scalar) and _is_number(value.value) for value in override.values)
    place = place_at(_steps(node, path))
    if numbers and place.expression("x"):
        axis = _axis(node, path, override)
        node = _with(node, "constants", axis, override.values[0])
        node = _with(node, "sweep", axis, yaml.Sequence(override.values, override.span))
        return node, replace(override, value=yaml.Scalar(axis, axis, True, override.span), values=())
    axis = _axis(node, path, override)
    entries = []
    names: set[str] = set()
    for number, value in enumerate(override.values, 1):
        name = _value_name(axis, value, number, names)
        names.add(name)
        patch = nest(path, value, override.span)
        if alike(node, merge(node, patch)):  # what holds already is no patch
            patch = yaml.Mapping((), override.span)
        entries.append((yaml.Scalar(name, name, True, override.span), patch))
    return _with(node, "sweep", axis, yaml.Mapping(tuple(entries), override.span)), None


def must_have_one_value(several: Mapping[tuple[str, ...], str], path: tuple[str, ...], override: Override) -> None:
    """Refuses an override of what an earlier one gave several values: the axis would be called by values that its cells don't have.

    Args:
        several: What was given several values, outside constants, and how it was written.

    Raises StudyError.
    """
    for earlier, text in several.items():
        own = path[2:] if path[:1] == ("variants",) else path
        common = min(len(earlier), len(own))
        if common and earlier[:common] == own[:common] and earlier[:1] != ("constants",):
            raise problem_at(
                override.span, f"'{'.'.join(path)}' has values already, from `-o {text}`", "Keep one of the two."
            )


def touches(patch: yaml.Node, path: tuple[str, ...]) -> bool:
    """Whether a patch says something of a path, of what it is in, or of what is in it; each phase (`*`) is any of them."""
    if not path or not isinstance(patch, yaml.Mapping):
        return True
    step, *rest = path
    below = (inner for key, inner in patch.entries if key.text == step or EACH in (key.text, step))
    return any(touches(inner, tuple(rest)) for inner in below)


def _patches(node: yaml.Mapping) -> Iterator[tuple[str, yaml.Node]]:
    """The patches of variants and axes, with their axis."""
    axes = node.get("sweep")
    named = [("variant", node.get("variants")), *((key.text, own) for key, own in _entries(axes))]
    for axis, patches in named:
        yield from (
            (axis, patch) for _, patch in _entries(patches) if isinstance(patch, yaml.Mapping) and patch.entries
        )


def _entries(node: yaml.Node | None) -> tuple[tuple[yaml.Scalar, yaml.Node], ...]:
    return node.entries if isinstance(node, yaml.Mapping) else ()


def _steps(node: yaml.Mapping, path: tuple[str, ...]) -> Iterator[tuple[str | int, Mapping[str, str]]]:
    """The steps from the top to a path of an experiment, each with the keys around it."""
    yield "experiments", {}
    yield "experiment", {}
    here: yaml.Node | None = node
    for step in path:
        keys = here.texts() if isinstance(here, yaml.Mapping) else {}
        yield step, {**keys, step: ""}
        here = here.get(step) if isinstance(here, yaml.Mapping) else None


def _axis(node: yaml.Mapping, path: tuple[str, ...], override: Override) -> str:
    """What the axis is called: as the last step of the path, or its last two where that is a name already. Raises StudyError."""
    taken = {*COUNTERS, *KEYWORDS, *NAMED_NUMBERS, "variant"}
    task = node.get("task")
    scopes = [node.get(part) for part in SCOPES] + [
        yaml.find(task, [part]) if task else None for part in ("draw", "example", "statistics")
    ]
    taken |= {re.split(r"[(\[]", key.text)[0].strip() for scope in scopes for key, _ in _entries(scope)}
    for name in ("_".join(path[-count:]) for count in range(1, len(path) + 1)):
        if re.fullmatch(NAME, name) and name not in taken:
            return name
    hint = "Declare a constant in the study, set the path to it, and give the constant several values."
    raise problem_at(override.span, f"there is no name left for the axis of '{'.'.join(path)}'", hint)


def _value_name(axis: str, value: yaml.Node, number: int, taken: set[str]) -> str:
    """What a value is called on an axis of named patches: itself where it is a word, the kind that it names, or its number."""
    kind = value.keys()[0] if isinstance(value, yaml.Mapping) and len(value.entries) == 1 else ""
    text = value.text if isinstance(value, yaml.Scalar) else kind
    word = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or str(number)
    word = word if re.fullmatch(NAME, word) else f"{axis}_{word}"
    return word if word not in taken else f"{word}_{number}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with(node: yaml.Mapping, part: str, name: str, value: yaml.Node) -> yaml.Mapping:
    """A mapping with an entry of a part of it added, or in the place of one."""
    there = node.get(part)
    span = value.span
    inner = there if isinstance(there, yaml.Mapping) else yaml.Mapping((), span)
    own = (yaml.Scalar(name, name, True, span), value)
    entries = (*(entry for entry in inner.entries if entry[0].text != name), own)
    whole = (node.key(part) or yaml.Scalar(part, part, True, span), replace(inner, entries=entries))
    if there is None:
        return replace(node, entries=(*node.entries, whole))
    return replace(node, entries=tuple(whole if entry[0].text == part else entry for entry in node.entries))
