"""What a program costs: parameters, floating-point operations and bytes, counted from its plan without running it.

FLOPs. What one training step of one replicate computes in numbers that are not whole: the loss of a batch forwards, every
gradient backwards, the mean over the batch and the optimiser's update. A multiply-add of a product of matrices
or a convolution is two operations, any other elementwise operation is one (`spec/tables/flops.py` has them all, layers in their rows), moving values is none.
Backwards, a layer with a kernel costs its forward count for the kernel, and once more for its input where anything
trained lies before it. What does not vary with the example is counted once a step. Drawing the examples is not in it: that is
integer arithmetic for the most part, and evaluations are not.
"""

from __future__ import annotations

from dataclasses import astuple, replace
from math import prod

from ..ir import terms as t
from ..ir.axes import EXAMPLE
from ..ir.bodies import made_once
from ..ir.plan import LayerPlan, Phase, Program
from ..ir.term_pass import TermPass
from ..ir.types import Type
from ..tables.dtypes import BYTES, DTYPES
from ..tables.flops import KERNELS, OPERATION_WORK, update
from ..tables.gradient_modes import mode_of, mode_of_output
from .counted_work import Cost, Passes, Provenance, Use
from .derivative_costs import DerivativeCounter, wider, widest_networks
from .operation_costs import kernel_work, operation_work
from .reached_examples import reached
from .trained_weights import trained, trained_parameters

LOSS_WORK = (3, 1)
"""Operations of a term of the loss for each example, forwards and backwards: its weight, its sum, and whether it is finite."""


def cost(program: Program) -> Cost:
    """The cost of a program; of several phases, the most that one of them takes.

    Without training, a step is none, and all memory is the evaluation's.
    """
    phases = program.training.phases if program.training is not None else (None,)
    costs = [astuple(_of_phase(program, phase)) for phase in phases]
    return Cost(*map(max, zip(*costs, strict=True)))


def kernel_bytes(program: Program) -> int:
    """The most that one example takes of a value in a measure, an estimate, a statistic or a figure whose operation has its arguments and
    its result in memory whole, or of a gradient through it; what layers give is not in it."""
    terms = [item.term for items in (program.measures, program.estimates, program.statistics) for item in items]
    terms += [term for probe in program.probes for term in probe.terms.values()]
    if not any(isinstance(item, t.Operate) and item.operation in KERNELS for item in reached(program, terms)):
        return 0
    counter = _Counter(program, None)
    for term in terms:
        counter.term(term, Passes(backward=False))
    return round(counter.each.passing)


def _of_phase(program: Program, phase: Phase | None) -> Cost:
    """The cost of a phase: its step is all of its updates, each as often as it is made."""
    if phase is None or not phase.updates:
        return _Counter(program, phase).cost()
    found = []
    for one in phase.updates:
        alone = replace(phase, loss=one.loss, optimizers=one.optimizers, updates=(replace(one, times=1),))
        found.append(_Counter(program, alone).cost())
    step = sum(cost_.step * one.times for cost_, one in zip(found, phase.updates, strict=True))
    return replace(Cost(*map(max, zip(*map(astuple, found), strict=True))), step=step)


class _Counter(DerivativeCounter):
    """Walks what the loss reaches, as the lowering does: a binding is computed once, a network on its own input too.

    What does not vary from example to example is computed once a step; along an index it is computed for each of its
    values only where it depends on it.
    """

    def __init__(self, program: Program, phase: Phase | None) -> None:
        self.program = program = program.during(phase)
        self.phase = phase
        self.dtype = DTYPES[program.dtype]
        self.item = BYTES[self.dtype.real]
        self.outputs = {item.name: item.term for item in program.outputs}
        self.networks = {plan.name: plan for plan in program.networks}
        self.changed = {plan.name: trained_parameters(program, plan, phase) for plan in program.networks}
        self.widest = widest_networks(program, [term.term for term in phase.loss] if phase else [])
        self.standing = {}
        self.each, self.once = Use(), Use()
        self.extents: dict[str, int] = {}
        self.visited: dict[str, Passes] = {}
        self.provenance: dict[str, Provenance] = {}
        """Of outputs and networks by their places, of functions' arguments by their keys."""

    def cost(self) -> Cost:
        program, phase = self.program, self.phase
        for loss in phase.loss if phase else ():
            both = self.term(loss.term, Passes()) | self.term(loss.weight, Passes())
            self.add(both | Provenance(axes=frozenset({EXAMPLE})), *LOSS_WORK, 0, Passes())
        parameters = sum(network.parameters for network in program.networks)
        leaves = [layer for network in program.networks for layer in network.leaves()]
        weights = sum(prod(shape) for layer in leaves for shape in layer.shapes.values())
        examples = sum(self.size(item.type) for item in program.examples)
        updates, kept = self._optimizers()
        self._constraints()
        layers = [self.given(layer) * n.applications for n in program.networks for layer in n.applied()]
        rounded = weights * self.dtype.bytes if self.dtype.layers != self.dtype.real else 0
        each, once = self.each, self.once
        step = (each.forward + each.backward) * phase.batch + once.forward + once.backward + updates if phase else 0
        return Cost(
            parameters, round(each.forward), round(step),
            (weights + (kept + parameters if phase else 0)) * self.item + rounded,
            round(2 * each.bytes + 2 * examples + each.passing), 2 * examples + sum(layers) + max(layers, default=0),
        )  # fmt: skip

    def size(self, given: Type) -> int:
        """The bytes of one example's value."""
        return prod(given.shape) * (1 if given.kind == "bool" else 4 if given.kind == "int" else self.item)

    def given(self, layer: LayerPlan) -> int:
        """The bytes of what a layer gives for one example."""
        return (prod(layer.output.shape) + layer.inner_entries) * self.dtype.bytes

    def _optimizers(self) -> tuple[int, int]:
        """Operations of an update, the mean over the batch with it, and values kept, of all optimisers."""
        updates = kept = 0
        for name, optimizer in self.phase.optimizers.items() if self.phase else ():
            networks = [self.networks[name]] if name else self.program.networks
            count = sum(self.changed[network.name] for network in networks)
            row = update(optimizer.name, optimizer.arguments)
            scaled = self.program.stored is not None and self.program.stored.loss_scale is not None
            updates += (row.operations + 1 + 2 * scaled) * count  # divided by the scale, and looked at
            kept += row.slots * count
        return updates, kept

    def _constraints(self) -> None:
        """Work on weights that functions keep within bounds, each time that they are changed."""
        changed = trained(self.program, self.phase) if self.phase else ()
        for network in self.program.networks:
            for layer in network.leaves():
                for weight, function in layer.kept_by.items():
                    if (network.name, layer.key, weight) in changed:
                        copies = f"copies of {network.name}"
                        self.extents[copies] = network.copies or 1
                        self.provenance[function.parameter] = Provenance(axes=frozenset({copies}))
                        self.term(function.body, Passes(backward=False))

    def add(self, value: Provenance, forward: float, backward: float, nbytes: float, passes: Passes) -> None:
        """Work on a value, for all its indices, for each example or once."""
        use = self.each if EXAMPLE in value.axes else self.once
        times = prod(self.extents[axis] for axis in value.axes if axis != EXAMPLE)
        use.forward += forward * times * passes.forward
        use.backward += backward * times * passes.backward
        use.bytes += nbytes * times * passes.forward

    def hold(self, value: Provenance, nbytes: float) -> None:
        """What is there only while a value is made, or a gradient goes through it, for all its indices."""
        use = self.each if EXAMPLE in value.axes else self.once
        times = prod(self.extents[axis] for axis in value.axes if axis != EXAMPLE)
        use.passing = max(use.passing, nbytes * times)

    def first_visit(self, place: str, passes: Passes) -> Passes:
        """The passes that have not been counted yet at a place; from now on they have."""
        before = self.visited.get(place, Passes(False, False))
        self.visited[place] = Passes(before.forward or passes.forward, before.backward or passes.backward)
        return Passes(passes.forward and not before.forward, passes.backward and not before.backward)

    def count_accumulation(self, given: Type, value: Provenance, passes: Passes, remaining: Passes) -> None:
        """A further upstream gradient of a value that has had one is added to it: an operation an entry."""
        if value.requires_grad and passes.backward and not remaining.backward:
            self.add(value, 0, prod(given.shape), 0, passes)

    def term(self, term: t.Term, passes: Passes) -> Provenance:
        """Counts some passes of a term."""
        return _COST.of(term)(term, self, passes)

    def network(self, term: t.NetworkOutput, passes: Passes) -> Provenance:
        """What a network or a layer of it gives, on its own input once, or on another."""
        plan, own = self.networks[term.network], term.input is None
        row = mode_of_output(self.program.gradient, plan.name, term.layer)
        stretch = whole = plan if term.layer is None else plan.until(term.layer)
        place = f"network {plan.name} {row.route}"
        if own:
            remaining = self.first_visit(place, passes)
            if place in self.provenance:
                self.count_accumulation(whole.output, self.provenance[place], passes, remaining)
            if not (remaining.forward or remaining.backward):
                return self.provenance[place]
            forward = self.first_visit(f"network {plan.name}", remaining.without_backward()).forward
            passes = Passes(forward, remaining.backward)
            stretch = self.widest.get((plan.name, row.route), whole)
            for (name, _), other in self.widest.items():
                whole = wider(whole, other) if name == plan.name else whole
        source = self.term(term.input or plan.input, passes.without_backward())
        shared = f"each of {plan.name}"
        self.extents[shared] = plan.applications
        over = Provenance(source.requires_grad, source.axes | {shared})
        looked_up = plan.layers[0] if own and plan.index is not None else None
        outside, self.on_own_input = self.on_own_input, own
        inner = passes if row.route == "body" else passes.without_backward()
        if inner.forward and stretch is not whole:  # forwards farther than the gradient comes from
            self.layers(whole.layers, plan.name, over, Passes(True, False), row.freezes_weights, looked_up)
            inner = Passes(False, inner.backward)
        trained, reached = self.layers(stretch.layers, plan.name, over, inner, row.freezes_weights, looked_up)
        self.on_own_input = outside
        if row.route != "body":
            carried = row.route == "carrier"
            trained, reached = source.requires_grad and carried, passes.backward and carried
        if reached:
            self.note_entering(plan, term.input or plan.input)
            self.term(term.input or plan.input, Passes(False, True))
        provenance = Provenance(trained, source.axes)
        self.add(provenance, 0, row.backward_flops * prod(plan.output.shape) * trained, 0, passes)
        if own:
            self.provenance[place] = provenance
        return provenance


_COST: TermPass[[_Counter, Passes], Provenance] = TermPass("cost")
_COST.exclude("what is drawn is not counted", t.Sample)


@_COST.case(t.Literal, t.SweptConstant, t.StepNumber)
def _number(term: t.Term, counter: _Counter, passes: Passes) -> Provenance:
    """What is there already costs nothing."""
    return Provenance()


@_COST.case(t.FileValue)
def _looked_up(term: t.FileValue, counter: _Counter, passes: Passes) -> Provenance:
    return Provenance(axes=frozenset({EXAMPLE}))


@_COST.case(t.Weight, t.AllWeights)
def _weights(term: t.Weight | t.AllWeights, counter: _Counter, passes: Passes) -> Provenance:
    return Provenance(requires_grad=counter.trains(term.network, term.layer))


@_COST.case(t.Reference)
def _reference(term: t.Reference, counter: _Counter, passes: Passes) -> Provenance:
    name = term.name
    if isinstance(counter.by, t.Reference) and counter.by.name == name:
        return Provenance(True, frozenset({EXAMPLE}))
    if term.stage != "outputs":
        return Provenance(axes=frozenset({EXAMPLE} if term.stage == "example" else ()))
    remaining = counter.first_visit(name, passes)
    if remaining.forward or remaining.backward:
        counter.provenance[name] = counter.term(counter.outputs[name], remaining)
    counter.count_accumulation(term.type, counter.provenance[name], passes, remaining)
    return counter.provenance[name]


@_COST.case(t.Parameter)
def _parameter(term: t.Parameter, counter: _Counter, passes: Passes) -> Provenance:
    return counter.provenance[term.key]


@_COST.case(t.IndexVariable)
def _index_variable(term: t.IndexVariable, counter: _Counter, passes: Passes) -> Provenance:
    counter.extents[term.key] = term.extent
    return Provenance(axes=frozenset({term.key}) - counter.fixed)


@_COST.case(t.NetworkOutput)
def _network_output(term: t.NetworkOutput, counter: _Counter, passes: Passes) -> Provenance:
    if term.input is None and (term.network, term.layer or "") in counter.standing:
        return counter.standing[term.network, term.layer or ""]
    return counter.network(term, passes)


@_COST.case(*t.DERIVATIVES)
def _derivative(term: t.ValueGradient | t.Directional, counter: _Counter, passes: Passes) -> Provenance:
    return counter.derivative(term, passes)


@_COST.case(t.BatchMean)
def _batch_mean(term: t.BatchMean, counter: _Counter, passes: Passes) -> Provenance:
    return counter.batch_mean(term, passes)


@_COST.case(t.WithWeights)
def _with_weights(term: t.WithWeights, counter: _Counter, passes: Passes) -> Provenance:
    return counter.with_weights(term, passes)


@_COST.case(t.Comprehend)
def _comprehend(term: t.Comprehend, counter: _Counter, passes: Passes) -> Provenance:
    inner = counter.term(term.body, passes)
    return Provenance(inner.requires_grad, inner.axes - {index.key for index in term.indices})


@_COST.case(t.Expectation, t.GradientStatistic)
def _over_examples(term: t.Expectation | t.GradientStatistic, counter: _Counter, passes: Passes) -> Provenance:
    """A number of all examples, in a measure: what is taken of each counts."""
    parts = [term.of] if isinstance(term, t.GradientStatistic) else t.children(term)
    both = Passes(backward=isinstance(term, t.GradientStatistic))
    axes = frozenset[str]().union(*(counter.term(part, both).axes for part in parts))
    return Provenance(axes=axes - {EXAMPLE})


@_COST.case(t.Gradient)
def _of_each_example(term: t.Gradient, counter: _Counter, passes: Passes) -> Provenance:
    return Provenance(axes=counter.term(term.of, Passes()).axes | {EXAMPLE})


@_COST.case(t.SamplingFloor, t.LeftOut)
def _of_training(term: t.SamplingFloor | t.LeftOut, counter: _Counter, passes: Passes) -> Provenance:
    return Provenance()


@_COST.case(t.Stop)
def _stop(term: t.Stop, counter: _Counter, passes: Passes) -> Provenance:
    return Provenance(axes=counter.term(term.operand, passes.without_backward()).axes)


@_COST.case(t.Recalled)
def _recalled(term: t.Recalled, counter: _Counter, passes: Passes) -> Provenance:
    return Provenance(axes=counter.anew(term.operand, passes.without_backward()).axes)


@_COST.case(t.Stack, t.Cut)
def _moved(term: t.Stack | t.Cut, counter: _Counter, passes: Passes) -> Provenance:
    """Moving values is no operation; the gradient of what all examples share is summed over them."""
    provenance, parts = Provenance(), [(child, counter.term(child, passes)) for child in t.children(term)]
    for _, part in parts:
        provenance |= part
    for child, part in parts:
        spread = part.requires_grad and part.axes != provenance.axes
        counter.add(provenance, 0, prod(child.type.shape) * spread, 0, passes)
    return provenance


@_COST.case(t.Gather)
def _gather(term: t.Gather, counter: _Counter, passes: Passes) -> Provenance:
    source = counter.term(term.array, passes)
    provenance = source | Provenance(axes=counter.term(term.index, passes.without_backward()).axes)
    counter.add(provenance, 0, prod(term.type.shape) * source.requires_grad, counter.size(term.type), passes)
    return provenance


@_COST.case(t.Operate)
def _operate(term: t.Operate, counter: _Counter, passes: Passes) -> Provenance:
    """An operation: forwards, and backwards to every argument that holds anything trained."""
    passed = OPERATION_WORK[term.operation].passes and term.type.kind == "real"
    inner = passes if passed else passes.without_backward()
    arguments = [counter.term(item, inner) for item in term.arguments]
    provenance = Provenance()
    for argument in arguments:
        provenance |= argument
    forward, backward = operation_work(term, arguments, counter.dtype.real)
    counter.add(provenance, forward, backward, counter.size(term.type), inner)
    sizes = [counter.size(item.type) for item in (*term.arguments, term)]
    copied = bool(backward) and inner.backward
    counter.hold(provenance, kernel_work(term, arguments, sizes, copied, counter.phase is None))
    return provenance if passed else Provenance(axes=provenance.axes)


@_COST.case(t.Scan)
def _scan(term: t.Scan, counter: _Counter, passes: Passes) -> Provenance:
    """As often as it is applied, all but the names in its body, which are there before the first time."""
    given = [counter.term(item, passes) for item in term.arguments]
    for item in made_once(term.body):
        counter.term(item, passes)
    state = given[0]
    for turns in (1, term.steps - 1):  # the start may hang on less than the states behind it
        counter.provenance.update(zip(term.parameters, [state, *given[1:]], strict=True))
        before = replace(counter.each), replace(counter.once)
        state |= counter.term(term.body, passes)
        counter.each.repeat(before[0], turns)
        counter.once.repeat(before[1], turns)
    return state


@_COST.case(t.Invoke)
def _invoke(term: t.Invoke, counter: _Counter, passes: Passes) -> Provenance:
    """A user's function, along the backward pass that its mode makes."""
    row = mode_of(counter.program.gradient, term.function)
    route = "body" if row.route == "carrier" and term.carrier is None else row.route
    past = route in ("carrier", "nowhere")
    arguments = [
        counter.term(item, passes.without_backward() if past and place != term.carrier else passes)
        for place, item in enumerate(term.arguments)
    ]
    counter.provenance.update(zip(term.parameters, arguments, strict=True))
    provenance = counter.term(term.body, passes if route == "body" else passes.without_backward())
    if route == "nowhere":
        return Provenance(axes=provenance.axes)
    if route == "carrier":
        assert term.carrier is not None
        provenance = Provenance(arguments[term.carrier].requires_grad, provenance.axes | arguments[term.carrier].axes)
    elif route == "expression":
        assert term.surrogate is not None
        provenance = Provenance(counter.term(term.surrogate, passes).requires_grad, provenance.axes)
    counter.add(provenance, 0, row.backward_flops * prod(term.type.shape) * provenance.requires_grad, 0, passes)
    return provenance
