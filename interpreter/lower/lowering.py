"""A context in which terms become tensors. A value is a tensor whose leading axes are named: replicates, examples, indices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import tensorflow as tf
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import CELL, EXAMPLE, REPLICATE, Axes, rank_of, union
from dlspec.spec.ir.data import Digits
from dlspec.spec.ir.plan import Mode
from dlspec.spec.ir.term_pass import TermPass


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor and the named axes that lead it."""

    tensor: Any
    axes: Axes = ()


@dataclass(frozen=True)
class Application:
    """One application of a network: what its input is, None where nobody asks, how often each of its layers drew in it, and what stands for layers' outputs."""

    given: Any = None
    drawn: dict[str, int] = field(default_factory=dict)
    standing: Mapping[str, Value] = field(default_factory=dict)

    def below(self, network: str, layer: str) -> Any:
        """What one of its layers is given, where anybody asks."""
        return None if self.given is None else ["given to", network, layer, self.given]


@dataclass(frozen=True)
class Training:
    """What a context has besides where layers compute as in an update: the keys of their noise, which examples of the walk there are.

    `batch` is how many examples in a row are one batch in a measure; None in the loss, of which all are one. `meaning` says what a
    term means by what the parameters and indices in scope do, where applications at one input share noise.
    Layers write two things to it: `moving`, the moving averages that the step changes, and `turns`, which of their draws is of
    which input.
    """

    noise: Callable[[str, str], Any]
    index: Any
    meaning: Callable[[t.Term, Mapping[str, Any]], Any] | None = None
    batch: int | None = None
    moving: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    turns: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)

    @property
    def in_loss(self) -> bool:
        """Whether it is that of the loss, which sees the weights that are trained, and moves averages."""
        return self.batch is None

    def turn(self, place: tuple[str, str], application: Application) -> int:
        """The number of a layer's next draw: that of the same draw at the same input, where it was made before."""
        again = application.drawn.get(place[1], 0)
        application.drawn[place[1]] = again + 1
        known = self.turns.setdefault(place, {})
        key = repr((application.given, again) if application.given is not None else len(known))
        return known.setdefault(key, len(known))


@dataclass(frozen=True)
class Lowering:
    """One context of a program's terms: a batch, an evaluation, a replicate's draws. Called with a term it gives its value.

    It never changes: what holds for a part of a term only is a context of its own (`dataclasses.replace`). All that are made
    of one share its memo, `values`: of names and networks, which have the same value in each of them.

    Args:
        dtype: the type of real numbers.
        sizes: the lengths of the axes.
        bindings: the terms of names.
        modes: gradient modes by function.
        keys: the keys of a sample, uint32 [R, 2]; `index` the numbers of the examples, int64 [B] or [R, B]; `other` those of the samples at `otherwise`.
        files: the columns of data files by the keys of their terms, [N, …]; `file_rows` are those of the examples, int32 [R, B].
        lead: the axes of a sample.
        constants: the values of swept constants, by place: […] of one cell, [cells, …], or [R, …] where no cells are told apart.
        network: applies a network to an input, or to its own; `layer` gives what one of its layers gives on the way.
        weight: the value of weights; `given` are tensors that stand for some (network, layer, weight), `standing` for what some (network, layer) give on
            the network's own input.
        expectation: a mean, or a statistic of gradients
        gradient: one example's gradient by weights in a measure; `derivative` any other derivative; `batch_mean` a mean over the batch; `recall` the
            context at the weights of another time, `with_weights` that in which values stand for some.
        estimate: the value of an estimate by its name.
        enumerated: the samples whose values are all taken; which an example has is in its number, or in that of its row.
        fused: whether what is lowered becomes one loop; `filled` whether its draws may be made in whole vectors beside it.
        on_cpu: whether it runs on this machine's CPU; `looped` whether blocks that are alike may be one loop, as nothing is differentiated.
        step: how many updates have been made.
        update: the number of the update that examples are for: of evaluations, the last one made.
        clock: what the counters of the language are at a step and an update.
        training: set in the loss, and in measures in training mode; `watch` sees what enters each layer that whitens.
        values: the memo. Whoever makes a context may fill it with what is known already.
        arguments: the parameters in scope, by their keys; `meanings` say what they are.
        indices: those of index notation around, from the outermost inwards; `chosen` are the places of those that are gone through one by one.
        taken: where the branches of the selects around are taken.
    """

    dtype: Any
    sizes: Mapping[str, int]
    bindings: Mapping[str, t.Term]
    modes: Mapping[str, Mode]
    keys: Callable[[t.Sample], Any] | None = None
    index: Any = None
    other: Any = None
    otherwise: Collection[tuple[str, ...]] = ()
    files: Mapping[str, Any] = field(default_factory=dict)
    file_rows: Any = None
    lead: Axes = (REPLICATE, EXAMPLE)
    constants: Sequence[Any] = ()
    network: Callable[[Lowering, str, Value | None, Any], Value] | None = None
    layer: Callable[[Lowering, str, str, Value | None, Any], Value] | None = None
    weight: Callable[[Lowering, t.Weight | t.AllWeights], Value] | None = None
    expectation: Callable[[t.Term], Value] | None = None
    gradient: Callable[[Lowering, t.Gradient], Value] | None = None
    derivative: Callable[[Lowering, t.ValueGradient | t.Directional], Value] | None = None
    batch_mean: Callable[[Lowering, t.BatchMean], Value] | None = None
    recall: Callable[[Lowering, t.Recalled], Lowering] | None = None
    with_weights: Callable[[Lowering, t.WithWeights, Value], Lowering] | None = None
    estimate: Callable[[str], Value] | None = None
    given: Mapping[tuple[str, str, str], Value] = field(default_factory=dict)
    standing: Mapping[tuple[str, str], Value] = field(default_factory=dict)
    enumerated: tuple[Digits, ...] = ()
    fused: bool = False
    filled: bool = False
    on_cpu: bool = False
    looped: bool = False
    step: Any = None
    update: Any = None
    clock: Callable[[str, Any, Any], Any] | None = None
    training: Training | None = None
    watch: Callable[[tuple[str, str], Any], None] | None = None
    values: dict[str, Value] = field(default_factory=dict)
    arguments: Mapping[str, Value] = field(default_factory=dict)
    meanings: Mapping[str, Any] = field(default_factory=dict)
    indices: tuple[t.IndexVariable, ...] = ()
    chosen: Mapping[str, int] = field(default_factory=dict)
    taken: tuple[Value, ...] = ()

    def __call__(self, term: t.Term) -> Value:
        """The value of a term."""
        try:
            return TENSOR.of(term)(term, self)
        except Exception as error:
            if term.span is not None and not getattr(error, "__notes__", None):
                error.add_note(f"in {term.span}")
            raise

    # -- contexts of parts -------------------------------------------------------------------------------------------

    def outermost(self) -> Lowering:
        """The context of what is computed once, whatever uses it: no index, branch or function is around it."""
        inside = self.arguments or self.indices or self.taken
        return replace(self, arguments={}, indices=(), taken=()) if inside else self

    def of_example(self) -> Lowering:
        """The context of what is made of an example: the step is that of the update that it is for."""
        outer = self.outermost()
        return outer if outer.update is outer.step else replace(outer, step=outer.update)

    def within(self, indices: tuple[t.IndexVariable, ...]) -> Lowering:
        """The context inside of some more indices of index notation."""
        return replace(self, indices=(*self.indices, *indices))

    def bound(self, arguments: Mapping[str, Value], meanings: Mapping[str, Any] | None = None) -> Lowering:
        """The context inside of a function's body; `meanings` say what the arguments are."""
        return replace(self, arguments={**self.arguments, **arguments}, meanings={**self.meanings, **(meanings or {})})

    def meaning(self, term: t.Term) -> Any:
        """What a term means, which equal terms do alike; None where nobody asks."""
        if self.training is None or self.training.meaning is None:
            return None
        return self.training.meaning(term, {**self.meanings, **{index.key: n for n, index in enumerate(self.indices)}})

    def where(self, holds: Value) -> Lowering:
        """The context of a branch that is taken where a condition holds."""
        return replace(self, taken=(*self.taken, holds))

    # -- tensors -----------------------------------------------------------------------------------------------------

    def constant(self, value: np.ndarray[Any, Any], kind: str) -> Any:
        """A literal as a tensor."""
        return tf.constant(value, {"bool": tf.bool, "int": tf.int32, "real": self.dtype}[kind])

    def cast(self, tensor: Any, kind: str) -> Any:
        """A tensor as a kind."""
        wanted = {"bool": tf.bool, "int": tf.int32, "real": self.dtype}[kind]
        return tensor if tensor.dtype == wanted else tf.cast(tensor, wanted)

    def aligned(self, values: list[Value], events: list[int], elementwise: bool) -> tuple[list[Any], Axes]:
        """Tensors whose leading axes agree; elementwise ones are padded so that the examples' shapes broadcast."""
        axes = union(value.axes for value in values)
        deepest = max(events, default=0)
        return [
            self.expand_to_axes(value, axes, event, deepest - event if elementwise else 0)
            for value, event in zip(values, events, strict=True)
        ], axes

    def expand_to_axes(self, value: Value, axes: Axes, event: int, pad: int = 0) -> Any:
        """A tensor with the axes asked for, size 1 where it lacks one, and `pad` more before the example's own."""
        if value.axes == axes and not pad:
            return value.tensor
        tensor = value.tensor
        for place in range(pad):
            tensor = tf.expand_dims(tensor, axis=len(value.axes) + place)
        for place, axis in enumerate(axes):
            if axis not in value.axes:
                tensor = tf.expand_dims(tensor, axis=place)
        return tensor

    @property
    def rows(self) -> Axes:
        """The axes that what is trained varies along: replicates, and cells where several are side by side."""
        return (CELL, REPLICATE) if CELL in self.sizes else (REPLICATE,)

    def to_rows(self, value: Value, axes: Axes, event: int) -> Any:
        """A tensor [rows, *axes, …]: those of replicates, cell after cell."""
        tensor = self.broadcast_to_axes(value, (*self.rows, *axes), event)
        lead = len(self.rows)
        return tensor if lead == 1 else tf.reshape(tensor, [-1, *tensor.shape[lead:]])

    def of_rows(self, tensor: Any, axes: Axes = ()) -> Value:
        """The value of a tensor [rows, *axes, …]."""
        if len(self.rows) > 1:
            tensor = tf.reshape(tensor, [*map(self.length, self.rows), *tensor.shape[1:]])
        return Value(tensor, (*self.rows, *axes))

    def broadcast_to_axes(self, value: Value, axes: Axes, event: int) -> Any:
        """A tensor with the axes asked for at their full lengths."""
        tensor = self.expand_to_axes(value, axes, event)
        lengths = [self.length(axis) for axis in axes]
        if [tensor.shape[place] for place in range(len(axes))] == lengths:
            return tensor
        return tf.broadcast_to(tensor, lengths + tensor.shape.as_list()[len(axes) :])

    def length(self, axis: str) -> int:
        """The length of an axis."""
        if axis in self.sizes:
            return self.sizes[axis]
        return next(index.extent for index in self.indices if index.key == axis)

    def ordered(self, tensor: Any, order: tuple[str, ...], kept: int) -> Value:
        """Puts the named axes first, in their order; `+0`, `+1` … are the example's own axes that came between."""
        names = [name for name in order if not name.startswith("+")]
        axes = tuple(sorted(names, key=rank_of))
        wanted = [*axes, *(f"+{place}" for place in range(kept))]
        if list(order) != wanted:
            permutation = [order.index(name) for name in wanted]
            tensor = tf.transpose(tensor, permutation + list(range(len(order), tensor.shape.rank)))
        return Value(tensor, axes)


TENSOR: TermPass[[Lowering], Value] = TermPass("tensor")
"""Terms to tensors: `lower/terms.py` has the cases."""
