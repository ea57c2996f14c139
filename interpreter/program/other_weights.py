"""The context in which other values stand for weights: `with_weights(f, f.weights, w)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod

import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.program_roots import before_weights
from dlspec.spec.passes.reached_examples import names_of
from dlspec.spec.tables.gradient_modes import mode_of

from ..lower import Lowering, Value
from ..networks.network import Network


def with_weights(
    program: Program, networks: Mapping[str, Network], lowering: Lowering, term: t.WithWeights, weights: Value
) -> Lowering:
    """The context of a value at other weights: what is drawn is the same, and outputs are made anew.

    Layers that keep moving averages see their batch as in any application, and keep nothing of it.
    """
    outer = lowering.outermost()
    for name in names_of(program, term.operand, "example"):
        outer(t.Reference(name, "example", type=outer.bindings[name].type))
    network, axes = networks[term.replaced.network], (EXAMPLE,) if EXAMPLE in weights.axes else ()
    rows = lowering.to_rows(weights, axes, len(term.weights.type.shape))
    rows, lead = tf.cast(rows, network.real), 1 + len(axes)
    places = network.places(term.replaced)
    shapes = [network.weights[place].shape[1:] for place in places]
    whole = isinstance(term.replaced, t.Weight)
    parts = [rows] if whole else tf.split(rows, [prod(shape) for shape in shapes], axis=-1)
    given = {}
    for (layer, name), shape, part in zip(places, shapes, parts, strict=True):
        tensor = tf.reshape(part, [*part.shape[:lead], *shape])
        targets = (network.plan.name, f"{network.plan.name}.{layer}")
        if any(mode_of(program.gradient, target).freezes_weights for target in targets):
            tensor = tf.stop_gradient(tensor)
        given[network.plan.name, layer, name] = Value(tensor, (REPLICATE, *axes))
    held = before_weights(program)
    values = {name: value for name, value in lowering.values.items() if name in held}
    training = None if lowering.training is None else replace(lowering.training, moving={})
    return replace(lowering, given={**lowering.given, **given}, standing={}, training=training, values=values)
