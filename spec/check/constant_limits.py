"""What constants may take while they are computed: bounded before NumPy makes anything, on the way and not only at the end.

`[sum([i * j for j < 100000]) for i < 100000]` is 100,000 numbers, and 10¹⁰ on the way. A term's memory is counted as it
is evaluated: an operation holds its arguments, its result and what its table says it makes besides; index notation
makes its body for all values of its indices at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from ..diagnostics.problems import Span, SpecError, problem_at
from ..ir import terms as t
from ..ir.types import Shape, Type
from ..tables.flops import OPERATION_WORK
from ..tables.operations import OPERATIONS, Operation

ENTRY = 8
"""Bytes of a number while constants are computed: int64 or float64."""
MAX_MEMORY = 256 * 2**20
"""Bytes that a constant may take on the way."""
MAX_KEPT = 256 * 2**20
"""Bytes of all arrays that the constants of a study's cells may hold together."""
MAX_WORK = 2e8
"""Operations that a constant may take: about a second."""
MATRICES = {"matmul": 32, "inverse": 8, "solve": 8, "det": 8}
"""How many operations on matrices of reals take the time of one on each entry of an array; singular values are slow."""
FEW = 2**20
"""Entries up to which an elementwise operation is not looked at."""
SMALL = 2**16
"""Bytes up to which an array is not counted among what is kept."""
HINT = "Choose smaller sizes, or draw it: what is drawn or measured is computed while the experiment runs."


@dataclass
class Budget:
    """What the constants of a study hold so far."""

    kept: int = 0

    def keep(self, term: t.Term) -> None:
        """Counts a constant that stays. Raises SpecError where all of them together are too large."""
        if not isinstance(term, t.Literal) or term.value.nbytes <= SMALL:
            return
        if self.kept > MAX_KEPT:
            raise SpecError([])  # told already, of the first that is too many
        self.kept += term.value.nbytes
        if self.kept > MAX_KEPT and term.span is not None:
            message = f"the study's constants up to here hold more than {MAX_KEPT // 2**20} MiB"
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
    if entries < FEW and row.family == "elementwise":
        return
    made, work = _made(row.name, row.family, types, result, 1)
    _within(entries + made, work, span)


def count(entries: float, span: Span) -> int:
    """How many entries an array has, refused where they are beyond all bounds."""
    if not entries * ENTRY <= MAX_MEMORY:
        shown = f"{entries:,.0f} numbers" if entries < 1e15 else f"more than {1e15:.0e} numbers"
        message = f"this array has {shown}; the limit is {MAX_MEMORY // ENTRY:,}"
        raise problem_at(span, message, HINT)
    return int(entries)


def _within(entries: float, work: float, span: Span) -> None:
    if entries * ENTRY > MAX_MEMORY:
        size = f"{entries * ENTRY / 2**20:{',.0f' if entries < 1e15 else '.0e'}} MiB"
        message = f"this constant needs {size} while it is computed; the limit is {MAX_MEMORY // 2**20} MiB"
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
    work = lead * (max(row.forward, 1) * counted / (MATRICES.get(name, 1) if matrices and real else 1) + whole)
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
            found[id(item)] = _whole(item, [found[id(below)] for below in _parts(item)], axes)
            continue
        stack.append((item, True))
        if isinstance(item, t.Invoke):
            for key, argument in zip(item.parameters, item.arguments, strict=True):
                axes[key] = _indices(argument, axes)
        stack.extend((below, False) for below in reversed(_parts(item)))
    return found[id(term)]


def _parts(term: t.Term) -> list[t.Term]:
    """What is evaluated for a term, in order."""
    if isinstance(term, t.Invoke):
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


def _whole(term: t.Term, below: Sequence[_Cost], axes: Mapping[str, Mapping[str, int]]) -> _Cost:
    """The cost of a term from those of its parts."""
    own: dict[str, int] = {}
    for part in below:
        own.update(part.axes)
    if isinstance(term, t.IndexVariable):
        return _Cost({term.key: term.extent}, term.extent, term.extent, term.extent)
    if isinstance(term, t.Parameter):
        return _Cost(axes.get(term.key, {}))
    if isinstance(term, t.Literal):
        return _Cost()
    if isinstance(term, t.Comprehend):
        own = {key: size for key, size in own.items() if all(key != index.key for index in term.indices)}
    lead = prod(own.values())
    entries = float(lead * prod(term.type.shape))
    made, work = entries, entries
    if isinstance(term, t.Operate):
        family = OPERATIONS[term.operation].family
        made, work = _made(term.operation, family, [item.type for item in term.arguments], term.type, lead)
    held = peak = 0.0
    for part in below:
        peak = max(peak, held + part.peak)
        held += part.entries
    return _Cost(own, entries, max(peak, held + entries + made), work + sum(part.work for part in below))
