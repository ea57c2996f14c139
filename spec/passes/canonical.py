"""What digests are taken over: terms, layers and networks as nested lists, with names and constants opened."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import partial
from math import copysign
from typing import Any

import numpy as np

from ..ir import terms as t
from ..ir.plan import EstimatePlan, InitialValue, LayerPlan, MeasurePlan, Mode, Named, NetworkPlan, Program
from ..ir.term_pass import TermPass
from ..ir.types import Type
from ..tables.gradient_modes import mode_of
from ..tables.layers import row_of
from .whole_quotients import divides_exactly

FUNCTION_NUMBERS = 1
"""Raised whenever functions that are layers, with ints, bools or `stop` in them, give other numbers than before: what came before such a function
was not trained where one stood in it at all (version 0), or was where all of its argument went through `stop`."""
OUTPUT_NUMBERS = 1
"""Raised whenever layers' outputs of a network with a mode that passes it by or stops it give other gradients than before: they went on to the
network's input under `stop`, and reached none of its weights under `forward_only` (version 0)."""


class Walk:
    """Terms to nested lists; gathers the bindings and networks that they reach."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.named: dict[str, Named | MeasurePlan] = {
            item.name: item for item in (*program.draws, *program.examples, *program.outputs)
        }
        self.named |= {item.name: item for item in program.statistics}
        self.estimates = {item.name: item for item in program.estimates}
        self.plans = {plan.name: plan for plan in program.networks}
        self.reached: dict[str, Any] = {}
        self.used: dict[str, Any] = {}

    def term(self, term: t.Term, names: dict[str, Any] | None = None) -> Any:
        """The meaning of a term; `names` numbers the parameters and indices in scope."""
        return _MEANING.of(term)(term, self, names or {})

    def reach(self, name: str, stage: str) -> None:
        """Notes a draw or an example's binding, and all that it reaches."""
        if name not in self.reached:
            self.reached[name] = None
            estimate = self.estimates.get(name)
            self.reached[name] = [
                stage,
                self.binding(self.named[name].term, stage) if estimate is None else self.estimate(estimate),
            ]

    def binding(self, term: t.Term, stage: str) -> Any:
        """The meaning of a draw or of an example's binding."""
        return self.term(term)

    def estimate(self, estimate: EstimatePlan) -> Any:
        """The meaning of an estimate: what is taken, over how many examples, and at the end of which phase."""
        return [self.term(estimate.term), estimate.examples, self.phase(estimate.phase)]

    def streams(self) -> list[Any]:
        """What each test stream says otherwise."""
        own = {id(item) for item in self.program.examples}
        return [
            [name, [[item.name, self.term(item.term)] for item in items if id(item) not in own]]
            for name, items in self.program.streams.items()
        ]

    def phase(self, name: str) -> int | None:
        """A phase by its place in the training; None where there is none of that name."""
        plan = self.program.training
        return next((n for n, one in enumerate(plan.phases) if one.name == name), None) if plan and name else None

    def constant(self, value: np.ndarray[Any, Any], given: Type) -> Any:
        """A constant of the language: its kind, its shape, and every value exactly."""
        if value.size > 64:
            content = np.ascontiguousarray(value)
            sum_ = hashlib.sha256(content.astype(content.dtype.newbyteorder("<"), copy=False).tobytes()).hexdigest()
            return ["array", given.kind, str(value.dtype.newbyteorder("=")), list(value.shape), sum_]
        return ["array", given.kind, list(value.shape), [repr(item) for item in value.ravel().tolist()]]

    def number(self, mode: Mode) -> Any:
        """The number of a gradient mode: as it is, or what it means where it changes in training."""
        return self.argument(mode.value) if isinstance(mode.value, t.Term) else mode.value

    def argument(self, value: Any) -> Any:
        """What a layer is told: a number that changes in training by what it means."""
        return self.value(value)

    def given(self, value: Any) -> Any:
        """A number of an optimiser that may be another in each row of a compiled program."""
        return self.value(value)

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
        parts = [[part.name, str(part.type)] for part in plan.parts]
        stack = [self.term(plan.input), [self.layer(layer) for layer in plan.layers], plan.each, plan.squeeze]
        copies = [["copies", plan.copies]] if plan.copies is not None else []
        return [*stack, *([parts] if parts else []), *copies]

    def layer(self, layer: LayerPlan) -> Any:
        """A layer's meaning."""
        starts = {name: self.start(start) for name, start in layer.initializers.items()}
        kept = {name: self.start(start) for name, start in layer.constraints.items()}
        body = self.term(layer.body, {layer.parameter: ["parameter"]}) if layer.body is not None else None
        blocks = [[self.layer(inner) for inner in block] for block in layer.blocks]
        config = {name: self.argument(value) for name, value in layer.config.items()}
        parts: list[Any] = [list(layer.parts)] if layer.parts else []
        row = row_of(layer)
        parts += [["numbers", row.numbers]] if row is not None and row.numbers else []
        if layer.body is not None and _turns(layer.body):
            parts += [["numbers", FUNCTION_NUMBERS]]
        if layer.kept_by:
            functions = layer.kept_by.items()
            parts += [
                ["kept by", {name: self.term(one.body, {one.parameter: ["parameter"]}) for name, one in functions}]
            ]
        return [
            layer.key,
            layer.kind,
            layer.keras,
            config,
            starts,
            kept,
            body,
            blocks,
            layer.skip,
            layer.examples,
            *parts,
        ]

    def start(self, start: InitialValue) -> Any:
        """An initialiser's meaning."""
        return [start.keras, {name: self.value(value) for name, value in start.arguments.items()}]

    def bindings(self) -> Any:
        """The draws and example bindings that were reached."""
        return dict(sorted(self.reached.items()))

    def networks(self) -> Any:
        """The networks that were reached."""
        return dict(sorted(self.used.items()))


Scope = dict[str, Any]
"""Of the parameters and indices in scope: what the parameters mean, and the numbers of the indices."""
_MEANING: TermPass[[Walk, Scope], Any] = TermPass("meaning")


def _all(terms: Iterable[t.Term], walk: Walk, names: Scope) -> list[Any]:
    return list(map(partial(walk.term, names=names), terms))


@_MEANING.case(t.Literal)
def _literal(term: t.Literal, walk: Walk, names: Scope) -> Any:
    return walk.constant(term.value, term.type)


@_MEANING.case(t.SweptConstant)
def _swept_constant(term: t.SweptConstant, walk: Walk, names: Scope) -> Any:
    return ["swept", term.type.kind, list(term.type.shape), term.place]


@_MEANING.case(t.Reference)
def _reference(term: t.Reference, walk: Walk, names: Scope) -> Any:
    if term.stage == "outputs":
        return walk.term(walk.named[term.name].term)
    walk.reach(term.name, term.stage)
    return ["name", term.name]


@_MEANING.case(t.Parameter)
def _parameter(term: t.Parameter, walk: Walk, names: Scope) -> Any:
    return names.get(term.key, ["parameter"])


@_MEANING.case(t.IndexVariable)
def _index_variable(term: t.IndexVariable, walk: Walk, names: Scope) -> Any:
    return ["index", names.get(term.key, term.key), term.extent]


@_MEANING.case(t.StepNumber)
def _step_number(term: t.StepNumber, walk: Walk, names: Scope) -> Any:
    return (
        ["step"] if term.counter == "step" and term.type.kind == "real" else ["counter", term.counter, term.type.kind]
    )


@_MEANING.case(t.FileValue)
def _file_value(term: t.FileValue, walk: Walk, names: Scope) -> Any:
    return ["file", term.type.kind, list(term.type.shape), list(term.checksums), term.several]


@_MEANING.case(t.Operate)
def _operate(term: t.Operate, walk: Walk, names: Scope) -> Any:
    static = {name: walk.value(value) for name, value in term.static.items()}
    if divides_exactly(term):  # versions before multiplied by the reciprocal
        static["division"] = "once"
    return [term.operation, term.type.kind, _all(term.arguments, walk, names), static]


@_MEANING.case(t.Invoke)
def _invoke(term: t.Invoke, walk: Walk, names: Scope) -> Any:
    arguments = _all(term.arguments, walk, names)
    inner = {**names, **dict(zip(term.parameters, arguments, strict=True))}
    mode = walk.program.gradient.get(term.function)
    meaning = walk.term(term.body, inner)
    if mode is None:
        return meaning
    surrogate = term.surrogate if mode_of(walk.program.gradient, term.function).takes_expression else None
    soft = walk.term(surrogate, inner) if surrogate is not None else None
    return ["mode", mode.name, walk.number(mode), term.type.kind, meaning, soft, arguments]


@_MEANING.case(t.Scan)
def _scan(term: t.Scan, walk: Walk, names: Scope) -> Any:
    inner = {**names, **{key: ["turn", len(names) + place] for place, key in enumerate(term.parameters)}}
    given = _all(term.arguments, walk, names)
    return ["scan", given, term.steps, term.every, term.type.kind, walk.term(term.body, inner)]


@_MEANING.case(t.Comprehend)
def _comprehend(term: t.Comprehend, walk: Walk, names: Scope) -> Any:
    inner = {**names, **{index.key: len(names) + place for place, index in enumerate(term.indices)}}
    return ["for", [index.extent for index in term.indices], walk.term(term.body, inner)]


@_MEANING.case(t.Gather)
def _gather(term: t.Gather, walk: Walk, names: Scope) -> Any:
    return ["gather", walk.term(term.array, names), walk.term(term.index, names), term.axis]


@_MEANING.case(t.Cut)
def _cut(term: t.Cut, walk: Walk, names: Scope) -> Any:
    return ["cut", walk.term(term.array, names), term.axis, term.first, term.last]


@_MEANING.case(t.Stack)
def _stack(term: t.Stack, walk: Walk, names: Scope) -> Any:
    return ["stack", _all(term.items, walk, names)]


@_MEANING.case(t.Stop)
def _stop(term: t.Stop, walk: Walk, names: Scope) -> Any:
    return ["stop", walk.term(term.operand, names)]


@_MEANING.case(t.Recalled)
def _recalled(term: t.Recalled, walk: Walk, names: Scope) -> Any:
    return ["recalled", term.moment, walk.phase(term.phase), term.number, walk.term(term.operand, names)]


@_MEANING.case(t.WithWeights)
def _with_weights(term: t.WithWeights, walk: Walk, names: Scope) -> Any:
    return ["with weights", *_all((term.operand, term.replaced, term.weights), walk, names)]


@_MEANING.case(t.Sample)
def _sample(term: t.Sample, walk: Walk, names: Scope) -> Any:
    parameters = {name: walk.term(value, names) for name, value in term.parameters.items()}
    return ["sample", term.distribution, list(term.path), dict(term.sizes), parameters, list(term.shape)]


@_MEANING.case(t.NetworkOutput)
def _network_output(term: t.NetworkOutput, walk: Walk, names: Scope) -> Any:
    walk.network(term.network)
    own = None if term.input is None else walk.term(term.input, names)
    passed_by = term.layer is not None and mode_of(walk.program.gradient, term.network).route != "body"
    return [
        "network",
        term.network,
        own,
        *([term.layer] if term.layer is not None else []),
        *([OUTPUT_NUMBERS] * passed_by),
    ]


@_MEANING.case(t.Weight)
def _weight(term: t.Weight, walk: Walk, names: Scope) -> Any:
    walk.network(term.network)
    return ["weight", term.network, term.layer, term.weight]


@_MEANING.case(t.AllWeights)
def _all_weights(term: t.AllWeights, walk: Walk, names: Scope) -> Any:
    walk.network(term.network)
    return ["weights", term.network, term.layer]


@_MEANING.case(t.Expectation)
def _expectation(term: t.Expectation, walk: Walk, names: Scope) -> Any:
    chosen: list[Any] = []
    if term.where is not None:  # the condition of a mean is in its body; versions before rounded its quotient twice
        chosen = [walk.term(term.where, names) if term.quantile is not None else {"quotient": "of sums"}]
    stream = [{"on": term.on}] if term.on is not None else []
    stream += [{"mode": term.mode}] if term.mode is not None else []
    return ["expectation", walk.term(term.body, names), term.quantile, *chosen, *stream]


@_MEANING.case(t.Gradient)
def _gradient(term: t.Gradient, walk: Walk, names: Scope) -> Any:
    return ["gradient", walk.term(term.of, names), walk.term(term.weights, names)]


@_MEANING.case(t.ValueGradient)
def _value_gradient(term: t.ValueGradient, walk: Walk, names: Scope) -> Any:
    return ["gradient by", walk.term(term.of, _held(term.by, names)), walk.term(term.by, names)]


def _held(by: t.By, names: Scope) -> Scope:
    """The scope of what a derivative is taken of: a parameter that it is taken by is a value of its own, however that was made."""
    return {**names, by.key: ["taken by", len(names)]} if isinstance(by, t.Parameter) else names


@_MEANING.case(t.Directional)
def _directional(term: t.Directional, walk: Walk, names: Scope) -> Any:
    of = walk.term(term.of, _held(term.by, names))
    return ["hessian" if term.twice else "directional", of, *_all((term.by, term.along), walk, names)]


@_MEANING.case(t.BatchMean)
def _batch_mean(term: t.BatchMean, walk: Walk, names: Scope) -> Any:
    return ["batch mean", walk.term(term.body, names)]


@_MEANING.case(t.GradientStatistic)
def _gradient_statistic(term: t.GradientStatistic, walk: Walk, names: Scope) -> Any:
    parts = _all((term.of, term.weights), walk, names)
    options = [walk.value(term.options)] if term.options else []
    options += [term.on] if term.on != "test" else []
    return [term.statistic, *parts, term.examples, list(term.over), term.draws, list(term.every), *options]


@_MEANING.case(t.LeftOut)
def _left_out(term: t.LeftOut, walk: Walk, names: Scope) -> Any:
    return ["left out"]


@_MEANING.case(t.SamplingFloor)
def _sampling_floor(term: t.SamplingFloor, walk: Walk, names: Scope) -> Any:
    return ["floor", walk.term(term.of, names)]


def _turns(body: t.Term) -> bool:
    """Whether anything stands in a function at which a gradient ends."""
    return any(isinstance(item, t.Stop) or item.type.kind != "real" for item in t.walk(body))
