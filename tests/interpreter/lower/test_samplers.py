"""Samplers: the same in both compiled forms, equal to their NumPy rows, and distributed as SciPy has it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from dlspec.interpreter.lower.samplers import SAMPLERS, sample, unit
from dlspec.interpreter.program.program import Compiled
from dlspec.spec.tables.distributions import DISTRIBUTIONS, words_needed
from scipy import stats

REAL = {
    "normal", "truncated_normal", "exponential", "laplace", "gamma", "beta", "student_t", "multivariate_normal", "orthogonal_matrix",
}  # fmt: skip
"""Made through transcendental functions, which the two forms compute by their own polynomials."""
MADE_OF_MANY = {"gamma", "beta", "student_t", "multivariate_normal", "orthogonal_matrix"}
"""Of several words each, by many operations of float64, whose rounding adds up where that is the result's own type."""

SIZES = {
    "integer": {"n": 7},
    "permutation": {"n": 5},
    "subset": {"n": 6, "k": 3},
    "multivariate_normal": {"n": 2},
    "orthogonal_matrix": {"n": 3},
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "normal": {"mean": 0.5, "deviation": 2.0}, "truncated_normal": {"mean": -1.0, "deviation": 0.5}, "uniform": {"low": -1.3, "high": 2.9},
    "exponential": {"rate": 1.7}, "laplace": {"location": 0.25, "scale": 1.5}, "bernoulli": {"p": 0.3}, "categorical": {"p": [0.2, 0.5, 0.1, 0.9]},
    "gamma": {"concentration": 0.75, "rate": 1.5}, "beta": {"a": 0.5, "b": 2.0}, "student_t": {"freedom": 3.0, "location": 0.5, "scale": 2.0},
    "poisson": {"rate": 4.5}, "multivariate_normal": {"mean": [1.0, -2.0], "covariance": [[2.0, -0.75], [-0.75, 0.5]]},
}  # fmt: skip


def drawn(name: str, bits: np.ndarray[Any, Any], shape: tuple[int, ...], xla: bool, dtype: str = "float32") -> Any:
    """Samples from words in one compiled form."""
    parameters = {key: tf.constant(value, dtype) for key, value in PARAMETERS.get(name, {}).items()}

    @tf.function(jit_compile=xla, autograph=False)
    def run(given: Any) -> Any:
        return sample(name, given, shape, SIZES.get(name, {}), parameters, tf.as_dtype(dtype))

    return run(tf.constant(bits)).numpy()


def bits_for(name: str, lead: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Random words, with the extremes among them."""
    count = words_needed(DISTRIBUTIONS[name], shape, SIZES.get(name, {}))
    bits = np.random.default_rng(5).integers(0, 2**32, size=(*lead, count), dtype=np.uint32)
    bits.reshape(-1)[:4] = [0, 2**32 - 1, 2**31, 2**31 - 1]
    return bits


def test_every_distribution_has_a_sampler_and_no_sampler_is_left_over() -> None:
    assert DISTRIBUTIONS.keys() == SAMPLERS.keys()


def test_integers_reach_their_ends_and_no_further() -> None:
    """The largest of 2³¹ values is the largest int; each value gets 2³² / n words, rounded up or down."""
    words = np.array([0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1], np.uint32)
    for n in (1, 2, 3, 2**16 + 1, 2**31 - 1, 2**31):
        right = [int(word) * n >> 32 for word in words]
        for xla in (False, True):

            @tf.function(jit_compile=xla, autograph=False)
            def run(given: Any, n: int = n) -> Any:
                return SAMPLERS["integer"](given, n=n, dtype=tf.float32)

            found = run(tf.constant(words)).numpy()
            assert found.dtype == np.int32 and found.tolist() == right
        assert DISTRIBUTIONS["integer"].numpy(words, n=n).tolist() == right
        assert right[-1] == n - 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_both_forms_agree_with_each_other_and_with_numpy(name: str, dtype: str) -> None:
    row = DISTRIBUTIONS[name]
    shape = (4, 3) if row.shaped else ()
    bits = bits_for(name, (2, 500), shape)
    graph, xla = (drawn(name, bits, shape, form, dtype) for form in (False, True))
    assert graph.shape == (2, 500, *shape, *row.event(SIZES.get(name, {})))
    assert graph.dtype == (np.int32 if row.kind == "int" else np.dtype(dtype))
    each = row.words(SIZES.get(name, {}))
    several = (each,) if each > 1 or row.event(SIZES.get(name, {})) else ()
    wide = bits if not row.shaped or row.per_word > 1 else bits.reshape(2, 500, *shape, *several)
    given = {key: np.asarray(value, dtype).astype(float) for key, value in PARAMETERS.get(name, {}).items()}
    more = {"count": 12} if row.per_word > 1 else {}
    sizes = {} if name == "multivariate_normal" else SIZES.get(name, {})
    oracle = row.numpy(wide, **sizes, **given, **more).reshape(graph.shape)
    if name in REAL:
        ulp = np.spacing(np.abs(graph).max(initial=1).astype(dtype))
        assert np.abs(graph - xla).max() <= (64 if name in MADE_OF_MANY else 8) * ulp
        assert np.isfinite(graph).all()
        np.testing.assert_allclose(
            graph, oracle, rtol=2e-6 if dtype == "float32" else 1e-12, atol=(64 if name in MADE_OF_MANY else 2) * ulp
        )
    else:
        np.testing.assert_array_equal(graph, xla)
        if name == "uniform":  # The sampler's width has 29 digits.
            np.testing.assert_allclose(graph, oracle, rtol=np.finfo(dtype).eps, atol=4.2 * 2.0**-28)
        else:
            np.testing.assert_array_equal(graph, oracle.astype(graph.dtype))


def test_the_unit_uniform_is_exact_in_both_forms() -> None:
    bits = np.asarray([0, 255, 256, 2**32 - 1, 2**31], np.uint32)
    for xla in (False, True):
        found = tf.function(lambda x: unit(x, tf.float32), jit_compile=xla, autograph=False)(tf.constant(bits)).numpy()
        np.testing.assert_array_equal(found, [0, 0, 2.0**-24, 1 - 2.0**-24, 0.5])


TASK = """
task:
  draw:
    d: normal([40])
    order: permutation(5)
  example:
    normal_: normal(0.5, 2, [40])
    truncated: truncated_normal(-1, 0.5, [40])
    uniform_: uniform(-1.3, 2.9, [40])
    exponential_: exponential(1.7, [40])
    laplace_: laplace(0.25, 1.5, [40])
    bernoulli_: bernoulli(0.3, [40])
    rademacher_: rademacher([40])
    integer_: integer(7, [40])
    categorical_: "categorical([0.2, 0.5, 0.1, 0.9], shape=[40])"
    gamma_: gamma(2.25, 1.75, [40])
    seldom: gamma(0.4, shape=[40])
    beta_: beta(0.5, 2, [40])
    student: student_t(6, 0.25, 1.5, [40])
    poisson_: poisson(4.5, [40])
    many: poisson(100, [40])
    pair: "multivariate_normal([1, -2], [[2, -0.75], [-0.75, 0.5]])"
    pairs: "multivariate_normal(d[0:2], eye(2), shape=[2])"
    turned: orthogonal_matrix(3)
    chosen: "choice([0.5, 0.25, 2], [1, 2, 1], [40])"
    rows: "choice([[1, 2], [3, 4]], shape=[2, 3])"
    permutation_: permutation(4)
    subset_: subset(5, 2)
    each: "[normal() for i < 8, j < 5]"
    nested: "[[normal() for j < 8] for i < 5]"
    own: "normal(d[0], 0.5 + abs(d[0:3]), shape=[3])"
    twice: "[normal(), normal()]"
    alias: normal_[0]
measures: {m: E(alias)}
replicates: 3
"""
EXAMPLES = 4000


@pytest.fixture(scope="module")
def values(compiled: Callable[..., Compiled]) -> dict[str, np.ndarray[Any, Any]]:
    """Every binding for three replicates and many examples: [R, B, …], and the replicates' draws [R, …]."""
    held = compiled(TASK, replicates=3, xla=True)

    @tf.function(jit_compile=True, autograph=False)
    def run(keys: Any) -> dict[str, Any]:
        lowering = held.context.lowering(keys, tf.range(EXAMPLES, dtype=tf.int64), EXAMPLES, held.seeds.draws)
        return {item.name: lowering(item.term).tensor for item in held.program.examples}

    found = {name: tensor.numpy() for name, tensor in run(held.seeds.keys["train"]).items()}
    found["test"] = run(held.seeds.keys["test"])["normal_"].numpy()
    return found | {name: tensor.numpy() for name, tensor in held.seeds.draws.items()}


CONTINUOUS = {
    "normal_": stats.norm(0.5, 2), "truncated": stats.truncnorm(-2, 2, -1, 0.5), "uniform_": stats.uniform(-1.3, 4.2),
    "exponential_": stats.expon(scale=1 / 1.7), "laplace_": stats.laplace(0.25, 1.5), "each": stats.norm(), "nested": stats.norm(), "test": stats.norm(0.5, 2),
    "gamma_": stats.gamma(2.25, scale=1 / 1.75), "seldom": stats.gamma(0.4), "beta_": stats.beta(0.5, 2), "student": stats.t(6, 0.25, 1.5),
}  # fmt: skip
DISCRETE = {
    "bernoulli_": {0: 0.7, 1: 0.3}, "rademacher_": {-1: 0.5, 1: 0.5}, "integer_": dict.fromkeys(range(7), 1 / 7),
    "categorical_": {0: 0.2 / 1.7, 1: 0.5 / 1.7, 2: 0.1 / 1.7, 3: 0.9 / 1.7}, "chosen": {0.5: 0.25, 0.25: 0.5, 2.0: 0.25},
}  # fmt: skip


@pytest.mark.parametrize("name", CONTINUOUS)
def test_reals_are_distributed_as_they_say(values: dict[str, Any], name: str) -> None:
    given, law = values[name].astype(float).ravel(), CONTINUOUS[name]
    assert stats.kstest(given[::7], law.cdf).pvalue > 1e-4
    error = 1 / np.sqrt(given.size)
    assert abs(given.mean() - law.mean()) < 4.5 * law.std() * error
    fourth = float(law.stats("k")) + 2
    assert abs(given.var() / law.var() - 1) < 4.5 * np.sqrt(fourth) * error


@pytest.mark.parametrize("name", DISCRETE)
def test_whole_numbers_are_distributed_as_they_say(values: dict[str, Any], name: str) -> None:
    law = DISCRETE[name]
    found = np.asarray([(values[name] == value).sum() for value in law])
    assert found.sum() == values[name].size
    assert stats.chisquare(found, found.sum() * np.asarray(list(law.values()))).pvalue > 1e-4


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_elements_examples_and_replicates_are_independent(values: dict[str, Any], name: str) -> None:
    given = values[name].reshape(3, EXAMPLES, -1).astype(float)
    given = (given - given.mean()) / given.std()
    pairs = {
        "replicates": (given[0], given[1]), "examples": (given[:, :-1], given[:, 1:]), "elements": (given[..., :-1], given[..., 1:]),
        "halves": (given[..., :20], given[..., 20:]), "rows": (given[..., :-8], given[..., 8:]),
    }  # fmt: skip
    for what, (a, b) in pairs.items():
        assert abs((a * b).mean()) < 4.5 / np.sqrt(a.size), what


def test_each_occurrence_is_a_draw_and_a_name_is_its_value(values: dict[str, Any]) -> None:
    a, b = values["twice"][..., 0].ravel(), values["twice"][..., 1].ravel()
    assert abs(np.corrcoef(a, b)[0, 1]) < 4.5 / np.sqrt(a.size)
    np.testing.assert_array_equal(values["alias"], values["normal_"][..., 0])
    assert abs(np.corrcoef(values["test"].ravel(), values["normal_"].ravel())[0, 1]) < 4.5 / np.sqrt(
        values["test"].size
    )
    assert not np.array_equal(values["d"][0], values["d"][1])


def test_parameters_may_be_drawn_and_have_a_shape(values: dict[str, Any]) -> None:
    mean, deviation = values["d"][:, None, :1], 0.5 + np.abs(values["d"][:, None, :3])
    assert values["own"].shape == (3, EXAMPLES, 3)
    for r in range(3):
        for j in range(3):
            standard = ((values["own"] - mean) / deviation)[r, :, j]
            assert stats.kstest(standard, stats.norm().cdf).pvalue > 1e-4


def test_permutations_and_subsets_are_valid_and_even(values: dict[str, Any]) -> None:
    orders, chosen = values["permutation_"].reshape(-1, 4), values["subset_"].reshape(-1, 2)
    assert (np.sort(orders, axis=1) == np.arange(4)).all()
    assert (np.sort(values["order"], axis=1) == np.arange(5)).all()
    assert ((chosen >= 0) & (chosen < 5)).all()
    assert (chosen[:, 0] != chosen[:, 1]).all()
    for rows, n, k in ((orders, 4, 4), (chosen, 5, 2)):
        codes = {row: place for place, row in enumerate(permutations(range(n), k))}
        counts = np.bincount([codes[tuple(row)] for row in rows.tolist()], minlength=len(codes))
        assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize(("name", "rate"), [("poisson_", 4.5), ("many", 100)])
def test_poisson_numbers_are_distributed_as_they_say(values: dict[str, Any], name: str, rate: float) -> None:
    law, given = stats.poisson(rate), values[name]
    low, high = (int(law.ppf(q)) for q in (1e-3, 1 - 1e-3))
    counts = np.bincount(np.clip(given.ravel(), low, high) - low, minlength=high - low + 1)
    shares = law.pmf(np.arange(low, high + 1))
    shares[0], shares[-1] = law.cdf(low), law.sf(high - 1)
    assert stats.chisquare(counts, given.size * shares).pvalue > 1e-4


def test_gaussian_vectors_have_their_mean_and_covariance(values: dict[str, Any]) -> None:
    given, mean, covariance = (
        values["pair"].reshape(-1, 2).astype(float),
        np.array([1, -2]),
        np.array([[2, -0.75], [-0.75, 0.5]]),
    )
    standard = np.linalg.solve(np.linalg.cholesky(covariance), (given - mean).T)
    assert all(
        stats.kstest(part, stats.norm().cdf).pvalue > 1e-4
        for part in (*standard, (standard[0] + standard[1]) / np.sqrt(2))
    )
    assert abs((standard[0] * standard[1]).mean()) < 4.5 / np.sqrt(len(given))
    apart = values["pairs"] - values["d"][:, None, None, :2]
    assert apart.shape == (3, EXAMPLES, 2, 2) and stats.kstest(apart.ravel(), stats.norm().cdf).pvalue > 1e-4


def test_orthogonal_matrices_are_even(values: dict[str, Any]) -> None:
    """A column is a point of the sphere, of which in three dimensions each coordinate is even; half of the matrices turn, half mirror."""
    given = values["turned"].reshape(-1, 3, 3).astype(float)
    np.testing.assert_allclose(
        np.einsum("nij,nik->njk", given, given), np.broadcast_to(np.eye(3), given.shape), atol=1e-6
    )
    for i, j in ((0, 0), (1, 0), (2, 1), (0, 2)):
        assert stats.kstest(given[:, i, j], stats.uniform(-1, 2).cdf).pvalue > 1e-4
    turns = (np.linalg.det(given) > 0).sum()
    assert stats.binomtest(int(turns), len(given)).pvalue > 1e-4


def test_a_choice_takes_whole_entries(values: dict[str, Any]) -> None:
    assert values["rows"].shape == (3, EXAMPLES, 2, 3, 2) and values["rows"].dtype == np.int32
    assert (values["rows"][..., 1] - values["rows"][..., 0] == 1).all()
    first = (values["rows"][..., 0] == 1).sum()
    assert stats.binomtest(int(first), values["rows"][..., 0].size).pvalue > 1e-4


def test_equal_words_keep_their_places() -> None:
    bits = np.asarray([[3, 1, 3, 1, 2**32 - 1, 0, 2**31]], np.uint32)
    for xla in (False, True):
        found = tf.function(SAMPLERS["permutation"], jit_compile=xla, autograph=False)(
            tf.constant(bits), n=7, dtype=tf.float32
        ).numpy()
        assert found.tolist() == [[5, 1, 3, 0, 2, 6, 4]]


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_normals_are_the_quantiles_of_their_cells_within_1e6(xla: bool) -> None:
    """Around the middle, at both ends, at each power of two of 1 - v², and at random."""
    near = np.arange(4000)
    powers = (2.0**23 * np.sqrt(1 - 2.0 ** -np.arange(1, 23))).astype(np.int64)[:, None] + np.arange(-20, 20)
    random = np.random.default_rng(3).integers(0, 2**24, 400_000)
    cells = np.unique(np.concatenate([near, 2**24 - 1 - near, 2**23 - 2000 + near, 2**23 + powers.ravel(), random]))
    cells = cells[cells < 2**24]

    @tf.function(jit_compile=xla, autograph=False)
    def standard(given: Any) -> Any:
        plain = {"mean": tf.constant(0.0), "deviation": tf.constant(1.0)}
        return sample("normal", given, (cells.size,), {}, plain, tf.float32)

    found, mirrored = (standard((each.astype(np.uint32) << 8)[None]).numpy()[0] for each in (cells, 2**24 - 1 - cells))
    quantiles = stats.norm.ppf((cells + 0.5) * 2.0**-24)
    assert np.abs(found - quantiles).max() < 1e-6
    np.testing.assert_array_equal(found, -mirrored)


LATE: dict[str, tuple[dict[str, list[float]], list[bool]]] = {
    "normal": ({"mean": [0, 0, 0], "deviation": [1, 0, -1]}, [True, True, False]),
    "truncated_normal": ({"mean": [0, 0, 0], "deviation": [1, 0, -1]}, [True, True, False]),
    "uniform": ({"low": [0, 1, 1], "high": [1, 1, 0.5]}, [True, True, False]),
    "exponential": ({"rate": [1, 0, -1]}, [True, False, False]),
    "laplace": ({"location": [0, 0, 0], "scale": [1, 0, -1]}, [True, True, False]),
    "gamma": ({"concentration": [0.5, 2, -1], "rate": [1, 0, 1]}, [True, False, False]),
    "beta": ({"a": [0.5, 2, -1], "b": [1, 0, 1]}, [True, False, False]),
    "student_t": ({"freedom": [0.5, 2, 0], "location": [0, 0, 0], "scale": [1, -1, 1]}, [True, False, False]),
}


@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_what_is_drawn_with_a_parameter_out_of_its_bounds_is_nan(xla: bool) -> None:
    bits = tf.constant(np.random.default_rng(1).integers(1, 2**32, size=(5, 3 * 26), dtype=np.uint32))

    @tf.function(jit_compile=xla, autograph=False)
    def run() -> Any:
        found = {}
        for name, (given, _) in LATE.items():
            tensors = {key: tf.constant(value, tf.float32) for key, value in given.items()}
            needed = words_needed(DISTRIBUTIONS[name], (3,), {})
            found[name] = sample(name, bits[:, :needed], (3,), {}, tensors, tf.float32, list(tensors))
        weights = tf.constant([0.5, -1, 0.5])
        found["categorical"] = sample("categorical", bits[:, :3], (3,), {}, {"p": weights}, tf.float32, ["p"])
        chance = tf.constant([1.5, -0.5, 1.0])
        found["bernoulli"] = sample("bernoulli", bits[:, :3], (3,), {}, {"p": chance}, tf.float32, ["p"])
        found["poisson"] = sample(
            "poisson", bits[:, :3], (3,), {}, {"rate": tf.constant([-1, 0, 1e9])}, tf.float32, ["rate"]
        )
        for label, corner in (("flat", 1.0), ("indefinite", 3.0), ("fine", 0.5)):
            given = {"mean": tf.zeros([2]), "covariance": tf.constant([[1, corner], [corner, 1]], tf.float32)}
            found[label] = sample("multivariate_normal", bits[:, :2], (), {"n": 2}, given, tf.float32, list(given))
        return found

    found = {name: value.numpy() for name, value in run().items()}
    assert {name for name, row in DISTRIBUTIONS.items() if row.kind == "real"} == {
        *LATE, "multivariate_normal", "orthogonal_matrix",
    }  # fmt: skip
    assert np.isnan(found["flat"]).all() and np.isnan(found["indefinite"]).all() and np.isfinite(found["fine"]).all()
    assert (found["poisson"][:, :2] == 0).all() and (np.abs(found["poisson"][:, 2] - 100) < 60).all()
    for name, (_, finite) in LATE.items():
        assert (np.isfinite(found[name]) == finite).all(), name
        assert (np.isnan(found[name]) == ~np.asarray(finite)).all(), name
    assert (found["bernoulli"] == [1, 0, 1]).all()
    assert set(found["categorical"].ravel().tolist()) == {0, 2}
