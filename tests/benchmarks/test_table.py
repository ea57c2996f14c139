"""The page that is made of the raw numbers."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.spread import alternatives, best
from benchmarks.table import table


def row(contender: str, replicates: int, seconds: list[float], out: str = "") -> dict[str, Any]:
    return {
        "contender": contender, "replicates": replicates, "out": out, "about": "", "seconds": seconds, "first_step": 2.0,
        "memory": 300 * 2**20,
    }  # fmt: skip


@pytest.fixture
def data() -> dict[str, Any]:
    item = {
        "workload": "parities-30", "flops": 5_000_000, "parameters": 9601, "planned": {"1": 2**30, "8": 2**31},
        "ceiling": [100e9, 100e9, 100e9],
        "rows": [
            row("dlspec", 1, [1e-4, 1e-4, 1e-4]),
            row("keras-graph", 1, [2e-4, 2e-4, 2e-4]),
            row("jax", 1, [3e-4, 2e-4, 3e-4]),
            row("torch-eager", 1, [], "not installed: torch"),
            row("dlspec", 8, [5e-5, 5e-5, 5e-5]),
            row("jax", 8, [4e-5, 4e-5, 5e-5]),
        ],
    }  # fmt: skip
    return {
        "date": "2020-01-01", "workloads": [item], "versions": {"dlspec": "0"}, "budget": {"rounds": 3},
        "machine": {"processor": "P", "cores": 2, "memory": 24.0, "system": "Linux", "python": "3", "load": 0.1},
    }  # fmt: skip


def rows(data: dict[str, Any]) -> dict[tuple[str, int], Any]:
    return {(item["contender"], item["replicates"]): item for item in data["workloads"][0]["rows"]}


def test_the_best_rival_is_named_even_where_it_is_faster_than_dlspec(data):
    name, spread = best(rows(data), 8)
    assert name == "jax" and spread.middle == pytest.approx(0.8)
    text = table(data)
    assert (
        "| parities-30 | 8 | 50.0 µs (50.0 to 50.0) | 100% | JAX, `jit(scan)`, `vmap` over replicates | 0.80 (0.80 to 1.00) |"
        in text
    )


def test_a_rival_that_cannot_train_side_by_side_may_train_one_after_another(data):
    assert alternatives(rows(data), 8) == {"keras-graph": 1, "jax": 8}
    assert "one after another" in table(data)


def test_what_is_not_installed_says_so_and_is_no_rival(data):
    assert "torch-eager" not in alternatives(rows(data), 1)
    assert "| PyTorch, eager | not installed: torch |" in table(data)


def test_the_share_of_the_ceiling_is_operations_over_time(data):
    assert "| **dlspec** | 100 µs (100 to 100) |  | 50% | 2.0 s | 300 MiB |" in table(data)


def test_a_short_trial_is_called_one(data):
    assert "short trial" in table(data)
    data["budget"]["rounds"] = 7
    assert "short trial" not in table(data)


def test_what_examples_take_is_the_share_that_goes_with_them(data):
    data["examples"] = [{"workload": "parities-30", "replicates": 1, "made": [1e-4, 2e-4], "held": [9e-5, 1.8e-4]}]
    assert "| 10% (10% to 10%) |" in table(data)


def test_what_was_measured_later_says_when(data):
    assert "Measured on 2020-02-02" not in table(data)
    data["workloads"][0] |= {"date": "2020-02-02", "load": 0.25}
    assert "replicates. Measured on 2020-02-02; the load was 0.2 before.\n" in table(data)
