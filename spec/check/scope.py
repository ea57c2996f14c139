"""The names of one experiment at one sweep point, each with its term, checked when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from ..diagnostics.problems import Problem, Span, StudyError, problem_at
from ..ir import terms as t
from ..ir.data import DataSource
from ..ir.plan import NetworkPlan
from ..model.layers import LayerDefaults
from ..passes.expanded_size import SMALL, Size, small, written
from ..source import nodes as yaml
from ..tables.gradient_modes import GradientMode
from . import all_points as points
from . import constant_folding as folding
from .context import Context, GivenParts
from .definition_order import Order, circle
from .dependencies import Dependencies
from .estimate_terms import TAKEN_ONCE
from .expressions import Checker
from .free_parameters import parameter_value
from .measure_names import MeasureNames
from .memo import MemoizedChecker, Part, Question, Shared
from .modes_in_force import function_modes, nodes_said
from .named_columns import file_names
from .namespace import Binding, Function, must_precede, order
from .network_parts import application
from .networks import learnt, merged_defaults, takes_reals
from .one_hot import index_of, read_for_index, values
from .said_again import SaidAgain, Taken
from .said_otherwise import SaidOtherwise
from .steps import Borders
from .vocabulary import Vocabulary
from .weight_paths import no_network, weight

T = TypeVar("T")


class Poisoned(StudyError):
    """A name has an error that is reported already: whatever uses it reports nothing."""

    def __init__(self) -> None:
        super().__init__([])


class ExperimentScope:
    """The names of an experiment at one sweep point, in which its parts and expressions are checked.

    `swept` are the values of the swept constants, `together` what stands for them at all of some points. Names, functions and
    networks are checked when they are first needed; each problem with them is added to `problems` once.
    """

    def __init__(
        self, shared: Shared, swept: Mapping[str, yaml.Node] | None = None, study_defaults: LayerDefaults | None = None,
        together: Mapping[str, t.Term] | None = None,
    ) -> None:  # fmt: skip
        self.shared = shared
        self.model = shared.model
        self.span = shared.model.span()
        self.training_phases = list(self.model.training.phases) if self.model.training is not None else []
        if shared.defaults is None:
            shared.study_defaults = study_defaults
            shared.defaults = merged_defaults(self.model, study_defaults)
        self.defaults = shared.defaults
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.terms: dict[str, t.Term] = dict(together or {})
        self.sizes: dict[str, Size] = {}
        """The sizes of outputs, written out."""
        self.plans: dict[str, NetworkPlan] = {}
        self.failed = set(shared.declared.refused)
        self.active: list[str] = []
        self.data: DataSource | None = None
        self.borders_of_training: Callable[[], Borders] = tuple
        self.files = file_names(self.model)
        self.tests = SaidOtherwise(self.model.task.tests, self.note_read)
        self.bindings, self.functions = self._declared(swept or {})
        self.vocabulary = Vocabulary(shared, self.bindings, self.functions, self.model.architecture)
        self.said_again = SaidAgain(shared)
        self.sequence = Order(self.bindings, self.functions, shared.common.cache)
        self.dependencies = Dependencies(shared, self.bindings, self.terms, self.note_read)
        self.memo = MemoizedChecker(shared, self.answer, self.problems, self.warnings)
        self.measure_names = MeasureNames(self.model.measures, self.problems)
        self.checker = Checker(self, self.model.dtype)
        self.checker.keys = shared.common.keys
        self.checker.kept = shared.common.budget
        self.checker.differentiable = shared.common.differentiable
        self.checker.called = shared.called

    def _declared(self, swept: Mapping[str, yaml.Node]) -> tuple[dict[str, Binding], dict[str, Function]]:
        """The names that the experiment declares, and its functions; a name stands once in an experiment."""
        namespace = self.shared.declared
        self.problems.extend(namespace.problems)
        self.warnings.extend(namespace.warnings)
        every = namespace.bindings, namespace.functions
        self.failed.update(name for name in self.model.architecture if not any(name in some for some in every))
        bindings = dict(namespace.bindings)
        for name, node in swept.items():
            if (binding := bindings.get(name)) is not None and binding.stage == "constants":
                bindings[name] = Binding(name, "constants", node, binding.key)
        return bindings, namespace.functions

    def part(self, part: Part, make: Callable[[], Any], *nodes: yaml.Node | None) -> Any:
        """The value of a part that stands in some nodes, from `make` or from another sweep point with the same reads.

        Raises what `make` raises.
        """
        left = self.checker.calls_left

        def anew() -> Any:
            self.checker.calls_left = left  # an attempt for all sweep points does not count beside the one for this
            return make()

        return self.memo.part(part, anew, nodes)

    def group(self, part: Part, make: Callable[[], T], *nodes: yaml.Node | None) -> T:
        """The same for a part that is made of many others."""
        said = self.said_again
        found: tuple[T, Taken] = self.memo.group((*part, said.number_apart), lambda: said.noted(make), nodes)
        value, taken = found
        said.take(taken)
        return value

    def piece(self, place: tuple[yaml.Scalar, int], make: Callable[[], t.Term]) -> t.Term:
        """The same for a piece of an expression, by where it begins in its text."""
        term: t.Term = self.memo.piece(place, make)
        return term

    def note_read(self, about: str, name: str = "") -> None:
        """Notes that the part which is being checked reads something about a name."""
        self.memo.note_read((about, name))

    def answer(self, question: Question) -> Hashable:
        """The answer to a question about a name. Of a term it is the type alone, or a literal, so that parts are shared more often."""
        about, name = question
        if about in ("data", "density"):
            return self.data if about == "data" else self.dependencies.density
        if about == "gradient":
            return tuple(map(self.shared.common.identity, nodes_said(self.model, name)))
        if about in ("borders", "network"):
            return str(self.borders_of_training()) if about == "borders" else self._plan(name, self.span)
        if about == "tests":
            return self.tests.answer
        if about == "measure":
            return self.measure_names.plan(name)
        if about == "function":
            return self.shared.common.identity(self.functions[name].node)
        if about == "result":
            plan = self._plan(name, self.span)
            return plan.output, plan.free
        if about == "output":
            plan = self._plan(name, self.span)
            return plan.input.type, plan.parts, plan.output, takes_reals(plan), plan.free
        binding = self.bindings[name]
        term = self.term_of(binding, self.span)
        if about == "points":
            number = points.number(self.shared.points, name, self.shared.common.number)
            return term if number is None else number
        if about in ("size", "small"):
            return self.sizes[name] if about == "size" else small(self.sizes[name])
        if about == "varies":
            return self.dependencies.varies(name)
        if about == "trained":
            return self.dependencies.learns(name)
        if about == "index":
            return None if binding.stage == "draw" else index_of(term, self._whole)
        if about == "values":
            return values(term, self._whole)
        return term if isinstance(term, t.Literal) or about == "whole" else term.type

    # -- names: what the expression checker asks for ---------------------------------------------------------------

    def term(self, name: str, stage: str, span: Span) -> t.Term | None:
        """The term of a binding, checked when first asked for."""
        binding = self.bindings.get(name)
        if binding is None and name not in self.functions and stage != "constants":
            if stage == "measures" and self.measure_names.has(name):
                used = self.measure_names.term(name, span)
                self.note_read("measure", name)
                return used
            self.measure_names.must_not_be(name, self.model.loss, span)
        if binding is None or binding.stage == "architecture":
            return None
        must_precede(name, binding.stage, stage, span)
        term = self.term_of(binding, span)
        if self.memo.at_all_points and binding.stage == "constants":
            self.note_read("points", name)
            return points.standing_for(self.shared.points, name, term)
        self.note_read("term", name)
        if isinstance(term, t.Literal) and (binding.stage != "example" or name not in self.tests.read()):
            return term
        return t.Reference(name, binding.stage, type=term.type, span=span)

    def term_of(self, binding: Binding, span: Span) -> t.Term:
        """The term of a binding, checked when first needed. An error is reported once, at the binding itself. Raises StudyError."""
        name = binding.name
        self.prepare(name)
        if name in self.failed:
            raise Poisoned
        if name in self.terms:
            return self.terms[name]
        self._must_not_be_active(name, f"'{name}' is defined through itself", span)
        self.active.append(name)
        try:
            part = ("output" if binding.stage == "outputs" else "binding", name, id(binding.node))
            make = partial(self.part, part, lambda: self.elaborated(binding))
            self.terms[name], size, read = self.said_again.value(binding.stage, name, make)
            if binding.stage == "outputs":
                self.sizes[name] = size
            elif not self.shared.points.keys().isdisjoint(read):
                self._at_all_points(binding)
            return self.terms[name]
        except StudyError as error:
            self.failed.add(name)
            self.problems.extend(error.problems)
            raise Poisoned from None
        finally:
            self.active.pop()

    def prepare(self, name: str) -> None:
        """Checks the names that a name uses first, so that a chain of thousands of names needs no deep recursion."""
        if self.active or name in self.sequence.done:
            return
        names = self.sequence.before(name)
        for names_around in self.sequence.circles:
            self.failed.update(names_around)
            self.problems.append(circle(names_around, self.bindings[names_around[0]].key))
        self.sequence.circles.clear()
        for other in names:
            if other != name and self.bindings[other].stage == "architecture":
                self.attempt(lambda other=other: self.plan(other, self.span))
            elif other != name:
                self.attempt(lambda other=other: self.term_of(self.bindings[other], self.bindings[other].key))

    def elaborated(self, binding: Binding) -> tuple[t.Term, Size, tuple[str, ...]]:
        """The term that a binding stands for, its size written out, and the names that a constant is made of."""
        if (taken := TAKEN_ONCE.get(binding.stage)) is not None:
            return taken(binding, self.checker, self.dependencies, self.must_fit), Size(), ()
        term = self.checker.value(binding.node, Context(binding.stage, ("value", binding.name)))
        if binding.stage != "constants":
            return term, self.sized(term, binding.key), ()
        value = folding.known(term, f"the constant '{binding.name}'")
        read = tuple(name for about, name in self.memo.reads[-1] if about == "term")
        return t.Literal(value, type=term.type, span=term.span), Size(), read

    def _at_all_points(self, binding: Binding) -> None:
        """Notes what a constant that is made of swept ones is at all sweep points."""
        if binding.name not in self.shared.points:
            context = Context("constants", ("value", binding.name))
            make = partial(self.checker.value, binding.node, context)
            self.shared.points[binding.name] = self.memo.for_all_points(make)

    def sized(self, term: t.Term, span: Span) -> Size:
        """The size of a term written out. Raises StudyError for one that is too large."""
        for item in t.within(term, t.Reference):
            if item.stage == "outputs":
                self.note_read("size", item.name)
        return written(term, self.sizes, span)

    def must_fit(self, term: t.Term, span: Span) -> None:
        """Refuses a term that is too large written out. Read is of its outputs that all are small, where that is enough to know."""
        names = {item.name for item in t.within(term, t.Reference) if item.stage == "outputs"}
        for name in sorted(names):
            self.note_read("small", name)
        if all(small(self.sizes[name]) for name in names):
            with suppress(StudyError):  # it may fit still, by the sizes themselves
                written(term, dict.fromkeys(names, SMALL), span)
                return
        self.sized(term, span)

    def function(self, name: str) -> Function | None:
        """A user's function."""
        function = self.functions.get(name)
        if function is not None:
            self.note_read("function", name)
        return function

    def network(
        self, name: str, argument: t.Term | None, stage: str, span: Span, parts: GivenParts = dict
    ) -> t.Term | None:
        """A network's output on its own input, or on another of the same shape with its parts."""
        if name not in self.model.architecture:
            return None
        must_precede(name, "architecture", stage, span, self.model.architecture[name].free)
        plan = self._plan(name, span)
        self.note_read("result" if argument is None else "output", name)
        if plan.free:
            return parameter_value(plan, argument, span)
        if argument is not None:
            argument = application(plan, argument, parts, takes_reals(plan), span)
        return t.NetworkOutput(name, argument, type=plan.output, span=span)

    def _must_not_be_active(self, name: str, message: str, span: Span) -> None:
        """Refuses a name that is asked for while it is being defined, with the chain that leads back to it."""
        if name in self.active:
            chain = " → ".join([*self.active[self.active.index(name) :], name])
            hint = "Nothing can depend on itself: write one of them another way."
            raise problem_at(span, f"{message}: {chain}", hint)

    def plan(self, name: str, span: Span) -> NetworkPlan:
        """A network, checked when first asked for."""
        plan = self._plan(name, span)
        self.note_read("network", name)
        return plan

    def _plan(self, name: str, span: Span) -> NetworkPlan:
        if name not in self.failed:
            self.prepare(name)
        if name in self.failed:
            raise Poisoned
        if name in self.plans:
            return self.plans[name]
        self._must_not_be_active(name, f"the network '{name}' feeds itself", span)
        self.active.append(name)
        try:
            network, dtype = self.model.architecture[name], self.model.dtype
            make = partial(learnt, self.checker, self.index, name, network, self.defaults, self.training_set, dtype)
            kept = partial(self.part, ("network", name), make, network.node())
            return self.plans.setdefault(name, self.said_again.network(name, kept))
        except StudyError as error:
            self.failed.add(name)
            self.problems.extend(error.problems)
            raise Poisoned from None
        finally:
            self.active.pop()

    def index(self, given: t.Term) -> t.Term | None:
        """The index that a term is the one-hot vector of; None where it is none for certain."""
        if (read := read_for_index(given)) is not None:
            self.note_read(*read)
        found = index_of(given, self._whole)
        return None if found is not None and self.dependencies.reaches(given, self.tests.read()) else found

    def _whole(self, name: str) -> t.Term:
        """The term behind a name."""
        return self.term_of(self.bindings[name], self.span)

    def training_set(self) -> int:
        """How many training examples there are; 0 where each is new."""
        return source.train if (source := self.source()) is not None else 0

    def weight(self, path: Sequence[str | int], stage: str, span: Span) -> t.Term:
        """`score.dense_2.kernel`, `f.weights`."""
        name, *rest = path
        if name not in self.model.architecture:
            networks = self.vocabulary.words(("networks",), lambda: self.model.architecture)
            raise no_network(path, self.model.architecture, networks, span)
        if order(stage) <= order("architecture"):
            message = "weights and layer outputs change in training: use them in outputs, losses or measures"
            raise problem_at(span, message, "Move this there.")
        return weight(self.plan(str(name), span), rest, span)

    def gradient(self, name: str) -> tuple[tuple[GradientMode, ...], Function | None]:
        """The gradient modes of a function, one in each phase of training, and its surrogate."""
        self.note_read("gradient", name)
        return function_modes(self.model, name, self.functions.get(name))

    def borders(self) -> Borders:
        """Where phases of training begin and end."""
        self.note_read("borders")
        return self.borders_of_training()

    def trained(self, term: t.Term) -> bool:
        """Whether a term depends on weights."""
        return self.dependencies.trained(term)

    def source(self) -> DataSource | None:
        """Where examples come from."""
        self.note_read("data")
        return self.data

    def attempt(self, action: Any) -> Any:
        """Runs a part; its problems are kept, and the other parts are checked all the same."""
        try:
            return action()
        except StudyError as error:
            self.problems.extend(error.problems)
            return None

    def stage(self, name: str) -> list[str]:
        """The names of a stage."""
        return [binding.name for binding in self.bindings.values() if binding.stage == name]

    def count(self, node: yaml.Node | None, default: Any, what: str, most: int = folding.MAX_SIZE) -> int:
        """A constant positive whole number of the document, or its default where nothing is written."""
        if node is None:
            return int(default)
        make = partial(self.checker.value, node, Context("constants", ()))
        return folding.size(self.memo.of_node(node, make), what, most)

    def scalars(self) -> dict[str, float]:
        """The constants that are single numbers."""
        values = {name: self.terms[name] for name in self.stage("constants") if name in self.terms}
        for name in values:
            self.note_read("term", name)
        return {name: float(x.value) for name, x in values.items() if isinstance(x, t.Literal) and not x.type.shape}
