"""Limits on the memory and work of constants, checked before NumPy computes anything, for intermediate values as well.

`[sum([i * j for j < 100000]) for i < 100000]` is 100,000 numbers, and 10¹⁰ on the way. A term's memory is counted as it
is evaluated: an operation holds its arguments, its result and what its table says it makes besides; index notation
makes its body for all values of its indices at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

from ..diagnostics.problems import Span, StudyError, problem_at
from ..ir import terms as t
from ..ir.term_pass import TermPass
from ..ir.types import Shape, Type
from ..tables.flops import OPERATION_WORK
from ..tables.operations import OPERATIONS, Operation

BYTES_PER_ENTRY = 8
"""Bytes of a number while constants are computed: int64 or float64."""
MAX_PEAK_BYTES = 256 * 2**20
"""Bytes that a constant may take on the way."""
MAX_TOTAL_BYTES = 256 * 2**20
"""Bytes of all arrays that the constants of a study's cells may hold together."""
MAX_WORK = 2e8
"""Operations that a constant may take: about a second."""
MATRIX_SPEEDUP = {"matmul": 32, "inverse": 8, "solve": 8, "det": 8}
"""How many operations on matrices of reals take the time of one on each entry of an array; singular values are slow."""
MAX_UNCHECKED_ENTRIES = 2**20
"""Entries up to which an elementwise operation is not looked at."""
MAX_UNCOUNTED_BYTES = 2**16
"""Bytes up to which an array is not counted among what is kept."""
HINT = "Choose smaller sizes, or draw it: what is drawn or measured is computed while the experiment runs."


@dataclass
class Budget:
    """What the constants of a study hold so far."""

    kept: int = 0

    def keep(self, term: t.Term) -> None:
        """Counts a constant that stays. Raises StudyError where all of them together are too large."""
        if not isinstance(term, t.Literal) or term.value.nbytes <= MAX_UNCOUNTED_BYTES:
            return
        if self.kept > MAX_TOTAL_BYTES:
            raise StudyError([])  # told already, of the first that is too many
        self.kept += term.value.nbytes
        if self.kept > MAX_TOTAL_BYTES and term.span is not None:
            message = f"the study's constants up to here hold more than {MAX_TOTAL_BYTES // 2**20} MiB"
            raise problem_at(term.span, message, "Choose smaller sizes, or fewer points of a sweep.")


@dataclass(frozen=True)
class _Cost:
    """Of a term: the indices that its value varies along, the entries of the value, those at the worst moment, the work."""

    axes: Mapping[str, int] = field(default_factory=dict)
    entries: float = 0
    peak: float = 0
    work: float = 0


def affordable(term: t.Term) -> None:
    """Refuses a constant term that takes too much on the way, before any of it is computed."""
    cost = _cost(term)
    if term.span is not None:
        _within(cost.peak, cost.work, term.span)


def operation(row: Operation, types: Sequence[Type], result: Type, span: Span) -> None:
    """Refuses an operation on literals of some types that takes too much."""
    entries = prod(result.shape) + sum(prod(given.shape) for given in types)
    if entries < MAX_UNCHECKED_ENTRIES and row.family == "elementwise":
        return
    made, work = _made(row.name, row.family, types, result, 1)
    _within(entries + made, work, span)


def count(entries: float, span: Span) -> int:
    """How many entries an array has, refused where they are beyond all bounds."""
    if not entries * BYTES_PER_ENTRY <= MAX_PEAK_BYTES:
        shown = f"{entries:,.0f} numbers" if entries < 1e15 else f"more than {1e15:.0e} numbers"
        message = f"this array has {shown}; the limit is {MAX_PEAK_BYTES // BYTES_PER_ENTRY:,}"
        raise problem_at(span, message, HINT)
    return int(entries)


def _within(entries: float, work: float, span: Span) -> None:
    if entries * BYTES_PER_ENTRY > MAX_PEAK_BYTES:
        size = f"{entries * BYTES_PER_ENTRY / 2**20:{',.0f' if entries < 1e15 else '.0e'}} MiB"
        message = f"this constant needs {size} while it is computed; the limit is {MAX_PEAK_BYTES // 2**20} MiB"
        raise problem_at(span, message, HINT)
    if work > MAX_WORK:
        message = f"this constant takes {work:.1e} operations; the limit is {MAX_WORK:.0e}"
        raise problem_at(span, message, HINT)


def _made(name: str, family: str, types: Sequence[Type], result: Type, lead: float) -> tuple[float, float]:
    """The entries that an operation makes beside its result, and its work."""
    shapes: list[Shape] = [given.shape for given in types]
    row = OPERATION_WORK[name]
    whole = max([prod(result.shape), *map(prod, shapes)])
    counted = row.entries(shapes, result.shape) if shapes else prod(result.shape)
    matrices = family == "linear algebra" and counted > whole
    real = any(given.kind == "real" for given in types)
    work = lead * (max(row.forward, 1) * counted / (MATRIX_SPEEDUP.get(name, 1) if matrices and real else 1) + whole)
    return lead * (whole if matrices else max(counted, whole)), work


def _cost(term: t.Term) -> _Cost:
    """The cost of a term, by those of what it is made of; no step recurses. A parameter costs what its argument does."""
    found: dict[int, _Cost] = {}
    axes: dict[str, Mapping[str, int]] = {}
    stack: list[tuple[t.Term, bool]] = [(term, False)]
    while stack:
        item, ready = stack.pop()
        if id(item) in found:
            continue
        if ready:
            found[id(item)] = _WORK.of(item)(item, [found[id(below)] for below in _parts(item)], axes)
            continue
        stack.append((item, True))
        if isinstance(item, t.Invoke):
            for key, argument in zip(item.parameters, item.arguments, strict=True):
                axes[key] = _indices(argument, axes)
        elif isinstance(item, t.Scan):  # a state varies along all that any of its arguments does
            own = {name: size for argument in item.arguments for name, size in _indices(argument, axes).items()}
            axes.update(dict.fromkeys(item.parameters, own))
        stack.extend((below, False) for below in reversed(_parts(item)))
    return found[id(term)]


def _parts(term: t.Term) -> list[t.Term]:
    """What is evaluated for a term, in order."""
    if isinstance(term, t.Invoke | t.Scan):
        return [*term.arguments, term.body]
    if isinstance(term, t.Comprehend):
        return [term.body]
    return list(t.children(term))


def _indices(term: t.Term, axes: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """The indices that a term varies along."""
    found: dict[str, int] = {}
    bound: set[str] = set()
    for item in t.walk(term):
        if isinstance(item, t.IndexVariable):
            found[item.key] = item.extent
        elif isinstance(item, t.Parameter):
            found.update(axes.get(item.key, {}))
        elif isinstance(item, t.Comprehend):
            bound.update(index.key for index in item.indices)
    return {key: size for key, size in found.items() if key not in bound}


_Below = Sequence[_Cost]
_Axes = Mapping[str, Mapping[str, int]]
_WORK: TermPass[[_Below, _Axes], _Cost] = TermPass("work of a constant")
"""The cost of a term from those of its parts; `axes` are the indices that parameters vary along."""
_WORK.exclude(
    "it is no constant",
    t.Reference,
    t.Sample,
    t.NetworkOutput,
    t.Weight,
    t.AllWeights,
    t.StepNumber,
    t.Recalled,
    t.WithWeights,
    t.FileValue,
)
_WORK.exclude("cells are merged after all checks", t.SweptConstant)
_WORK.exclude(
    "it is no constant", t.Expectation, t.Gradient, *t.DERIVED, t.GradientStatistic, t.SamplingFloor, t.LeftOut
)


@_WORK.case(t.Literal)
def _literal(term: t.Literal, below: _Below, axes: _Axes) -> _Cost:
    return _Cost()


@_WORK.case(t.IndexVariable)
def _index_variable(term: t.IndexVariable, below: _Below, axes: _Axes) -> _Cost:
    return _Cost({term.key: term.extent}, term.extent, term.extent, term.extent)


@_WORK.case(t.Parameter)
def _parameter(term: t.Parameter, below: _Below, axes: _Axes) -> _Cost:
    return _Cost(axes.get(term.key, {}))


@_WORK.case(t.Operate)
def _operate(term: t.Operate, below: _Below, axes: _Axes) -> _Cost:
    own = _all_axes(below)
    types = [item.type for item in term.arguments]
    family = OPERATIONS[term.operation].family
    return _of_parts(term, below, own, *_made(term.operation, family, types, term.type, prod(own.values())))


@_WORK.case(t.Comprehend)
def _comprehend(term: t.Comprehend, below: _Below, axes: _Axes) -> _Cost:
    bound = {index.key for index in term.indices}
    return _of_parts(term, below, {key: size for key, size in _all_axes(below).items() if key not in bound})


@_WORK.case(t.Invoke, t.Stack, t.Cut, t.Gather, t.Stop)
def _copied(term: t.Term, below: _Below, axes: _Axes) -> _Cost:
    return _of_parts(term, below, _all_axes(below))


@_WORK.case(t.Scan)
def _scan(term: t.Scan, below: _Below, axes: _Axes) -> _Cost:
    """As often as it is applied; the states before the last are kept where they are asked for."""
    *arguments, body = below
    every = _of_parts(term, below, _all_axes(below))
    work = sum(part.work for part in arguments) + term.steps * (body.work + body.entries)
    return replace(every, work=work)


def _all_axes(below: _Below) -> dict[str, int]:
    """The indices that any of some parts varies along."""
    return {key: size for part in below for key, size in part.axes.items()}


def _of_parts(
    term: t.Term, below: _Below, axes: Mapping[str, int], beside: float | None = None, work: float | None = None
) -> _Cost:
    """The cost of a term that varies along some indices.

    An operation says how many entries it makes `beside` its result and its `work`: elsewhere both are the result's entries.
    """
    entries = float(prod(axes.values()) * prod(term.type.shape))
    held = peak = 0.0
    for part in below:
        peak = max(peak, held + part.peak)
        held += part.entries
    beside, work = entries if beside is None else beside, entries if work is None else work
    return _Cost(axes, entries, max(peak, held + entries + beside), work + sum(part.work for part in below))
