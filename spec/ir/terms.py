"""Typed terms: what the checker makes of expressions, and all that the interpreter sees of them.

Every term has a type (the kind and shape of one example's value). Names are resolved, functions are bound to their
arguments, constants are values. A term is compared by identity; each meaning (value, graph, digest) is a pass over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, TypeVar

import numpy as np

from ..diagnostics.problems import Span
from ..records import record
from .term_parts import Holding, bits_of, parts_of
from .types import Shape, Type


@record(frozen=True, slots=True, eq=False, kw_only=True)
class Term(Holding):
    """What every term has: its type, and where it was written."""

    type: Type
    span: Span | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        held = _BITS.get(type(self), 0)
        for part in _BELOW[type(self)](self) if held else ():
            held |= part.held
        self.held = held  # type: ignore[misc]


@record(frozen=True, slots=True, eq=False)
class Literal(Term):
    """A value known before anything runs: bool, int64 or float64."""

    value: np.ndarray[Any, Any]


@record(frozen=True, slots=True, eq=False)
class SweptConstant(Term):
    """A value known before anything runs that differs from cell to cell, of cells side by side: `CellBatch.constants[place]`."""

    place: int


@record(frozen=True, slots=True, eq=False)
class Reference(Term):
    """The value of a binding of the stages `draw`, `example` or `outputs`."""

    name: str
    stage: str


@record(frozen=True, slots=True, eq=False)
class Parameter(Term):
    """A parameter of the function whose body this is; `key` is unique in the experiment."""

    key: str


@record(frozen=True, slots=True, eq=False)
class IndexVariable(Term):
    """An index of index notation, 0 ≤ i < extent; `key` is unique in the experiment."""

    key: str
    extent: int


@record(frozen=True, slots=True, eq=False)
class Operate(Term):
    """An operation of the table applied to arguments; `static` holds its static arguments."""

    operation: str
    arguments: tuple[Term, ...]
    static: Mapping[str, Any]


@record(frozen=True, slots=True, eq=False)
class Invoke(Term):
    """A user's function applied: its body with `parameters` (keys) bound to `arguments`. Where its gradient mode asks for them, `carrier` is the
    argument that the upstream gradient goes on to, and `surrogate` the term whose derivative is taken."""

    function: str
    parameters: tuple[str, ...]
    arguments: tuple[Term, ...]
    body: Term
    carrier: int | None = None
    surrogate: Term | None = None


@record(frozen=True, slots=True, eq=False)
class Scan(Term):
    """A user's function applied `steps` times: to `start`, then to what it gave, each time with the next of `items`, if there are any. `parameters` are
    the keys that the present state and the present item have in `body`, the function's application to them. Its value is the sequence of what
    it gave if `every`, else the last of them."""

    function: str
    parameters: tuple[str, ...]
    start: Term
    items: Term | None
    body: Term
    steps: int
    every: bool

    @property
    def arguments(self) -> tuple[Term, ...]:
        """What the parameters are made of: the start, and the items, of which each is one."""
        return (self.start,) if self.items is None else (self.start, self.items)


@record(frozen=True, slots=True, eq=False)
class Comprehend(Term):
    """Index notation: the body for all values of the indices, which become its first axes."""

    indices: tuple[IndexVariable, ...]
    body: Term


@record(frozen=True, slots=True, eq=False)
class Gather(Term):
    """`array` at `index` along one axis (counted from 0), clamped to the range."""

    array: Term
    index: Term
    axis: int


@record(frozen=True, slots=True, eq=False)
class Cut(Term):
    """`array[first:last]` along one axis (counted from 0)."""

    array: Term
    axis: int
    first: int
    last: int


@record(frozen=True, slots=True, eq=False)
class Stack(Term):
    """Equal shapes under a new first axis."""

    items: tuple[Term, ...]


@record(frozen=True, slots=True, eq=False)
class Stop(Term):
    """A value through which no gradient passes."""

    operand: Term


@record(frozen=True, slots=True, eq=False)
class Sample(Term):
    """One occurrence of a distribution. `path` names it in the seed tree; `shape` is that of independent copies."""

    distribution: str
    path: tuple[str, ...]
    sizes: Mapping[str, int]
    parameters: Mapping[str, Term]
    shape: Shape


@record(frozen=True, slots=True, eq=False)
class NetworkOutput(Term):
    """What a network makes of its own input, or of another one; or what one of its layers gives on the way."""

    network: str
    input: Term | None = None
    layer: str | None = None


@record(frozen=True, slots=True, eq=False)
class Weight(Term):
    """One weight of a layer: `score.dense_2.kernel`."""

    network: str
    layer: str
    weight: str


@record(frozen=True, slots=True, eq=False)
class AllWeights(Term):
    """All trainable weights of a network (or of one of its layers) as one vector."""

    network: str
    layer: str | None = None


@record(frozen=True, slots=True, eq=False)
class Expectation(Term):
    """The mean of a term over the evaluation examples; with `quantile` set, that quantile instead.

    `where` is the condition that the examples fulfil which it is of: where none does, it is missing. The body of a mean is 0 where the
    condition does not hold, and the whole is divided by the mean of `where`; a quantile is that of the body's values where it holds.
    `on` is the stream whose examples they are, `mode` how layers compute ("training" as in an update); None where the measure says it.
    """

    body: Term
    quantile: float | None = None
    where: Term | None = None
    on: str | None = None
    mode: str | None = None


@record(frozen=True, slots=True, eq=False)
class Gradient(Term):
    """The gradient of one example's value with respect to weights, along the backward pass that the modes make."""

    of: Term
    weights: Weight | AllWeights


@record(frozen=True, slots=True, eq=False)
class ValueGradient(Term):
    """The derivatives of one example's value with respect to a name, a layer's output or weights, along the backward pass that the modes make.

    `by` is a name of the example, whose other names are held, of an output, what a layer gives on its network's own input, weights, or a parameter of
    a function around it. The shape is that of the value and then that of `by`: the gradient of a number, the Jacobian matrix of an array.
    """

    of: Term
    by: Reference | Parameter | NetworkOutput | Weight | AllWeights


@record(frozen=True, slots=True, eq=False)
class Directional(Term):
    """The derivative of one example's value along a direction of `by`, of the value's shape; `along` has the shape of `by`. With `twice` it is that
    of the gradient of a number, of the shape of `by`: the product of its Hessian matrix with the direction."""

    of: Term
    by: Reference | Parameter | NetworkOutput | Weight | AllWeights
    along: Term
    twice: bool = False


@record(frozen=True, slots=True, eq=False)
class BatchMean(Term):
    """The mean of a term over the examples of the batch, in a loss: `B(…)`."""

    body: Term


By = Reference | Parameter | NetworkOutput | Weight | AllWeights
"""What a derivative is taken with respect to."""
DERIVATIVES = (ValueGradient, Directional)
"""The classes of derivatives of one example's value, which are values of the example."""
DERIVED = (*DERIVATIVES, BatchMean)
"""The same, and means over the batch."""


@record(frozen=True, slots=True, eq=False)
class GradientStatistic(Term):
    """A row of the table of gradient statistics: over `examples`, and for a variance over `draws` of the names `over`.

    `every` is the path of the sample in `over` whose values are all taken in turn, instead of `draws` at random; `options`
    are the arguments that the statistic has of its own. Examples are those of the stream `on`.
    """

    statistic: str
    of: Term
    weights: Weight | AllWeights
    examples: int
    over: tuple[str, ...] = ()
    draws: int = 0
    every: tuple[str, ...] = ()
    options: Mapping[str, int | float] = field(default_factory=dict)
    on: str = "test"


@record(frozen=True, slots=True, eq=False)
class SamplingFloor(Term):
    """Two standard errors of a gradient statistic."""

    of: GradientStatistic


@record(frozen=True, slots=True, eq=False)
class LeftOut(Term):
    """How many updates of a replicate were left out, since their scaled gradient was not finite."""


@record(frozen=True, slots=True, eq=False)
class StepNumber(Term):
    """A row of the table of counters: how many updates have been made, or what follows from it."""

    counter: str = "step"


@record(frozen=True, slots=True, eq=False)
class FileValue(Term):
    """An example's values in some columns of a data file, each in its checksum: of one column by itself, of several as an array.

    `low` and `high` are the bounds of ints in all rows; `turned` are those stored as real numbers that are all whole.
    """

    file: str
    columns: tuple[str, ...]
    checksums: tuple[str, ...]
    several: bool = False
    low: int = 0
    high: int = 1
    turned: bool = False

    @property
    def key(self) -> str:
        """What tells it from the other columns of a program."""
        key = f"{self.file}.{self.columns[0]}:{self.columns[-1]}" if self.several else f"{self.file}.{self.columns[0]}"
        return f"int {key}" if self.turned else key


@record(frozen=True, slots=True, eq=False)
class Recalled(Term):
    """What a term is worth at the weights of another time; a constant for gradients. `moment` is `initial` (before the first update), `after` (the
    end of the pass `number` of the phase `phase`, of its last pass so far where no number is said), `average` (the optimiser's moving averages)
    or `current` (the weights that are trained)."""

    operand: Term
    moment: str
    phase: str = ""
    number: int | None = None

    @property
    def kept(self) -> tuple[str, str, int | None]:
        """Which weights these are, of those that are kept."""
        return self.moment, self.phase, self.number


@record(frozen=True, slots=True, eq=False)
class WithWeights(Term):
    """What a term is worth where what is `replaced` has the values of `weights`, the same for all examples; gradients go through them to what they
    are made of."""

    operand: Term
    replaced: Weight | AllWeights
    weights: Term


NAMELESS: tuple[type[Term], ...] = (
    Literal, SweptConstant, IndexVariable, Operate, Comprehend, Gather, Cut, Stack, Sample, Weight, AllWeights, Expectation, Gradient,
    GradientStatistic, SamplingFloor, LeftOut, StepNumber, FileValue,
)  # fmt: skip
"""The classes whose value hangs on their parts alone: on no binding, argument or network that they name."""

T = TypeVar("T", bound=Term)


def children(term: Term) -> Sequence[Term]:
    """The terms right below one."""
    below: Sequence[Term] = _BELOW[type(term)](term)
    return below


_BELOW = {kind: parts_of(kind, Term) for kind in Term.__subclasses__()}
_SLOTS = {kind: ("held", "type", *kind.__slots__) for kind in Term.__subclasses__()}
_BITS = bits_of(Term.__subclasses__())


def has(term: Term, *kinds: type[Term]) -> bool:
    """Whether a term of any of some classes stands in one, or is it."""
    return any([term.held & _BITS[kind] for kind in kinds])


def has_only(term: Term, *kinds: type[Term]) -> bool:
    """Whether a term is of some classes, and all that stand in it are."""
    return not term.held & ~sum([_BITS[kind] for kind in kinds])


def within(term: Term, kind: type[T]) -> Sequence[T]:
    """The terms of a class that stand in one, in the order of `walk`, which is gone once for all classes."""
    if not term.held & _BITS[kind]:
        return ()
    if (gathered := getattr(term, "gathered", None)) is None:
        gathered = term.gathered = {}  # type: ignore[misc]
        for item in walk(term):
            gathered.setdefault(type(item), []).append(item)
    return gathered[kind]


def placed(term: T, span: Span) -> T:
    """The same term, written elsewhere."""
    other = object.__new__(type(term))
    for name in _SLOTS[type(term)]:
        setattr(other, name, getattr(term, name))
    other.span = span  # type: ignore[misc]
    return other


def walk(term: Term, onwards: Callable[[Term], Iterable[Term]] = children) -> Iterator[Term]:
    """A term and all that `onwards` leads to from it, each once, a parent before its children: all below it, unless told."""
    seen: set[int] = set()
    stack = [term]
    while stack:
        item = stack.pop()
        if (place := id(item)) not in seen:
            seen.add(place)
            yield item
            stack.extend(onwards(item) if onwards is not children else _BELOW[type(item)](item))
