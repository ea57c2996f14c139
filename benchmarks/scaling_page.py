"""The page `docs/scaling_measured.md`: each series with its figure, its slope and why it has it; then arithmetic on paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.spec.passes.cost import cost
from dlspec.spec.passes.memory import memory

from .dlspec_run import resolved
from .spread import Spread
from .table import time_in_words
from .workloads import WORKLOADS

HEAD = """# Scaling

This page shows how time grows with one quantity at a time, on log-log axes. `make scaling` measures it again.

- **Slopes.** A slope of 1 is proportional growth, 2 is quadratic, 0 is none. Slopes are least squares on the medians of
  the upper half of the points, because fixed costs weigh on the lower half.
- **Rounds.** Points are measured in turn, seven rounds. Bars are quartiles.
"""

WHY = {
    "dimension": (
        "Random parities of d bits, 10 d hidden units, batch 128, one replicate",
        """The products of a step take about 2 · 2 · 128 · 10 d² operations, and the first layer has 10 d² weights to update: slope 2.
The measured slope nears 2 from below, and is largest over the last doubling. Small networks are far from it:

- The turn of a loop and small operations do not depend on d.
- Drawing 128 · d coin tosses has slope 1.
- Larger matrices are multiplied nearer to the machine's ceiling, especially once XLA spreads a product over the cores.
""",
    ),
    "batch": (
        "Random parities, d = 30, one replicate",
        """Examples, products and their gradients are proportional to the batch: slope 1. The update of the 9,601 weights and the turn of
the loop are not. They are the cost of small batches.

The slope is below 1 because XLA computes small products on one core and larger ones on all. Where it begins to do so, a batch
twice as large takes hardly longer.
""",
    ),
    "replicates": (
        "Random parities, d = 30, batch 128; all replicates of a core in one program",
        """Each replicate has weights and examples of its own, so the work is proportional: slope 1 once the cores are full.

- Two replicates take no longer than one, because each core has its own.
- From there on each replicate costs the same, and less than half of what it costs alone.
- The slope rises above 1 once the layers of all replicates together, about 0.6 MB each, leave the processor's cache. A replicate
  among 256 costs twice what one among 16 does.

`dlspec run` therefore puts no more replicates side by side than fit in the cache: 4 MiB of what a step keeps of them. It trains
such parts one after the other (`interpreter/schedule/batching.py`).
""",
    ),
    "points": (
        "The cell of the tiny study, one weight matrix of 4, batch 16, at several learning rates in one program; one replicate",
        """The examples of a step are the same at each point and are drawn once, and the cost of a loop's turn is fixed. As long as these
outweigh the few operations of the points, one more point is free: slope 0. From there on each point costs the same: slope 1.
The bend of the curve shows how many points are worth training side by side. `dlspec plan` says how many are.
""",
    ),
    "cells": (
        "A tiny study of one weight matrix of 4, 10 steps a cell, swept over its learning rate; `dlspec run` from its start to its end",
        """One cell costs the start: Python, TensorFlow's import and compiling the shapes. Each further cell costs its checking, its claim,
its training and its entry in the store. The slope therefore nears 1 from below as the start weighs less.

When all cells are stored, a run only resolves the study, looks into the store, and writes its folder with the report. TensorFlow
is not loaded.
""",
    ),
    "jobs": (
        "Eight programs of unlike shapes (d = 52 to 66), one replicate, 10,000 steps each; `dlspec run -j` from its start to its end",
        """Programs that cannot share a compilation run in threads, because TensorFlow does not hold the interpreter's lock while it
computes. The slope would be -1 if the programs had nothing in common. They share TensorFlow's import and the cores. More
programs than cores gain nothing, nor do programs whose products already use both cores.
""",
    ),
}

GPU = {"name": "NVIDIA H100 SXM", "bytes": 80e9, "operations": 67e12, "bandwidth": 3.35e12}
"""Its data sheet: memory, float32 operations a second outside tensor cores, bytes a second to and from memory."""


def page(data: Mapping[str, Any], fitted: Mapping[str, tuple[tuple[float, float, int], Any]]) -> str:
    """The whole page; `fitted` holds slope, factor and first fitted point of each series, and the series."""
    m = data["machine"]
    packages = ", ".join(
        f"{name} {held}" for name, held in data["versions"].items() if name in ("dlspec", "tensorflow")
    )
    parts = [
        HEAD,
        f"Measured on {data['date']}: {m['processor']}, {m['cores']} cores, {m['memory']:.0f} GiB, {m['system']}, "
        f"Python {m['python']}; {packages}. The load of the machine was {m['load']:.1f} before.\n",
        _slopes(fitted),
        *(_series(name, fitted) for name in WHY if name in fitted),
        _gpu(),
        _million(fitted),
    ]
    return "\n".join(parts)


def _slopes(fitted: Mapping[str, Any]) -> str:
    lines = ["| time of | against | slope | from |", "|---|---|---:|---:|"]
    for (slope, _, begin), series in fitted.values():
        lines.append(f"| {series.unit} | {series.quantity} | {slope:.2f} | {begin:,} on |")
    return "\n".join(lines) + "\n"


def _series(name: str, fitted: Mapping[str, Any]) -> str:
    what, why = WHY[name]
    (slope, _, begin), series = fitted[name]
    lines = [
        f"## {series.quantity[0].upper()}{series.quantity[1:]}\n",
        f"{what}.\n",
        f"![{series.quantity}](figures/scaling_{name}.png)\n",
    ]
    others = [fitted["cells_stored"][1]] if name == "cells" else []
    lines += [
        f"| {series.quantity} | " + " | ".join(one.unit for one in (series, *others)) + " |",
        "|---:|" + "---:|" * (1 + len(others)),
    ]
    for place, at in enumerate(series.at):
        times = [time_in_words(Spread.of(one.seconds[place])) for one in (series, *others)]
        lines.append(f"| {at:,} | " + " | ".join(times) + " |")
    told = f"Slope **{slope:.2f}** from {begin:,} on."
    if others:
        told += f" With everything stored the slope is {fitted['cells_stored'][0][0]:.2f}."
    if series.left_out:
        told += f" Not measured: {series.left_out}."
    return "\n".join([*lines, "", told, "", why])


def _gpu() -> str:
    """What one graphics card would hold, from the plan's count of bytes and operations."""
    lines = [
        "## One graphics card, on paper\n",
        "Nothing below was measured. The table shows how many replicates fit on one card, and the most steps of a replicate a second. "
        "It is calculated from the plan's count of bytes and operations and from the data sheet of an "
        f"{GPU['name']} ({GPU['bytes'] / 1e9:.0f} GB, {GPU['operations'] / 1e12:.0f} TFLOP/s in float32, {GPU['bandwidth'] / 1e12:.2f} TB/s).\n",
        "- **By arithmetic**: the bound from the operations of a step.",
        "- **By memory's speed**: the bound from what a step reads and writes. The state counts once each way, and so do a batch's values.\n",
        "The smaller of the two numbers is the bound.\n",
        "| workload | a replicate | replicates that fit | by arithmetic | by memory's speed |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, workload in WORKLOADS.items():
        program = resolved(workload, 1)
        assert program.training is not None
        found, each = cost(program), memory(program)
        moved = 2 * (found.state_bytes + program.training.largest_batch * found.example_bytes / 2)
        fast, wide = GPU["operations"] / found.step, GPU["bandwidth"] / moved
        lines.append(f"| {name} | {each / 1e6:.1f} MB | {int(GPU['bytes'] / each):,} | {_rate(fast)} | {_rate(wide)} |")
    return "\n".join(lines) + "\n"


def _rate(value: float) -> str:
    return f"{float(f'{value:.2g}'):,.0f} steps/s"


def _pace(series: Any) -> float:
    """The seconds of one cell more, between the last two points: without what a run's start takes."""
    (first, last), (few, many) = series.at[-2:], (Spread.of(one).middle for one in series.seconds[-2:])
    return (many - few) / (last - first)


def _million(fitted: Mapping[str, Any]) -> str:
    series, stored = fitted["cells"][1], fitted["cells_stored"][1]
    last, seconds = series.at[-1], Spread.of(series.seconds[-1]).middle
    each, again = _pace(series), _pace(stored)
    return f"""## A sweep of a million cells, planned

- **What it costs here.** {last:,} tiny cells took {seconds:,.0f} s, each of the last ones {each * 1e3:.1f} ms. At that pace a
  million take {each * 1e6 / 3600:,.1f} hours in one process, and a run with all of them stored {again * 1e6 / 60:,.0f} minutes.
- **Replicates before cells.** Replicates of a cell are one program, one claim and one pass of the cores. If 100 of a million
  trainings each are replicates of a cell, there are 10,000 programs.
- **Shapes before values.** Cells that differ only in values (seeds, draws, rates) can share a compilation: sweep those within
  one run. Every shape is compiled separately: split the sweep by shape.
- **Several processes, one store.** Start `dlspec run` of the same file as often as there are cores or machines that see the
  folder of runs. Each process claims what is neither stored nor claimed, and a claim ends with its process. Nothing runs twice.
- **In parts.** A sweep can be stopped at any time and run in parts (`--only`, `-o` on the swept constant). Starting it again
  costs only the look-up in the store.
- **Before it starts**, `dlspec plan` counts cells, memory and time without TensorFlow.
"""
