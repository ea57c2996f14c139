"""Blocks of a `repeat` that are alike but for their weights, which may be one loop, and programs in which how many there are is a number like others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..ir import terms as t
from ..ir.plan import LayerPlan, Program
from ..tables.layers import row_of
from ..tables.layers.row import no_flops
from .program_roots import differentiates, statistics_of, written

Block = Sequence[LayerPlan]


def are_alike(layer: LayerPlan) -> bool:
    """Whether the blocks of a `repeat` compute the same of input and weights alone, and give what the next one takes.

    They are of one layer, which multiplies by a kernel, and nothing is added to what it gives: of more, XLA joins what ends one block with
    what begins the next where they are written out, so that a loop gives other last digits.
    """
    if layer.skip or any(len(block) != 1 for block in layer.blocks):
        return False
    (first,), *others = layer.blocks
    row = row_of(first)
    if row is None or row.flops is no_flops or row.parts or first.input != first.output or not _is_plain(first):
        return False
    return all(_told(first) == _told(other) for (other,) in others)


def in_any_number(program: Program) -> bool:
    """Whether how many alike blocks there are may differ among cells that one compiled program serves: they are measured only, nothing is
    differentiated, and no weight or layer is spoken of."""
    if program.training is not None or program.gradient or program.statistics or program.estimates:
        return False
    named = (t.Weight, t.AllWeights, t.Recalled, t.WithWeights)
    every = [item for term in written(program) for item in t.walk(term)]
    if any(isinstance(item, named) or (isinstance(item, t.NetworkOutput) and item.layer) for item in every):
        return False
    in_training = any(isinstance(item, t.Expectation) and item.mode is not None for item in every)
    return not in_training and not differentiates(program) and not statistics_of(program)


def is_counted(layer: LayerPlan) -> bool:
    """Whether a layer of such a program is a `repeat` whose blocks are alike, and none of which draws or is made of examples."""
    if layer.kind != "repeat" or not are_alike(layer):
        return False
    row = row_of(layer.blocks[0][0])
    return row is not None and not row.draws and row.estimated_from is None


def numbers_of_blocks(program: Program) -> list[int]:
    """How many blocks each `repeat` of its networks has."""

    def of(layers: Block) -> list[int]:
        return [number for layer in layers for block in layer.blocks for number in (len(layer.blocks), *of(block))]

    return [number for network in program.networks for number in of(network.layers)]


def with_one_block(program: Program) -> Program:
    """The program with one of the alike blocks of each `repeat`, where there may be any number of them."""
    if not in_any_number(program):
        return program

    def one(layer: LayerPlan) -> LayerPlan:
        blocks = layer.blocks[:1] if is_counted(layer) else layer.blocks
        return replace(layer, blocks=tuple(tuple(map(one, block)) for block in blocks)) if blocks else layer

    networks = tuple(replace(network, layers=tuple(map(one, network.layers))) for network in program.networks)
    return replace(program, networks=networks)


def _is_plain(layer: LayerPlan) -> bool:
    """Whether a layer computes its output from its input and its weights alone."""
    terms = any(isinstance(value, t.Term) for value in layer.config.values())
    return layer.body is None and not layer.parts and not terms


def _told(layer: LayerPlan) -> tuple[Any, ...]:
    """What a layer is, but for its name and how its weights start and are bounded."""
    shapes = {name: tuple(shape) for name, shape in layer.weights.items()}
    config = {name: repr(value) for name, value in layer.config.items()}
    return (
        layer.kind,
        layer.row,
        layer.keras,
        layer.input,
        layer.output,
        shapes,
        layer.untrained,
        layer.examples,
        config,
    )
