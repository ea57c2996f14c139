"""Terms of every kind, and random expressions made of them: plain graph, XLA and NumPy agree in value, kind and shape."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower import Lowering
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.types import Type

CASES = [
    # index notation: indices of one array, of several, nested, in an index, unused
    "[w3[q] * i + q for q < 3]", "[w3[q] * W3[s] for q < 3, s < 3]", "[w23[q, s] - w33[s, q] for q < 2, s < 3]",
    "[sum([w33[q, s] * w3[s] for s < 3]) for q < 3]", "[w for q < 4]", "[[w3[q] + w4[s] for q < 3] for s < 4]",
    "[w423[q + 1] - w423[q] for q < 3]", "[max(w23[q]) for q < 2]", "[W for q < 2, s < 3]", "[w3 for q < 2]",
    # gathers: by names with and without the array's axes, clamped to the range, along every axis, by arrays, of constants
    "w3[i]", "w4[i - 2]", "W3[i]", "w3[K]", "c3[i]", "w3[K3]", "W3[K3]", "W3[i3]", "w23[K % 2]", "w23[0, i]", "w33[i, K]", "w33[i][1:]",
    "w423[i3]", "w423[2, i % 2, K % 3]", "[w3[i3[q]] for q < 3]", "[w33[q, i3[q]] for q < 3]", "[W3[(q + i) % 3] for q < 3]",
    "[w33[i, q] for q < 3]", "[c3[K3[q]] for q < 3]", "n3[i]", "b3[i]", "w3[0:1]",
    # cuts and stacks
    "w4[1:3]", "w423[1:, 0, :2]", "w23[-1]", "i23[:, 1:]", "[w, W, 2]", "[w3, W3]", "[i, w]", "[b, i > 2]", "[[w, 1], [0, W]]",
    # functions: one in another, an argument used twice, names of a draw in a body
    "bend(w3)", "bend(half(w))", "gap(w3, W3)", "half(gap(w23, w3))", "[half(w3[q]) for q < 3]", "bend(bend(w23))",
    # conditions, stop, length
    "w if b else W", "w3 if b else -1", "[1, 2, 3] if b3 else i3", "stop(w23) * 2", "len(w423) * w", "w / len(w3)",
]  # fmt: skip


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_terms_have_the_values_of_numpy(checked: Callable[..., Any], xla: bool) -> None:
    checked(CASES).check(xla, 1e-12, 1e-12)


@dataclass
class Writer:
    """Writes random expressions of a kind and a shape; `indices` are those of the index notation around, with extents."""

    random: random.Random
    indices: tuple[tuple[str, int], ...] = ()

    def write(self, kind: str, shape: tuple[int, ...], depth: int) -> str:
        """An expression. Every kind of term has its share."""
        if depth == 0:
            return self.leaf(kind, shape)
        choices = [self.arithmetic, self.conditional, self.reduced, self.taken]
        choices += [self.comprehended, self.joined] if shape else [self.function, self.picked]
        return self.random.choice(choices)(kind, shape, depth - 1)

    def leaf(self, kind: str, shape: tuple[int, ...]) -> str:
        suffix = "".join(map(str, shape))
        names = {"real": ["w", "W"], "int": ["i", "K"], "bool": ["b"]}[kind]
        known = {"", "3", "23", "13", "33", "4", "423"} if kind == "real" else {"", "3", "23"}
        if suffix not in known:
            inner = self.leaf(kind, shape[1:])
            return f"repeat({inner}, {shape[0]})"
        if kind == "int" and not shape and self.indices and self.random.random() < 0.6:
            return self.random.choice(self.indices)[0]
        if kind == "real" and not shape and self.random.random() < 0.2:
            return str(round(self.random.uniform(-2, 2), 2))
        name = self.random.choice(names)
        return (
            "w" if name == "W" and suffix in ("13", "4", "423") else "i" if name == "K" and suffix == "23" else name
        ) + suffix

    def arithmetic(self, kind: str, shape: tuple[int, ...], depth: int) -> str:
        a, b = (
            self.write(kind, shape, depth),
            self.write(kind, shape[-1:] if self.random.random() < 0.3 else shape, depth),
        )
        if kind == "real":
            forms = [
                "({a} + {b})",
                "({a} - {b})",
                "half({a}) * half({b})",
                "tanh({a})",
                "maximum({a}, {b})",
                "{a} / (1 + abs({b}))",
                "-({a})",
            ]
        elif kind == "int":
            forms = ["({a} + {b})", "({a} - {b})", "({a}) // 2", "({a}) % 3", "minimum({a}, {b})", "floor_to_int"]
            index = f"step_of({self.write('real', shape, depth)}, steps)"
            forms[-1] = index.replace("{", "{{").replace("}", "}}")
        else:
            x, y = self.write("real", shape, depth), self.write("real", shape, depth)
            forms = ["({a} and {b})", "({a} or {b})", "(not {a})", f"({x} < {y})", f"({x} >= 0)"]
        return self.random.choice(forms).format(a=a, b=b)

    def conditional(self, kind: str, shape: tuple[int, ...], depth: int) -> str:
        if kind == "bool":
            return self.arithmetic(kind, shape, depth)
        condition = self.write("bool", shape if self.random.random() < 0.5 else (), depth)
        return f"({self.write(kind, shape, depth)} if {condition} else {self.write(kind, shape, depth)})"

    def reduced(self, kind: str, shape: tuple[int, ...], depth: int) -> str:
        """Something with an axis more, reduced along it."""
        name = self.random.choice(
            {"real": ["mean", "max", "norm", "sum"], "int": ["sum", "min"], "bool": ["any", "all"]}[kind]
        )
        return f"{name}({self.write(kind, (*shape, 3), depth)}, axis=-1)"

    def taken(self, kind: str, shape: tuple[int, ...], depth: int) -> str:
        """Something with an axis more, at an index that is drawn or counted."""
        size = self.random.choice([2, 3, 4])
        return f"({self.write(kind, (size, *shape), depth)})[i + {self.write('int', (), depth)}]"

    def comprehended(self, kind: str, shape: tuple[int, ...], depth: int) -> str:
        name = f"q{len(self.indices)}"
        inner = Writer(self.random, (*self.indices, (name, shape[0])))
        return f"[{inner.write(kind, shape[1:], depth)} for {name} < {shape[0]}]"

    def joined(self, kind: str, shape: tuple[int, ...], depth: int) -> str:
        """Items under a first axis, or a longer array cut or turned."""
        form = self.random.randrange(4)
        if form == 0 and shape[0] <= 3:
            return "[" + ", ".join(self.write(kind, shape[1:], depth) for _ in range(shape[0])) + "]"
        if form == 1 and shape[0] >= 2:
            return f"concat({self.write(kind, (1, *shape[1:]), depth)}, {self.write(kind, (shape[0] - 1, *shape[1:]), depth)})"
        if form == 2:
            return f"({self.write(kind, (shape[0] + 1, *shape[1:]), depth)})[1:]"
        return f"roll({self.write(kind, shape, depth)}, 1)"

    def function(self, kind: str, shape: tuple[int, ...], depth: int) -> str:
        if kind == "real":
            forms = [
                f"bend({self.write(kind, shape, depth)})",
                f"gap({self.write('real', (3,), depth)}, {self.write('real', (3,), depth)})",
            ]
            return self.random.choice(forms)
        return self.arithmetic(kind, shape, depth)

    def picked(self, kind: str, shape: tuple[int, ...], depth: int) -> str:
        """A number of an array, at indices that the array's own axes share."""
        if kind != "real" or not self.indices:
            return self.arithmetic(kind, shape, depth)
        name, _ = self.random.choice(self.indices)
        return self.random.choice(
            [f"w33[{name} + i, (K + {name}) % 3]", f"w3[i3[{name} + i]]", f"W3[{name} + i]", f"c3[({name} + K) % 3]"]
        )


def expressions(seed: int, count: int) -> list[str]:
    """Random expressions; most are well typed."""
    chance = random.Random(seed)
    kinds, shapes = ["real", "real", "int", "bool"], [(), (), (3,), (2, 3), (2,)]
    return [
        Writer(chance).write(chance.choice(kinds), chance.choice(shapes), chance.choice([2, 3])) for _ in range(count)
    ]


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_random_expressions_have_the_values_of_numpy_in_both_forms(checked: Callable[..., Any], seed: int) -> None:
    texts = expressions(seed, 70)
    held = checked(texts, lenient=True)
    assert len(held.terms) > 0.75 * len(texts)
    assert {type(item).__name__ for term in held.terms.values() for item in t.walk(term)} >= {
        "Operate", "Invoke", "Comprehend", "Gather", "Cut", "Stack", "Reference", "IndexVariable", "Literal",
    }  # fmt: skip
    held.check(False, 1e-10, 1e-10)
    held.check(True, 1e-10, 1e-10)


def test_a_fault_inside_tensorflow_keeps_its_type_and_says_where(checked: Callable[..., Any]) -> None:
    held = checked(["w3 + W3"])
    (term,) = held.terms.values()
    tensors = {**held.tensors(), "w3": tf.zeros([2, 3, 5], tf.float64)}
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        held.lowering(tensors)(term)
    assert any("test.yaml" in note for note in caught.value.__notes__)


def test_literals_have_the_experiments_own_real_type() -> None:
    for dtype in (tf.float32, tf.float64):
        value = Lowering(dtype, {}, {}, {})(t.Literal(np.asarray(0.1), type=Type("real")))
        assert value.tensor.dtype == dtype
        assert value.tensor.numpy() == np.asarray(0.1, dtype.as_numpy_dtype)
