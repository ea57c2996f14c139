"""NaN, infinities, zeros of both signs, ties and extreme magnitudes in every operation: NumPy, plain graph and XLA agree.

Every row of the table is applied to all pairs and triples of such numbers, or to arrays of them; all rows are one compiled program a
form. Three things are asked of each: the values are NumPy's; the gradients of both forms are the same; a message of 0 goes on as 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower import LOWERINGS, Lowering
from dlspec.interpreter.lower import Value as Lowered
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.axes import EXAMPLE
from dlspec.spec.ir.types import Shape, Type
from dlspec.spec.passes.evaluate import Value, evaluate_batched
from dlspec.spec.tables.operations import OPERATIONS, Operation, result_type

NAN, INF = np.nan, np.inf
REAL = [NAN, -NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.5, 1e30, -1e30, 1e-30]
FEW = [NAN, INF, -INF, 0.0, -0.0, 1.0, 0.5, -2.5]
INT = [-1000, -7, -1, 0, 1, 2, 7]
CONSTANT = {name for name, row in OPERATIONS.items() if row.constant}
"""Rows that are computed before anything runs: whatever is not finite is refused there."""
ARRAYS = 160
"""How many arrays of special numbers an operation on arrays is given."""

ORDERED = {
    "min",
    "max",
    "argmin",
    "argmax",
    "sort",
    "argsort",
    "logsumexp",
    "softmax",
    "log_softmax",
    "cross_entropy",
    "floor_to",
    "step_of",
    "top_k",
    "argtop_k",
}
"""Operations on arrays that add no huge numbers up, where the order of adding would tell."""
SEVERAL = {
    "singular_values",
    "cond",
    "nuclear_norm",
    "spectral_norm",
    "eigenvalues",
    "svd_u",
    "svd_v",
    "eigenvectors",
    "cholesky",
    "pinv",
    "lstsq",
}
"""Operations with several gradients where the smallest singular value is 0, or two are equal: no form's is compared there."""
COARSE = {"svd_u", "svd_v", "eigenvectors", "pinv", "lstsq"}
"""Operations made of vectors that XLA turns until they are right to 1e-6, in float64 too."""
FACTORED = {*SEVERAL, "inverse", "solve", "qr_q", "qr_r"}
"""Operations that are given the same matrices: of each shape a form factors them once, which takes XLA a second to compile."""
NOT_UNIQUE = {"svd_u", "svd_v", "eigenvectors"}
"""Operations with several values there, too; elsewhere, and of what is not finite, all forms' are one."""
SHAPES: dict[str, list[tuple[list[Shape], dict[str, Any]]]] = {
    "matmul": [([(2, 3), (3, 2)], {}), ([(2, 3), (3,)], {}), ([(3,), (3, 2)], {})], "outer": [([(2,), (3,)], {})],
    "concat": [([(2,), (3,)], {})], "roll": [([(4,)], {"by": 10**12 + 1})], "reshape": [([(2, 2)], {"shape": (4,)})],
    "repeat": [([(2,)], {"times": 3})], "one_hot": [([()], {"size": 3})], "scatter": [([(3,), (3,)], {"size": 3})],
    "step_of": [([(), (4,)], {})], "floor_to": [([(), (4,)], {})], "cross_entropy": [([(3,), ()], {}), ([(2, 3), (2,)], {})],
    "line_image": [([(), (), (2,)], {"size": 4})], "top_k": [([(4,)], {"k": 2})], "argtop_k": [([(4,)], {"k": 2})],
    "qr_q": [([(3, 3)], {}), ([(3, 2)], {})], "qr_r": [([(3, 3)], {}), ([(3, 2)], {})], "pinv": [([(3, 3)], {}), ([(2, 3)], {})],
    "lstsq": [([(3, 3), (3,)], {}), ([(3, 2), (3,)], {})],
}  # fmt: skip
"""The arguments' shapes where a signature alone does not give one, and static arguments."""


@dataclass(frozen=True)
class Case:
    """An operation, and what it is applied to: an array [N, …] for each argument that is not static."""

    row: Operation
    term: t.Operate
    arguments: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The operation with its arguments' types."""
        return f"{self.row.name}({', '.join(str(argument.type) for argument in self.term.arguments)})"


def case(row: Operation, arrays: list[Any], shapes: list[Shape], static: Mapping[str, Any]) -> Case:
    """A case, typed as the checker types it."""
    kinds = {"f": "real", "i": "int", "b": "bool"}
    types = [Type(kinds[array.dtype.kind], shape) for array, shape in zip(arrays, shapes, strict=True)]
    names = [f"{row.name}.{place}" for place in range(len(arrays))]
    terms = tuple(t.Reference(name, "example", type=kind) for name, kind in zip(names, types, strict=True))
    given = {argument.name: None for argument in row.arguments if argument.kind == "axis"} | dict(static)
    result, more = result_type(row, types, {key: value for key, value in given.items() if value is not None} or given)
    return Case(row, t.Operate(row.name, terms, more, type=result), dict(zip(names, arrays, strict=True)))


def elementwise(row: Operation) -> Iterator[Case]:
    """All pairs and triples of special numbers, of each kind that the row takes."""
    kinds = {argument.kind for argument in row.arguments}
    for kind in ("real", "int") if "number" in kinds else ("real",):
        numbers = {"real": REAL if len(row.arguments) < 3 else FEW, "int": INT}[kind]
        choices = [[True, False] if argument.kind == "bool" else numbers for argument in row.arguments]
        columns = zip(*itertools.product(*choices), strict=True)
        arrays = [np.asarray(column) for column in columns]
        if row.name == "power" and kind == "int":
            arrays[0], arrays[1] = np.clip(arrays[0], -7, 7), np.abs(arrays[1]) % 8
        yield case(row, arrays, [()] * len(arrays), {})


def of_arrays(row: Operation, chance: Any, matrices: dict[Shape, Any]) -> Iterator[Case]:
    """Arrays of special numbers; half of the matrices are of small whole numbers, so that many are singular. `matrices` are those that are factored."""
    patterns = [argument for argument in row.arguments if not argument.static]
    sizes = {"n": 3, "m": 2, "k": 3, "classes": 3, "*s": 4, "*t": 4, "...": 3, "2": 2}
    usual = [tuple(sizes[size] for size in argument.shape or ()) for argument in patterns]
    for shapes, static in SHAPES.get(row.name, [(usual, {})]):
        arrays = []
        for place, (argument, shape) in enumerate(zip(itertools.cycle(patterns), shapes)):
            if argument.kind == "bool":
                arrays.append(chance.random((ARRAYS, *shape)) < 0.5)
            elif argument.kind == "int":
                arrays.append(chance.integers(-1, 4, (ARRAYS, *shape)))
            elif row.name in ("step_of", "floor_to") and place == 1:
                arrays.append(np.broadcast_to([-INF, -1.0, 0.0, 2.0], (ARRAYS, 4)).copy())
            else:
                rare = chance.random((ARRAYS, *shape)) < np.linspace(0, 1, ARRAYS).reshape(-1, *[1] * len(shape))
                whole = chance.integers(-2, 3, (ARRAYS, *shape)).astype(float)
                special = REAL if row.name in ORDERED else FEW
                array = np.where(rare, chance.choice(special, (ARRAYS, *shape)), whole)
                arrays.append(matrices.setdefault(shape, array) if row.name in FACTORED and not place else array)
        yield case(row, arrays, shapes, static)


def cases() -> list[Case]:
    """The cases of all rows."""
    chance = np.random.default_rng(5)
    found: list[Case] = []
    matrices: dict[Shape, Any] = {}
    for name, row in OPERATIONS.items():
        if name not in CONSTANT:
            found += elementwise(row) if row.elementwise else of_arrays(row, chance, matrices)
    return found


CASES = cases()


def numpy_value(one: Case) -> Any:
    """The value in NumPy."""
    names = {name: Value(array, (EXAMPLE,)) for name, array in one.arguments.items()}
    return evaluate_batched(one.term, names).array


def compiled(xla: bool, dtype: str) -> Callable[[float], dict[str, tuple[Any, dict[str, Any]]]]:
    """Each case's value and its gradients, when every entry of its result has this message."""

    @tf.function(jit_compile=xla, autograph=False)
    def run(given: list[Any], message: Any) -> Any:
        named = [{name: given[places[id(array)]] for name, array in one.arguments.items()} for one in CASES]
        return [_lowered(one, own, message, dtype) for one, own in zip(CASES, named, strict=True)]

    kinds = {"f": dtype, "i": "int32", "b": "bool"}
    arrays = {id(array): array for one in CASES for array in one.arguments.values()}
    places = {key: place for place, key in enumerate(arrays)}
    tensors = [tf.constant(array, kinds[array.dtype.kind]) for array in arrays.values()]

    def at(message: float) -> dict[str, tuple[Any, dict[str, Any]]]:
        found = run(tensors, tf.constant(message, dtype))
        plain = [(value.numpy(), {n: g.numpy() for n, g in gradients.items()}) for value, gradients in found]
        return {f"{place} {one.label}": pair for place, (one, pair) in enumerate(zip(CASES, plain, strict=True))}

    return at


def _lowered(one: Case, tensors: Mapping[str, Any], message: Any, dtype: str) -> tuple[Any, dict[str, Any]]:
    lowering = Lowering(tf.as_dtype(dtype), {EXAMPLE: len(next(iter(one.arguments.values())))}, {}, {})
    reals = {name: tensor for name, tensor in tensors.items() if tensor.dtype.is_floating}
    with tf.GradientTape() as tape:
        tape.watch(list(reals.values()))
        lowering.values.update({name: Lowered(tensor, (EXAMPLE,)) for name, tensor in tensors.items()})
        value = lowering(one.term).tensor
    if not value.dtype.is_floating:
        return value, {}
    sent = tf.fill(value.shape, message)
    return value, tape.gradient(value, reals, output_gradients=sent, unconnected_gradients="zero")


Forms = dict[str, Callable[[float], dict[str, tuple[Any, dict[str, Any]]]]]


@pytest.fixture(scope="module")
def forms() -> Forms:
    """Both forms, in float64."""
    return {"graph": compiled(False, "float64"), "xla": compiled(True, "float64")}


def _apart(values: Any) -> Any:
    """Which rows of sorted numbers [N, k] are neither equal to each other, to rounding, nor 0."""
    both = np.sort(np.concatenate([values, np.zeros((len(values), 1))], axis=1), axis=1)
    return np.diff(both, axis=1).min(axis=1) > 1e-6 * np.abs(values).max(axis=1)


def _regular(one: Case) -> Any:
    """Which of a case's matrices have singular values and eigenvalues that are apart, and are positive definite for `cholesky`; of what is
    not finite there is one value, no number."""
    matrix = next(iter(one.arguments.values()))
    finite = np.isfinite(matrix).all(axis=(1, 2))
    safe = np.where(finite[:, None, None], matrix, 0.0)
    apart = _apart(np.linalg.svd(safe, compute_uv=False))
    if safe.shape[1] == safe.shape[2]:
        values = np.linalg.eigvalsh((safe + np.swapaxes(safe, 1, 2)) / 2)
        apart &= _apart(values)
        if one.row.name == "eigenvectors":  # their largest entry has to be one
            sizes = np.sort(np.abs(np.linalg.eigh((safe + np.swapaxes(safe, 1, 2)) / 2)[1]), axis=1)
            apart &= (sizes[:, -1] - sizes[:, -2]).min(axis=1) > 1e-6
    if one.row.name in ("svd_u", "svd_v"):
        sizes = np.sort(np.abs(np.linalg.svd(safe, full_matrices=False)[0]), axis=1)
        apart &= (sizes[:, -1] - sizes[:, -2]).min(axis=1) > 1e-6
    return apart | ~finite


def told(label: str, one: Case, expected: Any, found: Any, *within: float) -> str:
    """The first example at which two arrays differ."""
    place = next(i for i in range(len(expected)) if not _same(expected[i], found[i], *within))
    given = [array[place].tolist() for array in one.arguments.values()]
    return f"{label} of {given}: {np.asarray(expected[place]).tolist()} is {np.asarray(found[place]).tolist()}"


def _same(expected: Any, found: Any, rtol: float = 1e-9, atol: float = 1e-12) -> bool:
    return bool(np.allclose(expected, found, rtol, atol, equal_nan=True))


@pytest.mark.parametrize("form", ["graph", "xla"])
def test_values_are_those_of_numpy(forms: Forms, form: str) -> None:
    wrong = []
    for (label, (value, _)), one in zip(forms[form](1.0).items(), CASES, strict=True):
        expected = np.broadcast_to(numpy_value(one), value.shape)
        if one.row.name in NOT_UNIQUE:
            regular = _regular(one)
            assert 10 < regular.sum() < len(regular)
            expected, value = (np.where(regular[:, None, None], array, 0.0) for array in (expected, value))
        coarse = (1e-5, 1e-5) if one.row.name in COARSE else ()
        if not _same(expected, value, *coarse):
            wrong.append(told(label, one, expected, value))
    assert not wrong, "\n".join(wrong)


QUIET = {
    "select": "what is not taken does not tell", "power": "x^0 and 1^x are 1 whatever x", "diagonal": "the others are left out",
    "trace": "the others are left out", "scatter": "an index outside adds nothing",
}  # fmt: skip
"""Operations that may give a number where an argument is undefined, and why."""


def test_what_is_undefined_stays_so() -> None:
    """Of NumPy's values, which the forms' are compared with; a bool and an int can't be undefined."""
    for one in CASES:
        value = numpy_value(one)
        if one.term.type.kind != "real" or one.row.name in QUIET:
            continue
        given = [np.isnan(a).reshape(len(a), -1).any(axis=1) for a in one.arguments.values() if a.dtype.kind == "f"]
        assert np.isnan(value).reshape(len(value), -1).any(axis=1)[np.any(given, axis=0)].all(), one.label


@pytest.fixture(scope="module")
def single() -> Forms:
    """Both forms in float32, whose kernels are others than those of float64."""
    return {"graph": compiled(False, "float32"), "xla": compiled(True, "float32")}


def _rounded(one: Case) -> Any:
    """NumPy's value of arguments that are numbers of float32, rounded to one."""
    given = {n: a.astype(np.float32).astype(a.dtype) if a.dtype.kind == "f" else a for n, a in one.arguments.items()}
    with np.errstate(over="ignore"):
        return np.asarray(numpy_value(replace(one, arguments=given)), np.float32)


@pytest.mark.parametrize("form", ["graph", "xla"])
def test_values_of_float32_are_those_of_numpy(single: Forms, form: str) -> None:
    """oneDNN's softmax left numbers beside a NaN."""
    wrong = []
    for (label, (value, _)), one in zip(single[form](1.0).items(), CASES, strict=True):
        expected = np.broadcast_to(_rounded(one), value.shape)
        if one.row.name in NOT_UNIQUE:
            expected, value = np.isnan(expected), np.isnan(value)
        if not _same(expected, value, 1e-3, 1e-5):
            wrong.append(told(label, one, expected, value, 1e-3, 1e-5))
    assert not wrong, "\n".join(wrong)


def test_gradients_of_float32_are_those_of_both_forms(single: Forms) -> None:
    graph, xla, wrong = single["graph"](1.0), single["xla"](1.0), []
    for label, one in zip(graph, CASES, strict=True):
        for name, expected in graph[label][1].items():
            found = xla[label][1][name]
            if one.row.name in SEVERAL:  # which of several depends on the rounding
                regular = _regular(one)
                expected, found = (np.isfinite(array[regular]) for array in (expected, found))
            if not _same(expected, found, 1e-3, 1e-5):
                wrong.append(told(f"the gradient to {name} of {label}", one, expected, found, 1e-3, 1e-5))
    assert not wrong, "\n".join(wrong)


def test_gradients_of_both_forms_agree(forms: Forms) -> None:
    graph, xla, wrong = forms["graph"](1.0), forms["xla"](1.0), []
    for label, one in zip(graph, CASES, strict=True):
        for name, expected in graph[label][1].items():
            found = xla[label][1][name]
            if one.row.name in SEVERAL:
                regular = _regular(one)
                assert np.allclose(expected[regular], found[regular], 1e-5, 1e-5, equal_nan=True), label
                continue
            if not _same(expected, found):
                wrong.append(told(f"the gradient to {name} of {label}", one, expected, found))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("form", ["graph", "xla"])
def test_a_message_of_zero_goes_on_as_zero_whatever_the_derivative(forms: Forms, single: Forms, form: str) -> None:
    """So a select takes the gradient of its branch alone."""
    wrong = []
    for run in (forms[form], single[form]):
        for (label, (_, gradients)), one in zip(run(0.0).items(), CASES, strict=True):
            for name, found in gradients.items():
                if not (found == 0).all():
                    wrong.append(told(f"the gradient to {name} of {label}", one, np.zeros_like(found), found))
    assert not wrong, "\n".join(wrong)


def test_every_row_is_covered(capsys: pytest.CaptureFixture[str]) -> None:
    covered = {one.row.name for one in CASES}
    assert covered | CONSTANT == OPERATIONS.keys() and not covered & CONSTANT
    inputs = sum(len(next(iter(one.arguments.values()))) for one in CASES)
    with capsys.disabled():
        print(
            f"\nspecial values: {len(covered)} of {len(OPERATIONS)} operations ({len(CONSTANT)} are computed before anything runs), "
            f"{len(CASES)} cases, {inputs} inputs, each in NumPy, graph and XLA, in float64 and float32"
        )


LONG = ("sum", "mean", "norm", "squared_norm", "variance", "logsumexp", "cumsum")
"""Operations that add many numbers up."""


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_long_sums_of_float32_are_those_of_float64(xla: bool) -> None:
    numbers = np.full((2, 300_000), 0.1, np.float32)
    numbers[1] += np.random.default_rng(0).random(300_000).astype(np.float32)

    @tf.function(jit_compile=xla, autograph=False)
    def run(x: Any) -> Any:
        return {name: LOWERINGS[name](x, axis=-1 if name == "cumsum" else (-1,)) for name in LONG}

    for name, found in run(tf.constant(numbers)).items():
        wide = numbers.astype(np.float64)
        expected = OPERATIONS[name].numpy(wide, axis=-1) if name != "logsumexp" else np.log(np.exp(wide).sum(axis=-1))
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-9, err_msg=name)
