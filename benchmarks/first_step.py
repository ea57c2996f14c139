"""From the command to training: `dlspec run` itself, with what it says of its progress timed from outside."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from .workloads import ROOT

PATIENCE = 300.0


@dataclass
class Command:
    """Seconds from the start of a command to its events, one entry a round.

    `started`: a program begins to be compiled. `evaluated`: step 0 is evaluated. `stepped`: the first update is made and
    evaluated.
    """

    command: str
    started: list[float] = field(default_factory=list)
    evaluated: list[float] = field(default_factory=list)
    stepped: list[float] = field(default_factory=list)


COMMANDS = (
    ("examples/flat.yaml", "staircase/forward_only", "experiments.staircase.training.evaluate.at=[1]"),
    ("examples/parities.yaml", "random_parity", "experiments.random_parity.training.evaluate.at=[1]"),
    ("examples/decomposition.yaml", "tuples/decomposition", "experiments.tuples.training.evaluate.at=[1]"),
)


def commands(rounds: int) -> list[Command]:
    """Times the commands, in turn."""
    found = [
        Command(f"dlspec run {file} --profile quick --only {only} -o '{option}'") for file, only, option in COMMANDS
    ]
    for _ in range(rounds):
        for place, (file, only, option) in enumerate(COMMANDS):
            _time(found[place], [file, "--profile", "quick", "--only", only, "-o", option])
    return found


def _time(command: Command, arguments: list[str]) -> None:
    """Runs a command until its first update is evaluated, on a store with nothing in it."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(sys.executable).with_name("dlspec")
        begin = time.perf_counter()
        process = subprocess.Popen(
            [program, "run", *arguments, "-j", "1", "--log", "json", "--runs", folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT, text=True,
        )  # fmt: skip
        seen: dict[str, float] = {}
        assert process.stderr is not None
        try:
            for line in process.stderr:
                event = json.loads(line) if line.startswith("{") else {}
                passed = time.perf_counter() - begin
                if event.get("event") == "started":
                    seen.setdefault("started", passed)
                elif event.get("event") == "evaluated":
                    seen.setdefault("evaluated" if event["step"] == 0 else "stepped", passed)
                if "stepped" in seen or passed > PATIENCE:
                    break
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
    if missing := {"started", "evaluated", "stepped"} - seen.keys():
        raise RuntimeError(f"{command.command} ended before it said: {', '.join(sorted(missing))}")
    for name, passed in seen.items():
        getattr(command, name).append(passed)
