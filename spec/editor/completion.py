"""Completions at the cursor: keys, words, names in scope, operations, parts of networks, columns of data files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..check.namespace import STAGES, counters_in, order, stands_in
from ..check.steps import ENDS
from ..check.streams import OWN, VALIDATION
from ..model.base import OneOf
from ..model.fields import EXPRESSION, TEXT, Place, fields, meaning
from ..source.names import KEYWORDS
from ..tables.counters import COUNTERS
from ..tables.distributions import DISTRIBUTIONS
from ..tables.gradient_modes import GRADIENT_MODES
from ..tables.layers import LAYERS
from ..tables.named_numbers import NAMED_NUMBERS
from ..tables.operations import CLAIM_FORMS, FORMS, OPERATIONS
from ..tables.stored_types import LEFT_OUT
from .cursor import Where
from .dotted import before_dot
from .names import NO_LAYERS, Known, Names

AXES = ("panel", "colour")
"""Keys of figures that take an axis: `variant`, or a swept constant."""
EXPRESSION_MODES = frozenset(row.name for row in GRADIENT_MODES.values() if row.takes_expression)
"""Gradient modes under which an expression in the function's parameters stands."""

NUMBER = re.compile(r"(?<![\w.])\d+$")
"""What a dot goes on with as a number: `2.5`."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One proposal: what is shown, what is inserted, of which kind it is, and what it means."""

    label: str
    kind: str
    detail: str = ""
    meaning: str = ""
    insert: str = ""


def complete(where: Where, experiments: Mapping[str, Names]) -> list[Completion]:
    """The proposals at a place, those of the writer's own names first."""
    names = experiments.get(where.experiment or "")
    found = [*_keys(where, names, experiments)] if where.key else []
    if not where.key or any(isinstance(step, int) for step in where.path[-1:]):
        found += _values(where, names, experiments)
    return list({item.label: item for item in reversed(found)}.values())[::-1]


def _keys(where: Where, names: Names | None, experiments: Mapping[str, Names]) -> Iterator[Completion]:
    place = where.place
    model = place.model(where.siblings)
    if model is not None:
        if getattr(model, "noun", "") and where.siblings:
            return
        for name in fields(model):
            if name not in where.siblings:
                below = place.below(name, {**where.siblings, name: ""})
                short = any(isinstance(item, str) for item in below.alternatives) or bool(below.words)
                yield Completion(name, "key", _shape(below), meaning(model, name), f"{name}: " if short else f"{name}:")
    elif place.names:  # either a kind, or the writer's own names: an optimiser, or several by network
        for one in place.models:
            if issubclass(one, OneOf):
                yield from (Completion(name, "key", "", meaning(one, name), f"{name}: ") for name in fields(one))
    if where.path[:1] == ("profiles",) and where.path[2:] == ("experiments",):
        yield from (Completion(name, "experiment", "an experiment", "", f"{name}:") for name in experiments)
        return
    if names is None or not place.names:
        return
    last = where.inside[-1:]
    if where.path[:1] == ("profiles",) or where.path[2:3] == ("variants",):
        yield from _patched(where, names)
    if last == ("restart",):
        yield from (replace(item, insert=f"{item.label}: ") for item in _begun_anew(names))
        return
    for item in names.of(*place.keys_are_of):
        yield Completion(item.name, item.kind, item.meaning, item.text, f"{item.name}: ")


def _begun_anew(names: Names) -> Iterator[Completion]:
    """What may begin anew in a phase: what optimisers keep, networks, and layers of these."""
    yield Completion("optimizer", "word", "what optimisers keep")
    for item in names.of("architecture"):
        yield Completion(item.name, item.kind, item.meaning, item.text)
        layers = names.parts.get(item.name, {}).items()
        yield from (Completion(f"{item.name}.{key}", "part", what) for key, what in layers if key not in NO_LAYERS)


def _patched(where: Where, names: Names) -> Iterator[Completion]:
    """What is there already of a map, and a patch may change: names, and the layers of a network."""
    last = str(where.inside[-1]) if where.inside else ""
    if last == "layers" and len(where.inside) > 1:
        own = names.parts.get(str(where.inside[-2]), {})
        yield from (
            Completion(name, "part", what, "", f"{name}:") for name, what in own.items() if name not in NO_LAYERS
        )
    for item in names.of(last):
        if item.name not in where.siblings:
            yield Completion(item.name, item.kind, item.meaning, item.text, f"{item.name}: ")


def _shape(place: Place) -> str:
    """What a key takes, in a word or two."""
    if EXPRESSION in place.alternatives:
        return "an expression"
    if place.condition:
        return "a condition"
    if TEXT in place.alternatives:
        return "a text"
    return " | ".join(place.words) if 0 < len(place.words) <= 4 else ""


def _values(where: Where, names: Names | None, experiments: Mapping[str, Names]) -> Iterator[Completion]:
    place = where.place
    model = next((model for model in place.models if where.key is False or where.path), None)
    for word in place.words if not place.condition else ():
        yield Completion(word, "word", "", meaning(model, word) if model is not None else "")
    last = where.path[-1] if where.path else ""
    if last == "base":
        for name in experiments:
            if name != where.experiment:
                yield Completion(name, "experiment", "an experiment")
    if names is None:
        return
    if "restart" in where.path[-2:-1]:
        yield from _begun_anew(names)
    elif last == "on" and where.inside[:1] == ("measures",):
        yield from _streams(names)
    else:
        yield from (_known(item) for item in names.of(*place.text_is_of))
    figure = where.inside[:1] == ("figures",)
    goes_over = (
        figure and last == "y" and where.steps[-1][1].get("kind") == "heatmap"
    )  # there `y` is an axis, as `x` is
    if figure and (last in ("y", "z") or where.path[-2:-1] == ("y",)) and TEXT in place.alternatives and not goes_over:
        yield from (_known(item) for item in names.of("measures"))
    if figure and (last in AXES or goes_over or (last == "x" and TEXT in place.alternatives)):
        yield Completion("variant", "axis", "the axis that `variants` make")
        yield from (_known(item) for item in names.of("constants"))
    if str(last).endswith(("activation", "constraint")):
        yield from (_known(item) for item in names.of("functions"))
    if place.condition:
        yield from _condition(where, names, figure)
    elif place.expression(where.before or "x"):
        yield from _expression(where, names)
    elif any(getattr(model, "bare", "") == "apply" for model in place.models):
        yield from (_known(item) for item in names.of("functions"))
        one = [row for row in OPERATIONS.values() if len(row.arguments) == 1]
        yield from (Completion(row.name, "operation", row.signature, row.meaning) for row in one)


def _condition(where: Where, names: Names, figure: bool) -> Iterator[Completion]:
    if re.search(r"variant\s*[=!]=\s*\w*$", where.before):
        yield from (_known(item) for item in names.of("variants"))
        return
    if re.search(r"\w\(\s*\w*$", where.before):  # what is claimed of comes first: `final(│`
        yield from (_known(item) for item in names.of("measures"))
    yield Completion("variant", "axis", "the axis that `variants` make")
    yield from (_known(item) for item in names.of("measures", "constants"))
    yield from (_known(item) for item in names.of("variants"))
    if not figure:
        for form in CLAIM_FORMS.values():
            yield Completion(form.name, "operation", form.signature, form.meaning)
        yield from _operations(OPERATIONS.values())


def _expression(where: Where, names: Names) -> Iterator[Completion]:
    if (dot := re.search(r"(?<=[A-Za-z0-9_\])])\.\w*$", where.before)) is not None and not NUMBER.search(
        where.before[: dot.start()]
    ):
        path, applied = before_dot(where.before[: dot.start()])
        for name, what in names.parts.get(_numbered(path, names), {}).items():
            if not applied or f"{path}.{name}" in names.parts:  # weights are the same on every input
                yield Completion(name, "part", what)
        return
    if where.inside[:1] == ("measures",) and re.search(r"\bon\s*=\s*\w*$", where.before):
        yield from _streams(names)
        return
    yield from _local(where, names)
    stage = stage_of(where.inside)
    kinds = [kind for kind in STAGES if order(kind) <= order(stage)] if stage in STAGES else ["constants"]
    kinds = [
        kind
        for kind in kinds
        if kind not in ("loss", "measures", *(("estimates",) if where.inside[:1] == ("estimates",) else ()))
    ]
    modes = where.inside[:1] == ("gradient",) or where.inside[3:4] == ("gradient",)
    if (where.inside[:1] == ("functions",) or modes) and stage != "timed":
        kinds = ["constants", "draw", "example", "statistics", "architecture", "outputs"]
    known = [*names.of(*reversed(kinds)), *names.of("functions")]
    if where.inside[:1] == ("measures",):
        known += names.of("measures")
    yield from (_known(item) for item in known if item.name not in where.path)
    if where.inside[:1] == ("training",) or where.inside[-1:] == ("weight",):
        yield Completion("step", "name", COUNTERS["step"].meaning)
        for word, what in zip(ENDS, ("begins", "ends"), strict=True):
            phases = (item.name for item in names.of("phases"))
            yield from (Completion(f"{word}({name})", "name", f"the step at which the phase {what}") for name in phases)
    yield from (Completion(name, "name", COUNTERS[name].meaning) for name in counters_in(stage))
    if where.inside[:1] == ("measures",):
        yield Completion(LEFT_OUT, "name", "how many updates were left out, where a loss is scaled")
    if stage in ("draw", "example") or str(where.path[-1]).endswith("_initializer"):
        for row in DISTRIBUTIONS.values():
            yield Completion(row.name, "distribution", row.signature, row.meaning)
    if str(where.path[-1]).endswith("_initializer"):
        yield from (Completion(name, "name", "how many it has") for name in ("fan_in", "fan_out"))
    for form in FORMS.values():
        if stands_in(form.stage, stage):
            yield Completion(form.name, "operation", form.signature, form.meaning)
    yield from _operations(OPERATIONS.values())
    yield from (Completion(row.name, "name", row.meaning) for row in NAMED_NUMBERS.values())
    yield from (Completion(word, "word") for word in sorted(KEYWORDS))


def _streams(names: Names) -> Iterator[Completion]:
    """The examples that a measure may be over."""
    yield from (Completion(name, "name", "a stream of examples") for name in (*OWN, VALIDATION))
    yield from (_known(item) for item in names.of("tests"))


def _numbered(path: str, names: Names) -> str:
    """A layer's path with its number, where there is one of its kind: `f.dense` is `f.dense_1`."""
    return path if path in names.parts or f"{path}_1" not in names.parts else f"{path}_1"


def _local(where: Where, names: Names) -> Iterator[Completion]:
    """Parameters of the function that is being written, and the indices of index notation."""
    for name in parameters(where, names):
        yield Completion(name, "parameter", "a parameter")
    for match in re.finditer(r"(?:\bfor|,)\s+([A-Za-z_]\w*)\s*<", where.before):
        yield Completion(match[1], "parameter", "an index")


def parameters(where: Where, names: Names) -> tuple[str, ...]:
    """The parameters that are bound where the cursor stands."""
    match where.inside:
        case ("functions", str() as head, *_):
            _, _, rest = head.partition("(")
            return tuple(word.strip() for word in rest.rstrip(") ").split(",") if word.strip())
        case ("gradient", str() as target, str() as mode, *_) | (
            "training",
            "phases",
            _,
            "gradient",
            str() as target,
            str() as mode,
            *_,
        ) if mode in EXPRESSION_MODES:
            found = names.find(target, "functions")
            return found.parameters if found is not None else ()
    return ()


def stage_of(path: tuple[str | int, ...]) -> str:
    """The stage of what stands at a path of an experiment."""
    match path:
        case ("task", "draw" | "example" | "statistics" as stage, *_):
            return str(stage)
        case ("task", "tests", _, _, *_):
            return "example"
        case ("architecture", _, "input", *_):
            return "example"
        case (("constants" | "outputs" | "loss" | "measures") as stage, *rest):
            return "constants" if rest[1:2] == ["weight"] else str(stage)
        case ("estimates", *_):
            return "constants" if path[2:3] == ("examples",) else "measures"
        case ("figures", *_):
            return "outputs"
        case ("gradient", _, str() as mode, *_) | ("training", "phases", _, "gradient", _, str() as mode, *_) if (
            mode in GRADIENT_MODES and GRADIENT_MODES[mode].takes_constant
        ):
            return "timed"
        case ("architecture", _, "layers", *rest) if _is_timed(rest):
            return "timed"
    return "constants"


def _operations(rows: Iterable[object]) -> Iterator[Completion]:
    for row in rows:
        if not getattr(row, "operator", ""):
            yield Completion(row.name, "operation", row.signature, row.meaning)  # type: ignore[attr-defined]


def _known(item: Known) -> Completion:
    detail = ", ".join(part for part in (item.type, item.meaning) if part)
    return Completion(item.name, item.kind, detail, f"`{item.text}`" if item.text else "")


def _is_timed(path: Sequence[str | int]) -> bool:
    """Whether a path in a list of layers leads to a number that may change in training."""
    rows = [step for step in path if step in LAYERS]
    parameters = LAYERS[str(rows[-1])].parameters.values() if rows else ()
    return any(parameter.timed for parameter in parameters)
