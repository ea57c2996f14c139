"""Whole studies, from the command to the report: this dlspec, another one, and JAX by hand, in turn.

`python -m benchmarks.whole_studies [--before DLSPEC] [--jax PYTHON] [--rounds N] [NAME …]` prints a table in Markdown. Each command begins with an empty store
and an empty cache of what XLA compiled. `--before` is the command of another version's environment, `--jax` a Python with JAX and Optax.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from .workloads import ROOT


@dataclass(frozen=True)
class Study:
    """A study as a command, and the sweep of `jax_sweeps` that does the same."""

    arguments: tuple[str, ...]
    jax: str = ""


STUDIES = {
    "initial_bias": Study(("examples/flat.yaml", "--only", "initial_bias"), "initial_bias"),
    "rates": Study(("benchmarks/sweeps/rates.yaml",), "rates"),
    "margins": Study(("benchmarks/sweeps/margins.yaml",), "margins"),
    "flat": Study(("examples/flat.yaml",)),
    "quick": Study(("examples/flat.yaml", "--profile", "quick")),
}


@dataclass
class Times:
    """Seconds of whole processes, a round each, and the most memory of any, in MiB."""

    seconds: list[float] = field(default_factory=list)
    memory: float = 0.0

    def __str__(self) -> str:
        if not self.seconds:
            return ""
        middle, low, high = statistics.median(self.seconds), min(self.seconds), max(self.seconds)
        return f"{middle:.1f} s ({low:.1f} to {high:.1f}), {self.memory:,.0f} MiB"


def main() -> int:
    """Measures, and prints the table."""
    parser = argparse.ArgumentParser(description="Whole studies, timed in turn.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(STUDIES))
    parser.add_argument("--before", help="the command of another version")
    parser.add_argument("--jax", help="a Python with JAX and Optax")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if unknown := set(given.names) - set(STUDIES):
        parser.error(f"there is no study {', '.join(sorted(unknown))}; there are {', '.join(STUDIES)}")
    print("| study | dlspec | before | JAX by hand | before / dlspec | JAX / dlspec |")
    print("|---|---|---|---|---:|---:|")
    for name in given.names or STUDIES:
        own = _contenders(STUDIES[name], given.before, given.jax)
        times = {contender: Times() for contender in own}
        for _ in range(given.rounds):
            for contender, command in own.items():
                _time(command, times[contender])
        cells = [str(times.get(contender, Times())) for contender in ("dlspec", "before", "jax")]
        ratios = [_ratio(times, contender) for contender in ("before", "jax")]
        print(f"| {name} | {' | '.join([*cells, *ratios])} |", flush=True)
    return 0


def _contenders(study: Study, before: str | None, jax: str | None) -> dict[str, list[str]]:
    here = str(Path(sys.executable).with_name("dlspec"))
    found = {"dlspec": [here, "run", *study.arguments]}
    if before is not None:
        found["before"] = [before, "run", *study.arguments]
    if jax is not None and study.jax:
        found["jax"] = [jax, "-m", "benchmarks.jax_sweeps", study.jax]
    return found


def _time(command: list[str], times: Times) -> None:
    """One run of a command, with nothing left of any before."""
    with tempfile.TemporaryDirectory() as folder:
        more = ["--runs", folder] if command[1] == "run" else []
        environment = {**os.environ, "XDG_CACHE_HOME": folder}
        said = Path(folder) / "said.txt"
        with said.open("w") as stream:
            begin = time.perf_counter()
            process = subprocess.Popen([*command, *more], cwd=ROOT, env=environment, stdout=stream, stderr=stream)
            _, status, used = os.wait4(process.pid, 0)
            times.seconds.append(time.perf_counter() - begin)
        if os.waitstatus_to_exitcode(status) not in (0, 1):  # 1: a claim fails
            raise RuntimeError(f"{' '.join(command)} failed: {said.read_text()[-500:]}")
    times.memory = max(times.memory, used.ru_maxrss / 1024)


def _ratio(times: dict[str, Times], contender: str) -> str:
    """The median of the ratios, round by round."""
    if contender not in times:
        return ""
    pairs = zip(times[contender].seconds, times["dlspec"].seconds, strict=True)
    return f"{statistics.median(other / own for other, own in pairs):.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
