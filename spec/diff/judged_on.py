"""What a claim is judged on: its cells, their replicates, when and on how many examples its measures are taken, and its judge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from ..diagnostics.problems import listing
from ..ir import claims as c
from ..ir import terms as t
from ..ir.plan import ClaimPlan, MeasurePlan, Program
from ..passes.randomness import is_random
from ..tables.judges import JUDGES
from .checks import LOOSER, STRICTER, UNKNOWN, Ground, Verdict, measured, restricts, signs
from .equivalence import means_the_same
from .families import Families
from .matching import Matching
from .measure_signs import never_negative
from .paths import differences

Pair = tuple[Program | None, Program | None]
_FEWER_STEPS = {"highest": -1, "lowest": 1, "first_step": 1}
"""Whether a reduction rises (1) or falls (-1) where its measure is taken at fewer steps."""
_ARGUED = {
    "replicates": "every single replicate has to agree",
    "share": "not every replicate has to agree",
    "mean": "the mean decides, and single replicates may disagree",
    "geometric_mean": "the mean ratio decides, and single replicates may disagree",
    "equivalent": "the mean decides, and single replicates may disagree",
}
"""What another judge asks."""


class JudgedOn:
    """An experiment on both sides, as its claims look at it."""

    def __init__(self, matching: Matching) -> None:
        self.matching = matching
        self.pairs: list[Pair] = matching.pairs
        self.former = {new: old for old, new in matching.renames.of({"measure"}).items()}
        self.checks: dict[str, list[Verdict]] = {}
        """How the check of each claim moved, by its new name."""
        self.differing: dict[tuple[str, int, int], tuple[str, ...]] = {}

    @cached_property
    def places(self) -> list[tuple[Mapping[str, object] | None, Mapping[str, object] | None]]:
        """Where the cells of each pair stand on the axes, by their new names."""
        place = self.matching.place
        return [
            (place((before, None)) if before else None, after.place if after else None) for before, after in self.pairs
        ]

    @cached_property
    def families(self) -> Families:
        """Which claims are judged together."""
        matching = self.matching
        return Families(matching.before.plan.claims, matching.after.plan.claims, matching.renames.of({"claim"}))

    @cached_property
    def ground(self) -> Ground:
        """What the checks of both sides look at."""
        sides = [[program for program in side if program is not None] for side in zip(*self.pairs, strict=True)]
        even = all(len({program.replicates for program in side}) <= 1 for side in sides)
        old, new = map(never_negative, sides) if sides else (frozenset[str](), frozenset[str]())
        known = frozenset(name for name in new if self.former.get(name, name) in old)
        places = {repr(sorted(place.items())): place for pair in self.places for place in pair if place is not None}
        return Ground(tuple(places.values()), even, known)

    def moved(self, old: Any, claim: ClaimPlan) -> list[Verdict]:
        """How what a claim is judged on moved; `old` is its older check under the new names."""
        found = [*self._cells(old, claim.tree), *self._replicates(old, claim)]
        found += [*self._evaluations(claim.tree), *self._measures(claim.tree)]
        return list(dict.fromkeys(found))

    # -- cells and replicates ----------------------------------------------------------------------------------------

    def _cells(self, old: Any, new: Any) -> Iterator[Verdict]:
        parts = [[part for part in c.parts(tree) if isinstance(part, c.Measured | c.Diverged)] for tree in (old, new)]
        gone = [before for (before, after), (place, _) in zip(self.pairs, self.places, strict=True)
                if place is not None and after is None and any(c.looked_at(part.selections, place) for part in parts[0])]  # fmt: skip
        fresh = [after for (before, after), (_, place) in zip(self.pairs, self.places, strict=True)
                 if place is not None and before is None and any(c.looked_at(part.selections, place) for part in parts[1])]  # fmt: skip
        names = [listing(dict.fromkeys(program.name for program in own if program), 4) for own in (gone, fresh)]
        certain = self.ground.even and all(restricts(tree) for tree in (old, new))
        if gone and fresh:
            yield Verdict(UNKNOWN, f"it looks at other cells: {names[1]}, and not {names[0]}")
        elif gone:
            yield Verdict(LOOSER if certain else UNKNOWN, f"it looks at fewer cells, without {names[0]}")
        elif fresh:
            yield Verdict(STRICTER if certain else UNKNOWN, f"it looks at more cells, with {names[1]}")

    def _both(self, selections: Iterable[c.Selection]) -> Iterator[tuple[Program, Program]]:
        """The programs on both sides that conditions leave."""
        chosen = tuple(selections)
        for (before, after), (_, place) in zip(self.pairs, self.places, strict=True):
            if before is not None and after is not None and place is not None and c.looked_at(chosen, place):
                yield before, after

    def _replicates(self, old: Any, claim: ClaimPlan) -> Iterator[Verdict]:
        counts: dict[tuple[int, int], None] = {}
        for part in c.parts(claim.tree):
            if isinstance(part, c.Measured | c.Diverged):
                for before, after in self._both(part.selections):
                    if before.replicates != after.replicates and _random(part, after):
                        counts[before.replicates, after.replicates] = None
        averages = claim.judge.name != "replicates"
        for was, now in sorted(counts):
            text = f"it is judged over {now} replicates instead of {was}"
            if averages and JUDGES[claim.judge.name].averages:
                yield Verdict(UNKNOWN, f"{text}: another mean, and an interval of another width")
            elif averages:
                yield Verdict(UNKNOWN, f"{text}: of another number, another count has to agree")
            else:
                yield Verdict(LOOSER if now < was else STRICTER, text)

    # -- measures ----------------------------------------------------------------------------------------------------

    def _evaluations(self, tree: Any) -> Iterator[Verdict]:
        """The steps at which measures are taken, where the best or the first of them counts."""
        for part, sign in signs(tree, self.ground):
            if part.reduction not in c.WINDOWED:
                continue
            rises = _FEWER_STEPS.get(part.reduction, 0)
            for before, after in self._both(part.selections):
                counts = _evaluated(before, part.window), _evaluated(after, part.window)
                old, new = _common(before, after, part.window)
                if old == new:
                    continue
                text = f"`{part.reduction}` is over {counts[1]} evaluations of `{part.measure}` instead of {counts[0]}"
                turn = sign * rises if new < old else -sign * rises if old < new else 0
                if (
                    turn < 0
                ):  # what chance adds to the best or the first of many is taken off it, and that is another number too
                    text += f", and {'less' if new < old else 'more'} is taken off it for chance"
                yield Verdict(LOOSER if turn > 0 else UNKNOWN, text)

    def _measures(self, tree: Any) -> Iterator[Verdict]:
        sizes: dict[tuple[int, int], dict[str, None]] = {}
        for part in measured(tree):
            both = list(self._both(part.selections))
            found = [self._otherwise(part.measure, *pair) for pair in both]
            if any(found):
                causes = dict.fromkeys(cause for own in found if own for cause in own if cause != part.measure)
                reason = f": {listing((f'`{cause}`' for cause in causes), 4)} changed" if causes else ""
                yield Verdict(UNKNOWN, f"`{part.measure}` is measured otherwise{reason}")
            for counts in {
                _examples(self.former.get(part.measure, part.measure), part.measure, *pair) for pair in both
            }:
                if counts[0] != counts[1]:
                    sizes.setdefault(counts, {})[f"`{part.measure}`"] = None
        for (was, now), names in sorted(sizes.items()):
            verb = "is" if len(names) == 1 else "are"
            yield Verdict(UNKNOWN, f"{listing(names)} {verb} measured over {now:,} examples instead of {was:,}")

    def _otherwise(self, name: str, before: Program, after: Program) -> tuple[str, ...] | None:
        """What of a measure's own changed, by name: not what is trained, nor how many examples; None where nothing did."""
        old, new = _measure(before, self.former.get(name, name)), _measure(after, name)
        if old is None or new is None:
            return None
        if before.training is not None and before.digest == after.digest:
            test = replace(after.data, test=before.data.test, validation=before.data.validation)
            digests = self.matching.digests
            if digests.measure(before, old) == digests.measure(replace(after, data=test), new):
                return None
            return self._causes(name, before, after)
        return self._causes(name, before, after) or None

    def _causes(self, name: str, before: Program, after: Program) -> tuple[str, ...]:
        """The names that changed, that a measure is made from and nothing that is trained, or its own."""
        matching = self.matching
        old, new = matching.setting(before, 0), matching.setting(after, 1)
        trees = matching.before.trees[old], matching.after.trees[new]
        key = (name, id(trees[0]), id(trees[1]))
        if key not in self.differing:
            reach = matching.reach
            pairs = differences(matching.carried(trees[0]), trees[1])
            own = [pair for pair in pairs if pair.path[0] == "measures" or reach.measures_alone(pair.path)]
            own = [pair for pair in own if name in reach.measured_from(pair.path)]
            both = [(before, after)]
            self.differing[key] = tuple(
                dict.fromkeys(_named(pair.path) for pair in own if not means_the_same(pair, both))
            )
        return self.differing[key]


def judges_moved(before: ClaimPlan, after: ClaimPlan) -> list[Verdict]:
    """How a claim's judge moved."""
    moves = []
    if before.judge != after.judge:
        old, new = before.judge.value, after.judge.value
        same = before.judge.name == after.judge.name and old is not None and new is not None
        direction = UNKNOWN if not same else LOOSER if (new or 0) < (old or 0) else STRICTER
        reason = "" if same else f": {_ARGUED[after.judge.name]}"
        moves.append(Verdict(direction, f"it is judged by {after.judge} instead of {before.judge}{reason}"))
    return moves


def _measure(program: Program, name: str) -> MeasurePlan | None:
    return next((item for item in program.measures if item.name == name), None)


def _random(part: c.Measured | c.Diverged, program: Program) -> bool:
    """Whether replicates may differ in what is looked at."""
    if isinstance(part, c.Diverged):
        return True
    found = _measure(program, part.measure)
    return found is None or is_random(program, found)


def _examples(old: str, new: str, before: Program, after: Program) -> tuple[int, int]:
    """Over how many examples a measure is taken on both sides; 0 and 0 where it is not on both."""
    items = _measure(before, old), _measure(after, new)
    if items[0] is None or items[1] is None or not any(map(_ranges, items)):
        return 0, 0
    return _fewest(before, items[0]), _fewest(after, items[1])


def _fewest(program: Program, measure: MeasurePlan) -> int:
    return min(map(program.evaluated, measure.streams))


def _ranges(measure: MeasurePlan | None) -> bool:
    """Whether a measure ranges over examples, and is not of the weights alone, say."""
    parts = t.walk(measure.term) if measure is not None else ()
    return any(isinstance(part, t.Expectation | t.GradientStatistic) for part in parts)


def _evaluated(program: Program, window: c.Window | None) -> int:
    steps = program.training.evaluations if program.training else (0,)
    return len(steps[c.within(window, steps)])


def _common(before: Program, after: Program, window: c.Window | None) -> tuple[frozenset[int], frozenset[int]]:
    """The evaluated steps of both in a window, up to the end of the shorter training where one is longer."""
    plans = before.training, after.training
    if plans[0] is None or plans[1] is None:
        return frozenset(), frozenset()
    last = min(plan.steps for plan in plans if plan is not None)
    alike = plans[0].steps == plans[1].steps
    old, new = (
        frozenset(step for step in plan.evaluations[c.within(window, plan.evaluations)] if alike or step < last)
        for plan in plans
        if plan is not None
    )
    return old, new


def _named(path: tuple[str, ...]) -> str:
    """What a reader calls what stands at a path."""
    return path[2] if path[0] == "task" and len(path) > 2 else path[1] if len(path) > 1 else path[0]
