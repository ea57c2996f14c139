"""How often each judge is wrong, and how often it sees what is there: simulated studies, judged by the code that judges runs.

`python -m benchmarks.verdicts` writes the table of `docs/verdicts.md`; `--studies N` says of how many studies each number is.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.results.verdicts import HOLDS, SEEN, Verdict
from dlspec.interpreter.verdicts.judge import judge
from dlspec.spec.ir import claims as c
from dlspec.spec.ir.plan import ClaimPlan, JudgePlan
from dlspec.spec.tables.judges import JUDGES

Draw = Callable[[np.random.Generator, int], Any]
PAGE = Path("docs/verdicts.md")
BEGIN, END = "<!-- table: made by `make verdicts` -->", "<!-- end of the table -->"
COUNTS = (1, 2, 3, 5, 10, 20)
STUDIES = 4000


@dataclass(frozen=True)
class Law:
    """How results are distributed, with the centre that a judge's threshold is put at where nothing differs."""

    name: str
    draw: Draw
    mean: float
    median: float


def _lognormal(rng: np.random.Generator, count: int) -> Any:
    return np.exp(rng.standard_normal(count))


LAWS = (
    Law("normal", lambda rng, count: 10 + rng.standard_normal(count), 10.0, 10.0),
    Law("t₂", lambda rng, count: 10 + rng.standard_t(2, count), 10.0, 10.0),
    Law("lognormal", _lognormal, float(np.exp(0.5)), 1.0),
)
A = c.Measured("final", "m", selections=(c.Selection("variant", "==", "a"),))
B = c.Measured("final", "m", selections=(c.Selection("variant", "==", "b"),))


def _results(first: Any, second: Any) -> Results:
    """Results of two variants."""
    replicates = []
    for variant, values in (("a", first), ("b", second)):
        for number, value in enumerate(values):
            replicates.append(Replicate("e", variant, {}, number, "", steps=[0], curves={"m": np.asarray([value])}))
    return Results("e", {"variant": ("a", "b")}, len(first), replicates)


def _verdict(tree: c.Claim, judged_by: JudgePlan, first: Any, second: Any) -> Verdict:
    return judge(ClaimPlan("e", "c", "", "", tree, judged_by), _results(first, second))


def _nulls(name: str, law: Law) -> list[tuple[str, c.Claim]]:
    """Claims that are not so, or only just: compared with another variant of the same law, and with the law's own centre."""
    if name == "equivalent":
        bounds = ((law.mean, law.mean + 1e6), (law.mean - 1e6, law.mean))
        return [("", c.Apply("within", (A, c.Number(low), c.Number(high)))) for low, high in bounds]
    geometric = {"normal": _geometric_normal(), "lognormal": 1.0}.get(law.name, law.mean)
    centre = law.mean if name == "mean" else geometric if name == "geometric_mean" else law.median
    threshold = c.Number(centre)
    return [
        ("two variants", c.Apply("less", (A, B))),
        ("below", c.Apply("less", (A, threshold))),
        ("above", c.Apply("greater", (A, threshold))),
    ]


def _geometric_normal() -> float:
    """exp(E log(10 + z)) of a standard normal z, by Gauss-Hermite quadrature."""
    places, weights = np.polynomial.hermite_e.hermegauss(20)
    return float(np.exp((weights * np.log(10 + places)).sum() / weights.sum()))


def _rates(judged_by: JudgePlan, law: Law, count: int, studies: int, seed: int) -> tuple[float, float]:
    """How often the worst of some claims that are not so is said to hold, and to hold or be seen."""
    holds, seen = [], []
    for place, (_, tree) in enumerate(_nulls(judged_by.name, law)):
        rng = np.random.default_rng([seed, place])
        marks = [_verdict(tree, judged_by, law.draw(rng, count), law.draw(rng, count)).verdict for _ in range(studies)]
        holds.append(sum(mark == HOLDS for mark in marks) / studies)
        seen.append(sum(mark in (HOLDS, SEEN) for mark in marks) / studies)
    return max(holds), max(seen)


def _power(judged_by: JudgePlan, count: int, studies: int, seed: int) -> float:
    """How often a true effect of one deviation, unpaired, is said to hold; of `equivalent` a mean in the middle of ± 1."""
    rng, found = np.random.default_rng(seed), 0
    tree: c.Claim = c.Apply("less", (A, B))
    if judged_by.name == "equivalent":
        tree = c.Apply("within", (A, c.Number(9.0), c.Number(11.0)))
    for _ in range(studies):
        first, second = 10 + rng.standard_normal(count), 11 + rng.standard_normal(count)
        found += _verdict(tree, judged_by, first, second).verdict == HOLDS
    return found / studies


def _coverage(judged_by: JudgePlan, law: Law, count: int, studies: int, seed: int) -> float | None:
    """How often the interval that is shown holds the true margin, 0."""
    if judged_by.name not in ("mean", "geometric_mean"):
        return None
    rng, hits, told = np.random.default_rng(seed), 0, 0
    (_, tree) = _nulls(judged_by.name, law)[1]
    for _ in range(studies):
        interval = _verdict(tree, judged_by, law.draw(rng, count), law.draw(rng, count)).decision.interval
        if interval is not None:
            told += 1
            hits += interval[0] <= 0 <= interval[1]
    return hits / told if told else None


def judges() -> list[JudgePlan]:
    """Each row of the table of judges, with an argument where it takes one."""
    return [JudgePlan(row.name, 0.5 if row.argument else None) for row in JUDGES.values()]


def rows(studies: int) -> Iterator[list[str]]:
    """The table, a row a judge and a number of replicates."""
    for judged_by in judges():
        for count in COUNTS:
            if count < JUDGES[judged_by.name].fewest:
                continue
            errors, cover = [], []
            for law in LAWS:
                if judged_by.name == "geometric_mean" and law.name == "t₂":  # not positive
                    errors.append("–")
                    cover.append("–")
                    continue
                holds, seen = _rates(judged_by, law, count, studies, count)
                errors.append(f"{holds:.3f} ({seen:.2f})")
                share = _coverage(judged_by, law, count, studies, count)
                cover.append("–" if share is None else f"{share:.2f}")
            power = _power(judged_by, count, studies, count)
            yield [f"`{judged_by}`", str(count), *errors, f"{power:.2f}", *cover]


def table(studies: int) -> str:
    """The table as Markdown."""
    names = [law.name for law in LAWS]
    heads = [
        "judge",
        "replicates",
        *(f"false: {name}" for name in names),
        "power",
        *(f"covers: {name}" for name in names),
    ]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows(studies)]
    return "\n".join(lines)


def main() -> None:
    """Writes the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--print", action="store_true", help="prints the table, and leaves the page as it is")
    options = parser.parse_args()
    text = table(options.studies)
    if options.print:
        print(text)
        return
    page = PAGE.read_text("utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(
        f"{before}{BEGIN}\n\n{text}\n\nOf {options.studies:,} simulated studies each.\n\n{END}{after}", "utf-8"
    )


if __name__ == "__main__":
    main()
