"""The bounds of every int that a term gives: one pass over the terms, each once, without recursion.

An int whose bounds leave what an int holds is a problem, and so is what may lie outside the classes, words or entries
that it chooses from. What hangs on an int with a problem has none of its own, so that each cause is told once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import reduce
from math import prod

from ..diagnostics.problems import Problem, Span
from ..ir import terms as t
from ..ir.plan import LayerPlan, NetworkPlan
from ..ir.term_pass import TermPass
from ..ir.types import Type
from ..source.several import AllValues
from ..tables.distributions import DISTRIBUTIONS
from ..tables.layers import row_of
from ..tables.operations import OPERATIONS, wanted_kinds
from ..tables.operations.intervals import INT32, Bounds, bounds_of, hull, joined, kept
from .choices import beyond, fits, misplaced, problem, tried
from .evaluate import Array
from .joint_values import Conditions, Values, reached
from .print_term import spell
from .range_texts import moved, named, shown
from .related_bounds import GUARDED, limits, remainder, same, squared
from .timed_values import Timed

Known = Bounds | None
"""The bounds of an int or a bool; None for real numbers."""

CHOOSING = ("cross_entropy", "scatter", "one_hot")
"""The operations that choose by an index, which lies in a range."""
MAX_BRANCHES = 40
"""How many branches are looked at within each other by what their conditions say."""


def outside(term: t.Term, limit: Bounds) -> list[Problem]:
    """What is wrong with a term that hangs on no name: ints beyond a limit, divisors that may be 0."""
    found = Ranges({}, {}, limit)
    found.of(term)
    return found.problems


class Ranges:
    """The bounds of terms of one experiment; `problems` are what was found on the way."""

    def __init__(
        self, bindings: Mapping[str, t.Term], networks: Mapping[str, NetworkPlan], limit: Bounds = INT32
    ) -> None:
        self.bindings = bindings
        self.networks = networks
        self.limit = limit
        self.times: Mapping[str, Array] = {}
        """The counters, at every step that what is looked at is made for."""
        self.problems: list[Problem] = []
        self.doubts: list[Problem] = []
        """Warnings of indices that may be outside."""
        self.told: set[tuple[Span | None, str]] = set()
        self.known: dict[int, Known] = {}
        self.behind: dict[int, Known] = {}
        """The bounds of what was looked at where a condition holds: of the parts of a condition behind `and`, for instance."""
        self.spoilt: set[int] = set()
        """The ints that hang on one with a problem: they have none of their own."""
        self.quiet = self.vary = False  # `vary`: whether any bounds are those of a number at all sweep points
        self.parameters: dict[str, t.Term | Known] = {}
        self.applied: dict[tuple[str, Known], Known] = {}
        self.values = Values(self._seen, self._stands_for)
        self.around: Ranges | None = None
        self.steps = 0
        """The ranges around those of a branch or a body, and how many branches are around."""
        self.conditions: Conditions = ()
        self.limits: dict[Hashable, Bounds] = {}
        """What holds in the branch that is looked at, and the bounds that this sets to numbers."""

    def of(self, term: t.Term) -> Known:
        """The bounds of a term."""
        stack = [term]
        while stack:
            item = stack[-1]
            if id(item) in self.known:
                stack.pop()
                continue
            if isinstance(item, t.Invoke):
                self.parameters.update(zip(item.parameters, item.arguments, strict=True))
            below = list(self._below(item))
            missing = [inner for inner in below if id(inner) not in self.known]
            if missing:
                stack.extend(reversed(missing))
                continue
            stack.pop()
            self.quiet = any(id(inner) in self.spoilt for inner in below)
            told = len(self.problems)
            self.known[id(item)] = self._inside(item, self._bounds(item))
            if item.type.kind == "int" and (self.quiet or len(self.problems) > told):
                self.spoilt.add(id(item))
        return self.known[id(term)]

    def _below(self, term: t.Term) -> Iterable[t.Term]:
        """The terms whose bounds come first: the parts of a term, and what a name or a parameter stands for."""
        return _BELOW.of(term)(term, self)

    def _bounds(self, term: t.Term) -> Known:
        """The bounds of a term whose parts are known."""
        if term.type.kind == "real" and not isinstance(term, t.NetworkOutput | t.Operate | t.Gather | t.Scan):
            return None  # these are looked at in any case: for the ints that they choose by
        return _BOUNDS.of(term)(term, self)

    def whole(self, term: t.Term) -> Bounds:
        """The bounds of a term that counts as an int."""
        return (self.known[id(term)] if id(term) in self.known else self.behind[id(term)]) or (0, 1)

    def _inside(self, term: t.Term, bounds: Known) -> Known:
        """Bounds within the limit; what lies beyond is a problem."""
        if bounds is None or kept(bounds, self.limit) == bounds:
            return bounds
        values = self.narrowed(term)
        if values is not None and kept((values[0], values[-1]), self.limit) == (values[0], values[-1]):
            return values[0], values[-1]
        self.tell(term.span, *beyond(term, bounds, self.limit, self.whole))
        return kept(bounds, self.limit)

    def tell(self, span: Span | None, message: str, hint: str, severity: str = "error") -> None:
        """Notes a problem or a warning, once at each place."""
        if (span, severity) not in self.told and not self.quiet:
            self.told.add((span, severity))
            (self.problems if severity == "error" else self.doubts).append(Problem(message, span, hint, severity))

    # -- operations ------------------------------------------------------------------------------------------------

    def operate(self, term: t.Operate) -> Known:
        for place, holds in GUARDED.get(term.operation, {}).items():
            self._branch(term.arguments[0], term.arguments[place], holds)
        given, types = [self.whole(item) for item in term.arguments], [item.type for item in term.arguments]
        if (found := problem(term, given, self.narrowed)) is not None:
            self.tell(*found)
        if term.type.kind == "real":
            return None
        if term.type.kind == "bool":
            return 0, 1
        first, *others = term.arguments
        if term.operation == "multiply" and same(first, others[0]):
            return squared(given[0])
        if term.operation == "subtract" and (divisor := remainder(first, others[0])):
            return bounds_of("modulo", [given[0], (divisor, divisor)], types, {}, term.type)
        ints = [
            bounds if kind == "int" else (0, 1)
            for bounds, kind in zip(given, wanted_kinds(OPERATIONS[term.operation], types, term.type), strict=True)
        ]
        if isinstance(term.arguments[0], t.Stack) and term.operation in ("sum", "prod") and not term.type.shape:
            return self._item_by_item(term.operation, term.arguments[0])
        return bounds_of(term.operation, ints, types, term.static, term.type)

    def _branch(self, condition: t.Term, branch: t.Term, holds: bool) -> None:
        """Looks for the bounds of what counts only where a condition holds, or does not."""
        if id(branch) not in self.known:
            inner = self._where({})
            inner.parameters, inner.spoilt, inner.steps = self.parameters, self.spoilt, self.steps + 1
            below = [item for item in reached(branch, self) if id(item) in self.known]
            inner.known.update((id(item), self.known[id(item)]) for item in below)
            inner.conditions = (*self.conditions, (condition, holds))
            inner.limits = {**self.limits, **limits(condition, holds, self.whole, self.values.leaf, self.limits)}
            self.known[id(branch)] = inner.of(branch)
            self.behind.update(inner.behind | inner.known)
            self.quiet |= id(branch) in self.spoilt

    def narrowed(self, term: t.Term) -> Sequence[int] | None:
        """All values that an int can have, where these are few enough to be tried."""
        values = self.values.of(term, self.conditions)
        return None if values is None else values.tolist()

    def _limited(self, term: t.Term, bounds: Known) -> Known:
        """The bounds of a name or a parameter, less what the conditions around exclude."""
        within = self.limits.get(self.values.leaf(term)) if self.limits and not term.type.shape else None
        if bounds is None or within is None:
            return bounds
        low, high = max(bounds[0], within[0]), min(bounds[1], within[1])
        return (low, high) if low <= high else bounds  # never taken

    def _seen(self, term: t.Term) -> Known:
        """The bounds of a term, if it was looked at here or around."""
        if isinstance(term, t.Parameter) and not isinstance(self.parameters.get(term.key), t.Term):
            return self.parameters.get(term.key)  # type: ignore[return-value]
        bounds = self.known.get(id(term), self.around._seen(term) if self.around is not None else None)
        within = self.limits.get(self.values.leaf(term))
        if bounds is None or within is None or term.type.shape:
            return bounds
        return max(bounds[0], within[0]), min(bounds[1], within[1])

    def _stands_for(self, term: t.Term) -> t.Term | None:
        """What a name or a parameter stands for."""
        if isinstance(term, t.Reference):
            return self.bindings.get(term.name)
        argument = self.parameters.get(term.key) if isinstance(term, t.Parameter) else None
        return argument if isinstance(argument, t.Term) else None

    def _item_by_item(self, operation: str, stack: t.Stack) -> Bounds:
        """The bounds of `sum([a, b, …])` or `prod`: each item by its own bounds, as often as it stands there."""
        each = Type("int", (prod(stack.type.shape[1:]),))
        parts = [bounds_of(operation, [self.whole(item)], [each], {}, Type("int")) for item in stack.items]
        pairs = "add" if operation == "sum" else "multiply"
        return reduce(lambda a, b: bounds_of(pairs, [a, b], [Type("int")] * 2, {}, Type("int")), parts)

    def gather(self, term: t.Gather) -> None:
        timed = Timed(self.bindings, self.parameters, self.times)
        found = misplaced(term, self.whole(term.index), timed, self.values, self.conditions)
        if found is not None:
            self.tell(found.span, found.message, found.hint, found.severity)

    # -- networks --------------------------------------------------------------------------------------------------

    def network(self, plan: NetworkPlan, given: Known, at: t.Term | None = None) -> Known:
        """The bounds of a network's output on an input: of most, None; its layers are checked on the way."""
        own = plan.whole(getattr(at, "input", None) or plan.input)
        given = self.known[id(own)] if plan.parts else given
        row = row_of(plan.layers[0]) if plan.layers and given is not None else None
        if given is not None and row is not None and row.ints_below is not None:
            within = fits(given, int(plan.layers[0].config[row.ints_below]))
            given = given if within else tried(own, given, self.narrowed)
        if (plan.name, given) not in self.applied:
            self.applied[plan.name, given] = None
            self.applied[plan.name, given] = self._layers(plan, plan.layers, given, at)
        return self.applied[plan.name, given]

    def _layers(self, plan: NetworkPlan, layers: tuple[LayerPlan, ...], given: Known, at: t.Term | None) -> Known:
        for layer in layers:
            row = row_of(layer)
            if row is not None and row.ints_below is not None:
                self._below_argument(plan, layer, row.ints_below, given or (0, 1), at)
            if layer.kind == "apply" and layer.body is not None:
                given = self._apply(layer, given)
            elif layer.kind == "residual":
                one, other = (self._layers(plan, way, given, at) for way in layer.blocks)
                given = joined(one, other, layer.config["join"], self.limit)
            elif layer.kind == "repeat":
                for block in layer.blocks:
                    before = given if layer.skip else (0, 0)
                    given = joined(self._layers(plan, block, given, at), before, "add", self.limit)
            else:
                given = None
        return given

    def _apply(self, layer: LayerPlan, given: Known) -> Known:
        """The bounds that a function gives as a layer: its body is gone through for each input anew."""
        assert layer.body is not None
        return self._where({layer.parameter: given}).of(layer.body)

    def _where(self, parameters: Mapping[str, Known]) -> Ranges:
        """The ranges of a body, to be gone through anew, whose parameters have these bounds."""
        inner = Ranges(self.bindings, self.networks, self.limit)
        inner.known = {id(item): self.known[id(item)] for item in self.bindings.values() if id(item) in self.known}
        inner.problems, inner.doubts, inner.told, inner.applied = self.problems, self.doubts, self.told, self.applied
        inner.parameters, inner.times, inner.around = dict(parameters), self.times, self
        inner.steps, inner.values.behind_names = self.steps, self.values.behind_names
        return inner

    def turns(self, term: t.Scan) -> Known:
        """The bounds of all that a function gives: it is gone through until it gives nothing new, or is told to be wrong."""
        state, *items = (self.known[id(argument)] for argument in term.arguments)
        found: Known = None
        told = len(self.problems)
        for _ in range(term.steps):
            made = self._where(dict(zip(term.parameters, [state, *items], strict=True))).of(term.body)
            if term.type.kind == "real" or len(self.problems) > told:
                break
            made = made or (0, 1)
            found = made if found is None else hull([found, made])
            wider = hull([state or (0, 1), made])
            if wider == state:
                break
            state = wider
        return found if term.type.kind == "int" else None if term.type.kind == "real" else (0, 1)

    def _below_argument(
        self, plan: NetworkPlan, layer: LayerPlan, argument: str, bounds: Bounds, at: t.Term | None
    ) -> None:
        size = int(layer.config[argument])
        if bounds[0] < 0 or bounds[1] >= size:
            own = plan.whole(at.input or plan.input if isinstance(at, t.NetworkOutput) else plan.input)
            message = f"the {layer.row} '{plan.name}.{layer.key}' takes ints 0 … {size - 1}, but {named(own)} is {shown(bounds)}"
            self.tell(own.span, message, moved(spell(own), bounds, size, f"a larger `{argument}`"))


_BELOW: TermPass[[Ranges], Iterable[t.Term]] = TermPass("terms whose ranges come first")
_BOUNDS: TermPass[[Ranges], Known] = TermPass("range")
_BOUNDS.exclude("it is a real number", t.Weight, t.AllWeights, t.Expectation, t.Gradient, *t.DERIVED)
_BOUNDS.exclude("it is a real number", t.GradientStatistic, t.SamplingFloor, t.LeftOut)


@_BELOW.case(
    *(kind for kind in t.NAMELESS if kind is not t.Operate), t.Invoke, t.Stop, t.Recalled, t.WithWeights, *t.DERIVED
)
def _parts(term: t.Term, ranges: Ranges) -> Iterable[t.Term]:
    return t.children(term)


@_BELOW.case(t.Operate)
def _operands(term: t.Operate, ranges: Ranges) -> Iterable[t.Term]:
    condition, *branches = term.arguments or (None,)
    if term.operation not in GUARDED or condition is None or condition.type.shape or ranges.steps >= MAX_BRANCHES:
        return term.arguments
    return condition, *(item for branch in branches for item in reached(branch, ranges))


@_BELOW.case(t.Reference)
def _binding(term: t.Reference, ranges: Ranges) -> Iterable[t.Term]:
    return (ranges.bindings[term.name],)


@_BELOW.case(t.Parameter)
def _argument(term: t.Parameter, ranges: Ranges) -> Iterable[t.Term]:
    argument = ranges.parameters.get(term.key)
    return (argument,) if isinstance(argument, t.Term) else ()


@_BELOW.case(t.Scan)
def _start_and_items(term: t.Scan, ranges: Ranges) -> Iterable[t.Term]:
    return term.arguments


@_BELOW.case(t.NetworkOutput)
def _input(term: t.NetworkOutput, ranges: Ranges) -> Iterable[t.Term]:
    return (term.input or ranges.networks[term.network].input,)


@_BOUNDS.case(t.Literal)
def _literal(term: t.Literal, ranges: Ranges) -> Known:
    ranges.vary |= isinstance(term.value, AllValues)
    return (int(term.value.min()), int(term.value.max())) if term.value.size else (0, 0)


_BOUNDS.exclude("ranges are those of one cell", t.SweptConstant)
_BOUNDS.case(t.FileValue)(lambda term, ranges: (term.low, term.high))
_BOUNDS.case(t.Cut)(lambda term, ranges: ranges.known[id(term.array)])
_BOUNDS.case(t.Stop, t.Recalled)(lambda term, ranges: ranges.known[id(term.operand)])
_BOUNDS.case(t.WithWeights)(lambda term, ranges: ranges.known[id(term.operand)])


@_BOUNDS.case(t.IndexVariable)
def _index_variable(term: t.IndexVariable, ranges: Ranges) -> Known:
    return ranges._limited(term, (0, term.extent - 1))


@_BOUNDS.case(t.StepNumber)
def _step_number(term: t.StepNumber, ranges: Ranges) -> Known:
    counts = ranges.times[term.counter]
    return int(counts.min()), int(counts.max())


@_BOUNDS.case(t.Sample)
def _sample(term: t.Sample, ranges: Ranges) -> Known:
    between = DISTRIBUTIONS[term.distribution].between
    lengths = {name: item.type.shape[-1] for name, item in term.parameters.items() if item.type.shape}
    return between({**lengths, **term.sizes}) if between is not None else (0, 1)


@_BOUNDS.case(t.Reference)
def _of_name(term: t.Reference, ranges: Ranges) -> Known:
    return ranges._limited(term, ranges.known[id(ranges.bindings[term.name])])


@_BOUNDS.case(t.Parameter)
def _of_argument(term: t.Parameter, ranges: Ranges) -> Known:
    argument = ranges.parameters.get(term.key)
    return ranges._limited(term, ranges.known[id(argument)] if isinstance(argument, t.Term) else argument)


@_BOUNDS.case(t.Invoke, t.Comprehend)
def _of_body(term: t.Invoke | t.Comprehend, ranges: Ranges) -> Known:
    return ranges.known[id(term.body)]


@_BOUNDS.case(t.Scan)
def _turns(term: t.Scan, ranges: Ranges) -> Known:
    return ranges.turns(term)


@_BOUNDS.case(t.Stack)
def _stack(term: t.Stack, ranges: Ranges) -> Known:
    return hull(ranges.whole(item) for item in term.items)


@_BOUNDS.case(t.Gather)
def _gather(term: t.Gather, ranges: Ranges) -> Known:
    ranges.gather(term)
    return ranges.known[id(term.array)]


@_BOUNDS.case(t.Operate)
def _operate(term: t.Operate, ranges: Ranges) -> Known:
    return ranges.operate(term)


@_BOUNDS.case(t.NetworkOutput)
def _network_output(term: t.NetworkOutput, ranges: Ranges) -> Known:
    plan = ranges.networks[term.network]
    output = ranges.network(plan, ranges.known[id(term.input or plan.input)], term)
    return None if term.layer is not None else output
