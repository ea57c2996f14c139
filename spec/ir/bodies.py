"""What the body of a function, or of index notation, hangs on from outside."""

from __future__ import annotations

from . import terms as t
from .axes import rank_of


def free_indices(term: t.Term) -> tuple[t.IndexVariable, ...]:
    """The indices of index notation around a term that it depends on, from the outermost inwards."""
    bound = {index.key for item in t.within(term, t.Comprehend) for index in item.indices}
    found = {item.key: item for item in t.within(term, t.IndexVariable) if item.key not in bound}
    return tuple(found[key] for key in sorted(found, key=rank_of))


def made_once(term: t.Term) -> tuple[t.Term, ...]:
    """The parts of a function's body that are the same at each application: names, and networks on their own input."""
    every = t.walk(term) if t.has(term, t.Reference, t.NetworkOutput) else ()
    return tuple(i for i in every if isinstance(i, t.Reference) or (isinstance(i, t.NetworkOutput) and i.input is None))


def free_parameters(term: t.Term) -> set[str]:
    """The parameters that a term uses and does not bind, outside of what is enclosed."""
    return set(_free(term, {}))


def _free(term: t.Term, known: dict[int, frozenset[str]]) -> frozenset[str]:
    """The same; `known` are those of what encloses its parameters, by `id`.

    A function binds parameters that are its own, and nothing outside of it uses them. What encloses its parameters binds those of functions
    around it once more, which may be free beside it: `dot(gradient(e(u), u), u)`.
    """
    if id(term) in known:
        return known[id(term)]
    free: set[str] = set()
    bound: set[str] = set()
    seen: set[int] = set()
    stack = [term]
    while stack:
        item = stack.pop()
        if id(item) in seen or isinstance(item, t.Expectation | t.Gradient):
            continue
        seen.add(id(item))
        if not t.has(item, t.Parameter):
            continue
        if isinstance(item, t.Invoke) and not item.function:
            inner = known[id(item.body)] = _free(item.body, known)
            free |= inner.difference(item.parameters)
            stack.extend(item.arguments)
            continue
        if isinstance(item, t.Parameter):
            free.add(item.key)
        elif isinstance(item, t.Invoke | t.Scan):
            bound.update(item.parameters)
        stack.extend(t.children(item))
    return frozenset(free - bound)
