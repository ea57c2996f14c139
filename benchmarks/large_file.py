"""`python -m benchmarks.large_file`: a Parquet file larger than what may be held in memory, trained on from disk.

Writes the file in row groups into a temporary folder, and holds that training on it gives the bits of the same rows in memory, under
a limit of address space (`ulimit -v`), and after a kill; tells the rates of steps and the memory. `--size 8M` tries it in a minute.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .workloads import ROOT

WIDE = 64
ROW_BYTES = 4 * WIDE + 1
GROUP_ROWS = 2**16
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}
HELD = "DLSPEC_DATA_MEMORY"
STUDY = """dlspec: 1
study: large
experiments:
  rows:
    task:
      data: {{file: large.parquet, train: 0.9, test: {test}}}
      example: {{x: large.x, y: large.y}}
    architecture: {{f: {{input: x, layers: [dense: {{units: 128, activation: relu}}, dense: 4]}}}}
    loss: {{l: "cross_entropy(f, y)"}}
    training: {{optimizer: {{sgd: 0.01}}, batch: 128, steps: {steps}, evaluate: {{every: {every}}}}}
    measures: {{error: "E(cross_entropy(f, y))"}}
"""


def bytes_said(text: str) -> int:
    """A number of bytes: `4G`, `8M`.

    >>> bytes_said("8M")
    8388608
    """
    return int(float(text[:-1]) * UNITS[text[-1].upper()]) if text[-1].upper() in UNITS else int(text)


def write(path: Path, size: int) -> int:
    """Writes about so many bytes of rows, a row group after the other; gives the number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    rows = max(2000, size // ROW_BYTES)
    schema = pa.schema([("x", pa.list_(pa.float32(), WIDE)), ("y", pa.int8())])
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for group, first in enumerate(range(0, rows, GROUP_ROWS)):
            count = min(GROUP_ROWS, rows - first)
            some = np.random.default_rng([5, group])
            x = some.standard_normal((count, WIDE), np.float32)
            y = (x[:, 0] > 0) + 2 * (x[:, 1] > 0)
            lists = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), WIDE)
            writer.write_table(pa.table([lists, pa.array(y.astype("i1"))], schema=schema))
    return rows


def study(folder: Path, steps: int, test: int, name: str = "large") -> Path:
    """The study beside the file."""
    path = folder / f"{name}.yaml"
    path.write_text(STUDY.format(steps=steps, test=test, every=max(1, steps // 20)))
    return path


def compiled(path: Path) -> Any:
    """The study's only program, for one replicate, under XLA."""
    from dlspec import spec
    from dlspec.interpreter.program.program import Compiled
    from dlspec.spec.diagnostics.problems import Source

    (plan,) = spec.resolve(spec.parse(Source(str(path), path.read_text("utf-8")))).experiments
    return Compiled(plan.programs[0], range(1), True)


def trained(path: Path, steps: int) -> dict[str, Any]:
    """Trains in this process: seconds, those of all processors, the SHA-256 of what was trained, whether the rows were held, the peak of address space in bytes."""
    made = compiled(path)
    made.train(1)  # compiles
    begin, taken = time.perf_counter(), time.process_time()
    made.train(steps - 1)
    made.saved()
    seconds, processor = time.perf_counter() - begin, time.process_time() - taken
    digest = hashlib.sha256()
    for values in [*made.saved()[0], *made.evaluate().values()]:
        digest.update(np.asarray(values).tobytes())
    return {"seconds": seconds, "processor": processor, "sha256": digest.hexdigest(), "held": made.held, **peaks()}


def peaks() -> dict[str, int]:
    """The most bytes of address space and of memory that this process has taken."""
    status = Path("/proc/self/status").read_text("ascii") if Path("/proc/self/status").exists() else ""
    peak = next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmPeak")), 0)
    return {"peak": peak, "resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def tested(path: Path, steps: int) -> dict[str, Any]:
    """Takes the measures of all that is tested, in this process: so many times, and once before to compile. As `trained` tells."""
    made = compiled(path)
    made.evaluate()
    begin = time.perf_counter()
    for _ in range(steps):
        values = made.evaluate()
    seconds = (time.perf_counter() - begin) / steps
    digest = hashlib.sha256(b"".join(np.asarray(value).tobytes() for value in values.values())).hexdigest()
    held = made.seeds.files is None or not made.seeds.files.apart
    return {"seconds": seconds, "sha256": digest, "held": held, **peaks()}


def apart(path: Path, steps: int, held: int, limit: int | None = None, what: str = "trained") -> dict[str, Any]:
    """The same in a process of its own, which holds so many bytes of rows at most and may take so much address space."""
    code = f"import json; from pathlib import Path; from benchmarks.large_file import {what}; print(json.dumps({what}(Path({str(path)!r}), {steps})))"

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {HELD: str(held)}, preexec_fn=limited, capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"training ended with {done.returncode}:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(path: Path, runs: str, held: int, kill: bool = False) -> Sequence[str]:
    """`dlspec run`, killed as soon as it has a checkpoint if that is asked for; the values of its curves, each with all of its digits."""
    command = [str(Path(sys.executable).with_name("dlspec")), "run", str(path), "--runs", str(path.parent / runs)]
    process = subprocess.Popen(
        [*command, "--checkpoint", "0"], env=os.environ | {HELD: str(held)}, stdout=subprocess.DEVNULL
    )
    while kill and process.poll() is None:
        if any((path.parent / runs / "store" / "checkpoints").glob("*.ckpt")):
            process.send_signal(signal.SIGKILL)
            process.wait()
            return []
        time.sleep(0.02)
    if process.wait():
        raise SystemExit(f"`{' '.join(command)}` ended with {process.returncode}")
    if kill:
        raise SystemExit("the run ended before it could be killed: more steps are wanted")
    import pyarrow.parquet as parquet

    (curves,) = (path.parent / runs).glob("*/curves.parquet")
    return [float(value).hex() for value in parquet.read_table(curves)["value"].to_pylist()]


def measured(size: int, steps: int, memory: int, rounds: int, folder: Path) -> Mapping[str, Any]:
    """Everything: writes, trains, kills, compares. Raises SystemExit where bits differ, or nothing was read from disk."""
    os.environ["DLSPEC_DATA_CACHE"] = str(folder / "rows")
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    small = folder / "small"
    small.mkdir()
    write(small / "large.parquet", 2**20)
    rows = write(folder / "large.parquet", size)
    test = min(10_000, rows // 20)
    path, tiny = study(folder, steps, test), study(small, steps, 50)
    held = max(test * 2 * ROW_BYTES, size // 16)
    base = apart(tiny, steps, 2**40)["peak"]
    disk, whole = [], []
    for _ in range(rounds):
        whole.append(apart(path, steps, 2**40))
        disk.append(apart(path, steps, held, base + memory if base else None))
    if any(one["held"] for one in disk) or not all(one["held"] for one in whole):
        raise SystemExit("what was to be read from disk was held, or the other way round")
    if len({one["sha256"] for one in (*disk, *whole)}) > 1:
        raise SystemExit("training from disk gives other bits than in memory")
    every = study(folder, steps, rows // 10, "tested")
    whole_test = apart(every, 3, 2**40, what="tested")
    test_apart = apart(every, 3, min(held, size // 32), base + memory if base else None, "tested")
    if test_apart["held"] or not whole_test["held"] or test_apart["sha256"] != whole_test["sha256"]:
        raise SystemExit("evaluations that read window after window give other bits, or held all rows")
    unbroken = run(path, "unbroken", held)
    run(path, "killed", held, kill=True)
    if run(path, "killed", held) != unbroken:
        raise SystemExit("a run that was killed and went on gives other bits")
    fastest = {name: min(one["seconds"] for one in found) for name, found in (("memory", whole), ("disk", disk))}
    return {
        "bytes": (folder / "large.parquet").stat().st_size, "rows": rows, "steps": steps, "rounds": rounds,
        "seconds in memory": round(fastest["memory"], 3), "seconds from disk": round(fastest["disk"], 3),
        "share of the rate in memory": round(fastest["memory"] / fastest["disk"], 3), "bytes held from disk": held,
        "share by processor time": round(min(one["processor"] for one in whole) / min(one["processor"] for one in disk), 3),
        "rows tested": rows // 10, "seconds of an evaluation in memory": round(whole_test["seconds"], 3),
        "seconds of an evaluation in windows": round(test_apart["seconds"], 3), "resident in windows": test_apart["resident"],
        "address space before": base, "limit above it": memory, "peak from disk": max(one["peak"] for one in disk),
        "resident in memory": max(one["resident"] for one in whole), "resident from disk": max(one["resident"] for one in disk),
        "values of curves compared": len(unbroken), "sha256": disk[0]["sha256"],
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_file", description=__doc__)
    parser.add_argument("--size", default="4G", help="how many bytes of rows (8M, 4G)")
    parser.add_argument("--steps", type=int, default=15_000)
    parser.add_argument(
        "--memory", default="2.5G", help="address space above what the same training takes on a small file"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="in memory and from disk in turn; the fastest of each is compared"
    )
    parser.add_argument(
        "--folder", help="where the file and its copy are written, twice its size; the system's own place"
    )
    said = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=said.folder) as folder:
        found = measured(bytes_said(said.size), said.steps, bytes_said(said.memory), said.rounds, Path(folder))
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
