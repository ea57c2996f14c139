"""Random edits of a claim and of what it is judged on: the direction that is said, held against verdicts on random results.

A claim was loosened if results meet it that did not before, or if it holds where it was only seen; it was tightened if some
results that met it do no longer. Where it is seen and held before, it is less sure, whichever way it was edited. The verdicts are those of
the code that judges runs; the results are random numbers, and no word of the diff is known to them.
"""

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
from dlspec import spec
from dlspec.interpreter.results.replicates import Curve, Replicate, Results
from dlspec.interpreter.results.verdicts import HOLDS, SEEN
from dlspec.interpreter.verdicts.judge import judge
from dlspec.spec.diagnostics.problems import Source, StudyError
from dlspec.spec.diff.checks import LOOSER, STRICTER
from dlspec.spec.diff.claims import compare_claims, moves
from dlspec.spec.diff.judged_on import JudgedOn
from dlspec.spec.diff.matching import Matching
from dlspec.spec.diff.settings import side
from dlspec.spec.ir.plan import ExperimentPlan
from dlspec.spec.model.layers import LayerDefaults

STUDY = """
dlspec: 1
study: s
experiments:
  e:
    constants: {{d: 1}}
    sweep: {{d: {points}}}
    task: {{example: {{x: "normal([3])", y: sum(x)}}}}
    architecture: {{f: {{input: x, layers: [dense: d, dense: 1]}}}}
    loss: {{squared: (f - y)^2}}
    training: {{optimizer: {{sgd: {{learning_rate: 0.1}}}}, batch: 3, steps: 24, evaluate: {{{evaluate}}}}}
    measures: {{any: E(f - y), size: "E((f - y)^2)", rate: E(f > y)}}
    replicates: {replicates}
    variants: {{{variants}}}
    claims: {{c: {{says: So., check: "{check}", judge: {judge}}}}}
"""
VARIANTS = {name: f"{name}: {{training: {{batch: {batch}}}}}" for name, batch in (("one", 4), ("two", 5), ("three", 6))}
NUMBERS = (-1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
BY_SIZE = ("<", "<=", ">", ">=")
SELECTIONS = (
    "",
    "d <= 2",
    "d < 3",
    "d == 1",
    "d != 2",
    "d >= 2",
    "variant == one",
    "variant != one",
    "variant == two, d <= 2",
)
EVALUATE = ("every: 2", "every: 4", "every: 8", "every: 3", "every: 24", "at: [5]", "log: 6")
POINTS = ("[1, 2, 3]", "[1, 2]", "[2, 3]", "[1, 2, 3, 4]", "[1, 3]", "[5, 6]", "[1]")
JUDGES = {
    "condition": ("replicates", "{share: 0.3}", "{share: 0.5}", "{share: 0.6}"),
    "size": ("mean", "geometric_mean", "replicates", "{share: 0.5}"),
    "within": ("equivalent", "replicates", "{share: 0.5}"),
}
POOL = 200
"""How many random results there are."""
TRIED = 15
"""So many results each edit is held against, and against more until what is said of it is seen."""
Tree = Any
"""A check before it is written: a kind, and its parts: `["compare", "<", quantity, quantity]`."""


@dataclass
class Case:
    """A study with one claim, as it is edited."""

    check: Tree
    judge: str = "replicates"
    points: str = "[1, 2, 3]"
    variants: tuple[str, ...] = ("one", "two", "three")
    replicates: int = 6
    evaluate: str = "every: 4"
    takes: str = field(default="condition")

    @property
    def text(self) -> str:
        """The study."""
        variants = ", ".join(VARIANTS[name] for name in self.variants)
        return STUDY.format(
            check=written(self.check), judge=self.judge, points=self.points, variants=variants,
            replicates=self.replicates, evaluate=self.evaluate,
        )  # fmt: skip


# -- checks -----------------------------------------------------------------------------------------------------------


def quantity(some: random.Random, depth: int = 1) -> Tree:
    """A random number made of measures."""
    kind = some.choice(["measured"] * 4 + ["first_step", "times", "plus", "over", "call", "negative"] * depth)
    selection = some.choice(SELECTIONS) if some.random() < 0.5 else ""
    if kind == "measured":
        return [
            "measured",
            some.choice(("final", "lowest", "highest")),
            some.choice(("any", "size", "rate")),
            selection,
        ]
    if kind == "first_step":
        return ["first_step", some.choice(("any", "size")), some.choice(BY_SIZE), some.choice(NUMBERS), selection]
    if kind in ("times", "plus"):
        return [kind, some.choice(NUMBERS), quantity(some, 0)]
    if kind == "over":
        return [kind, some.choice([number for number in NUMBERS if number]), quantity(some, 0), some.random() < 0.3]
    if kind == "call":
        return [kind, some.choice(("abs", "exp", "square", "tanh")), quantity(some, 0)]
    return ["negative", quantity(some, 0)]


def condition(some: random.Random, depth: int = 1) -> Tree:
    """A random condition."""
    kind = some.choice(["compare"] * 5 + ["margin", "within", "not", "or", "and", "along", "slope"] * depth)
    if kind == "compare":
        compared = quantity(some)
        number = some.choice((4.0, 8.0, 12.0, 16.0)) if compared[0] == "first_step" else some.choice(NUMBERS)
        return [kind, some.choice(BY_SIZE + (("==",) if some.random() < 0.1 else ())), compared, ["number", number]]
    if kind == "margin":
        left = ["measured", "final", some.choice(("any", "size")), "variant == one"]
        right = ["measured", "final", some.choice(("any", "size")), some.choice(("variant == two", "variant != one"))]
        way = some.choice(("times", "plus"))
        return ["compare", some.choice(BY_SIZE), left, [way, some.choice(NUMBERS), right]]
    if kind == "within":
        low, high = sorted(some.sample(NUMBERS, 2))
        return [kind, quantity(some, 0), ["number", low], ["number", high]]
    if kind == "not":
        return [kind, condition(some, 0)]
    if kind in ("or", "and"):
        return [kind, condition(some, 0), condition(some, 0)]
    if kind == "along":
        return [
            kind,
            some.choice(("increasing", "decreasing")),
            ["measured", "final", "size", some.choice(("", "d <= 2"))],
        ]
    return [
        "compare",
        some.choice(BY_SIZE),
        ["slope", ["measured", "final", "any", ""]],
        ["number", some.choice(NUMBERS)],
    ]


def written(tree: Tree) -> str:
    """A check as it is written."""
    kind, *parts = tree
    if kind == "number":
        return f"{parts[0]:g}"
    if kind in ("measured", "first_step"):
        inner = parts[1] if kind == "measured" else f"{parts[0]} {parts[1]} {parts[2]:g}"
        return f"{parts[0] if kind == 'measured' else kind}({inner}{', ' + parts[-1] if parts[-1] else ''})"
    texts = [written(part) if isinstance(part, list) else part for part in parts]
    form = {
        "times": "{0:g} * {1}", "plus": "{1} + {0:g}", "negative": "-({0})", "call": "{0}({1})", "not": "not ({0})",
        "or": "({0}) or ({1})", "and": "({0}) and ({1})", "compare": "{1} {0} {2}", "within": "within({0}, {1}, {2})",
        "along": "{0}({1}, d)", "slope": "slope({0}, d)", "over": "{0:g} / ({1})" if parts[-1] is True else "{1} / {0:g}",
    }[kind]  # fmt: skip
    return form.format(*texts)


def places(tree: Tree) -> Iterator[tuple[list[Any], int]]:
    """All parts of a check, each as the list that it stands in and its place there."""
    for place, part in enumerate(tree):
        if place:
            yield tree, place
        if isinstance(part, list):
            yield from places(part)


def copied(tree: Tree) -> Tree:
    return [copied(part) if isinstance(part, list) else part for part in tree]


# -- edits ------------------------------------------------------------------------------------------------------------


def edited_check(case: Case, some: random.Random) -> None:
    """Another number, comparison, reduction, measure or selection at one place of the check."""
    check = copied(case.check)
    parent, place = some.choice([(p, k) for p, k in places(check) if not isinstance(p[k], list)])
    old = parent[place]
    if isinstance(old, bool):
        return
    if isinstance(old, float):
        options: tuple[Any, ...] = (4.0, 8.0, 12.0, 16.0) if old > 2 else NUMBERS
    else:
        kinds = (
            BY_SIZE,
            ("final", "lowest", "highest"),
            SELECTIONS,
            ("any", "size", "rate"),
            ("increasing", "decreasing"),
        )
        options = next((kind for kind in kinds if old in kind), (old,))
    parent[place] = some.choice([option for option in options if option != old] or [old])
    case.check = check


def edited_conditions(case: Case, some: random.Random) -> None:
    """A condition more, or one less."""
    check = copied(case.check)
    if check[0] in ("and", "or") and some.random() < 0.6:
        case.check = some.choice(check[1:])
    elif case.takes == "condition":
        more = condition(some, 0)
        case.check = [some.choice(("and", "or")), *some.sample([check, more], 2)]
    else:
        edited_check(case, some)


def edited_judge(case: Case, some: random.Random) -> None:
    case.judge = some.choice([name for name in JUDGES[case.takes] if name != case.judge])


def edited_steps(case: Case, some: random.Random) -> None:
    case.evaluate = some.choice([one for one in EVALUATE if one != case.evaluate])


def edited_cells(case: Case, some: random.Random) -> None:
    """Other sweep points, or a variant more or less."""
    if some.random() < 0.5:
        case.points = some.choice([one for one in POINTS if one != case.points])
    else:
        kept = [name for name in VARIANTS if name not in case.variants or some.random() < 0.6]
        case.variants = tuple(kept)


def edited_replicates(case: Case, some: random.Random) -> None:
    case.replicates = some.choice([count for count in (5, 6, 7, 9) if count != case.replicates])


EDITS: tuple[Callable[[Case, random.Random], None], ...] = (
    *[edited_check] * 8, *[edited_conditions] * 3, *[edited_judge] * 2, *[edited_steps] * 3, edited_cells, edited_replicates,
)  # fmt: skip


def drawn(some: random.Random) -> Case:
    """A random study."""
    check = condition(some)
    by_size = check[0] == "compare" and check[1] in BY_SIZE and check[2][0] != "first_step"
    takes = "size" if by_size else "within" if check[0] == "within" else "condition"
    variants = some.choice((("one", "two", "three"), ("one", "two")))
    chosen = some.choice(JUDGES[takes]) if some.random() < 0.4 else "replicates"
    return Case(check, chosen, some.choice(POINTS[:3]), variants, some.choice((6, 7)), some.choice(EVALUATE[:4]), takes)


# -- the oracle -------------------------------------------------------------------------------------------------------


def results(plan: ExperimentPlan, number: int) -> Results:
    """Random results: of a cell, a replicate and a measure the same at each step, whoever asks."""
    replicates = []
    for program in plan.programs:
        assert program.training is not None
        steps = list(program.training.evaluations)
        for replicate in range(program.replicates):
            curves = {
                measure: Curve(curve(number, measure, program.variant, int(program.point["d"]), replicate)[steps])
                for measure in ("any", "size", "rate")
            }
            done = number % 5 or zlib.crc32(f"{number} {program.name} {replicate}".encode()) % 100
            status = "done" if done else "diverged"
            place = (program.experiment, program.variant, program.point, replicate, program.digest)
            replicates.append(Replicate(*place, status=status, steps=steps, curves=curves))
    return Results.of_plan(plan, replicates)


@cache
def curve(number: int, measure: str, variant: str, point: int, replicate: int) -> np.ndarray[Any, Any]:
    """A measure from step 0 to 24: near levels that thresholds stand at, on them in some results, spread in others."""
    shared = random.Random(f"{number} {measure}")
    own = np.random.default_rng(zlib.crc32(f"{number} {measure} {variant} {point} {replicate}".encode()))
    cell = random.Random(f"{number} {measure} {variant} {point}")
    level, spread = shared.choice(NUMBERS), shared.choice((0.0, 0.02, 0.1, 0.4, 1.0))
    apart, slope = shared.choice((0.0, 0.0, 0.3, 1.0)), shared.choice((0.0, 0.0, -0.5, 0.5, 1.0))
    trend = np.linspace(shared.choice((0.0, 0.0, 1.0, -1.0)), 0.0, 25)
    along = level + apart * cell.choice((-1, 0, 1)) + slope * point + trend + spread * own.standard_normal(25)
    along = along + shared.choice((0.0, 0.0, 0.5)) * own.standard_normal()
    if measure == "rate":
        return np.clip(np.abs(along), 0.0, 1.0)
    return np.abs(along) if measure == "size" else along


def met(plan: ExperimentPlan, number: int) -> int:
    """How well random results meet the claim: 2 where it holds, 1 where it is seen, else 0."""
    return {HOLDS: 2, SEEN: 1}.get(judge(plan.claims[0], results(plan, number)).verdict, 0)


def changes_of_truth(plans: tuple[ExperimentPlan, ExperimentPlan], numbers: list[int], wanted: str) -> set[str]:
    """Which ways the truth changed on random results; looked for in more of them until the way that was told is seen."""
    ways: set[str] = set()
    for place, number in enumerate(numbers):
        if place >= TRIED and (wanted in ways or wanted == "unaffected"):
            break
        before, after = (met(plan, number) for plan in plans)
        if before < after:
            ways.add("loosened")
        elif before > after:
            ways.add("less sure" if after else "tightened")
    return ways


# -- what is said, and what is so -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What was said of an edit, and which ways its truth changed on random results."""

    before: str
    after: str
    said: str
    words: str
    ways: frozenset[str]

    @property
    def kind(self) -> str:
        """Whether what was said is right, open, or wrong."""
        if self.said == "perhaps":
            return "perhaps"
        every = {"loosened", "tightened", "less sure"}
        against = {"loosened": {"tightened"}, "tightened": {"loosened"}, "unaffected": every}[self.said]
        if self.ways & against:
            return "silent" if self.said == "unaffected" else "wrong"
        return "right" if self.ways or self.said == "unaffected" else "not seen to matter"


def resolved(text: str) -> ExperimentPlan:
    return spec.resolve(spec.parse(Source("s.yaml", text))).experiments[0]


def outcome(some: random.Random) -> Outcome | None:
    """A random edit of a random study; None where one of both is not valid, or nothing was edited."""
    case = drawn(some)
    before = case.text
    some.choice(EDITS)(case, some)
    if case.text == before:
        return None
    try:
        plans = resolved(before), resolved(case.text)
    except StudyError:
        return None
    judged = JudgedOn(Matching(*(side(plan, LayerDefaults()) for plan in plans)))
    directions = {verdict.direction for verdict in moves(judged)["c"]}
    said = {frozenset(): "unaffected", frozenset({LOOSER}): "loosened", frozenset({STRICTER}): "tightened"}
    warnings = [warned.message for warned in compare_claims("e", judged)[0]]
    told, words = said.get(frozenset(directions), "perhaps"), "; ".join(warnings)
    if told == "perhaps":
        assert "loosened" in words
        return Outcome(before, case.text, told, words, frozenset())
    ways = frozenset(changes_of_truth(plans, some.sample(range(POOL), POOL), told))
    assert "loosened" not in ways or "loosened" in words, (before, case.text)
    return Outcome(before, case.text, told, words, ways)


def outcomes(count: int, seed: int) -> Iterator[Outcome]:
    """So many random edits."""
    some, made = random.Random(seed), 0
    while made < count:
        if (one := outcome(some)) is not None:
            made += 1
            yield one


def held(count: int, seed: int) -> Counter[tuple[str, str]]:
    """So many random edits, none of which may be told wrongly; how often what was said, and how it stands."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in outcomes(count, seed):
        assert one.kind not in ("wrong", "silent"), (one.kind, one.said, one.words, one.ways, one.before, one.after)
        counts[one.said, one.kind] += 1
    return counts


def test_no_random_edit_of_a_claim_is_told_the_wrong_way_or_passed_over() -> None:
    counts = held(16, seed=1)
    assert counts["loosened", "right"] and counts["tightened", "right"]


@pytest.mark.slow
def test_a_thousand_random_edits_of_claims(capsys: pytest.CaptureFixture[str]) -> None:
    counts = held(1000, seed=2)
    with capsys.disabled():
        print()
        for (said, kind), count in sorted(counts.items()):
            print(f"{count:5} {said}: {kind}")
    assert sum(count for (_, kind), count in counts.items() if kind == "right") > 200
