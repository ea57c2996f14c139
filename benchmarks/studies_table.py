"""The written table of whole studies: from the raw numbers of `benchmarks.whole_studies` to a section of `docs/benchmarks.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .spread import Spread

HEAD = """## Whole studies

The times are from the start of the command to its end: imports, compilation, training, evaluations, figures and the report, with
an empty store and an empty cache of programs. `make studies` measures this table again.

- **JAX by hand** is `benchmarks/jax_sweeps.py`: `jit` of a `scan`, and `vmap` over points and replicates. Each replicate's examples
  are drawn once for all points. It neither evaluates nor draws figures, and stores nothing.
- **Seconds** are the median of the rounds, with the least and the most. A **ratio** is taken in each round; the table shows the
  median.
- **XLA** is how many programs dlspec compiled: one for training and one for evaluations, if one serves all cells.
"""


def section(data: Mapping[str, Any]) -> str:
    """The table of the numbers."""
    m = data["machine"]
    rounds = min(len(study["times"]["dlspec"]["seconds"]) for study in data["studies"])
    measured = f"Measured on {data['date']}, {rounds} rounds in turn: {m['processor']}, {m['cores']} cores, {m['memory']:.0f} GiB; load {m['load']:.1f} before."
    lines = [
        HEAD,
        f"{measured}\n",
        "| study | dlspec | before | JAX by hand | before / dlspec | JAX / dlspec | memory, dlspec | memory / before | XLA |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        *map(row, data["studies"]),
    ]
    if data["before"]:
        lines += [f"\nBefore: {data['before']}."]
    return "\n".join(lines) + "\n"


def row(study: Mapping[str, Any]) -> str:
    """The line of a study."""
    times = study["times"]
    own = times["dlspec"]
    memory, before = max(own["memory"]), times.get("before")
    cells = [
        f"{_words(study['commands'])}: {study['title']}",
        *(_seconds(times[name]["seconds"]) if name in times else "" for name in ("dlspec", "before", "jax")),
        *(_ratio(times[name]["seconds"], own["seconds"]) if name in times else "" for name in ("before", "jax")),
        f"{memory:,.0f} MiB",
        f"{memory / max(before['memory']):.2f}" if before else "",
        str(max(own["programs"])),
    ]
    return f"| {' | '.join(cells)} |"


def _words(commands: Sequence[str]) -> str:
    return f"`{commands[0]}`" if len(commands) == 1 else f"`{commands[0]}` and {len(commands) - 1} more"


def _seconds(values: Sequence[float]) -> str:
    spread = Spread.of(list(values))
    return f"{spread.middle:.1f} s ({min(values):.1f} to {max(values):.1f})"


def _ratio(theirs: Sequence[float], own: Sequence[float]) -> str:
    """How many times as long theirs took, round by round, and then the median."""
    return f"{Spread.of([a / b for a, b in zip(theirs, own, strict=True)]).middle:.2f}"
