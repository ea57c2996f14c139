"""`python -m benchmarks.paper`: runs the four studies of arXiv:1703.07950 at the paper's size, and writes what came out into `docs/results.md`.

What is stored is not run again, and what was broken off goes on. The page is made of `benchmarks/paper.md`, whose marks stand for numbers,
verdicts and times of a run, and of `docs/results.json`, which keeps them: a test holds these three and the examples together.

    {{flat/staircase: final(error, variant == non_flat)}}          mean (least … largest) over replicates, at each place that the expression keeps
    {{flat/staircase: final(error, variant == non_flat); mean}}    the mean alone; `interval` adds that of the mean (95 %), `each` is one number a replicate
    {{two_images/tuples: final(accuracy) > 0.8; share}}            how many replicates meet a condition, and between which shares of seeds do (95 %)
    {{flat claim staircase.non_flat_learns}}                       its verdict
    {{flat replicates}}, {{flat time}}, {{flat command}}           how many replicates; how long they took, added up; what runs it

A run with seeds takes one of them a core at a time, and is kept with those that are done: the others may follow on another day or machine.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from dlspec import spec
from dlspec.interpreter.api.run import Run
from dlspec.interpreter.results.number_text import duration, number, percent, spread, with_error
from dlspec.interpreter.verdicts.rates import half_width, share_bounds
from dlspec.spec.passes.digests import NUMERICS
from dlspec.spec.source.nodes import data

from .kept import NOT_YET, checksum, made_by, read_kept, write_kept
from .workloads import ROOT

SOURCE = ROOT / "benchmarks" / "paper.md"
PAGE = ROOT / "docs" / "results.md"
DATA = ROOT / "docs" / "results.json"
FIGURES = ROOT / "docs" / "figures"

MARK = re.compile(r"\{\{(.+?)\}\}")
UNTIL = re.compile(r"<!-- until (?P<run>\w+) -->\n(?P<until>.*?)<!-- then -->\n(?P<then>.*?)<!-- end -->\n", re.DOTALL)
NUMBER = re.compile(r"(?P<run>\w+)/(?P<experiment>\w+): (?P<expression>[^;]+?)(?:; (?P<form>\w+))?\Z")
OTHER = re.compile(r"(?P<run>\w+) (?P<what>claim|command|replicates|time)(?: (?P<claim>[\w.]+))?\Z")


@dataclass(frozen=True)
class Asked:
    """A run: the study, what of it, the seeds of its experiment, and the figures of it that the page shows, by the name of their file there."""

    study: str
    only: Sequence[str] = ()
    overrides: Sequence[str] = ()
    seeds: Sequence[int] = ()
    figures: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The study's file."""
        return ROOT / "examples" / f"{self.study}.yaml"

    @property
    def changes(self) -> list[str]:
        """What it overrides, its seeds among it."""
        seeds = ",".join(map(str, self.seeds))
        return [*self.overrides, *([f"{self.only[0].split('/')[0]}.seed={seeds}"] if seeds else [])]

    @property
    def command(self) -> str:
        """What runs it, as it is typed in the repository."""
        chosen = [word for one in self.only for word in ("--only", one)] + [
            word for one in self.changes for word in ("-o", one)
        ]
        return shlex.join(["dlspec", "run", f"examples/{self.study}.yaml", *chosen])

    def left(self, held: Mapping[str, Any] | None, wanted: Sequence[tuple[str, str]] = ()) -> list[Asked]:
        """What is to be run of it, one after the other: all of it at once, or, a seed a core at a time, what is not kept yet with all that is wanted."""
        if not self.seeds:
            return [self]
        as_now = (
            held is not None
            and (held["study"], held["numerics"]) == (meaning(self.path), NUMERICS)
            and held["numbers"].keys() >= {f"{experiment}: {expression}" for experiment, expression in wanted}
        )
        missing = [seed for seed in self.seeds if not as_now or seed not in held["seeds"]]
        at_once = os.cpu_count() or 1
        return [replace(self, seeds=missing[start : start + at_once]) for start in range(0, len(missing), at_once)]


def _end_to_end(k: int, replicates: int = 1, seeds: Sequence[int] = (), steps: int | None = None) -> Asked:
    """Figure 3's end-to-end network on tuples of k images, with more replicates or steps than the study asks for: whether it learns is a matter of the seed."""
    overrides = [f"tuples.sweep.k=[{k}]", *([] if steps is None else [f"tuples.training.steps={steps}"])]
    if replicates > 1:
        overrides.append(f"tuples.variants.end_to_end.replicates={replicates}")
    return Asked("decomposition", ["tuples/end_to_end"], overrides, seeds)


RUNS = {
    "flat": Asked("flat", figures={"staircase.figure_7b_to_7e": "flat"}),
    "parities": Asked(
        "parities",
        figures={
            "random_parity.figure_1": "figure_1", "linear_periodic.final": "linear_periodic", "gradient_variance.fall": "gradient_variance",
        },
    ),
    "conditioning": Asked(
        "conditioning",
        figures={
            "curves.figure_6a": "figure_6a", "curves.figure_6b": "figure_6b", "curves.figure_6c": "figure_6c",
            "auto_encoder.figure_6d": "figure_6d", "condition_of_W.growth": "condition_of_W",
        },
    ),
    "decomposition": Asked(
        "decomposition",
        ["tuples/decomposition", "tuples_snr", "allocation", "allocation_noise"],
        figures={"allocation.figure_4": "figure_4", "tuples_snr.figure_5": "figure_5"},
    ),
    "one_image": _end_to_end(1, 5),
    "two_images": _end_to_end(2, 10),
    "other_two_images": _end_to_end(2, seeds=range(1, 6)),
    "three_images": _end_to_end(3, seeds=range(5)),
    "four_images": _end_to_end(4, seeds=range(5)),
    "longer_two_images": _end_to_end(2, seeds=(0, 2), steps=60_000),
    "longer_three_images": _end_to_end(3, seeds=(0, 1), steps=60_000),
    "tuples": Asked("decomposition", ["tuples"], figures={"tuples.figure_2": "figure_2", "tuples.figure_3": "figure_3"}),
}  # fmt: skip
"""In the order in which they are run: the longest last."""


def main() -> int:
    """Runs what is asked for, one run after the other, and writes the page after each; 1 where one could not be run whole."""
    import dlspec

    parser = argparse.ArgumentParser(description="Runs the paper's studies and writes docs/results.md.")
    parser.add_argument("--only", default="", help=f"some of {', '.join(RUNS)}, with commas between them")
    parser.add_argument("--runs", default="runs", help="where runs lie, with the store")
    parser.add_argument("--page", action="store_true", help="runs nothing: writes the page of what is kept")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",") if arguments.only else list(RUNS)
    if unknown := set(chosen) - set(RUNS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(RUNS)}")
    held, source, code = read_kept(DATA), SOURCE.read_text("utf-8"), 0
    for name in [] if arguments.page else chosen:
        asked = RUNS[name]
        wanted = expressions(source, name)
        for part in asked.left(held.get(name), wanted):
            print(name, *part.seeds, file=sys.stderr, flush=True)
            run = dlspec.run(part.path, only=part.only, overrides=part.changes, runs=arguments.runs, progress=True)
            code |= run.exit_code not in (0, 3)
            now = kept(part, run, wanted)
            held[name] = joined(asked, held[name], now) if part.seeds and name in held else now
            held = write_kept(DATA, held, RUNS)
            for figure, file in asked.figures.items():
                shutil.copy(run.path / f"{figure}.png", FIGURES / f"{file}.png")
            PAGE.write_text(page(source, held), "utf-8")
    if arguments.page:
        PAGE.write_text(page(source, held), "utf-8")
    return code


def expressions(source: str, run: str) -> list[tuple[str, str]]:
    """The experiments and expressions that a page's marks ask of a run."""
    found = [NUMBER.match(mark) for mark in MARK.findall(source)]
    return list(dict.fromkeys((one["experiment"], one["expression"]) for one in found if one and one["run"] == run))


def kept(asked: Asked, run: Run, wanted: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What the page needs of a run."""
    finals = run.finals()
    numbers: dict[str, list[dict[str, Any]]] = {}
    for experiment, expression in wanted:
        frame = run.evaluate(expression, experiment)
        axes = [name for name in frame.columns if name not in ("replicate", "value", "low", "high", "seed")]
        groups = frame.groupby(axes, sort=False) if axes else [((), frame)]
        numbers[f"{experiment}: {expression}"] = [
            {"at": [str(value) for value in at], "values": [six_digits(value) for value in group["value"]]}
            for at, group in groups
        ]
    return {
        "study": meaning(asked.path), "command": asked.command,
        **made_by(run), "device": run.about["device"],
        "seconds": round(float(finals["seconds"].sum())),
        **(
            {"seeds": list(asked.seeds), "replicates": [len(finals)]} if asked.seeds
            else {"replicates": sorted({int(count) for count in finals.groupby("cell")["replicate"].nunique()})}
        ),
        "verdicts": dict(zip(run.claims()["claim"], run.claims()["verdict"], strict=True)),
        "numbers": numbers,
    }  # fmt: skip


def joined(asked: Asked, before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of some seeds of a run, and of others: the values of all; verdicts are of the seeds of one run, and are not kept.

    Versions, processor and device are the later ones'. What is of another study or version of the numbers, or lacks a number that is wanted now, falls away.
    """
    same = (before["study"], before["numerics"]) == (now["study"], now["numerics"])
    if not same or not before["numbers"].keys() >= now["numbers"].keys():
        return dict(now)
    numbers = {
        expression: [
            {"at": one["at"], "values": [*one["values"], *other["values"]]}
            for one, other in zip(before["numbers"][expression], places, strict=True)
        ]
        for expression, places in now["numbers"].items()
    }
    seeds = [*before["seeds"], *now["seeds"]]
    return {
        **now, "command": replace(asked, seeds=seeds).command, "seconds": before["seconds"] + now["seconds"],
        "seeds": seeds, "replicates": [before["replicates"][0] + now["replicates"][0]], "verdicts": {}, "numbers": numbers,
    }  # fmt: skip


def six_digits(value: float) -> float | None:
    """A number of six digits, as rounding differs beyond them from machine to machine; None for one that is not finite."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def meaning(path: Path) -> str:
    """A checksum of what a study's file says: comments and layout are not in it."""
    return checksum(data(spec.parse(spec.read(str(path))).top))


# -- the page --------------------------------------------------------------------------------------------------------------


def page(source: str, held: Mapping[str, Mapping[str, Any]]) -> str:
    """The page: a source whose marks have become numbers. Raises KeyError for a mark that names what no run has.

    Of `<!-- until RUN -->…<!-- then -->…<!-- end -->` the first part stands until that run is kept, the second from then on.
    """
    source = UNTIL.sub(lambda part: part["then" if part["run"] in held else "until"], source)
    return MARK.sub(lambda mark: _said(mark[1], held), source)


def _said(mark: str, held: Mapping[str, Mapping[str, Any]]) -> str:
    found = NUMBER.match(mark) or OTHER.match(mark)
    if found is None or found["run"] not in RUNS:
        raise KeyError(mark)
    if found["run"] not in held:
        return NOT_YET
    run = held[found["run"]]
    parts = found.groupdict()
    if "expression" in parts:
        places = run["numbers"][f"{parts['experiment']}: {parts['expression']}"]
        return ", ".join(FORMS[parts["form"] or "range"](_known(place["values"])) for place in places)
    if parts["what"] == "claim":
        return str(run["verdicts"][parts["claim"]])
    if parts["what"] == "command":
        return str(run["command"])
    return duration(run["seconds"]) if parts["what"] == "time" else " or ".join(map(str, run["replicates"]))


def _known(values: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]


def _interval(values: Sequence[float]) -> str:
    """The mean with half the width of its interval by Student's t (95 %)."""
    half = half_width(values)
    return with_error(float(np.mean(values)), half) if half else number(float(np.mean(values)))


def _share(values: Sequence[float]) -> str:
    low, high = share_bounds(int(sum(values)), len(values))
    return f"{sum(values):.0f} of {len(values)} ({percent(low)} … {percent(high)} of seeds)"


FORMS: Mapping[str, Callable[[Sequence[float]], str]] = {
    "range": lambda values: readable(spread(values if len(set(values)) > 1 else values[:1])),
    "mean": lambda values: readable(number(float(np.mean(values)))),
    "interval": lambda values: readable(_interval(values)),
    "each": lambda values: readable(", ".join("never" if math.isnan(value) else number(value) for value in values)),
    "share": _share,
}
"""How the values of the replicates at one place are told."""


def readable(text: str) -> str:
    """Powers of ten as people write them, and thousands in full.

    >>> readable("1.7e-05 (7e-11 … 1.35e+08)"), readable("9200 (500 … 18000)")
    ('1.7·10⁻⁵ (7·10⁻¹¹ … 1.35·10⁸)', '9,200 (500 … 18,000)')
    """
    text = re.sub(r"(?<![\d.])\d{4,6}(?!\d)", lambda found: f"{int(found[0]):,}", text)
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    return re.sub(r"e([+-]\d+)", lambda power: f"·10{str(int(power[1])).translate(raised)}", text)


if __name__ == "__main__":
    sys.exit(main())
