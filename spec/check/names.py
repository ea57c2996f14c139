"""The terms of an experiment's names, looked up for many names at once where a cell is like one that was checked before."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..ir import terms as t
from ..passes.expanded_size import Size
from .namespace import Binding
from .scope import ExperimentScope

GROUP = 50
"""How many names are looked up at once: where one of them comes out otherwise in another cell, each of these is looked up by itself."""

Made = dict[str, tuple[t.Term, Size | None]]
"""The terms of some names, and the sizes of outputs."""


def make_names(experiment: ExperimentScope) -> None:
    """Makes the term of every name but the networks'."""
    names = [binding for binding in experiment.bindings.values() if binding.stage != "architecture"]
    constants = [binding for binding in names if binding.stage == "constants"]
    _make(experiment, constants)
    grouped = names[len(constants) :]  # no constant comes after another name
    for first in range(0, len(grouped), GROUP):
        bindings = grouped[first : first + GROUP]
        if any(binding.name in experiment.terms for binding in bindings):  # what it read is told of what asked for it
            _make(experiment, bindings)
            continue
        make = partial(_make, experiment, bindings)
        made = experiment.group(("names", first), make, *(binding.node for binding in bindings))
        for name, (term, size) in made.items():
            experiment.sequence.done.add(name)
            if name not in experiment.terms:  # else it is this cell's own, as another reads it
                experiment.terms[name] = term
                if size is not None:
                    experiment.sizes[name] = size


def _make(experiment: ExperimentScope, bindings: Sequence[Binding]) -> Made:
    terms, sizes = experiment.terms, experiment.sizes
    for binding in bindings:
        experiment.attempt(partial(experiment.term_of, binding, binding.key))
    return {one.name: (terms[one.name], sizes.get(one.name)) for one in bindings if one.name in terms}
