"""The reference as entries, one a name and kind: to be listed and searched. So are the keys of a study, and what takes an argument."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..diagnostics.problems import listing
from ..tables.counters import COUNTERS
from ..tables.distributions import DISTRIBUTIONS
from ..tables.dtypes import DTYPES
from ..tables.gradient_modes import GRADIENT_MODES
from ..tables.gradient_statistics import GRADIENT_STATISTICS
from ..tables.initializers import INITIALIZERS
from ..tables.judges import JUDGES
from ..tables.keras_parameters import ACTIVATIONS, CONSTRAINTS, Parameter
from ..tables.layers import LAYERS
from ..tables.named_numbers import NAMED_NUMBERS
from ..tables.operations import CLAIM_FORMS, FORMS, OPERATIONS
from ..tables.optimizers import OPTIMIZERS
from .base import OneOf
from .fields import TOP, Place, fields, meaning
from .figures import FIGURES


@dataclass(frozen=True)
class Entry:
    """A name of the language: what kind of thing it is, how it is written, and what it means; of an argument, what takes it."""

    kind: str
    name: str
    call: str
    meaning: str
    takers: tuple[str, ...] = ()


def entries() -> Iterator[Entry]:
    """All of them, kind by kind."""
    for row in OPERATIONS.values():
        yield Entry(row.family, row.name, f"{row.name}{row.signature}", row.meaning)
    for form in (*FORMS.values(), *CLAIM_FORMS.values()):
        yield Entry("special forms", form.name, f"{form.name}{form.signature}", form.meaning)
    for counter in COUNTERS.values():
        yield Entry("counters", counter.name, counter.name, counter.meaning)
    for number in NAMED_NUMBERS.values():
        yield Entry("named numbers", number.name, number.name, number.meaning)
    for draw in DISTRIBUTIONS.values():
        yield Entry("distributions", draw.name, f"{draw.name}{draw.signature}", draw.meaning)
    for layer in LAYERS.values():
        yield Entry("layers", layer.name, layer.name, layer.meaning)
    for name, of in ACTIVATIONS.items():
        yield Entry("activations", name, name, of)
    for mode in GRADIENT_MODES.values():
        yield Entry("gradient modes", mode.name, mode.name, mode.meaning)
    for name, statistic in GRADIENT_STATISTICS.items():
        yield Entry("gradient statistics", name, name, statistic.meaning)
    for name, optimizer in OPTIMIZERS.items():
        yield Entry("optimisers", name, name, optimizer.meaning)
    for name, start in INITIALIZERS.items():
        yield Entry("initialisers", name, name, start.meaning)
    for name, limits in CONSTRAINTS.items():
        yield Entry(
            "constraints", name, name, f"keeps weights to it after each update; takes {listing(limits) or 'nothing'}"
        )
    for name, dtype in DTYPES.items():
        yield Entry("number types", name, name, dtype.meaning)
    for judge in JUDGES.values():
        yield Entry("judges of claims", judge.name, judge.name, judge.meaning)
    for name, figure in FIGURES.items():
        yield Entry("figures", name, name, figure.__doc__ or "")


def further() -> Iterator[Entry]:
    """What is no entry of the reference and is looked for all the same: the arguments of what has some, and the keys of a study."""
    takers: dict[tuple[str, str], dict[str, list[str]]] = {}
    rows: Mapping[str, Mapping[str, Mapping[str, Parameter]]] = {
        "layers": {name: row.parameters for name, row in LAYERS.items()},
        "optimisers": {name: row.parameters for name, row in OPTIMIZERS.items()},
        "initialisers": {name: row.parameters for name, row in INITIALIZERS.items()},
        "gradient statistics": {name: row.parameters for name, row in GRADIENT_STATISTICS.items()},
        "constraints": CONSTRAINTS,
    }
    for kind, table in rows.items():
        for name, parameters in table.items():
            for parameter in parameters.values():
                takers.setdefault((kind, parameter.name), {}).setdefault(parameter.meaning, []).append(name)
    for (kind, name), meanings in takers.items():
        for of, names in meanings.items():
            yield Entry(f"arguments of {kind}", name, name, of, tuple(names))
    yield from _keys()


def _keys() -> Iterator[Entry]:
    """The keys of a study with what they are for, each where it stands first."""
    waiting: list[tuple[str, Place]] = [("", TOP)]
    told: set[tuple[str, str]] = set()
    while waiting:
        path, place = waiting.pop(0)
        for model in place.models:
            for name in () if issubclass(model, OneOf) else fields(model):
                one = (name, meaning(model, name))
                if one in told:
                    continue
                told.add(one)
                if one[1]:
                    yield Entry("keys of a study", name, f"{path}{name}", one[1])
                below = place.below(name, {}) if len(place.models) == 1 else Place((model,)).below(name, {})
                for inner, more in ((below, ""), (below.below("", {}), "NAME."), (below.item(), "")):
                    waiting.append((f"{path}{name}.{more}", inner))


def found(words: Sequence[str]) -> list[Entry]:
    """The entries in which all the words stand, those that have one in their name first.

    >>> [entry.name for entry in found(["softmax"])], [entry.name for entry in found(["trace", "hessian"])]
    (['softmax', 'log_softmax', 'softmax', 'log_softmax', 'cross_entropy'], ['hessian_trace'])
    """
    small = [word.lower() for word in words]
    hits = [
        one
        for one in (*entries(), *further())
        if all(word in f"{one.kind} {one.call} {one.meaning}".lower() for word in small)
    ]
    return sorted(hits, key=lambda one: not any(word in one.name.lower() for word in small))
