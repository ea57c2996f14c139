"""An experiment as a tree of paths to compare: defaults written out, short forms long, expressions parsed.

It is made from the validated models alone, field by field, so a new field of the language is compared as soon as it is
in its model.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, Literal, get_args, get_origin

from ..diagnostics.problems import StudyError
from ..expressions import nodes as n
from ..expressions.parser import SyntaxProblem, parse_expression
from ..expressions.printer import print_expression
from ..model.base import Closed, OneOf
from ..model.experiment import LossTerm, MeasureOf
from ..model.fields import ORDERED
from ..model.layers import LayerDefaults
from ..source.names import is_name
from ..tables.gradient_modes import DEFAULT_MODE
from .expressions import canonical

TEXTS = frozenset({"title", "about", "says", "caption", "paper", "section", "figure", "url", "label"})
"""Fields for people alone."""
ABOUT_ALL_CELLS = frozenset({"base", "variants", "sweep", "zip"})
"""Fields that are no part of one cell: what they do is compared cell by cell."""
UNORDERED = frozenset({"where", "at", "steps", "networks", "loss", "trains", "restart"})
"""Lists whose order has no meaning: conditions that hold together, steps at which something is taken, networks that are trained."""
WRAPPED: Mapping[str, type[Closed]] = {"loss": LossTerm, "measures": MeasureOf}
"""Maps whose entries may be a bare expression instead of a model with `of`."""


@dataclass(frozen=True)
class Expression:
    """An expression; `parameters` are those of the function whose body it is."""

    tree: n.Expr
    parameters: tuple[str, ...] = ()
    form: Any = field(default=None, compare=True, repr=False)

    @property
    def text(self) -> str:
        """Its canonical spelling."""
        return print_expression(self.tree)


@dataclass(frozen=True)
class Word:
    """A word of the language, a truth value, or (`text`) something that only people read."""

    value: Any
    text: bool = False


@dataclass(frozen=True)
class Branch:
    """Named entries. `head` is the one key of a one-of map; `usual` are the entries that hold by default; `ordered` where their order counts."""

    entries: Mapping[str, Tree]
    head: str = ""
    usual: frozenset[str] = field(default=frozenset(), compare=False)
    ordered: bool = False


@dataclass(frozen=True)
class Layers:
    """A list of layers, each under the key that the seed tree knows it by."""

    items: tuple[tuple[str, Branch | Expression], ...]


Tree = Expression | Word | Branch | Layers
Kept = dict[int, dict[tuple[str, int], Tree]]
"""Of each layer defaults the trees of sections, by the field and the value's identity: these values are part of models that are kept."""


def expression(tree: n.Expr, parameters: tuple[str, ...] = ()) -> Expression:
    """An expression with the form that its equal spellings share."""
    return Expression(tree, parameters, canonical(tree, {name: f"@{i}" for i, name in enumerate(parameters)}))


def same(a: Tree | None, b: Tree | None) -> bool:
    """Whether two trees are equal but for spelling."""
    if a is b:
        return True
    if isinstance(a, Expression) and isinstance(b, Expression):
        return bool(a.form == b.form)
    if isinstance(a, Branch) and isinstance(b, Branch):
        keys = a.entries.keys() | b.entries.keys()
        if a.ordered and b.ordered and shared_order(a, b) != shared_order(b, a):
            return False
        return a.head == b.head and all(same(a.entries.get(key), b.entries.get(key)) for key in keys)
    if isinstance(a, Layers) and isinstance(b, Layers):
        pairs = zip(a.items, b.items, strict=False)
        return len(a.items) == len(b.items) and all(x[0] == y[0] and same(x[1], y[1]) for x, y in pairs)
    return type(a) is type(b) and a == b


def rough(tree: Tree) -> Hashable:
    """Equal for trees that are the same, and for few others: without the words in them, and orders."""
    if isinstance(tree, Expression):
        form: Hashable = tree.form
        return form
    if isinstance(tree, Branch):
        return tree.head, frozenset((key, rough(below)) for key, below in tree.entries.items())
    if isinstance(tree, Layers):
        return tuple((key, rough(below)) for key, below in tree.items)
    return type(tree).__name__


def in_one_order(array: Expression) -> Expression:
    """A list whose order has no meaning, in the one that all such have."""
    items = [expression(item) for item in array.tree.items] if isinstance(array.tree, n.Array) else []
    items.sort(key=lambda item: (len(spell(item)), spell(item)))
    return expression(n.Array(tuple(item.tree for item in items))) if items else array


def shared_order(one: Branch, other: Branch) -> list[str]:
    """The keys of a branch that another has, too, in its order."""
    return [key for key in one.entries if key in other.entries]


def experiment_tree(model: Any, study_defaults: LayerDefaults, kept: Kept | None = None) -> Branch:
    """The tree of an experiment; what `layer_defaults` say stands in every layer that they reach.

    `kept` are the trees of sections that models have in common, of one study: each is made once, and is one tree in all of them.
    """
    said = id(model.layer_defaults) if model.layer_defaults.model_fields_set else 0
    builder = _Builder(_defaults(model, study_defaults), {} if kept is None else kept.setdefault(said, {}))
    entries = builder.sections(model, ABOUT_ALL_CELLS | {"layer_defaults"})
    gradient = entries.get("gradient")
    if isinstance(gradient, Branch):
        entries["gradient"] = _modes(gradient, entries.get("functions"))
    if model.training is not None and isinstance(training := entries.get("training"), Branch):
        entries["training"] = _said_in_phases(training, model.training, entries.get("functions"))
    return Branch(entries)


def _said_in_phases(tree: Branch, training: Any, functions: Tree | None) -> Branch:
    """The tree of a training whose phases' optimisers have what they say alone, where they go over that of the training; their modes as an experiment's."""
    phases = tree.entries.get("phases")
    if not isinstance(phases, Branch):
        return tree
    found = dict(phases.entries)
    for name, model in training.phases.items():
        if isinstance(phase := found.get(name), Branch) and (own := phase.entries.get("optimizer")) is not None:
            said = _said(own, training.optimizer, model.optimizer)
            found[name] = phase = replace(phase, entries={**phase.entries, "optimizer": said})
        if isinstance(phase := found.get(name), Branch) and isinstance(modes := phase.entries.get("gradient"), Branch):
            found[name] = replace(phase, entries={**phase.entries, "gradient": _modes(modes, functions, False)})
    return replace(tree, entries={**tree.entries, "phases": replace(phases, entries=found)})


def _said(tree: Tree, base: Any, model: Any) -> Tree:
    """An optimiser, or one for each network, without the arguments that are those of `base`."""
    if not isinstance(tree, Branch):
        return tree
    if isinstance(base, dict) and isinstance(model, dict):
        entries = {name: _said(inner, base.get(name), model[name]) for name, inner in tree.entries.items()}
        return replace(tree, entries=entries)
    if isinstance(base, OneOf) and isinstance(model, OneOf) and model.goes_over(base.kind):
        return replace(tree, entries={k: v for k, v in tree.entries.items() if k in model.value.model_fields_set})
    return tree


def defaults_tree(model: Any, study_defaults: LayerDefaults) -> Branch:
    """What `layer_defaults` of a study and of an experiment say together."""
    return Branch(_Builder(LayerDefaults()).fields(_defaults(model, study_defaults)))


def _defaults(model: Any, study_defaults: LayerDefaults) -> LayerDefaults:
    own: LayerDefaults = model.layer_defaults
    return study_defaults.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def study_tree(study: Any) -> Branch:
    """What a study says beside its experiments and profiles."""
    return Branch(_Builder(LayerDefaults()).fields(study, {"experiments", "profiles", "layer_defaults"}))


def spell(tree: Tree | None) -> str:
    """A tree in one line: `adam(learning_rate=0.01)`, `{a: x + 1}`; what holds by default goes unsaid."""
    match tree:
        case None:
            return "nothing"
        case Expression():
            return tree.text
        case Word(value):
            return str(value).lower() if isinstance(value, bool) else str(value)
        case Layers(items):
            return "[" + ", ".join(spell(item) for _, item in items) + "]"
        case Branch(entries, head, usual):
            said = {key: inner for key, inner in entries.items() if key not in usual}
            if set(said) == {"of"}:
                return spell(said["of"])
            if not head:
                return "{" + ", ".join(f"{key}: {spell(inner)}" for key, inner in said.items()) + "}"
            if set(said) == {"value"}:
                return f"{head}({spell(said['value'])})"
            inner_text = ", ".join(f"{key}={spell(inner)}" for key, inner in said.items())
            return f"{head}({inner_text})" if inner_text else head


def leaves(tree: Tree, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Expression | Word]]:
    """All leaves with their paths."""
    match tree:
        case Branch(entries):
            for key, inner in entries.items():
                yield from leaves(inner, (*path, key))
        case Layers(items):
            for key, inner in items:
                yield from leaves(inner, (*path, key))
        case _:
            yield path, tree


def function_head(key: str) -> tuple[str, tuple[str, ...]]:
    """`u(r, c)` as its name and its parameters."""
    match = re.fullmatch(r"\s*(\w+)\s*\(\s*(.*?)\s*\)\s*", key)
    return (match[1], tuple(re.split(r"\s*,\s*", match[2]))) if match else (key.strip(), ())


class _Builder:
    """Models to trees. `kept` are the trees that were made of values, by their field, for others that have them, too."""

    def __init__(self, defaults: LayerDefaults, kept: dict[tuple[str, int], Tree] | None = None) -> None:
        self.defaults = defaults
        self.kept = {} if kept is None else kept

    def sections(self, model: Closed, beside: frozenset[str] | set[str]) -> dict[str, Tree]:
        """The fields of an experiment: those that it shares with one before are those of that."""
        shared = {
            name: self.kept[name, id(value)]
            for name in type(model).model_fields
            if isinstance(value := getattr(model, name), Closed | dict) and (name, id(value)) in self.kept
        }
        made = self.fields(model, beside | shared.keys())
        self.kept.update(((name, id(getattr(model, name))), tree) for name, tree in made.items())
        return {name: (made | shared)[name] for name in type(model).model_fields if name in made or name in shared}

    def fields(self, model: Closed, beside: frozenset[str] | set[str] = frozenset()) -> dict[str, Tree]:
        fields: dict[str, Tree] = {}
        for name, form in _forms(type(model)).items():
            value = getattr(model, name)
            if name in beside or value is None or value == []:
                continue
            if form.several and isinstance(value, str):
                value = [value]  # one of them, written without brackets
            if name == "restart" and isinstance(value, dict) and set(value.values()) <= {"anew"}:
                value = list(value)  # the long form of a list
            if name == "functions":
                fields[name] = Branch(dict(self.function(key, body) for key, body in value.items()))
            elif name in WRAPPED and isinstance(value, dict):
                fields[name] = Branch({key: self.wrapped(WRAPPED[name], inner) for key, inner in value.items()})
            else:
                made = self.value(value, name, form)
                ordered = name in ORDERED and isinstance(made, Branch)
                fields[name] = replace(made, ordered=True) if ordered and isinstance(made, Branch) else made
        return fields

    def function(self, key: str, body: Any) -> tuple[str, Tree]:
        name, parameters = function_head(key)
        made = self.value(body, "")
        return name, expression(made.tree, parameters) if isinstance(made, Expression) else made

    def wrapped(self, kind: type[Closed], value: Any) -> Branch:
        return self.branch(value if isinstance(value, Closed) else kind.model_validate({"of": value}))

    def branch(self, model: Closed, head: str = "") -> Branch:
        entries = self.fields(model)
        usual = {
            name
            for name, info in type(model).model_fields.items()
            if name in entries and not info.is_required() and getattr(model, name) == info.get_default()
        }
        for name in LayerDefaults.model_fields:
            if name in type(model).model_fields and not isinstance(model, LayerDefaults):
                general = getattr(self.defaults, name)
                if name not in model.model_fields_set and general is not None:
                    entries[name] = self.value(general, name)
                    usual.add(name)
        return Branch(entries, head, usual=frozenset(usual))

    def value(self, value: Any, name: str, form: _Form | None = None) -> Tree:
        if form and form.kind is not None and isinstance(value, str | int | float):  # a default, which is not validated
            value = form.kind.model_validate(value)
        if isinstance(value, OneOf):
            if value.kind == value.bare:
                return self.value(value.value, "")
            inner = value.value
            if isinstance(inner, Closed):
                return self.branch(inner, value.kind)
            return Branch({"value": self.value(inner, "")}, value.kind)
        if isinstance(value, Closed):
            return self.branch(value)
        if isinstance(value, dict):
            return Branch({str(key): self.value(inner, "") for key, inner in value.items()})
        if isinstance(value, list | tuple):
            if any(isinstance(item, OneOf) for item in value):
                return self.layers(value)
            items = [self.value(item, "") for item in value]
            if items and all(isinstance(item, Expression) for item in items):
                array = expression(n.Array(tuple(item.tree for item in items if isinstance(item, Expression))))
                return in_one_order(array) if name in UNORDERED else array
            return Branch({str(place): item for place, item in enumerate(items)})
        if name in TEXTS:
            return Word(value, text=True)
        if isinstance(value, bool) or (form and form.word):
            return Word(value)
        return _leaf(value)

    def layers(self, items: Any) -> Layers:
        counts: dict[str, int] = {}
        found: list[tuple[str, Branch | Expression]] = []
        for item in items:
            counts[item.kind] = counts.get(item.kind, 0) + 1
            made = self.value(item, "")
            assert isinstance(made, Branch | Expression)
            if isinstance(made, Branch):  # the key is its name
                made = replace(made, entries={key: inner for key, inner in made.entries.items() if key != "name"})
            found.append((getattr(item.value, "name", None) or f"{item.kind}_{counts[item.kind]}", made))
        return Layers(tuple(found))


@dataclass(frozen=True)
class _Form:
    """What a field holds: a one-of model, one of some words, or one or several of a kind."""

    kind: type[OneOf] | None
    word: bool
    several: bool


@cache
def _forms(model: type[Closed]) -> Mapping[str, _Form]:
    """The fields of a model with what they hold."""
    return {
        name: _Form(
            _one_of(info.annotation),
            _is_word(info.annotation),
            any(get_origin(inner) is list for inner in get_args(info.annotation)),
        )
        for name, info in model.model_fields.items()
    }


def _is_word(annotation: Any) -> bool:
    """Whether a field holds one of some words."""
    if get_origin(annotation) is Literal:
        return True
    return any(_is_word(inner) for inner in get_args(annotation) if inner is not type(None))


def _one_of(annotation: Any) -> type[OneOf] | None:
    """The one-of model that a field holds, if it does."""
    kinds = (annotation, *get_args(annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, OneOf)), None)


@lru_cache(maxsize=8192)
def _parsed(text: str) -> n.Expr | None:
    try:
        return parse_expression(text)
    except (SyntaxProblem, StudyError):
        return None


@lru_cache(maxsize=8192, typed=True)
def _leaf(value: Any) -> Expression | Word:
    if isinstance(value, int | float):
        return expression(n.Number(value)) if value >= 0 else expression(n.Unary("-", n.Number(-value)))
    if isinstance(value, str):
        tree = n.Name(value) if is_name(value) else _parsed(value)
        return Word(value) if tree is None else expression(tree)
    return Word(value)


def _modes(gradient: Branch, functions: Tree | None, unsaid: bool = True) -> Branch:
    """Gradient modes: an expression has its function's parameters, and the default goes unsaid, unless it goes over another."""
    found: dict[str, Tree] = {}
    bodies = functions.entries if isinstance(functions, Branch) else {}
    for target, mode in gradient.entries.items():
        if not isinstance(mode, Branch) or (unsaid and mode.head == DEFAULT_MODE.name):
            continue
        body, value = bodies.get(target), mode.entries.get("value")
        if isinstance(body, Expression) and isinstance(value, Expression):
            mode = replace(mode, entries={"value": expression(value.tree, body.parameters)})
        found[target] = mode
    return Branch(found)
