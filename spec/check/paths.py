"""Which weights a gradient reaches, and where ints and bools end it: a loss behind ints alone would train nothing in silence.

A gradient goes through real numbers. It ends at what is int or bool (`argmax`, a comparison, a function that gives -1 or
1), and where `stop` asks for it. Operations that are flat (`sign`, `floor`) let it through: their derivative is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .. import terms as t
from ..diagnostics import Problem
from ..resolved import LayerPlan, Mode, NetworkPlan, Program
from ..spell import spell

Layer = tuple[str, str]
"""A network, and a layer's key."""


@dataclass
class Reached:
    """The layers that a gradient reaches, and the terms that end it before others."""

    layers: set[Layer] = field(default_factory=set)
    ends: list[t.Term] = field(default_factory=list)


class Paths:
    """The ways of gradients through the terms of one program."""

    def __init__(self, program: Program) -> None:
        self.named = {item.name: item.term for item in (*program.draws, *program.examples, *program.outputs)}
        self.plans: Mapping[str, NetworkPlan] = {plan.name: plan for plan in program.networks}
        self.modes: Mapping[str, Mode] = program.gradient
        self.parameters: dict[str, t.Term] = {}

    def through(self, root: t.Term) -> Reached:
        """What a gradient of a term reaches."""
        found = Reached()
        seen: set[int] = set()
        stack = [root]
        while stack:
            term = stack.pop()
            if id(term) in seen:
                continue
            seen.add(id(term))
            if isinstance(term, t.Invoke):
                self.parameters.update(zip(term.parameters, term.arguments, strict=True))
            if term.type.kind != "real":
                found.ends.append(term)
            elif isinstance(term, t.Weight | t.AllWeights):
                layers = self.plans[term.network].leaves()
                found.layers |= {(term.network, layer.key) for layer in layers if self._named(term, layer)}
            else:
                stack.extend(self._onwards(term, found))
        return found

    def _named(self, term: t.Weight | t.AllWeights, layer: LayerPlan) -> bool:
        return term.layer is None or layer.key == term.layer

    def _onwards(self, term: t.Term, found: Reached) -> Iterator[t.Term]:
        """The terms that the gradient of a real term goes on to."""
        match term:
            case t.Reference(name=name):
                yield self.named[name]
            case t.Parameter(key) if key in self.parameters:
                yield self.parameters[key]
            case t.Invoke(function, _, arguments, body, carrier, surrogate):
                mode = self.modes.get(function)
                name = mode.name if mode is not None else "exact"
                if name == "forward_only" and carrier is not None:
                    yield arguments[carrier]
                elif name == "surrogate" and surrogate is not None:
                    yield surrogate
                elif name not in ("stop", "forward_only"):
                    yield body
            case t.NetworkOutput(network, given):
                plan = self.plans[network]
                if self._network(plan, found):
                    yield plan.input if given is None else given
            case t.Gather(array=array):
                yield array
            case t.Stop() | t.Literal() | t.Sample():
                return
            case _:
                yield from t.children(term)

    def _network(self, plan: NetworkPlan, found: Reached) -> bool:
        """Notes the layers that a gradient reaches from the last one on; whether it comes out at the input."""
        mode = self.modes.get(plan.name)
        if mode is not None and mode.name == "stop":
            return False
        for layer in reversed(plan.applied()):
            own = self.modes.get(f"{plan.name}.{layer.key}")
            if own is not None and own.name == "stop":
                return False
            if layer.kind == "apply" and layer.body is not None:
                if not self._lets_through(layer):
                    found.ends.append(layer.body)
                    return False
            else:
                found.layers.add((plan.name, layer.key))
        return True

    def _lets_through(self, layer: LayerPlan) -> bool:
        """Whether a gradient passes through a function that is a layer, or ends by a mode that says so."""
        assert layer.body is not None
        parameter = t.Weight("", layer.parameter, "", type=layer.input)
        inner = Paths.__new__(Paths)
        inner.named, inner.modes = self.named, self.modes
        inner.plans = {**self.plans, "": NetworkPlan("", layer.body, (layer,), layer.output)}
        inner.parameters = {layer.parameter: parameter}
        found = inner.through(layer.body)
        return bool(found.layers & {("", layer.key)}) or not any(inner.hangs(end, parameter) for end in found.ends)

    def reaches(self, root: t.Term, network: str) -> bool:
        """Whether a term hangs on a network, by any way at all."""
        return any(getattr(item, "network", None) == network for item in self.behind(root))

    def hangs(self, root: t.Term, on: t.Term | None = None) -> bool:
        """Whether a term hangs on weights, or on one term, by any way at all."""
        learnt = (t.NetworkOutput, t.Weight, t.AllWeights)
        return any(item is on or (on is None and isinstance(item, learnt)) for item in self.behind(root))

    def origin(self, end: t.Term) -> t.Term:
        """Where real numbers that are learnt become ints or bools: the first such place behind an end."""
        for item in self.behind(end):
            if item.type.kind != "real" and any(c.type.kind == "real" and self.hangs(c) for c in t.children(item)):
                return item
        return end

    def behind(self, root: t.Term) -> Iterator[t.Term]:
        """All that a term is made from, through names and parameters; what `stop` holds back is left out."""
        seen: set[int] = set()
        stack = [root]
        while stack:
            term = stack.pop()
            if id(term) in seen:
                continue
            seen.add(id(term))
            yield term
            if isinstance(term, t.Stop):
                continue
            if isinstance(term, t.Invoke):
                self.parameters.update(zip(term.parameters, term.arguments, strict=True))
            if isinstance(term, t.Reference):
                stack.append(self.named[term.name])
            elif isinstance(term, t.Parameter) and term.key in self.parameters:
                stack.append(self.parameters[term.key])
            else:
                stack.extend(t.children(term))


def unreached(program: Program) -> list[Problem]:
    """Losses and gradients whose only ways to the weights lead through ints or bools."""
    paths = Paths(program)
    found: list[Problem] = []
    for loss in program.loss:
        if program.training is not None:
            found += _blocked(paths, loss.term, f"the gradient of the loss '{loss.name}'", None)
    for measure in program.measures:
        for item in t.walk(measure.term):
            if isinstance(item, t.Gradient | t.GradientStatistic):
                found += _blocked(paths, item.of, f"the gradient in '{measure.name}'", item.weights)
    return found


def untrained(program: Program) -> list[Problem]:
    """Warnings of networks and layers that a loss hangs on through ints or bools alone, while others are trained."""
    if program.training is None:
        return []
    paths = Paths(program)
    every = [paths.through(loss.term) for loss in program.loss]
    trained = {layer for found in every for layer in found.layers}
    told: dict[str, Problem] = {}
    for end in [end for found in every for end in found.ends]:
        for name, plan in paths.plans.items():
            held = [layer for layer in plan.leaves() if set(layer.weights) - set(layer.untrained)]
            missing = [layer.key for layer in held if (name, layer.key) not in trained]
            own = any(layer.body is end for layer in plan.applied())
            if not missing or name in program.gradient or not (own or paths.reaches(end, name)):
                continue
            label = f"'{name}'" if len(missing) == len(held) else f"'{name}.{missing[0]}'"
            origin = paths.origin(end)
            text = spell(origin)
            shown = f"`{text}`" if len(text) <= 60 else "what stands here"
            message = (
                f"{label} is not trained: the loss hangs on it through {shown} alone, and no gradient passes there"
            )
            hint = (
                "Give the function a gradient mode (`forward_only`, `surrogate`), or say that it is meant: `stop(x)`."
            )
            told.setdefault(label, Problem(message, origin.span, hint, "warning"))
    return list(told.values())


def _blocked(paths: Paths, of: t.Term, what: str, weights: t.Weight | t.AllWeights | None) -> Iterator[Problem]:
    """The problem of a value whose gradient ends before every weight that it is taken by."""
    found = paths.through(of)
    if weights is None:
        reached = bool(found.layers)
    else:
        wanted = {
            (weights.network, layer.key)
            for layer in paths.plans[weights.network].leaves()
            if weights.layer is None or layer.key == weights.layer
        }
        reached = bool(found.layers & wanted)
    if reached:
        return
    ends = [end for end in found.ends if paths.hangs(end) or _is_layer(paths, end)]
    if not ends:
        return
    end = paths.origin(ends[0])
    kind = {"int": "an int", "bool": "a bool"}.get(end.type.kind, "made through ints or bools")
    text = spell(end)
    shown = f"`{text}`" if len(text) <= 60 else "what stands here"
    message = f"{what} reaches no weights: {shown} is {kind}, and every way leads through such"
    hint = "Give the function a gradient mode (`forward_only`, `surrogate`), or take what is smooth: `tanh(x)`, `cross_entropy`."
    yield Problem(message, end.span or of.span, hint)


def _is_layer(paths: Paths, end: t.Term) -> bool:
    return any(layer.body is end for plan in paths.plans.values() for layer in plan.applied())
