"""How large a term is with its outputs and the arguments of its functions written out, as digests and compilers see it.

`g(g(g(y)))` of `g(a): a * a` doubles at each call, and so does each output that uses the one before twice: what is short
to write may be too much to read. Counted without writing anything out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..diagnostics.problems import Span, problem_at
from ..ir import terms as t
from ..ir.term_pass import TermPass

MAX_SIZE = 200_000
"""Operations of one value, written out."""
MAX_DEPTH = 200
"""How deep they may be nested: passes over terms recurse."""
HINT = "Give parts of it names under `task.example`: each is computed once. `sum` and `prod` join many terms."


class Size(NamedTuple):
    """Operations and nesting of a term."""

    size: int = 1
    depth: int = 1


SMALL = Size(100, 50)
"""What many terms may hold, and still fit."""


def small(size: Size) -> bool:
    """Whether a term is small enough that it need not be looked at how small."""
    return size.size <= SMALL.size and size.depth <= SMALL.depth


def written(term: t.Term, outputs: Mapping[str, Size], span: Span) -> Size:
    """The size of a term; `outputs` are those of the outputs. Raises StudyError where it is beyond the limits."""
    found: dict[int, Size] = {}
    parameters: dict[str, t.Term] = {}
    stack: list[tuple[t.Term, Sequence[t.Term] | None]] = [(term, None)]
    while stack:
        item, below = stack.pop()
        if below is None:
            if id(item) in found:
                continue
            below = _PARTS.of(item)(item, parameters)
            if below:
                stack.append((item, below))
                stack.extend([(part, None) for part in below])
                continue
        found[id(item)] = _whole(item, [found[id(part)] for part in below], outputs)
    size = found[id(term)]
    if size.size > MAX_SIZE:
        message = f"this has more than {MAX_SIZE:,} operations once outputs and functions are written out"
        raise problem_at(span, message, HINT)
    if size.depth > MAX_DEPTH:
        message = f"this is nested more than {MAX_DEPTH} deep once outputs and functions are written out"
        raise problem_at(span, message, HINT)
    return size


_PARTS: TermPass[[dict[str, t.Term]], Sequence[t.Term]] = TermPass("parts written out")
"""What a term is made of: a parameter of its argument, a name of nothing that is written out with it."""


@_PARTS.case(*t.NAMELESS, t.Reference, t.Stop, t.Recalled, t.WithWeights, *t.DERIVED, t.NetworkOutput)
def _parts(term: t.Term, parameters: dict[str, t.Term]) -> Sequence[t.Term]:
    return t.children(term)


@_PARTS.case(t.Invoke, t.Scan)
def _function(term: t.Invoke | t.Scan, parameters: dict[str, t.Term]) -> Sequence[t.Term]:
    parameters.update(zip(term.parameters, term.arguments, strict=True))
    return t.children(term)


@_PARTS.case(t.Parameter)
def _argument(term: t.Parameter, parameters: dict[str, t.Term]) -> Sequence[t.Term]:
    return (parameters[term.key],) if term.key in parameters else ()


def _whole(term: t.Term, parts: list[Size], outputs: Mapping[str, Size]) -> Size:
    """The size of a term from those of its parts."""
    if isinstance(term, t.Reference):
        return outputs.get(term.name, Size()) if term.stage == "outputs" else Size()
    if not parts:
        return Size()
    return Size(1 + sum([part.size for part in parts]), 1 + max([part.depth for part in parts]))
