"""Networks: the shapes, arguments and weights of their layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..diagnostics.problems import Span, did_you_mean, listing, problem_at
from ..expressions import nodes as n
from ..ir import terms as t
from ..ir.plan import InitialValue, LayerPlan, NetworkPlan
from ..ir.types import ShapeProblem, Type, led_by
from ..model.experiment import Experiment, FreeParameter, Network
from ..model.layers import LayerDefaults
from ..source import nodes as yaml
from ..source.several import all_equal
from ..tables.keras_parameters import ACTIVATIONS, IDENTITY, Parameter
from ..tables.layers import LAYERS, Layer, row_of
from ..tables.operations import OPERATIONS
from ..tables.other_words import OTHER_ACTIVATIONS
from . import constant_folding as folding
from .blocks import repeat
from .context import Context
from .expression_text import Text
from .expressions import Checker
from .free_parameters import free_parameter
from .initializers import Numbers
from .layer_names import layer_keys
from .network_parts import Parts, input_parts, packed, parts_of
from .weight_functions import kept_by

MAX_LAYERS = 2_000
"""The layers of a network, repeated ones written out."""


class NetworkChecker:
    """Checks one network."""

    def __init__(
        self, checker: Checker, index: Callable[[t.Term], t.Term | None], name: str, model: Network, defaults: LayerDefaults,
        train: Callable[[], int], dtype: str,
    ) -> None:  # fmt: skip
        self.checker = checker
        self.index = index
        """The index that a term is the one-hot vector of."""
        self.name = name
        self.model = model
        self.defaults = defaults
        self.train = train
        """How many training examples there are; 0 where each is new."""
        self.count = 0
        self.parts: Parts = {}
        self.copies = self.number_of_copies()
        self.numbers = Numbers(checker, dtype, model.extent, self.copies)

    def plan(self) -> NetworkPlan:
        """The network, with every shape computed."""
        context = Context("architecture", ("architecture", self.name))
        entry = self.model.node("input")
        assert entry is not None
        given = self.checker.value(entry, context)
        current = Type("real" if given.type.kind == "bool" else given.type.kind, given.type.shape)
        each = None
        if self.model.each is not None:
            at = self.model.node("each")
            assert at is not None
            each = folding.size(self.checker.value(at, context), "'each'")
            if not current.shape or current.shape[0] != each:
                message = f"'each' is {each}, and the input is {current}"
                raise problem_at(at.span, message, "It is the length of the input's first axis.")
            current = Type(current.kind, current.shape[1:])
        layers, current = self.layers(self.model.layers, current, "")
        squeeze = self.one_unit()
        shape = current.shape[:-1] if squeeze else current.shape
        output = Type(current.kind, led_by(shape, self.copies, each))
        if self.copies is not None:
            folding.sized(output, self.model.key("copies"))
        looks_up = bool(layers) and layers[0].row != "" and LAYERS[layers[0].row].looks_up_one_hot
        index = self.index(given) if looks_up and each is None and not self.parts else None
        whole = packed(given, [term for _, term in self.parts.values()])
        return NetworkPlan(
            self.name, whole, tuple(layers), output, each, squeeze, index, input_parts(self.parts), self.copies
        )

    def number_of_copies(self) -> int | None:
        """How many copies of the network there are; None where it is one network."""
        node = self.model.node("copies")
        if node is None or self.model.copies is None:
            return None
        return folding.size(self.checker.value(node, Context("constants", ())), "'copies'")

    def one_unit(self) -> bool:
        """Whether the last layer is one that loses an axis of literally one unit."""
        last = self.model.layers[-1] if self.model.layers else None
        if last is None or last.kind not in LAYERS:
            return False
        argument = LAYERS[last.kind].squeezed_by
        return argument is not None and all_equal(getattr(last.value, argument), 1)

    def layers(self, models: list[Any], current: Type, prefix: str) -> tuple[list[LayerPlan], Type]:
        """The layers in order, each with its key."""
        plans: list[LayerPlan] = []
        for model, own in zip(models, layer_keys(self.name, models), strict=True):
            key, span = prefix + own, model.key(model.kind)
            self.counted(span)
            try:
                plan = self.layer(model, key, current)
            except ShapeProblem as problem:
                link = " " if str(problem).startswith("takes ") else ": "
                raise problem_at(span, f"the layer '{key}'{link}{problem}", problem.hint) from None
            plans.append(plan)
            current = plan.output
            if (activation := self.own_activation(model)) is not None and plan.row:
                plans.append(self.activated(activation, f"{key}.activation", current))
        return plans, current

    def own_activation(self, model: Any) -> yaml.Scalar | None:
        """Where a layer names a function as its activation; None where Keras has it."""
        said = model.kind not in ("apply", "repeat") and "activation" in model.value.model_fields_set
        word = model.value.activation if said else None
        if word is None or (word in ACTIVATIONS and self.checker.names.function(word) is None):
            return None
        node = model.value.node("activation")
        assert isinstance(node, yaml.Scalar)
        if LAYERS[model.kind].loops:
            hint = f"It computes within the recurrence: Keras has {listing(ACTIVATIONS, 20)}."
            raise problem_at(node.span, f"the layer '{model.kind}' takes one of Keras' activations", hint)
        return node

    def activated(self, node: yaml.Scalar, key: str, given: Type) -> LayerPlan:
        """A function as a layer's activation: it comes behind the layer, and keeps its shape."""
        word = str(node.value)
        if self.checker.names.function(word) is None and word not in OPERATIONS:
            known = self.checker.names.vocabulary.known_and((*ACTIVATIONS, *OPERATIONS))
            hint = (
                OTHER_ACTIVATIONS.get(word.lower())
                or did_you_mean(word, known)
                or f"Keras has {listing(ACTIVATIONS, 20)}; or name a function of one argument."
            )
            raise problem_at(node.span, f"unknown activation '{word}'", hint)
        plan = self.function(word, node, key, given)
        if plan.output.shape != given.shape:
            message = f"the activation '{word}' turns {given} into {plan.output}"
            raise problem_at(
                node.span, message, "An activation keeps the shape; in `layers` any function may be a layer of its own."
            )
        return plan

    def counted(self, span: Span) -> None:
        """Counts a layer, those of repeated blocks each time, and refuses one too many."""
        self.count += 1
        if self.count > MAX_LAYERS:
            message = f"the network '{self.name}' has more than {MAX_LAYERS:,} layers, repeated ones written out"
            raise problem_at(span, message, "Repeat its block less often: each layer is compiled by itself.")

    def layer(self, model: Any, key: str, given: Type) -> LayerPlan:
        """One layer on an input of a type."""
        if model.kind == "apply":
            return self.applied(model, key, given)
        if model.kind == "repeat":
            return repeat(self, model.value, key, given)
        row = LAYERS[model.kind]
        if row.primary == "activation" and (activation := self.own_activation(model)) is not None:
            return self.activated(activation, key, given)
        config, initializers, kept = self.arguments(row.parameters, model.value)
        if row.ints_below is not None and given.kind == "real":
            raise ShapeProblem(
                f"takes ints below its `{row.ints_below}`, and gets real numbers",
                "Draw them with `integer(n)`, or leave the layer out.",
            )
        if row.settled is not None:
            config |= {name: v for name, v in row.settled(given.shape, config).items() if config[name] is None}
        weights = row.weights(given.shape, config)
        parts = parts_of(self, row, model.value, config, given)
        output = Type("real", row.output(given.shape, config))
        starts = self.starts(row, weights, initializers)
        constraints = {name: one for name, one in kept.items() if isinstance(one, InitialValue)}
        functions = kept_by(self.checker, self.name, key, row, weights, kept)
        folding.sized(output, model.key(model.kind))
        if self.copies is not None:
            for shape in weights.values():
                folding.sized(Type("real", led_by(shape, self.copies)), self.model.key("copies"))
        examples = self.examples(row, config, model.value)
        return LayerPlan(
            key, "keras" if row.keras else row.name, given, output, row.keras, config, starts, constraints, functions, weights,
            self.copies, row.untrained, row.flops(given.shape, config), row.name, examples=examples,
            inner_entries=row.inner_entries(given.shape, config), parts=parts,
        )  # fmt: skip

    def examples(self, row: Layer, config: dict[str, Any], model: Any) -> int:
        """From how many training examples a layer's weights are estimated, taken out of its arguments; 0 where none are."""
        if row.estimated_from is None:
            return 0
        count: int = config.pop(row.estimated_from)
        if row.estimated_from not in model.model_fields_set:
            return min(count, self.train() or count)
        if 0 < self.train() < count:
            node = model.node(row.estimated_from)
            most = row.parameters[row.estimated_from].default
            message = f"the matrix cannot be estimated from {count:,} training examples: there are {self.train():,}"
            raise problem_at(
                node.span, message, f"Give a smaller number, or leave it out: all are taken, up to {most:,}."
            )
        return count

    def arguments(
        self, parameters: Mapping[str, Parameter], model: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Plain values of a layer's arguments; initialisers and constraints apart, of these those that are functions as they are written."""
        config: dict[str, Any] = {}
        initializers: dict[str, Any] = {}
        constraints: dict[str, Any] = {}
        for name, parameter in parameters.items():
            value = getattr(model, name)
            said = name in model.model_fields_set
            if not said and getattr(self.defaults, name, None) is not None:
                value = getattr(self.defaults, name)
            node = model.node(name)
            if parameter.kind == "example":
                continue
            if parameter.kind == "layer":
                self.own_activation(value)
                row = LAYERS[value.kind]
                inner, starts, kept = self.arguments(row.parameters, value.value)
                config[name] = {"class_name": row.keras, "config": inner}
                initializers |= starts
                constraints |= kept
            elif parameter.kind == "initializer":
                initializers[name] = value
            elif parameter.kind == "constraint":
                if value is not None:
                    constraints[name] = self.numbers.constraint(value)
            elif parameter.kind in ("size", "sizes", "shape", "margins", "real") and value is not None:
                config[name] = self.plain(parameter, value, node)
            elif parameter.kind == "activation" and said and value is not None:
                word = self.keras_activation(name, value, node)
                config[name] = None if word == IDENTITY and parameter.default is None else word
            else:
                config[name] = value
        return config, initializers, constraints

    def keras_activation(self, name: str, word: str, node: yaml.Node | None) -> str | None:
        """A word that Keras knows; None where a function comes behind the layer. A gate has none."""
        if word in ACTIVATIONS and (name != "activation" or self.checker.names.function(word) is None):
            return word
        if name == "activation":
            return None
        hint = did_you_mean(word, ACTIVATIONS) or f"Keras has {listing(ACTIVATIONS, 20)}."
        raise problem_at(node.span if node else self.model.extent, f"unknown activation '{word}'", hint)

    def plain(self, parameter: Parameter, value: Any, node: yaml.Node | None) -> Any:
        """The value of a constant argument."""
        if node is None:
            return value
        context = Context("constants", ())
        what = f"'{parameter.name}'"
        if parameter.kind == "size":
            return folding.size(self.checker.value(node, context), what)
        if parameter.kind == "shape":
            return folding.shape(self.checker.value(node, context), what)
        if parameter.kind == "margins":
            return folding.counts(self.checker.value(node, context), what)
        if parameter.kind == "sizes":
            term = self.checker.value(node, context)
            shape = folding.shape(term, what)
            return shape[0] if not term.type.shape else shape
        return self.numbers.real(parameter, value, node)

    def starts(self, row: Layer, weights: Mapping[str, Any], initializers: dict[str, Any]) -> dict[str, InitialValue]:
        """How each weight starts."""
        initial_values = {}
        for parameter, value in initializers.items():
            for weight in weights:
                if f"{row.argument_of(weight)}_initializer" == parameter:
                    fan_shape = row.fan_shape(weight, weights[weight])
                    initial_values[weight] = self.numbers.start(value, weights[weight], fan_shape)
        return initial_values

    def applied(self, model: Any, key: str, given: Type) -> LayerPlan:
        """A layer that is a word: a function or an operation, and none of the layers that take arguments."""
        word = model.value
        if word in LAYERS:
            missing = [p.name for p in LAYERS[word].parameters.values() if p.required]
            if not missing:
                raise problem_at(model.extent, f"'{word}' is a layer, not a function", f"Write `- {word}`.")
            raise problem_at(
                model.extent,
                f"the layer '{word}' needs {listing(missing)}: `{word}: {{{missing[0]}: …}}`",
                "A layer with arguments is written as a mapping.",
            )
        node = model.node("apply")
        assert isinstance(node, yaml.Scalar)
        return self.function(word, node, key, given)

    def function(self, word: str, node: yaml.Scalar, key: str, given: Type) -> LayerPlan:
        """A user's function or an operation of one argument, as a layer."""
        parameter = f"{key}@{next(self.checker.keys)}"
        self.checker.differentiable.add(parameter)
        local = {"x": t.Parameter(parameter, type=given, span=node.span)}
        function = self.checker.names.function(word)
        if function is None and word not in OPERATIONS:
            from ..tables.layers.other_layers import other_layer  # of studies with errors alone

            near = other_layer(word) or did_you_mean(
                word, self.checker.names.vocabulary.known_and((*LAYERS, *OPERATIONS, "repeat"))
            )
            hint = (
                near
                or "`dlspec ops` lists the layers and operations; declare a function of your own under `functions`."
            )
            raise problem_at(node.span, f"'{word}' is neither a layer nor a function of one argument", hint)
        required = (
            [argument for argument in OPERATIONS[word].arguments if not argument.optional] if function is None else []
        )
        count = len(function.parameters) if function is not None else len(required)
        if count != 1:
            message = f"'{word}' takes {count} arguments, and a layer has one: the output of the one before"
            raise problem_at(node.span, message, "Declare a function of one argument, and name that.")
        call = n.Call(word, (n.Name("x", start=0, end=len(word)),), start=0, end=len(word))
        body = self.checker.term(call, Text(call, node), Context("architecture", ("architecture", self.name), local))
        return LayerPlan(key, "apply", given, body.type, parameter=parameter, body=body)


def learnt(
    checker: Checker, index: Callable[[t.Term], t.Term | None], name: str, model: Network | FreeParameter,
    defaults: LayerDefaults, train: Callable[[], int], dtype: str,
) -> NetworkPlan:  # fmt: skip
    """The plan of an entry of the architecture: a network, or a free parameter. Raises StudyError."""
    if isinstance(model, FreeParameter):
        return free_parameter(checker, name, model, dtype)
    return NetworkChecker(checker, index, name, model, defaults, train, dtype).plan()


def takes_reals(plan: NetworkPlan) -> bool:
    """Whether a network whose own input is of ints takes real numbers as well: not for words, and not for functions of ints."""
    first = next(iter(plan.applied()), None)
    row = row_of(first) if first is not None else None
    return row is not None and row.ints_below is None


def merged_defaults(model: Experiment, study: LayerDefaults | None) -> LayerDefaults:
    """An experiment's layer defaults over the study's."""
    own = model.layer_defaults
    return study.model_copy(update={name: getattr(own, name) for name in own.model_fields_set}) if study else own
