"""Further problems of a text that the models refuse: its valid parts are checked all the same.

One run reports an unknown key in one experiment, an expression in another and a claim in a third. Problems that an earlier error may
have caused are left out: of an experiment what nothing else needs is taken away where it has a fault, a claim, a figure, a variant, a
key too many; one with any other fault is left out, and so are lines that have an error already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pydantic

from ..diagnostics.problems import Problem, Source, StudyError
from ..model.experiment import Experiment
from ..model.layers import LayerDefaults
from ..model.study import Study
from ..model.validation_errors import less, refused
from ..source import nodes as yaml
from .document import Document
from .patches import without
from .resolve import validate

NEEDED_BY_NONE = {("claims",), ("figures",), ("variants",)}
"""The parts of an experiment of which no other part needs an entry; but claims and figures speak of variants."""


def remaining(
    source: Source, top: yaml.Mapping, experiments: Mapping[str, yaml.Mapping], problems: Sequence[Problem]
) -> list[Problem]:
    """The problems of the experiments that can be checked in spite of what was found."""
    sound = {name: node for name in experiments if (node := _sound(experiments[name])) is not None}
    whole = _study(top, sound)
    try:
        study = Study.from_node(whole)
        validate(Document(source, whole, study, sound))
    except pydantic.ValidationError:
        return []
    except StudyError as error:
        told = {problem.span.line for problem in problems if problem.span is not None}
        return [problem for problem in error.problems if problem.span is None or problem.span.line not in told]
    return []


def _sound(node: yaml.Mapping) -> yaml.Mapping | None:
    """An experiment that its model takes, less what it refuses; None where the rest would have errors for want of that."""
    node = without(node, "base")
    try:
        Experiment.model_validate(yaml.data(node))
        return node
    except pydantic.ValidationError as error:
        faults = refused(Experiment, node, error)
    paths = [path if stray else path[:2] for path, stray in faults if stray or path[:1] in NEEDED_BY_NONE]
    if len(paths) < len(faults):
        return None
    if any(path[:1] == ("variants",) for path in paths):
        paths += [("claims",), ("figures",)]
    sound = less(node, paths)
    try:
        Experiment.model_validate(yaml.data(sound))
        return sound
    except pydantic.ValidationError:
        return None


def _study(top: yaml.Mapping, experiments: Mapping[str, yaml.Mapping]) -> yaml.Mapping:
    """A study of some experiments, with the layer defaults of the whole where these hold by themselves."""
    entries: list[tuple[yaml.Scalar, yaml.Node]] = []
    for key, text in (("dlspec", 1), ("study", "study")):
        entries.append((yaml.Scalar(key, key, True, top.span), yaml.Scalar(text, str(text), True, top.span)))
    defaults, key_ = top.get("layer_defaults"), top.key("layer_defaults")
    if defaults is not None and key_ is not None:
        try:
            LayerDefaults.model_validate(yaml.data(defaults))
            entries.append((key_, defaults))
        except pydantic.ValidationError:
            pass
    inner = tuple((yaml.Scalar(name, name, True, node.span), node) for name, node in experiments.items())
    whole: list[tuple[yaml.Scalar, yaml.Node]] = [*entries]
    whole.append((yaml.Scalar("experiments", "experiments", True, top.span), yaml.Mapping(inner, top.span)))
    return yaml.Mapping(tuple(whole), top.span)
