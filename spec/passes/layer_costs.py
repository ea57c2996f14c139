"""What a network's layers cost, one after the other: for `cost`, which walks the terms around them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import prod
from typing import Any

from ..ir import terms as t
from ..ir.plan import LayerPlan, Program
from ..tables.gradient_modes import GradientMode, mode_of
from ..tables.layers import LAYERS
from .counted_work import Passes, Provenance


class LayerCounter(ABC):
    """Counts layers on an input, forwards and backwards. What is counted is added by `add`, a function's body by `term`."""

    program: Program
    provenance: dict[str, Provenance]

    @abstractmethod
    def add(self, value: Provenance, forward: float, backward: float, nbytes: float, passes: Passes) -> None:
        """Counts work on a value."""

    @abstractmethod
    def term(self, term: t.Term, passes: Passes) -> Any:
        """Counts some passes of a term."""

    @abstractmethod
    def given(self, layer: LayerPlan) -> int:
        """The bytes of what a layer gives and holds for one example."""

    def layers(
        self, layers: tuple[LayerPlan, ...], network: str, given: Provenance, passes: Passes, frozen: bool,
        looked_up: LayerPlan | None = None,
    ) -> tuple[bool, bool]:  # fmt: skip
        """Layers on an input; says whether anything trained lies in the output, and whether an upstream gradient comes to the input.

        It comes from the end, so they are walked backwards, each knowing what lies before it.
        """
        before = self.before(layers, network, given.requires_grad, frozen)
        has_upstream = passes.backward
        for layer, trained in zip(reversed(layers), reversed(before[:-1]), strict=True):
            over, passed = Provenance(trained, given.axes), Passes(passes.forward, has_upstream)
            has_upstream = self.layer(layer, network, over, passed, frozen, layer is looked_up)
        return before[-1], has_upstream

    def layer(
        self, layer: LayerPlan, network: str, given: Provenance, passes: Passes, frozen: bool, looked_up: bool = False
    ) -> bool:
        """One layer; says whether an upstream gradient comes to its input. Of one that is looked up, rows are summed backwards."""
        size = prod(layer.output.shape)
        if layer.kind == "repeat":
            inputs = [given.requires_grad]
            for block in layer.blocks:
                last = self.before(block, network, inputs[-1], frozen)[-1]
                inputs.append(last or (layer.skip and inputs[-1]))
            has_upstream = passes.backward
            for block, trained in zip(reversed(layer.blocks), reversed(inputs[:-1]), strict=True):
                over = Provenance(trained, given.axes)
                _, reached = self.layers(block, network, over, Passes(passes.forward, has_upstream), frozen)
                if layer.skip:
                    self.add(over, size, size * trained, self.given(layer), Passes(passes.forward, has_upstream))
                has_upstream = reached or (layer.skip and has_upstream)
            return has_upstream
        if layer.kind == "residual":
            return self.joined(layer, network, given, passes, frozen)
        row = self.mode(layer, network)
        inner = passes if row.route == "body" else passes.without_backward()
        passed = passes.backward and row.route != "nowhere"
        nbytes = self.given(layer) * (2 if layer.config.get("activation") else 1)
        if layer.body is not None:
            self.provenance[layer.parameter] = given
            self.term(layer.body, inner)
            self.add(given, 0, row.backward_flops * size * given.requires_grad, 0, passes)
            return passed
        own, kind = self.own(layer, network, frozen), LAYERS[layer.row]
        forward, backward = kind.work(layer.input.shape, layer.output.shape, layer.config)
        if not own and layer.config.get("use_bias"):  # no gradient is summed for a bias that is not trained
            unbiased = {**layer.config, "use_bias": False}
            backward = kind.work(layer.input.shape, layer.output.shape, unbiased)[1]
        backward = backward * (own or given.requires_grad)
        if not looked_up:
            forward += layer.flops
            kernels = own and self.kernels(layer, network)
            backward += kind.products_backwards(layer.input.shape, layer.config, kernels, given.requires_grad)
        backward += size * own * looked_up
        self.add(given, forward, backward, nbytes, inner)
        trained = self.trained(layer, network, given.requires_grad, frozen)
        self.add(given, 0, row.backward_flops * size * trained, 0, passes)
        return passed

    def joined(self, layer: LayerPlan, network: str, given: Provenance, passes: Passes, frozen: bool) -> bool:
        """Two ways from one input, added or side by side; the gradients of both are added at the input."""
        ways = [self.layers(way, network, given, passes, frozen) for way in layer.blocks]
        added = prod(layer.output.shape) * (layer.config["join"] == "add")
        back = prod(layer.input.shape) * (given.requires_grad and all(upstream for _, upstream in ways))
        self.add(given, added, back, self.given(layer), passes)
        return any(upstream for _, upstream in ways)

    def mode(self, layer: LayerPlan, network: str) -> GradientMode:
        return mode_of(self.program.gradient, f"{network}.{layer.key}")

    def own(self, layer: LayerPlan, network: str, frozen: bool) -> bool:
        """Whether a layer's own weights are trained."""
        trained = any(name not in layer.untrained for name in layer.weights)
        return trained and not frozen and not self.mode(layer, network).freezes_weights

    def kernels(self, layer: LayerPlan, network: str) -> bool:
        """Whether, of a layer whose own weights are trained, others than its biases are."""
        return True

    def before(self, layers: tuple[LayerPlan, ...], network: str, given: bool, frozen: bool) -> list[bool]:
        """Whether anything trained lies in what comes before each layer, and in what the last one makes.

        `given` is whether anything trained lies in the input.
        """
        trained = [given]
        for layer in layers:
            trained.append(self.trained(layer, network, trained[-1], frozen))
        return trained

    def trained(self, layer: LayerPlan, network: str, given: bool, frozen: bool) -> bool:
        """Whether anything trained lies in a layer's output."""
        if layer.kind == "repeat":
            for block in layer.blocks:
                given = self.before(block, network, given, frozen)[-1] or (layer.skip and given)
            return given
        if layer.kind == "residual":
            return any(self.before(way, network, given, frozen)[-1] for way in layer.blocks)
        route = self.mode(layer, network).route
        if route == "nowhere":
            return False
        return given or (route == "body" and self.own(layer, network, frozen))
