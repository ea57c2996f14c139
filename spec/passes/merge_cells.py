"""Cells side by side: the one program of cells that differ in the values of numbers alone.

Programs are laid over each other, term by term. Where all have a literal of the same type and not the same value, the one program
has a `SweptConstant`, which what is compiled is given; every other difference that what is compiled would not be given keeps cells apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NoReturn, TypeVar

import numpy as np

from ..ir import terms as t
from ..ir.cell_batch import CellBatch
from ..ir.plan import (
    LayerPlan,
    LossPlan,
    MeasurePlan,
    Named,
    NetworkPlan,
    OptimizerPlan,
    Phase,
    ProbePlan,
    Program,
    Update,
    WeightFunction,
)
from ..ir.types import Type
from ..tables.optimizers import OPTIMIZERS
from .alike_blocks import in_any_number, is_counted
from .program_roots import redraws
from .signature_digests import cell_form_digest

Many = TypeVar("Many")


Measured = TypeVar("Measured", bound=MeasurePlan)


class _Apart(Exception):
    """These programs differ in more than numbers."""


def merge_cells(programs: Sequence[Program]) -> CellBatch | None:
    """Some programs as one; None where they differ in more than the values of numbers.

    The programs are of one experiment, with the same replicates, and go in step: as many updates, with evaluations after the same of
    them. Initial weights, learning rates that are numbers, and draws may be any; draws of which a statistic makes new ones are as
    alike as all else.
    """
    first, *others = programs
    if not others:
        return CellBatch.of_one(first)
    if any(cell_form_digest(other) != cell_form_digest(first) for other in others):
        return None
    merge = _Merge(programs)
    try:
        return CellBatch(tuple(programs), merge.program(), tuple(merge.constants), frozenset(merge.varying))
    except _Apart:
        return None


class _Merge:
    """The merging of some programs; gathers the constants that differ."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = programs
        self.constants: list[np.ndarray[Any, Any]] = []
        self.varying: set[str] = set()
        self.known: dict[tuple[int, ...], t.Term] = {}
        self.terms_of_loss: dict[tuple[int, ...], LossPlan] = {}
        self.known_optimizers: dict[tuple[int, ...], OptimizerPlan] = {}
        self.keys: dict[tuple[int, str], str] = {}

    def program(self) -> Program:
        """The one program."""
        first = self.programs[0]
        draws = self.draws()
        training = [program.training for program in self.programs if program.training is not None]
        return replace(
            first,
            draws=draws,
            examples=self.named([program.examples for program in self.programs]),
            outputs=self.named([program.outputs for program in self.programs]),
            networks=tuple(self.network(plans) for plans in _zip([program.networks for program in self.programs])),
            loss=self.losses([program.loss for program in self.programs]),
            measures=tuple(self.measure(plans) for plans in _zip([program.measures for program in self.programs])),
            statistics=tuple(self.measure(plans) for plans in _zip([program.statistics for program in self.programs])),
            estimates=tuple(self.measure(plans) for plans in _zip([program.estimates for program in self.programs])),
            streams=self.streams(),
            probes=tuple(self.probe(plans) for plans in _zip([program.probes for program in self.programs])),
            training=replace(training[0], phases=tuple(self.phase(p) for p in _zip([one.phases for one in training])))
            if training
            else None,
        )

    # -- parts of a program ------------------------------------------------------------------------------------------

    def draws(self) -> tuple[Named, ...]:
        """The draws; those that differ, or are made of such, are noted. What differs in more than numbers is given as a whole."""
        merged = []
        for items in _zip([program.draws for program in self.programs]):
            first, before = items[0], len(self.constants)
            if any((item.name, item.type) != (first.name, first.type) for item in items):
                raise _Apart
            try:
                term = self.term([item.term for item in items])
            except _Apart:
                del self.constants[before:]
                if redraws(self.programs[0]):
                    raise
                term = first.term
                self.varying.add(first.name)
            if any(
                isinstance(part, t.SweptConstant) or (isinstance(part, t.Reference) and part.name in self.varying)
                for part in t.walk(term)
            ):
                self.varying.add(first.name)
            merged.append(Named(first.name, term))
        return tuple(merged)

    def named(self, many: Sequence[tuple[Named, ...]]) -> tuple[Named, ...]:
        """Names with their terms."""
        return tuple(Named(_same([i.name for i in items]), self.term([i.term for i in items])) for items in _zip(many))

    def streams(self) -> dict[str, tuple[Named, ...]]:
        """The examples of test streams."""
        first = self.programs[0]
        return {name: self.named([program.streams[name] for program in self.programs]) for name in first.streams}

    def network(self, plans: Sequence[NetworkPlan]) -> NetworkPlan:
        """A network: layers are alike but for their initial weights, which each cell has from its own plan."""
        first = plans[0]
        if all(plan is first for plan in plans):
            return first
        _same([(plan.name, plan.output, plan.each, plan.copies, plan.squeeze, plan.index is None) for plan in plans])
        return replace(
            first,
            input=self.term([plan.input for plan in plans]),
            index=None if first.index is None else self.term([plan.index for plan in plans if plan.index is not None]),
            layers=tuple(self.layer(layers) for layers in _zip([plan.layers for plan in plans])),
        )

    def layer(self, plans: Sequence[LayerPlan]) -> LayerPlan:
        """A layer; its arguments are known to be the same (`cell_form_digest`)."""
        first = plans[0]
        if all(plan is first for plan in plans):
            return first
        if len({len(plan.blocks) for plan in plans}) > 1:
            return self.repeat(plans)
        return replace(
            first,
            body=None if first.body is None else self.term([plan.body for plan in plans if plan.body is not None]),
            kept_by={name: self.weight_function([plan.kept_by[name] for plan in plans]) for name in first.kept_by},
            blocks=tuple(
                tuple(self.layer(layers) for layers in _zip(blocks)) for blocks in _zip([plan.blocks for plan in plans])
            ),
        )

    def repeat(self, plans: Sequence[LayerPlan]) -> LayerPlan:
        """A `repeat` of alike blocks, of which cells have several numbers: that of the cell with the most."""
        if not in_any_number(self.programs[0]) or not all(map(is_counted, plans)):
            raise _Apart
        self.constants.append(np.asarray([len(plan.blocks) for plan in plans], np.int64))
        turns = t.SweptConstant(len(self.constants) - 1, type=Type("int"))
        return replace(max(plans, key=lambda plan: len(plan.blocks)), turns=turns)

    def weight_function(self, functions: Sequence[WeightFunction]) -> WeightFunction:
        """A constraint by a function."""
        return replace(functions[0], body=self.term([one.body for one in functions]))

    def losses(self, many: Sequence[tuple[LossPlan, ...]]) -> tuple[LossPlan, ...]:
        """Terms of the loss with their weights."""
        return tuple(map(self.loss, _zip(many)))

    def loss(self, plans: Sequence[LossPlan]) -> LossPlan:
        """A term of the loss with its weight: the same one wherever it is in force."""
        key = tuple(map(id, plans))
        if key not in self.terms_of_loss:
            name = _same([plan.name for plan in plans])
            terms, weights = [plan.term for plan in plans], [plan.weight for plan in plans]
            self.terms_of_loss[key] = LossPlan(name, self.term(terms), self.term(weights), plans[0].trains)
        return self.terms_of_loss[key]

    def phase(self, phases: Sequence[Phase]) -> Phase:
        """A phase of training."""
        return replace(
            phases[0],
            loss=self.losses([phase.loss for phase in phases]),
            optimizers=self.optimizers([phase.optimizers for phase in phases]),
            updates=tuple(map(self.update, _zip([phase.updates for phase in phases]))),
        )

    def update(self, updates: Sequence[Update]) -> Update:
        """One of the updates that a step consists of."""
        loss = self.losses([update.loss for update in updates])
        return replace(updates[0], loss=loss, optimizers=self.optimizers([update.optimizers for update in updates]))

    def optimizers(self, many: Sequence[Mapping[str, OptimizerPlan]]) -> Mapping[str, OptimizerPlan]:
        """Optimisers by network."""
        return {name: self.optimizer([optimizers[name] for optimizers in many]) for name in many[0]}

    def optimizer(self, plans: Sequence[OptimizerPlan]) -> OptimizerPlan:
        """An optimiser; of its arguments expressions of the step may differ in their numbers, and some in their values (`inputs`)."""
        first, key = plans[0], tuple(map(id, plans))
        if key not in self.known_optimizers:  # phases that share their optimisers share the merged ones
            arguments = {
                name: self.argument(first, name, [one.arguments[name] for one in plans]) for name in first.arguments
            }
            self.known_optimizers[key] = replace(first, arguments=arguments)
        return self.known_optimizers[key]

    def argument(self, plan: OptimizerPlan, name: str, values: Sequence[Any]) -> Any:
        """One argument of an optimiser. Learning rates that are numbers may be any: each cell has its own from its own plan."""
        first = values[0]
        if isinstance(first, t.Term):
            return self.term(values)
        if name not in OPTIMIZERS[plan.name].inputs or all(_equal(value, first) for value in values):
            return first
        self.constants.append(np.asarray(values, np.float64))
        return t.SweptConstant(len(self.constants) - 1, type=Type("real"))

    def measure(self, plans: Sequence[Measured]) -> Measured:
        """A measure, an estimate, a statistic."""
        return replace(plans[0], term=self.term([plan.term for plan in plans]))

    def probe(self, plans: Sequence[ProbePlan]) -> ProbePlan:
        """What a figure shows of single examples."""
        first = plans[0]
        return replace(first, terms={label: self.term([plan.terms[label] for plan in plans]) for label in first.terms})

    # -- terms -------------------------------------------------------------------------------------------------------

    def term(self, terms: Sequence[t.Term]) -> t.Term:
        """Some terms as one. Raises `_Apart`."""
        first = terms[0]
        if all(term is first for term in terms):
            return first
        key = tuple(map(id, terms))
        if key not in self.known:
            self.known[key] = self._merged(first, terms)
        return self.known[key]

    def _merged(self, first: t.Term, terms: Sequence[t.Term]) -> t.Term:
        if any(type(term) is not type(first) or term.type != first.type for term in terms):
            raise _Apart
        if isinstance(first, t.Literal):
            return self._constant(first, [term.value for term in terms if isinstance(term, t.Literal)])
        if isinstance(first, t.Parameter | t.IndexVariable):
            self._bind([term.key for term in terms if isinstance(term, t.Parameter | t.IndexVariable)])
            return first if len({term.extent for term in terms if isinstance(term, t.IndexVariable)}) < 2 else _apart()
        if isinstance(first, t.Invoke | t.Scan):
            for keys in _zip([term.parameters for term in terms if isinstance(term, t.Invoke | t.Scan)]):
                self._bind(keys)
        parts = {name: self._part([getattr(term, name) for term in terms]) for name in _FIELDS[type(first)]}
        if isinstance(first, t.Operate) and first.operation == "power" and _swept(parts["arguments"][1]):
            raise _Apart  # the power of a number that is known takes less time, and has its own derivative at 0
        if all(parts[name] is getattr(first, name) for name in parts):
            return first
        return replace(first, **parts)

    def _bind(self, keys: Sequence[str]) -> None:
        """Takes the keys that a parameter or an index has in each program for one. Raises `_Apart` where they stand for another."""
        for place, key in enumerate(keys):
            if self.keys.setdefault((place, key), keys[0]) != keys[0]:
                raise _Apart

    def _constant(self, first: t.Literal, values: Sequence[np.ndarray[Any, Any]]) -> t.Term:
        if all(_equal(value, first.value) for value in values):
            return first
        if first.type.kind == "bool":
            raise _Apart
        self.constants.append(np.stack(values))
        return t.SweptConstant(len(self.constants) - 1, type=first.type, span=first.span)

    def _part(self, values: Sequence[Any]) -> Any:
        """What terms have in one field: terms, several of them, or what must be the same."""
        first = values[0]
        if all(value is first for value in values):
            return first
        if isinstance(first, t.Term):
            return self.term(values) if all(isinstance(value, t.Term) for value in values) else _same(values)
        if isinstance(first, tuple):
            parts = tuple(self._part(items) for items in _zip(values))
            return first if all(part is item for part, item in zip(parts, first, strict=True)) else parts
        if isinstance(first, Mapping):
            if any(value.keys() != first.keys() for value in values):
                raise _Apart
            mapped = {name: self._part([value[name] for value in values]) for name in first}
            return first if all(mapped[name] is first[name] for name in mapped) else mapped
        return _same(values)


_FIELDS = {
    kind: tuple(
        item.name
        for item in fields(kind)
        if item.name not in ("type", "span") and (kind not in (t.Invoke, t.Scan) or item.name != "parameters")
    )
    for kind in t.Term.__subclasses__()
}
"""The fields that are compared, by class: keys of parameters are taken for one (`_Merge._bind`)."""


def _apart() -> NoReturn:
    raise _Apart


def _swept(term: t.Term) -> bool:
    return any(isinstance(part, t.SweptConstant) for part in t.walk(term))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.asarray(one).tobytes() == np.asarray(other).tobytes() and np.shape(one) == np.shape(other)
    return bool(type(one) is type(other) and one == other)


def _same(values: Sequence[Many]) -> Many:
    """What several have in common. Raises `_Apart` where it is not the same."""
    first = values[0]
    if not all(_equal(value, first) for value in values):
        raise _Apart
    return first


def _zip(many: Sequence[Sequence[Many]]) -> list[tuple[Many, ...]]:
    """The first of each, the second of each, and so on. Raises `_Apart` where there are not as many."""
    if any(len(one) != len(many[0]) for one in many):
        raise _Apart
    return list(zip(*many, strict=True))
