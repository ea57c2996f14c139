"""Random claims on random results, and what each is worth by a second evaluator: place by place, in plain Python.

A value is nothing where it is undefined, else the numbers that it may be: several where an event never came, whose step is known
only to lie beyond the last. The evaluator shares nothing with `interpreter/verdicts` but the meaning that docs/language.md gives.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from operator import eq, ge, gt, le, lt, ne
from random import Random
from typing import Any

from dlspec import spec
from dlspec.interpreter.results.replicates import Replicate, Results
from dlspec.interpreter.verdicts.judge import judge
from dlspec.spec.diagnostics.problems import Source, StudyError

STUDY = """
dlspec: 1
study: claims
experiments:
  e:
    constants: {d: 1, m: 1}
    sweep: SWEEP
    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, layers: [dense: 1]}}
    loss: {l: f^2}
    training: {optimizer: sgd, batch: 4, steps: 30, evaluate: {every: 10, examples: 8}}
    measures: {error: E(f^2), other: E(f), pair: "E([f, f^2])"}
    replicates: REPLICATES
    variants: {a: {}, b: {training: {steps: 20}}, c: {training: {optimizer: adam}}}
    claims:
"""
VARIANTS = ("a", "b", "c")
STEPS = {"a": (0, 10, 20, 30), "b": (0, 10, 20), "c": (0, 10, 20, 30)}
MEASURES = {"error": ("error", None), "other": ("other", None), "pair[0]": ("pair", 0), "pair[1]": ("pair", 1)}
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}
BEYOND = (1, 2, 7.5, 100, 1e6, 1e12, 1e15)
"""How far beyond its last step an event may lie that never came."""
ROUNDING = 1e-9
"""What lies nearer to a border than this is decided by rounding, and not looked at."""

Place = Mapping[str, int]
Candidates = tuple[float, ...] | None
"""The numbers that a value may be; nothing where it is undefined."""
Judged = Callable[[int, int], Iterator[tuple[str, str, str]]]
"""Of so many claims on the world of a seed: the text, what it is worth, what the judge says."""


class Unfit(Exception):
    """A claim that this module does not make, or cannot judge."""


@dataclass(frozen=True)
class Part:
    """A part of a claim: its text, the places that it keeps along each dimension, and what it may be at one of them."""

    text: str
    kept: Mapping[str, tuple[int, ...]]
    at: Callable[[Place], Candidates]

    def beside(self, place: Place) -> Candidates:
        """What it may be at a place that has further dimensions."""
        return self.at({own: place[own] for own in self.kept})


def places(kept: Mapping[str, Sequence[int]]) -> Iterator[dict[str, int]]:
    """All combinations of places."""
    for combination in product(*kept.values()):
        yield dict(zip(kept, combination, strict=True))


class World:
    """Axes and results, all at random: small whole numbers, steady ones, or real ones, some undefined or infinite, some cells diverged."""

    def __init__(self, random: Random, replicates: int = 0) -> None:
        self.random, self.zipped = random, random.random() < 0.3
        self.replicates, self.events = replicates or random.choice((2, 3, 5)), random.random() < 0.3
        self.axes: dict[str, tuple[str, tuple[int, ...]]] = (
            {"d": ("z", (30, 30, 50)), "m": ("z", (2, 3, 3))}
            if self.zipped
            else {"d": ("d", (1, 2, 4)), "m": ("m", (2, 3))}
        )
        lengths = {dimension: len(values) for dimension, values in self.axes.values()}
        self.kept = {"variant": (0, 1, 2), **{name: tuple(range(n)) for name, n in lengths.items()}}
        self.kept["replicate"] = tuple(range(self.replicates))
        kind, lost = random.choice(("whole", "whole", "steady", "real")), random.choice((0, 0, 0, 0.05))
        diverged = random.choice((0, 0, 0, 0.04))
        levels = [random.choice((-1, 0, 1, 2)) for _ in VARIANTS]

        def number(place: Place, step: int) -> float:
            if random.random() < lost:
                return random.choice((math.nan, math.inf, -math.inf))
            if kind == "steady":
                return float(levels[place["variant"]] + sum(place[name] for name in lengths) + step / 10)
            return float(random.choice((-1, 0, 0, 1, 1, 2, 3))) if kind == "whole" else random.gauss(1, 1)

        self.curves: dict[tuple[int, ...], dict[str, list[float]]] = {}
        self.diverged: dict[tuple[int, ...], bool] = {}
        for place in places(self.kept):
            steps = STEPS[VARIANTS[place["variant"]]]
            self.curves[tuple(place.values())] = {name: [number(place, step) for step in steps] for name in MEASURES}
            self.diverged[tuple(place.values())] = random.random() < diverged

    @property
    def text(self) -> str:
        """The study that these are results of, but for its claims."""
        sweep = "{d: [30, 30, 50], m: [2, 3, 3]}\n    zip: [[d, m]]" if self.zipped else "{d: [1, 2, 4], m: [2, 3]}"
        return STUDY.replace("SWEEP", sweep).replace("REPLICATES", str(self.replicates))

    def results(self, plan: Any) -> Results:
        """The same as the interpreter keeps them."""
        found = []
        for program in plan.programs:
            for own in places(self.kept):
                point = {axis: values[own[dimension]] for axis, (dimension, values) in self.axes.items()}
                if VARIANTS[own["variant"]] != program.variant or point != dict(program.point):
                    continue
                replicate = Replicate("e", program.variant, dict(program.point), own["replicate"], "")
                key = tuple(own.values())
                for at, step in enumerate(STEPS[program.variant]):
                    one = {name: self.curves[key][name][at] for name in MEASURES}
                    pair = [one["pair[0]"], one["pair[1]"]]
                    replicate.record(step, {"error": one["error"], "other": one["other"], "pair": pair})
                if self.diverged[key]:
                    replicate.status, replicate.message = "diverged", "at step 10"
                found.append(replicate)
        return Results.of_plan(plan, found)


# -- numbers ----------------------------------------------------------------------------------------------------------------


def met(parts: Sequence[Part]) -> dict[str, tuple[int, ...]]:
    """The places where parts are compared: those of the narrower, which the others must have."""
    kept: dict[str, tuple[int, ...]] = {}
    for part in parts:
        for dimension, own in part.kept.items():
            kept[dimension] = min(kept.get(dimension, own), own, key=len)
    if any(not set(kept[dimension]) <= set(own) for part in parts for dimension, own in part.kept.items()):
        raise Unfit
    return kept


def applied(text: str, of: Callable[..., float], *parts: Part) -> Part:
    """An operation on numbers; undefined where an argument is, where finite ones give nothing finite, and where an infinite one gives a finite number."""

    def at(place: Place) -> Candidates:
        given = [part.beside(place) for part in parts]
        found = set()
        for numbers in product(*(one or () for one in given)):
            if any(0 < abs(one) < ROUNDING for one in numbers):
                raise Unfit
            try:
                value = of(*numbers)
            except (ValueError, ArithmeticError):
                return None
            if math.isnan(value) or math.isinf(value) is all(map(math.isfinite, numbers)):
                return None
            found.add(value)
        return None if any(one is None for one in given) else tuple(sorted(found))

    return Part(text, met(parts), at)


def selected(world: World) -> tuple[list[str], dict[str, tuple[int, ...]], dict[str, int]]:
    """Conditions on axes: their texts, the places that they leave, and those along dimensions of which `==` leaves one alone."""
    random = world.random
    kept, pinned = dict(world.kept), set()
    texts = []
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        axis = random.choice(("variant", "variant", "d", "m"))
        dimension, values = ("variant", VARIANTS) if axis == "variant" else world.axes[axis]
        operator = random.choice(("==", "==", "!=") if axis == "variant" else tuple(COMPARISONS))
        value = random.choice(values)
        texts.append(f"{axis} {operator} {value}")
        kept[dimension] = tuple(place for place in kept[dimension] if COMPARISONS[operator](values[place], value))
        pinned |= {dimension} if operator == "==" else set()
    if not all(kept.values()):
        raise Unfit
    alone = {dimension: kept[dimension][0] for dimension in pinned if len(kept[dimension]) == 1}
    return texts, {dimension: own for dimension, own in kept.items() if dimension not in alone}, alone


def measured(world: World, of: str = "") -> Part:
    """A measure of the cells that conditions choose; `of` is the one, if it is given."""
    random = world.random
    texts, kept, alone = selected(world)
    forms = ["final", "final", "final", "lowest", "highest", "mean_over", "at"] + ["first_step"] * world.events
    form, name = random.choice(forms), random.choice(tuple(MEASURES))
    name = of or name
    window: Callable[[int], bool] = lambda step: True  # noqa: E731
    if form not in ("final", "at") and random.random() < 0.3:
        of_steps, border = random.choice(((">=", 10), (">", 0), ("<=", 20), ("<", 30), (">=", 20)))
        window = lambda step: COMPARISONS[of_steps](step, border)  # noqa: E731
        texts.append(f"step {of_steps} {border}")
    step, threshold, operator = random.choice((0, 10, 20)), random.choice((-1, 0, 1, 2, 3)), random.choice("<>")
    first = {"at": f"{name}, {step}", "first_step": f"{name} {operator}= {threshold}"}.get(form, name)

    def at(place: Place) -> Candidates:
        whole = {**place, **alone}
        key = tuple(whole[dimension] for dimension in world.kept)
        if world.diverged[key] and form != "first_step":
            return None
        curve = dict(zip(STEPS[VARIANTS[whole["variant"]]], world.curves[key][name], strict=True))
        seen = {own: value for own, value in curve.items() if window(own)}
        if form == "final" or form == "at":
            value = curve[step if form == "at" else max(curve)]
        elif form == "first_step":
            for own, value in seen.items():
                if not math.isfinite(value):
                    return None
                if COMPARISONS[f"{operator}="](value, threshold):
                    return (float(own),)
            return None if world.diverged[key] else tuple(max(seen) + beyond for beyond in BEYOND)
        elif form == "mean_over":
            areas = [(b + a) / 2 * (t - s) for (s, a), (t, b) in pairwise(seen.items())]
            value = sum(areas) / (max(seen) - min(seen)) if areas else next(iter(seen.values()))
        else:
            value = left_of(min if form == "lowest" else max, list(seen.values()))
        return None if math.isnan(value) else (value,)

    return Part(f"{form}({', '.join([first, *texts])})", kept, at)


def left_of(best: Callable[[Iterable[float]], float], numbers: Sequence[float]) -> float:
    """The least or the largest of numbers: undefined where one is, and where one is infinite and another would be it."""
    if any(map(math.isnan, numbers)):
        return math.nan
    value = best(numbers)
    return math.nan if math.isfinite(value) and any(map(math.isinf, numbers)) else value


def over(world: World, part: Part) -> Part:
    """What is left of an axis."""
    form, axis = (
        world.random.choice(("mean", "max", "min", "argmax", "argmin")),
        world.random.choice(("d", "m", "variant")),
    )
    dimension, values = ("variant", VARIANTS) if axis == "variant" else world.axes[axis]
    if dimension not in part.kept or (axis == "variant" and form.startswith("arg")):
        raise Unfit
    along = part.kept[dimension]

    def at(place: Place) -> Candidates:
        series = [part.at({**place, dimension: own}) for own in along]
        if any(one is None for one in series):
            return None
        found = set()
        for numbers in product(*(one or () for one in series)):
            best = left_of(max if form.endswith("max") else min, numbers)
            if form.startswith("arg"):
                found.add(float(values[along[numbers.index(best)]]) if all(map(math.isfinite, numbers)) else math.nan)
            else:
                found.add(sum(numbers) / len(numbers) if form == "mean" else best)
        if form.startswith("arg") and any(len(one or ()) > 1 for one in series):
            raise Unfit
        return None if any(map(math.isnan, found)) else tuple(sorted(found))

    return Part(f"{form}({part.text}, {axis})", {own: kept for own, kept in part.kept.items() if own != dimension}, at)


def over_entries(world: World) -> Part:
    """What is left of the entries of an array, by its index, each with the same conditions."""
    random = world.random
    form = random.choice(("mean", "max", "min", "argmax", "argmin"))
    state = random.getstate()
    entries = []
    for name in ("pair[0]", "pair[1]"):
        random.setstate(state)  # the same choices, but for the entry
        entries.append(measured(world, name))
    scaled = random.random() < 0.4

    def at(place: Place) -> Candidates:
        series = [entry.at(place) for entry in entries]
        if any(one is None for one in series):
            return None
        if form.startswith("arg") and any(len(one or ()) > 1 for one in series):
            raise Unfit
        found = set()
        for one, two in product(*(one or () for one in series)):
            numbers = (one, two * 2 if scaled else two)
            best = left_of(max if form.endswith("max") else min, numbers)
            if form.startswith("arg"):
                found.add(float(numbers.index(best)) if all(map(math.isfinite, numbers)) else math.nan)
            else:
                found.add(sum(numbers) / 2 if form == "mean" else best)
        return None if any(map(math.isnan, found)) else tuple(sorted(found))

    text = entries[0].text.replace("pair[0]", "pair[i]")
    return Part(f"{form}({f'({text} * (i + 1))' if scaled else text}, i)", entries[0].kept, at)


def along(world: World, part: Part, form: str) -> Part:
    """`slope`, `increasing` or `decreasing` of a part."""
    axis = world.random.choice("dm")
    dimension, values = world.axes[axis]
    if len({values[place] for place in part.kept.get(dimension, ())}) < 2:
        raise Unfit

    def at(place: Place) -> Candidates:
        series = [(float(values[own]), part.at({**place, dimension: own})) for own in part.kept[dimension]]
        if any(one is None for _, one in series):
            return None
        if any(one is not None and (len(one) > 1 or math.isinf(one[0])) for _, one in series):
            raise Unfit
        points = [(x, one[0]) for x, one in series if one]
        if form != "slope":
            sign = 1 if form == "increasing" else -1
            return (float(all(x == v or sign * (z - y) * (v - x) > 0 for (x, y), (v, z) in combinations(points, 2))),)
        middle = sum(x for x, _ in points) / len(points)
        return (sum((x - middle) * y for x, y in points) / sum((x - middle) ** 2 for x, _ in points),)

    return Part(f"{form}({part.text}, {axis})", {own: kept for own, kept in part.kept.items() if own != dimension}, at)


def number(world: World, depth: int) -> Part:
    """A random number."""
    random = world.random
    if depth == 0 or random.random() < 0.35:
        if random.random() < 0.75:
            return over_entries(world) if random.random() < 0.15 else measured(world)
        if random.random() < 0.6:
            value = random.choice((0, 1, 2, 3, 0.5))
            return Part(str(value), {}, lambda place: (float(value),))
        axis = random.choice("dm")
        dimension, values = world.axes[axis]
        return Part(axis, {dimension: world.kept[dimension]}, lambda place: (float(values[place[dimension]]),))
    one = number(world, depth - 1)
    form = random.choice(("two", "two", "two", "one", "one", "over", "slope"))
    if form == "over":
        return over(world, one)
    if form == "slope":
        return along(world, one, "slope")
    if form == "one":
        template, of = random.choice(ONE)
        return applied(template.format(one.text), of, one)
    other = number(world, depth - 1)
    template, both = random.choice(TWO)
    return applied(template.format(one.text, other.text), both, one, other)


ONE: tuple[tuple[str, Callable[[float], float]], ...] = (
    ("abs({})", abs), ("log({})", math.log), ("sqrt({})", math.sqrt), ("(-{})", lambda a: -a), ("({})^2", lambda a: a * a),
    ("exp(minimum({}, 3))", lambda a: math.exp(min(a, 3))),
)  # fmt: skip
TWO: tuple[tuple[str, Callable[[float, float], float]], ...] = (
    ("({} + {})", lambda a, b: a + b), ("({} - {})", lambda a, b: a - b), ("({} * {})", lambda a, b: a * b),
    ("({} / {})", lambda a, b: a / b), ("maximum({}, {})", max), ("minimum({}, {})", min),
)  # fmt: skip

# -- conditions -------------------------------------------------------------------------------------------------------------


def compared(text: str, of: Callable[..., bool], *parts: Part) -> Part:
    """A condition on numbers: decided where all that they may be decide it alike, and none of them is infinite."""

    def at(place: Place) -> Candidates:
        given = [part.beside(place) for part in parts]
        if any(one is None or (len(one) == 1 and math.isinf(one[0])) for one in given):
            return None
        found = set()
        for numbers in product(*(one or () for one in given)):
            if len(numbers) == 2 and 0 < abs(numbers[0] - numbers[1]) < ROUNDING * (1 + abs(numbers[0])):
                raise Unfit
            found.add(float(of(*numbers)))
        return tuple(found) if len(found) == 1 else None

    return Part(text, met(parts), at)


def joined(operator: str, one: Part, other: Part) -> Part:
    """Kleene's `and`, whose sides keep their own places, and `or`."""
    kept = {
        name: tuple(sorted({*one.kept.get(name, ()), *other.kept.get(name, ())})) for name in {**one.kept, **other.kept}
    }
    decides = 0.0 if operator == "and" else 1.0

    def at(place: Place) -> Candidates:
        sides = [
            part.beside(place) for part in (one, other) if all(place[name] in own for name, own in part.kept.items())
        ]
        if (decides,) in sides:
            return (decides,)
        return None if None in sides else (1 - decides,)

    return Part(f"({one.text} {operator} {other.text})", kept if operator == "and" else met((one, other)), at)


def condition(world: World, depth: int) -> Part:
    """A random condition."""
    random = world.random
    form = random.choice(("compare",) * 5 + ("within", "along", "diverged") + ("and", "or", "not") * (depth > 0))
    if form == "not":
        inner = condition(world, depth - 1)
        return Part(f"(not {inner.text})", inner.kept, lambda place: (found := inner.at(place)) and (1 - found[0],))
    if form in ("and", "or"):
        return joined(form, condition(world, depth - 1), condition(world, depth - 1))
    if form == "diverged":
        texts, kept, alone = selected(world)
        return Part(
            f"diverged({', '.join(texts)})", kept,
            lambda place: (float(world.diverged[tuple({**place, **alone}[name] for name in world.kept)]),),
        )  # fmt: skip
    if form == "along":
        return along(world, number(world, 1), random.choice(("increasing", "decreasing")))
    one = number(world, 2)
    if form == "within":
        low, high = (
            random.choice((-1.03, 0.03, 0.97)),
            random.choice((1.53, 2.03, 2.97)),
        )  # beside what rounding decides
        return compared(f"within({one.text}, {low}, {high})", lambda a: low <= a <= high, one)
    other, operator = number(world, 1), random.choice(tuple(COMPARISONS))
    return compared(f"({one.text} {operator} {other.text})", COMPARISONS[operator], one, other)


def expected(world: World, part: Part) -> str:
    """What all replicates agree on, where all of a claim is decided. Raises Unfit."""
    found: dict[int, list[Candidates]] = {}
    for place in places(part.kept):
        found.setdefault(place.get("replicate", 0), []).append(part.at(place))
    if any(None in own for own in found.values()):
        return "open"
    truths = {all(one == (1.0,) for one in own) for own in found.values()}
    return "open" if len(truths) > 1 else "true" if True in truths else "false"


# -- claims -----------------------------------------------------------------------------------------------------------------

SAID = {"holds": "true", "seen": "true", "fails": "false", "inconclusive": "open"}


def judged(seed: int, count: int) -> Iterator[tuple[str, str, str]]:
    """Of each of some claims on one world its text, what it is worth here, and what the judge says. What is refused is left out."""
    world = World(Random(seed))
    claims: list[tuple[Part, str]] = []
    while len(claims) < count:
        try:
            part = condition(world, world.random.choice((0, 1, 2)))
            if len(part.text) < 260 and any(name in part.text for name in ("error", "other", "pair", "diverged")):
                claims.append((part, expected(world, part)))
        except Unfit:
            continue
    for place, verdict in verdicts(world, [f'check: "{part.text}"' for part, _ in claims]):
        part, worth = claims[place]
        yield part.text, worth, SAID[verdict]


def verdicts(world: World, said: Sequence[str]) -> Iterator[tuple[int, str]]:
    """What the judge says of claims on one world, by their places; `said` is what each says besides its sentence. What is refused is left out."""
    head = world.text
    kept = {f"c{place}": f"      c{place}: {{says: it is so, {one}}}\n" for place, one in enumerate(said)}
    for _ in range(2):
        try:
            (plan,) = spec.resolve(spec.parse(Source("claims.yaml", head + "".join(kept.values())))).experiments
        except StudyError as error:
            first = head.count("\n")
            refused = {list(kept)[problem.span.line - 1 - first] for problem in error.problems if problem.span}
            kept = {name: line for name, line in kept.items() if name not in refused}
    results = world.results(plan)
    for claim in plan.claims:
        yield int(claim.name[1:]), judge(claim, results).verdict


def wrong(text: str, worth: str, said: str) -> bool:
    """Whether a verdict is not what a claim is worth. Of an event that never came a judge may leave open what is decided here."""
    return said != worth and not (said == "open" and "first_step" in text)


def main(description: str, judged: Judged, wrong: Callable[[str, str, str], bool]) -> None:
    """The command of a module that makes and judges random claims."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--count", type=int, default=100, help="how many sets of twelve claims")
    options = parser.parse_args()
    total = differing = 0
    for seed in range(options.first, options.first + options.count):
        for text, worth, said in judged(seed, 12):
            total += 1
            if wrong(text, worth, said):
                differing += 1
                print(f"seed {seed}: {text}: worth {worth}, said {said}", flush=True)
    print(f"{total:,} claims, {differing:,} wrong")


if __name__ == "__main__":
    main("Judges random claims, and tells verdicts that a second evaluator does not share.", judged, wrong)
