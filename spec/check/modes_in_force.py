"""What a study says of the gradient mode of a target, in each phase of its training."""

from __future__ import annotations

from typing import Any

from ..diagnostics.problems import problem_at
from ..model.experiment import Experiment
from ..source import nodes as yaml
from ..tables.gradient_modes import DEFAULT_MODE, GRADIENT_MODES, GradientMode
from .namespace import Function


def targets_said(model: Experiment) -> list[str]:
    """The targets that the experiment or one of its phases gives a mode, each once."""
    phases = model.training.phases.values() if model.training is not None else ()
    return list(dict.fromkeys((*model.gradient, *(target for phase in phases for target in phase.gradient))))


def modes_said(model: Experiment, target: str) -> list[Any]:
    """The entries in force in each phase, one where training has none; None where nothing is said. A phase goes over the experiment."""
    base = model.gradient.get(target)
    phases = model.training.phases.values() if model.training is not None else ()
    return [phase.gradient.get(target, base) for phase in phases] or [base]


def nodes_said(model: Experiment, target: str) -> tuple[yaml.Node | None, ...]:
    """Where they stand; one node where no phase says another than the experiment."""
    entries = modes_said(model, target)
    nodes = [None if entry is None else entry.node() for entry in entries]
    return tuple(nodes[:1] if all(entry is entries[0] for entry in entries) else nodes)


def function_modes(
    model: Experiment, name: str, function: Function | None
) -> tuple[tuple[GradientMode, ...], Function | None]:
    """The rows of a function's modes in each phase, and its surrogate."""
    entries = modes_said(model, name)
    rows = tuple(DEFAULT_MODE if entry is None else GRADIENT_MODES[entry.kind] for entry in entries)
    for row, entry in zip(rows, entries, strict=True):
        node = entry.node(row.name) if row.takes_expression else None
        if node is not None and function is not None:
            return rows, Function(f"surrogate of {name}", function.parameters, node, entry.span(row.name))
    return rows, None


def one_surrogate(model: Experiment, name: str) -> None:
    """Refuses several surrogates of one function, in several phases: its calls are made with one. Raises StudyError."""
    found: dict[str, yaml.Node] = {}
    for entry in modes_said(model, name):
        row = DEFAULT_MODE if entry is None else GRADIENT_MODES[entry.kind]
        node = entry.node(row.name) if row.takes_expression else None
        if node is not None:
            found.setdefault(_text(node), node)
    if len(found) > 1:
        first, other, *_ = found
        message = f"the surrogate of '{name}' is `{other}` here, and `{first}` in another phase"
        hint = f'Write one for all phases, using `phase`: `"{other} if phase == 1 else {first}"`.'
        raise problem_at(found[other].span, message, hint)


def _text(node: yaml.Node) -> str:
    return node.text if isinstance(node, yaml.Scalar) else "[…]"
