"""What the front end takes for files of 2,000 lines: processor seconds of reading, checking and formatting each.

    python -m benchmarks.long_files [--only claims] [--rounds 3] [--functions 25] [--keep FOLDER]

Each kind of file repeats one thing that a writer can repeat. The seconds are those of this process, imports excluded, the least of the rounds;
Python's collector of cycles is at rest, as in `dlspec validate` and `dlspec fmt`. All kinds with three rounds or more go into
`benchmarks/results/long_files.json` and, as a table, into `docs/benchmarks.md`.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dlspec import spec
from dlspec.spec.format import formatted

from .machine import machine

LINES = 2000
ROUNDS = 3
"""From so many on a measurement of all kinds is written into the page."""
RESULTS = Path(__file__).with_name("results") / "long_files.json"
STAGES = ("read", "validate", "fmt")
HEAD = """## Long files

The table shows the processor seconds of the front end for files of 2,000 lines, each of which repeats one thing. `make long`
measures it again.

| column | what is timed |
|---|---|
| read | reading the YAML and checking it against the models |
| validate | checking the study (`dlspec validate`) |
| fmt | writing its canonical form (`dlspec fmt`, which reads, checks, writes, and reads back what it has written) |

Imports are not included. Seconds are the least of the rounds, on a machine at rest. From the second round on, the syntax trees of
expressions that were read before are available.

If each line makes a cell, some 2,000 cells are checked:

- Cells that differ only in numbers are checked at once (sizes, rates, steps, factors, constants: of sweep points, variants, patches
  of an axis and profiles).
- Cells with names that something else refers to are checked one by one, at 0.3 to 0.7 ms each.
"""
STUDY = """dlspec: 1
study: long
experiments:
  e:
    constants:
      d: 3
      c: 1
    functions:
      push(s, v): s + c * v
    task:
      draw:
        v: normal([d])
      example:
        x: normal([d])
        y: dot(x, v)
    architecture:
      f:
        input: x
        layers:
          - dense: {units: 4, activation: relu}
          - dense: 1
    loss:
      squared: (f - y)^2
    training: {optimizer: {sgd: 0.1}, batch: 8, steps: 10, evaluate: {every: 5, examples: 16}}
    measures:
      error: E((f - y)^2)
""".splitlines()
TURN = " and ".join(f"final(error, d == {2 + place % 2}) < {place / 10} + <i>" for place in range(17))
FIVE = "    sweep: {d: [1, 2, 3, 4, 5]}\n"
UNLIKE = ["    variants:", *(
    f"      {name}: {{architecture: {{f: {{layers: [{'{dense: 3}, ' * depth}{{dense: 1}}]}}}}}}" for depth, name in enumerate("abcdefgh")
)]  # fmt: skip
NETWORK = ("n<i>:", "  input: x", "  layers: [{dense: 3}, {dense: 1}]")
CLAIM = ("c<i>:", "  says: it is so, <i>", "  check: ")


def after(line: str, *repeated: str, first: Sequence[str] = (), indent: int = 6, last: Sequence[str] = ()) -> str:
    """The study with some lines many times over, `<i>` in them a number that grows, after the line that begins so."""
    place = 1 + next(place for place, other in enumerate(STUDY) if other.strip().startswith(line))
    count = (LINES - len(STUDY) - len(first) - len(last)) // len(repeated)
    more = [" " * indent + text.replace("<i>", str(number)) for number in range(1, count + 1) for text in repeated]
    return "\n".join([*STUDY[:place], *first, *more, *last, *STUDY[place:], ""])


def profiles() -> str:
    """Experiments, and as many profiles that change one each."""
    count = (LINES - len(STUDY)) // 7
    experiments = [
        line
        for number in range(count)
        for line in (f"  e{number}:", "    base: e", f"    training: {{batch: {number + 1}}}")
    ]
    patches = [
        line
        for number in range(count)
        for line in (f"  p{number}:", "    experiments:", f"      e{number}:", f"        training: {{steps: {number + 20}}}")
    ]  # fmt: skip
    return "\n".join([*STUDY, *experiments, "profiles:", *patches, ""])


def bases(base: Callable[[int], str]) -> str:
    """Experiments, each from a base that is named for its number."""
    count = (LINES - len(STUDY)) // 3
    experiments = [
        line
        for number in range(count)
        for line in (f"  e{number + 1}:", f"    base: {base(number)}", f"    training: {{batch: {number + 1}}}")
    ]
    return "\n".join([*STUDY, *experiments, ""])


def in_pairs(line: str, declared: str, used: str) -> str:
    """As many of one thing after a line as of another behind the measures."""
    count = (LINES - len(STUDY)) // 2
    place = 1 + next(place for place, other in enumerate(STUDY) if other.strip().startswith(line))
    first, last = (
        [f"      {text.replace('<i>', str(number + 1))}" for number in range(count)] for text in (declared, used)
    )
    return "\n".join([*STUDY[:place], *first, *STUDY[place:], *last, ""])


def phases(text: str, under: str) -> str:
    """A line many times in the training of the study, in a list under some words."""
    head, rest = "\n".join([*STUDY, ""]).split("    training: {optimizer: {sgd: 0.1}, batch: 8, steps: 10, ")
    lines = [f"        {text.replace('<i>', str(number + 1))}" for number in range(LINES - len(STUDY) - 3)]
    words = [f"      {word}{'' if ':' in word else ':'}" for word in under.split(", ")]
    training = [
        "    training:",
        "      optimizer: {sgd: 0.1}",
        "      batch: 8",
        *words,
        *lines,
        f"      {rest.replace('}}', '}', 1)}",
    ]
    return head + "\n".join(training)


def swept_statistics() -> str:
    """1,000 statistics at 39 swept shapes."""
    points = ", ".join(str(number + 2) for number in range(39))
    text = after("error", "m<i>:", "  gradient_noise: {of: (f - y)^2, weights: f.weights, examples: 64 * (<i> + 1)}")
    return text + f"    sweep: {{d: [{points}]}}\n"


FILES: dict[str, Callable[[], str]] = {
    "constants": lambda: after("c: 1", "c<i>: 2 * <i> + d"),
    "draws": lambda: after("v: normal", "v<i>: normal([d])", indent=8),
    "bindings": lambda: after("y: dot", "y<i>: y * <i> + norm(x)", indent=8),
    "bindings at swept sizes": lambda: after("y: dot", "y<i>: y * d + norm(x) * <i>", indent=8) + FIVE,
    "layers": lambda: after("layers:", "- dense: 2 + 3 * <i>", indent=10),
    "layers at swept sizes": lambda: after("layers:", "- dense: 2 + 3 * <i> + d", indent=10) + FIVE,
    "terms of a loss": lambda: after("squared", "l<i>: abs(f - y) * <i>"),
    "measures": lambda: after("error", "m<i>: E(abs(f - y) * (<i> + norm(x)))"),
    "measures at swept sizes": lambda: after("error", "m<i>: E(abs(f - y) * (<i> + norm(x)))") + FIVE,
    "a measure under other names": lambda: after("error", "m<i>: E(squared_norm(gradient((f - y)^2, f.weights))) / 2^d", last=UNLIKE),
    "nested E": lambda: after("error", "m<i>: E(abs(f - E(f)) * (<i> + E(norm(x - E(x)))))"),
    "scan": lambda: after("error", "m<i>: E(sum(scan(push, zeros([d]), ones([<i> + 3, d]) * x)))"),
    "statistics": lambda: after("error", "m<i>:", "  gradient_noise: {of: (f - y)^2, weights: f.weights, examples: 64 * (<i> + 1)}"),
    "swept statistics": swept_statistics,
    "claims": lambda: after("error", *CLAIM[:-1], CLAIM[-1] + "final(error) < <i>", first=["    claims:"]),
    "long claims": lambda: after("error", *CLAIM[:-1], CLAIM[-1] + TURN, first=["    sweep: {d: [2, 3]}", "    claims:"]),
    "batches of variants": lambda: after("error", "v<i>: {training: {batch: <i> + 8}}", first=["    variants:"]),
    "steps of variants": lambda: after("error", "v<i>: {training: {steps: <i> + 5}}", first=["    variants:"]),
    "losses of variants": lambda: after(
        "error", "v<i>: {loss: {squared: (f - y)^2 * <i>}}", first=["    variants:"]
    ),
    "networks of variants": lambda: after(
        "error", "v<i>: {architecture: {f: {layers: [{dense: <i>}, {dense: 1}]}}}", first=["    variants:"]
    ),
    "swept sizes": lambda: after("error", "- <i>", first=["    sweep:", "      d:"], indent=8),
    "swept numbers": lambda: after("error", "- <i>", first=["    sweep:", "      c:"], indent=8),
    "rates of variants": lambda: after(
        "error", "v<i>: {training: {optimizer: {sgd: 0.0<i>}}}", first=["    variants:"]
    ),
    "constants of variants": lambda: after("error", "v<i>: {constants: {c: <i> + 1, d: 4}}", first=["    variants:"]),
    "terms of variants": lambda: after("error", "v<i>: {loss: {squared: (f - y)^2, t<i>: abs(f - y)}}", first=["    variants:"]),
    "variants without patches": lambda: after("error", "v<i>: {}", first=["    variants:"]),
    "functions of variants": lambda: after("error", "v<i>: {functions: {'g<i>(r)': 'push(r, <i>) + r'}}", first=["    variants:"]),
    "measures of variants": lambda: after("error", "v<i>: {measures: {m<i>: E(abs(f - y) * <i>)}}", first=["    variants:"]),
    "an axis of patches": lambda: after("error", "p<i>: {training: {steps: <i> + 5}}", first=["    sweep:", "      size:"], indent=8),
    "profiles": profiles,
    "profiles of one": lambda: "\n".join([*STUDY, "profiles:", *(
        f"  p{number}: {{experiments: {{e: {{training: {{steps: {number + 20}}}}}}}}}" for number in range(LINES - len(STUDY) - 1)
    ), ""]),
    "bases in a chain": lambda: bases(lambda number: f"e{number}" if number else "e"),
    "one base": lambda: bases(lambda number: "e"),
    "functions": lambda: after("push", "g<i>(r): push(r, <i>) + r"),
    "functions in use": lambda: in_pairs("push", "g<i>(r): push(r, <i>) + r", "m<i>: E(g<i>(f - y))"),
    "outputs": lambda: after("squared", "o<i>: f * <i> + norm(x)", first=["    outputs:"]),
    "networks": lambda: after("- dense: 1", *NETWORK),
    "phases": lambda: phases("p<i>: {steps: 2}", "phases"),
    "updates": lambda: phases("u<i>: {networks: [f], loss: [squared], times: 2}", "steps: 10, updates"),
    "figures": lambda: after("error", "p<i>: {kind: curves, y: error, title: Figure <i>}", first=["    figures:"]),
    "windows of claims": lambda: after("error", *CLAIM[:-1], CLAIM[-1] + "highest(error, step >= <i> // 400) < <i>", first=["    claims:"]),
    "items of an array": lambda: after("c: 1", "- [<i>, 2, 0.5 * <i>]", first=["      a:"], indent=8),
    "lines of an expression": lambda: after("error", "f,", first=["      m: >", "        E(max(["], last=["        y]))"], indent=8),
    "comments": lambda: after("error", "# the error is a mean, <i>"),
}  # fmt: skip


def stages(text: str) -> dict[str, Callable[[], Any]]:
    """What is done with a file, in order."""
    document: list[spec.Document] = []
    return {
        "read": lambda: document.append(spec.parse(spec.decode(text.encode(), "long.yaml"))),
        "validate": lambda: spec.validate(document[0]),
        "fmt": lambda: formatted(document[0].source),
    }


def took(name: str, profile: cProfile.Profile | None = None) -> dict[str, float]:
    """The processor seconds of each stage of a kind of file. Raises StudyError: none of these files has an error."""
    seconds: dict[str, float] = {}
    for stage, call in stages(FILES[name]()).items():
        begin = time.process_time()
        if profile is not None:
            profile.runcall(call)
        else:
            call()
        seconds[stage] = round(time.process_time() - begin, 3)
        gc.collect()
    return seconds


def section(data: Mapping[str, Any]) -> str:
    """The table of the numbers."""
    m = data["machine"]
    lines = [
        HEAD,
        f"Measured on {data['date']}, {data['rounds']} rounds: {m['processor']}, {m['cores']} cores, Python {m['python']}; load {m['load']:.1f} before.\n",
        f"| 2,000 lines of | {' | '.join(STAGES)} |",
        f"|---|{'---:|' * len(STAGES)}",
        *(
            f"| {name} | {' | '.join(f'{seconds[stage]:.2f} s' for stage in STAGES)} |"
            for name, seconds in data["files"].items()
        ),
    ]
    return "\n".join(lines) + "\n"


def measured_files() -> str:
    """The table of the files that were measured last; nothing where none were."""
    return section(json.loads(RESULTS.read_text("utf-8"))) if RESULTS.is_file() else ""


def _write_page(data: Mapping[str, Any]) -> None:
    """The page of the benchmarks' numbers that are there, with these files."""
    from .__main__ import PAGE
    from .__main__ import RESULTS as BENCHMARKS
    from .table import table
    from .whole_studies import measured_studies

    PAGE.write_text(table(json.loads(BENCHMARKS.read_text("utf-8")), measured_studies(), section(data)), "utf-8")
    print(PAGE)


def main() -> None:
    """Prints a line for each kind of file, and where asked the functions that took longest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help=f"kinds of files, separated by commas: {', '.join(FILES)}")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--functions", type=int, default=0, help="print so many functions that took longest")
    parser.add_argument("--keep", type=Path, help="a folder for the files")
    given = parser.parse_args()
    names = given.only.split(",") if given.only else list(FILES)
    if unknown := set(names) - set(FILES):
        parser.error(f"there is no kind {', '.join(sorted(unknown))}; there are {', '.join(FILES)}")
    where = machine()
    gc.disable()
    spec.validate(spec.parse(spec.decode("\n".join([*STUDY, ""]).encode(), "warm.yaml")))
    measured: dict[str, dict[str, float]] = {}
    for name in names:
        text = FILES[name]()
        if given.keep:
            (given.keep / f"{name.replace(' ', '_')}.yaml").write_text(text, "utf-8")
        profile = cProfile.Profile() if given.functions else None
        rounds = [took(name, profile) for _ in range(given.rounds)]
        measured[name] = {stage: min(one[stage] for one in rounds) for stage in STAGES}
        shown = "   ".join(f"{stage} {seconds:5.2f}" for stage, seconds in measured[name].items())
        print(f"{name:22}{text.count(chr(10)):6,} lines   {shown}", flush=True)
        if profile is not None:
            pstats.Stats(profile).sort_stats("tottime").print_stats(given.functions)
    if given.rounds >= ROUNDS and not given.only and not given.functions:
        today = time.strftime("%Y-%m-%d", time.gmtime())
        data = {"date": today, "machine": where, "rounds": given.rounds, "files": measured}
        RESULTS.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
        _write_page(data)


if __name__ == "__main__":
    main()
