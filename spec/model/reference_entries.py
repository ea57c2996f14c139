"""The reference as entries, one a name and kind: to be listed and searched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..tables.distributions import DISTRIBUTIONS
from ..tables.dtypes import DTYPES
from ..tables.gradient_modes import GRADIENT_MODES
from ..tables.gradient_statistics import GRADIENT_STATISTICS
from ..tables.initializers import INITIALIZERS
from ..tables.judges import JUDGES
from ..tables.layers import LAYERS
from ..tables.operations import CLAIM_FORMS, FORMS, OPERATIONS
from ..tables.optimizers import OPTIMIZERS


@dataclass(frozen=True)
class Entry:
    """A name of the language: what kind of thing it is, how it is written, and what it means."""

    kind: str
    name: str
    call: str
    meaning: str


def entries() -> Iterator[Entry]:
    """All of them, kind by kind."""
    for row in OPERATIONS.values():
        yield Entry(row.family, row.name, f"{row.name}{row.signature}", row.meaning)
    for form in (*FORMS.values(), *CLAIM_FORMS.values()):
        yield Entry("special forms", form.name, f"{form.name}{form.signature}", form.meaning)
    for draw in DISTRIBUTIONS.values():
        yield Entry("distributions", draw.name, f"{draw.name}{draw.signature}", draw.meaning)
    for layer in LAYERS.values():
        yield Entry("layers", layer.name, layer.name, layer.meaning)
    for mode in GRADIENT_MODES.values():
        yield Entry("gradient modes", mode.name, mode.name, mode.meaning)
    for name, statistic in GRADIENT_STATISTICS.items():
        yield Entry("gradient statistics", name, name, statistic.meaning)
    for name, optimizer in OPTIMIZERS.items():
        yield Entry("optimisers", name, name, optimizer.meaning)
    for name, start in INITIALIZERS.items():
        yield Entry("initialisers", name, name, start.meaning)
    for name, dtype in DTYPES.items():
        yield Entry("number types", name, name, dtype.meaning)
    for judge in JUDGES.values():
        yield Entry("judges of claims", judge.name, judge.name, judge.meaning)


def found(words: Sequence[str]) -> list[Entry]:
    """The entries in which all the words stand, those that have one in their name first.

    >>> [entry.name for entry in found(["softmax"])], [entry.name for entry in found(["trace", "hessian"])]
    (['softmax', 'log_softmax', 'cross_entropy'], ['hessian_trace'])
    """
    small = [word.lower() for word in words]
    hits = [one for one in entries() if all(word in f"{one.kind} {one.call} {one.meaning}".lower() for word in small)]
    return sorted(hits, key=lambda one: not any(word in one.name.lower() for word in small))
