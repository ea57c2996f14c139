"""Weights and layers by their paths: `score.dense_2.kernel`, `f.block[0].hidden.kernel`, `f.weights`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at, sentence
from ..ir import terms as t
from ..ir.plan import LayerPlan, NetworkPlan
from ..ir.types import Type


def weight(plan: NetworkPlan, path: Sequence[str | int], span: Span) -> t.Term:
    """A weight of a network by its path within it; `weights` are all that are trained."""
    if path == ["weights"]:
        return t.AllWeights(plan.name, type=Type("real", (plan.parameters,)), span=span)
    keys = {key: layer for layer in plan.leaves() for key in (layer.key, re.sub(r"_\d+$", "", layer.key))}
    whole = path_text(path)
    if whole in keys:
        weights = keys[whole].weights
        hint = f"It has {listing(weights)}: write `{plan.name}.{whole}.{next(iter(weights))}`." if weights else ""
        raise problem_at(span, f"'{plan.name}.{whole}' is a layer, and not one of its weights", hint)
    owner, name = layer(plan, path[:-1], span), str(path[-1]) if path else ""
    if name not in owner.weights:
        hint = sentence(did_you_mean(name, owner.weights), f"It has {listing(owner.weights) or 'none'}.")
        raise problem_at(span, f"the layer '{plan.name}.{owner.key}' has no weight '{name}'", hint)
    return t.Weight(plan.name, owner.key, name, type=Type("real", owner.weights[name]), span=span)


def layer(plan: NetworkPlan, path: Sequence[str | int], span: Span) -> LayerPlan:
    """A layer by its path: a name, a kind and position, or a kind alone where there is one of it."""
    text = path_text(path)
    known = {layer.key: layer for layer in plan.leaves()}
    single: dict[str, list[str]] = {}
    for key in known:
        single.setdefault(re.sub(r"_\d+$", "", key), []).append(key)
    for short, keys in single.items():
        if len(keys) == 1:
            known.setdefault(short, known[keys[0]])
    if text not in known:
        hint = sentence(did_you_mean(text, known), f"Its layers are {listing(layer.key for layer in plan.leaves())}.")
        raise problem_at(span, f"the network '{plan.name}' has no layer '{text}'", hint)
    return known[text]


def path_text(path: Sequence[str | int]) -> str:
    """A path as it is written.

    >>> path_text(["block", 0, "hidden"])
    'block[0].hidden'
    """
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else ("." if text else "") + step
    return text
