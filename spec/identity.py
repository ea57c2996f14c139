"""Identity of a cell: a digest over resolved meaning, not text.

In it: the reachable task, architecture, loss, gradient modes, training (not its evaluation, but for a stopping
condition), seed, dtype, constants by value, the versions of the language and of the numerics, and the kind of device.
Not in it: comments, order, formatting, defaults written out, names of variants, of outputs, functions and constants,
claims, figures, texts, unused names, replicate counts.
Names that seed (experiment, draws, bindings, networks, layers) are meaning.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from . import terms as t
from .resolved import InitialValue, LayerPlan, MeasurePlan, NetworkPlan, Program, StudyPlan

LANGUAGE = 1
NUMERICS = 3
"""Raised whenever the same spec gives other numbers than before."""

CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(meaning: Any) -> str:
    """A short name of a nested structure: 16 hexadecimal digits of SHA-256."""
    return hashlib.sha256(CANONICAL.encode(meaning).encode()).hexdigest()[:16]


def identified(plan: StudyPlan) -> StudyPlan:
    """The plan with the digest of each of its programs."""
    experiments = tuple(
        replace(item, programs=tuple(replace(program, digest=training_digest(program)) for program in item.programs))
        for item in plan.experiments
    )
    return replace(plan, experiments=experiments)


def training_digest(program: Program, device: str = "cpu") -> str:
    """What the trained weights depend on, but for the replicate."""
    return digest([_training(program), device])


def measure_digest(program: Program, measure: MeasurePlan) -> str:
    """What a measure's values depend on, beside the training's digest."""
    walk = _Walk(program)
    term = walk.term(measure.term)
    meaning = [term, walk.bindings(), walk.networks(), measure.on, program.evaluated(measure.on)]
    derived = any(isinstance(item, t.Gradient | t.GradientStatistic) for item in t.walk(measure.term))
    return digest([*meaning, *_data(program), *([walk.modes()] if derived else [])])


def _data(program: Program) -> list[Any]:
    """Where examples come from, beside new ones at every step."""
    plan = program.data
    return [] if plan.kind == "fresh" else [[plan.kind, plan.train, plan.order, list(plan.path)]]


def term_meaning(program: Program, term: t.Term) -> Any:
    """A term as digests take it: functions and outputs opened, constants by value, draws and bindings by name."""
    return _Walk(program).term(term)


def sample_digest(program: Program, term: t.Term, examples: int) -> str:
    """What the values of a term over single test examples depend on, beside the training's digest."""
    walk = _Walk(program)
    return digest(["sample", walk.term(term), walk.bindings(), walk.networks(), examples])


def form_digest(program: Program) -> str:
    """What a program's compiled form depends on: two with the same one run in the same compiled graph.

    Not in it are what the graph is given: seeds, draws (unless a statistic draws them anew), initial weights, learning
    rates that are numbers, how many steps there are and when is evaluated.
    """
    redrawn = any(
        isinstance(item, t.GradientStatistic) and item.over
        for measure in program.measures
        for item in t.walk(measure.term)
    )
    walk = _FormWalk(program, redrawn)
    loss = [[term.name, walk.term(term.term), walk.term(term.weight)] for term in program.loss]
    measures = [
        [measure.name, measure.on, program.evaluated(measure.on), walk.term(measure.term)]
        for measure in program.measures
    ]
    probes = [
        [probe.figure, probe.examples, {label: walk.term(term) for label, term in probe.terms.items()}]
        for probe in program.probes
    ]
    for plan in program.networks:
        walk.network(plan.name)
    for phase, items in (("draw", program.draws), ("example", program.examples)):
        for item in items:
            walk.reach(item.name, phase)
    training = program.training and [
        program.training.batch,
        {
            name: [
                plan.keras,
                {k: walk.value(v) for k, v in plan.arguments.items() if k != "learning_rate" or isinstance(v, t.Term)},
            ]
            for name, plan in program.training.optimizers.items()
        },
    ]
    modes = {name: [mode.name, mode.value] for name, mode in program.gradient.items()}
    parts = [loss, measures, probes, walk.networks(), walk.bindings(), modes, training]
    return digest([program.dtype, *_data(program), program.data.test, *parts])


def _training(program: Program) -> Any:
    walk = _Walk(program)
    head = [LANGUAGE, NUMERICS, program.experiment, program.seed, program.dtype, *_data(program)]
    if program.training is None:
        return [*head, None]
    loss = sorted(json.dumps([walk.term(term.term), walk.term(term.weight)]) for term in program.loss)
    plan = program.training
    optimizers = {
        name: [o.keras, {k: walk.value(v) for k, v in o.arguments.items()}] for name, o in plan.optimizers.items()
    }
    until = _condition(program, plan.until.tree) if plan.until else None
    networks = walk.networks()
    return [*head, loss, networks, walk.bindings(), walk.modes(), optimizers, plan.batch, plan.steps, until]


def _condition(program: Program, tree: Any) -> Any:
    """A stopping condition with what it hangs on: the measures by their meaning, and when they are taken."""
    measures = {measure.name: measure_digest(program, measure) for measure in program.measures}

    def plain(item: Any) -> Any:
        if is_dataclass(item):
            parts = {field.name: getattr(item, field.name) for field in fields(item)}
            if "measure" in parts:
                parts["measure"] = measures[parts["measure"]]
            return [type(item).__name__, {name: plain(part) for name, part in parts.items()}]
        return [plain(part) for part in item] if isinstance(item, tuple | list) else item

    return [plain(tree), list(program.training.evaluations) if program.training else []]


class _Walk:
    """Terms to nested lists; gathers the bindings and networks that they reach."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.named = {item.name: item for item in (*program.draws, *program.examples, *program.outputs)}
        self.plans = {plan.name: plan for plan in program.networks}
        self.reached: dict[str, Any] = {}
        self.used: dict[str, Any] = {}
        self.invoked: set[str] = set()

    def term(self, term: t.Term, names: dict[str, Any] | None = None) -> Any:
        """The meaning of a term; `names` numbers the parameters and indices in scope."""
        names = names or {}

        def go(inner: t.Term) -> Any:
            return self.term(inner, names)

        match term:
            case t.Literal(value):
                return self.value(value)
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
                return [operation, [go(item) for item in arguments], {k: self.value(v) for k, v in static.items()}]
            case t.Invoke(function, parameters, arguments, body, _, surrogate):
                inner = {**names, **{key: go(argument) for key, argument in zip(parameters, arguments, strict=True)}}
                mode = self.program.gradient.get(function)
                meaning = self.term(body, inner)
                if mode is None:
                    return meaning
                soft = self.term(surrogate, inner) if surrogate is not None else None
                return ["mode", mode.name, mode.value, meaning, soft, [go(argument) for argument in arguments]]
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

    def value(self, value: Any) -> Any:
        """A constant by value: real numbers by their shortest exact text."""
        if isinstance(value, t.Term):
            return self.term(value)
        if isinstance(value, np.ndarray):
            if value.size > 64:
                return [
                    "array",
                    str(value.dtype),
                    list(value.shape),
                    hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest(),
                ]
            return ["array", list(value.shape), [self.value(item) for item in value.ravel().tolist()]]
        if isinstance(value, bool) or value is None or isinstance(value, str):
            return value
        if isinstance(value, int | float | np.generic):
            number = float(value)
            return repr(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
        if isinstance(value, tuple | list):
            return [self.value(item) for item in value]
        return {str(key): self.value(item) for key, item in dict(value).items()}

    def network(self, name: str) -> None:
        """Notes a network and all that it reaches."""
        if name in self.used:
            return
        self.used[name] = None
        plan: NetworkPlan = self.plans[name]
        self.used[name] = [self.term(plan.input), [self.layer(layer) for layer in plan.layers], plan.each, plan.squeeze]

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

    def modes(self) -> Any:
        """The gradient modes of reached networks and layers."""
        return {k: [m.name, m.value] for k, m in sorted(self.program.gradient.items()) if k.split(".")[0] in self.used}


class _FormWalk(_Walk):
    """The same without what a compiled graph is given: draws but for their types, and how weights start."""

    def __init__(self, program: Program, redrawn: bool) -> None:
        super().__init__(program)
        self.redrawn = redrawn

    def binding(self, term: t.Term, phase: str) -> Any:
        return self.term(term) if self.redrawn or phase != "draw" else [term.type.kind, list(term.type.shape)]

    def layer(self, layer: LayerPlan) -> Any:
        return super().layer(replace(layer, initializers={}))
