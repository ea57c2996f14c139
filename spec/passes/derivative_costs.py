"""What derivatives that are values cost: passes of what they are taken of, forwards and backwards, and what their own gradients take.

A pass backwards is products with the same matrices. The gradient of a product is two, so that of a derivative takes each of its passes
backwards twice (once with respect to a name: matrices are constants then), and the pass backwards of what it is taken of once. What nothing
asks for is not computed: the pass backwards along whose own derivative a direction goes, or its last product, which leads to the name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import prod
from types import MappingProxyType

from ..ir import terms as t
from ..ir.axes import EXAMPLE
from ..ir.plan import LayerPlan, NetworkPlan, Program
from ..tables.gradient_modes import Route, mode_of_output
from ..tables.layers import row_of
from .counted_work import Passes, Provenance, Use
from .jacobians import apart, by_weights, is_of_the_batch, is_written_out
from .layer_costs import LayerCounter
from .reached_examples import reached

Widest = Mapping[tuple[str, Route], NetworkPlan]
"""How far each network is applied to its own input, by where the upstream gradient of what is taken of it goes on."""


def widest_networks(program: Program, roots: Iterable[t.Term]) -> Widest:
    """The networks as far as their own input goes through them in some terms: it does so once, whatever layers' outputs are taken on the way."""
    plans = {plan.name: plan for plan in program.networks}
    widest: dict[tuple[str, Route], NetworkPlan] = {}
    roots = list(roots)
    items = list(reached(program, roots))
    apart = [item.of for item in items if isinstance(item, t.DERIVATIVES)]  # each is counted by itself
    apart += [item.operand for item in items if isinstance(item, t.WithWeights | t.Recalled)]
    for item in reached(program, roots, apart) if apart else items:
        if isinstance(item, t.NetworkOutput) and item.input is None:
            plan = plans[item.network]
            plan = plan if item.layer is None else plan.until(item.layer)
            way = item.network, mode_of_output(program.gradient, item.network, item.layer).route
            widest[way] = wider(plan, widest.get(way, plan))
    return widest


def wider(plan: NetworkPlan, other: NetworkPlan) -> NetworkPlan:
    """Of two stretches of a network from its input on, the one of more layers."""
    return plan if len(plan.applied()) > len(other.applied()) else other


class DerivativeCounter(LayerCounter):
    """Counts derivatives. While one is counted by itself, `by` is what it is taken with respect to, and all else is a constant."""

    each: Use
    once: Use
    networks: Mapping[str, NetworkPlan]
    extents: dict[str, int]
    visited: dict[str, Passes]
    widest: Widest
    item: int
    by: t.By | None = None
    standing: dict[tuple[str, str], Provenance]
    """The layers whose outputs on their network's own input are given: what comes before them is not computed."""
    given_weights: Mapping[tuple[str, str, str], bool] = MappingProxyType({})
    """The weights that other values stand for, each with whether these are made of what is differentiated by."""
    fixed: frozenset[str] = frozenset()
    """The indices whose values are gone through one after the other, all by themselves."""
    on_own_input: bool = False
    entering: float = 0
    """Operations of one example's products that lead backwards to the name itself, of those that are counted."""

    def own(self, layer: LayerPlan, network: str, frozen: bool) -> bool:
        return self.trains(network, layer.key) and super().own(layer, network, frozen)

    def trains(self, network: str, layer: str | None) -> bool:
        """Whether weights are among what is differentiated by, or values that stand for them are made of such."""
        leaves = (one for one in self.networks[network].leaves() if layer in (None, one.key))
        return any(
            self._is_trained(network, one.key, name)
            for one in leaves
            for name in one.weights
            if name not in one.untrained
        )

    def kernels(self, layer: LayerPlan, network: str) -> bool:
        return any(
            self._is_trained(network, layer.key, name)
            for name in layer.weights
            if not name.endswith("bias") and name not in layer.untrained
        )

    def _is_trained(self, network: str, layer: str, name: str) -> bool:
        """The same of one weight."""
        if (network, layer, name) in self.given_weights:
            return self.given_weights[network, layer, name]
        by = self.by
        if by is None:
            return True
        if not isinstance(by, t.Weight | t.AllWeights):
            return False
        return by.network == network and by.layer in (None, layer) and getattr(by, "weight", name) == name

    def note_entering(self, plan: NetworkPlan, given: t.Term) -> None:
        """Notes the products of a network's first layer that lead to the name, where its input is that itself."""
        if plan.layers and self.by is not None and _is(given, self.by):
            self._enters(plan.layers[0], plan.applications)

    def _enters(self, first: LayerPlan, times: int) -> None:
        row = row_of(first)
        if row is not None:
            self.entering += row.products_backwards(first.input.shape, first.config, False, True) * times

    def layers(
        self, layers: tuple[LayerPlan, ...], network: str, given: Provenance, passes: Passes, frozen: bool,
        looked_up: LayerPlan | None = None,
    ) -> tuple[bool, bool]:  # fmt: skip
        """Those behind the last one whose output is given, where one is."""
        places = [place for place, layer in enumerate(layers) if self._stands(network, layer)]
        if not places:
            return super().layers(layers, network, given, passes, frozen, looked_up)
        here, rest = layers[places[-1]], layers[places[-1] + 1 :]
        known = self.standing[network, here.key]
        if rest and isinstance(self.by, t.NetworkOutput) and (self.by.network, self.by.layer) == (network, here.key):
            self._enters(rest[0], 1)
        over = Provenance(known.requires_grad, given.axes | known.axes)
        return super().layers(rest, network, over, passes, frozen)[0], False

    def trained(self, layer: LayerPlan, network: str, given: bool, frozen: bool) -> bool:
        if self._stands(network, layer):
            return self.standing[network, layer.key].requires_grad
        return super().trained(layer, network, given, frozen)

    def _stands(self, network: str, layer: LayerPlan) -> bool:
        return self.on_own_input and (network, layer.key) in self.standing

    def derivative(self, term: t.ValueGradient | t.Directional, passes: Passes) -> Provenance:
        """A derivative of each example; by weights each has numbers of its own for all of them."""
        found = self._counted(term, passes)
        held = self.item * (apart(term) if by_weights(term) else prod(term.type.shape))
        self.add(Provenance(axes=found.axes | {EXAMPLE}), 0, 0, held, passes)
        return Provenance(found.requires_grad, found.axes | {EXAMPLE})

    def batch_mean(self, term: t.BatchMean, passes: Passes) -> Provenance:
        """A mean over the batch; of a gradient by weights, one pass backwards that does not tell examples apart."""
        body = term.body
        if isinstance(body, t.ValueGradient) and is_of_the_batch(body):
            found = self._counted(body, passes)
        else:
            found, entries = self.term(body, passes), prod(term.type.shape)
            self.add(found, entries, entries * found.requires_grad, 0, passes)
        return Provenance(found.requires_grad, found.axes - {EXAMPLE})

    def with_weights(self, term: t.WithWeights, passes: Passes) -> Provenance:
        """A value at other weights: networks and outputs in it are computed anew, for each value of the indices that the weights hang on."""
        given = self.term(term.weights, passes)
        turns = given.axes - {EXAMPLE} - self.fixed
        replaced = term.replaced
        places = (
            (replaced.network, layer.key, name)
            for layer in self.networks[replaced.network].leaves()
            if replaced.layer in (None, layer.key)
            for name in (
                (replaced.weight,) if isinstance(replaced, t.Weight) else set(layer.weights) - set(layer.untrained)
            )
        )
        before = self.each, self.once, self.provenance, self.given_weights, self.fixed
        self.each, self.once, self.fixed = Use(), Use(), self.fixed | turns
        self.provenance = {key: replace(one, axes=one.axes - turns) for key, one in self.provenance.items()}
        self.given_weights = {**self.given_weights, **dict.fromkeys(places, given.requires_grad)}
        found = self.anew(term.operand, passes)
        own = self.each, self.once
        self.each, self.once, self.provenance, self.given_weights, self.fixed = before
        times = prod(self.extents[axis] for axis in turns)
        for use, one in zip((self.each, self.once), own, strict=True):
            use.forward += one.forward * times
            use.backward += one.backward * times
            use.bytes += one.bytes * times
            use.passing = max(use.passing, one.passing)
        return Provenance(found.requires_grad, found.axes | turns)

    def anew(self, operand: t.Term, passes: Passes) -> Provenance:
        """Counts a value at other weights, whose networks and outputs are not those that are computed beside it."""
        before = self.visited, self.provenance, self.widest
        self.visited, self.provenance = {}, dict(self.provenance)
        self.widest = widest_networks(self.program, [operand])
        value: Provenance = self.term(operand, passes)
        self.visited, self.provenance, self.widest = before
        return value

    def _counted(self, term: t.ValueGradient | t.Directional, passes: Passes) -> Provenance:
        """Counts a derivative, all but what it holds itself."""
        entries, copies, turns, fixed = prod(term.of.type.shape), 1, 1, False
        known = self.term(term.by, passes)
        if isinstance(term, t.Directional):
            along = self.term(term.along, passes)
            known, fixed = known | along, not along.requires_grad
            turns = 3 if term.twice else 1
        elif is_written_out(self.program, term, training=True):
            turns = entries
        else:
            copies = entries
        own = known.axes if isinstance(term.by, t.Parameter) else frozenset()  # along an index it is one for each value
        first, of, entering = self._alone(term, term.by, Provenance(True, own | {EXAMPLE}))
        entering *= isinstance(term, t.Directional) and (term.twice or bool(term.of.type.shape))
        entering *= prod(self.extents[axis] for axis in own - {EXAMPLE} - self.fixed)
        whole, of, _ = self._alone(term, self.by, known)
        twice = 1 if isinstance(self.by, t.Reference | t.Parameter | t.NetworkOutput) else 2
        grows = of.requires_grad or known.requires_grad
        for use, one, both in zip((self.each, self.once), first, whole, strict=True):
            led = entering if use is self.each else 0
            back = one.backward * turns * copies - led * (turns > 1)
            use.forward += (one.forward * copies + back) * passes.forward
            use.backward += (both.backward * copies + twice * back - led * fixed) * (passes.backward and grows)
            use.bytes += one.bytes * copies * (1 + turns * grows) * passes.forward
            use.passing = max(use.passing, one.passing * copies)
        return Provenance(grows, of.axes | known.axes)

    def _alone(
        self, term: t.ValueGradient | t.Directional, by: t.By | None, known: Provenance
    ) -> tuple[tuple[Use, Use], Provenance, float]:
        """What both passes of the value take by themselves, for each example and once, with respect to one thing, or to all that is trained; what
        it depends on; and the operations that lead to the name itself."""
        before = (
            self.each,
            self.once,
            self.visited,
            dict(self.provenance),
            self.by,
            self.entering,
            self.standing,
            self.widest,
            self.given_weights,
        )
        self.each, self.once, self.visited, self.entering = Use(), Use(), {}, 0
        if by is not self.by:  # what stands for weights is a constant then, unless it is what is differentiated by
            self.by, self.given_weights = by, {}
        self.widest = widest_networks(self.program, [term.of])
        if isinstance(term.by, t.Reference):
            self.visited[term.by.name] = Passes()
            self.provenance[term.by.name] = known
        elif isinstance(term.by, t.Parameter):
            self.provenance[term.by.key] = known
        elif isinstance(term.by, t.NetworkOutput):
            assert term.by.layer is not None
            self.standing = {**self.standing, (term.by.network, term.by.layer): known}
        of = self.term(term.of, Passes())
        found, entering = (self.each, self.once), self.entering
        (
            self.each, self.once, self.visited, self.provenance, self.by, self.entering, self.standing, self.widest,
            self.given_weights,
        ) = before  # fmt: skip
        return found, of, entering


def _is(term: t.Term, by: t.By) -> bool:
    """Whether a term is the name, or the parameter, that a derivative is taken by."""
    if isinstance(by, t.Parameter):
        return isinstance(term, t.Parameter) and term.key == by.key
    return isinstance(by, t.Reference) and isinstance(term, t.Reference) and term.name == by.name
