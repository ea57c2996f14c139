"""What a program costs: parameters, floating-point operations and memory, counted from its plan without running it.

The rule. A multiply-add is two operations; any other elementwise operation is one. Forwards, a network costs what its
layers' rows say (`spec/layers.py`), one operation an output for a bias and one for an activation; terms of the loss cost
one operation an entry, a product of arrays two a multiply-add. Backwards, a layer with a kernel costs its forward count
for the kernel, and once more for its input where anything trained lies before it; other operations cost their forward
count. The optimiser costs a few operations a parameter. Drawing examples is not in it: that is integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from . import terms as t
from .dtypes import BYTES, DTYPES
from .operations import OPERATIONS
from .resolved import LayerPlan, NetworkPlan, OptimizerPlan, Program
from .types import Type

CHUNK_BYTES = 64 * 2**20
"""How much memory the widest value of one pass of an evaluation may take."""
UPDATE = {
    "sgd": 2,
    "adam": 12,
    "adamw": 14,
    "rmsprop": 8,
    "adagrad": 6,
    "adadelta": 12,
    "adamax": 9,
    "nadam": 16,
    "lion": 8,
    "lamb": 18,
}
"""Operations of an update, a parameter."""
SLOTS = {
    "sgd": 0,
    "adam": 2,
    "adamw": 2,
    "rmsprop": 1,
    "adagrad": 1,
    "adadelta": 2,
    "adamax": 2,
    "nadam": 2,
    "lion": 1,
    "lamb": 2,
}
"""Values that an optimiser keeps, a parameter."""


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


def memory(program: Program, batch: int | None = None, replicates: int | None = None) -> int:
    """The bytes of a program at its peak: its state, and the larger of a training step and a pass of an evaluation.

    All replicates lie side by side, unless an optimiser mixes the entries of a weight.
    """
    found = cost(program)
    plan = program.training
    alone = plan is not None and not all(item.elementwise for item in plan.optimizers.values())
    count = 1 if alone else (replicates or program.replicates)
    size = (batch or plan.batch) if plan is not None else 0
    at_once = chunk(program, program.evaluated("test"), count)
    return count * (found.state_bytes + max(size * found.example_bytes, at_once * found.evaluated_bytes))


def chunk(program: Program, wanted: int, replicates: int, *more: int) -> int:
    """How many of some examples are evaluated at once; `more` are the bytes of what else one of them needs."""
    layers = [layer.output.bytes for network in program.networks for layer in network.leaves()]
    widest = max([item.type.bytes for item in program.examples] + [max(layers, default=4), 4, *more])
    return max(1, min(wanted, CHUNK_BYTES // (widest * replicates)))


def shapes(network: NetworkPlan) -> str:
    """A network's shapes from its input on: `[100] → 100 → 1`."""
    found = [str(list(network.input.type.shape[1 if network.each else 0 :]))]
    for layer in network.leaves():
        if layer.weights and layer.kind == "keras":
            shape = layer.output.shape
            found.append(str(shape[0]) if len(shape) == 1 else "×".join(map(str, shape)))
    return (f"{network.each} × " if network.each else "") + " → ".join(found)


@dataclass
class _Use:
    """What applying something to one example takes: operations both ways, and bytes held for the way back."""

    forward: float = 0
    backward: float = 0
    bytes: float = 0


class _Counter:
    """Walks what the loss reaches; a binding is computed once, a network on its own input too."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.dtype = DTYPES[program.dtype]
        self.item = BYTES[self.dtype.real]
        self.outputs = {item.name: item.term for item in program.outputs}
        self.networks = {plan.name: plan for plan in program.networks}
        self.use = _Use()
        self.done: set[str] = set()
        self.trained: dict[str, bool] = {}
        """Whether an output depends on weights."""
        self.bound: dict[str, bool] = {}
        """Whether a function's argument does."""

    def cost(self) -> Cost:
        program = self.program
        for term in program.loss if program.training else ():
            self.term(term.term, 1)
        forward, backward, held = self.use.forward, self.use.backward, self.use.bytes
        parameters = sum(network.parameters for network in program.networks)
        weights = sum(
            prod(shape)
            for network in program.networks
            for layer in network.leaves()
            for shape in layer.weights.values()
        )
        examples = sum(self.size(item.type) for item in program.examples)
        plan = program.training
        update, kept = self._optimizers(parameters)
        layers = sum(self.given(layer) * (n.each or 1) for n in program.networks for layer in _leaves(n.layers))
        widest = max([self.given(layer) for n in program.networks for layer in _leaves(n.layers)], default=0)
        rounded = weights * self.dtype.bytes if self.dtype.layers != self.dtype.real else 0
        return Cost(
            parameters, round(forward), round((forward + backward) * plan.batch + update) if plan else 0,
            (weights + (kept + parameters if plan else 0)) * self.item + rounded,
            round(2 * held + 2 * examples), 2 * examples + min(layers, 3 * widest),
        )  # fmt: skip

    def size(self, given: Type) -> int:
        """The bytes of one example's value."""
        return prod(given.shape) * (1 if given.kind == "bool" else 4 if given.kind == "int" else self.item)

    def given(self, layer: LayerPlan) -> int:
        """The bytes of what a layer gives for one example."""
        return prod(layer.output.shape) * self.dtype.bytes

    def _optimizers(self, parameters: int) -> tuple[int, int]:
        """Operations of an update, and values kept, of all optimisers."""
        plan = self.program.training
        updates = kept = 0
        for name, optimizer in plan.optimizers.items() if plan else ():
            count = self.networks[name].parameters if name else parameters
            updates += UPDATE.get(optimizer.name, 10) * count
            kept += _slots(optimizer) * count
        return updates, kept

    # -- terms -------------------------------------------------------------------------------------------------------

    def term(self, term: t.Term, times: int) -> bool:
        """Adds a term's cost, `times` over; says whether anything trained lies in it."""
        match term:
            case t.Reference(name, "outputs"):
                place = f"output {name}"
                if place in self.done:
                    return self.trained[place]
                self.done.add(place)
                self.trained[place] = self.term(self.outputs[name], 1)
                return self.trained[place]
            case t.NetworkOutput(name, given):
                return self.network(self.networks[name], given, times)
            case t.Weight() | t.AllWeights():
                return True
            case t.Invoke(_, parameters, arguments, body, _, surrogate):
                found = [self.term(item, times) for item in arguments]
                self.bound.update(zip(parameters, found, strict=True))
                inner = self.term(body, times)
                if surrogate is not None and inner:
                    self.term(surrogate, times)
                return inner or any(found)
            case t.Parameter(key):
                return self.bound.get(key, False)
            case t.Comprehend(indices, body):
                return self.term(body, times * prod(index.extent for index in indices))
            case t.Stop(operand):
                before = self.use.backward
                self.term(operand, times)
                self.use.backward = before
                return False
            case t.Operate(operation, arguments):
                trained = any([self.term(item, times) for item in arguments])
                self.add(_operations(operation, arguments, term.type) * times, trained, self.size(term.type) * times)
                return trained
        return any([self.term(child, times) for child in t.children(term)])

    def add(self, operations: float, trained: bool, held: float) -> None:
        """One operation: backwards too where something trained lies in it."""
        self.use.forward += operations
        self.use.backward += operations if trained else 0
        self.use.bytes += held

    def network(self, plan: NetworkPlan, given: t.Term | None, times: int) -> bool:
        """A network on its own input, once, or on another."""
        if given is None and plan.name in self.done:
            return True
        if given is None:
            self.done.add(plan.name)
            times = 1
        upstream = self.term(given if given is not None else plan.input, times)
        mode = self.program.gradient.get(plan.name)
        before = self.use.backward
        self.layers(
            plan.layers, plan.name, times * (plan.each or 1), upstream, mode is not None and mode.name == "freeze"
        )
        if mode is not None and mode.name == "stop":
            self.use.backward = before
        return True

    def layers(self, layers: tuple[LayerPlan, ...], network: str, times: int, upstream: bool, frozen: bool) -> bool:
        for layer in layers:
            if layer.kind == "repeat":
                for block in layer.blocks:
                    upstream = self.layers(block, network, times, upstream, frozen)
                continue
            mode = self.program.gradient.get(f"{network}.{layer.key}")
            held = frozen or (mode is not None and mode.name == "freeze") or layer.kind == "whiten"
            size = prod(layer.output.shape)
            use = self.use
            use.bytes += self.given(layer) * times * (2 if layer.config.get("activation") else 1)
            if layer.body is not None:
                self.bound[layer.parameter] = upstream
                self.term(layer.body, times)
                continue
            own = bool(layer.weights) and not held
            use.forward += layer.flops * times
            use.backward += layer.flops * times * (own + upstream)
            extras = size * (("bias" in layer.weights) + (layer.config.get("activation") not in (None, "linear")))
            extras += size * (0 if layer.flops or layer.kind != "keras" else _PASSES.get(layer.keras, 0))
            self.add(extras * times, own or upstream, 0)
            upstream = upstream or own
            if mode is not None and mode.name == "stop":
                upstream = False
        return upstream


_PASSES: Mapping[str, int] = {
    "LayerNormalization": 8,
    "BatchNormalization": 8,
    "Dropout": 2,
    "GaussianNoise": 1,
    "Activation": 0,
    "LeakyReLU": 2,
}
"""Operations an output of layers without a kernel."""


def _leaves(layers: tuple[LayerPlan, ...]) -> Iterator[LayerPlan]:
    for layer in layers:
        if layer.kind == "repeat":
            for block in layer.blocks:
                yield from _leaves(block)
        else:
            yield layer


def _slots(plan: OptimizerPlan) -> int:
    given: Mapping[str, Any] = plan.arguments
    count = SLOTS.get(plan.name, 2) + bool(given.get("use_ema")) + bool(given.get("amsgrad"))
    return count + (bool(given.get("momentum")) if plan.name in ("sgd", "rmsprop") else 0) + bool(given.get("centered"))


def _operations(name: str, arguments: tuple[t.Term, ...], result: Type) -> int:
    """Operations of one application: an entry each; two a multiply-add in products, one an entry summed in reductions."""
    shapes = [item.type.shape for item in arguments]
    entries = max([prod(result.shape), *(prod(shape) for shape in shapes)])
    if OPERATIONS[name].family == "linear algebra" and len(shapes) == 2 and all(shapes):
        return 2 * prod(result.shape) * (shapes[0][-1] if shapes[0] else 1)
    return entries
