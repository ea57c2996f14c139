"""The one tree that crosses from `spec/` to `interpreter/`: resolved, typed, immutable. No YAML and no text to parse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from . import terms as t
from .claims import Selection
from .data import DataSource
from .measured import EstimatePlan as EstimatePlan
from .measured import MeasurePlan as MeasurePlan
from .measured import StatisticPlan as StatisticPlan
from .training import Condition as Condition
from .training import LossPlan as LossPlan
from .training import Mode as Mode
from .training import OptimizerPlan as OptimizerPlan
from .training import Phase as Phase
from .training import Restart as Restart
from .training import StoredWeights as StoredWeights
from .training import TrainingPlan as TrainingPlan
from .training import Update as Update
from .types import Shape, Type, led_by


@dataclass(frozen=True, eq=False)
class Named:
    """A name and its term: a draw, an example's binding, an output."""

    name: str
    term: t.Term

    @property
    def type(self) -> Type:
        """The type of one example's value."""
        return self.term.type


VALUE = "Value"
"""What an initial value is called that is a term, of constants and draws: it is the argument `value`."""


@dataclass(frozen=True, eq=False)
class InitialValue:
    """How a weight starts: Keras' class and its arguments, or a term."""

    keras: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class WeightFunction:
    """What keeps a weight within bounds: a term of the whole weight, which is its parameter, by that one's key."""

    parameter: str
    body: t.Term


@dataclass(frozen=True, eq=False)
class LayerPlan:
    """A layer, with all its arguments computed.

    `key` names it in the seed tree and in paths (`dense_2`, `block[0].hidden`); `kind` is `apply`, `keras`, the row's own name,
    `repeat`, `residual`, or `parameter`, which holds a free parameter; `row` is its name in the table of layers, "" for `apply` and
    the last three. Shapes are those of one example.
    The blocks of a `repeat` come one after the other. Those of a `residual` both start at its input; its argument `join` says whether their
    ends are added (`add`), or stand side by side in the order from the input on (`concat`): the way through layers first, the shortcut second.
    `weights` are Keras' names with the shapes that one copy of the network has, `copies` how many copies there are, the untrained ones
    listed. `constraints` are Keras' by their arguments,
    `kept_by` the writer's functions by weight. `inner_entries` is how many it holds within, beside its output.
    `parts` are arguments that are parts of the network's input.
    """

    key: str
    kind: str
    input: Type
    output: Type
    keras: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    initializers: Mapping[str, InitialValue] = field(default_factory=dict)
    constraints: Mapping[str, InitialValue] = field(default_factory=dict)
    kept_by: Mapping[str, WeightFunction] = field(default_factory=dict)
    weights: Mapping[str, Shape] = field(default_factory=dict)
    copies: int | None = None
    untrained: tuple[str, ...] = ()
    flops: int = 0
    row: str = ""
    parameter: str = ""
    body: t.Term | None = None
    blocks: tuple[tuple[LayerPlan, ...], ...] = ()
    skip: bool = False
    examples: int = 0
    inner_entries: int = 0
    parts: tuple[str, ...] = ()
    turns: t.Term | None = None
    """How many of its blocks a `repeat` has in a cell, where one program serves cells with several numbers of them."""

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """The shapes of its weights, of all copies of the network together: these are along the first axis."""
        return {name: led_by(shape, self.copies) for name, shape in self.weights.items()}

    @property
    def largest(self) -> int:
        """The bytes of the largest value that it makes of one example: its output, or what it holds within."""
        return max(self.output.bytes, self.inner_entries * 4)


@dataclass(frozen=True)
class InputPart:
    """What layers take of an example beside the output before them, by the argument's name."""

    name: str
    type: Type


@dataclass(frozen=True, eq=False)
class NetworkPlan:
    """A network: its input, its layers; `each` leading axes are shared over, `squeeze` drops a last axis of one.

    With `copies` it is so many networks with weights of their own on one input, and their outputs along the first axis.

    `index` is there where the input is the one-hot vector of it, one of its entries is 1 for certain, and the first layer
    is dense: that layer's product with the input is a row of its kernel, and is looked up.
    """

    name: str
    input: t.Term
    layers: tuple[LayerPlan, ...]
    output: Type
    each: int | None = None
    squeeze: bool = False
    index: t.Term | None = None
    parts: tuple[InputPart, ...] = ()
    """Where there are any, the input is one row: what the first layer takes, and these."""
    copies: int | None = None

    @property
    def lead(self) -> Shape:
        """What comes before a layer's own output in one example's: copies, then what `each` goes over."""
        return led_by((), self.copies, self.each)

    @property
    def applications(self) -> int:
        """How often a layer's work is done for one example of the network's input."""
        return (self.copies or 1) * (self.each or 1)

    @property
    def free(self) -> bool:
        """Whether it is a free parameter: weights without layers and input."""
        return len(self.layers) == 1 and self.layers[0].kind == "parameter"

    @property
    def given(self) -> Type:
        """The type of what the first layer takes, `each` with it."""
        return self.whole(self.input).type

    def whole(self, given: t.Term) -> t.Term:
        """Of an input the term that the first layer takes: all of it but its parts."""
        if not self.parts:
            return given
        assert isinstance(given, t.Operate) and isinstance(given.arguments[0], t.Operate)
        return given.arguments[0].arguments[0]

    @property
    def taken(self) -> t.Term:
        """What is made of an example for the network: its input, or the index of that."""
        return self.input if self.index is None else self.index

    def leaves(self) -> list[LayerPlan]:
        """All layers that hold weights of their own, blocks opened, shared ones once."""
        return list({layer.key: layer for layer in self.applied()}.values())

    def applied(self) -> list[LayerPlan]:
        """All layers in the order they are applied in, blocks opened, shared ones as often as they are."""
        return _leaves(self.layers)

    def until(self, key: str) -> NetworkPlan:
        """The network up to a layer, with all that comes before it."""
        return replace(self, layers=_until(self.layers, key) or self.layers)

    @property
    def parameters(self) -> int:
        """How many trainable weights it has."""
        own = ((layer, name, shape) for layer in self.leaves() for name, shape in layer.shapes.items())
        return sum(prod(shape) for layer, name, shape in own if name not in layer.untrained)

    @property
    def flops(self) -> int:
        """Floating-point operations of one example of its own input, forwards (a multiply-add counts as two)."""
        looked_up = self.layers[0].flops if self.index is not None else 0
        return (sum(layer.flops for layer in self.applied()) - looked_up) * self.applications


def _until(layers: tuple[LayerPlan, ...], key: str) -> tuple[LayerPlan, ...] | None:
    """Layers up to one, opened where it lies in one of them; None where it is not there."""
    for place, layer in enumerate(layers):
        if layer.key == key:
            return layers[: place + 1]
        for number, block in enumerate(layer.blocks):
            if (inner := _until(block, key)) is not None:
                before = layer.blocks[:number] if layer.kind == "repeat" else ()
                ahead = (replace(layer, blocks=before),) if before else ()
                return (*layers[:place], *ahead, *inner)
    return None


def _leaves(layers: tuple[LayerPlan, ...]) -> list[LayerPlan]:
    leaves: list[LayerPlan] = []
    for layer in layers:
        if layer.blocks:
            for block in layer.blocks:
                leaves.extend(_leaves(block))
        else:
            leaves.append(layer)
    return leaves


@dataclass(frozen=True, eq=False)
class ProbePlan:
    """Values of single test examples that a figure shows: terms by label, how many examples, at which steps."""

    figure: str
    terms: Mapping[str, t.Term]
    examples: int
    steps: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Program:
    """An experiment at one variant and one point of its sweep: all that its replicates share."""

    study: str
    experiment: str
    variant: str
    point: Mapping[str, Any]
    seed: int
    dtype: str
    constants: Mapping[str, Any]
    draws: tuple[Named, ...]
    examples: tuple[Named, ...]
    outputs: tuple[Named, ...]
    networks: tuple[NetworkPlan, ...]
    loss: tuple[LossPlan, ...]
    gradient: Mapping[str, Mode]
    """The modes by target, those in force in the first phase of training; a later one may have others (`during`)."""
    training: TrainingPlan | None
    measures: tuple[MeasurePlan, ...]
    data: DataSource
    replicates: int
    probes: tuple[ProbePlan, ...]
    estimates: tuple[EstimatePlan, ...] = ()
    """Those that stand in what is minimised, measured or shown."""
    statistics: tuple[StatisticPlan, ...] = ()
    """Those of the training examples that anything uses, each behind those that it is made of."""
    streams: Mapping[str, tuple[Named, ...]] = field(default_factory=dict)
    """Other test examples that measures are over, by the name of the stream: all names of an example."""
    stored: StoredWeights | None = None
    """How weights are rounded between updates, where they are."""
    digest: str = ""

    def during(self, phase: Phase | None) -> Program:
        """The program with the gradient modes that are in force in a phase; without training in none."""
        return self if phase is None or phase.gradient is None else replace(self, gradient=phase.gradient)

    @property
    def under_each_mode(self) -> tuple[Program, ...]:
        """The program with the gradient modes of each of its phases: itself first, then those in which they are others."""
        phases = self.training.phases if self.training is not None else ()
        others = {id(phase.gradient): phase for phase in phases if phase.gradient is not None}
        return (self, *map(self.during, others.values()))

    def on(self, stream: str) -> Program:
        """The program with the examples of a stream."""
        return replace(self, examples=self.streams[stream]) if stream in self.streams else self

    @property
    def of_files(self) -> dict[str, t.FileValue]:
        """The columns of data files that examples of any stream look up, by their keys."""
        named = (*self.examples, *(item for items in self.streams.values() for item in items))
        found = (part for item in named for part in t.walk(item.term))
        return {part.key: part for part in found if isinstance(part, t.FileValue)}

    def evaluated(self, stream: str) -> int:
        """Over how many examples of a stream measures are taken: all of a finite set."""
        return self.data.evaluated(stream)

    @property
    def network_flops(self) -> int:
        """Floating-point operations of one example through every network, forwards."""
        return sum(network.flops for network in self.networks)

    @property
    def one_replicate_at_a_time(self) -> bool:
        """Whether each replicate trains by itself: an optimiser mixes the entries of a weight, and would mix them."""
        phases = self.training.phases if self.training is not None else ()
        return not all(optimizer.elementwise for phase in phases for optimizer in phase.all_optimizers)

    @property
    def place(self) -> Mapping[str, Any]:
        """Where it stands on the axes of its experiment, the variant's among them where there are variants."""
        return {**({"variant": self.variant} if self.variant else {}), **self.point}

    @property
    def name(self) -> str:
        """What people call it: `staircase/forward_only d=10`."""
        return cell_name(self.experiment, self.variant, self.point)


def cell_name(experiment: str, variant: str, point: Mapping[str, Any]) -> str:
    """What people call a cell.

    >>> cell_name("staircase", "forward_only", {"d": 10})
    'staircase/forward_only d=10'
    """
    label = f"{experiment}/{variant}" if variant else experiment
    return " ".join([label, *(f"{key}={value}" for key, value in point.items())])


@dataclass(frozen=True)
class JudgePlan:
    """How a claim is judged: a row of `tables.judges`, and its argument."""

    name: str = "replicates"
    value: float | None = None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name} {self.value:g}"


@dataclass(frozen=True, eq=False)
class ClaimPlan:
    """A claim: its sentence, its check as a tree, how it is judged, and with which others together."""

    experiment: str
    name: str
    says: str
    text: str
    tree: Any
    judge: JudgePlan = JudgePlan()
    family: str = ""


@dataclass(frozen=True, eq=False)
class FigurePlan:
    """A figure of an experiment: its validated model; `where` chooses the cells that it shows."""

    experiment: str
    name: str
    kind: str
    model: Any
    where: tuple[Selection, ...] = ()
    references: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Numbers that lines are drawn at: by label, and by the name of the cell."""
    steps: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Of a profile: the evaluated steps that are shown, by the name of the cell."""
    places: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Of a profile over a constant array: where its entries lie, by the name of the cell."""
    phases: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    """Of curves: the name and the first step of each phase, and of each further pass of one, by the name of the cell; of cells with several."""


@dataclass(frozen=True, eq=False)
class ExperimentPlan:
    """An experiment: its programs, and what is made of their results."""

    name: str
    about: str
    axes: Mapping[str, tuple[Any, ...]]
    programs: tuple[Program, ...]
    claims: tuple[ClaimPlan, ...]
    figures: tuple[FigurePlan, ...]
    model: Any = None
    """The experiment as the document writes it, validated."""
    models: tuple[Any, ...] = ()
    """The same with the patches of each program over it."""
    zipped: tuple[tuple[str, ...], ...] = ()
    """The axes that go in step."""
    left_out: tuple[str, ...] = ()
    """The variants that are not run, as `--only` asks for others."""


@dataclass(frozen=True, eq=False)
class StudyPlan:
    """A whole study, resolved."""

    name: str
    title: str
    about: str
    profile: str
    experiments: tuple[ExperimentPlan, ...]
    warnings: tuple[Any, ...] = ()
    text: str = ""
    overrides: tuple[str, ...] = ()
    """As they were given, `path=value` each."""
    only: tuple[str, ...] = ()
    """What of the study was asked for, `experiment` or `experiment/variant`; nothing where it is all."""
