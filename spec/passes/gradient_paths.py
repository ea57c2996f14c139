"""Which weights a gradient reaches, and where ints and bools end it: a loss behind ints alone would train nothing in silence.

A gradient goes through real numbers. It ends at what is int or bool (`argmax`, a comparison, a function that gives -1 or
1), and where `stop` asks for it. Operations that are flat (`sign`, `floor`) let it through: their derivative is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..diagnostics.problems import Problem, listing
from ..ir import terms as t
from ..ir.plan import LayerPlan, MeasurePlan, Mode, NetworkPlan, Program
from ..ir.term_pass import TermPass
from ..tables.gradient_modes import GRADIENT_MODES, mode_of, mode_of_output
from .print_term import bare, brief

BRIDGES = ", ".join(f"`{row.name}`" for row in GRADIENT_MODES.values() if row.replaces_derivative)
"""The modes that remedy a gradient that ends, as hints name them."""

Layer = tuple[str, str]
"""A network, and a layer's key."""


Place = tuple[str, str, str]
"""A network, a layer's key and a weight's name."""


@dataclass
class Reached:
    """The layers that a gradient passes, the weights that it reaches, and the terms that end it before others. A layer whose mode passes the
    upstream gradient on to its input is passed, and its weights are not reached."""

    layers: set[Layer] = field(default_factory=set)
    outputs: set[Layer] = field(default_factory=set)
    """The layers that it comes to from behind, whatever their modes do with it."""
    weights: set[Place] = field(default_factory=set)
    ends: list[t.Term] = field(default_factory=list)
    bodies: list[t.Term] = field(default_factory=list)
    """Of functions that are layers, those that are passed and have weights of others in them."""


class Paths:
    """The ways of gradients through the terms of one program, each gone once."""

    def __init__(self, program: Program) -> None:
        self.named = {item.name: item.term for item in (*program.draws, *program.examples, *program.outputs)}
        self.plans: Mapping[str, NetworkPlan] = {plan.name: plan for plan in program.networks}
        self.modes: Mapping[str, Mode] = program.gradient
        self.parameters: dict[str, t.Term] = {}
        self.known: dict[int, Reached] = {}
        self.named_places: dict[tuple[str, str | None, str | None], frozenset[Place]] = {}

    def through(self, root: t.Term) -> Reached:
        """What a gradient of a term of the program reaches."""
        if id(root) not in self.known:
            self.known[id(root)] = self._through(root)
        return self.known[id(root)]

    def _through(self, root: t.Term) -> Reached:
        reached = Reached()
        for term in t.walk(root, lambda term: self.onwards(term, reached)):
            if term.type.kind != "real":
                reached.ends.append(term)
            elif isinstance(term, t.Weight | t.AllWeights):
                reached.weights |= self.places(term)
                reached.layers |= {place[:2] for place in self.places(term)}
        return reached

    def places(self, term: t.Weight | t.AllWeights) -> frozenset[Place]:
        """The trainable weights that a term names."""
        key = (term.network, term.layer, None if isinstance(term, t.AllWeights) else term.weight)
        if key not in self.named_places:
            self.named_places[key] = self._places(term)
        return self.named_places[key]

    def _places(self, term: t.Weight | t.AllWeights) -> frozenset[Place]:
        every = {
            (term.network, layer.key, name)
            for layer in self.plans[term.network].leaves()
            if term.layer in (None, layer.key)
            for name in set(layer.weights) - set(layer.untrained)
        }
        return frozenset(place for place in every if isinstance(term, t.AllWeights) or place[2] == term.weight)

    def onwards(self, term: t.Term, reached: Reached) -> Iterable[t.Term]:
        """The terms that the gradient of a term goes on to: none where it is no real number, and none behind a weight."""
        if isinstance(term, t.Invoke | t.Scan):
            self.parameters.update(zip(term.parameters, term.arguments, strict=True))
        return _ONWARDS.of(term)(term, self, reached) if term.type.kind == "real" else ()

    def network(self, term: t.NetworkOutput, reached: Reached) -> bool:
        """Notes the layers that the gradient of a network's output, or of what a layer gives, reaches from there on; whether it comes out at the input.

        A mode of the network that passes it by is of the network's own output; one that lets nothing pass is of its layers' outputs, too.
        """
        plan, route = self.plans[term.network], mode_of_output(self.modes, term.network, term.layer).route
        if route != "body":
            return route == "carrier"
        passed = plan if term.layer is None else plan.until(term.layer)
        return self._stretch(passed, passed.layers, reached)

    def outputs(self, term: t.NetworkOutput) -> set[Layer]:
        """The layers whose outputs the gradient of what a network gives comes to."""
        reached = Reached()
        self.network(term, reached)
        return reached.outputs

    def _stretch(self, plan: NetworkPlan, layers: tuple[LayerPlan, ...], reached: Reached) -> bool:
        """The same of layers one after the other."""
        return all(self._layer(plan, layer, reached) for layer in reversed(layers))

    def _layer(self, plan: NetworkPlan, layer: LayerPlan, reached: Reached) -> bool:
        """The same of a layer; past a block the gradient goes by its shortcut, too."""
        if layer.kind == "repeat":
            return all(self._stretch(plan, block, reached) or layer.skip for block in reversed(layer.blocks))
        if layer.kind == "residual":
            return any([self._stretch(plan, way, reached) for way in layer.blocks])
        reached.outputs.add((plan.name, layer.key))
        route = mode_of(self.modes, f"{plan.name}.{layer.key}").route
        if route == "nowhere":
            return False
        if layer.kind == "apply" and layer.body is not None:
            passes, ended = self._through_function(layer)
            if ended:
                reached.ends.append(layer.body)
            if self.hangs(layer.body):
                reached.bodies.append(layer.body)
            return passes
        reached.layers.add((plan.name, layer.key))
        if route == "body":
            names = set(layer.weights) - set(layer.untrained)
            reached.weights |= {(plan.name, layer.key, name) for name in names}
        return True

    def _through_function(self, layer: LayerPlan) -> tuple[bool, bool]:
        """Whether a gradient passes through a function that is a layer, and whether ints or bools end it on every way."""
        assert layer.body is not None
        parameter = t.Weight("", layer.parameter, "", type=layer.input)
        inner = type(self).__new__(type(self))
        inner.named, inner.modes = self.named, self.modes
        inner.plans = {**self.plans, "": NetworkPlan("", layer.body, (layer,), layer.output)}
        inner.parameters = {layer.parameter: parameter}
        inner.known, inner.named_places = {}, {}
        found = Reached()
        for item in t.walk(layer.body, lambda term: inner.onwards(term, found)):
            if item is parameter:
                return True, False
            if item.type.kind != "real":
                found.ends.append(item)
        return False, any(inner.hangs(end, parameter) for end in found.ends)

    def reaches(self, root: t.Term, network: str) -> bool:
        """Whether a term hangs on a network, by any way at all."""
        return any(getattr(item, "network", None) == network for item in self.behind(root))

    def hangs(self, root: t.Term, on: t.Term | None = None) -> bool:
        """Whether a term hangs on weights, or on one term, by any way at all."""
        learnt = (t.NetworkOutput, t.Weight, t.AllWeights)
        return any(item is on or (on is None and isinstance(item, learnt)) for item in self.behind(root))

    def made_of(self, root: t.Term) -> set[Place]:
        """The trainable weights that a value is made with, by any way at all: through ints, `stop` and modes, too."""
        behind = Reached()
        for term in t.walk(root, lambda term: _MADE_OF.of(term)(term, self, behind)):
            if isinstance(term, t.Weight | t.AllWeights):
                behind.weights |= self.places(term)
            elif isinstance(term, t.NetworkOutput):
                behind.weights |= self.places(t.AllWeights(term.network, type=self.plans[term.network].output))
        return behind.weights

    def trains(self, place: Place) -> bool:
        """Whether no mode freezes a weight."""
        targets = (place[0], f"{place[0]}.{place[1]}")
        return not any(mode_of(self.modes, target).freezes_weights for target in targets)

    def origin(self, end: t.Term) -> t.Term:
        """Where real numbers that are learnt become ints or bools: the first such place behind an end."""
        for item in self.behind(end):
            if item.type.kind != "real" and any(c.type.kind == "real" and self.hangs(c) for c in t.children(item)):
                return item
        return end

    def behind(self, root: t.Term) -> Iterator[t.Term]:
        """All that a term is made from, through names and parameters; what `stop` holds back is left out."""
        return t.walk(root, lambda term: _BEHIND.of(term)(term, self, Reached()))


_ONWARDS: TermPass[[Paths, Reached], Iterable[t.Term]] = TermPass("way of a gradient")
"""The terms that the gradient of a real term goes on to."""
_BEHIND: TermPass[[Paths, Reached], Iterable[t.Term]] = TermPass("way back to what a value learns from")
"""The terms that a value hangs on; what `stop` holds back is left out."""
_MADE_OF: TermPass[[Paths, Reached], Iterable[t.Term]] = TermPass("way back to what a value is made of")
"""The terms that a value is made with, behind `stop`, too."""
_ONWARDS.exclude("a gradient is taken of one example's value", t.Expectation, t.Gradient)
_ONWARDS.exclude("it is a measure by itself", t.GradientStatistic, t.SamplingFloor, t.LeftOut)


@_MADE_OF.case(t.Recalled)
@_BEHIND.case(t.Stop, t.Recalled)
@_ONWARDS.case(
    t.Stop,
    t.Recalled,
    t.Literal,
    t.SweptConstant,
    t.Sample,
    t.Weight,
    t.AllWeights,
    t.StepNumber,
    t.IndexVariable,
    t.FileValue,
)
def _end(term: t.Term, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    return ()


@_ONWARDS.case(t.WithWeights)
def _to_what_stands_for_weights(term: t.WithWeights, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    """A gradient that would reach what is replaced goes on to what stands for it, unless a mode freezes that."""
    inner, replaced = paths.through(term.operand), paths.places(term.replaced)
    reached.layers |= inner.layers
    reached.outputs |= inner.outputs
    reached.ends += inner.ends
    reached.bodies += inner.bodies
    reached.weights |= inner.weights - replaced
    return (term.weights,) if any(paths.trains(place) for place in inner.weights & replaced) else ()


@_MADE_OF.case(t.WithWeights)
def _made_at_other_weights(term: t.WithWeights, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    inner, replaced = paths.made_of(term.operand), paths.places(term.replaced)
    reached.weights |= inner - replaced
    return (term.weights,) if inner & replaced else ()


@_BEHIND.case(t.WithWeights)
def _behind_other_weights(term: t.WithWeights, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    return (term.operand, term.weights)


@_ONWARDS.case(t.Operate, t.Comprehend, t.Cut, t.Stack, t.BatchMean)
@_BEHIND.case(*t.NAMELESS, t.NetworkOutput, *t.DERIVED)
@_MADE_OF.case(*t.NAMELESS, t.Parameter, t.Invoke, t.Scan, t.Stop, *t.DERIVED)
def _parts(term: t.Term, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    return t.children(term)


@_ONWARDS.case(t.ValueGradient)
def _twice(term: t.ValueGradient, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    """What a gradient is taken of: the gradient of that gradient goes the same ways."""
    return (term.of,)


@_ONWARDS.case(t.Directional)
def _along(term: t.Directional, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    """The same, and what the direction is made of."""
    return (term.of, term.along)


@_ONWARDS.case(t.Reference)
@_BEHIND.case(t.Reference)
@_MADE_OF.case(t.Reference)
def _named(term: t.Reference, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    return (paths.named[term.name],) if term.stage not in ("estimates", "statistics") else ()


@_ONWARDS.case(t.Parameter)
@_BEHIND.case(t.Parameter)
def _argument(term: t.Parameter, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    return (paths.parameters[term.key],) if term.key in paths.parameters else ()


@_ONWARDS.case(t.Gather)
def _array(term: t.Gather, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    return (term.array,)


@_ONWARDS.case(t.Invoke)
def _along_mode(term: t.Invoke, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    route = mode_of(paths.modes, term.function).route
    if route == "carrier" and term.carrier is not None:
        return (term.arguments[term.carrier],)
    if route == "expression" and term.surrogate is not None:
        return (term.surrogate,)
    return (term.body,) if route == "body" else ()


@_ONWARDS.case(t.Scan)
def _turns(term: t.Scan, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    """Through the function; to the start and the items by its parameters, where it uses them."""
    return (term.body,)


@_BEHIND.case(t.Invoke, t.Scan)
def _function(term: t.Invoke | t.Scan, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    paths.parameters.update(zip(term.parameters, term.arguments, strict=True))
    return t.children(term)


@_ONWARDS.case(t.NetworkOutput)
def _input(term: t.NetworkOutput, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    plan = paths.plans[term.network]
    before = len(reached.bodies)
    given = (term.input or plan.input,) if paths.network(term, reached) else ()
    return (*given, *reached.bodies[before:])


@_MADE_OF.case(t.NetworkOutput)
def _whole_network(term: t.NetworkOutput, paths: Paths, reached: Reached) -> Iterable[t.Term]:
    plan = paths.plans[term.network]
    return (term.input or plan.input, *(layer.body for layer in plan.applied() if layer.body is not None))


def unreached(program: Program, derived: Iterable[MeasurePlan], paths: Paths) -> list[Problem]:
    """Losses and gradients whose only ways to the weights lead through ints or bools; `derived` are the measures in which gradients stand."""
    problems: list[Problem] = []
    for loss in program.loss:
        if program.training is not None:
            problems += _blocked(paths, loss.term, f"the gradient of the loss '{loss.name}'", None)
    for measure in derived:
        if isinstance(measure.term, t.SamplingFloor):  # of a statistic, which is looked at itself
            continue
        for item in t.walk(measure.term):
            if isinstance(item, t.Gradient | t.GradientStatistic):
                apart = list(_apart(paths, item.of, item.weights, measure.name))
                problems += apart or _blocked(paths, item.of, f"the gradient in '{measure.name}'", item.weights)
    return problems


def _apart(paths: Paths, of: t.Term, weights: t.Weight | t.AllWeights, measure: str) -> Iterator[Problem]:
    """The problem of a gradient by weights that the value has nothing of: it would be 0 in silence."""
    made = paths.made_of(of)
    if made & paths.places(weights):
        return
    name = ".".join(part for part in (weights.network, weights.layer, getattr(weights, "weight", "weights")) if part)
    own = weights.network
    known = listing(dict.fromkeys(".".join(p) if p[0] == own else f"{p[0]}.weights" for p in sorted(made)))
    message = f"the gradient in '{measure}' is 0: `{brief(of)}` does not depend on `{name}`"
    hint = (
        f"Name weights that it depends on: {known}."
        if known
        else "It depends on no weights: take what a network gives."
    )
    yield Problem(message, of.span, hint)


def _blocked(paths: Paths, of: t.Term, what: str, weights: t.Weight | t.AllWeights | None) -> Iterator[Problem]:
    """The problem of a value whose gradient ends before every weight that it is taken by."""
    found = paths.through(of)
    wanted = found.weights if weights is None else found.weights & paths.places(weights)
    if wanted:
        return
    ends = [end for end in found.ends if paths.hangs(end) or _is_layer(paths, end)]
    if not ends:
        return
    end = paths.origin(ends[0])
    flat = end in found.ends and end.type.kind == "real" and not _is_layer(paths, end)
    kind = "flat" if flat else {"int": "an int", "bool": "a bool"}.get(end.type.kind, "made through ints or bools")
    text = bare(end)
    shown = f"`{text}`" if len(text) <= 60 else "this"
    message = f"{what} reaches no weights: {shown} is {kind}, and every path ends like this"
    hint = f"Give the function a gradient mode ({BRIDGES}), or use what is smooth: `tanh(x)`, `cross_entropy`."
    yield Problem(message, end.span or of.span, hint)


def _is_layer(paths: Paths, end: t.Term) -> bool:
    return any(layer.body is end for plan in paths.plans.values() for layer in plan.applied())
