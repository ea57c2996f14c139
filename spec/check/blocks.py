"""Repeated blocks of layers: how a block's input meets its output, and what each repetition ends with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..diagnostics.problems import Span, problem_at
from ..ir.plan import LayerPlan
from ..ir.types import ShapeProblem, Type
from ..model.layers import LayerEntry
from ..source import nodes as yaml
from ..tables.keras_parameters import IDENTITY
from ..tables.layers.projection import projection
from . import constant_folding as folding
from .context import Context
from .layer_makers import LayerMaker

Layers = tuple[LayerPlan, ...]
ACTIVATION = "activation"
"""The name of the layer that a repetition ends with."""


def repeat(checker: LayerMaker, model: Any, key: str, given: Type) -> LayerPlan:
    """A block several times; its keys are `block[0].hidden`, and `block[0].projection` of what is on a shortcut."""
    times = folding.size(checker.checker.value(model.node("times"), Context("constants", ())), "'times'")
    ends = model.activation is not None and model.activation != IDENTITY
    skip = "add" if model.skip is True else model.skip or ""
    blocks: list[
        tuple[Layers, Layers, Layers, Type, Type]
    ] = []  # what meets, what follows; before, and where both have met
    current = given
    for index in range(times):
        before, prefix = current, f"{key}[{0 if model.share else index}]."
        main, current = checker.layers(model.layers, before, prefix)
        shortcut, met = _joined(checker, model, skip, prefix, (before, current))
        current = met
        after: list[LayerPlan] = []
        if ends:
            node = model.node("activation")
            after, current = _added(
                checker, {ACTIVATION: {ACTIVATION: node, "name": ACTIVATION}}, node, current, prefix
            )
        _unlike(model, main, [*shortcut, *after])
        if model.share and current.shape != before.shape:
            _refused(model, key, before, current, "share")
        blocks.append((tuple(main), tuple(shortcut), tuple(after), before, met))
    if not ends and not any(shortcut for _, shortcut, *_ in blocks) and skip != "concat":
        return LayerPlan(key, "repeat", given, current, blocks=tuple(main for main, *_ in blocks), skip=bool(skip))
    join = "concat" if skip == "concat" else "add"
    written = [
        (_residual(f"{key}[{index}]", join, (main, shortcut), before, met), *after) if skip else (*main, *after)
        for index, (main, shortcut, after, before, met) in enumerate(blocks)
    ]
    return LayerPlan(key, "repeat", given, current, blocks=tuple(written))


def _joined(
    checker: LayerMaker, model: Any, skip: str, prefix: str, types: tuple[Type, Type]
) -> tuple[list[LayerPlan], Type]:
    """The layers of a shortcut, and the type where it meets the block's output."""
    before, current = types
    kind = "real" if "real" in (before.kind, current.kind) else "int"
    if skip == "concat":
        if not before.shape or before.shape[:-1] != current.shape[:-1]:
            _refused(model, prefix[: prefix.rindex("[")], before, current, "skip: concat")
        return [], Type(kind, (*current.shape[:-1], before.shape[-1] + current.shape[-1]))
    if not skip:
        return [], current
    if before.shape == current.shape:
        return [], Type(kind, current.shape)
    if skip == "add":
        _refused(model, prefix[: prefix.rindex("[")], before, current, "skip")
    node = model.node("skip")
    try:
        layer = projection(before.shape, current.shape)
    except ShapeProblem as problem:
        raise problem_at(node.span, str(problem), problem.hint) from None
    return _added(checker, layer, node, before, prefix)[0], Type("real", current.shape)


_HINTS = {
    "share": "End the block with a layer of its input's size.",
    "skip": "End the block with a layer of its input's size, or write `skip: project`.",
    "skip: concat": "They are joined along the last axis, and all other axes have to be the same.",
}


def _refused(model: Any, key: str, before: Type, current: Type, word: str) -> None:
    last = "all but the last axis have" if word == "skip: concat" else "both have"
    message = f"the block '{key}' turns {before} into {current}, and with '{word}' {last} to be the same"
    raise problem_at(model.node("layers").span, message, _HINTS[word])


def _added(
    checker: LayerMaker, layer: Mapping[str, Any], at: yaml.Node, given: Type, prefix: str
) -> tuple[list[LayerPlan], Type]:
    """A layer that the study does not write out, checked as if it did."""
    return checker.layers([LayerEntry.from_node(_node(layer, at.span))], given, prefix)


def _node(value: Any, span: Span) -> yaml.Node:
    """A value as a tree, all of it at one place."""
    if isinstance(value, yaml.Node):
        return value
    if isinstance(value, Mapping):
        entries = ((yaml.Scalar(key, key, True, span), _node(item, span)) for key, item in value.items())
        return yaml.Mapping(tuple(entries), span)
    if isinstance(value, list):
        return yaml.Sequence(tuple(_node(item, span) for item in value), span)
    return yaml.Scalar(value, str(value), True, span)


def _unlike(model: Any, main: list[LayerPlan], more: list[LayerPlan]) -> None:
    """Refuses a layer of the block with a name that the repetition needs."""
    taken = {layer.key for layer in more}
    for layer in main:
        if layer.key in taken:
            name = layer.key.rsplit(".", 1)[-1]
            message = f"the name '{name}' is reserved for what the repetition adds by itself"
            raise problem_at(model.node("layers").span, message, "Give the block's layer another name.")


def _residual(key: str, join: str, ways: tuple[Layers, Layers], before: Type, met: Type) -> LayerPlan:
    """Two ways from one input."""
    return LayerPlan(key, "residual", before, met, config={"join": join}, blocks=ways)
