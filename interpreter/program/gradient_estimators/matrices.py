"""Matrices of second derivatives that are never written out: what they make of vectors, at the present weights.

Of a value ℓ of one example and weights w these are the Hessian ∇² E ℓ, the Gauss-Newton matrix E JᵀHJ (J is the Jacobian of the
network's output z by w, H the Hessian of ℓ by z), and the inner products of the examples' gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE
from dlspec.spec.tables.gradient_statistics import GRADIENT_STATISTICS

from ...lower import Lowering, Value
from ...registry import Registry
from ..context import ProgramContext
from ..example_gradients import standing_in, summed
from .gradients import Gradients
from .registry import Inputs

Array = np.ndarray[Any, Any]
Place = tuple[str, str]
Weights = Mapping[Place, Any]
"""Tensors [R, …] by layer and weight."""


@dataclass(frozen=True)
class Product:
    """A matrix [P, P] for each of R replicates, by its products with vectors, float64 [R, P] to [R, P]; `rows` are float64 [R, n, P]."""

    times: Callable[[Array], Array]
    rows: Callable[[], Array]
    replicates: int
    size: int


class Matrix:
    """The matrices of one statistic; what makes their products is compiled once. `name` tells it from others of the program."""

    def __init__(self, context: ProgramContext, term: t.GradientStatistic, name: str) -> None:
        self.context = context
        self.term = term
        self.gradients = Gradients(context, term)
        self.network = context.networks[term.weights.network]
        self.places = self.network.places(term.weights)
        of_vectors = _gauss_newton if GRADIENT_STATISTICS[term.statistic].matrix == "gauss_newton" else _hessian

        @context.functions.shared(name, context.xla)
        def times(keys: Any, draws: dict[str, Any], step: Any, vectors: Any) -> Any:
            def part(lowering: Lowering, inside: Any) -> Any:
                summands = of_vectors(self, lowering, keys, draws, inside, self.split(vectors))
                return tf.concat([tf.reshape(x, [x.shape[0], -1]) for x in map(_wide, summands)], axis=-1)

            first = tf.constant(0, tf.int64)
            return self.gradients.over_examples(keys, draws, step, first, term.examples, part)

        @context.functions.shared(f"{name} rows", context.xla)
        def rows(keys: Any, draws: dict[str, Any], step: Any) -> Any:
            return self.gradients.each(keys, draws, step, tf.range(term.examples, dtype=tf.int64))

        self._times, self._rows = times, rows

    def at(self, inputs: Inputs) -> Product:
        """The matrix at the present weights."""
        given = inputs.keys[self.term.on], inputs.draws, inputs.step

        def times(vectors: Array) -> Array:
            product: Array = self._times(*given, tf.constant(vectors, tf.float64)).numpy()
            return product

        def rows() -> Array:
            gradients: Array = self._rows(*given).numpy()
            return gradients

        return Product(times, rows, self.gradients.replicates, self.gradients.size)

    def split(self, vectors: Any) -> Weights:
        """Vectors [R, P] as tensors of the shapes of the weights, in the program's own type."""
        shapes = [tuple(self.network.weights[place].shape[1:]) for place in self.places]
        sizes = [int(np.prod(shape, dtype=int)) for shape in shapes]
        parts = tf.split(tf.cast(vectors, self.context.dtype), sizes, axis=-1)
        return {
            place: tf.reshape(part, [part.shape[0], *shape])
            for place, part, shape in zip(self.places, parts, shapes, strict=True)
        }

    def weights(self, lowering: Lowering) -> list[Any]:
        """The present weights."""
        return [tf.identity(self.network.value(place, lowering).tensor) for place in self.places]

    def given(self, tensors: list[Any]) -> dict[tuple[str, str, str], Value]:
        """Tensors that stand for the weights."""
        name = self.term.weights.network
        return {(name, *place): Value(x, (REPLICATE,)) for place, x in zip(self.places, tensors, strict=True)}


def _hessian(
    matrix: Matrix, lowering: Lowering, keys: Any, draws: dict[str, Any], inside: Any, vectors: Weights
) -> list[Any]:
    """The sum over examples of ∇(∇ℓ · v)."""
    tensors = matrix.weights(lowering)
    with tf.GradientTape(watch_accessed_variables=False) as outer:
        outer.watch(tensors)
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(tensors)
            context = standing_in(matrix.context, lowering, keys, draws, matrix.given(tensors))
            total = summed(context, matrix.term.of, inside)
        slopes = inner.gradient(total, tensors, unconnected_gradients="zero")
        along = tf.add_n([tf.reduce_sum(g * v) for g, v in zip(slopes, vectors.values(), strict=True)])
    return list(outer.gradient(along, tensors, unconnected_gradients="zero"))


def _gauss_newton(
    matrix: Matrix, lowering: Lowering, keys: Any, draws: dict[str, Any], inside: Any, vectors: Weights
) -> list[Any]:
    """The sum over examples of Jᵀ H J v: J v is the derivative of Jᵀu · v by u."""
    tensors, name = matrix.weights(lowering), matrix.term.weights.network
    place, axes = f"network {name}", (REPLICATE, EXAMPLE)
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(tensors)
        context = standing_in(matrix.context, lowering, keys, draws, matrix.given(tensors))
        plan = matrix.network.plan
        output = context.broadcast_to_axes(matrix.context.apply(context, name, None), axes, len(plan.output.shape))
        still = tf.zeros_like(output)
        tape.watch(still)
        back = tape.gradient(output, tensors, output_gradients=still, unconnected_gradients="zero")
        along = tf.add_n([tf.reduce_sum(g * v) for g, v in zip(back, vectors.values(), strict=True)])
    forward = tape.gradient(along, still, unconnected_gradients="zero")
    fixed = tf.identity(tf.stop_gradient(output))
    with tf.GradientTape(watch_accessed_variables=False) as outer:
        outer.watch(fixed)
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(fixed)
            context.values[place] = Value(fixed, axes)
            _forget_outputs(matrix.context, context)
            total = summed(context, matrix.term.of, inside)
        bent = tf.reduce_sum(inner.gradient(total, fixed, unconnected_gradients="zero") * forward)
    curved = outer.gradient(bent, fixed, unconnected_gradients="zero")
    return list(tape.gradient(output, tensors, output_gradients=curved, unconnected_gradients="zero"))


def _forget_outputs(context: ProgramContext, lowering: Lowering) -> None:
    """Has outputs made anew from a network's."""
    for item in context.program.outputs:
        lowering.values.pop(item.name, None)


def _wide(tensor: Any) -> Any:
    return tf.cast(tensor, tf.float64)


Spectrum = Callable[[Product, t.GradientStatistic], tuple[Array, Array | None]]
"""From a matrix to the statistic, float64 [R] or [R, values], and two standard errors of it where its row has a floor, [R]."""
SPECTRA: Registry[Spectrum] = Registry("gradient statistic", "spectrum")
