"""Runs many fuzzed studies in child processes, one after another, and shrinks those that go wrong."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .data_files import source
from .outcome import Outcome, text
from .studies import Study, rows, study
from .swept import swept

RECYCLED = 40
"""After how many studies a child gives way to another: TensorFlow keeps something of each."""
TIMEOUT = 300.0
"""Seconds for one study."""
TOLD = 10
"""After how many studies a line says how many there were."""
TRIALS = 40
"""How many smaller studies are tried of one that went wrong."""


def extent(seed: int, once: bool = False) -> tuple[tuple[str, ...], bool]:
    """For which checks a study is run again, and whether it is run under XLA; `once`: neither, but for one in ten."""
    if once and seed % 10:
        return (), False
    place = seed // 10 if once else seed
    return (("again",), ("form",), ("alone",), ("resumed",), ())[place % 5], place % 7 == 3


class Child:
    """A process that runs studies; replaced when it is old, slow or dead. `beside`: each cell alone, too, one of five under XLA."""

    def __init__(self, once: bool = False, beside: bool = False) -> None:
        self.once, self.beside = once, beside
        self.process: Any = None
        self.count = 0

    def run(self, tree: Mapping[str, Any], seed: int) -> Outcome:
        """How a study comes out."""
        if self.process is None or self.count >= RECYCLED:
            self._start()
        self.count += 1
        self.line.send((tree, *((("beside",), seed % 5 == 0) if self.beside else extent(seed, self.once))))
        if not self.line.poll(TIMEOUT):
            self.stop()
            return Outcome("wrong", "slow", f"more than {TIMEOUT:.0f} s")
        try:
            return self.line.recv()
        except EOFError:
            code = self.process.exitcode
            self.stop()
            return Outcome("wrong", f"the process died: {code}")

    def _start(self) -> None:
        self.stop()
        context = multiprocessing.get_context("spawn")
        self.line, far = context.Pipe()
        self.process = context.Process(target=_serve, args=(far,), daemon=False)
        self.process.start()
        far.close()
        self.count = 0

    def stop(self) -> None:
        """Ends it."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None


def _serve(line: Connection) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    from .checks import check

    while True:
        try:
            tree, checks, xla = line.recv()
        except EOFError:
            return
        line.send(check(tree, checks, xla))


def smaller(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[Any]:
    """The tree without one of its parts, the large ones first."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        if path == () and key in ("dlspec", "study"):
            continue
        without = deepcopy(tree)
        del without[key]
        yield without
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        if isinstance(tree[key], dict | list):
            for inner in smaller(tree[key], (*path, key)):
                changed = dict(tree) if isinstance(tree, dict) else list(tree)
                changed[key] = inner
                yield changed


def shrunk(tree: Mapping[str, Any], seed: int, kind: str, child: Child, trials: int = TRIALS) -> Mapping[str, Any]:
    """A smaller study that goes wrong in the same way."""
    from dlspec import spec
    from dlspec.spec.diagnostics.problems import StudyError

    left = trials
    found = True
    while found and left > 0:
        found = False
        for candidate in smaller(tree):
            if left <= 0:
                break
            if not kind.startswith(("no remedy", "resolve")):
                try:
                    with source(candidate) as written:
                        spec.resolve(spec.parse(written))
                except (StudyError, Exception):
                    continue
            left -= 1
            if child.run(candidate, seed).kind == kind:
                tree, found = candidate, True
                break
    return tree


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Runs fuzzed studies.")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=2000, help="how many")
    parser.add_argument("--show", action="store_true", help="print the studies, and run none")
    parser.add_argument("--keep", type=Path, help="a folder for studies that went wrong")
    parser.add_argument("--once", action="store_true", help="run nine of ten studies once alone, as a graph")
    parser.add_argument(
        "--swept",
        action="store_true",
        help="sweep numbers wherever they stand, and run each cell beside the others and alone",
    )
    parser.add_argument("--no-shrink", action="store_true", help="leave them as they are")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.count)
    if arguments.show:
        for seed in seeds:
            print(text(study(seed).tree))
        return
    raise SystemExit(run(seeds, arguments.keep, not arguments.no_shrink, arguments.once, arguments.swept))


def _with_sweep(made: Study) -> Study | None:
    """The study with numbers swept, where its cells can be compiled as one."""
    found = swept(made.tree, made.seed)
    return None if found is None else Study(made.seed, dict(found[0]), made.seen | {f"{min(found[1], 5)} swept"})


def run(seeds: range, keep: Path | None = None, shrink: bool = True, once: bool = False, beside: bool = False) -> int:
    """Runs the studies of some seeds; 1 where any goes wrong. A signal to end it still has what was found told."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    child, begin = Child(once, beside), time.monotonic()
    outcomes: Counter[str] = Counter()
    kinds: dict[str, list[int]] = {}
    refusals: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    cells = diverged = 0
    for seed in seeds:
        made = _with_sweep(study(seed)) if beside else study(seed)
        if made is None:
            outcomes["apart"] += 1
            continue
        try:
            outcome = child.run(made.tree, seed)
        except KeyboardInterrupt:
            seeds = range(seeds.start, seed)
            break
        outcomes[outcome.status] += 1
        if not sum(outcomes.values()) % TOLD:
            print(f"to seed {seed}: {dict(outcomes)}", file=sys.stderr, flush=True)
        cells, diverged = cells + outcome.cells, diverged + outcome.diverged
        if outcome.status == "refused":
            refusals[outcome.kind] += 1
        elif outcome.status == "fine":
            seen.update(made.seen)
        else:
            first = outcome.kind not in kinds
            kinds.setdefault(outcome.kind, []).append(seed)
            tree = shrunk(made.tree, seed, outcome.kind, child) if first and shrink else made.tree
            told = f"{outcome.text}\n{text(tree)}" if first and keep is None else ""
            print(f"seed {seed}: {outcome.kind}\n{told}", flush=True)
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                remark = "".join(f"# {line}\n" for line in outcome.text.splitlines()[-12:])
                (keep / f"{seed}.yaml").write_text(f"# seed {seed}: {outcome.kind}\n{remark}{text(tree)}", "utf-8")
    child.stop()
    total = max(1, sum(outcomes.values()))
    print(f"seeds {seeds.start} to {seeds.stop - 1}, {time.monotonic() - begin:.0f} s: "
          f"{outcomes['fine']} fine, {outcomes['refused']} refused, {outcomes['wrong']} wrong; "
          f"accepted {1 - outcomes['refused'] / total:.0%}; {cells} cells, {diverged} of them diverged")  # fmt: skip
    for kind, count in refusals.most_common(12):
        print(f"  refused {count}: {kind}")
    for kind, found in kinds.items():
        print(f"  wrong {len(found)}: {kind}: seeds {found[:8]}")
    if beside:
        places = ", ".join(
            f"{seen[f'{count} swept']} with {count}{' or more' if count == 5 else ''}" for count in range(1, 6)
        )
        print(f"  swept places: {places}; {outcomes['apart']} studies are not compiled as one")
    wanted = rows()
    print(f"rows of the tables reached: {len(wanted & set(seen))} of {len(wanted)}; "
          f"not: {', '.join(sorted(wanted - set(seen))) or 'none'}")  # fmt: skip
    return 1 if kinds else 0
