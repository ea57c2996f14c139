"""What a paper claims and the gallery does not see, over settings that are declared before any of them is run: `benchmarks/grids/`.

Each grid is a study of the name of its case, registered (`NAME.registered.json`) and committed before its run. A setting is each combination of values
that a claim keeps; the claim holds in it where all replicates agree. All settings are told, whichever way they come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dlspec import spec
from dlspec.interpreter.api.run import Run
from dlspec.interpreter.results.number_text import spread

from .kept import NOT_YET, made_by, registered
from .paper import meaning, readable, six_digits
from .workloads import ROOT

GRIDS = ROOT / "benchmarks" / "grids"
DATA = ROOT / "docs" / "grids.json"

SHOWN: Mapping[str, Mapping[str, str]] = {
    "edge_of_stability": {
        "sharpness · rate / 2 at first": "at(ratio, 0)",
        "over the last third": "mean_over(ratio, step >= 2 * last // 3)",
    },
    "ring": {"modes": "final(modes)", "share of samples close to one": "final(quality)"},
    "sparse_parities": {
        "steps, 10 bits": "first_step(accuracy >= 0.95, n == 10)",
        "30 bits": "first_step(accuracy >= 0.95, n == 30)",
        "exponent": "log(first_step(accuracy >= 0.95, n == 30) / first_step(accuracy >= 0.95, n == 10)) / log(3)",
    },
    "spectral_bias": {
        "lowest half learnt at step": "first_step(left[0] <= 0.5)",
        "fifth": "first_step(left[4] <= 0.5)",
        "highest": "first_step(left[9] <= 0.5)",
    },
}
"""By grid, numbers that stand beside its verdicts, and by which nothing is judged: what they are called, and what they are."""


def grids() -> list[Path]:
    """The files of the grids."""
    return sorted(GRIDS.glob("*.yaml"))


def kept(path: Path, run: Run) -> dict[str, Any]:
    """What the page needs of a run of a grid."""
    ((experiment, model),) = spec.load(path).study.experiments.items()
    verdicts = dict(zip(run.claims()["claim"], run.claims()["verdict"], strict=True))
    return {
        "study": meaning(path), **made_by(run),
        "replicates": int(run.finals()["replicate"].nunique()),
        "registration": run.about["registration"],
        "claims": [
            {"claim": name, "check": claim.check, "verdict": verdicts[f"{experiment}.{name}"], **_counts(run, str(claim.check))}
            for name, claim in model.claims.items()
        ],
        "numbers": [{"called": called, **_values(run, expression)} for called, expression in SHOWN[path.stem].items()],
    }  # fmt: skip


def _counts(run: Run, check: str) -> dict[str, Any]:
    """In how many replicates of each setting a condition is true, and in how many it is false; in the others it is not decided."""
    worth = run.quantity(check)
    return {
        "axes": list(worth.places[0][0]),
        "settings": [
            {"at": [str(value) for value in place.values()],
             "true": sum(number.value == 1 for number in numbers), "false": sum(number.value == 0 for number in numbers)}
            for place, numbers in worth.places
        ],
    }  # fmt: skip


def _values(run: Run, expression: str) -> dict[str, Any]:
    worth = run.quantity(expression)
    return {
        "expression": expression,
        "axes": list(worth.places[0][0]),
        "settings": [
            {"at": [str(value) for value in place.values()], "values": [six_digits(number.value) for number in numbers]}
            for place, numbers in worth.places
        ],
    }


# -- the page --------------------------------------------------------------------------------------------------------------


def section(path: Path, item: Mapping[str, Any] | None) -> list[str]:
    """What the page says of a grid, line by line."""
    study = spec.load(path).study
    (experiment,) = study.experiments.values()
    about = " ".join((study.about or "").split())
    lines = ["### Settings that were declared before they were run", "", about, ""]
    if item is None:
        return [*lines, f"**{NOT_YET}**", "", *_file(path)]
    held = {claim["claim"]: claim for claim in item["claims"]}
    for name, claim in experiment.claims.items():
        lines += [
            f"- {claim.says}  ",
            f"  `{' '.join(str(claim.check).split())}`  ",
            f"  {_told(held[name], item['replicates'])}",
            "",
        ]
    for axes in dict.fromkeys(tuple(claim["axes"]) for claim in item["claims"]):
        own = [claim for claim in item["claims"] if tuple(claim["axes"]) == axes]
        lines += _table(axes, own, [one for one in item["numbers"] if tuple(one["axes"]) == axes], item["replicates"])
    packages = ", ".join(f"{package} {version}" for package, version in item["packages"].items())
    return [
        *lines,
        f"{registered(item['registration'])} {item['replicates']} replicates a cell, on {item['processor']} "
        f"({packages}; version {item['numerics']} of the numbers).",
        "", *_file(path),
    ]  # fmt: skip


def _told(claim: Mapping[str, Any], replicates: int) -> str:
    """In how many settings a claim is so."""
    settings = claim["settings"]
    all_, none = (sum(one[truth] == replicates for one in settings) for truth in ("true", "false"))
    some = len(settings) - all_ - none
    return (
        f"**holds in {all_} of {len(settings)} settings**; in {none} no replicate agrees"
        + (f"; in {some} some do not agree, or are not decided" if some else "")
        + f". Judged over all: {claim['verdict']}"
    )  # fmt: skip


def _table(
    axes: Sequence[str], claims: Sequence[Mapping[str, Any]], numbers: Sequence[Mapping[str, Any]], replicates: int
) -> list[str]:
    """A row a setting: in how many replicates each claim is so, and what the numbers were, as mean (least … largest)."""
    heads = [*axes, *(f"`{claim['claim']}`" for claim in claims), *(one["called"] for one in numbers)]
    rows = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for place, setting in enumerate(claims[0]["settings"]):
        counts = [_count(claim["settings"][place], replicates) for claim in claims]
        values = [_value(one["settings"][place]["values"]) for one in numbers]
        rows.append("| " + " | ".join([*setting["at"], *counts, *values]) + " |")
    return [*rows, ""]


def _count(setting: Mapping[str, Any], replicates: int) -> str:
    """How many replicates agree, and of how many that is not decided."""
    open_ = replicates - setting["true"] - setting["false"]
    return f"{setting['true']} of {replicates}" + (f", {open_} not decided" if open_ else "")


def _value(values: Iterable[float | None]) -> str:
    """The values of the replicates."""
    values = list(values)
    known = [value for value in values if value is not None]
    missing = f"{len(values) - len(known)} never" if len(known) < len(values) else ""
    told = readable(spread(known if len(set(known)) > 1 else known[:1])) if known else ""
    return ", ".join(filter(None, [told, missing]))


def _file(path: Path) -> list[str]:
    name = path.relative_to(ROOT).as_posix()
    return [
        f"`dlspec run {name}`", "", f'<details markdown="1"><summary>{name}</summary>', "", "```yaml", path.read_text("utf-8").rstrip(), "```", "",
        "</details>", "",
    ]  # fmt: skip
