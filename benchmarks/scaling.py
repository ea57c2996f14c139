"""`python -m benchmarks.scaling`: time against one quantity at a time, log-log, each with its fitted slope.

Writes the numbers (JSON), a figure a series (PNG), and the page `docs/scaling_measured.md`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from math import exp, log
from pathlib import Path
from statistics import linear_regression
from typing import Any

from .machine import machine, versions
from .scaling_page import page
from .spread import Spread
from .workloads import ROOT

RESULTS = ROOT / "benchmarks" / "results" / "scaling.json"
PAGE = ROOT / "docs" / "scaling_measured.md"
FIGURES = ROOT / "docs" / "figures"
TRIAL = ROOT / "benchmarks" / "results" / "trial-scaling"
FILE = "examples/parities.yaml"

DIMENSIONS = (5, 10, 20, 30, 50, 100, 200, 400)
BATCHES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
REPLICATES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
POINTS = (1, 3, 10, 30, 100, 300, 1000)
CELLS = (1, 10, 100, 1000, 10000)
JOBS = (1, 2, 4, 8)

TINY = """dlspec: 1
study: tiny
experiments:
  line:
    about: The smallest study that trains. Each rate is a cell.
    constants: {{rate: 0.1}}
    sweep: {{rate: [{rates}]}}
    task:
      example:
        x: normal([4])
        y: sum(x)
    architecture:
      f: {{input: x, layers: [{{dense: 1}}]}}
    loss: {{squared: (f - y)^2}}
    training: {{optimizer: {{sgd: {{learning_rate: rate}}}}, batch: 16, steps: 10, evaluate: {{every: 10, examples: 16}}}}
    measures: {{error: E((f - y)^2)}}
"""


@dataclass
class Series:
    """Seconds against one quantity: `seconds[i]` has an entry a round. `unit` says what took them."""

    name: str
    quantity: str
    unit: str
    at: list[int] = field(default_factory=list)
    seconds: list[list[float]] = field(default_factory=list)
    left_out: str = ""
    """What was not measured, and why."""

    def fit(self) -> tuple[float, float, float]:
        """The slope and the factor of seconds = factor · at^slope over the upper half of the points, and where that begins."""
        first = min(len(self.at) // 2, max(0, len(self.at) - 2))
        x, y = [log(value) for value in self.at[first:]], [log(Spread.of(one).middle) for one in self.seconds[first:]]
        slope, intercept = linear_regression(x, y)
        return slope, exp(intercept), self.at[first]


# -- a step, in a process that has TensorFlow ----------------------------------------------------------------------------


def steps_of(series: Series, overrides: Sequence[Sequence[str]], rounds: int, seconds: float) -> Series:
    """The seconds of a step of random parities under overrides, the points in turn."""
    from dlspec import spec
    from dlspec.interpreter.backend.startup import start

    start()
    from .dlspec_run import Programs

    if series.name == "points":
        made: list[Any] = [_side_by_side(count) for count in series.at]
        return _in_turn(series, made, rounds, seconds)
    document = spec.load(str(ROOT / FILE))
    made = []
    for given in overrides:
        plan = spec.resolve(document, None, [spec.Override.read(text) for text in given], ["random_parity"])
        (program,) = plan.experiments[0].programs
        compiled = Programs(program, in_cache=False)
        compiled.train(1)
        made.append(compiled)
    return _in_turn(series, made, rounds, seconds)


def _side_by_side(count: int) -> Any:
    """So many points of the tiny study side by side in one program, which has made a step."""
    from dlspec import spec
    from dlspec.interpreter.program.program import Compiled
    from dlspec.spec.diagnostics.problems import Source
    from dlspec.spec.passes.merge_cells import merge_cells

    text = TINY.format(rates=", ".join(f"{0.1 + 1e-6 * place:.6f}" for place in range(count)))
    programs = spec.resolve(spec.parse(Source("tiny.yaml", text))).experiments[0].programs
    compiled = Compiled(merge_cells(programs) or programs[0], range(1), xla=True)
    compiled.train(1)
    return compiled


def _in_turn(series: Series, made: Sequence[Any], rounds: int, seconds: float) -> Series:
    """Fills in the seconds of a step of each of some programs, in turn."""
    counts = [_steps(compiled, seconds) for compiled in made]
    series.seconds = [[] for _ in made]
    for _ in range(rounds):
        for place, (compiled, count) in enumerate(zip(made, counts, strict=True)):
            series.seconds[place].append(_timed(compiled, count) / count)
    return series


def _steps(compiled: Any, seconds: float) -> int:
    steps = 1
    while (took := min(_timed(compiled, steps) for _ in range(2))) < seconds / 4:
        steps *= max(2, min(16, int(seconds / 4 / max(took, 1e-6))))
    return max(1, round(steps * seconds / took))


def _timed(compiled: Any, steps: int) -> float:
    begin = time.perf_counter()
    compiled.train(steps)
    return time.perf_counter() - begin


def of_a_step(name: str, rounds: int, seconds: float, most: int) -> Series:
    """One of the series of a step: `dimension`, `batch`, `replicates` or `points`, up to a largest value."""
    place = "experiments.random_parity"
    d30 = [f"{place}.sweep.d=[30]"]
    match name:
        case "dimension":
            at = [value for value in DIMENSIONS if value <= most]
            given = [[f"{place}.sweep.d=[{d}]", f"{place}.replicates=1"] for d in at]
            series = Series(name, "input dimension d", "a step", at)
        case "batch":
            at = [value for value in BATCHES if value <= most]
            given = [[*d30, f"{place}.replicates=1", f"{place}.training.batch={batch}"] for batch in at]
            series = Series(name, "batch", "a step", at)
        case "replicates":
            at = [value for value in REPLICATES if value <= most]
            given = [[*d30, f"{place}.replicates={count}"] for count in at]
            series = Series(name, "replicates side by side", "a step of all replicates", at)
        case "points":
            at, given = [value for value in POINTS if value <= most], []
            series = Series(name, "points side by side", "a step of all points", at)
        case _:
            raise KeyError(name)
    return steps_of(series, given, rounds, seconds)


# -- whole commands ------------------------------------------------------------------------------------------------------


def run(file: Path, *more: str, folder: str) -> float:
    """The seconds of a whole `dlspec run`, of a store with nothing in it."""
    command = [Path(sys.executable).with_name("dlspec"), "run", str(file), "--runs", folder, *more]
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr[-500:]}")
    return time.perf_counter() - begin


def of_cells(limit: float, most: int) -> tuple[Series, Series]:
    """Whole runs against the number of tiny cells, and the same run again, when all is stored; as many as fit in the time.

    A point is left out where, at the pace of the one before, it would take longer than `limit` seconds.
    """
    first = Series("cells", "cells", "a whole run")
    again = Series("cells_stored", "cells", "a whole run with everything stored")
    for count in CELLS:
        if len(first.at) > 1:
            pace = (first.seconds[-1][0] - first.seconds[0][0]) / (first.at[-1] - first.at[0])
            expected = first.seconds[0][0] + pace * count
            if expected > limit:
                text = f"{count:,} cells would take about {expected / 60:.0f} minutes at the pace of {first.at[-1]:,}"
                first.left_out = again.left_out = text
                break
        if count > most:
            break
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "tiny.yaml"
            rates = ", ".join(f"{0.1 + 1e-6 * place:.6f}" for place in range(count))
            file.write_text(TINY.format(rates=rates), "utf-8")
            for series in (first, again):
                series.at.append(count)
                series.seconds.append([run(file, folder=f"{folder}/runs")])
    return first, again


def of_jobs(rounds: int, most: int, steps: int) -> Series:
    """A whole run of eight programs of unlike shapes against how many run at once."""
    at = [jobs for jobs in JOBS if jobs <= most]
    series = Series("jobs", "programs at once (-j)", "a whole run of eight programs", at, [[] for _ in at])
    place = "experiments.random_parity"
    given = [
        f"{place}.sweep.d=[52, 54, 56, 58, 60, 62, 64, 66]", f"{place}.replicates=1", f"{place}.training.steps={steps}",
        f"{place}.training.evaluate.every={steps}",
    ]  # fmt: skip
    options = [part for text in given for part in ("-o", text)]
    for _ in range(rounds):
        for place_, jobs in enumerate(at):
            with tempfile.TemporaryDirectory() as folder:
                took = run(ROOT / FILE, "--only", "random_parity", *options, "-j", str(jobs), folder=folder)
            series.seconds[place_].append(took)
    return series


# -- what is written -----------------------------------------------------------------------------------------------------


def figure(series: Sequence[Series], path: Path) -> None:
    """A log-log plot of medians with quartiles, and the fitted line where it was fitted."""
    from dlspec.interpreter.figures.draw import STYLE
    from matplotlib import pyplot

    with pyplot.rc_context(STYLE):
        drawn = _drawn(series)
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn.savefig(path, metadata={"Software": None})
        pyplot.close(drawn)


def _drawn(series: Sequence[Series]) -> Any:
    from matplotlib import pyplot

    drawn, axes = pyplot.subplots(figsize=(5.6, 3.8), layout="constrained")
    for place, one in enumerate(series):
        spreads = [Spread.of(values) for values in one.seconds]
        middle = [spread.middle for spread in spreads]
        bars = [[s.middle - s.low for s in spreads], [s.high - s.middle for s in spreads]]
        slope, factor, begin = one.fit()
        colour = f"C{place}"
        axes.errorbar(one.at, middle, bars, fmt="o", color=colour, capsize=3, label=one.unit)
        ends = [begin, one.at[-1]]
        axes.plot(
            ends, [factor * x**slope for x in ends], "--", color=colour, label=f"slope {slope:.2f} from {begin:,} on"
        )
    axes.set(xscale="log", yscale="log", xlabel=series[0].quantity, ylabel="seconds")
    axes.grid(True, which="both", alpha=0.2)
    axes.legend()
    return drawn


def _in_a_process(name: str, rounds: int, seconds: float, most: int) -> Series:
    """A series of a step, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scaling", "--series", name, str(rounds), str(seconds), str(most)]
    found = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Series(**json.loads(found.splitlines()[-1]))


def main() -> int:
    """Measures every series, and writes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few points, to try the script: no numbers to keep")
    parser.add_argument(
        "--page", action="store_true", help="writes page and figures anew from the numbers that are there"
    )
    parser.add_argument("--series", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.series:
        name, rounds, seconds, most = given.series
        print(json.dumps(asdict(of_a_step(name, int(rounds), float(seconds), int(most)))))
        return 0
    results, where, figures = (
        (TRIAL.with_suffix(".json"), TRIAL.with_suffix(".md"), TRIAL) if given.quick else (RESULTS, PAGE, FIGURES)
    )  # fmt: skip
    if not given.page:
        results.parent.mkdir(parents=True, exist_ok=True)
        results.write_text(json.dumps(_measured(given.quick), indent=1, ensure_ascii=False) + "\n", "utf-8")
    data = json.loads(results.read_text("utf-8"))
    series = {item["name"]: Series(**item) for item in data["series"]}
    groups = [["dimension"], ["batch"], ["replicates"], ["points"], ["cells", "cells_stored"], ["jobs"]]
    for names in groups:
        if names[0] not in series:  # numbers of before there was such a series
            continue
        figure([series[name] for name in names], figures / f"scaling_{names[0]}.png")
    where.write_text(page(data, {name: (one.fit(), one) for name, one in series.items()}), "utf-8")
    print(where)
    return 0


def _measured(quick: bool) -> dict[str, Any]:
    rounds, seconds = (2, 0.05) if quick else (7, 0.3)
    data: dict[str, Any] = {
        "format_version": 1, "date": datetime.now(UTC).date().isoformat(), "machine": machine(), "versions": versions(),
        "series": [],
    }  # fmt: skip
    for name, most in (("dimension", 20), ("batch", 32), ("replicates", 4), ("points", 10)):
        print(name, file=sys.stderr, flush=True)
        found = _in_a_process(name, rounds, seconds, most if quick else 10**6)
        data["series"].append(asdict(found))
    print("cells", file=sys.stderr, flush=True)
    data["series"] += [asdict(one) for one in of_cells(60.0 if quick else 240.0, 10 if quick else 10**6)]
    print("jobs", file=sys.stderr, flush=True)
    data["series"].append(asdict(of_jobs(1 if quick else 2, 2 if quick else 4, 100 if quick else 10000)))
    return data


if __name__ == "__main__":
    sys.exit(main())
