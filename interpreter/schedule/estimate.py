"""Estimates a run in advance: shapes, costs, memory and expected time of every cell. Needs no TensorFlow.

The expected time is a rough one, for choosing between minutes and hours: how fast this machine multiplies matrices is
measured in a fraction of a second, and the rest is a rule that `RULE` states.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from dlspec.spec.ir import terms as t
from dlspec.spec.ir.plan import Program, StudyPlan
from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.counted_work import Cost
from dlspec.spec.passes.digests import Digests
from dlspec.spec.passes.jacobians import told_apart
from dlspec.spec.passes.memory import PROCESS_BYTES, memory
from dlspec.spec.passes.print_network import shapes
from dlspec.spec.passes.program_roots import statistics_of
from dlspec.spec.passes.shared_borders import Border, borders, shared_borders
from dlspec.spec.tables.gradient_statistics import GRADIENT_STATISTICS

from ..backend.jit_policy import uses_xla
from ..results.number_text import size
from .batching import cells_side_by_side, max_replicates_per_batch

FORMAT_VERSION = 1
DRAW_OPERATIONS = 100
"""Operations of drawing one number: twenty rounds of Threefry, and the inverse of a distribution function."""
STEP_SECONDS = {"xla": 3e-5, "graph": 1e-3}
"""What a step takes beside its arithmetic."""
COMPILE_SECONDS = {"xla": 4.0, "graph": 3.0}
EFFICIENCY = {"xla": 0.25, "graph": 0.7}
"""Which share of the measured rate training reaches, on all cores: dense networks under XLA, convolutions as a graph."""
RULE = (
    "expected time: {rate:.3g} GFLOP/s measured on products of 64 × 64 matrices on one core, of which training reaches on each core "
    "a quarter under XLA and 70 % in convolutions as a graph; plus "
    "100 operations for each number drawn, 0.03 ms a step under XLA or 1 ms as a graph, and 3 to 4 s to compile; cells side by side "
    "draw and compile once, and share that time. "
    "Accurate to a factor of about three."
)


@dataclass(frozen=True)
class Row:
    """A cell: all its replicates, side by side. `beside` is how many cells, this one with them, share its compiled program; `seconds` its share of their time.

    `begins` are the phases that it does not train itself: those up to the border from which it goes on where another cell leads to.
    `of_equal` is how many of its replicates are those of a cell before it that is the same but for its names.
    """

    program: Program
    networks: dict[str, str]
    cost: Cost
    memory: int
    compiled: str
    seconds: float
    stored: int
    beside: int = 1
    begins: Border | None = None
    of_equal: int = 0

    @property
    def to_run(self) -> int:
        """How many replicates have no stored results, and are not those of another cell."""
        return self.program.replicates - max(self.stored, self.of_equal)

    @property
    def warnings(self) -> list[str]:
        """What takes more memory than it may have to: gradients of each example by weights, in a loss."""
        texts = (
            f"the loss '{loss}' takes a derivative by `{weights}` of each example: {size(held)} a replicate; "
            "`B(gradient(…))` takes one for the batch"
            for loss, weights, held in told_apart(self.program)
        )
        return list(dict.fromkeys(texts))


def calibrate(side: int = 64, seconds: float = 0.2) -> float:
    """How many operations a second one core makes in products of float32 matrices, at its best: others may use it too."""
    a = np.ones((side, side), np.float32)
    many = 20
    end, best = time.perf_counter() + seconds, float("inf")
    while time.perf_counter() < end:
        begin = time.perf_counter()
        for _ in range(many):
            a @ a
        best = min(best, time.perf_counter() - begin)
    return 2 * many * side**3 / best


def stored_replicates(plan: StudyPlan, root: Path, device: str, warn: Callable[[str], None]) -> dict[str, int]:
    """How many replicates of each program a store holds with all that is asked, by the program's name. Raises StoreError.

    The store is looked at and not changed: it may be one that can only be read. `warn` is told what is damaged in it.
    """
    if not (root / "index.sqlite").exists():
        return {}
    from ..store.read_only import ReadStore
    from ..store.requests import requests_of

    asked = [(item, replicate) for item in requests_of(plan, device) for replicate in range(item.program.replicates)]
    counts: dict[str, int] = {}
    with ReadStore(root, warn) as store:
        for (item, _), cell in zip(asked, store.find(asked), strict=True):
            counts[item.program.name] = counts.get(item.program.name, 0) + (cell is not None)
    return counts


def rows(plan: StudyPlan, stored: Mapping[str, int], rate: float, device: str = "cpu") -> list[Row]:
    """A row for each cell of a study; `stored` as `stored_replicates` counts."""
    equal = replicates_of_equals(plan, device)
    estimates: list[Row] = []
    for experiment in plan.experiments:
        trained = [one for one in experiment.programs if equal.get(one.name, 0) < one.replicates]
        counts = dict(zip(map(id, trained), cells_side_by_side(trained, device), strict=True))
        own = []
        for program in experiment.programs:
            beside, share = counts.get(id(program), 1), 1 if id(program) in counts else 0
            form = "xla" if uses_xla(program, device) else "graph"
            own.append(
                Row(
                    program, {network.name: shapes(network) for network in program.networks}, cost(program),
                    memory(program, replicates=at_once(program, device)), form, share * expected_seconds(program, form, rate, beside) / beside,
                    stored.get(program.name, 0), beside, of_equal=equal.get(program.name, 0),
                )
            )  # fmt: skip
        estimates += _going_on(own, device)
    return estimates


def replicates_of_equals(plan: StudyPlan, device: str) -> dict[str, int]:
    """How many replicates of programs are those of one before that asks for the same, by the program's name: they are run once."""
    from ..store.requests import requests_of

    asked: dict[str, int] = {}
    shared: dict[str, int] = {}
    for request in requests_of(plan, device):
        program, before = request.program, asked.get(request.base, 0)
        if before:
            shared[program.name] = min(before, program.replicates)
        asked[request.base] = max(before, program.replicates)
    return shared


def _going_on(cells: Sequence[Row], device: str) -> list[Row]:
    """The same, where cells that are equal up to a border are trained so far once, by the first of them."""
    digests = Digests()
    chains = {
        row.program.name: [
            replace(one, key=f"{one.key} {row.program.replicates} {row.compiled}")
            for one in borders(row.program, digests, device)
        ]
        for row in cells
        if len(cells) > 1 and row.to_run == row.program.replicates
    }
    shared, led, after = shared_borders(chains), set[str](), list[Row]()
    for row in cells:
        chain = shared.get(row.program.name, ())
        begins = next((one for one in reversed(chain) if one.key in led), None)
        led.update(one.key for one in chain)
        if begins is not None and (plan := row.program.training) is not None:
            compiling = COMPILE_SECONDS[row.compiled] / row.beside
            left = (row.seconds - compiling) * (1 - begins.step / plan.steps)
            row = replace(row, seconds=compiling + left, begins=begins)
        after.append(row)
    return after


def at_once(program: Program, device: str) -> int:
    """How many of a program's replicates are in memory at once: all, or as many batches as run at once where there are more."""
    cores = os.cpu_count() or 1 if device == "cpu" else 1
    return min(program.replicates, cores * max_replicates_per_batch(program, device))


def expected_seconds(program: Program, form: str, rate: float, cells: int = 1) -> float:
    """The rule of the expected time: training, evaluations, compilation, of so many cells of a form side by side."""
    found = cost(program)
    plan = program.training
    reached = rate * EFFICIENCY[form] * (os.cpu_count() or 1)
    drawn = DRAW_OPERATIONS * _drawn(program)
    evaluations = len(plan.evaluations) if plan else 1
    forward = found.forward or program.network_flops
    work = program.evaluated("test") * (cells * forward + drawn) + cells * _differentiated(program) * (
        3 * forward + drawn
    )
    measured = evaluations * work * program.replicates / reached
    trained = 0.0
    if plan is not None:
        step = (cells * found.step + drawn * plan.largest_batch) * program.replicates / reached
        trained = plan.steps * (step + STEP_SECONDS[form])
    return trained + measured + COMPILE_SECONDS[form]


LANCZOS_ROUNDS = 20
"""So often a vector is multiplied for an eigenvalue, more or less."""


def _differentiated(program: Program) -> int:
    """Of how many examples gradients are taken at one evaluation, all targets together."""
    statistics = statistics_of(program)
    asked = sum(term.examples * max(1, term.draws) * _products(term) for term in statistics)
    values = [item for measure in program.measures for item in t.walk(measure.term) if isinstance(item, t.Gradient)]
    return asked + len(values) * program.evaluated("test")


def _products(term: t.GradientStatistic) -> int:
    """How many passes over its examples a statistic makes, each of two backward passes where it is of second derivatives."""
    if not GRADIENT_STATISTICS[term.statistic].symmetric:
        return 1
    width = max(term.options.get("largest", 0), term.options.get("smallest", 0))
    return 2 * int(term.options.get("probes", LANCZOS_ROUNDS * width))


def _drawn(program: Program) -> int:
    """How many numbers one example draws."""
    samples = [item for named in program.examples for item in t.walk(named.term) if isinstance(item, t.Sample)]
    return sum(prod(sample.type.shape) for sample in samples)


# -- memory ------------------------------------------------------------------------------------------------------------


def available_memory() -> int:
    """The bytes that a process can have here: what is free, within what the container is allowed."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path, name in (("/proc/meminfo", "MemAvailable:"), ("/sys/fs/cgroup/memory.max", "")):
        try:
            text = Path(path).read_text("ascii")
        except OSError:
            continue
        if name:
            found += [int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith(name)]
        elif text.strip().isdigit():
            found.append(int(text))
    return min(found)


def refusal(row: Row, limit: int) -> str:
    """Why a cell would not fit in so much memory, and what would; empty where it fits."""
    room = limit - PROCESS_BYTES
    if row.memory <= room:
        return ""
    program = row.program
    text = (
        f"{program.name} needs about {size(row.memory)} in addition to TensorFlow's {size(PROCESS_BYTES)}, "
        f"and only {size(limit)} is available"
    )
    fits = []
    plan = program.training
    if plan is not None:
        batch = _largest(plan.largest_batch, lambda count: memory(program, batch=count) <= room)
        if batch:
            fits.append(f"A batch of {batch:,} would fit (it is {plan.largest_batch:,})")
    count = _largest(program.replicates, lambda some: memory(program, replicates=some) <= room)
    if count and count < program.replicates:
        fits.append(
            f"{count:,} {'replicate' if count == 1 else 'replicates'} would fit (there are {program.replicates:,})"
        )
    return text + ". " + ("; ".join(fits) if fits else "Neither a batch of 1 nor one replicate would fit") + "."


def _largest(most: int, fits: Any) -> int:
    """The largest count up to a bound that fits, by bisection; 0 when none does."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


# -- text --------------------------------------------------------------------------------------------------------------


def plan_data(plan: StudyPlan, estimates: Sequence[Row], rate: float, refused: Sequence[str]) -> dict[str, Any]:
    """What `dlspec plan --json` prints."""
    cells = [
        {
            "experiment": row.program.experiment, "variant": row.program.variant, "constants": dict(row.program.point),
            "digest": row.program.digest, "dtype": row.program.dtype, "networks": row.networks, "parameters": row.cost.parameters,
            "forward_flops": row.cost.forward, "step_flops": row.cost.step,
            "steps": row.program.training.steps if row.program.training else 0, "replicates": row.program.replicates,
            "memory": row.memory, "seconds": round(row.seconds, 3), "compiled": row.compiled, "side_by_side": row.beside, "stored": row.stored,
            "equal": row.of_equal, "begins_at": row.begins.step if row.begins is not None else 0, "warnings": row.warnings,
        }
        for row in estimates
    ]  # fmt: skip
    return {
        "format_version": FORMAT_VERSION, "study": plan.name, "profile": plan.profile or None,
        "flops_per_second": round(rate), "process_memory": PROCESS_BYTES, "cells": cells, "refused": list(refused),
    }  # fmt: skip
