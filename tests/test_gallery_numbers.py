"""Numbers of the gallery beside what programs say that share nothing with dlspec: closed forms, and NumPy."""

from __future__ import annotations

import json
import math
import re
from itertools import count

import ml_dtypes
import numpy as np
import pytest

from benchmarks import gallery

SEEN = re.compile(r"(?:([^;]+?): )?(-?[\d.]+(?:e[+-]\d+)?)(?: \((-?[\d.e+-]+) … (-?[\d.e+-]+)\))?(?:;|$)")


def seen(case: str, check: str, line: int = 0) -> dict[str, tuple[float, float, float]]:
    """What the gallery says was seen of a claim: mean, least and largest over replicates, by cell."""
    (claim,) = [
        one for one in json.loads(gallery.DATA.read_text("utf-8"))[case]["claims"] if one["check"].startswith(check)
    ]
    text = claim["seen"][line].split("saw ")[1].split("; closest")[0].split("; farthest")[0]
    found = {
        (label or "").strip(): (float(mean), float(low or mean), float(high or mean))
        for label, mean, low, high in SEEN.findall(text)
    }
    assert found, claim["seen"]
    return found


def test_what_was_seen_is_read() -> None:
    found = seen("digits", "final(accuracy, variant == plain) >=")
    assert found["eps = 0.2"] == pytest.approx((0.972, 0.964, 0.983))
    assert len(found) == 5


def test_plateaus_of_a_deep_linear_network_last_as_long_as_its_recurrence() -> None:
    """Of layers that start along the task's directions each is alone: u ← u + rate · u · (s - u²) for the root u of what is learnt of s."""

    def half(strength: float) -> int:
        root = math.sqrt(0.001)
        for step in count():
            if root**2 / strength >= 0.5:
                return step
            root += 0.05 * root * (strength - root**2)
        raise AssertionError

    for i, strength in enumerate((4, 2, 1)):
        assert seen("deep_linear", "first_step", i)["two_layers"] == (half(strength),) * 3


def test_adam_goes_to_the_worst_place_in_numpy() -> None:
    def last(largest: bool) -> float:
        w, m, v, top = 0.3, 0.0, 0.0, 0.0
        for step in range(60600):
            g = 1010.0 if step % 101 == 0 else -10.0
            m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
            top = max(top, v)
            rate = 0.03 * math.sqrt(1 - 0.99 ** (step + 1)) / (1 - 0.9 ** (step + 1))
            w = min(1.0, max(-1.0, w - rate * m / (math.sqrt(top if largest else v) + 1e-7)))
        return w

    for variant, largest in (("adam", False), ("amsgrad", True)):
        _, low, high = seen("adam", f"final(place, variant == {variant})")[""]
        assert low - 2e-3 < last(largest) < high + 2e-3


def test_lost_updates_are_those_of_rounding_to_nearest() -> None:
    """The same least squares in NumPy, with weights that are rounded by ml_dtypes after each update."""
    noise = np.random.default_rng(0)
    w = noise.uniform(0, 100, (200, 10)).astype(np.float32)
    kept = np.zeros((200, 10), ml_dtypes.bfloat16)
    for _ in range(5000):
        x = noise.normal(size=(200, 10)).astype(np.float32)
        held = kept.astype(np.float32)
        gap = np.einsum("rd,rd->r", held - w, x) - 0.5 * noise.normal(size=200).astype(np.float32)
        kept = (held - np.float32(0.01) * gap[:, None] * x).astype(ml_dtypes.bfloat16)
    errors = ((kept.astype(np.float64) - w) ** 2).sum(1) / 2 + 0.125
    mean, low, high = seen("lost_updates", "final(error, variant == rounded_updates)")[""]
    assert errors.min() < low and high < errors.max()
    assert abs(mean - errors.mean()) < 4 * errors.std() / math.sqrt(5)


def test_variances_of_score_function_gradients_are_the_closed_form() -> None:
    """At mu = 0 of d entries, for the cost ‖z - 1‖² of z = ε: f = r² - 2 Σ ε + d, and g = f ε, or (f - f') ε with a baseline."""
    found = seen("score_function", "at(noise_with_baseline, 0")
    for d in (16, 64):
        cost_square, cost_norm, cost = 4 * d * d + 6 * d, 2 * d * d + 2 * d, 2 * d
        score = d * (d + 2) * (d + 4) + 2 * d * d * (d + 2) + d**3 + 4 * d * (d + 2)
        baseline = score + cost_square * d - 2 * cost * cost_norm - 4 * d
        mean, _, _ = found[f"reparameterised, d = {d}"]
        assert mean == pytest.approx(baseline, rel=0.03)
        assert baseline < 0.5 * (score - 4 * d)


def test_distances_between_lines_are_the_closed_forms() -> None:
    """Disjoint distributions are log 2 apart; a slope s pays theta · s - 10 (s - 1)², which is largest at 1 + theta / 20."""
    divergences = seen("wasserstein", "within(final(divergence")
    assert len(divergences) == 5
    for mean, low, high in divergences.values():
        assert (mean, low, high) == pytest.approx((math.log(2),) * 3, abs=5e-3)
    slopes = np.linspace(1, 1.5, 100001)
    for theta in (0.25, 1, 4):
        best = slopes[np.argmax(theta * slopes - 10 * (slopes - 1) ** 2)]
        assert theta * best == pytest.approx(theta * (1 + theta / 20), rel=1e-4)
    for mean, _, _ in seen("wasserstein", "within(final(of_optimum").values():
        assert mean == pytest.approx(1, abs=0.03)


def test_double_descent_is_that_of_numpy() -> None:
    noise = np.random.default_rng(1)
    runs = 25
    errors: dict[int, list[float]] = {40: [], 400: []}
    for _ in range(runs):
        v, x, new = noise.normal(size=20) / math.sqrt(20), noise.normal(size=(40, 20)), noise.normal(size=(200, 20))
        y = x @ v + 0.3 * noise.normal(size=40)
        for p, found in errors.items():
            features = noise.normal(size=(20, p)) / math.sqrt(p)
            fitted = np.linalg.lstsq(np.maximum(x @ features, 0), y, rcond=None)[0]
            found.append(float(np.mean((np.maximum(new @ features, 0) @ fitted - new @ v) ** 2)))
    mean, _, _ = seen("double_descent", "final(test, p == 400) <")[""]
    spread = float(np.std(errors[400])) * math.sqrt(1 / 20 + 1 / runs)
    assert abs(mean - float(np.mean(errors[400]))) < 3 * spread
    assert float(np.median(errors[40])) > 10 * mean


def test_collapsed_posteriors_are_those_of_the_best_linear_model() -> None:
    """Of the best such model each direction of more variance than the noise has a latent, and no other has."""
    strength = np.array([8, 4, 2, 0.6, 0.4, 0.2])
    active = seen("posterior_collapse", "final(active)")
    assert {label: mean for label, (mean, _, _) in active.items()} == {
        f"noise = {noise:g}": (strength > noise).sum() for noise in (0.1, 0.5, 1, 3, 10)
    }


def test_correlations_through_random_layers_are_those_of_the_mean_field() -> None:
    """Poole et al. 2016, equations 3 and 5: sums of variance q ← gain² E tanh(√q z)² + 0.05, and of two inputs with correlation c."""
    z, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / weight.sum()

    def products(q: float, c: float) -> tuple[float, float]:
        """E tanh(u)² and E tanh(u) tanh(v) of sums u and v."""
        first = np.tanh(math.sqrt(q) * z)
        second = np.tanh(math.sqrt(q) * (c * z[:, None] + math.sqrt(max(0.0, 1 - c * c)) * z))
        return float(weight @ first**2), float(weight @ (first[:, None] * second) @ weight)

    found = seen("edge_of_chaos", "final(alike, gain >= 2)") | seen("edge_of_chaos", "final(alike, gain <= 1)")
    for gain in (0.6, 1, 2, 3):
        q = gain**2 + 0.05
        c = (0.9 * gain**2 + 0.05) / q
        for _ in range(29):
            own, shared = products(q, c)
            q, c = gain**2 * own + 0.05, (gain**2 * shared + 0.05) / (gain**2 * own + 0.05)
        own, shared = products(q, c)
        assert found[f"gain = {gain:g}"][0] == pytest.approx(shared / own, abs=0.05)


def test_the_plateau_of_a_committee_is_that_of_online_learning_in_numpy() -> None:
    """A hundred committees learn side by side; their error is Saad & Solla's closed form of the overlaps."""
    noise = np.random.default_rng(2)
    n, runs, rate = 50, 100, 0.25
    teacher = np.broadcast_to(np.eye(2, n), (runs, 2, n))
    student = 0.01 * noise.normal(size=(runs, 2, n))
    erf = np.vectorize(math.erf)
    for _ in range(50 * n):
        x = noise.normal(size=(runs, n))
        inner = np.einsum("rkn,rn->rk", student, x)
        gap = erf(inner / math.sqrt(2)).sum(1) - erf(np.einsum("rkn,rn->rk", teacher, x) / math.sqrt(2)).sum(1)
        slope = math.sqrt(2 / math.pi) * np.exp(-(inner**2) / 2)
        student -= rate / n * (gap[:, None] * slope)[:, :, None] * x[:, None, :]

    def mean_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The sum of E erf(u / √2) erf(v / √2) over units u of a and v of b."""
        sizes = np.sqrt((1 + (a**2).sum(2))[:, :, None] * (1 + (b**2).sum(2))[:, None, :])
        return (2 / math.pi * np.arcsin(np.einsum("rin,rjn->rij", a, b) / sizes)).sum((1, 2))

    errors = (mean_product(student, student) - 2 * mean_product(student, teacher) + mean_product(teacher, teacher)) / 2
    equal_units = 2 / math.pi * (math.pi / 6 - 2 * math.asin(1 / 4))
    assert np.median(errors) == pytest.approx(equal_units, rel=0.3)
    mean, low, high = seen("committee", "within(at(error")[""]
    assert errors.min() * 0.9 < low and high < errors.max() * 1.1
    assert mean == pytest.approx(errors.mean(), rel=0.15)


def test_attention_alone_collapses_as_in_numpy() -> None:
    """Four heads of eight channels: each kernel multiplies 32 numbers."""
    noise = np.random.default_rng(3)
    found = seen("rank_collapse", "final(apart, variant == attention_alone, depth == 2) <", 0)[""][0]
    left = []
    for _ in range(50):
        x = noise.normal(size=(16, 32))
        for _ in range(2):
            q, k, v = (x @ noise.normal(size=(32, 32)) / math.sqrt(32) for _ in range(3))
            scores = np.einsum("ihc,jhc->hij", q.reshape(16, 4, 8), k.reshape(16, 4, 8)) / math.sqrt(8)
            shares = np.exp(scores - scores.max(-1, keepdims=True))
            shares /= shares.sum(-1, keepdims=True)
            mixed = np.einsum("hij,jhc->ihc", shares, v.reshape(16, 4, 8)).reshape(16, 32)
            x = mixed @ noise.normal(size=(32, 32)) / math.sqrt(32)
        left.append(np.linalg.norm(x - x.mean(0)) / np.linalg.norm(x))
    assert np.quantile(left, 0.02) < found < np.quantile(left, 0.98)


def test_as_many_narrow_networks_are_born_dead_in_numpy() -> None:
    """With biases of 0 a network is a straight line on either side of 0: it is dead where it is 0 on both."""
    noise = np.random.default_rng(4)
    dead = 0
    for _ in range(400):
        sides = np.array([[1.0], [-1.0]])
        for inputs in (1, *(2,) * 9):
            sides = np.maximum(sides @ noise.normal(size=(inputs, 2)), 0)
        dead += not sides.any()
    mean, _, _ = seen("born_dead", "at(constant, 0, variant == relu, width == 2)", 0)[""]
    assert abs(mean - dead / 400) < 3 * math.sqrt(0.9 * 0.1 / 40)


def test_temporal_differences_on_the_star_are_those_of_numpy() -> None:
    """500 paths of each: what replicates end at lies within what these do, weights that diverge and the values of gradient temporal differences."""
    rng, paths, steps = np.random.default_rng(0), 500, 1000
    features = np.zeros((7, 8))
    features[np.arange(6), np.arange(6)], features[:6, 7], features[6, 6], features[6, 7] = 2, 1, 1, 2
    ends = {}
    for rate, second in ((0.01, 0.0), (0.005, 0.05)):
        w, u = np.tile([1.0, 1, 1, 1, 1, 1, 10, 1], (paths, 1)), np.zeros((paths, 8))
        for _ in range(steps):
            solid = rng.random(paths) < 1 / 7
            here, there = (
                features[rng.integers(7, size=paths)],
                features[np.where(solid, 6, rng.integers(6, size=paths))],
            )
            rho = np.where(solid, 7.0, 0.0)
            error = 0.99 * (there * w).sum(1) - (here * w).sum(1)
            along = (here * u).sum(1)
            correction = 0.99 * there * along[:, None] if second else 0
            w = w + rate * rho[:, None] * (error[:, None] * here - correction)
            u = u + second * (rho * (error - along))[:, None] * here
        ends[rate] = np.linalg.norm(w, axis=1), np.sqrt(((w @ features.T) ** 2).mean(1))
    for case, of_numpy in (
        ("final(size, variant == all_three)", ends[0.01][0]),
        ("within(final(values", ends[0.005][1]),
    ):
        mean, low, high = seen("deadly_triad", case)[""]
        assert of_numpy.min() < low < high < of_numpy.max()
        assert mean == pytest.approx(of_numpy.mean(), abs=3 * of_numpy.std() / math.sqrt(5))


def test_gradients_through_descent_are_those_of_its_recurrence() -> None:
    """The derivative of the place by the rate goes along with the place: d ← d - (x³ - x) - r (3x² - 1) d."""
    rng = np.random.default_rng(0)
    x, d, found = rng.uniform(-1.2, 1.2, 300_000), np.zeros(300_000), {}
    for t in range(1, 65):
        d, x = d - (x**3 - x) - 1.8 * (3 * x**2 - 1) * d, x - 1.8 * (x**3 - x)
        found[f"t = {t}"] = float(((x**3 - x) * d).var())
    told = seen("unrolled", "increasing(final(by_gradient")
    assert set(told) == {"t = 4", "t = 8", "t = 16", "t = 32", "t = 64"}
    for label, (mean, low, high) in told.items():
        assert 0.8 * low < found[label] < 1.25 * high and mean == pytest.approx(found[label], rel=0.2), label
