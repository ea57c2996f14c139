"""The written table: from the raw numbers of a run to `docs/benchmarks.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .contenders import CONTENDERS
from .spread import Rows, Spread, best, ratio
from .workloads import WORKLOADS, Workload

HEAD = """# Benchmarks

`make bench` measures this page again. `benchmarks/` holds the rivals: programs that do the same work as the example files.
"""

METHOD = """## How it is measured

### What runs

- dlspec runs the example file itself, resolved as `dlspec run` resolves it, with the program that `run` trains. The command
  of each cell is above its table.
- A rival has the same widths, batch, loss and optimiser, and makes new examples at every step if the study does. Keras'
  `fit` is fed batches that were made before and are not timed, which is in its favour.
- Before anything is timed, each rival is given dlspec's weights and a batch of dlspec's examples. A rival is out if its
  loss, the norm of its gradient or its number of weights is not the same. Its row says so.
- TensorFlow uses oneDNN in all of its rows (`TF_ENABLE_ONEDNN_OPTS=1`), as it does for dlspec. Its own default is Eigen on
  processors without instructions for 8-bit networks. With Eigen, convolutions took 3.5 times as long.
- XLA's vectors have the same width in all rows, including JAX's, as they have for dlspec
  (`--xla_cpu_prefer_vector_width=512`; its own default is 256).
- dlspec checks at every step whether each replicate's loss is finite. The rivals have each step's loss, as training loops
  do; under XLA, values that nobody uses are not computed.
- In the allocation the input is a one-hot vector. dlspec looks its rows up, and so do the rivals that are written by hand.
  Keras' `fit` multiplies, as its layers do. No products are left, so the share of the ceiling says nothing there.
- Replicates are trained side by side if a rival's framework can do so. The other rivals are marked "one after another":
  their time per step and replicate is that of one replicate.

### How it is timed

- Each contender is a process of its own, warmed up. Then come rounds: in each, every contender trains in turn for about
  the same time, while all others are stopped. The time is the median over rounds, with the quartiles.
- After seven rounds, dlspec and the rivals that may still be the fastest go on until the best rival's ratio is known to
  ± 1 %, for 60 rounds at most.

### What the columns mean

| column | meaning |
|---|---|
| **Ratio** | The rival's time over dlspec's, taken in each round and then the median, with its interval of 95 %. Above 1, dlspec is faster. |
| **Share** of the ceiling | dlspec's count of a step's operations (`dlspec plan`) over the time and the ceiling. Examples, optimiser and all else lower it. |
| **Ceiling** | How fast this machine multiplies 2048 × 2048 matrices of float32 through TensorFlow, measured in the same rounds. |
| **First step** | The time from the start of the process to the end of the first update: imports and compilation. The process has as many replicates. |
| **Memory** | The most that the process held in RAM. The process has as many replicates. |
"""


LIMIT = """A normal takes 2 ns of a core with vectors of 512 bits, and 3 ns with 256. Half of this time goes into its word of Threefry.
The other half goes into the quantile, which consists of sums and products only: a logarithm that is read off the number's
bits, and one polynomial. If an example is 100 normals for three small layers, as in the staircase, drawing takes about a tenth
of the step, and most of it in the staircase's linear variants.

XLA's loops on a CPU have one output, and each operation that uses a value computes it again. Both words of a block are
therefore computed once for each of the two words. A normal is made only once, because it comes out of a branch that is
always taken.

These alternatives were tried and were no faster:

- both words in one 64-bit value (half as many numbers then fit a register)
- the whole batch as one row
- examples along the innermost axis (the products then take longer)
- examples of the next step carried through the loop (each is copied twice)
- polynomials by Estrin's scheme

Fewer than twenty rounds of Threefry would give other numbers.
"""


def table(data: Mapping[str, Any], *sections: str) -> str:
    """The page of a run's raw numbers, with the sections of whole studies and of long files, where these were measured."""
    parts = [HEAD, _machine(data), _summary(data), *(_workload(item) for item in data["workloads"])]
    if data.get("commands"):
        parts.append(_commands(data["commands"]))
    parts += [text for text in sections if text]
    if data.get("examples"):
        parts.append(_examples(data["examples"], data.get("examples_note")))
    return "\n".join([*parts, METHOD])


def _machine(data: Mapping[str, Any]) -> str:
    m, held = data["machine"], data["versions"]
    packages = ", ".join(f"{name} {version}" for name, version in held.items())
    ceiling = Spread.of([value for item in data["workloads"] for value in item["ceiling"]]).scaled(1e-9)
    note = (
        ""
        if data["budget"]["rounds"] >= 7
        else f" A short trial of {data['budget']['rounds']} rounds: do not read it as a result."
    )
    return (
        f"Measured on {data['date']}: {m['processor']}, {m['cores']} cores, {m['memory']:.0f} GiB, {m['system']}, "
        f"Python {m['python']}; {packages}. The load of the machine was {m['load']:.1f} before.{note} "
        f"Ceiling: {ceiling.middle:.0f} GFLOP/s ({ceiling.low:.0f} to {ceiling.high:.0f}).\n"
    )


def _rows(item: Mapping[str, Any]) -> Rows:
    return {(row["contender"], row["replicates"]): row for row in item["rows"]}


def _several(item: Mapping[str, Any]) -> int:
    return max((row["replicates"] for row in item["rows"]), default=1)


def share(item: Mapping[str, Any], row: Mapping[str, Any]) -> float:
    """The share of the ceiling that a contender reaches, round by round, and then the median."""
    return Spread.of(
        [item["flops"] / seconds / ceiling for seconds, ceiling in zip(row["seconds"], item["ceiling"], strict=False)]
    ).middle


def _summary(data: Mapping[str, Any]) -> str:
    lines = [
        "| workload | replicates | dlspec, a step and replicate | share of the ceiling | best rival | ratio |",
        "|---|---:|---:|---:|---|---:|",
    ]
    for item in data["workloads"]:
        rows = _rows(item)
        for count in sorted({row["replicates"] for row in item["rows"]}):
            own = rows.get(("dlspec", count))
            if own is None or own["out"]:
                lines.append(f"| {item['workload']} | {count} | {own['out'] if own else 'not measured'} | | | |")
                continue
            found = best(rows, count)
            told = ("none", "") if found is None else (CONTENDERS[found[0]].title, _times(found[1]))
            lines.append(
                f"| {item['workload']} | {count} | {time_in_words(Spread.of(own['seconds']))} | {share(item, own):.0%} | {told[0]} | {told[1]} |"
            )
    return "\n".join(lines) + "\n"


def _workload(item: Mapping[str, Any]) -> str:
    workload: Workload = WORKLOADS[item["workload"]]
    rows, several = _rows(item), _several(item)
    counts = [1] if several == 1 else [1, several]
    memory = " and ".join(f"{item['planned'][str(count)] / 2**20:,.0f} MiB" for count in counts)
    lines = [
        f"## {workload.title}\n",
        f"`{workload.command(several)}`: {item['parameters']:,} weights, {_flops(item['flops'])} a step and replicate. "
        f"`plan` expects {memory} of memory with {' and '.join(map(str, counts))} replicates."
        + (f" Measured on {item['date']}; the load was {item['load']:.1f} before." if "date" in item else "")
        + "\n",
        "| | "
        + " | ".join(f"{_count(count)}: a step and replicate | ratio | share | first step | memory" for count in counts)
        + " |",
        "|---|" + "---:|" * (5 * len(counts)),
    ]
    names = list(dict.fromkeys(name for name, _ in rows))
    for name in names:
        title = CONTENDERS[name].title
        about = next((row["about"] for (one, _), row in rows.items() if one == name and row["about"]), "")
        cells = [cell for count in counts for cell in _cells(item, rows, name, count)]
        lines.append(f"| {title}{f' ({about})' if about else ''} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _count(count: int) -> str:
    return "one replicate" if count == 1 else f"{count} replicates"


def _cells(item: Mapping[str, Any], rows: Rows, name: str, count: int) -> list[str]:
    row = rows.get((name, count))
    if row is None:
        return ["one after another", "", "", "", ""]
    if row["out"]:
        return [row["out"].replace("|", "\\|"), "", "", "", ""]
    own = rows.get(("dlspec", count))
    compared = "" if name == "dlspec" or own is None or own["out"] else _times(ratio(row["seconds"], own["seconds"]))
    return [
        time_in_words(Spread.of(row["seconds"])), compared, f"{share(item, row):.0%}", f"{row['first_step']:.1f} s",
        f"{row['memory'] / 2**20:,.0f} MiB",
    ]  # fmt: skip


def _commands(found: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "## From the command to training\n",
        "Seconds from the start of the command to each event, including TensorFlow's import and compilation.\n",
        "| command | training begins | first evaluation | first step done and evaluated |",
        "|---|---:|---:|---:|",
    ]
    for item in found:
        seen = [_seconds(item[name]) for name in ("started", "evaluated", "stepped")]
        lines.append(f"| `{item['command']}` | " + " | ".join(seen) + " |")
    return "\n".join(lines) + "\n"


def _examples(found: Sequence[Mapping[str, Any]], note: str | None) -> str:
    lines = [
        "## What making examples takes\n",
        "The table compares two programs, which run in turn: the training program as it is, and one that makes the examples of one "
        "batch once and uses them at every step. The last column is the share of a step's time that is saved when no examples are made.\n",
        "| workload | replicates | a step and replicate | with examples held | share of the time |",
        "|---|---:|---:|---:|---:|",
    ]
    for item in found:
        made, held = item["made"], item["held"]
        part = Spread.of([1 - b / a for a, b in zip(made, held, strict=True)])
        lines.append(
            f"| {item['workload']} | {item['replicates']} | {time_in_words(Spread.of(made))} | {time_in_words(Spread.of(held))} | "
            f"{part.middle:.0%} ({part.low:.0%} to {part.high:.0%}) |"
        )
    return "\n".join([*lines, "", *([note, ""] if note else []), LIMIT, ""])


def _seconds(spread: Any) -> str:
    return f"{spread:.1f} s" if isinstance(spread, float) else _seconds(Spread.of(spread).middle)


def _times(spread: Spread) -> str:
    """A ratio with its interval."""
    digits = 1 if spread.middle < 9.95 else 0
    if spread.middle < 1.5:
        digits = 2
    return f"{spread.middle:.{digits}f} ({spread.low:.{digits}f} to {spread.high:.{digits}f})"


def time_in_words(spread: Spread) -> str:
    """A time with its quartiles, in the unit that suits it.

    >>> time_in_words(Spread(1.2e-4, 1.1e-4, 1.3e-4))
    '120 µs (110 to 130)'
    """
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        scaled = spread.scaled(factor)
        if scaled.middle >= 1 or unit == "µs":
            digits = 0 if scaled.middle >= 99.5 else 1 if scaled.middle >= 9.95 else 2
            return f"{scaled.middle:.{digits}f} {unit} ({scaled.low:.{digits}f} to {scaled.high:.{digits}f})"
    raise AssertionError


def _flops(count: int) -> str:
    """Operations in three digits.

    >>> _flops(5_011_714), _flops(5_448_791_008)
    ('5.01 MFLOP', '5.45 GFLOP')
    """
    return f"{count / 1e9:.3g} GFLOP" if count >= 1e9 else f"{count / 1e6:.3g} MFLOP"
