"""`python -m benchmarks`: measures, and writes the numbers (JSON) and the page (Markdown) that is made of them."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .contenders import CONTENDERS
from .first_step import commands
from .long_files import measured_files
from .machine import machine, versions
from .measure import QUICK, Budget, measure
from .table import table
from .whole_studies import measured_studies
from .workloads import ROOT, WORKLOADS

RESULTS = ROOT / "benchmarks" / "results" / "benchmarks.json"
PAGE = ROOT / "docs" / "benchmarks.md"
TRIAL = ROOT / "benchmarks" / "results" / "trial"
"""Where a run of a part, or a quick one, goes: the committed page is of one whole run."""


def main() -> int:
    """Runs what is asked for; 1 where a contender turned out to do other work or dlspec itself failed."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that workers, which may be stopped, are ended
    trial = arguments.contenders or arguments.quick or arguments.one
    whole = not (trial or ((arguments.only or arguments.rivals_only) and not arguments.add))
    arguments.results = arguments.results or (RESULTS if whole else TRIAL.with_suffix(".json"))
    arguments.page = arguments.page or (PAGE if whole else TRIAL.with_suffix(".md"))
    if arguments.table:
        arguments.page.write_text(
            table(json.loads(arguments.results.read_text("utf-8")), measured_studies(), measured_files()), "utf-8"
        )
        return 0
    try:
        workloads = _beginning("workload", arguments.only, WORKLOADS)
        names = _beginning("contender", arguments.contenders, CONTENDERS)
    except LookupError as fault:
        print(fault.args[0], file=sys.stderr)
        return 2
    budget = QUICK if arguments.quick else Budget()
    today = datetime.now(UTC).date().isoformat()
    data: dict[str, Any] = {
        "format_version": 1, "date": today, "machine": machine(), "versions": versions(), "budget": asdict(budget), "workloads": [],
    } if not arguments.add else json.loads(RESULTS.read_text("utf-8"))  # fmt: skip
    arguments.rivals_only |= arguments.add
    for name in workloads:
        counts = (1,) if arguments.one else (1, WORKLOADS[name].several)
        print(name, file=sys.stderr, flush=True)
        added = {"date": today, "load": machine()["load"]} if arguments.add else {}
        others = [item for item in data["workloads"] if item["workload"] != name]
        found = [*others, measure(WORKLOADS[name], names, counts, budget).data() | added]
        data["workloads"] = sorted(found, key=lambda item: list(WORKLOADS).index(item["workload"]))
        _write(data, arguments)
    if not arguments.rivals_only:
        print("what making examples takes", file=sys.stderr, flush=True)
        data["examples"] = _shares(workloads, budget)
        print("from the command to training", file=sys.stderr, flush=True)
        data["commands"] = [asdict(one) for one in commands(1 if arguments.quick else 2)]
    _write(data, arguments)
    print(arguments.page)
    return int(any(_wrong(row) for item in data["workloads"] for row in item["rows"]))


def _beginning(kind: str, asked: str, known: Iterable[str]) -> list[str]:
    """The known names that begin with one of those asked for, in the known order. Raises LookupError where one fits none."""
    parts, names = asked.split(","), list(known)
    for part in parts:
        if not any(name.startswith(part) for name in names):
            raise LookupError(f"no {kind} begins with '{part}'; there are {', '.join(names)}")
    return [name for name in names if any(name.startswith(part) for part in parts)]


def _write(data: dict[str, Any], arguments: argparse.Namespace) -> None:
    """The numbers, and the page of them; after each workload, so that what was measured is kept."""
    for path, text in (
        (arguments.results, json.dumps(data, indent=1, ensure_ascii=False) + "\n"),
        (arguments.page, table(data, *((measured_studies(), measured_files()) if arguments.page == PAGE else ()))),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def _wrong(row: dict[str, Any]) -> bool:
    return bool(row["out"]) and (row["contender"] == "dlspec" or row["out"].startswith("not the same work"))


def _shares(workloads: list[str], budget: Budget) -> list[Any]:
    """In a process of its own: this one never loads TensorFlow."""
    command = [sys.executable, "-m", "benchmarks.examples_share", str(budget.rounds), str(budget.seconds), *workloads]
    found = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line) for line in found.splitlines() if line.startswith("{")]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", metavar="NAME,…", help="workloads whose names begin so; otherwise all")
    parser.add_argument(
        "--contenders", default="", metavar="NAME,…", help="contenders whose names begin so; otherwise all"
    )
    parser.add_argument("--quick", action="store_true", help="few short rounds, to try the scripts: no numbers to keep")
    parser.add_argument("--one", action="store_true", help="one replicate alone")
    parser.add_argument("--rivals-only", action="store_true", help="neither what examples take nor the command's start")
    parser.add_argument("--add", action="store_true", help="keeps what was measured of the other workloads")
    parser.add_argument("--table", action="store_true", help="writes the page anew from the numbers that are there")
    parser.add_argument("--results", type=Path, help="where the numbers go")
    parser.add_argument("--page", type=Path, help="where the page goes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
