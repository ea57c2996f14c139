"""Claims that go along the index of an array: `max(final(m[i]), i)` is the largest of its entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from ..diagnostics.problems import listing, problem_at
from ..expressions import nodes as n
from ..ir import claims as c
from .claim_quantifiers import MAX_ENTRIES
from .expression_text import Text

Constants = Mapping[str, float]
Sizes = Callable[[str, int], Iterable[int]]
"""How many entries an array has along one of its axes, in each cell where it has others; none where that is not known."""


def places_of(tree: n.Expr, index: str) -> Iterator[tuple[str, int]]:
    """The measures in which a name stands for an entry, and along which of their axes: `m[0, i]` is of axis 1, and so is `m[0][i]`."""
    for node in n.walk(tree):
        if not isinstance(node, n.Index):
            continue
        array: n.Expr = node.array
        before = 0
        while isinstance(array, n.Index):
            before += len(array.subscripts)
            array = array.array
        for place, item in enumerate(node.subscripts, before):
            if isinstance(array, n.Name) and item == n.Name(index):
                yield array.name, place


def along_entries(
    form: str,
    tree: n.Expr,
    index: n.Name,
    text: Text,
    constants: Constants,
    sizes: Sizes,
    part: Callable[[n.Expr, Constants], c.Claim],
) -> c.OverEntries | None:
    """What is left of a part along an index; nothing where the name is none. Raises StudyError.

    `part` is what a node claims, with the values of indices among the constants.
    """
    name, span = index.name, text.span(index)
    found = list(dict.fromkeys(places_of(tree, name)))
    if not found:
        return None
    if name in constants:
        raise problem_at(span, f"'{name}' is a constant, and an index here", "Give the index another name.")
    every = {measure: set(sizes(measure, place)) for measure, place in found}
    known = {size for of_measure in every.values() for size in of_measure}
    if len(known) > 1:
        told = listing(f"{size} of '{measure}'" for measure, own in every.items() for size in sorted(own))
        message = f"'{name}' runs over arrays of different lengths: {told}"
        raise problem_at(span, message, "Give each an index and a claim of its own, or choose cells by a condition.")
    count = known.pop() if known else 1
    if count > MAX_ENTRIES:
        message = f"'{name}' runs over {count:,} entries; the limit is {MAX_ENTRIES}"
        raise problem_at(
            span, message, f"Make a measure of it: `largest: max({found[0][0]})`, and claim `final(largest)`."
        )
    entries = tuple(part(tree, {**constants, name: float(place)}) for place in range(count))
    return c.OverEntries(form, name, entries)
