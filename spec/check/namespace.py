"""The names of one experiment, each in its stage."""

from __future__ import annotations

from dataclasses import dataclass

from ..diagnostics.problems import Span, problem_at, sentence
from ..source import nodes as yaml
from ..tables.counters import COUNTERS

STAGES = ("constants", "draw", "example", "statistics", "architecture", "estimates", "outputs", "loss", "measures")

LATE_STAGES = ("outputs", "loss", "measures")
"""The stages from which on networks have values."""

AS_EARLY_AS = {
    "schedule": "constants",
    "start": "draw",
    "constraint": "draw",
    "statistics": "example",
    "timed": "constants",
}
"""What comes as early as a stage: learning rates, how weights start, what they are kept to, the numbers of gradient modes; statistics, which examples may use."""

TIMED = ("example", "architecture", "outputs", "loss", "measures")
"""The stages in which values may change from update to update."""


def counters_in(stage: str) -> tuple[str, ...]:
    """The counters that may stand in a stage, or in a place that comes as early."""
    return ("step",) if stage == "schedule" else tuple(COUNTERS) if stage in (*TIMED, "constraint", "timed") else ()


def stands_in(form: str, stage: str) -> bool:
    """Whether a special form, by where its row says that it stands, may stand in a stage."""
    later = {"draw": ("example",), "outputs": ("loss", "measures"), "measures": ("statistics",)}
    return form in ("any", stage) or stage in later.get(form, ())


MEANING = {
    "constants": "known before anything runs",
    "draw": "drawn once per replicate",
    "example": "drawn for each example",
    "statistics": "a statistic of the training examples",
    "architecture": "a network's output",
    "estimates": "taken at the end of a phase of training",
    "outputs": "an output, made from networks",
    "loss": "a term of the loss",
    "measures": "a measure",
}


DRAWN_BY_WEIGHTS = (
    "To draw with probabilities that a network gives, transform a draw: with `u: uniform()` in the example, under `outputs` "
    "`sum(u > cumsum(p)[:-1])` is an index with probabilities p, and `1 if u < p else 0` a coin; with `z: normal()`, `m + s * z` is a normal number."
)
"""How a policy's action, or a latent, is drawn: draws come before networks."""


def order(stage: str) -> int:
    """Where a stage comes: a name may use those of its own stage and of earlier ones."""
    return STAGES.index(AS_EARLY_AS.get(stage, stage))


def must_precede(name: str, named_stage: str, stage: str, span: Span, free: bool = False) -> None:
    """Refuses a name of a later stage than that in which it is used; `free` is that of a free parameter."""
    if order(named_stage) <= order(stage):
        return
    meaning = "a free parameter, learnt in training" if free else MEANING[named_stage]
    if stage == "schedule":
        hint = "Learning rates and the weights of loss terms are made of constants and `step`; what each example weighs is a factor of the term: `{of: w * (f - y)^2}`."
        raise problem_at(span, f"'{name}' is {meaning}, and cannot be used here", hint)
    where = {
        "constants": "a constant is needed here",
        "timed": "a number that may change in training is made of constants and counters (`step`, `phase`)",
        "draw": "`task.draw` comes before it",
        "start": "weights start before it, from constants and draws",
        "constraint": "a constraint is made of the weight, constants, draws and `step`",
        "example": "`task.example` comes before it",
        "statistics": "statistics of the training examples are taken before step 0",
        "architecture": "the architecture comes before it",
    }
    hint = "The stages are constants → draw → example → architecture → estimates → outputs → loss and measures."
    if stage == "architecture" and named_stage == "outputs":
        hint = (
            f'Make it a function, which inputs may use, too: `functions: {{"{name}()": …}}`, and write `{name}()` here.'
        )
    if stage in ("draw", "example") and named_stage in ("architecture", "outputs") and not free:
        hint = sentence(DRAWN_BY_WEIGHTS, hint)
    raise problem_at(span, f"'{name}' is {meaning}, and {where.get(stage, f'`{stage}` comes before it')}", hint)


@dataclass(frozen=True, eq=False)
class Binding:
    """A name bound to an expression: where it stands, and in which stage."""

    name: str
    stage: str
    node: yaml.Node
    key: Span


@dataclass(frozen=True, eq=False)
class Function:
    """A user's function: `u(r): floor_to(r, z)`."""

    name: str
    parameters: tuple[str, ...]
    node: yaml.Node
    key: Span
