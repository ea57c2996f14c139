"""Weights, layers and inputs by their paths: `score.dense_2.kernel`, `f.block[0].hidden.kernel`, `f.weights`, `f.input`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from math import prod

from ..diagnostics.problems import Span, StudyError, did_you_mean, listing, problem_at, sentence, those
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.plan import LayerPlan, NetworkPlan
from ..ir.types import Type
from ..passes.print_term import spell
from ..tables.operations import FORMS
from .context import Names


def no_network(
    path: Sequence[str | int], architecture: Collection[str], suggested: Collection[str], span: Span
) -> StudyError:
    """What to raise for a path that begins with no network; `suggested` are the names that a suggestion may be of."""
    from ..tables.operations.other_names import OTHER_PARTS, of_a_module  # of studies with errors alone

    name, *rest = path
    other = (of_a_module(str(name), str(rest[0])) or OTHER_PARTS.get(str(rest[0]), "")) if rest else ""
    known = other or did_you_mean(str(name), suggested) or those("networks", architecture)
    return problem_at(span, f"'{name}' is not a network, and only networks have parts", known)


def weight(plan: NetworkPlan, path: Sequence[str | int], span: Span) -> t.Term:
    """A weight of a network by its path within it; `weights` are all that are trained, of the network or of a layer.

    So is what a layer gives, and `input` what the network is given, unless a layer is called so.
    """
    if path == ["weights"]:
        return t.AllWeights(plan.name, type=Type("real", (plan.parameters,)), span=span)
    if plan.free:
        _no_layers(plan, span)
    _no_copy(plan, path, span)
    keys = {key: layer for layer in plan.leaves() for key in (layer.key, re.sub(r"_\d+$", "", layer.key))}
    whole = path_text(path)
    if whole in keys:
        return _output(plan, layer(plan, path, span), span)
    if _is_input(plan, path):
        return replace(plan.whole(plan.input), span=span)
    owner, name = layer(plan, path[:-1] or path, span), str(path[-1]) if path else ""
    trained = [name for name in owner.weights if name not in owner.untrained]
    if name == "weights" and name not in owner.weights and trained:
        size = sum(prod(owner.shapes[one]) for one in trained)
        return t.AllWeights(plan.name, owner.key, type=Type("real", (size,)), span=span)
    if name not in owner.weights:
        hint = sentence(did_you_mean(name, owner.weights), f"It has {listing(owner.weights) or 'none'}.")
        raise problem_at(span, f"the layer '{plan.name}.{owner.key}' has no weight '{name}'", hint)
    return t.Weight(plan.name, owner.key, name, type=Type("real", owner.shapes[name]), span=span)


def _is_input(plan: NetworkPlan, path: Sequence[str | int]) -> bool:
    """Whether a path leads to what a network is given: `input`, where no layer is called so."""
    return list(path) == ["input"] and all(layer.key != "input" for layer in plan.leaves())


def _output(plan: NetworkPlan, owner: LayerPlan, span: Span) -> t.Term:
    """What a layer gives on the network's own input, behind its activation."""
    behind = next((one for one in plan.leaves() if one.key == f"{owner.key}.activation"), owner)
    if sum(one.key == behind.key for one in plan.applied()) > 1:
        hint = "Give the layers of a `repeat` weights of their own: then each has an output of its own."
        raise problem_at(span, f"'{plan.name}.{owner.key}' is applied more than once, and has several outputs", hint)
    shape = (*plan.lead, *behind.output.shape)
    return t.NetworkOutput(plan.name, layer=behind.key, type=Type(behind.output.kind, shape), span=span)


def part(names: Names, whole: t.Term, path: Sequence[str | int], stage: str, span: Span) -> t.Term:
    """What a layer gives on another input: `f(u).hidden`. Raises StudyError."""
    if not isinstance(whole, t.NetworkOutput) or whole.input is None:
        message = "only networks have parts written with a dot"
        raise problem_at(whole.span or span, message, "Weights are written `score.dense_2.kernel`.")
    if _is_input(names.plan(whole.network, span), path):
        return whole.input
    found = names.weight([whole.network, *path], stage, span)
    if not isinstance(found, t.NetworkOutput):
        raise problem_at(span, "weights are the same on every input", f"Write `{spell(found)}`.")
    return replace(found, input=whole.input)


def inside(node: n.Expr, call: n.Call) -> n.Call:
    """A call whose value has the parts that a chain of dots reaches: `initial(f.hidden)` of `initial(f).hidden`."""
    arguments, place = list(call.arguments), FORMS[call.function].operand
    assert place is not None
    if place < len(arguments):
        arguments[place] = _moved(node, call, place)
    return replace(call, arguments=tuple(arguments), start=node.start, end=node.end)


def _moved(node: n.Expr, call: n.Call, place: int) -> n.Expr:
    """The chain of dots behind a call, behind one of its arguments."""
    if node is call:
        return call.arguments[place]
    if isinstance(node, n.Attribute):
        return replace(node, owner=_moved(node.owner, call, place))
    assert isinstance(node, n.Index)
    return replace(node, array=_moved(node.array, call, place))


WORDS_FOR_WEIGHTS = ("parameters", "params", "variables", "trainable_weights", "trainable_variables", "state_dict", "w")
"""What all weights of a network are called elsewhere."""


def layer(plan: NetworkPlan, path: Sequence[str | int], span: Span) -> LayerPlan:
    """A layer by its path: a name, a kind and position, or a kind alone where there is one of it."""
    if plan.free:
        _no_layers(plan, span)
    text = path_text(path)
    _no_copy(plan, path, span, of_all=True)
    known = {layer.key: layer for layer in plan.leaves()}
    single: dict[str, list[str]] = {}
    for key in known:
        single.setdefault(re.sub(r"_\d+$", "", key), []).append(key)
    for short, keys in single.items():
        if len(keys) == 1:
            known.setdefault(short, known[keys[0]])
    if text not in known:
        near = did_you_mean(text, known)
        if text in single:
            near = f"Several layers are of that kind: {listing(f'`{plan.name}.{key}`' for key in single[text])}."
        elif text.rpartition(".")[0] in known and text.rpartition(".")[2] in known[text.rpartition(".")[0]].weights:
            near = f"`{plan.name}.{text}` is an array: it has a length, `len(…)`, and entries, `[i, j]`, but no parts."
        elif text in WORDS_FOR_WEIGHTS:
            near = f"All of its weights, as one vector, are `{plan.name}.weights`."
        hint = sentence(near, f"Its layers are {listing(layer.key for layer in plan.leaves())}.")
        raise problem_at(span, f"the network '{plan.name}' has no layer '{text}'", hint)
    return known[text]


def _no_copy(plan: NetworkPlan, path: Sequence[str | int], span: Span, of_all: bool = False) -> None:
    """Refuses a path into one of the copies of a network; `of_all` where only all of them together may stand."""
    if plan.copies is None or not path or not isinstance(path[0], int):
        return
    inner, copy = path_text([plan.name, *path[1:]]), path[0]
    hint = f"Write `{inner}[{copy}]`; derivatives and `with_weights` are by `{inner}`, of all copies."
    if of_all:
        hint = f"Write `{inner}`: gradient modes and `restart` reach all copies."
    elif path[-1] == "weights":
        one = f"{plan.name}.{plan.leaves()[-1].key}.kernel[{copy}]"
        hint = f"`{inner}` is one vector of the weights of all copies; of one weight that of a copy is an entry, as in `{one}`."
    elif list(path[1:]) == ["input"]:
        hint = f"All are given `{inner}`."
    message = (
        f"the copies of '{plan.name}' have no names: they are along the first axis of its output, layers and weights"
    )
    raise problem_at(span, message, hint)


def _no_layers(plan: NetworkPlan, span: Span) -> None:
    """Refuses a path into a free parameter."""
    message = f"'{plan.name}' is a free parameter, and has no layers"
    raise problem_at(span, message, f"Write `{plan.name}`; `{plan.name}.weights` is the same as one vector.")


def steps_of(text: str) -> tuple[str, list[str | int]]:
    """The name that a written path begins with, and the steps of the rest.

    >>> steps_of("f.block[0].hidden")
    ('f', ['block', 0, 'hidden'])
    """
    head, *rest = text.replace("[", ".[").split(".")
    return head, [int(step[1:-1]) if re.fullmatch(r"\[\d+\]", step) else step for step in rest]


def path_text(path: Sequence[str | int]) -> str:
    """A path as it is written.

    >>> path_text(["block", 0, "hidden"])
    'block[0].hidden'
    """
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else ("." if text else "") + step
    return text
