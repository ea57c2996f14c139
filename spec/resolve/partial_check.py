"""Further problems of a text that the models refuse: its valid parts are checked all the same.

One run reports an unknown key in one experiment, an expression in another and a claim in a third. Problems that an earlier error may
have caused are left out. A misspelt key is read as the one that is suggested; a key too many, and a claim, a figure or a variant with a
fault, which nothing else needs, are taken away. An experiment with any other fault is left out, and so are lines that have an error already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pydantic

from ..diagnostics.problems import Problem, Source, StudyError
from ..model.experiment import Experiment
from ..model.layers import LayerDefaults
from ..model.study import Study
from ..model.validation_errors import Path, refused
from ..source import nodes as yaml
from .document import Document
from .patches import without
from .resolve import validate

NEEDED_BY_NONE = {("claims",), ("figures",), ("variants",)}
"""The parts of an experiment of which no other part needs an entry; but claims and figures speak of variants."""
TRIES = 3
"""How often an experiment is held against its model: as it stands, with its keys mended, and without what these were misspelt in."""


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
    """An experiment that its model takes, mended where that is possible; None where the rest would have errors for want of what is refused."""
    node = without(node, "base")
    for _ in range(TRIES):
        try:
            Experiment.model_validate(yaml.data(node))
            return node
        except pydantic.ValidationError as error:
            if not (names := _mended(refused(Experiment, node, error))):
                return None
            node = renamed(node, names)
    return None


def _mended(faults: Sequence[tuple[Path, str | None]]) -> dict[Path, str]:
    """What keys are to be called: misspelt ones as is suggested, and "" for those that go, unknown ones and faulty parts that nothing else needs."""
    names: dict[Path, str] = {}
    for path, name in faults:
        if name is not None:
            names[path] = name
        elif path[:1] in NEEDED_BY_NONE:
            names[path[:2]] = ""
            if path[0] == "variants":
                names |= {("claims",): "", ("figures",): ""}
    return names


def renamed(node: yaml.Mapping, names: Mapping[Path, str]) -> yaml.Mapping:
    """A mapping whose keys at some paths have other names, or are gone where that is "", stands there already or is another's; in one pass.

    A path that leads through a list changes nothing.
    """
    own: dict[str, str] = {}
    taken: set[str] = set()
    inner: dict[str, dict[Path, str]] = {}
    for (step, *rest), name in names.items():
        if rest:
            inner.setdefault(str(step), {})[tuple(rest)] = name
        else:
            own[str(step)] = name if node.key(name) is None and name not in taken else ""
            taken.add(name)
    entries = tuple(
        (
            replace(key, value=own[key.text], text=own[key.text]) if key.text in own else key,
            renamed(below, inner[key.text]) if key.text in inner and isinstance(below, yaml.Mapping) else below,
        )
        for key, below in node.entries
        if own.get(key.text, key.text)
    )
    return replace(node, entries=entries)


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
