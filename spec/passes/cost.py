"""What a program costs: parameters, floating-point operations and bytes, counted from its plan without running it.

FLOPs. What one training step of one replicate computes in numbers that are not whole: the loss of a batch forwards, every
message and gradient backwards, the mean over the batch and the optimiser's update. A multiply-add of a product of matrices
or a convolution is two operations, any other elementwise operation is one (`spec/tables/flops.py` has them all, layers in their rows), moving values is none.
Backwards, a layer with a kernel costs its forward count for the kernel, and once more for its input where anything
trained lies before it. What does not vary with the example is counted once a step. Drawing the examples is not in it: that is
integer arithmetic for the most part, and evaluations are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from ..ir import terms as t
from ..ir.axes import EXAMPLE
from ..ir.plan import LayerPlan, NetworkPlan, Program
from ..ir.term_pass import TermPass
from ..ir.types import Type
from ..tables.dtypes import BYTES, DTYPES
from ..tables.flops import OPERATION_WORK, update
from ..tables.gradient_modes import GradientMode, mode_of
from ..tables.layers import LAYERS
from ..tables.operations import OPERATIONS
from .trained_weights import trained_parameters

LOSS_WORK = (3, 1)
"""Operations of a term of the loss for each example, both ways: its weight, its sum, and whether it is finite."""


@dataclass(frozen=True)
class Cost:
    """Of one replicate: `parameters` trained; operations of one example `forward`s and of a training `step`.

    `examples_bytes` is what one example of the batch takes while training, `state_bytes` weights and the optimiser's.
    """

    parameters: int
    forward: int
    step: int
    state_bytes: int
    example_bytes: int
    evaluated_bytes: int


def cost(program: Program) -> Cost:
    """The cost of a program. Without training, a step is none, and all memory is the evaluation's."""
    return _Counter(program).cost()


@dataclass
class _Use:
    """What a step takes for one example, or once for all of them: operations both ways, and bytes held for the way back."""

    forward: float = 0
    backward: float = 0
    bytes: float = 0


@dataclass(frozen=True)
class _Seen:
    """What is known of a value: whether anything trained lies in it, and the named axes that it varies along."""

    trained: bool = False
    axes: frozenset[str] = frozenset()

    def __or__(self, other: _Seen) -> _Seen:
        return _Seen(self.trained or other.trained, self.axes | other.axes)


@dataclass(frozen=True)
class _Way:
    """Which ways are counted: a binding goes forwards once, and backwards once if a message comes to it."""

    forward: bool = True
    message: bool = True

    def without_message(self) -> _Way:
        return _Way(self.forward, False)


class _Counter:
    """Walks what the loss reaches, as the lowering does: a binding is computed once, a network on its own input too.

    What does not vary from example to example is computed once a step; along an index it is computed for each of its
    values only where it depends on it.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.dtype = DTYPES[program.dtype]
        self.item = BYTES[self.dtype.real]
        self.outputs = {item.name: item.term for item in program.outputs}
        self.networks = {plan.name: plan for plan in program.networks}
        self.changed = {plan.name: trained_parameters(program, plan) for plan in program.networks}
        self.each, self.once = _Use(), _Use()
        self.extents: dict[str, int] = {}
        self.done: dict[str, _Way] = {}
        self.seen: dict[str, _Seen] = {}
        """Of outputs and networks by their places, of functions' arguments by their keys."""

    def cost(self) -> Cost:
        program, plan = self.program, self.program.training
        for loss in program.loss if plan else ():
            found = self.term(loss.term, _Way()) | self.term(loss.weight, _Way()) | _Seen(axes=frozenset({EXAMPLE}))
            self.add(found, *LOSS_WORK, 0, _Way())
        parameters = sum(network.parameters for network in program.networks)
        weights = sum(
            prod(shape)
            for network in program.networks
            for layer in network.leaves()
            for shape in layer.weights.values()
        )
        examples = sum(self.size(item.type) for item in program.examples)
        updates, kept = self._optimizers()
        layers = [self.given(layer) * (n.each or 1) for n in program.networks for layer in n.applied()]
        rounded = weights * self.dtype.bytes if self.dtype.layers != self.dtype.real else 0
        each, once = self.each, self.once
        step = (each.forward + each.backward) * plan.batch + once.forward + once.backward + updates if plan else 0
        return Cost(
            parameters, round(each.forward), round(step),
            (weights + (kept + parameters if plan else 0)) * self.item + rounded,
            round(2 * each.bytes + 2 * examples), 2 * examples + sum(layers) + max(layers, default=0),
        )  # fmt: skip

    def size(self, given: Type) -> int:
        """The bytes of one example's value."""
        return prod(given.shape) * (1 if given.kind == "bool" else 4 if given.kind == "int" else self.item)

    def given(self, layer: LayerPlan) -> int:
        """The bytes of what a layer gives for one example."""
        return prod(layer.output.shape) * self.dtype.bytes

    def _optimizers(self) -> tuple[int, int]:
        """Operations of an update, the mean over the batch with it, and values kept, of all optimisers."""
        plan = self.program.training
        updates = kept = 0
        for name, optimizer in plan.optimizers.items() if plan else ():
            networks = [self.networks[name]] if name else self.program.networks
            count = sum(self.changed[network.name] for network in networks)
            row = update(optimizer.name, optimizer.arguments)
            updates += (row.operations + 1) * count
            kept += row.slots * count
        return updates, kept

    def add(self, value: _Seen, forward: float, backward: float, nbytes: float, way: _Way) -> None:
        """Work on a value, for all its indices, for each example or once."""
        use = self.each if EXAMPLE in value.axes else self.once
        times = prod(self.extents[axis] for axis in value.axes if axis != EXAMPLE)
        use.forward += forward * times * way.forward
        use.backward += backward * times * way.message
        use.bytes += nbytes * times * way.forward

    def new(self, place: str, way: _Way) -> _Way:
        """The ways in which a place has not been counted yet."""
        before = self.done.get(place, _Way(False, False))
        self.done[place] = _Way(before.forward or way.forward, before.message or way.message)
        return _Way(way.forward and not before.forward, way.message and not before.message)

    def joined(self, given: Type, value: _Seen, way: _Way, left: _Way) -> None:
        """A further message to a value that has had one is added to it."""
        if value.trained and way.message and not left.message:
            self.add(value, 0, prod(given.shape), 0, way)

    def term(self, term: t.Term, way: _Way) -> _Seen:
        """Counts a term in some ways."""
        return _COST.of(term)(term, self, way)

    def network(self, plan: NetworkPlan, given: t.Term | None, way: _Way) -> _Seen:
        """A network on its own input, once, or on another."""
        place = f"network {plan.name}"
        if given is None:
            left = self.new(place, way)
            if place in self.seen:
                self.joined(plan.output, self.seen[place], way, left)
            if not (left.forward or left.message):
                return self.seen[place]
            way = left
        row = mode_of(self.program.gradient, plan.name)
        inner = way if row.route == "body" else way.without_message()
        origin = given if given is not None else plan.input
        source = self.term(origin, way.without_message())
        shared = f"each of {plan.name}"
        self.extents[shared] = plan.each or 1
        over = _Seen(source.trained, source.axes | {shared})
        looked_up = plan.layers[0] if given is None and plan.index is not None else None
        trained, reached = self.layers(plan.layers, plan.name, over, inner, row.freezes_weights, looked_up)
        if row.route != "body":
            trained, reached = source.trained and row.route == "carrier", way.message and row.route == "carrier"
        if reached:
            self.term(origin, _Way(False, True))
        seen = _Seen(trained, source.axes)
        self.add(seen, 0, row.backward_flops * prod(plan.output.shape) * trained, 0, way)
        if given is None:
            self.seen[place] = seen
        return seen

    def layers(
        self, layers: tuple[LayerPlan, ...], network: str, given: _Seen, way: _Way, frozen: bool,
        looked_up: LayerPlan | None = None,
    ) -> tuple[bool, bool]:  # fmt: skip
        """Layers on an input; says whether anything trained lies in the output, and whether a message comes to the input.

        A message comes from the end, so they are walked backwards, each knowing what lies before it.
        """
        before = self.before(layers, network, given.trained, frozen)
        message = way.message
        for layer, upstream in zip(reversed(layers), reversed(before[:-1]), strict=True):
            passed = _Way(way.forward, message)
            message = self.layer(layer, network, _Seen(upstream, given.axes), passed, frozen, layer is looked_up)
        return before[-1], message

    def layer(
        self, layer: LayerPlan, network: str, given: _Seen, way: _Way, frozen: bool, looked_up: bool = False
    ) -> bool:
        """One layer; says whether a message comes to its input. Of one that is looked up, rows are summed backwards."""
        size = prod(layer.output.shape)
        if layer.kind == "repeat":
            upstream = [given.trained]
            for block in layer.blocks:
                last = self.before(block, network, upstream[-1], frozen)[-1]
                upstream.append(last or (layer.skip and upstream[-1]))
            message = way.message
            for block, trained in zip(reversed(layer.blocks), reversed(upstream[:-1]), strict=True):
                over = _Seen(trained, given.axes)
                _, reached = self.layers(block, network, over, _Way(way.forward, message), frozen)
                if layer.skip:
                    self.add(over, size, size * trained, self.given(layer), _Way(way.forward, message))
                message = reached or (layer.skip and message)
            return message
        row = self.mode(layer, network)
        inner = way if row.route == "body" else way.without_message()
        passed = way.message and row.route != "nowhere"
        held = self.given(layer) * (2 if layer.config.get("activation") else 1)
        if layer.body is not None:
            self.seen[layer.parameter] = given
            self.term(layer.body, inner)
            self.add(given, 0, row.backward_flops * size * given.trained, 0, way)
            return passed
        own = self.own(layer, network, frozen)
        forward, backward = LAYERS[layer.row].work(layer.input.shape, layer.output.shape, layer.config)
        backward = backward * (own or given.trained)
        if looked_up:
            backward += size * own
        else:
            forward, backward = forward + layer.flops, backward + layer.flops * (own + given.trained)
        self.add(given, forward, backward, held, inner)
        self.add(given, 0, row.backward_flops * size * self.trained(layer, network, given.trained, frozen), 0, way)
        return passed

    def mode(self, layer: LayerPlan, network: str) -> GradientMode:
        return mode_of(self.program.gradient, f"{network}.{layer.key}")

    def own(self, layer: LayerPlan, network: str, frozen: bool) -> bool:
        """Whether a layer's own weights are trained."""
        trained = any(name not in layer.untrained for name in layer.weights)
        return trained and not frozen and not self.mode(layer, network).freezes_weights

    def before(self, layers: tuple[LayerPlan, ...], network: str, upstream: bool, frozen: bool) -> list[bool]:
        """Whether anything trained lies in what comes before each layer, and in what the last one makes."""
        trained = [upstream]
        for layer in layers:
            trained.append(self.trained(layer, network, trained[-1], frozen))
        return trained

    def trained(self, layer: LayerPlan, network: str, upstream: bool, frozen: bool) -> bool:
        """Whether anything trained lies in a layer's output."""
        if layer.kind == "repeat":
            for block in layer.blocks:
                upstream = self.before(block, network, upstream, frozen)[-1] or (layer.skip and upstream)
            return upstream
        route = self.mode(layer, network).route
        if route == "nowhere":
            return False
        return upstream or (route == "body" and self.own(layer, network, frozen))


_COST: TermPass[[_Counter, _Way], _Seen] = TermPass("cost")
_COST.exclude("what is drawn is not counted", t.Sample)
_COST.exclude("measures are not counted", t.Expectation, t.Gradient, t.GradientStatistic, t.SamplingFloor)


@_COST.case(t.Literal, t.StepNumber)
def _number(term: t.Term, counter: _Counter, way: _Way) -> _Seen:
    """What is there already costs nothing."""
    return _Seen()


@_COST.case(t.Weight, t.AllWeights)
def _weights(term: t.Weight | t.AllWeights, counter: _Counter, way: _Way) -> _Seen:
    return _Seen(trained=True)


@_COST.case(t.Reference)
def _reference(term: t.Reference, counter: _Counter, way: _Way) -> _Seen:
    name = term.name
    if term.phase != "outputs":
        return _Seen(axes=frozenset({EXAMPLE} if term.phase == "example" else ()))
    left = counter.new(name, way)
    if left.forward or left.message:
        counter.seen[name] = counter.term(counter.outputs[name], left)
    counter.joined(term.type, counter.seen[name], way, left)
    return counter.seen[name]


@_COST.case(t.Parameter)
def _parameter(term: t.Parameter, counter: _Counter, way: _Way) -> _Seen:
    return counter.seen[term.key]


@_COST.case(t.IndexVariable)
def _index_variable(term: t.IndexVariable, counter: _Counter, way: _Way) -> _Seen:
    counter.extents[term.key] = term.extent
    return _Seen(axes=frozenset({term.key}))


@_COST.case(t.NetworkOutput)
def _network_output(term: t.NetworkOutput, counter: _Counter, way: _Way) -> _Seen:
    return counter.network(counter.networks[term.network], term.input, way)


@_COST.case(t.Comprehend)
def _comprehend(term: t.Comprehend, counter: _Counter, way: _Way) -> _Seen:
    inner = counter.term(term.body, way)
    return _Seen(inner.trained, inner.axes - {index.key for index in term.indices})


@_COST.case(t.Stop)
def _stop(term: t.Stop, counter: _Counter, way: _Way) -> _Seen:
    return _Seen(axes=counter.term(term.operand, way.without_message()).axes)


@_COST.case(t.Stack, t.Cut)
def _moved(term: t.Stack | t.Cut, counter: _Counter, way: _Way) -> _Seen:
    """Moving values is no operation."""
    seen = _Seen()
    for child in t.children(term):
        seen |= counter.term(child, way)
    return seen


@_COST.case(t.Gather)
def _gather(term: t.Gather, counter: _Counter, way: _Way) -> _Seen:
    source = counter.term(term.array, way)
    seen = source | _Seen(axes=counter.term(term.index, way.without_message()).axes)
    counter.add(seen, 0, prod(term.type.shape) * source.trained, counter.size(term.type), way)
    return seen


@_COST.case(t.Operate)
def _operate(term: t.Operate, counter: _Counter, way: _Way) -> _Seen:
    """An operation: forwards, and backwards to every argument that holds anything trained."""
    row = OPERATION_WORK[term.operation]
    passes = row.passes and term.type.kind == "real"
    inner = way if passes else way.without_message()
    arguments = [counter.term(item, inner) for item in term.arguments]
    found = _Seen()
    for argument in arguments:
        found |= argument
    shapes, result = [item.type.shape for item in term.arguments], term.type.shape
    entries = row.entries(shapes, result)
    backward = 0.0
    for place, (argument, shape) in enumerate(zip(arguments, shapes, strict=True)):
        if argument.trained:
            backward += row.backwards(place) * entries
            if OPERATIONS[term.operation].elementwise and (shape != result or argument.axes != found.axes):
                backward += prod(result)  # summed over what it was spread along
    counter.add(found, row.forward * entries, backward, counter.size(term.type), inner)
    return found if passes else _Seen(axes=found.axes)


@_COST.case(t.Invoke)
def _invoke(term: t.Invoke, counter: _Counter, way: _Way) -> _Seen:
    """A user's function, along the backward pass that its mode makes."""
    row = mode_of(counter.program.gradient, term.function)
    route = "body" if row.route == "carrier" and term.carrier is None else row.route
    past = route in ("carrier", "nowhere")
    arguments = [
        counter.term(item, way.without_message() if past and place != term.carrier else way)
        for place, item in enumerate(term.arguments)
    ]
    counter.seen.update(zip(term.parameters, arguments, strict=True))
    seen = counter.term(term.body, way if route == "body" else way.without_message())
    if route == "nowhere":
        return _Seen(axes=seen.axes)
    if route == "carrier":
        assert term.carrier is not None
        seen = _Seen(arguments[term.carrier].trained, seen.axes | arguments[term.carrier].axes)
    elif route == "expression":
        assert term.surrogate is not None
        seen = _Seen(counter.term(term.surrogate, way).trained, seen.axes)
    counter.add(seen, 0, row.backward_flops * prod(term.type.shape) * seen.trained, 0, way)
    return seen
