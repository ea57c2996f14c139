"""Ints up to the largest that the checker lets through: both compiled forms give what NumPy's 64 bits do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec.spec.passes.integer_ranges import Ranges
from dlspec.spec.tables.operations.intervals import INT32

# The draws lie in 0 … 4; each factor is the largest whose result still is an int.
EDGES = [
    "K * 536870911", "K * -536870912", "K3 * 536870911 + 3", "square(i + 46336)", "(i + 6) ^ 9", "(i - 6) ^ 9", "prod([i, i, 134217727])",
    "prod(i23 + 20)", "sum(i23 * 89478485)", "cumsum(i3 * 178956970)", "cumprod(i3 * 322)", "diff(i3 * 536870911)",
    "dot(i3, [178956970, 178956970, 178956970])", "matmul(i23, [178956970, 178956970, 178956970])", "outer(i3, [536870911, -536870912])",
    "trace(outer(i3, [178956970, 178956970, 178956970]))", "scatter(i3, K3 * 178956970, 5)", "abs(i * -536870911)", "-(i * 536870911)",
    "sign(i - 2) * 2147483647", "maximum(i * 536870911, 2147483647)", "(2147483647 - i) // (i + 1)", "(2147483647 - i) % (i + 1)",
    "(-2147483647 - 1) // (i + 1)", "(K - 2147483647 - 1) % (i + 1)", "step_of(w, steps) * 536870911", "argsort(w4) * 715827882",
    "max(i3) * 536870911 == 2147483644", "i * 1.0 + 3000000000", "roll(i3, 1000000000000)", "roll(w4, -1000000000001)",
    "12 // i if i > 0 else -1", "-7 % i if i != 0 else 9", "12 // (2 * i - 1)", "i - i // 3 * 3", "12 // (i * i) if i % 2 == 1 else 0",
    "12 // (1 - 2 * (i % 2))", "(2147483647 - i) // (i - 2) if i > 2 or i < 2 else K",
]  # fmt: skip


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_ints_are_right_up_to_the_largest(checked: Callable[..., Any], xla: bool) -> None:
    checked(EDGES, "float64").check(xla, 1e-12, 0)


def test_each_is_let_through_and_some_reach_the_end(checked: Callable[..., Any]) -> None:
    held = checked(EDGES, "float64")
    bindings = {item.name: item.term for item in (*held.program.draws, *held.program.examples)}
    ranges = Ranges(bindings, {})
    bounds = {text: ranges.of(term) for text, term in held.terms.items()}
    assert ranges.problems == []
    assert min(low for low, _ in filter(None, bounds.values())) == INT32[0]
    assert max(high for _, high in filter(None, bounds.values())) == INT32[1]
    for text, array in held.numpy().items():
        if (found := bounds[text]) is not None and array.dtype.kind == "i":
            assert found[0] <= np.min(array) and np.max(array) <= found[1], text
