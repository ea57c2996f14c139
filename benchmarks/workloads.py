"""What is measured: a cell of an example file, and the same numbers for the rivals, which know no dlspec.

`tests/benchmarks/test_workloads.py` holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Workload:
    """A cell of an example file.

    `options` and `only` pick it as on the command line; `task` names the rivals' function; `numbers` are what it needs;
    `several` is how many replicates are measured side by side; `path` leads to the experiment in overrides.
    """

    name: str
    title: str
    file: str
    only: str
    task: str
    numbers: dict[str, Any]
    options: tuple[str, ...] = ()
    several: int = 8
    convolutions: bool = False
    rivals: tuple[str, ...] = ()
    """Who takes part; all, unless said."""

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return self.only.split("/")[0]

    @property
    def variant(self) -> str:
        """The variant's name; none for an experiment without."""
        return self.only.partition("/")[2]

    def overrides(self, replicates: int) -> list[str]:
        """What `-o` gives, with a number of replicates."""
        place = f"experiments.{self.experiment}"
        target = f"{place}.variants.{self.variant}" if self.variant else place
        return [f"{place}.{option}" for option in self.options] + [f"{target}.replicates={replicates}"]

    def command(self, replicates: int) -> str:
        """The cell as one would run it."""
        given = "".join(f" -o '{item}'" for item in self.overrides(replicates))
        return f"dlspec run {self.file} --only {self.only}{given}"


WHOLE_LOOPS = ("tf-loop-graph", "tf-loop-xla", "jax")
"""Those who write a step themselves, and compile the loop."""
ADAM = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-5}


def _ring(name: str, title: str, variant: str, penalty: float) -> Workload:
    return Workload(
        name, title, "examples/failures/ring.yaml", f"ring/{variant}", "ring",
        {"k": 8, "batch": 128, "critic": 5, "penalty": penalty,
         "optimizer": {"name": "adam", **ADAM, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 1e-7}},
        rivals=WHOLE_LOOPS,
    )  # fmt: skip


def _parities(d: int) -> Workload:
    return Workload(
        f"parities-{d}", f"Parities, d = {d}: {10 * d} ReLU units, batch 128, SGD", "examples/parities.yaml",
        "random_parity", "parities",
        {"d": d, "batch": 128, "optimizer": {"name": "sgd", "learning_rate": 0.01}},
        options=(f"sweep.d=[{d}]",),
    )  # fmt: skip


WORKLOADS = {
    workload.name: workload
    for workload in (
        _parities(30),
        _parities(100),
        Workload(
            "tuples", "Line-image tuples, k = 3, decomposition: 600 images a step through two convolutions, Adam",
            "examples/decomposition.yaml", "tuples/decomposition", "tuples",
            {"k": 3, "m": 28, "batch": 200, "inner": True, "optimizer": {"name": "adam", **ADAM}},
            options=("sweep.k=[3]",), several=3, convolutions=True,
        ),
        Workload(
            "allocation", "Allocation, d = 1000 assets, k = 2000 classes, end-to-end: batch 100, Adam",
            "examples/decomposition.yaml", "allocation/end_to_end", "allocation",
            {"d": 1000, "k": 2000, "batch": 100, "optimizer": {"name": "adam", **ADAM, "learning_rate": 0.1}},
            options=("sweep.k=[2000]",), several=3,
        ),
        Workload(
            "staircase", "Staircase, end-to-end: three layers of 100 ReLU units, batch 256, Adam", "examples/flat.yaml",
            "staircase/end_to_end", "staircase", {"d": 100, "batch": 256, "optimizer": {"name": "adam", **ADAM}},
        ),
        Workload(
            "auto-encoder", "Auto-encoder of curves: 500, 100, 6, 100, 100, 100 units, 10,000 curves, batch 100, Adam",
            "examples/conditioning.yaml", "auto_encoder", "auto_encoder",
            {"n": 100, "k": 3, "train": 10000, "batch": 100,
             "optimizer": {"name": "adam", **ADAM, "beta_2": 0.999, "epsilon": 1e-7}},
        ),
        _ring("gan", "A generator on a ring, five updates of the critic a step: layers of 64, batch 128, Adam", "standard_five", 0.0),
        _ring("penalty", "The same with a penalty on the critic's gradient", "wasserstein_gp", 10.0),
        Workload(
            "transformer", "A transformer of two blocks, T = 64, c = 64, 4 heads: batch 64, Adam",
            "examples/failures/lengths.yaml", "parity", "lengths",
            {"L": 6, "T": 64, "c": 64, "batch": 64,
             "optimizer": {"name": "adam", **ADAM, "beta_2": 0.999, "epsilon": 1e-7}},
            options=("constants.T=64", "constants.c=64", "training.optimizer.adam.learning_rate=0.001"), rivals=WHOLE_LOOPS,
        ),
    )
}  # fmt: skip
