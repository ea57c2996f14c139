"""What the points of a sweep share: parts of an experiment that speak of no constant which differs between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .. import source as yaml

if TYPE_CHECKING:
    from .experiment import ExperimentChecker

WORD = re.compile(r"[^\W\d]\w*")


class Shared:
    """A point that was checked without a fault, whose terms other points of the same experiment take up.

    Both have the same document but for some constants. A part is shared when no word in it names one of these, a
    name made from one of these, or a function or a network that speaks of such: a word too many costs a check, no more.
    """

    def __init__(self, checked: ExperimentChecker, constants: Iterable[str]) -> None:
        self.checked = checked
        self.differing = set(constants)
        node, model = checked.node, checked.model
        parts = {name: words(binding.node) for name, binding in checked.bindings.items()}
        parts |= {
            name: words(function.node) | words(yaml.find(node, ["gradient", name]))
            for name, function in checked.functions.items()
        }
        defaults = words(checked.default_nodes)
        parts |= {name: words(yaml.find(node, ["architecture", name])) | defaults for name in model.architecture}
        while more := {name for name, said in parts.items() if name not in self.differing and said & self.differing}:
            self.differing |= more
        self.terms = {name: term for name, term in checked.terms.items() if name not in self.differing}
        self.plans = {name: plan for name, plan in checked.plans.items() if name not in self.differing}
        self.loss = {name for name in model.loss if self.speaks_of_none(["loss", name])}
        self.measures = {
            name
            for name in model.measures
            if getattr(model.measures[name], "kind", None) is None and self.speaks_of_none(["measures", name])
        }

    def speaks_of_none(self, path: list[str | int]) -> bool:
        """Whether the part at a path is the same at every point."""
        return not words(yaml.find(self.checked.node, path)) & self.differing


def words(node: yaml.Node | None) -> set[str]:
    """All words in the keys and texts of a part."""
    return set(_words(node))


def _words(node: yaml.Node | None) -> Iterator[str]:
    if isinstance(node, yaml.Scalar):
        yield from WORD.findall(node.text)
    elif isinstance(node, yaml.Sequence):
        for item in node.items:
            yield from _words(item)
    elif isinstance(node, yaml.Mapping):
        for key, below in node.entries:
            yield from WORD.findall(key.text)
            yield from _words(below)
