"""Numbers that tell the time: what has been done so far of the training."""

from __future__ import annotations

from dataclasses import dataclass

from .by_name import by_name


@dataclass(frozen=True)
class Counter:
    """A name of the language whose value changes while an experiment runs: an int."""

    name: str
    meaning: str


COUNTERS = by_name(
    (
        Counter("step", "how many updates have been made; in an example, a loss or a learning rate the number of the update that it is for"),
        Counter("phase", "the number of the phase of training, from 0; each pass of a repeated one counts"),
        Counter("phase_step", "the same as `step`, counted from the start of the phase"),
        Counter("pass", "which pass of a repeated phase this is, from 0"),
    ),
    "counter",
)  # fmt: skip
"""The counters, by name."""
