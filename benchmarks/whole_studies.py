"""Whole studies, from the command to the report: this dlspec, another one, and JAX by hand, in turn.

`python -m benchmarks.whole_studies [--before DLSPEC --before-is TEXT] [--jax PYTHON] [--rounds N] [NAME …]` measures. Each command begins with an
empty store and an empty cache of what XLA compiled. `--before` is the command of another version's environment, `--jax` a Python with JAX and Optax.
All studies with five rounds or more go into `benchmarks/results/whole_studies.json` and, as a table, into `docs/benchmarks.md`; so do some of them with `--add`,
in the place of what was measured of them before. What is less goes into a trial's files.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .machine import machine, versions
from .process_memory import PeakMemory
from .studies_table import row, section
from .workloads import ROOT

RESULTS = ROOT / "benchmarks" / "results" / "whole_studies.json"
TRIAL = ROOT / "benchmarks" / "results" / "studies_trial"
ROUNDS = 5
"""From so many on a measurement of all studies is written into the page."""


@dataclass(frozen=True)
class Study:
    """A study as one command of `dlspec run` or several, one after the other, and the sweep of `jax_sweeps` that does the same."""

    title: str
    commands: tuple[tuple[str, ...], ...]
    jax: str = ""


def _quick(name: str) -> tuple[str, ...]:
    return (f"examples/{name}.yaml", "--profile", "quick")


STUDIES = {
    "initial_bias": Study(
        "9 starts × 5 replicates × 5,000 steps", (("examples/flat.yaml", "--only", "initial_bias"),), "initial_bias"
    ),
    "rates": Study("12 learning rates × 5 × 10,000 steps", (("benchmarks/sweeps/rates.yaml",),), "rates"),
    "margins": Study("12 margins in the loss × 5 × 10,000 steps", (("benchmarks/sweeps/margins.yaml",),), "margins"),
    "correlation": Study("35 cells × 5, measured only: 5 gains, 7 depths", (("benchmarks/sweeps/correlation.yaml",),)),
    "flat": Study("15 cells × 5", (("examples/flat.yaml",),)),
    "quick": Study("the quick profile", (_quick("flat"),)),
    "four_quick": Study(
        "the quick profiles of the four studies",
        tuple(map(_quick, ("flat", "parities", "decomposition", "conditioning"))),
    ),
}


@dataclass
class Times:
    """Of each round the seconds of whole processes, those that their threads computed, the most memory in MiB, and how many programs XLA compiled."""

    seconds: list[float] = field(default_factory=list)
    computed: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    programs: list[int] = field(default_factory=list)


def main() -> int:
    """Measures, and writes the numbers and the table, after each study."""
    given = _arguments()
    if given.table:
        _write_page(json.loads(RESULTS.read_text("utf-8")))
        return 0
    whole = (given.add or not given.names) and given.rounds >= ROUNDS and bool(given.before and given.jax)
    data: dict[str, Any] = {
        "format_version": 1, "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "versions": versions(), "before": given.before_is,
        "studies": json.loads(RESULTS.read_text("utf-8"))["studies"] if given.add else [],
    }  # fmt: skip
    for name in given.names or STUDIES:
        study = STUDIES[name]
        own = _contenders(study, given.before, given.jax)
        times = {contender: Times() for contender in own}
        for _ in range(given.rounds):
            for contender, commands in own.items():
                _time(commands, times[contender])
        measured = {contender: asdict(found) for contender, found in times.items()}
        commands = [" ".join(("dlspec run", *words)) for words in study.commands]
        now = {"name": name, "title": study.title, "commands": commands, "times": measured}
        data["studies"] = in_order([one for one in data["studies"] if one["name"] != name] + [now])
        print(row(now), flush=True)
        results = RESULTS if whole else TRIAL.with_suffix(".json")
        results.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")
    if whole:
        _write_page(data)
    else:
        TRIAL.with_suffix(".md").write_text(section(data), "utf-8")
        print(TRIAL.with_suffix(".md"))
    return 0


def in_order(measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Studies in the order of the table."""
    places = {name: place for place, name in enumerate(STUDIES)}
    return sorted(measured, key=lambda one: places[one["name"]])


def _write_page(data: dict[str, Any]) -> None:
    """The page of the benchmarks' numbers that are there, with these studies."""
    from .__main__ import PAGE
    from .__main__ import RESULTS as BENCHMARKS
    from .long_files import measured_files
    from .table import table

    PAGE.write_text(table(json.loads(BENCHMARKS.read_text("utf-8")), section(data), measured_files()), "utf-8")
    print(PAGE)


def measured_studies() -> str:
    """The table of the studies that were measured last; nothing where none were."""
    return section(json.loads(RESULTS.read_text("utf-8"))) if RESULTS.is_file() else ""


def _contenders(study: Study, before: str | None, jax: str | None) -> dict[str, list[list[str]]]:
    here = str(Path(sys.executable).with_name("dlspec"))
    found = {"dlspec": [[here, "run", *words] for words in study.commands]}
    if before is not None:
        found["before"] = [[before, "run", *words] for words in study.commands]
    if jax is not None and study.jax:
        found["jax"] = [[jax, "-m", "benchmarks.jax_sweeps", study.jax]]
    return found


def _time(commands: list[list[str]], times: Times) -> None:
    """One run of each command, with nothing left of any before."""
    seconds, computed, memory, programs = 0.0, 0.0, 0.0, 0
    for command in commands:
        with tempfile.TemporaryDirectory() as folder:
            more = ["--runs", folder] if command[1] == "run" else []
            environment = {**os.environ, "XDG_CACHE_HOME": folder}
            said = Path(folder) / "said.txt"
            with said.open("w") as stream:
                begin = time.perf_counter()
                process = subprocess.Popen([*command, *more], cwd=ROOT, env=environment, stdout=stream, stderr=stream)
                with PeakMemory(process.pid) as peak:
                    _, status, used = os.wait4(process.pid, 0)
                    seconds += time.perf_counter() - begin
            if os.waitstatus_to_exitcode(status) not in (0, 1):  # 1: a claim fails
                raise RuntimeError(f"{' '.join(command)} failed: {said.read_text()[-500:]}")
            programs += sum(1 for _ in Path(folder).glob("dlspec/xla/*/*.pb"))
        computed += used.ru_utime + used.ru_stime
        memory = max(memory, peak.mib)
    for values, value in zip(
        (times.seconds, times.computed, times.memory, times.programs),
        (seconds, computed, memory, programs),
        strict=True,
    ):
        values.append(value)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Whole studies, timed in turn.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(STUDIES))
    parser.add_argument("--before", help="the command of another version")
    parser.add_argument("--before-is", default="", metavar="TEXT", help="which version that is, as the page says it")
    parser.add_argument("--jax", help="a Python with JAX and Optax")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--add", action="store_true", help="keeps what was measured of the other studies")
    parser.add_argument("--table", action="store_true", help="writes the page anew from the numbers that are there")
    given = parser.parse_args()
    if unknown := set(given.names) - set(STUDIES):
        parser.error(f"there is no study {', '.join(sorted(unknown))}; there are {', '.join(STUDIES)}")
    return given


if __name__ == "__main__":
    raise SystemExit(main())
