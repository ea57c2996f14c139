"""The cells of an experiment that differ in numbers alone, checked at once: those of its points, of its variants and of several profiles."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from ..check.experiment import Point
from ..check.memo import Shared
from ..source import nodes as yaml
from . import points_together
from .document import Document
from .points_together import Checked
from .variants_together import Form, said_once


@dataclass(frozen=True, slots=True)
class EquallyPatched:
    """Cells of an experiment that have the same patches over it.

    `node` is the experiment with the patches, and `base` without any; `cells` are their numbers among the points; `known` takes what
    came of each, by these numbers. `axes` are the names of those that the experiment has.
    """

    shared: Shared
    node: yaml.Node | None
    base: yaml.Node
    axes: tuple[str, ...]
    known: dict[int, Checked]
    cells: list[tuple[int, Point]]


def check_at_once(patched: Sequence[EquallyPatched], document: Document) -> None:
    """Checks those cells at once for which that is faster than one by one: from then on it is known what came of them.

    Args:
        patched: Of one experiment, in one profile or in several.
        document: Where they stand.
    """
    defaults = document.study.layer_defaults
    for shared, cells in _of_one_form(patched, document):
        if not points_together.worth_while(len(cells), shared.model):
            continue
        for places, checked in points_together.at_once(
            [(point, form) for _, _, point, form in cells], shared, defaults
        ):
            first = cells[places[0]][3]
            for own, place in enumerate(places):
                some, number, point, form = cells[place]
                named = points_together.other_names(first, form)
                some.shared.called |= shared.called
                some.known[number] = points_together.of_point(checked, point, own, named)


def _of_one_form(
    patched: Sequence[EquallyPatched], document: Document
) -> Iterator[tuple[Shared, list[tuple[EquallyPatched, int, Point, Form | None]]]]:
    """The cells that may be checked at once, with the form of their patches where these differ in numbers: but for the first, which is checked alone."""
    groups: dict[Hashable, list[tuple[EquallyPatched, Form | None]]] = {}
    for some in patched:
        form = None
        if len(patched) > 1 and some.node is not None:
            form = Form(some.node, some.base, _said_once(some.shared, document))
        groups.setdefault((form and form.key, some.axes), []).append((some, form))
    for (first, _), *others in groups.values():
        if others:
            yield first.shared, [(some, *cell, form) for some, form in others for cell in some.cells]
        else:
            yield first.shared, [(first, *cell, None) for cell in first.cells]


def _said_once(shared: Shared, document: Document) -> frozenset[str]:
    """The words that stand once in the study."""
    cache = shared.common.cache
    if "words said once" not in cache:
        cache["words said once"] = said_once(document.top)
    words: frozenset[str] = cache["words said once"]
    return words
