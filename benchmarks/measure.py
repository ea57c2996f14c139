"""Measures one workload: all contenders warmed up, then round after round, each in turn while the others are stopped."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .contenders import CEILING, Contender, entered
from .process import Out, Worker
from .spread import in_question
from .workloads import Workload


@dataclass(frozen=True)
class Budget:
    """How long to measure: rounds, the seconds that each contender works in one, and those to choose its settings.

    After `rounds` more of them follow, `most` in all, until the best rival's ratio is known to ± `precision` of it.
    """

    rounds: int = 7
    seconds: float = 0.3
    choice: float = 2.0
    most: int = 60
    precision: float = 0.01


LEAST_STEPS = 8
"""So many steps a round at least, however long they take: what a call costs beside its steps is for many of them in a run."""
QUICK = Budget(rounds=3, seconds=0.1, choice=0.5, most=3)


@dataclass
class Row:
    """A contender with a number of replicates. `seconds` is per step and replicate, one entry a round from the first on."""

    contender: str
    replicates: int
    out: str = ""
    about: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    steps: int = 0
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """The same, in seconds of processor time, all cores together."""
    first_step: float = 0.0
    memory: int = 0
    parameters: int = 0


@dataclass
class Measured:
    """A workload's rows; `ceiling` is the rate of matrix products in operations a second, one entry a round."""

    workload: str
    flops: int
    parameters: int
    planned: dict[str, int]
    """The bytes that `dlspec plan` expects, by the number of replicates."""
    rows: list[Row] = field(default_factory=list)
    ceiling: list[float] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def measure(workload: Workload, names: Sequence[str], counts: Sequence[int], budget: Budget) -> Measured:
    """All contenders on one workload, with each number of replicates; all rounds alternate."""
    from dlspec.spec.passes.cost import cost
    from dlspec.spec.passes.memory import PROCESS_BYTES, memory

    from .dlspec_run import resolved

    program = resolved(workload, 1)
    found = cost(program)
    planned = {str(count): PROCESS_BYTES + memory(program, replicates=count) for count in counts}
    measured = Measured(workload.name, found.step, found.parameters, planned)
    with tempfile.TemporaryDirectory() as folder:
        _fill(measured, workload, names, counts, budget, Path(folder) / "sample.npz")
    return measured


def _fill(
    measured: Measured, workload: Workload, names: Sequence[str], counts: Sequence[int], budget: Budget, sample: Path
) -> None:
    workers: list[tuple[Row, Worker]] = []
    try:
        ceiling = Worker(workload.name, CEILING.name, 1)
        workers.append((Row(CEILING.name, 1), ceiling))
        products = max(1, round(budget.seconds / ceiling.train(3)[0] * 3))
        for count in counts:
            for contender in entered(workload, count, list(names)):
                row = Row(contender.name, count)
                measured.rows.append(row)
                worker = _started(row, contender, workload, budget, sample, measured.parameters)
                if worker is not None:
                    workers.append((row, worker))
        _rounds(measured, workers, budget, products)
        for row, worker in workers:
            if not row.out:
                row.memory = int(worker.ask(do="memory")["bytes"])
    finally:
        for _, worker in workers:
            worker.end()


def _rounds(measured: Measured, workers: Sequence[tuple[Row, Worker]], budget: Budget, products: int) -> None:
    """Round after round, in each of which all train in turn; after the first few, dlspec and the rivals still in question."""
    rows = {(row.contender, row.replicates): vars(row) for row in measured.rows}
    asked = set(rows)
    for turn in range(budget.most):
        if turn >= budget.rounds:
            # Who rests does not come back: a row's rounds are counted from the first.
            asked &= in_question(rows, budget.precision)
        if not asked:
            return
        for row, worker in workers:
            rests = row.contender not in (CEILING.name, "dlspec") and (row.contender, row.replicates) not in asked
            if row.out or rests:
                continue
            try:
                if row.contender == CEILING.name:
                    measured.ceiling.append(products * 2 * 2048**3 / worker.train(products)[0])
                else:
                    took, cpu = worker.train(row.steps)
                    row.seconds.append(took / row.steps / row.replicates)
                    row.cpu.append(cpu / row.steps / row.replicates)
            except Out as fault:
                row.out = str(fault)


def _started(
    row: Row, contender: Contender, workload: Workload, budget: Budget, sample: Path, parameters: int
) -> Worker | None:
    """A contender's process, warmed up and seen to do the same work; None where it is out, and the row says why."""
    if find_spec(contender.package) is None:
        row.out = f"not installed: {contender.package}"
        return None
    worker = None
    try:
        worker = Worker(workload.name, contender.name, row.replicates)
        row.versions, row.parameters, row.first_step = (
            worker.about["versions"], int(worker.about["parameters"]), worker.first_step,
        )  # fmt: skip
        if row.parameters != parameters:
            raise Out(f"not the same work: {row.parameters:,} weights instead of {parameters:,}")
        if row.replicates == 1:
            if contender.name == "dlspec":
                worker.ask(do="sample", path=str(sample))
            elif sample.exists() and (fault := worker.ask(do="check", path=str(sample))["fault"]):
                raise Out(f"not the same work: {fault}")
        row.about = worker.about["form"] or worker.ask(do="choose", seconds=budget.choice)["chose"]
        row.steps = _steps(worker, budget.seconds)
    except Out as fault:
        row.out = str(fault)
        if worker is not None:
            worker.end()
        worker = None
    told = row.out or f"first step after {row.first_step:.1f} s, then {row.steps} steps a round {row.about}"
    print(f"  {workload.name}, {row.replicates} replicates, {contender.name}: {told}", file=sys.stderr, flush=True)
    return worker


def _steps(worker: Worker, seconds: float) -> int:
    """How many steps take so long; the program for that many is then compiled, where it depends on it."""
    steps = 1
    while True:
        worker.train(steps)
        took = min(worker.train(steps)[0] for _ in range(2))
        if took >= seconds / 4:
            break
        steps *= max(2, min(16, int(seconds / 4 / max(took, 1e-6))))
    steps = max(LEAST_STEPS, round(steps * seconds / took))
    worker.train(steps)
    return steps
