"""The names of one experiment, each in its phase."""

from __future__ import annotations

from dataclasses import dataclass

from ..diagnostics.problems import Span, problem_at
from ..source import nodes as yaml
from ..tables.counters import COUNTERS

PHASES = ("constants", "draw", "example", "architecture", "outputs", "loss", "measures")

AS_EARLY_AS = {"schedule": "constants", "start": "draw"}
"""Places that come as early as a phase: learning rates, and how weights start."""

TIMED = ("example", "architecture", "outputs", "loss", "measures")
"""The phases in which values may change from update to update."""


def counters_in(phase: str) -> tuple[str, ...]:
    """The counters that may stand in a phase, or in a place that comes as early."""
    return ("step",) if phase == "schedule" else tuple(COUNTERS) if phase in TIMED else ()


def stands_in(form: str, phase: str) -> bool:
    """Whether a special form, by where its row says that it stands, may stand in a phase."""
    later = {"draw": ("example",), "outputs": ("loss", "measures")}
    return form in ("any", phase) or phase in later.get(form, ())


MEANING = {
    "constants": "known before anything runs",
    "draw": "drawn once per replicate",
    "example": "drawn for each example",
    "architecture": "a network's output",
    "outputs": "an output, made from networks",
    "loss": "a term of the loss",
    "measures": "a measure",
}


def order(phase: str) -> int:
    """Where a phase comes: a name may use those of its own phase and of earlier ones."""
    return PHASES.index(AS_EARLY_AS.get(phase, phase))


def must_precede(name: str, named_phase: str, phase: str, span: Span) -> None:
    """Refuses a name of a later phase than that in which it is used."""
    if order(named_phase) <= order(phase):
        return
    if phase == "schedule":
        hint = "Learning rates and the weights of loss terms are made of constants and `step`."
        raise problem_at(span, f"'{name}' is {MEANING[named_phase]}, and cannot be used here", hint)
    where = {
        "constants": "a constant is needed here",
        "draw": "`task.draw` comes before it",
        "start": "weights start before it, from constants and draws",
        "example": "`task.example` comes before it",
        "architecture": "the architecture comes before it",
    }
    hint = "The stages are constants → draw → example → architecture → outputs → loss and measures."
    raise problem_at(
        span, f"'{name}' is {MEANING[named_phase]}, and {where.get(phase, f'`{phase}` comes before it')}", hint
    )


@dataclass(frozen=True, eq=False)
class Binding:
    """A name bound to an expression: where it stands, and in which phase."""

    name: str
    phase: str
    node: yaml.Node
    key: Span


@dataclass(frozen=True, eq=False)
class Function:
    """A user's function: `u(r): floor_to(r, z)`."""

    name: str
    parameters: tuple[str, ...]
    node: yaml.Node
    key: Span
