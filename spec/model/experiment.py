"""An experiment as the document writes it: task, architecture, loss, gradient, and how it is run and judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from ..diagnostics.problems import did_you_mean, listing, sentence
from ..source import nodes as yaml
from ..tables.bounds import Bounds
from ..tables.gradient_modes import GRADIENT_MODES
from ..tables.gradient_statistics import GRADIENT_STATISTICS
from ..tables.judges import JUDGES
from ..tables.optimizers import OPTIMIZERS
from .base import Closed, Condition, Declares, Expression, FunctionHead, Name, NameOf, OneOf, number, placed
from .figures import AnyFigure
from .generated import Constraint, Initializer, deferred_model, one_of
from .layers import LayerDefaults, LayerEntry, OptimizerEntry
from .patch import Patch
from .task import Task

FULL = "full"
"""The batch that is the whole training set."""

OF_NETWORK = NameOf(("architecture",))
NetworkName = Annotated[Name, OF_NETWORK]
NetworkPart = Annotated[str, OF_NETWORK]
"""A network, or a layer of one: `f.head`."""


class Network(Closed):
    """A network: layers applied to an expression."""

    input: Expression = Field(description="What enters: an expression of one example.")
    each: Expression | None = Field(None, description="Shares the network over a leading axis of this length.")
    copies: Expression | None = Field(
        None, description="How many networks of this form, each with weights of its own, take the input: an ensemble."
    )
    layers: list[LayerEntry] = Field(description="Its layers, in order.")

    free: ClassVar[bool] = False
    """Whether it is a free parameter."""


class FreeParameter(Closed):
    """A free parameter: an array that is learnt by itself, of no example."""

    parameter: Expression = Field(description="Its shape: `[d]`, a size, or `[]` for one number; constant.")
    initializer: Initializer = Field(description="How it starts, as weights do: a number, draws, a distribution.")
    constraint: Constraint | None = Field(None, description="The constraint that it is kept to after each update.")

    free: ClassVar[bool] = True
    """Whether it is a free parameter."""

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, value: Any) -> Any:
        beside = [key for key in Network.model_fields if isinstance(value, dict) and key in value]
        if beside:
            message = f"`parameter` is a value of its own, without {listing(f'`{key}`' for key in beside)}."
            raise ValueError(sentence(message, "Remove it, or declare a network beside it that uses the parameter."))
        return value


def _architecture_form(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "free parameter"
            if "parameter" in value or ("initializer" in value and "layers" not in value)
            else "network"
        )
    return "free parameter" if isinstance(value, FreeParameter) else "network"


class LossTerm(Closed):
    """A term of the loss with its weight."""

    of: Expression = Field(description="One number per example.")
    weight: Expression = Field(1, description="Its factor in the objective; may use `step`.")
    trains: list[NetworkName] | NetworkName | None = Field(
        None, description="The network, or networks, whose weights its gradient goes to; without it, all."
    )


Learnt = Annotated[
    Annotated[Network, Tag("network")] | Annotated[FreeParameter, Tag("free parameter")],
    Discriminator(_architecture_form),
]


def _term_form(value: Any) -> str:
    return "measure" if isinstance(value, dict) else "expression"


Loss = Annotated[
    Annotated[Expression, Tag("expression")] | Annotated[LossTerm, Tag("measure")], Discriminator(_term_form)
]


class Nothing(Closed):
    """No arguments."""


GradientEntry: Any = one_of(
    "GradientEntry",
    f"How a backward pass is made: {', '.join(row.written for row in GRADIENT_MODES.values())}.",
    "a gradient mode",
    {
        row.name: (row.meaning, Nothing if row.argument is None else number(row.bounds.schema))
        for row in GRADIENT_MODES.values()
    },
)


class Evaluate(Closed):
    """When measures are taken, and over how many examples. Step 0 and the last step always are."""

    every: Expression | None = Field(None, description="Every so many steps; by default a fiftieth of the training.")
    at: list[Expression] | None = Field(None, description="At these steps too.")
    log: Expression | None = Field(None, description="At so many steps evenly spaced on a logarithmic scale.")
    examples: Expression = Field(1000, description="How many test examples each time, the same ones throughout.")


def _optimizer_form(value: Any) -> str:
    if isinstance(value, dict) and not (set(value) & set(OPTIMIZERS)) and value:
        inner = next(iter(value.values()))
        if isinstance(inner, str) or (isinstance(inner, dict) and set(inner) & set(OPTIMIZERS)):
            return "per network"
    return "one optimiser"


Optimizer = Annotated[
    Annotated[OptimizerEntry, Tag("one optimiser")] | Annotated[dict[NetworkName, OptimizerEntry], Tag("per network")],
    Discriminator(_optimizer_form),
]


class TrainingUpdate(Closed):
    """One of the updates that a step consists of. It changes the weights of its networks alone, and sees those that the ones before it left."""

    networks: list[NetworkName] = Field(description="Whose weights it changes.")
    loss: list[Annotated[Name, NameOf(("loss",))]] = Field(description="The terms of the loss that it minimises.")
    optimizer: OptimizerEntry | None = Field(None, description="Its optimiser; without it, that of the training.")
    times: Expression = Field(1, description="How often it is made in a step, each time on fresh examples.")


def _restart_form(value: Any) -> str:
    return "by name" if isinstance(value, dict) else "anew"


Restart = Annotated[
    Annotated[list[NetworkPart], Tag("anew")]
    | Annotated[dict[NetworkPart, Literal["anew", "initial"]], Tag("by name")],
    Discriminator(_restart_form),
]


class TrainingPhase(Closed):
    """A stretch of training. What it does not say is as in `training`; weights and what optimisers keep go on from phase to phase."""

    steps: Expression = Field(description="How many updates, in each pass; 0 skips the phase.")
    times: Expression = Field(1, description="How many passes, one after the other.")
    loss: dict[Annotated[Name, Declares("loss")], Loss] | None = Field(
        None, description="The whole loss in this phase; without it, the experiment's."
    )
    gradient: dict[Annotated[str, NameOf(("functions", "architecture"))], GradientEntry] = Field(
        default_factory=dict,
        description="Gradient modes in this phase, over those of the experiment: a function, network or layer that is not named keeps its own.",
    )
    optimizer: Optimizer | None = Field(
        None,
        description="The optimiser in this phase, or a map from network to optimiser. Arguments left out are those of the training's, if it is of the same kind.",
    )
    batch: Expression | None = Field(
        None, description="How many examples a step in this phase; `full` is the whole training set."
    )
    updates: dict[Annotated[Name, Declares("updates")], TrainingUpdate] | None = Field(
        None, description="What a step consists of in this phase."
    )
    until: Condition | None = Field(
        None,
        description="Keeps a replicate's weights as they are to the end of the pass, once this condition on measures holds at an evaluation in it.",
    )
    restart: Restart = Field(
        default_factory=list,
        description="What each pass resets at its start: `optimizer`, a network, or a layer: `[optimizer, f.head]`; `{f.head: initial}` takes the weights of step 0.",
    )


class Training(Closed):
    """How the objective is minimised."""

    optimizer: Optimizer = Field(description="A Keras optimiser, or a map from network to optimiser.")
    batch: Expression | None = Field(
        None,
        description="How many examples a step; `full` is the whole of a finite training set; left out if data are enumerated: the batch is then all of them.",
    )
    steps: Expression | None = Field(None, description="How many updates; left out if there are phases.")
    phases: dict[Annotated[Name, Declares("phases")], TrainingPhase] = Field(
        default_factory=dict, description="Stretches of training, one after the other, in place of `steps`."
    )
    updates: dict[Annotated[Name, Declares("updates")], TrainingUpdate] = Field(
        default_factory=dict, description="What a step consists of, in order; without it, one update of all networks."
    )
    evaluate: Evaluate = Field(default_factory=lambda: Evaluate(), description="When measures are taken.")
    until: Condition | None = Field(None, description="Stops once this condition on measures holds at an evaluation.")


class Estimate(Closed):
    """A quantity that is taken once, at the end of a phase of training, and is a constant from then on."""

    after: Annotated[Name, NameOf(("phases",))] = Field(
        description="At the end of which phase; if it has several passes, at the end of each."
    )
    of: Expression = Field(description="What is taken, written like a measure; `E` ranges over training examples.")
    examples: Expression | None = Field(
        None, description="Over how many training examples; if data are finite, leave it out to take all."
    )


class MeasureOf(Closed):
    """A measure with its options."""

    of: Expression = Field(description="What is measured.")
    on: Annotated[Name, NameOf(("tests",))] = Field(
        "test", description="Over which examples `E` ranges: `test`, `train`, `validation`, or those of `task.tests`."
    )
    mode: Literal["inference", "training"] = Field(
        "inference", description="How layers compute: `training` as in an update, in batches of the training's size."
    )


Diagnostic: Any = one_of(
    "Diagnostic",
    "A statistic of a gradient.",
    "a diagnostic",
    {
        name: (row.meaning, deferred_model(row.title, f"The arguments of `{name}`.", row.parameters))
        for name, row in GRADIENT_STATISTICS.items()
    },
)


def _measure_form(value: Any) -> str:
    if isinstance(value, dict) and len(value) == 1 and not set(value) & set(MeasureOf.model_fields):
        return "diagnostic" if did_you_mean(str(next(iter(value))), GRADIENT_STATISTICS) else "measure"
    return _term_form(value)


Measure = Annotated[
    Annotated[Expression, Tag("expression")]
    | Annotated[MeasureOf, Tag("measure")]
    | Annotated[Diagnostic, Tag("diagnostic")],
    Discriminator(_measure_form),
]


def _share(bounds: Bounds) -> Any:
    """The type of a number between two bounds, which are not among its values."""
    return Annotated[float, Field(gt=bounds.least, lt=bounds.most, allow_inf_nan=False)]


JudgeEntry: Any = one_of(
    "JudgeEntry",
    "How the replicates of a run decide a claim.",
    "a judge",
    {row.name: (row.meaning, Nothing if row.argument is None else _share(row.bounds)) for row in JUDGES.values()},
)


class Claim(Closed):
    """A sentence of the study, and the check that it comes to."""

    says: str = Field(description="The sentence.")
    check: Condition | bool = Field(description="The condition: `final(error, variant == forward_only) <= 1e-3`.")
    judge: JudgeEntry = Field(
        default_factory=lambda: JudgeEntry.model_validate("replicates"),
        description="How replicates decide: `replicates`, `{share: p}`, `mean`, `geometric_mean`, `equivalent`.",
    )
    family: Name | None = Field(
        None, description="Claims of one family are judged together, at 5 % for all of them (Holm 1979)."
    )


class Experiment(Closed):
    """One experiment. Only `measures` is required."""

    model_config = ConfigDict(defer_build=False)  # built once: by itself for what is patched, and as a part of a study

    about: str | None = Field(None, description="What it shows.")
    base: Name | None = Field(None, description="The experiment that this one is derived from.")
    dtype: Literal["float32", "float64", "tf32", "bfloat16"] = Field(
        "float32", description="The type of real numbers, and how networks compute with them."
    )
    weights: Literal["float32", "bfloat16", "float16"] | None = Field(
        None, description="The type in which weights are kept between updates; each update rounds them once."
    )
    state: Literal["float32"] | None = Field(
        None, description="`float32`: what optimisers keep is not rounded to the type of `weights`."
    )
    loss_scale: Expression | None = Field(
        None,
        description="What losses are multiplied by, so that gradients of the type of `weights` do not vanish; updates divide by it. Constant.",
    )
    seed: int = Field(0, ge=0, lt=2**63, description="The root of all randomness.")
    constants: dict[Annotated[Name, Declares("constants")], Expression] = Field(
        default_factory=dict, description="Numbers and arrays known before anything runs."
    )
    sweep: dict[Annotated[Name, NameOf(("constants",))], list[Expression] | dict[Name, Patch]] = Field(
        default_factory=dict,
        description="Axes that multiply: a list of values of a constant, or a map of named patches.",
    )
    zip: list[list[Annotated[Name, NameOf(("constants",))]]] = Field(
        default_factory=list, description="Sweep axes that go in step."
    )
    functions: dict[Annotated[FunctionHead, Declares("functions")], Expression] = Field(
        default_factory=dict, description="Functions: `u(r): floor_to(r, z)`."
    )
    task: Task = Field(default_factory=lambda: Task(), description="What is learnt.")
    architecture: dict[Annotated[Name, Declares("architecture")], Learnt] = Field(
        default_factory=dict, description="What learns: networks and free parameters, by name."
    )
    layer_defaults: LayerDefaults = Field(
        default_factory=lambda: LayerDefaults(), description="Arguments of layers, for all layers."
    )
    outputs: dict[Annotated[Name, Declares("outputs")], Expression] = Field(
        default_factory=dict, description="Named predictions, made from networks."
    )
    loss: dict[Annotated[Name, Declares("loss")], Loss] = Field(
        default_factory=dict, description="Terms whose weighted sum is minimised."
    )
    gradient: dict[Annotated[str, NameOf(("functions", "architecture"))], GradientEntry] = Field(
        default_factory=dict, description="How gradients pass backwards: a mode for a function, a network or a layer."
    )
    training: Training | None = Field(None, description="How it is trained; without it, it is only measured.")
    estimates: dict[Annotated[Name, Declares("estimates")], Estimate] = Field(
        default_factory=dict,
        description="What is taken once, at the end of a phase of training, and used from then on.",
    )
    measures: dict[Annotated[Name, Declares("measures")], Measure] = Field(
        min_length=1, description="What is measured; `E` ranges over test examples."
    )
    replicates: Expression = Field(1, description="How many independent runs, each with its own draws.")
    variants: dict[Annotated[Name, Declares("variants")], Patch] = Field(
        default_factory=dict, description="Named patches: what is compared."
    )
    claims: dict[Annotated[Name, Declares("claims")], Claim] = Field(
        default_factory=dict, description="Sentences about the results, each with a check."
    )
    figures: dict[Annotated[Name, Declares("figures")], AnyFigure] = Field(
        default_factory=dict, description="What is drawn."
    )

    @classmethod
    def like(cls, node: yaml.Mapping, other: Experiment) -> Self:
        """The model of a tree that has sections in common with another's: these are that one's. Raises pydantic.ValidationError."""
        own = other.node()
        common = {
            key.text: getattr(other, key.text)
            for key, below in node.entries
            if isinstance(own, yaml.Mapping) and own.get(key.text) is below and key.text in other.model_fields_set
        }
        rest = replace(node, entries=tuple(entry for entry in node.entries if entry[0].text not in common))
        stand_ins = {name: {"x": 0} for name in common if cls.model_fields[name].is_required()}
        return placed(cls.from_node(rest, stand_ins).model_copy(update=common), node)

    def axis(self, name: str) -> yaml.Node | None:
        """Where an axis is written: the list of its values, or the map of its patches."""
        return self.node("variants") if name == "variant" else self.node("sweep", name)


__all__ = ["Claim", "Experiment", "GradientEntry", "OneOf"]
