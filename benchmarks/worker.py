"""A process with one contender: it warms up, then does what it is asked on standard input, a JSON object a line.

Its answers go to the standard output it was started with; what libraries print goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from dlspec.interpreter.backend.environment import set_environment

set_environment()


def main() -> None:
    """`python -m benchmarks.worker WORKLOAD CONTENDER REPLICATES`."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    workload, contender, replicates = sys.argv[1:]

    def say(**found: Any) -> None:
        print(json.dumps(found), file=answers, flush=True)

    try:
        made, versions = _made(workload, contender, int(replicates))
        made.train(1)
    except Exception as error:
        say(failed=f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[:300])
        raise
    say(ready=True, versions=versions, parameters=made.parameters(), form=getattr(made, "form", ""))
    for line in sys.stdin:
        try:
            say(**_answer(made, json.loads(line), workload))
        except Exception as error:
            say(
                failed=f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[
                    :300
                ]
            )
            raise


def _made(workload: str, contender: str, replicates: int) -> tuple[Any, dict[str, str]]:
    from .contenders import CEILING, CONTENDERS
    from .workloads import WORKLOADS

    if contender == "dlspec":
        from importlib.metadata import version

        from .dlspec_run import Contender

        return Contender(WORKLOADS[workload], replicates), {"dlspec": version("dlspec")}
    row = CEILING if contender == CEILING.name else CONTENDERS[contender]
    module = importlib.import_module(f"benchmarks.rivals.{row.module}")
    own = WORKLOADS.get(workload)
    return module.Rival(own.task if own else "", own.numbers if own else {}, replicates, row.form), module.VERSIONS


def _answer(made: Any, asked: dict[str, Any], workload: str) -> dict[str, Any]:
    match asked["do"]:
        case "train":
            begin, own = time.perf_counter(), time.process_time()
            seconds = made.train(asked["steps"])
            whole = time.perf_counter() - begin
            return {"seconds": whole if seconds is None else seconds, "cpu": time.process_time() - own}
        case "choose":
            return {"chose": made.choose(asked["seconds"]) if hasattr(made, "choose") else ""}
        case "sample":
            from dlspec.interpreter.results.npz import write_npz

            from .contenders import DRAWN
            from .workloads import WORKLOADS

            write_npz(Path(asked["path"]), made.sample(DRAWN[WORKLOADS[workload].task]).items(), compressed=False)
            return {"done": True}
        case "check":
            from .sample import Sample

            held = Sample.read(Path(asked["path"]))
            return {"fault": held.fault(*made.check(held.weights, held.target, held.drawn))}
        case "memory":
            return {"bytes": peak_memory()}
    raise KeyError(asked["do"])


def peak_memory() -> int:
    """The most bytes that this process has had in memory at once."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status tells no peak memory")


if __name__ == "__main__":
    main()
