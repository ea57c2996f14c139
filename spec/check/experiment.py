"""One experiment at one point of its sweep: its names in their phases, and every part of it checked and typed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..diagnostics.problems import Problem, Span, SpecError, did_you_mean, in_file_order, listing, problem_at
from ..diagnostics.suggestions import Words
from ..ir import terms as t
from ..ir.plan import DataPlan, MeasurePlan, Named, NetworkPlan, Program
from ..passes.expanded_size import Size, written
from ..passes.gradient_paths import unreached, untrained
from ..source import nodes as yaml
from ..tables.distributions import DISTRIBUTIONS
from ..tables.operations import FORMS, OPERATIONS
from . import constant_folding as folding
from .context import Context
from .data import data_plan
from .declarations import declared
from .definition_order import Order
from .expressions import Checker
from .figure_samples import probes
from .gradient_modes import modes
from .integer_ranges import data_ranges, ranges
from .measures import loss_term, measure, varies
from .memo import Part, Question, Same, Shared, Taking
from .namespace import MEANING, PHASES, Binding, Function, order
from .networks import NetworkChecker
from .one_hot import index_of, values
from .training import TrainingChecker
from .unused_functions import unused
from .weight_paths import weight

MAX_REPLICATES = 100_000


class Poisoned(SpecError):
    """A name whose own error is reported already: what uses it is passed over in silence."""

    def __init__(self) -> None:
        super().__init__([])


@dataclass(frozen=True)
class Point:
    """Which cell: names for people, the swept constants' nodes, and everything that seeds."""

    study: str
    experiment: str
    variant: str
    values: Mapping[str, Any]
    constants: Mapping[str, yaml.Node]


class ExperimentChecker:
    """Checks an experiment and builds its program. It is the checker's source of names."""

    def __init__(
        self, point: Point, shared: Shared, study_defaults: Any = None, study_defaults_node: yaml.Node | None = None
    ) -> None:
        self.point = point
        self.shared = shared
        self.model = shared.model
        self.node = shared.node
        if shared.defaults is None:
            shared.study_defaults = study_defaults_node
            shared.defaults = _merged_defaults(self.model, self.node, study_defaults, study_defaults_node)
        self.defaults, self.default_nodes = shared.defaults
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.bindings: dict[str, Binding] = {}
        self.functions: dict[str, Function] = {}
        self.terms: dict[str, t.Term] = {}
        self.sizes: dict[str, Size] = {}
        """The sizes of outputs, written out."""
        self.plans: dict[str, NetworkPlan] = {}
        self.failed: set[str] = set()
        self.active: list[str] = []
        self.data: DataPlan | None = None
        self.sequence = Order(self.bindings, self.functions, shared.common.made)
        self.varying: dict[str, bool] = {}
        self.taking = Taking(shared, self.answer, self.problems, self.warnings)
        self.checker = Checker(self, self.model.dtype)
        self.checker.keys = shared.common.keys
        self.checker.kept = shared.common.budget
        self.checker.differentiable = shared.common.differentiable
        self.checker.called = shared.called

    # -- what parts of it are told, see `memo.py` ---------------------------------------------------------------

    def part(self, part: Part, make: Callable[[], Any]) -> Any:
        """What `make` gives, or gave at another point that told it the same. Raises what `make` raises."""
        return self.taking.part(part, make)

    def piece(self, place: tuple[yaml.Scalar, int], make: Callable[[], t.Term]) -> t.Term:
        """The same for a piece of an expression, by where it begins in its text."""
        term: t.Term = self.taking.piece(place, make)
        return term

    def asked(self, about: str, name: str = "") -> None:
        """Notes that the part which is being checked asks about a name, and what it is told."""
        self.taking.asked((about, name))

    def answer(self, question: Question) -> Hashable:
        """All that a part is told about a name: of what comes before networks, and is no constant, the type alone."""
        about, name = question
        if about == "data":
            data = self.data
            return data and (data.kind, data.train, data.test, data.order, data.path)
        if about == "gradient":
            return self.shared.common.identity(yaml.find(self.node, ["gradient", name]))
        if about == "network":
            return self._plan(name, self.node.span)
        if about == "output":
            plan = self._plan(name, self.node.span)
            return plan.input.type, plan.output, _takes_reals(plan)
        binding = self.bindings[name]
        term = self.made(binding, self.node.span)
        if about == "size":
            return self.sizes[name]
        if about == "varies":
            return varies(self, name)
        if about == "index":
            return None if binding.phase == "draw" else index_of(term, self._whole)
        if about == "values":
            return values(term, self._whole)
        typed = binding.phase in ("draw", "example") and not isinstance(term, t.Literal)
        return term.type if typed else term

    # -- names: what the expression checker asks for ---------------------------------------------------------------

    def term(self, name: str, phase: str, span: Span) -> t.Term | None:
        """The term of a binding, checked when first asked for."""
        binding = self.bindings.get(name)
        if binding is None and name not in self.functions and phase != "constants":
            self.unnamed(name, span)
        if binding is None or binding.phase == "architecture":
            return None
        if order(binding.phase) > order(phase):
            self.misplaced(name, binding.phase, phase, span)
        term = self.made(binding, span)
        self.asked("term", name)
        if isinstance(term, t.Literal):
            return term
        return t.Reference(name, binding.phase, type=term.type, span=span)

    def unnamed(self, name: str, span: Span) -> None:
        """The error for a measure or a term of the loss, which expressions cannot use."""
        for phase, what in (("measures", "a measure"), ("loss", "a term of the loss")):
            if name in getattr(self.model, phase):
                hint = "Write it out again, or give what they share a name under `outputs`."
                raise problem_at(span, f"'{name}' is {what}, which no expression can use", hint)

    def misplaced(self, name: str, named_phase: str, phase: str, span: Span) -> None:
        """The error for a name of a later phase."""
        if phase == "schedule":
            hint = "Learning rates and the weights of loss terms are made of constants and `step`."
            raise problem_at(span, f"'{name}' is {MEANING[named_phase]}, and cannot be used here", hint)
        where = {
            "constants": "a constant is needed here",
            "draw": "`task.draw` comes before it",
            "start": "weights start before it, from constants and draws",
            "example": "`task.example` comes before it",
            "architecture": "the architecture comes before it",
        }
        hint = "The phases are constants → draw → example → architecture → outputs → loss and measures."
        raise problem_at(
            span, f"'{name}' is {MEANING[named_phase]}, and {where.get(phase, f'`{phase}` comes before it')}", hint
        )

    def made(self, binding: Binding, span: Span) -> t.Term:
        """The term of a binding; an error is reported once, where it belongs."""
        name = binding.name
        self.prepare(name)
        if name in self.failed:
            raise Poisoned
        if name in self.terms:
            return self.terms[name]
        if name in self.active:
            chain = " → ".join([*self.active[self.active.index(name) :], name])
            raise problem_at(
                span,
                f"'{name}' is defined through itself: {chain}",
                "Nothing is made from itself: write one of them another way.",
            )
        self.active.append(name)
        try:
            part = ("binding", name, id(binding.node))
            self.terms[name], size = self.part(part, lambda: self.bound(binding))
            if binding.phase == "outputs":
                self.sizes[name] = size
            return self.terms[name]
        except SpecError as error:
            self.failed.add(name)
            self.problems.extend(error.problems)
            raise Poisoned from None
        finally:
            self.active.pop()

    def prepare(self, name: str) -> None:
        """Makes what a name is made from, so that a chain of thousands of names is no deeper than one of them."""
        if self.active or name in self.sequence.done:
            return
        names = self.sequence.before(name)
        for circle in self.sequence.circles:
            self.circle(circle)
        self.sequence.circles.clear()
        for other in names:
            if other != name and self.bindings[other].phase == "architecture":
                self.attempt(lambda other=other: self.plan(other, self.node.span))
            elif other != name:
                self.attempt(lambda other=other: self.made(self.bindings[other], self.bindings[other].key))

    def circle(self, names: Sequence[str]) -> None:
        """Refuses a long chain of names that ends where it begins."""
        self.failed.update(names)
        chain = " → ".join([*names[:3], "…", names[-1], names[0]])
        hint = "Nothing is made from itself: write one of them another way."
        message = f"'{names[0]}' is defined through itself, by way of {len(names)} names: {chain}"
        self.problems.append(Problem(message, self.bindings[names[0]].key, hint))

    def bound(self, binding: Binding) -> tuple[t.Term, Size]:
        """The term that a binding stands for, and its size written out."""
        term = self.checker.value(binding.node, Context(binding.phase, ("value", binding.name)))
        if binding.phase != "constants":
            return term, self.sized(term, binding.key)
        value = folding.known(term, f"the constant '{binding.name}'")
        return t.Literal(value, type=term.type, span=term.span), Size()

    def sized(self, term: t.Term, span: Span) -> Size:
        """The size of a term written out. Raises SpecError for one that is too large."""
        for item in t.walk(term):
            if isinstance(item, t.Reference) and item.phase == "outputs":
                self.asked("size", item.name)
        return written(term, self.sizes, span)

    def function(self, name: str) -> Function | None:
        """A user's function."""
        return self.functions.get(name)

    def network(self, name: str, argument: t.Term | None, phase: str, span: Span) -> t.Term | None:
        """A network's output on its own input, or on another of the same shape."""
        if name not in self.model.architecture:
            return None
        if order(phase) < order("architecture"):
            self.misplaced(name, "architecture", phase, span)
        plan = self._plan(name, span)
        self.asked("output", name)
        if argument is not None and argument.type.shape != plan.input.type.shape:
            message = (
                f"the network '{name}' takes an input like its own, {plan.input.type}, and this is {argument.type}"
            )
            raise problem_at(argument.span, message, "Make it of that shape, or declare another network for it.")
        if argument is not None and argument.type.kind == "real" != plan.input.type.kind and not _takes_reals(plan):
            message = f"the network '{name}' takes ints, {plan.input.type}, and this is {argument.type}"
            raise problem_at(argument.span, message, "Its first layer is one of ints: words of an embedding, places.")
        return t.NetworkOutput(name, argument, type=plan.output, span=span)

    def plan(self, name: str, span: Span) -> NetworkPlan:
        """A network, checked when first asked for."""
        plan = self._plan(name, span)
        self.asked("network", name)
        return plan

    def _plan(self, name: str, span: Span) -> NetworkPlan:
        if name not in self.failed:
            self.prepare(name)
        if name in self.failed:
            raise Poisoned
        if name in self.plans:
            return self.plans[name]
        if name in self.active:
            chain = " → ".join([*self.active[self.active.index(name) :], name])
            raise problem_at(
                span,
                f"the network '{name}' feeds itself: {chain}",
                "Nothing is made from itself: write one of them another way.",
            )
        node = yaml.find(self.node, ["architecture", name])
        assert node is not None
        self.active.append(name)
        try:
            checker = NetworkChecker(
                self.checker, self.index, name, self.model.architecture[name], node, self.defaults, self.default_nodes,
                self.training_set, self.model.dtype,
            )  # fmt: skip
            self.plans[name] = self.part(("network", name), checker.plan)
            return self.plans[name]
        except SpecError as error:
            self.failed.add(name)
            self.problems.extend(error.problems)
            raise Poisoned from None
        finally:
            self.active.pop()

    def index(self, given: t.Term) -> t.Term | None:
        """The index that a term is the one-hot vector of; None where it is none for certain."""
        if isinstance(given, t.Reference):
            self.asked("index", given.name)
        elif (
            isinstance(given, t.Operate)
            and given.operation == "one_hot"
            and isinstance(given.arguments[0], t.Reference)
        ):
            self.asked("values", given.arguments[0].name)
        return index_of(given, self._whole)

    def _whole(self, name: str) -> t.Term:
        """The term behind a name."""
        return self.made(self.bindings[name], self.node.span)

    def training_set(self) -> int:
        """How many training examples there are; 0 where each is new."""
        self.asked("data")
        return self.data.train if self.data is not None else 0

    def weight(self, path: Sequence[str | int], phase: str, span: Span) -> t.Term:
        """`score.dense_2.kernel`, `f.weights`."""
        name, *rest = path
        if name not in self.model.architecture:
            listed = f"The networks are {listing(self.model.architecture) or 'none'}."
            networks = self.words(("networks",), lambda: self.model.architecture)
            known = did_you_mean(str(name), networks) or listed
            raise problem_at(span, f"'{name}' is no network, and only networks have parts", known)
        if order(phase) < order("loss"):
            raise problem_at(
                span,
                "weights change in training, and stand only in losses and measures",
                "Move this into `loss` or `measures`.",
            )
        return weight(self.plan(str(name), span), rest, span)

    def gradient(self, name: str) -> tuple[str, Function | None]:
        """The gradient mode of a function, and its surrogate."""
        self.asked("gradient", name)
        entry = self.model.gradient.get(name)
        if entry is None:
            return "exact", None
        path: list[str | int] = ["gradient", name, "surrogate"]
        node = yaml.find(self.node, path)
        if entry.kind != "surrogate" or node is None:
            return entry.kind, None
        span, _ = yaml.locate(self.node, path)
        return entry.kind, Function(f"surrogate of {name}", self.functions[name].parameters, node, span)

    def trained(self, term: t.Term) -> bool:
        """Whether a term depends on weights."""
        for item in self.reached(term):
            if isinstance(item, t.NetworkOutput | t.Weight | t.AllWeights):
                return True
            if isinstance(item, t.Parameter) and item.key in self.checker.differentiable:
                return True
        return False

    def known(self) -> set[str]:
        """All names that expressions can use."""
        return {*self.bindings, *self.functions, *self.model.architecture}

    def known_and(self, more: tuple[str, ...]) -> Words:
        """All names that expressions can use, and some words."""
        return self.words(("known", *more), lambda: [*more, *self.known()])

    def values(self, phase: str) -> Words:
        """The names that have a value in a phase."""
        return self.words(("values", phase), lambda: self._values(phase))

    def callables(self, phase: str) -> Words:
        """What can be called in a phase: functions, networks, operations, and draws where they may stand."""
        return self.words(("callables", phase), lambda: self._callables(phase))

    def words(self, key: tuple[str, ...], make: Callable[[], Iterable[str]]) -> Words:
        """Names for suggestions, the same at all points."""
        made = self.shared.common.made
        words = ("words", *key, self.shared.names)
        if words not in made:
            made[words] = Words(sorted(make()))
        vocabulary: Words = made[words]
        return vocabulary

    def _values(self, phase: str) -> list[str]:
        last = order(phase)
        more = ["pi", "step"] if phase == "schedule" else ["pi"]
        return [name for name, binding in self.bindings.items() if order(binding.phase) <= last] + more

    def _callables(self, phase: str) -> list[str]:
        networks = self.model.architecture if phase in PHASES and order(phase) >= order("architecture") else ()
        forms = [name for name, row in FORMS.items() if row.phase in ("any", phase)]
        draws = DISTRIBUTIONS if phase in ("draw", "example") else ()
        return [*self.functions, *networks, *OPERATIONS, *forms, *draws]

    # -- the parts, in order ---------------------------------------------------------------------------------------

    def program(self) -> Program:
        """The program. Raises SpecError with every independent problem, in file order."""
        self.declare()
        self.data = self.attempt(self._data)
        for binding in self.bindings.values():
            if binding.phase != "architecture":
                self.attempt(lambda binding=binding: self.made(binding, binding.key))
        for name in self.model.architecture:
            self.attempt(lambda name=name: self.plan(name, self.node.span))
        loss = [
            self.attempt(lambda key=key: self.part(("loss", key), lambda: loss_term(self, key)))
            for key in self.model.loss
        ]
        gradient = modes(self)
        found: list[MeasurePlan] = []
        for key in self.model.measures:
            found.extend(self.attempt(lambda key=key: measure(self, key)) or ())
        training = self.attempt(lambda: TrainingChecker(self).plan(found))
        replicates = self.attempt(lambda: self.part(("replicates",), lambda: self.replicates()))
        found_probes = probes(self, training)
        idle = [function for name, function in self.functions.items() if name not in self.checker.called]
        self.problems.extend(self._unused(idle))
        if self.model.training is not None and not self.model.loss:
            at = self.node.key("training")
            self.problems.append(
                Problem("there is training, and no loss to minimise", at.span if at else None, "Add `loss:`.")
            )
        if self.problems:
            raise SpecError(in_file_order(self.problems))
        program = Program(
            study=self.point.study, experiment=self.point.experiment, variant=self.point.variant,
            point=dict(self.point.values), seed=self.model.seed, dtype=self.model.dtype,
            constants={name: self.terms[name].value for name in self.phase("constants")},  # type: ignore[attr-defined]
            draws=self.named("draw"), examples=self.named("example"), outputs=self.named("outputs"),
            networks=tuple(self.plans[name] for name in self.model.architecture),
            loss=self.once(term for term in loss if term is not None), gradient=gradient, training=training,
            measures=tuple(found), data=self.data or DataPlan(), replicates=replicates or 1, probes=tuple(found_probes),
        )  # fmt: skip
        self.ranged(program)
        return program

    def _unused(self, idle: Sequence[Function]) -> tuple[Problem, ...]:
        """What is wrong with functions that nothing calls, looked for once for the same ones among the same names."""
        if not idle:
            return ()
        made = self.shared.common.made
        key = ("unused", self.shared.names, Same(self.shared.whole), *(id(function.node) for function in idle))
        if key not in made:
            made[key] = tuple(unused(idle, self.shared.whole, self.known()))
        problems: tuple[Problem, ...] = made[key]
        return problems

    def ranged(self, program: Program) -> None:
        """Checks the ranges of ints and the ways of gradients, once for all cells whose terms are the same. Raises SpecError."""
        modes_ = tuple((name, mode.name) for name, mode in program.gradient.items())
        kind = f"ranges {self.shared.common.number((modes_, program.training is None))}"
        named = (*program.draws, *program.examples, *program.outputs, *program.networks, *program.loss)
        probed = (term for probe in program.probes for term in probe.terms.values())
        terms = (*named, *(measure.term for measure in program.measures), *probed)
        self.warnings.extend(self.shared.once(kind, terms, lambda: self._ranged(program)))

    def _ranged(self, program: Program) -> tuple[Problem, ...]:
        """The warnings of these checks. Raises SpecError."""
        drawn = (*program.draws, *program.examples)
        data = self.shared.once("ranges of data", drawn, lambda: data_ranges(program))
        if found := [*ranges(program, data), *unreached(program)]:
            raise SpecError(in_file_order(found))
        return tuple(untrained(program))

    def _data(self) -> DataPlan:
        """Where examples come from; what is enumerated is looked for in the terms themselves, at each point."""
        model = self.model.task.data
        if model != "fresh" and model.enumerate is not None:
            return data_plan(self)
        data: DataPlan = self.part(("data",), lambda: data_plan(self))
        return data

    def attempt(self, action: Any) -> Any:
        """Runs a part; its problems are kept, and the other parts are checked all the same."""
        try:
            return action()
        except SpecError as error:
            self.problems.extend(error.problems)
            return None

    def phase(self, name: str) -> list[str]:
        """The names of a phase."""
        return [binding.name for binding in self.bindings.values() if binding.phase == name]

    def named(self, phase: str) -> tuple[Named, ...]:
        """The bindings of a phase, each after those that it uses."""
        terms = [self.terms[name] for name in self.phase(phase)]
        bindings: tuple[Named, ...] = self.shared.once(
            f"phase {phase} {self.shared.names}", terms, lambda: self._named(phase)
        )
        return bindings

    def _named(self, phase: str) -> tuple[Named, ...]:
        once, terms = self.shared.once, self.terms
        names = self.by_use(self.phase(phase), phase)
        return tuple(once(f"named {name}", (terms[name],), partial(Named, name, terms[name])) for name in names)

    def by_use(self, names: Iterable[str], phase: str) -> list[str]:
        """Some names of a phase and those of it that they are made from, each after its own."""
        order_: dict[str, None] = {}
        seen: set[str] = set()
        for first in names:
            path = [(first, iter(self._used(self.terms[first])))] if first not in seen else []
            seen.add(first)
            while path:
                name, below = path[-1]
                for used in below:
                    if used not in seen and used in self.bindings and self.bindings[used].phase == phase:
                        seen.add(used)
                        path.append((used, iter(self._used(self.terms[used]))))
                        break
                else:
                    order_[name] = None
                    path.pop()
        return list(order_)

    def once(self, items: Iterable[Any]) -> tuple[Any, ...]:
        """Some parts in a tuple: the same one at every point where they are the same."""
        found: tuple[Any, ...] = tuple(items)
        kept: tuple[Any, ...] = self.shared.once("tuple", found, lambda: found)
        return kept

    def _used(self, term: t.Term) -> tuple[str, ...]:
        """The names that stand in a term."""
        references = (item.name for item in t.walk(term) if isinstance(item, t.Reference))
        names: tuple[str, ...] = self.shared.once("used", (term,), lambda: tuple(references))
        return names

    def declare(self) -> None:
        """Fills the namespace; a name stands once in an experiment."""
        if self.shared.declared is None:
            self.shared.declared = declared(self.node)
        found = self.shared.declared
        self.bindings, self.functions = dict(found.bindings), found.functions
        self.sequence = Order(self.bindings, self.functions, self.shared.common.made)
        self.problems.extend(found.problems)
        self.warnings.extend(found.warnings)
        self.failed.update(
            name for name in self.model.architecture if name not in found.bindings and name not in found.functions
        )  # no name at all
        for name, node in self.point.constants.items():
            if (binding := self.bindings.get(name)) is not None and binding.phase == "constants":
                self.bindings[name] = Binding(name, "constants", node, binding.key)

    def reached(self, term: t.Term) -> Iterator[t.Term]:
        """All terms that one depends on, through names."""
        pending, seen = [term], set()
        while pending:
            for item in t.walk(pending.pop()):
                yield item
                if isinstance(item, t.Reference) and item.name not in seen and item.name in self.terms:
                    self.asked("term", item.name)
                    seen.add(item.name)
                    pending.append(self.terms[item.name])

    def count(self, path: list[str | int], default: Any, what: str, most: int = folding.MAX_SIZE) -> int:
        """A constant positive whole number of the document, or its default."""
        node = yaml.find(self.node, path)
        if node is None:
            return int(default)
        return folding.size(self.checker.value(node, Context("constants", ())), what, most)

    def replicates(self) -> int:
        """How many replicates there are, within the limit."""
        count = self.count(["replicates"], self.model.replicates, "'replicates'")
        if count > MAX_REPLICATES:
            span, _ = yaml.locate(self.node, ["replicates"])
            hint = "A mean over replicates has a standard error of 1 / √replicates: 1,000 give 3 %."
            raise problem_at(span, f"{count:,} replicates; the limit is {MAX_REPLICATES:,}", hint)
        return count

    def scalars(self) -> dict[str, float]:
        """The constants that are single numbers."""
        values = {name: self.terms[name] for name in self.phase("constants") if name in self.terms}
        for name in values:
            self.asked("term", name)
        return {name: float(x.value) for name, x in values.items() if isinstance(x, t.Literal) and not x.type.shape}


def _takes_reals(plan: NetworkPlan) -> bool:
    """Whether a network whose own input is of ints takes real numbers as well: not for words, and not for functions of ints."""
    first = next(iter(plan.applied()), None)
    return first is not None and first.kind == "keras" and first.keras != "Embedding"


def _merged_defaults(
    model: Any, node: yaml.Mapping, study: Any, study_node: yaml.Node | None
) -> tuple[Any, yaml.Node | None]:
    """An experiment's layer defaults over the study's."""
    own = node.get("layer_defaults")
    if study is None or study_node is None:
        return model.layer_defaults, own
    if own is None:
        return study, study_node
    said = {name: getattr(model.layer_defaults, name) for name in model.layer_defaults.model_fields_set}
    merged = study.model_copy(update=said)
    entries = {key.text: (key, value) for key, value in getattr(study_node, "entries", ())}
    entries |= {key.text: (key, value) for key, value in getattr(own, "entries", ())}
    return merged, yaml.Mapping(tuple(entries.values()), own.span)
