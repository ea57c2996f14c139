"""Mutates bytes, trees and expressions of the example studies and golden cases, and checks what the front end says.

    python -m tests.fuzz.front --seconds 600 [--seed 0] [--keep FOLDER]

Nothing but StudyError may come of a text, every error has a place and a remedy (the share without is printed), and of a text
of up to 2,000 lines each command takes less than a second of processor time and less than 1 GiB: `validate`, `fmt`, and what `plan` does
before it counts costs, each by itself, as somebody waits for it, with the reading that each begins with.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import os
import random
import re
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import get_args

import yaml
from dlspec import spec
from dlspec.spec.format import formatted
from dlspec.spec.model.figures import FIGURES
from dlspec.spec.model.study import Study as StudyModel
from dlspec.spec.source.text import decode
from dlspec.spec.tables.counters import COUNTERS
from dlspec.spec.tables.distributions import DISTRIBUTIONS
from dlspec.spec.tables.dtypes import DTYPES
from dlspec.spec.tables.gradient_modes import GRADIENT_MODES
from dlspec.spec.tables.gradient_statistics import GRADIENT_STATISTICS
from dlspec.spec.tables.initializers import INITIALIZERS
from dlspec.spec.tables.judges import JUDGES
from dlspec.spec.tables.keras_parameters import ACTIVATIONS, CONSTRAINTS
from dlspec.spec.tables.layers import LAYERS
from dlspec.spec.tables.operations import CLAIM_FORMS, FORMS, OPERATIONS
from dlspec.spec.tables.optimizers import OPTIMIZERS
from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
MEMORY = 2**30
SECONDS = 1.0
BATCH = 50
"""How many texts a child process takes; it begins with what its parent has loaded."""

SIGNS = (
    "x", "y", "f", "n", "score", "d", "0", "1", "-1", "2", "3", "1e9", "1e-300", "0.5", "true", "null", "[", "]", "(", ")", "{",
    "}", ",", ":", "+", "-", "*", "/", "//", "%", "^", "<", "<=", "==", "and", "or", "not", "if", "else", "for", "pi",
    "variant", "99999999999", ".inf", ".nan", "f.weights", "f.hidden", "f.block[1].hidden", "f.dense_1.kernel", "[[1,2],[3,4]]",
    "[i*j\\", "for\\", "i<100,j<100]", "zeros([1000,1000])", "after(a,f)", "initial(f)", "average(f)", "current(f.weights)", "with_weights(f,f.weights,2*f.weights)",
    "gradient(f,x)", "gradient(loss,f.weights)", "end(a)", "start(a)+1", "end(a[1])", "task[0]", "scan(g,zeros([3]),x)",
    "iterate(g,x,100)", "iterate(g,x,10000)", "choice([1,2],[0.5,0.5])", "step//n", "w[step]", "x[phase]",
)  # fmt: skip
TABLES: tuple[Mapping[str, object], ...] = (
    OPERATIONS, FORMS, CLAIM_FORMS, COUNTERS, DISTRIBUTIONS, INITIALIZERS, LAYERS, OPTIMIZERS, GRADIENT_MODES, GRADIENT_STATISTICS,
    ACTIVATIONS, CONSTRAINTS, DTYPES, FIGURES, JUDGES,
)  # fmt: skip


def _fields(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    """The fields of a model, and of all models in it."""
    seen.add(model)
    for name, info in model.model_fields.items():
        yield name
        stack: list[object] = [info.annotation]
        while stack:
            item = stack.pop()
            if isinstance(item, type) and issubclass(item, BaseModel):
                if item not in seen:
                    yield from _fields(item, seen)
            else:
                stack.extend(get_args(item))


WORDS = [*SIGNS, *dict.fromkeys(name for table in TABLES for name in table)]
"""Words of expressions: signs and pieces, and every row of the tables."""
KEYS = list(dict.fromkeys([*_fields(StudyModel, set()), "add", "project", "concat", "optimizer"]))
"""Every field of the models."""
VALUES = (
    "",
    "~",
    "[]",
    "{}",
    "1e400",
    "-1",
    "0",
    "[1, [2, 3]]",
    "{a: 1}",
    "x",
    "'x + '",
    "1000000000000",
    "true",
    "&a [*a]",
    "!!str 1",
    "|\n  x\n",
)


@dataclass
class Tally:
    """What was tried and what came of it."""

    inputs: int = 0
    errors: int = 0
    bare: Counter[str] = field(default_factory=Counter)
    nowhere: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Adds what a child process counted."""
        self.inputs += other.inputs
        self.errors += other.errors
        self.bare += other.bare
        self.nowhere += other.nowhere
        self.faults.update(other.faults)


def corpus() -> list[str]:
    """The texts that mutants are made of."""
    paths = [*sorted((ROOT / "examples").glob("*.yaml")), *sorted((ROOT / "tests/golden/errors").glob("*.yaml"))]
    texts = [path.read_bytes().decode("utf-8", "replace") for path in paths]
    return [text for text in texts if len(text) < 20_000]


# -- mutations -----------------------------------------------------------------------------------------------------------


def _bytes(text: str, some: random.Random) -> str:
    """A stretch of characters removed, doubled, swapped or replaced."""
    for _ in range(some.randint(1, 4)):
        at = some.randrange(len(text) + 1)
        size = some.choice((1, 1, 1, 2, 5, 30))
        kind = some.randrange(5)
        piece = text[at : at + size]
        if kind == 0:
            text = text[:at] + text[at + size :]
        elif kind == 1:
            text = text[:at] + piece * some.choice((2, 3, 50)) + text[at + size :]
        elif kind == 2:
            text = text[:at] + some.choice("[]{}():,'\"#&*!|>%@`-\t\n \x00\x85\u2028\ufeffé²=<>~^.0") + text[at:]
        elif kind == 3:
            there = some.randrange(len(text) + 1)
            text = text[:there] + piece + text[there:]
        else:
            text = text[:at] + chr(some.choice((some.randrange(1, 128), some.randrange(0x110000)))) + text[at + 1 :]
    return text


def _lines(text: str, some: random.Random) -> str:
    """Lines removed, doubled, moved or indented otherwise."""
    lines = text.split("\n")
    for _ in range(some.randint(1, 3)):
        at = some.randrange(len(lines))
        kind = some.randrange(5)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[some.randrange(len(lines))])
        elif kind == 2:
            lines[at] = " " * some.randrange(8) + lines[at].lstrip()
        elif kind == 3:
            lines.insert(at, some.choice(("<<<<<<< HEAD", "=======", ">>>>>>> branch", "---", "...", "\t", "- x")))
        else:
            lines[at] = re.sub(r":.*", ": " + some.choice(VALUES), lines[at], count=1)
        lines = lines or [""]
    return "\n".join(lines)


def _expressions(text: str, some: random.Random) -> str:
    """Words of the language put into what stands after a colon."""
    places = [match.span() for match in re.finditer(r"[\w.]+|[-+*/^<>=()\[\],]", text)]
    for start, end in sorted(some.sample(places, min(len(places), some.randint(1, 4))), reverse=True):
        word = some.choice(some.choice((SIGNS, WORDS, WORDS, KEYS)))
        text = text[:start] + some.choice((word, text[start:end] + word, f"{text[start:end]} {word} ")) + text[end:]
    return text


def _tree(text: str, some: random.Random) -> str:
    """A subtree put in another's place, removed, or under another key."""
    try:
        tree = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError):
        return _bytes(text, some)
    for _ in range(some.randint(1, 3)):
        places = list(islice(_places(tree), 2000))
        if not places:
            return text
        (holder, key), (other, name) = some.choice(places), some.choice(places)
        kind = some.randrange(5)
        if kind == 0:
            holder[key] = other[name]
        elif kind == 1:
            del holder[key]
        elif kind == 2:
            holder[key] = some.choice(
                (None, [], {}, -1, 0, 1e30, True, "x +", "x", ["x", 2], {"a": 1}, some.choice(WORDS))
            )
        elif kind == 3 and isinstance(holder, dict):
            holder[some.choice(KEYS)] = holder.pop(key)
        else:
            holder[key] = {some.choice(KEYS): holder[key]}
    try:
        return yaml.safe_dump(tree, sort_keys=False, default_flow_style=some.choice((None, False, True)), width=200)
    except (yaml.YAMLError, RecursionError, ValueError):
        return text


def _places(tree: object, depth: int = 0) -> Iterator[tuple[object, object]]:
    if depth > 30:
        return
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(pairs):
        yield tree, key
        yield from _places(value, depth + 1)


def _long(text: str, some: random.Random) -> str:
    """A line many times over, its names and numbers changed."""
    lines = text.split("\n")
    at = some.randrange(len(lines))
    count = some.choice((20, 200, 1000, max(1000, 1999 - len(lines))))
    more = [re.sub(r"(\w+)", lambda match, i=i: f"{match[1]}{i}", lines[at], count=1) for i in range(count)]
    return "\n".join([*lines[:at], *more, *lines[at:]])


MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    _bytes,
    _lines,
    _expressions,
    _expressions,
    _tree,
    _tree,
    _long,
)


def mutant(texts: list[str], some: random.Random) -> str:
    """One mutant: of one text, or of two that are cut together."""
    text = some.choice(texts)
    if some.random() < 0.1:
        other = some.choice(texts)
        text = text[: some.randrange(len(text) + 1)] + other[some.randrange(len(other) + 1) :]
    for _ in range(some.choice((1, 1, 1, 2, 3))):
        text = some.choice(MUTATIONS)(text, some)[:200_000]
    return text


# -- what is asked of each --------------------------------------------------------------------------------------------------


@contextmanager
def _timed(took: dict[str, float], stage: str) -> Iterator[None]:
    """Notes the processor seconds of a stage, also where it ends in an error."""
    begin = time.process_time()
    try:
        yield
    finally:
        took[stage] = time.process_time() - begin


def _commands(took: Mapping[str, float], around: float) -> Iterator[tuple[str, float]]:
    """The seconds of each command: `fmt` reads by itself, the others are given what was read; `around` are reading and messages."""
    yield "reading", around
    for command in took.keys() & {"validate", "plan", "fmt"}:
        yield command, took[command] + (0 if command == "fmt" else around)


def examine(text: str, tally: Tally, timed: bool = True) -> None:
    """Checks, formats and judges one text."""
    tally.inputs += 1
    problems: tuple[spec.Problem, ...] = ()
    took: dict[str, float] = {}
    try:
        with _timed(took, "read"):
            document = spec.parse(decode(text.encode("utf-8", "replace"), "case.yaml"))
        with _timed(took, "validate"):
            problems = spec.validate(document)
        with _timed(took, "plan"):
            spec.resolve(document)
        with _timed(took, "fmt"):
            formatted(document.source)
    except spec.StudyError as error:
        problems = error.problems
        with _timed(took, "messages"):
            spec.render(problems)
        if not problems:
            tally.faults["an error without a problem"] = text
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        tally.faults[f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}: {str(error)[:80]}"] = text
    around = took.get("read", 0) + took.get("messages", 0)
    command, seconds = max(_commands(took, around), key=lambda one: one[1])
    if timed and seconds > SECONDS and text.count("\n") <= 2000:
        tally.faults[f"{command} {seconds:.1f} s for {text.count(chr(10))} lines"] = text
    for problem in problems:
        tally.errors += 1
        message = re.sub(r"'[^']*'|`[^`]*`|[\d,.]+", "_", problem.message)[:90]
        if not problem.hint:
            tally.bare[message] += 1
        if problem.span is None:
            tally.nowhere[message] += 1


def run(seed: int, count: int, timed: bool = True) -> Tally:
    """Some mutants of a seed, in this process."""
    texts, tally = corpus(), Tally()
    some = random.Random(seed)
    for _ in range(count):
        examine(mutant(texts, some), tally, timed)
    return tally


def in_child(seed: int) -> Tally:
    """A batch in a child process of limited memory; what ends the child is a fault of the text it was at."""
    texts = corpus()
    some = random.Random(seed)
    found = Tally()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        import pickle

        os.close(read)
        resource.setrlimit(
            resource.RLIMIT_AS, (MEMORY + 2**29, MEMORY + 2**29)
        )  # NumPy's threads map much that they never touch
        signal.setitimer(signal.ITIMER_PROF, 120)  # seconds of a processor: others may keep it from getting any
        tally = Tally()
        gc.freeze()
        gc.disable()  # while one text is looked at, as the commands have it whose seconds are counted here
        for _ in range(BATCH):
            examine(mutant(texts, some), tally)
            gc.collect()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if peak > MEMORY:
            tally.faults[f"{peak / 2**20:.0f} MiB in the batch of seed {seed}"] = ""
        with os.fdopen(write, "wb") as out:
            pickle.dump(tally, out)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as given:
        data = given.read()
    _, status = os.waitpid(child, 0)
    if status or not data:
        found.faults[f"a child ended with status {status} in the batch of seed {seed}"] = ""
        return found
    import pickle

    return pickle.loads(data)  # type: ignore[no-any-return]


def main() -> int:
    """Runs until the time is over; prints what was found. Returns 1 where there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder for the texts that were answered wrongly")
    given = parser.parse_args()
    examine(corpus()[0], Tally())
    total, seed, end = Tally(), given.seed, time.monotonic() + given.seconds
    while time.monotonic() < end:
        found = in_child(seed)
        seed += 1
        for fault, text in found.faults.items():
            if fault not in total.faults:
                print(f"FAULT {fault}", flush=True)
                if given.keep and text:
                    given.keep.mkdir(parents=True, exist_ok=True)
                    name = hashlib.sha256(fault.encode()).hexdigest()[:10]
                    (given.keep / f"{name}.yaml").write_bytes(text.encode("utf-8", "replace"))
        total.add(found)
    share = sum(total.bare.values()) / max(1, total.errors)
    print(
        f"{total.inputs:,} inputs, {total.errors:,} errors, {len(total.faults)} kinds of fault, {share:.2%} without a remedy"
    )
    for message, times in total.bare.most_common(40):
        print(f"  no remedy {times:6}  {message}")
    for message, times in total.nowhere.most_common(10):
        print(f"  no place  {times:6}  {message}")
    return 1 if total.faults else 0


if __name__ == "__main__":
    sys.exit(main())
