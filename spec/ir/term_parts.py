"""Which fields of a kind of term hold others, read off once from how they are declared: every pass asks at each of its steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from operator import attrgetter
from typing import Any, cast

PLAIN = (
    "str", "int", "bool", "float", "str | None", "int | None", "float | None", "tuple[str, ...]", "Shape", "np.ndarray[Any, Any]",
    "Mapping[str, int]", "Mapping[str, int | float]",
)  # fmt: skip
"""The types, as fields are declared with them, of what holds no term. All others are terms, tuples of terms, and maps."""


class Holding:
    """What knows the classes of terms that stand in it, itself among them: a bit of `held` for each. `gathered` are these terms, once asked for."""

    __slots__ = ("gathered", "held")
    held: int
    gathered: dict[type[Any], list[Any]]

    def __getstate__(self) -> Any:
        """What another process is given: it gathers for itself."""
        whole, slots = cast("tuple[None, dict[str, Any]]", object.__getstate__(self))
        return whole, {name: value for name, value in slots.items() if name != "gathered"}


def bits_of(kinds: Sequence[type[Any]]) -> dict[type[Any], int]:
    """A bit for each kind of term, the same in every process, as terms go from one to another.

    In the order of names: a class with slots is made twice, and whether the first of it is still there hangs on when garbage was collected.
    """
    names = sorted({kind.__name__ for kind in kinds})
    return {kind: 1 << names.index(kind.__name__) for kind in kinds}


Below = Callable[[Any], Sequence[Any]]
"""The terms right below one."""


def parts_of(kind: type[Any], term: type[Any]) -> Below:
    """What gives the terms right below one of a kind; `term` is the class of all terms, whose own fields hold none."""
    own = [item for item in fields(kind) if item.name not in {item.name for item in fields(term)}]
    names = tuple(item.name for item in own if item.type not in PLAIN)
    types = [str(item.type) for item in own if item.type not in PLAIN]
    if not names:
        return _none
    if len(names) == 1 and types[0].startswith("tuple"):
        return attrgetter(*names)
    if len(names) == 2 and types[0].startswith("tuple") and types[1].startswith("Mapping"):
        first, second, looked = attrgetter(names[0]), attrgetter(names[1]), partial(_looked_for, term, names)
        return lambda item: looked(item) if second(item) else first(item)
    if any("None" in one or one.startswith(("tuple", "Mapping")) for one in types):
        return partial(_looked_for, term, names)
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda item: (get(item),)


def _none(item: Any) -> Sequence[Any]:
    return ()


def _looked_for(term: type[Any], names: Sequence[str], item: Any) -> Sequence[Any]:
    """The terms in some fields, whatever these hold."""
    below: list[Any] = []
    for name in names:
        value = getattr(item, name)
        if isinstance(value, tuple):
            below += value
        elif isinstance(value, term):
            below.append(value)
        elif value:
            below += [inner for inner in value.values() if isinstance(inner, term)]
    return below
