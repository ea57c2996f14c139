"""Arguments that are given and do nothing, as another one is off: a bias' start without a bias, an average's memory without an average."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..diagnostics.problems import Problem
from ..ir.plan import OptimizerPlan, Phase
from ..model.base import Closed
from ..model.experiment import Training
from ..source.several import all_equal
from ..tables.keras_parameters import Parameter
from ..tables.layers import LAYERS
from ..tables.optimizers import OPTIMIZERS


def idle_arguments(parameters: Mapping[str, Parameter], model: Closed, config: Mapping[str, Any]) -> Iterator[Problem]:
    """Warnings of arguments that are written and do nothing: none where one cell needs them.

    Args:
        parameters: What there is to give.
        model: The arguments as they are written.
        config: Their values, with those that are not written.
    """
    for name in model.model_fields_set & parameters.keys():
        needed, value = parameters.get(parameters[name].needs), getattr(model, name)
        if needed is None or value is None or value is False:
            continue
        if all_equal(config.get(needed.name, needed.default), 0):
            without = f"`{needed.name}: false`" if needed.kind == "bool" else f"`{needed.name}` 0"
            remedy = (
                f"`{needed.name}: true` uses it; or leave it out."
                if needed.kind == "bool"
                else f"Give a `{needed.name}`, or leave it out."
            )
            yield Problem(
                f"'{name}' does nothing with {without}", model.key(name), remedy, "warning", of_all_cells=True
            )


def idle_in_layers(layers: Sequence[Any]) -> Iterator[Problem]:
    """The same of the layers of a network, as they are written."""
    for layer in layers:
        if layer.kind == "repeat":
            yield from idle_in_layers(layer.value.layers)
        elif layer.kind in LAYERS:
            parameters, model = LAYERS[layer.kind].parameters, layer.value
            yield from idle_arguments(parameters, model, {name: getattr(model, name) for name in parameters})
            yield from idle_in_layers([getattr(model, name) for name, row in parameters.items() if row.kind == "layer"])


def idle_in_training(training: Training, phases: Sequence[Phase]) -> Iterator[Problem]:
    """The same of its optimisers, and of those of its phases and updates. What is said for all where some say more is left to these."""
    own = [(phase, training.phases[phase.name]) for phase in phases if phase.name]
    updates = [(phase.updates, training.updates if model.updates is None else model.updates) for phase, model in own]
    updates += [(phase.updates, training.updates) for phase in phases if not phase.name]
    for made, said in updates:
        for update in made:
            if (entry := said[update.name].optimizer) is not None:
                yield from _idle_in_optimizers(entry, update.optimizers)
    for phase, model in own:
        if model.optimizer is not None and phase.optimizers:
            yield from _idle_in_optimizers(model.optimizer, phase.optimizers)
    if len(phases) == 1 and not phases[0].name and phases[0].optimizers:
        yield from _idle_in_optimizers(training.optimizer, phases[0].optimizers)


def _idle_in_optimizers(model: Any, plans: Mapping[str, OptimizerPlan]) -> Iterator[Problem]:
    """The same of one optimiser, or of those of each network."""
    for name, entry in (model if isinstance(model, dict) else {"": model}).items():
        yield from idle_arguments(OPTIMIZERS[entry.kind].parameters, entry.value, plans[name].arguments)
