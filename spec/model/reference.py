"""The reference of the language's tables as Markdown, generated: operations, distributions, layers, modes, judges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..expressions.printer import number_text
from ..tables.counters import COUNTERS
from ..tables.distributions import DISTRIBUTIONS, Distribution
from ..tables.dtypes import DTYPES
from ..tables.gradient_modes import GRADIENT_MODES
from ..tables.gradient_statistics import GRADIENT_STATISTICS
from ..tables.initializers import INITIALIZERS
from ..tables.judges import JUDGES
from ..tables.keras_parameters import ACTIVATIONS, CONSTRAINTS, REQUIRED, Parameter
from ..tables.layers import LAYERS
from ..tables.named_numbers import NAMED_NUMBERS
from ..tables.operations import CLAIM_FORMS, FORMS, OPERATIONS, Operation
from ..tables.optimizers import OPTIMIZERS
from ..tables.stored_types import STORED_TYPES
from .base import Closed
from .fields import meaning
from .figures import FIGURES
from .layers import Repeat

HEAD = """# Reference: operations, distributions, layers and modes

Generated from the tables by `dlspec ops --write`; do not edit.

Signatures: `real[...]` broadcasts, `*s` is any shape, `n` the same size everywhere, `number` int or real as given.
An undefined value (NaN) makes all that is computed from it undefined, and an upstream gradient of 0 stays 0 whatever the derivative is, in NumPy, under XLA and
as a plain graph alike. `corners` says where an operation is undefined, what it does at the edges, and what its gradient is at ties and corners.
"""


def reference() -> str:
    """The whole reference."""
    parts = [HEAD]
    families: dict[str, list[str]] = {}
    for row in OPERATIONS.values():
        name = f"`{row.name}`" + (f", `{_written(row)}`" if row.operator else "")
        example = f"`{row.example[0]}` = `{row.example[1]}`"
        line = _cells(name, f"`{row.signature}`", _with(row.meaning, row.source), row.corner, example)
        families.setdefault(row.family, []).append(line)
    for family, lines in families.items():
        parts.append(_table(family.capitalize(), ("operation", "signature", "meaning", "corners", "example"), lines))
    every = (*FORMS.values(), *CLAIM_FORMS.values())
    forms = [_cells(f"`{row.name}`", f"`{row.signature}`", row.meaning, row.stage) for row in every]
    counted = [_cells(f"`{row.name}`", row.meaning) for row in COUNTERS.values()]
    parts.append(_table("Counters", ("counter", "what it counts: an int"), counted))
    numbers = [_cells(f"`{row.name}`", row.meaning) for row in NAMED_NUMBERS.values()]
    parts.append(_table("Named numbers", ("name", "what it is"), numbers))
    parts.append(_table("Special forms", ("form", "signature", "meaning", "where"), forms))
    draws = [
        _cells(f"`{row.name}`", f"`{row.name}{row.signature}`", _drawing(row), row.kind)
        for row in DISTRIBUTIONS.values()
    ]
    parts.append(_table("Distributions", ("distribution", "call", "meaning", "kind"), draws))
    layers = [_cells(f"`{row.name}`", row.meaning, _arguments(row.parameters.values())) for row in LAYERS.values()]
    layers.append(_cells("`repeat`", Repeat.__doc__ or "", _keys(Repeat)))
    parts.append(_table("Layers", ("layer", "meaning", "arguments"), layers))
    activations = [_cells(f"`{name}`", meaning) for name, meaning in ACTIVATIONS.items()]
    parts.append(_table("Activations", ("activation", "meaning"), activations))
    modes = [
        _cells(
            f"`{row.name}`",
            _with(row.meaning, row.source),
            " ".join(filter(None, [row.argument, row.bounds.interval])),
            ", ".join(row.targets),
        )
        for row in GRADIENT_MODES.values()
    ]
    parts.append(_table("Gradient modes", ("mode", "meaning", "argument", "for a"), modes))
    statistics = [
        _cells(f"`{name}`", _with(row.meaning, row.source), _arguments(row.parameters.values()))
        for name, row in GRADIENT_STATISTICS.items()
    ]
    parts.append(_table("Gradient statistics", ("measure", "meaning", "arguments"), statistics))
    optimizers = [
        _cells(f"`{name}`", _with(row.meaning, row.source), _arguments(row.parameters.values()))
        for name, row in OPTIMIZERS.items()
    ]
    parts.append(_table("Optimisers", ("optimiser", "meaning", "arguments"), optimizers))
    types = [_cells(f"`{name}`", _with(row.meaning, row.source)) for name, row in DTYPES.items()]
    parts.append(_table("Number types", ("dtype", "meaning"), types))
    stored = [_cells(f"`{name}`", _with(row.meaning, row.source)) for name, row in STORED_TYPES.items()]
    parts.append(_table("Number types of weights", ("weights", "meaning"), stored))
    starts = [
        _cells(f"`{name}`", _with(row.meaning, row.source), _arguments(row.parameters.values()))
        for name, row in INITIALIZERS.items()
    ]
    parts.append(_table("Initialisers", ("initialiser", "meaning", "arguments"), starts))
    constraints = [_cells(f"`{name}`", _arguments(rows.values())) for name, rows in CONSTRAINTS.items()]
    constraints.append(_cells("a function of yours", "takes the whole weight, and keeps its shape"))
    parts.append(_table("Constraints", ("constraint", "arguments"), constraints))
    judges = [
        _cells(
            f"`{row.name}`",
            _with(row.meaning, row.source),
            " ".join(filter(None, [row.argument, row.bounds.interval])),
            str(row.fewest),
        )
        for row in JUDGES.values()
    ]
    parts.append(_table("Judges of claims", ("judge", "meaning", "argument", "replicates it takes"), judges))
    figures = [_cells(f"`{kind}`", model.__doc__ or "", _keys(model)) for kind, model in FIGURES.items()]
    parts.append(_table("Figures", ("kind", "meaning", "keys"), figures))
    said: dict[tuple[str, str], list[str]] = {}
    for kind, model in FIGURES.items():
        for key, of in _described(model).items():
            said.setdefault((key, of), []).append(f"`{kind}`")
    keys = [
        _cells(f"`{key}`", of, "all" if len(kinds) == len(FIGURES) else ", ".join(kinds))
        for (key, of), kinds in said.items()
    ]
    parts.append(_table("Keys of figures", ("key", "meaning", "of"), keys))
    return "\n".join(parts)


LABELS = ("written   ", "corners   ", "example   ", "source    ", "arguments ", "used in   ")
"""What a line of a description begins with, where it is not the head or the meaning."""


def describe(name: str) -> str | None:
    """All entries of a name in prose (`clip` is an operation and a gradient mode), or None when there is none."""
    return "\n\n".join(_entries(name)) or None


def _entries(name: str) -> Iterator[str]:
    if row := OPERATIONS.get(name):
        written = f"\nwritten   {_written(row)}" if row.operator else ""
        source = f"\nsource    {row.source}" if row.source else ""
        corner = f"\ncorners   {row.corner}" if row.corner else ""
        example = f"\nexample   {row.example[0]} = {row.example[1]}"
        yield f"{row.name}{row.signature}{written}\n{row.meaning}{corner}{example}{source}"
    if form := FORMS.get(name) or CLAIM_FORMS.get(name):
        yield f"{form.name}{form.signature}\n{form.meaning}\nused in   {form.stage}"
    if draw := DISTRIBUTIONS.get(name):
        where = "used in   task.draw, task.example and initialisers"
        yield f"{draw.name}{draw.signature} -> {draw.kind}\n{_drawing(draw)}\n{where}"
    if layer := LAYERS.get(name):
        head = (
            f"{name}: a layer (keras.layers.{layer.keras})" if layer.keras else f"{name}: a layer of the language's own"
        )
        yield f"{head}\n{layer.meaning}\narguments {_arguments(layer.parameters.values())}"
    if mode := GRADIENT_MODES.get(name):
        yield f"{name}: a gradient mode, for a {' or a '.join(mode.targets)}\n{_with(mode.meaning, mode.source)}"
    if statistic := GRADIENT_STATISTICS.get(name):
        head = f"{name}: a statistic of a gradient, for `measures`\n{_with(statistic.meaning, statistic.source)}"
        yield f"{head}\narguments {_arguments(statistic.parameters.values())}"
    if optimizer := OPTIMIZERS.get(name):
        head = (
            f"{name}: an optimiser (keras.optimizers.{optimizer.keras})\n{_with(optimizer.meaning, optimizer.source)}"
        )
        yield f"{head}\narguments {_arguments(optimizer.parameters.values())}"
    if dtype := DTYPES.get(name):
        yield f"{name}: a number type, for `dtype`\n{_with(dtype.meaning, dtype.source)}"
    if judge := JUDGES.get(name):
        takes = f"takes {judge.fewest} replicates or more" if judge.fewest > 1 else "takes any number of replicates"
        yield f"{name}: a judge of claims, for `judge`\n{_with(judge.meaning, judge.source)}\n{takes}"
    if start := INITIALIZERS.get(name):
        head = f"{name}: an initialiser (keras.initializers.{start.keras})\n{_with(start.meaning, start.source)}"
        yield f"{head}\narguments {_arguments(start.parameters.values())}"
    if figure := FIGURES.get(name):
        keys = "".join(f"\n  {key:<10} {of}" for key, of in _described(figure).items())
        yield f"{name}: a figure, for `figures`\n{figure.__doc__ or ''}{keys}"


def _written(row: Operation) -> str:
    if row.operator == "^":
        return "a^b"
    return f"a {row.operator} b" if len(row.arguments) > 1 else f"{row.operator} a"


def _drawing(row: Distribution) -> str:
    """What a distribution draws, and what its parameters may be."""
    return "; ".join([row.meaning, *row.limits])


def _with(meaning: str, source: str) -> str:
    return f"{meaning} ({source})" if source else meaning


def _arguments(parameters: Iterable[Parameter]) -> str:
    found = [_argument(p) for p in parameters]
    return ", ".join(found) or "none"


def _argument(p: Parameter) -> str:
    """An argument with its default and, where it has some, its bounds."""
    shown = f"`{p.name}`" if p.default is REQUIRED else f"`{p.name} = {_plain(p.default)}`"
    limits = [*filter(None, [p.bounds.interval]), *([f"≤ {p.under}"] if p.under else [])]
    return f"{shown} {' and '.join(limits)}" if limits else shown


def _keys(model: type[Closed]) -> str:
    return ", ".join(f"`{name}`" for name in model.model_fields if name != "kind")


def _described(model: type[Closed]) -> dict[str, str]:
    """What each key of a model is for."""
    return {name: meaning(model, name) for name in model.model_fields if name != "kind"}


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "none" if value is None else str(value).lower()
    return number_text(value) if isinstance(value, int | float) else str(value)


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\\\\|", "\\|") for cell in cells) + " |"


def _table(title: str, heads: tuple[str, ...], lines: list[str]) -> str:
    return "\n".join([f"## {title}\n", _cells(*heads), "|" + "---|" * len(heads), *lines, ""])
