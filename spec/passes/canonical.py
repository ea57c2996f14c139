"""What digests are taken over: terms, layers and networks as nested lists, with names and constants opened."""

from __future__ import annotations

import hashlib
from math import copysign
from typing import Any

import numpy as np

from ..ir import terms as t
from ..ir.plan import InitialValue, LayerPlan, NetworkPlan, Program
from ..ir.types import Type


class Walk:
    """Terms to nested lists; gathers the bindings and networks that they reach."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.named = {item.name: item for item in (*program.draws, *program.examples, *program.outputs)}
        self.plans = {plan.name: plan for plan in program.networks}
        self.reached: dict[str, Any] = {}
        self.used: dict[str, Any] = {}

    def term(self, term: t.Term, names: dict[str, Any] | None = None) -> Any:
        """The meaning of a term; `names` numbers the parameters and indices in scope."""
        names = names or {}

        def go(inner: t.Term) -> Any:
            return self.term(inner, names)

        match term:
            case t.Literal(value):
                return self.constant(value, term.type)
            case t.Reference(name, "outputs"):
                return self.term(self.named[name].term)
            case t.Reference(name, phase):
                self.reach(name, phase)
                return ["name", name]
            case t.Parameter(key):
                return names.get(key, ["parameter"])
            case t.IndexVariable(key, extent):
                return ["index", names.get(key, key), extent]
            case t.Operate(operation, arguments, static):
                told = {k: self.value(v) for k, v in static.items()}
                return [operation, term.type.kind, [go(item) for item in arguments], told]
            case t.Invoke(function, parameters, arguments, body, _, surrogate):
                inner = {**names, **{key: go(argument) for key, argument in zip(parameters, arguments, strict=True)}}
                mode = self.program.gradient.get(function)
                meaning = self.term(body, inner)
                if mode is None:
                    return meaning
                soft = self.term(surrogate, inner) if surrogate is not None else None
                passed = [go(argument) for argument in arguments]
                return ["mode", mode.name, mode.value, term.type.kind, meaning, soft, passed]
            case t.Comprehend(indices, body):
                inner = {**names, **{index.key: len(names) + place for place, index in enumerate(indices)}}
                return ["for", [index.extent for index in indices], self.term(body, inner)]
            case t.Gather(array, index, axis):
                return ["gather", go(array), go(index), axis]
            case t.Cut(array, axis, first, last):
                return ["cut", go(array), axis, first, last]
            case t.Stack(items):
                return ["stack", [go(item) for item in items]]
            case t.Stop(operand):
                return ["stop", go(operand)]
            case t.Sample(distribution, path, sizes, parameters, shape):
                given = {name: go(value) for name, value in parameters.items()}
                return ["sample", distribution, list(path), dict(sizes), given, list(shape)]
            case t.NetworkOutput(network, given):
                self.network(network)
                return ["network", network, None if given is None else go(given)]
            case t.Weight(network, layer, weight):
                self.network(network)
                return ["weight", network, layer, weight]
            case t.AllWeights(network, layer):
                self.network(network)
                return ["weights", network, layer]
            case t.Expectation(body, quantile):
                return ["expectation", go(body), quantile]
            case t.Gradient(of, weights):
                return ["gradient", go(of), go(weights)]
            case t.GradientStatistic(statistic, of, weights, examples, over, draws, every):
                return [statistic, go(of), go(weights), examples, list(over), draws, list(every)]
            case t.SamplingFloor(statistic):
                return ["floor", go(statistic)]
            case t.StepNumber():
                return ["step"]
        raise TypeError(type(term).__name__)

    def reach(self, name: str, phase: str) -> None:
        """Notes a draw or an example's binding, and all that it reaches."""
        if name not in self.reached:
            self.reached[name] = None
            self.reached[name] = [phase, self.binding(self.named[name].term, phase)]

    def binding(self, term: t.Term, phase: str) -> Any:
        """The meaning of a draw or of an example's binding."""
        return self.term(term)

    def constant(self, value: np.ndarray[Any, Any], given: Type) -> Any:
        """A constant of the language: its kind, its shape, and every value exactly."""
        if value.size > 64:
            content = np.ascontiguousarray(value)
            sum_ = hashlib.sha256(content.astype(content.dtype.newbyteorder("<"), copy=False).tobytes()).hexdigest()
            return ["array", given.kind, str(value.dtype.newbyteorder("=")), list(value.shape), sum_]
        return ["array", given.kind, list(value.shape), [repr(item) for item in value.ravel().tolist()]]

    def value(self, value: Any) -> Any:
        """What a layer, an optimiser or an operation is told beside its arguments: numbers by value, of whichever kind."""
        if isinstance(value, t.Term):
            return self.term(value)
        if isinstance(value, np.ndarray):
            return ["array", list(value.shape), [self.value(item) for item in value.ravel().tolist()]]
        if isinstance(value, bool) or value is None or isinstance(value, str):
            return value
        if isinstance(value, int | np.integer):
            return repr(int(value))
        if isinstance(value, float | np.generic):
            number = float(value)
            whole = number.is_integer() and abs(number) < 2**53 and (number != 0 or copysign(1, number) > 0)
            return repr(int(number)) if whole else repr(number)
        if isinstance(value, tuple | list):
            return [self.value(item) for item in value]
        return {str(key): self.value(item) for key, item in dict(value).items()}

    def network(self, name: str) -> None:
        """Notes a network and all that it reaches."""
        if name in self.used:
            return
        self.used[name] = None
        self.used[name] = self.stack(self.plans[name])

    def stack(self, plan: NetworkPlan) -> Any:
        """A network's meaning."""
        return [self.term(plan.input), [self.layer(layer) for layer in plan.layers], plan.each, plan.squeeze]

    def layer(self, layer: LayerPlan) -> Any:
        """A layer's meaning."""
        starts = {name: self.start(start) for name, start in layer.initializers.items()}
        kept = {name: self.start(start) for name, start in layer.constraints.items()}
        body = self.term(layer.body, {layer.parameter: ["parameter"]}) if layer.body is not None else None
        blocks = [[self.layer(inner) for inner in block] for block in layer.blocks]
        config = {name: self.value(value) for name, value in layer.config.items()}
        return [layer.key, layer.kind, layer.keras, config, starts, kept, body, blocks, layer.skip, layer.examples]

    def start(self, start: InitialValue) -> Any:
        """An initialiser's meaning."""
        return [start.keras, {name: self.value(value) for name, value in start.arguments.items()}]

    def bindings(self) -> Any:
        """The draws and example bindings that were reached."""
        return dict(sorted(self.reached.items()))

    def networks(self) -> Any:
        """The networks that were reached."""
        return dict(sorted(self.used.items()))
