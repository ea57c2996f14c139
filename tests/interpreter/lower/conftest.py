"""A pool of names with values of every kind and rank, and the three ways to evaluate expressions over them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower import Lowering
from dlspec.interpreter.lower import Value as Lowered
from dlspec.spec import StudyError
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE, REPLICATE, expanded_shape
from dlspec.spec.ir.plan import Program
from dlspec.spec.passes.evaluate import Value, evaluate_batched

REPLICATES, EXAMPLES = 2, 3
SIZES = {REPLICATE: REPLICATES, EXAMPLE: EXAMPLES}

# Names of one value a replicate begin with a capital; the digits are the shape.
NAMES = {
    "W": "normal()", "W3": "normal([3])", "W23": "normal([2, 3])", "W33": "normal([3, 3])", "K": "integer(5)", "K3": "integer(5, [3])",
    "w": "normal()", "w3": "normal([3])", "w13": "normal([1, 3])", "w23": "normal([2, 3])", "w33": "normal([3, 3])",
    "w4": "normal([4])", "w423": "normal([4, 2, 3])", "i": "integer(5)", "i3": "integer(5, [3])", "i23": "integer(5, [2, 3])",
    "b": "normal() > 0", "b3": "normal([3]) > 0", "b23": "normal([2, 3]) > 0",
}  # fmt: skip
BODY = """
dtype: {dtype}
constants:
  c3: [0.5, -1.25, 2]
  n3: [2, 0, 1]
  steps: [-1, -0.5, 0, 0.25, 1]
functions:
  bend(a): a * sigmoid(a) + W
  gap(a, b): sum((a - b) ^ 2)
  half(a): a / (1 + abs(a))
  blend(s, a): s / 2 + a * W
  count(s, k): (s + k) % 7
  flip(s): not s
  twice(a): iterate(half, a, 2) + W
task:
  draw: {{{draws}}}
  example: {{{examples}}}
measures: {{m: E(w)}}
"""


def _body(texts: Sequence[str], dtype: str) -> str:
    quoted = {name: f'{name}: "{text}"' for name, text in NAMES.items()}
    outs = [f'out_{place}: "{text}"' for place, text in enumerate(texts)]
    draws = ", ".join(text for name, text in quoted.items() if name[0].isupper())
    return BODY.format(
        dtype=dtype,
        draws=draws,
        examples=", ".join([*(text for name, text in quoted.items() if name[0].islower()), *outs]),
    )


def pool(dtype: str, seed: int = 0) -> dict[str, Value]:
    """Values of the names, with the axes of their stage."""
    rng = np.random.default_rng(seed)
    found = {}
    for name in NAMES:
        axes = (REPLICATE,) if name[0].isupper() else (REPLICATE, EXAMPLE)
        shape = [SIZES[axis] for axis in axes] + [int(digit) for digit in name[1:]]
        array = rng.normal(size=shape).astype(dtype).astype(np.float64)
        if name[0] in "Ki":
            array = rng.integers(0, 5, shape)
        elif name[0] == "b":
            array = rng.normal(size=shape) > 0
        found[name] = Value(array, axes)
    return found


@dataclass(frozen=True)
class Checked:
    """Expressions with the terms that the checker made of them."""

    program: Program
    terms: Mapping[str, t.Term]
    dtype: str

    def numpy(self) -> dict[str, np.ndarray[Any, Any]]:
        """Each expression's value in NumPy: [R, E, …]."""
        names = pool(self.dtype)
        found = {}
        for text, term in self.terms.items():
            value = evaluate_batched(term, names)
            array = np.reshape(
                value.array, expanded_shape(value.axes, (REPLICATE, EXAMPLE), value.array.shape, len(term.type.shape))
            )
            found[text] = np.broadcast_to(array, (REPLICATES, EXAMPLES, *term.type.shape))
        return found

    def lowering(self, tensors: Mapping[str, Any]) -> Lowering:
        """A context in which the names have these tensors."""
        lowering = Lowering(tf.as_dtype(self.dtype), SIZES, {}, {})
        for name, value in pool(self.dtype).items():
            lowering.values[name] = Lowered(tensors[name], value.axes)
        return lowering

    def tensors(self) -> dict[str, Any]:
        """The names' values as tensors."""
        kinds = {"f": self.dtype, "i": "int32", "b": "bool"}
        return {
            name: tf.constant(value.array, kinds[value.array.dtype.kind]) for name, value in pool(self.dtype).items()
        }

    def compiled(self, xla: bool) -> dict[str, Any]:
        """Each expression's tensor, all of them from one compiled program; the raw tensors' ranks are checked on the way."""

        @tf.function(jit_compile=xla, autograph=False)
        def run(tensors: Mapping[str, Any]) -> dict[str, Any]:
            lowering = self.lowering(tensors)
            found = {}
            for text, term in self.terms.items():
                value = lowering(term)
                assert value.tensor.shape.rank == len(value.axes) + len(term.type.shape), text
                found[text] = lowering.broadcast_to_axes(value, (REPLICATE, EXAMPLE), len(term.type.shape))
            return found

        return {text: tensor for text, tensor in run(self.tensors()).items()}

    def check(self, xla: bool, rtol: float, atol: float, coarse: Collection[str] = ()) -> None:
        """Asserts that compiled values, kinds and shapes are those of NumPy and of the checker; `coarse` ones to 5e-6."""
        self.compare(self.compiled(xla), rtol, atol, coarse)

    def compare(self, found: Mapping[str, Any], rtol: float, atol: float, coarse: Collection[str] = ()) -> None:
        """Asserts so of each expression's tensor."""
        kinds = {"bool": tf.bool, "int": tf.int32, "real": tf.as_dtype(self.dtype)}
        oracle = self.numpy()
        wrong = []
        for text, tensor in found.items():
            within = (max(rtol, 5e-6), max(atol, 5e-6)) if text in coarse else (rtol, atol)
            given = self.terms[text].type
            if tensor.dtype != kinds[given.kind] or tensor.shape != (REPLICATES, EXAMPLES, *given.shape):
                wrong.append(f"{text}: {given} is {tensor.dtype.name}{tensor.shape}")
            elif given.kind != "real":
                if not np.array_equal(tensor.numpy(), oracle[text]):
                    wrong.append(f"{text}: {oracle[text].ravel()[:6]} is {tensor.numpy().ravel()[:6]}")
            elif not np.allclose(tensor.numpy(), oracle[text], *within, equal_nan=True):
                gap = np.nanmax(np.abs(tensor.numpy() - oracle[text]))
                wrong.append(f"{text}: {oracle[text].ravel()[:4]} is {tensor.numpy().ravel()[:4]}, {gap:.1e} away")
        assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="session")
def checked(programs: Callable[[str], dict[str, Program]]) -> Callable[..., Checked]:
    """Expressions over the pool, as the real checker reads them; `lenient` leaves out those it refuses."""

    def made(texts: Sequence[str], dtype: str = "float64", lenient: bool = False) -> Checked:
        texts = list(dict.fromkeys(texts))
        if lenient:
            texts = [text for text in texts if _accepted(programs, text)]
        # Ints out of range are evaluated all the same: where one gets through, the three have to agree on it.
        with mock.patch("dlspec.spec.check.experiment.ranges", return_value=[]):
            (program,) = programs(_body(texts, dtype)).values()
        terms = {item.name: item.term for item in program.examples}
        return Checked(program, {text: terms[f"out_{place}"] for place, text in enumerate(texts)}, dtype)

    return made


def _accepted(programs: Callable[[str], dict[str, Program]], text: str) -> bool:
    try:
        programs(_body([text], "float64"))
    except StudyError:
        return False
    return True
