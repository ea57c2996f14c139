"""The names of an experiment, as far as they can be known in a text that may be wrong elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

from ..check.constant_limits import Budget
from ..check.data import data_source
from ..check.measures import measure
from ..check.memo import Common, Shared
from ..check.namespace import MEANING, STAGES
from ..check.scope import ExperimentScope
from ..diagnostics.problems import Span, StudyError
from ..ir.data import Rows
from ..ir.types import shape_text
from ..model.experiment import Experiment
from ..model.fields import Place
from ..resolve.document import derived, experiment
from ..resolve.patches import without
from ..source import nodes as yaml

WHAT = {
    **MEANING, "functions": "a function", "variants": "a variant", "tests": "other test examples", "files": "a data file",
    "phases": "a phase of training", "updates": "an update of a step", "claims": "a claim", "figures": "a figure",
}  # fmt: skip
"""What each kind of name is; which there are, and where they are declared, the models say (`Declares`)."""
VALUES = (*(stage for stage in STAGES if stage not in ("loss", "measures")), "functions", "files")
"""The kinds of names that stand for a value in expressions, in the order in which one is looked for."""
BESIDE = ("phases", "tests")
"""Those that stand in expressions and are no values: `after(task_a, f)`, `E(…, on=long)`."""
EXPERIMENT = Place((Experiment,))


def kinds_at(place: Place, inside: tuple[str | int, ...], key: bool, text: str) -> tuple[str, ...]:
    """The kinds of names that a word of a text may stand for, in the order in which it is looked for.

    `inside` leads to the text within its experiment, and `key` says that it is a key, of the mapping at `place`.
    """
    if key:
        return (place.declares,) if place.declares else place.keys_are_of
    if place.condition:
        return ("measures", *VALUES, "variants", *BESIDE)
    if place.expression(text):
        return (*VALUES, *(("measures",) if inside[:1] == ("measures",) else ()), *BESIDE)
    last = str(next((step for step in reversed(inside) if isinstance(step, str)), ""))
    if inside[:1] == ("figures",) or last.endswith("activation") or last == "apply":
        return ("measures", "constants", "functions", "architecture")
    return place.text_is_of


@dataclass(frozen=True)
class Known:
    """A name: what kind it is (a key of `WHAT`), where it stands, its text and type."""

    name: str
    kind: str
    key: Span
    text: str = ""
    type: str = ""
    parameters: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """What it is, in words."""
        return WHAT[self.kind]


@dataclass(frozen=True)
class Names:
    """What an experiment declares: names by kind and name, its own key, and the parts of its networks and data files by path."""

    key: Span
    known: Mapping[tuple[str, str], Known] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, *kinds: str) -> list[Known]:
        """The names of some kinds, in file order."""
        return [item for (kind, _), item in self.known.items() if kind in kinds]

    def find(self, name: str, *kinds: str) -> Known | None:
        """A name of the first of some kinds that has it."""
        return next((self.known[kind, name] for kind in kinds if (kind, name) in self.known), None)


def names(top: yaml.Mapping) -> dict[str, Names]:
    """The names of every experiment of a tree."""
    node = top.get("experiments")
    if not isinstance(node, yaml.Mapping):
        return {}
    try:
        whole: Mapping[str, yaml.Mapping] = derived(top)
    except StudyError:
        whole = {}
    names_by_experiment = {}
    common = Common()  # experiments of one base share most of their parts
    for key, own in node.entries:
        below = whole.get(key.text, own)
        if isinstance(below, yaml.Mapping):
            names_by_experiment[key.text] = _names(key, below, common)
    return names_by_experiment


def _names(key: yaml.Scalar, node: yaml.Mapping, common: Common) -> Names:
    known: dict[tuple[str, str], Known] = {}
    for part in (without(node, "variants", "sweep"), node):  # what patches say of a name comes after its own place
        for item in _declared(part, EXPERIMENT):
            known.setdefault((item.kind, item.name), item)
    types, parts = _checked(node, common)
    typed = {
        (kind, name): Known(name, kind, item.key, item.text, types.get(name, ""), item.parameters)
        for (kind, name), item in known.items()
    }
    return Names(key.span, typed, parts)


def _declared(node: yaml.Node, place: Place) -> Iterator[Known]:
    """The names that are declared in what stands at a place."""
    if not isinstance(node, yaml.Mapping):
        return
    keys = node.texts()
    kind = place.declares if place.model(keys) is None else ""
    for key, value in node.entries:
        yield from _declared(value, place.below(key.text, keys))
        if not kind:
            continue
        name, parameters = key.text, ()
        if place.heads:
            match = re.match(r"\s*(\w+)\s*\(([^()]*)\)", key.text)
            if match is None:
                continue
            name, parameters = match[1], tuple(word.strip() for word in match[2].split(","))  # type: ignore[assignment]
        yield Known(name, kind, key.span, _written(kind, value), "", parameters)


def _written(kind: str, node: yaml.Node) -> str:
    """A name's definition on a line, where it is an expression."""
    if isinstance(node, yaml.Mapping) and kind in ("measures", "loss", "estimates"):
        node = node.get("of") or node
    if isinstance(node, yaml.Scalar):
        return " ".join(node.text.split())
    if isinstance(node, yaml.Sequence):
        return f"[{', '.join(_written(kind, item) or '…' for item in node.items)}]"
    return ""


NO_LAYERS = ("weights", "input")
"""The parts of a network that are none of its layers, unless one is called so."""


def _checked(node: yaml.Mapping, common: Common) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The types of an experiment's names, and the layers and weights of its networks; what is wrong is left out."""
    types: dict[str, str] = {}
    parts: dict[str, dict[str, str]] = {}
    try:
        model = experiment(without(node, "base"))
        common.budget = Budget()
        scope = ExperimentScope(Shared(model, common=common))
    except StudyError:
        return types, parts
    scope.data = scope.attempt(lambda: data_source(scope)) if scope.files else None
    if isinstance(scope.data, Rows):
        from ..data_files.described import columns_text  # of studies with files alone

        parts.update({file.name: columns_text(file.survey) for file in scope.data.files})
    for binding in list(scope.bindings.values()):
        try:
            if binding.stage == "architecture":
                plan = scope.plan(binding.name, binding.key)
                types[binding.name] = str(plan.output)
                parts[binding.name] = {"weights": f"real[{plan.parameters}], all weights together"}
                if not plan.free:
                    parts[binding.name]["input"] = f"{plan.given}, what it is given"
                for layer in plan.leaves() if not plan.free else ():
                    path = f"{binding.name}.{layer.key}"
                    of_each = f" of each of {plan.copies} copies" if plan.copies is not None else ""
                    parts[binding.name][layer.key.partition(".")[0]] = (
                        f"a layer{of_each}, {layer.input} → {layer.output}"
                    )
                    parts[path] = {weight: f"real{shape_text(shape)}" for weight, shape in layer.shapes.items()}
                    size = sum(prod(shape) for weight, shape in layer.shapes.items() if weight not in layer.untrained)
                    if size:
                        parts[path].setdefault("weights", f"real[{size}], the layer's weights together")
            else:
                types[binding.name] = str(scope.term_of(binding, binding.key).type)
        except StudyError:
            continue
    for name in model.measures:
        try:
            for made in measure(scope, name):
                types.setdefault(made.name, str(made.term.type))
        except StudyError:
            continue
    return types, parts


__all__ = ["Known", "Names", "kinds_at", "names"]
