"""The axes of an experiment, its variants among them, and the points that they make."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ..check import constant_folding as folding
from ..check.context import Context
from ..check.declarations import word_as_name
from ..check.figures import axes_known
from ..check.memo import Shared
from ..check.scope import ExperimentScope
from ..diagnostics.problems import Span, StudyError, did_you_mean, listing, problem_at, sentence
from ..model.experiment import Experiment, Network
from ..source import nodes as yaml
from ..source.names import KEYWORDS
from .patches import weights_alone

MAX_CELLS = 10_000


class Sweep:
    """The axes of one experiment, with profile and overrides over it; `only` are the variants that are asked for."""

    def __init__(self, study: str, name: str, model: Experiment, only: tuple[str, ...]) -> None:
        self.study, self.name, self.model, self.only = study, name, model, only

    def axes(self) -> dict[str, list[Any]]:
        """Each axis with its values: names of variants or patches, or numbers of a swept constant."""
        values_by_axis: dict[str, list[Any]] = {}
        swept = self.model.node("sweep")
        patches = [value for _, value in swept.entries] if isinstance(swept, yaml.Mapping) else []
        for node in (self.model.node("variants"), swept, *patches):
            for key, _ in node.entries if isinstance(node, yaml.Mapping) else ():
                if key.text in KEYWORDS:  # claims speak of axes and their values
                    raise StudyError(word_as_name(key))
        if self.model.variants:
            names = list(self.model.variants)
            for word in self.only:
                if word not in names:
                    hint = did_you_mean(word, names) or f"The variants are {listing(names)}."
                    raise problem_at(None, f"--only {self.name}/{word}: there is no variant '{word}'", hint)
            values_by_axis["variant"] = [name for name in names if not self.only or name in self.only]
        elif self.only:
            raise problem_at(
                None,
                f"--only {self.name}/{self.only[0]}: the experiment has no variants",
                f"Write `--only {self.name}`.",
            )
        for axis, values in self.model.sweep.items():
            span = self.model.span("sweep", axis)
            if axis == "variant":
                hint = "Move its entries under `variants`, or choose another name."
                raise problem_at(span, "'variant' is the axis that `variants` make", hint)
            if not values:
                raise problem_at(span, f"the axis '{axis}' has no values", "`d: [1, 2]`, or a map of named patches.")
            if not isinstance(values, dict) and axis not in self.model.constants:
                raise self._undeclared(axis, span)
        for axis, values in self.model.sweep.items():
            node = self.model.node("sweep", axis)
            values_by_axis[axis] = self.values(axis, node) if isinstance(node, yaml.Sequence) else list(values)
        return values_by_axis

    def _undeclared(self, axis: str, span: Span) -> StudyError:
        from ..model.other_values import other_value  # of studies with errors alone

        hint = other_value(("sweep", axis), self.model.node("sweep", axis)) or sentence(
            did_you_mean(axis, self.model.constants),
            "A swept constant is declared under `constants`, with a value.",
        )
        return problem_at(span, f"'{axis}' is swept, but is not a constant of '{self.name}'", hint)

    def values(self, axis: str, node: yaml.Sequence) -> list[Any]:
        """The values of a swept constant."""
        values: list[Any] = []
        seen: set[Any] = set()
        zipped = any(axis in names for names in self.model.zip)
        scope = ExperimentScope(Shared(self.model))
        for item in node.items:
            term = scope.checker.value(item, Context("constants", ()))
            value = folding.known(term, "a swept value")
            found = value.item() if not value.shape else tuple(np.ravel(value).tolist())
            if found in seen and not zipped:
                said = str(found).lower() if isinstance(found, bool) else found
                hint = "Remove one: `true` is 1 among numbers." if isinstance(found, bool) else "Remove one."
                if len(self.model.sweep) > 1:
                    hint += " An axis in step with another may have it twice: `zip: [[a, b]]`, beside `sweep`."
                raise problem_at(item.span, f"'{axis}' has the value {said} twice", hint)
            seen.add(found)
            values.append(found)
        return values

    def points(self, axes: Mapping[str, list[Any]]) -> list[dict[str, int]]:
        """Every combination, as places along the axes; zipped axes go in step."""
        groups: list[list[str]] = []
        zipped: list[str] = []
        for place, names in enumerate(self.model.zip):
            for inner, name in enumerate(names):
                span = self.model.span("zip", place, inner)
                if name not in axes:
                    hint = did_you_mean(name, axes) or axes_known(axes)
                    raise problem_at(span, f"there is no axis '{name}' to zip", hint)
                if name in zipped:
                    raise problem_at(
                        span, f"the axis '{name}' is zipped twice", "Put all axes that go in step into one list."
                    )
                zipped.append(name)
            if len({len(axes[name]) for name in names}) != 1:
                span = self.model.span("zip", place)
                shown = " and ".join(f"'{name}' has {len(axes[name])}" for name in names)
                raise problem_at(
                    span,
                    f"axes that go in step need equally many values, but {shown}",
                    "Give them equally many, or leave one out of `zip`.",
                )
            self._must_differ(names, axes, place)
            groups.append(list(names))
        groups += [[name] for name in axes if name not in zipped]
        groups.sort(key=lambda group: list(axes).index(group[0]))
        total = 1
        for group in groups:
            total *= len(axes[group[0]])
        if total > MAX_CELLS:
            span = self.model.span("sweep" if self.model.sweep else "variants")
            hint = "Axes multiply: sweep fewer values, put axes in step with `zip`, or make experiments of parts."
            raise problem_at(span, f"{total:,} cells; the limit is {MAX_CELLS:,}", hint)
        ranges = [range(len(axes[group[0]])) for group in groups]
        points = []
        for places in itertools.product(*ranges):
            points.append({name: place for group, place in zip(groups, places, strict=True) for name in group})
        return points

    def _must_differ(self, names: Sequence[str], axes: Mapping[str, list[Any]], place: int) -> None:
        """Of axes that go in step one may have a value twice, and not all of them at once: a cell is told by them together."""
        seen: set[tuple[Any, ...]] = set()
        for values in zip(*(axes[name] for name in names), strict=True):
            if values in seen:
                span = self.model.span("zip", place)
                told = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
                raise problem_at(
                    span, f"axes that go in step have {told} twice", "Remove one of the two from each axis."
                )
            seen.add(values)

    def must_be_apart(self, axes: Mapping[str, list[Any]]) -> None:
        """Two axes that patch one path would depend on their order."""
        touched = _Touched()
        for axis in axes:
            touched.by(axis, ("constants", axis))
        for axis in axes:
            node = self.model.axis(axis)
            if not isinstance(node, yaml.Mapping):
                continue
            for key, patch in node.entries:
                for path in _leaf_paths(patch):
                    other = touched.by(axis, path)
                    if other is not None:
                        message = f"the axes '{other}' and '{axis}' both change '{'.'.join(path)}'"
                        raise problem_at(key.span, message, "Let only one axis change this path.")


def cells(model: Experiment) -> int:
    """How many cells an experiment says that it has, without a look at any."""
    sizes = {axis: len(values) for axis, values in model.sweep.items()}
    for names in model.zip:
        sizes.update(dict.fromkeys(names[1:], 1))
    return prod([max(len(model.variants), 1), *sizes.values()])


def names(model: Experiment) -> int:
    """How many names an experiment declares, from its constants to its measures."""
    return sum(
        map(len, (model.constants, model.task.draw, model.task.example, model.outputs, model.loss, model.measures))
    )


def parts(model: Experiment) -> int:
    """How many names an experiment declares, and layers besides: what is checked in each cell."""
    return names(model) + sum(len(item.layers) for item in model.architecture.values() if isinstance(item, Network))


class _Touched:
    """Which axes change which paths, and something in them."""

    def __init__(self) -> None:
        self.paths: dict[tuple[str, ...], str] = {}
        self.within: dict[tuple[str, ...], dict[str, None]] = {}

    def by(self, axis: str, path: tuple[str, ...]) -> str | None:
        """Notes that an axis changes a path. Another that changes it, what it is in, or what is in it."""
        steps = [path[:length] for length in range(1, len(path) + 1)]
        others = [self.paths.get(step) for step in steps] + list(self.within.get(path, ()))
        self.paths.setdefault(path, axis)
        for step in steps:
            self.within.setdefault(step, {})[axis] = None
        return next((other for other in others if other not in (None, axis)), None)


def _leaf_paths(node: yaml.Node, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if isinstance(node, yaml.Mapping) and node.entries and (path != ("loss",) or weights_alone(node)):
        return [found for key, below in node.entries for found in _leaf_paths(below, (*path, key.text))]
    return [path] if path else []
