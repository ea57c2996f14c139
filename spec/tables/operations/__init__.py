"""The operations, one row each.

In: nothing. Out: `OPERATIONS`: signature, meaning, NumPy function, example, source.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..special_forms import CLAIM_FORMS, FORMS, Form
from .arrays import ARRAYS
from .decompositions import DECOMPOSITIONS
from .elementwise import ELEMENTWISE
from .images import TASKS
from .linear_algebra import LINEAR_ALGEBRA
from .losses import LOSSES
from .reductions import REDUCTIONS
from .table import STATIC_KINDS, Argument, Operation, result_type, wanted_kinds


def _united(*tables: Mapping[str, Operation]) -> Mapping[str, Operation]:
    found: dict[str, Operation] = {}
    for rows in tables:
        for name, row in rows.items():
            if name in found or name in FORMS:
                raise ValueError(f"the operation '{name}' is declared twice")
            found[name] = row
    return MappingProxyType(found)


OPERATIONS = _united(ELEMENTWISE, REDUCTIONS, LINEAR_ALGEBRA, DECOMPOSITIONS, ARRAYS, LOSSES, TASKS)
OPERATORS = MappingProxyType({row.operator: row for row in OPERATIONS.values() if row.operator})

__all__ = [
    "CLAIM_FORMS",
    "FORMS",
    "OPERATIONS",
    "OPERATORS",
    "STATIC_KINDS",
    "Argument",
    "Form",
    "Operation",
    "result_type",
    "wanted_kinds",
]
