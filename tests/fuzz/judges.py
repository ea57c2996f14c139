"""Random claims with each judge on random results of more replicates, and the verdict by plain arithmetic: sums of binomials, and
Student's distribution written out. Only the widths for skewed results, which were simulated, are those of the judges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from random import Random
from typing import Any

from dlspec.interpreter.results.verdicts import FAILS, HOLDS, OPEN, SEEN
from dlspec.interpreter.verdicts.rates import SKEWED

from tests.fuzz.claims import (
    MEASURES,
    Candidates,
    Part,
    Unfit,
    World,
    applied,
    condition,
    main,
    number,
    places,
    verdicts,
)

SHARES = ("0.3", "0.5", "0.6", "0.8", "0.95")
NEAR = 1e-9


def student_tail(statistic: float, freedom: int) -> float:
    """How often Student's t exceeds a positive statistic: the finite sums for whole degrees of freedom (Abramowitz & Stegun 26.7.3, 26.7.4).

    >>> round(student_tail(2.7764, 4), 4), round(student_tail(12.706, 1), 4)
    (0.025, 0.025)
    """
    angle = math.atan(statistic / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    term, total = (cosine, 0.0) if freedom % 2 else (1.0, 0.0)
    for order in range(1 if freedom % 2 else 0, freedom - 1, 2):
        total += term
        term *= cosine**2 * (order + 1) / (order + 2)
    inside = 2 / math.pi * (angle + sine * total) if freedom % 2 else sine * total
    return (1 - inside) / 2


def student(freedom: int, tail: float) -> float:
    """What Student's t exceeds with a probability, by halving."""
    low, high = 0.0, 1.0
    while student_tail(high, freedom) > tail:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, freedom) > tail else (low, middle)
    return low


def skewed(count: int, tail: float) -> float:
    """The width for skewed results, between the counts of the table along its logarithms, and wider by as much as Student's for other tails."""
    known = sorted(SKEWED)
    below, above = max(n for n in known if n <= count), min(n for n in known if n >= count)
    part = 0.0 if above == below else math.log(count / below) / math.log(above / below)
    wide = SKEWED[below] ** (1 - part) * SKEWED[above] ** part
    return max(1.0, wide / student(count - 1, 0.025)) * student(count - 1, tail)


def by_share(part: Part, share: str, count: int) -> str:
    """Exact bounds of a share: at least so many, or at most so many, would meet the claim in 5 % of studies."""
    found: dict[int, list[Candidates]] = {}
    for place in places(part.kept):
        found.setdefault(place["replicate"], []).append(part.at(place))
    each = [0 if (0.0,) in own else None if None in own else 1 for own in found.values()]
    met, unknown, asked = each.count(1), each.count(None), Fraction(share)
    chances = [math.comb(count, k) * asked**k * (1 - asked) ** (count - k) for k in range(count + 1)]
    if met and sum(chances[met:]) <= Fraction(1, 20):
        return HOLDS if count >= 5 else SEEN
    return FAILS if met + unknown < count and sum(chances[: met + unknown + 1]) < Fraction(1, 20) else OPEN


def cells(part: Part) -> Iterator[list[Candidates]]:
    """The replicates' values at each place."""
    own = {name: kept for name, kept in part.kept.items() if name != "replicate"}
    for place in places(own):
        yield [part.at({**place, "replicate": replicate}) for replicate in part.kept["replicate"]]


def by_means(sides: list[tuple[Part, bool]], tail: float, symmetric: bool) -> str:
    """Whether the mean margins of all sides are above 0, or at it unless strict, in all cells."""
    found = [(own, strict) for part, strict in sides for own in cells(part)]
    if any(one is not None and len(one) > 1 for own, _ in found for one in own):
        raise Unfit
    margins = [([one[0] for one in own if one], strict) for own, strict in found]
    if any(math.isinf(one) for own, _ in margins for one in own):
        return OPEN
    if min(len(own) for own, _ in margins) < 3:
        return OPEN
    many = len(margins) // len(sides)
    met, missed = [], False
    for own, strict in margins:
        count, mean = len(own), sum(own) / len(own)
        spread, size = max(own) - min(own), max(map(abs, own))
        if spread <= 1e-13 * size:
            met.append(SEEN if mean > 0 or (mean == 0 and not strict) else OPEN)
            missed |= mean < 0
            continue
        error = math.sqrt(sum((one - mean) ** 2 for one in own) / (count - 1) / count)
        wide = student if symmetric else skewed
        freedom = count - 1 if symmetric else count
        safe, corrected = (wide(freedom, (tail if symmetric else 0.025) / n) for n in (1, many))
        plain = student(count - 1, tail)
        if spread < NEAR * size or any(abs(abs(mean) - w * error) < NEAR * size for w in (safe, corrected, plain)):
            raise Unfit
        missed |= mean + corrected * error < 0
        met.append(HOLDS if mean > safe * error else SEEN if mean > plain * error else OPEN)
    if missed:
        return FAILS
    if OPEN in met:
        return OPEN
    return HOLDS if set(met) == {HOLDS} and min(len(own) for own, _ in margins) >= 5 else SEEN


def claim(world: World) -> tuple[str, str, Any]:
    """A random claim: its text, its judge as a study says it, and what gives its verdict. Raises Unfit."""
    random, count = world.random, world.replicates
    judged_by = random.choice(("share", "share", "mean", "mean", "geometric_mean", "equivalent"))
    if judged_by == "share":
        part, share = condition(world, random.choice((0, 1, 2))), random.choice(SHARES)
        if "replicate" not in part.kept:
            raise Unfit
        return part.text, f"{{share: {share}}}", lambda: by_share(part, share, count)
    one = number(world, 1)
    if judged_by == "equivalent":
        low, high = random.choice((-2.03, -1.03, 0.03)), random.choice((1.53, 2.03, 4.03))
        ends = [Part(str(end), {}, lambda place, end=end: (end,)) for end in (low, high)]
        sides = [applied("", lambda a, b: a - b, *pair) for pair in ((one, ends[0]), (ends[1], one))]
        text = f"within({one.text}, {low}, {high})"
        verdict = lambda: by_means([(side, False) for side in sides], 0.05, False)  # noqa: E731
    else:
        other, operator = number(world, 1), random.choice(("<", "<=", ">", ">="))
        text = f"{one.text} {operator} {other.text}"
        pair = (one, other) if operator[0] == ">" else (other, one)
        if judged_by == "mean":
            margin = applied("", lambda a, b: a - b, *pair)
            verdict = lambda: by_means([(margin, operator[1:] != "=")], 0.025, False)  # noqa: E731
        else:
            logs = [applied("", math.log, side) for side in pair]
            margin = applied("", lambda a, b: a - b, *logs)

            def verdict() -> str:
                values = [one for side in pair for place in places(side.kept) for one in side.at(place) or ()]
                return OPEN if min(values, default=1) <= 0 else by_means([(margin, operator[1:] != "=")], 0.025, True)

    if not any("replicate" in part.kept for part in (one, other if judged_by != "equivalent" else one)):
        raise Unfit
    return text, judged_by, verdict


def judged(seed: int, count: int) -> Iterator[tuple[str, str, str]]:
    """Of each of some claims on one world its text and judge, the verdict that is due, and the judge's."""
    random = Random(seed)
    world = World(random, replicates=random.choice((3, 4, 5, 6, 9, 14, 20)))
    claims: list[tuple[str, str, str]] = []
    while len(claims) < count:
        try:
            text, by, verdict = claim(world)
            if len(text) < 200 and any(name in text for name in MEASURES):
                claims.append((text, by, verdict()))
        except Unfit:
            continue
    for place, verdict in verdicts(world, [f'check: "{text}", judge: {by}' for text, by, _ in claims]):
        text, by, worth = claims[place]
        yield f"{text} ({by}, {world.replicates} replicates)", worth, verdict


def wrong(text: str, worth: str, said: str) -> bool:
    """Whether a verdict is not the one that is due. What is taken from many evaluations may be *seen* alone, as chance adds to the best."""
    return said != worth and not (
        (worth, said) == (HOLDS, SEEN) and any(form in text for form in ("lowest", "highest", "first_step"))
    )


if __name__ == "__main__":
    main("Judges random claims by each judge, and tells verdicts that plain arithmetic does not share.", judged, wrong)
