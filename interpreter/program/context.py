"""The context for lowering the terms of one program: names, networks, sample indices, gradient modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.ir.plan import LossPlan, Program
from dlspec.spec.passes.memory import chunk
from dlspec.spec.passes.trained_weights import trained
from dlspec.spec.tables.dtypes import DTYPES

from ..lower import Lowering, Value
from ..networks.network import Network, input_of
from .seeds import bindings_of, number_samples


class ProgramContext:
    """One program for so many replicates side by side. `xla` says how its functions are compiled, `on_cpu` that they run on a CPU.

    Keys and draws are arguments of each call, so that what is compiled serves every program of the same form.
    """

    def __init__(self, program: Program, replicates: int, xla: bool, on_cpu: bool) -> None:
        self.program = program
        self.replicates = replicates
        self.xla = xla
        self.on_cpu = on_cpu
        self.kind = DTYPES[program.dtype]
        self.dtype = tf.as_dtype(self.kind.real)
        self.bindings = bindings_of(program)
        self.samples = number_samples(program)
        self.networks = {plan.name: Network(plan, replicates, self.kind, program.gradient) for plan in program.networks}
        changed = trained(program)
        for name, network in self.networks.items():
            network.trained = frozenset((layer, weight) for owner, layer, weight in changed if owner == name)

    def lowering(self, keys: Any, index: Any, batch: int, draws: dict[str, Any], **more: Any) -> Lowering:
        """A context for terms over a batch of examples.

        `keys` are those of a stream, uint32 [samples, R, 2]; `index` the examples' numbers, int64 [B] or [R, B]; `draws`
        the replicates' draws by name, [R, …]; `more` are further fields of the context.
        """
        return Lowering(
            self.dtype, {REPLICATE: self.replicates, EXAMPLE: batch}, self.bindings, self.program.gradient,
            keys=lambda sample: keys[self.samples[sample.path]], index=index, enumerated=self.program.data.enumerated,
            on_cpu=self.on_cpu, network=self.apply,
            weight=lambda lowering, term: self.networks[term.network].weight(term, lowering),
            values={name: Value(tensor, (REPLICATE,)) for name, tensor in draws.items()}, **more,
        )  # fmt: skip

    def apply(self, lowering: Lowering, name: str, given: Value | None) -> Value:
        """A network on its own input, once a context, or on another."""
        place = f"network {name}"
        if given is None and place in lowering.values:
            return lowering.values[place]
        network = self.networks[name]
        plan = network.plan
        if given is not None:
            return network(lowering, given, plan.input.type)
        lowering = lowering.outermost()
        own = lowering.values.get(input_of(name)) or lowering(plan.taken)
        value = network(lowering, own, plan.input.type) if plan.index is None else network.of_index(lowering, own)
        lowering.values[place] = value
        return value

    def losses(self, lowering: Lowering, loss: Sequence[LossPlan]) -> list[Any]:
        """Some terms of the loss with their weights, [R, B] each."""
        losses = []
        for term in loss:
            value = lowering(term.term)
            tensor = lowering.broadcast_to_axes(
                Value(lowering.cast(value.tensor, "real"), value.axes), (REPLICATE, EXAMPLE), 0
            )
            factor = lowering.cast(lowering(term.weight).tensor, "real")
            losses.append(tensor * factor)
        return losses

    def chunk(self, wanted: int, *more: int) -> int:
        """How many of some examples are taken at once; `more` are the bytes of what else one of them needs."""
        return chunk(self.program, wanted, self.replicates, *more)
