"""Records are to whoever uses them what frozen dataclasses are, and mypy holds that nothing sets a field of one."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, fields, replace

import pytest
from dlspec.spec.expressions import nodes as n
from dlspec.spec.ir.claims import Selection
from dlspec.spec.ir.types import Type
from dlspec.spec.records import record


@record(frozen=True, slots=True)
class Pair:
    """Two numbers."""

    one: int
    other: int = 2


@dataclass(frozen=True, slots=True)
class Frozen:
    """The same, as a dataclass."""

    one: int
    other: int = 2


def test_they_compare_hash_and_print_as_frozen_dataclasses_do() -> None:
    assert (Pair(1), hash(Pair(1, 3)), Pair(1) != Pair(2)) == (Pair(1, 2), hash(Frozen(1, 3)), True)
    assert repr(Pair(1)).replace("Pair", "Frozen") == repr(Frozen(1))
    assert [item.name for item in fields(Pair)] == [item.name for item in fields(Frozen)]
    assert replace(Pair(1), other=5) == Pair(1, 5)
    with pytest.raises(AttributeError):
        Pair(1).third = 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("item", [Pair(1), Type("real", (2,)), n.Name("x", start=3, end=4), Selection("d", "==", 3)])
def test_they_are_kept_by_pickle(item: object) -> None:
    other = pickle.loads(pickle.dumps(item))
    assert (other, hash(other), repr(other)) == (item, hash(item), repr(item))
