"""Values of expressions, against NumPy written by hand: one example alone, and many replicates and examples at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import InternalError, Source
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE, expanded_shape, rank_of, union
from dlspec.spec.passes.evaluate import Value, as_kind, evaluate, evaluate_batched

NAMES = """\
dlspec: 1
study: values
experiments:
  e:
    constants:
      n: 3
      c: [1, 2, 3]
      M: [[2, 1], [0, 4]]
      steps: [-1, 0, 0.5, 2]
    functions:
      twice(a): 2 * a
      gap(a, b): sum((a - b) ^ 2)
      outer_of(a): a[i] * a[j] for i < n, j < n
      nested(a): twice(a) + gap(a, v)
    task:
      draw:
        v: normal([n])
        k: integer(n)
      example:
        x: normal([4, n])
        s: rademacher([n])
        j: integer(4)
        u: normal()
        probe: {probe}
    measures: {{m: E(u)}}
"""

Names = dict[str, Any]
RNG = np.random.default_rng(7)
REPLICATES, EXAMPLES = 2, 5
DRAWN: Names = {"v": RNG.normal(size=(REPLICATES, 3)), "k": RNG.integers(0, 3, size=REPLICATES)}
GIVEN: Names = {
    "x": RNG.normal(size=(REPLICATES, EXAMPLES, 4, 3)),
    "s": RNG.choice([-1, 1], size=(REPLICATES, EXAMPLES, 3)),
    "j": RNG.integers(0, 4, size=(REPLICATES, EXAMPLES)),
    "u": RNG.normal(size=(REPLICATES, EXAMPLES)),
}


def term(text: str) -> t.Term:
    """The term of an expression over the names above."""
    quoted = "'" + text + "'"
    plan = spec.resolve(spec.parse(Source("values.yaml", NAMES.format(probe=quoted))))
    return next(item.term for item in plan.experiments[0].programs[0].examples if item.name == "probe")


def floor_to(x: float, steps: list[float]) -> float:
    """The last step that is not above x, or the first."""
    return max([step for step in steps if step <= x], default=steps[0])


CASES: list[tuple[str, Callable[..., Any]]] = [
    ("u + 1", lambda u, **_: u + 1),
    ("x * v + u", lambda x, v, u, **_: x * v + u),
    ("x - v", lambda x, v, **_: x - v),
    ("-u ^ 2", lambda u, **_: -(u**2)),
    ("2 ^ -1 * u", lambda u, **_: 0.5 * u),
    ("j // 2 + j % 3", lambda j, **_: j // 2 + j % 3),
    ("-j // 2", lambda j, **_: math.floor(-j / 2)),
    ("-u % 3", lambda u, **_: -u - 3 * math.floor(-u / 3)),
    ("j / 2", lambda j, **_: j / 2),
    ("s == 1", lambda s, **_: s == 1),
    ("u > 0 and not (u > 1) or j == 0", lambda u, j, **_: (0 < u <= 1) or j == 0),
    ("1 if u > 0 else -1", lambda u, **_: 1 if u > 0 else -1),
    ("x if s > 0 else v", lambda x, s, v, **_: np.where(s > 0, x, np.broadcast_to(v, (4, 3)))),
    ("[u, 1, j]", lambda u, j, **_: np.array([u, 1, j])),
    ("[s, v]", lambda s, v, **_: np.stack([s, v])),
    ("x[0]", lambda x, **_: x[0]),
    ("x[-1, 1]", lambda x, **_: x[-1, 1]),
    ("x[1:3, :2]", lambda x, **_: x[1:3, :2]),
    ("x[:, -2:]", lambda x, **_: x[:, -2:]),
    ("x[j]", lambda x, j, **_: x[j]),
    ("x[j, k]", lambda x, j, k, **_: x[j, k]),
    ("x[:, k]", lambda x, k, **_: x[:, k]),
    ("c[k]", lambda k, **_: [1, 2, 3][k]),
    ("v[j]", lambda v, j, **_: v[min(j, 2)]),
    ("v[j - 3]", lambda v, j, **_: v[0]),
    ("v[[2, 0]]", lambda v, **_: v[[2, 0]]),
    ("x[[j, 0]]", lambda x, j, **_: x[[j, 0]]),
    ("transpose(transpose(x)[[2, 0]])", lambda x, **_: x[:, [2, 0]]),
    ("i * 10 + m for i < 3, m < 2", lambda **_: np.array([[0, 1], [10, 11], [20, 21]])),
    ("v[i] * s[i] for i < n", lambda v, s, **_: v * s),
    ("x[i, m] - v[m] for i < 4, m < n", lambda x, v, **_: x - v),
    ("sum([x[i, i] for i < n])", lambda x, **_: x[0, 0] + x[1, 1] + x[2, 2]),
    ("[u for i < 2]", lambda u, **_: np.array([u, u])),
    ("x[i] for i < 2", lambda x, **_: x[:2]),
    ("sum([v[m] for m < n]) + i for i < 2", lambda v, **_: v.sum() + np.arange(2)),
    ("[v[i] * w for w < 2] for i < n", lambda v, **_: np.array([[a * w for w in range(2)] for a in v])),
    ("x[j][i] for i < n", lambda x, j, **_: x[j]),
    ("x[min([i + j, 3])] for i < 2", lambda x, j, **_: x[[min(j, 3), min(1 + j, 3)]]),
    ("relu(i - m + 1) for i < n, m < n", lambda **_: np.maximum(0, np.subtract.outer(np.arange(3), np.arange(3)) + 1)),
    ("dot(v, x[0])", lambda v, x, **_: sum(a * b for a, b in zip(v, x[0], strict=True))),
    ("matmul(x, v)", lambda x, v, **_: x @ v),
    ("matmul(M, [u, 1])", lambda u, **_: np.array([2 * u + 1, 4])),
    ("inverse(M)", lambda **_: np.array([[0.5, -0.125], [0, 0.25]])),
    ("cond(M * (1 + u ^ 2))", lambda **_: np.linalg.cond([[2, 1], [0, 4]])),
    ("outer(v, s)", lambda v, s, **_: np.outer(v, s)),
    ("transpose(x)", lambda x, **_: x.T),
    ("trace([[u, 1], [2, j]])", lambda u, j, **_: u + j),
    ("sum(x)", lambda x, **_: x.sum()),
    ("sum(x, axis=0)", lambda x, **_: x.sum(0)),
    ("mean(x, axis=-1)", lambda x, **_: x.mean(-1)),
    ("max(x, axis=1)", lambda x, **_: x.max(1)),
    ("argmax(x)", lambda x, **_: x.argmax(-1)),
    ("argmin(x, axis=0)", lambda x, **_: x.argmin(0)),
    ("variance(v)", lambda v, **_: v.var()),
    ("norm(x, axis=0)", lambda x, **_: np.sqrt((x**2).sum(0))),
    ("logsumexp(1000 + v)", lambda v, **_: 1000 + math.log(np.exp(v).sum())),
    ("any(s > 0) and all(s < 2)", lambda s, **_: bool((s > 0).any())),
    ("sum(s > 0)", lambda s, **_: (s > 0).sum()),
    ("concat(v, [u], s)", lambda v, u, s, **_: np.concatenate([v, [u], s])),
    ("sort(v)", lambda v, **_: np.array(sorted(v))),
    ("argsort(x)", lambda x, **_: np.argsort(x, axis=-1)),
    ("reverse(x)", lambda x, **_: x[::-1]),
    ("roll(v, 1)", lambda v, **_: v[[2, 0, 1]]),
    ("diff(x)", lambda x, **_: x[1:] - x[:-1]),
    ("cumsum(x)", lambda x, **_: np.cumsum(x, axis=0)),
    ("reshape(x, [2, 6])", lambda x, **_: x.reshape(2, 6)),
    ("repeat(v, 2)", lambda v, **_: np.stack([v, v])),
    ("one_hot(j, 4)", lambda j, **_: np.eye(4)[j]),
    ("scatter([0, k], [u, 1], 4)", lambda u, k, **_: u * np.eye(4)[0] + np.eye(4)[k]),
    ("floor_to(u, steps)", lambda u, **_: floor_to(u, [-1, 0, 0.5, 2])),
    ("floor_to(x, sort(v))[0, 0]", lambda x, v, **_: floor_to(x[0, 0], sorted(v))),
    ("step_of(u, steps)", lambda u, **_: max(sum(step <= u for step in [-1, 0, 0.5, 2]) - 1, 0)),
    ("hinge(s, v)", lambda s, v, **_: np.maximum(0, 1 - s * v)),
    ("huber(u, 0, 0.5)", lambda u, **_: u * u / 2 if abs(u) <= 0.5 else 0.5 * (abs(u) - 0.25)),
    ("cross_entropy(x[0], k)", lambda x, k, **_: -math.log(np.exp(x[0])[k] / np.exp(x[0]).sum())),
    ("softmax(x)", lambda x, **_: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    ("sigmoid(-800 * u ^ 2)", lambda u, **_: 1 / (1 + math.exp(min(800 * u * u, 700))) if 800 * u * u < 700 else 0.0),
    ("erf(u)", lambda u, **_: math.erf(u)),
    ("round(2.5 + j)", lambda j, **_: float(round(2.5 + j))),
    ("twice(v) + twice(1)", lambda v, **_: 2 * v + 2),
    ("gap(x, v)", lambda x, v, **_: ((x - v) ** 2).sum()),
    ("outer_of(v)", lambda v, **_: np.outer(v, v)),
    ("nested(x[j])", lambda x, j, v, **_: 2 * x[j] + ((x[j] - v) ** 2).sum()),
    ("twice(v[i]) for i < 2", lambda v, **_: 2 * v[:2]),
    ("gap([u, u], [i, i]) for i < 2", lambda u, **_: np.array([2 * u**2, 2 * (u - 1) ** 2])),
    ("stop(v) * 3", lambda v, **_: 3 * v),
    ("len(x) * pi", lambda **_: 4 * math.pi),
]


def one(replicate: int, example: int) -> Names:
    """The names' values for one example of one replicate."""
    drawn = {name: array[replicate] for name, array in DRAWN.items()}
    return drawn | {name: array[replicate, example] for name, array in GIVEN.items()}


@pytest.mark.parametrize(("text", "numpy"), CASES, ids=[text for text, _ in CASES])
def test_values(text: str, numpy: Callable[..., Any]) -> None:
    found = term(text)
    drawn = {name: Value(array, (REPLICATE,)) for name, array in DRAWN.items()}
    given = {name: Value(array, (REPLICATE, EXAMPLE)) for name, array in GIVEN.items()}
    many = evaluate_batched(found, drawn | given)
    assert many.axes == tuple(axis for axis in (REPLICATE, EXAMPLE) if axis in many.axes), "no index is left over"
    lead = {REPLICATE: REPLICATES, EXAMPLE: EXAMPLES}
    sizes = [lead[axis] for axis in many.axes] + list(found.type.shape)
    full = many.array.reshape(expanded_shape(many.axes, (REPLICATE, EXAMPLE), many.array.shape, len(found.type.shape)))
    full = np.broadcast_to(full, (REPLICATES, EXAMPLES, *found.type.shape))
    assert list(many.array.shape) == sizes
    for replicate in range(REPLICATES):
        for example in range(EXAMPLES):
            names = one(replicate, example)
            wanted = np.asarray(numpy(**names))
            alone = evaluate(found, {name: Value(np.asarray(value)) for name, value in names.items()})
            assert alone.dtype == as_kind(0, found.type.kind).dtype
            assert alone.shape == found.type.shape == wanted.shape
            np.testing.assert_allclose(alone, wanted, rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(full[replicate, example], alone, rtol=1e-12, atol=1e-15)


def test_a_wrong_value_would_be_found() -> None:
    """The twin: the values depend on replicate and example."""
    values = {
        float(evaluate(term("u + v[0]"), {k: Value(np.asarray(a)) for k, a in one(r, e).items()}))
        for r in (0, 1)
        for e in (0, 1)
    }
    assert len(values) == 4


def test_a_value_that_keeps_an_axis_is_a_fault() -> None:
    with pytest.raises(InternalError, match="axes"):
        evaluate(term("u + 1"), {"u": Value(np.zeros(3), (EXAMPLE,))})


def test_what_numpy_has_no_value_for_is_a_fault() -> None:
    draw = term("normal()")
    assert isinstance(draw, t.Sample)
    with pytest.raises(InternalError, match="Sample"):
        evaluate(draw)


def test_kinds_have_one_type_each() -> None:
    assert [as_kind(1, kind).dtype for kind in ("bool", "int", "real")] == [np.bool_, np.int64, np.float64]


def test_axes_keep_their_order() -> None:
    assert union([("b#12",), (EXAMPLE,), ("a#2", "b#12"), (REPLICATE,)]) == (REPLICATE, EXAMPLE, "a#2", "b#12")
    assert sorted([EXAMPLE, "i#10", "i#9", REPLICATE], key=rank_of) == [REPLICATE, EXAMPLE, "i#9", "i#10"]
    assert expanded_shape((EXAMPLE,), (REPLICATE, EXAMPLE, "i#1"), [8, 3], event=1, pad=2) == [1, 8, 1, 1, 1, 3]
    assert expanded_shape((), (REPLICATE,), [], event=0) == [1]
