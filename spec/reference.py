"""The reference of the language's tables as Markdown, generated: operations, distributions, layers, modes, optimisers."""

from __future__ import annotations

from .distributions import DISTRIBUTIONS
from .gradient_modes import GRADIENT_MODES
from .initializers import INITIALIZERS
from .layers import LAYERS
from .model.figures import FIGURES
from .operations import CLAIM_FORMS, FORMS, OPERATIONS
from .optimizers import OPTIMIZERS
from .parameters import REQUIRED, Parameter

HEAD = """# Reference: operations, distributions, layers and modes

Generated from the tables by `dlspec ops --write`; do not edit.

Signatures: `real[...]` broadcasts, `*s` is any shape, `n` the same size everywhere, `number` int or real as given.
"""


def reference() -> str:
    """The whole reference."""
    parts = [HEAD]
    families: dict[str, list[str]] = {}
    for row in OPERATIONS.values():
        name = f"`{row.name}`" + (f", `a {row.operator} b`".replace("|", "\\|") if row.operator else "")
        families.setdefault(row.family, []).append(_cells(name, f"`{row.signature}`", _with(row.meaning, row.source), f"`{row.example[0]}` = `{row.example[1]}`"))
    for family, lines in families.items():
        parts.append(_table(family.capitalize(), ("operation", "signature", "meaning", "example"), lines))
    forms = [_cells(f"`{row.name}`", f"`{row.signature}`", row.meaning, row.phase) for row in (*FORMS.values(), *CLAIM_FORMS.values())]
    parts.append(_table("Special forms", ("form", "signature", "meaning", "where"), forms))
    draws = [_cells(f"`{row.name}`", f"`{row.name}{row.signature}`", row.meaning, row.kind) for row in DISTRIBUTIONS.values()]
    parts.append(_table("Distributions", ("distribution", "call", "meaning", "kind"), draws))
    layers = [_cells(f"`{row.name}`", row.meaning, _arguments(row.parameters.values())) for row in LAYERS.values()]
    parts.append(_table("Layers", ("layer", "meaning", "arguments"), layers))
    modes = [_cells(f"`{row.name}`", _with(row.meaning, row.source), row.argument or "", ", ".join(row.targets)) for row in GRADIENT_MODES.values()]
    parts.append(_table("Gradient modes", ("mode", "meaning", "argument", "for a"), modes))
    optimizers = [_cells(f"`{row.name}`", _with(row.meaning, row.source), _arguments(row.parameters.values())) for row in OPTIMIZERS.values()]
    parts.append(_table("Optimisers", ("optimiser", "meaning", "arguments"), optimizers))
    starts = [_cells(f"`{row.name}`", _with(row.meaning, row.source), _arguments(row.parameters.values())) for row in INITIALIZERS.values()]
    parts.append(_table("Initialisers", ("initialiser", "meaning", "arguments"), starts))
    figures = [_cells(f"`{kind}`", model.__doc__ or "", ", ".join(f"`{name}`" for name in model.model_fields if name != "kind")) for kind, model in FIGURES.items()]
    parts.append(_table("Figures", ("kind", "meaning", "keys"), figures))
    return "\n".join(parts)


def describe(name: str) -> str | None:
    """One entry in prose, or None when there is none of that name."""
    if name in OPERATIONS:
        row = OPERATIONS[name]
        written = f"\nwritten   a {row.operator} b" if row.operator else ""
        source = f"\nsource    {row.source}" if row.source else ""
        return f"{row.name}{row.signature}{written}\n{row.meaning}\nexample   {row.example[0]} = {row.example[1]}{source}"
    if name in FORMS or name in CLAIM_FORMS:
        form = FORMS.get(name) or CLAIM_FORMS[name]
        return f"{form.name}{form.signature}\n{form.meaning}\nstands in {form.phase}"
    if name in DISTRIBUTIONS:
        draw = DISTRIBUTIONS[name]
        return f"{draw.name}{draw.signature} -> {draw.kind}\n{draw.meaning}\nstands in task.draw, task.example and initialisers"
    if name in LAYERS:
        layer = LAYERS[name]
        return f"{name}: a layer (keras.layers.{layer.keras})\n{layer.meaning}\narguments {_arguments(layer.parameters.values())}"
    if name in GRADIENT_MODES:
        mode = GRADIENT_MODES[name]
        return f"{name}: a gradient mode\n{_with(mode.meaning, mode.source)}"
    if name in OPTIMIZERS:
        optimizer = OPTIMIZERS[name]
        return f"{name}: an optimiser (keras.optimizers.{optimizer.keras})\n{_with(optimizer.meaning, optimizer.source)}\narguments {_arguments(optimizer.parameters.values())}"
    return None


def known() -> list[str]:
    """All names that can be described."""
    return sorted({*OPERATIONS, *FORMS, *CLAIM_FORMS, *DISTRIBUTIONS, *LAYERS, *GRADIENT_MODES, *OPTIMIZERS})


def _with(meaning: str, source: str) -> str:
    return f"{meaning} ({source})" if source else meaning


def _arguments(parameters: object) -> str:
    found = []
    for parameter in parameters:  # type: ignore[attr-defined]
        assert isinstance(parameter, Parameter)
        default = "" if parameter.default is REQUIRED else f" = {_plain(parameter.default)}"
        found.append(f"`{parameter.name}{default}`")
    return ", ".join(found) or "none"


def _plain(value: object) -> str:
    return {None: "none", True: "true", False: "false"}.get(value, str(value)) if not isinstance(value, int | float) or isinstance(value, bool) else f"{value:g}"  # type: ignore[arg-type]


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\\\\|", "\\|") for cell in cells) + " |"


def _table(title: str, heads: tuple[str, ...], lines: list[str]) -> str:
    return "\n".join([f"## {title}\n", _cells(*heads), "|" + "---|" * len(heads), *lines, ""])
