"""Where a key stands that belongs to another map of the study than the one in which it is written."""

from __future__ import annotations

from collections.abc import Container

from .base import Closed
from .experiment import Evaluate, Experiment, Training
from .other_keys import OTHER_KEYS
from .study import Study
from .task import Data, Task

Places = tuple[tuple[tuple[str, ...], type[Closed]], ...]
IN_AN_EXPERIMENT: Places = (
    (("training",), Training), (("task",), Task), (("task", "data"), Data), (("training", "evaluate"), Evaluate)
)  # fmt: skip
"""The maps of an experiment whose keys are not the writer's own, by their paths."""


def further(word: str, known: Container[str]) -> str:
    """The map below, or above, that a key stands in which is none of an experiment, a study, `training` or `task`; nothing where none has it.

    >>> further("evaluate", ["task", "training"]), further("title", ["task", "training"])
    ('It belongs further down: `training: {evaluate: …}`.', 'It belongs in the study, beside `experiments`.')
    >>> further("epochs", ["experiments"]), further("units", ["experiments"])
    ('It belongs further down: `experiments: {NAME: {training: {steps: …}}}`.', '')
    """
    places: Places = ()
    if "experiments" in known:
        experiment = ("experiments", "NAME")
        places = ((experiment, Experiment), *(((*experiment, *path), model) for path, model in IN_AN_EXPERIMENT))
    elif "task" in known and "training" in known:
        if word in Study.model_fields:
            return "It belongs in the study, beside `experiments`."
        places = IN_AN_EXPERIMENT
    elif "optimizer" in known:
        places = ((("evaluate",), Evaluate),) if "evaluate" in known else ()
    else:
        places = ((("data",), Data),) if "example" in known else ()
    for path, model in places:
        here = next((name for name in (word, *OTHER_KEYS.get(word.lower(), ())) if name in model.model_fields), None)
        if here is not None:
            inside = f"{here}: …"
            for key in reversed(path):
                inside = f"{key}: {{{inside}}}"
            return f"It belongs further down: `{inside}`."
    return ""
