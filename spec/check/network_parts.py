"""What a layer takes of an example beside the output before it (`length: n`): parts of the network's input.

The input of such a network holds all of it in one row of numbers, the layers' input first, so that what an input is for dependence,
digests and costs holds for its parts as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at, sentence
from ..ir import terms as t
from ..ir.plan import InputPart, NetworkPlan
from ..ir.types import Type
from ..passes.print_term import bare
from ..source import nodes as yaml
from ..tables.layers import Layer
from .context import Context
from .layer_makers import LayerMaker

Parts = dict[str, tuple[str, t.Term]]
"""By argument: what is written, and its term."""


def parts_of(checker: LayerMaker, row: Layer, model: Any, config: dict[str, Any], given: Type) -> tuple[str, ...]:
    """Takes up the arguments of a layer that speak of an example, and says which there are. What is constant is an argument like any other."""
    taken = []
    for name, wanted in row.of_example.items():
        node = model.node(name)
        if node is None or model.__dict__[name] is None:
            continue
        term = checker.checker.value(node, Context("architecture", ("architecture", checker.name)))
        kind, shapes = wanted(given.shape)
        if term.type.kind != kind or term.type.shape not in shapes:
            types = " or ".join(str(Type(kind, shape)) for shape in shapes)
            message = f"'{name}' of the layer has to be {types}, and is {term.type}"
            raise problem_at(node.span, message, f"It is {row.parameters[name].meaning}.")
        if isinstance(term, t.Literal):
            config[name] = term.value
            continue
        _noted(checker, name, term, node)
        taken.append(name)
    return tuple(taken)


def _noted(checker: LayerMaker, name: str, term: t.Term, node: yaml.Node) -> None:
    """Notes a part of the input; layers that take the same share it."""
    if checker.model.each is not None:
        message = f"'{name}' depends on the example, and this network is shared over an axis of it"
        raise problem_at(node.span, message, "Leave out `each` or the argument.")
    text = bare(term)
    before = checker.parts.setdefault(name, (text, term))
    if before[0] != text:
        message = f"'{name}' is `{text}` here and `{before[0]}` in an earlier layer: a network has only one"
        raise problem_at(
            node.span, message, f"Give it once, where the network is applied: `{checker.name}(x, {name}=…)`."
        )


def packed(given: t.Term, parts: Sequence[t.Term]) -> t.Term:
    """An input and its parts as one row of numbers."""
    if not parts:
        return given
    terms = [given, *parts]
    kind = "real" if any(term.type.kind == "real" for term in terms) else "int"
    sizes = [prod(term.type.shape) for term in terms]
    rows = tuple(
        t.Operate(
            "reshape",
            (term,),
            {"shape": (size,), "rank": len(term.type.shape)},
            type=Type(kind, (size,)),
            span=term.span,
        )
        for term, size in zip(terms, sizes, strict=True)
    )
    return t.Operate("concat", rows, {"rank": 1}, type=Type(kind, (sum(sizes),)), span=given.span)


def input_parts(parts: Parts) -> tuple[InputPart, ...]:
    """The parts of an input by name, in the order they are packed in."""
    return tuple(InputPart(name, term.type) for name, (_, term) in parts.items())


def application(
    plan: NetworkPlan, argument: t.Term, more: Callable[[], Mapping[str, t.Term]], takes_reals: bool, span: Span
) -> t.Term:
    """The input of a network on another one, with parts of its own."""
    name, own = plan.name, plan.given
    if argument.type.shape != own.shape:
        message = f"the network '{name}' takes an input like its own, {own}, and this is {argument.type}"
        raise problem_at(argument.span, message, "Make it of that shape, or declare another network for it.")
    if argument.type.kind == "real" != own.kind and not takes_reals:
        message = f"the network '{name}' takes ints, {own}, and this is {argument.type}"
        raise problem_at(argument.span, message, "Its first layer takes ints, such as words for an embedding.")
    given = more()
    known = {part.name: part for part in plan.parts}
    for word, term in given.items():
        if word not in known:
            hint = sentence(did_you_mean(word, known), f"It has {listing(known)}." if known else "Leave it out.")
            raise problem_at(term.span, f"the input of '{name}' has no part '{word}'", hint)
        if term.type.shape != known[word].type.shape or term.type.kind not in (known[word].type.kind, "int", "bool"):
            message = f"'{word}' of '{name}' has to be {known[word].type}, and is {term.type}"
            raise problem_at(term.span, message, "Make it of that type.")
    if missing := [word for word in known if word not in given]:
        example = ", ".join(f"{word}=…" for word in known)
        message = f"`{name}(…)` needs {listing(missing)}: its layers take it from the example, as a part of the input"
        raise problem_at(span, message, f"Write `{name}(x, {example})`.")
    return packed(argument, [given[word] for word in known])
