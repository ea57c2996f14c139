"""Results of a study: replicates with their curves, and their layout for claims and figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, overload

import numpy as np
from dlspec.spec.diagnostics.problems import listing
from dlspec.spec.ir.plan import ExperimentPlan, cell_name
from dlspec.spec.passes.few_values import Rate, rate_in
from dlspec.spec.passes.randomness import is_random, trains_at_random
from dlspec.spec.passes.sampled_means import sampled_examples, sampled_stream

Array = np.ndarray[Any, Any]


class Curve(Sequence[Array]):
    """A measure at each evaluated step, held as one array [steps, …]: as small as its numbers."""

    __slots__ = ("values",)

    def __init__(self, values: Array) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, place: int) -> Array: ...

    @overload
    def __getitem__(self, place: slice) -> Curve: ...

    def __getitem__(self, place: int | slice) -> Any:
        return Curve(self.values[place]) if isinstance(place, slice) else self.values[place]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.values, dtype) if copy else np.asarray(self.values, dtype)


ERRORS = 4
"""The version of the sampling errors, raised where those of before may be wrong: these are left out, and their numbers stay.

Version 1 (`true` in a result file) told 0, or too little, of numbers that jump with an expectation or lie beyond a bound, and version 2
still of those that do so in a function. Version 3 told 0 of numbers made of conditions on which all examples agree, `1 - E(right)` of 20 of
20 right.
"""
BIASES = 1
"""The version of the sampling biases, raised as that of the errors."""
BESIDE: Mapping[str, int] = {"error": ERRORS, "bias": BIASES}
"""The columns of numbers that lie beside the values of some measures, with their versions: those of another one may be wrong."""


Samples = Mapping[str, Mapping[int, Mapping[str, Array]]]
"""What figures show of single test examples: figure → step → label → [examples, …]."""


DONE = "done"
"""The status of a replicate that was trained to its end: no other has final values."""


UNDEFINED = "undefined"
"""The status that versions before gave a replicate whose measure was not finite: they ended it there."""
BROKEN = ("diverged", UNDEFINED)
"""The statuses of those that would end so again."""


def undefined(value: Any) -> Any:
    """Nothing in the shape of a value.

    >>> undefined([[1.0, 2.0], [3.0, 4.0]])
    [[None, None], [None, None]]
    """
    return [undefined(item) for item in value] if isinstance(value, list) else None


def signs(value: Any) -> Any:
    """Of a number, or of the entries of nested lists, the sign where it is infinite, else 0: what JSON has no number for.

    >>> signs([math.inf, 3.0, math.nan]), signs(-math.inf)
    ([1, 0, 0], -1)
    """
    if isinstance(value, list):
        return [signs(item) for item in value]
    return 0 if value is None or not math.isinf(value) else 1 if value > 0 else -1


def with_infinite(value: Any, sign: Any) -> Any:
    """The same number or nested lists with what is infinite, by `signs`, in place of nothing.

    >>> with_infinite([None, 3.0, None], [1, 0, 0])
    [inf, 3.0, None]
    """
    if isinstance(value, list):
        return [with_infinite(*pair) for pair in zip(value, sign, strict=True)] if isinstance(sign, list) else value
    return sign * math.inf if value is None and sign in (1, -1) else value


def final_of(replicate: Mapping[str, Any]) -> dict[str, Any]:
    """The finals of an entry of `cells.json`, with what is infinite: runs of before wrote the last evaluation of what was not done, too."""
    ends: dict[str, Any] = replicate["final"]
    if replicate["status"] != DONE:
        return {name: undefined(value) for name, value in ends.items()}
    infinite = replicate["infinite"]
    return {name: with_infinite(value, infinite.get(name)) for name, value in ends.items()}


@dataclass
class Replicate:
    """One replicate of one program: its curves (measure → [steps, …]) at the evaluated steps, and how it ended.

    `beside` is what lies beside the values of its curves, by the column that holds it (`BESIDE`), in their shapes: the sampling errors over
    test examples of those that have one, and by how much chance may have added to each value. Results of before have none.
    `status` is `done`, `diverged` (with the step and the term in `message`), `failed` or `interrupted`; one that diverged says at which
    step in `end`. A run of a version before may have one that is `undefined`: it was ended where a measure was not finite.
    `rows` is how many rows the compiled program had that trained it, of other replicates and cells, too; 0 where that is not known.
    `key` is its name in the store; `stored` says that it lay there before this run, `made_by` which versions of packages trained it then.
    """

    experiment: str
    variant: str
    constants: Mapping[str, Any]
    number: int
    digest: str
    status: str = "done"
    message: str = ""
    seconds: float = 0.0
    compiled: str = "xla"
    rows: int = 0
    steps: list[int] = field(default_factory=list)
    curves: Mapping[str, Sequence[Array]] = field(default_factory=dict)
    beside: dict[str, Mapping[str, Sequence[Array]]] = field(default_factory=lambda: {column: {} for column in BESIDE})
    samples: Samples = field(default_factory=dict)
    end: int | None = None
    key: str = ""
    stored: bool = False
    made_by: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it: `line/deep d=4 replicate 1`. Replicates of equal cells have one key, and each a name."""
        return f"{cell_name(self.experiment, self.variant, self.constants)} replicate {self.number}"

    @property
    def errors(self) -> Mapping[str, Sequence[Array]]:
        """The sampling errors of the curves that have one."""
        return self.beside["error"]

    @property
    def biases(self) -> Mapping[str, Sequence[Array]]:
        """By how much chance may have added to the values of the curves that have a sampling bias."""
        return self.beside["bias"]

    def record(self, step: int, measures: Mapping[str, Array], **beside: Mapping[str, Array]) -> None:
        """Adds an evaluation: measures, and what lies beside the values of some, by its column."""
        self.steps.append(step)
        for curves, found in ((self.curves, measures), *((self.beside[column], own) for column, own in beside.items())):
            assert isinstance(curves, dict), "a stored replicate is not trained on"
            for name, value in found.items():
                values = curves.setdefault(name, [])
                assert isinstance(values, list), "a stored replicate is not trained on"
                values.append(np.asarray(value))

    def sample(self, figure: str, step: int, values: Mapping[str, Array]) -> None:
        """Adds what a figure shows at a step."""
        assert isinstance(self.samples, dict), "a stored replicate is not trained on"
        self.samples.setdefault(figure, {})[step] = dict(values)

    def final(self) -> dict[str, Any]:
        """Each measure at the last step, as plain numbers; nothing, in the measure's shape, where the replicate is not done.

        What diverged or was broken off has a last evaluation, but that is no final value.
        """
        ends = {name: values[-1].tolist() for name, values in self.curves.items() if values}
        return ends if self.status == DONE else {name: undefined(value) for name, value in ends.items()}


@dataclass(frozen=True)
class Results:
    """The replicates of one experiment, on its axes; `replicates` is the largest number of any program.

    `fewer` holds the number of replicates of programs, by place, that have not so many. Axes that are `zipped` go in step:
    together they are one dimension, whose places are told apart by the values of all of them.
    """

    experiment: str
    axes: Mapping[str, tuple[Any, ...]]
    count: int
    replicates: Sequence[Replicate]
    fewer: Mapping[tuple[int, ...], int] = field(default_factory=dict)
    zipped: Sequence[tuple[str, ...]] = ()
    exact: frozenset[str] = frozenset()
    """The measures that nothing random reaches: they are the same for every seed."""
    all_exact: bool = False
    """Whether nothing random reaches any measure, nor what is trained."""
    examples: Mapping[str, int] = field(default_factory=dict)
    """The measures whose expectations go over sampled examples, and over how many at least."""
    trained: frozenset[str] = frozenset()
    """Those of them whose sampled examples are of the training stream."""
    rates: Mapping[str, Rate] = field(default_factory=dict)
    """The measures that are the rate of a condition over examples, or offset + scale · rate, with these two."""
    left_out: tuple[str, ...] = ()
    """The variants that were not run, as `--only` asked for others."""
    debiased: bool = False
    """Whether the highest and lowest values over the steps count without what chance adds to the best of so many."""

    @staticmethod
    def of_plan(plan: ExperimentPlan, replicates: Sequence[Replicate]) -> Results:
        """The results of an experiment's plan."""
        most = max((program.replicates for program in plan.programs), default=0)
        exact, every = _exact_measures(plan)
        examples, trained, rates = _sampled(plan)
        found = Results(
            plan.name,
            plan.axes,
            most,
            replicates,
            zipped=plan.zipped,
            exact=exact,
            all_exact=every,
            examples=examples,
            trained=trained,
            rates=rates,
            left_out=plan.left_out,
        )
        fewer = {
            found.place(program.variant, program.point): program.replicates
            for program in plan.programs
            if program.replicates < most
        }
        return replace(found, fewer=fewer)

    @cached_property
    def dimensions(self) -> tuple[tuple[str, ...], ...]:
        """The axes, those that go in step together, in the order of their first."""
        groups = {axis: group for group in self.zipped for axis in group}
        return tuple(dict.fromkeys(groups.get(axis, (axis,)) for axis in self.axes))

    @cached_property
    def dimension(self) -> Mapping[str, int]:
        """The number of the dimension that an axis belongs to."""
        return {axis: number for number, group in enumerate(self.dimensions) for axis in group}

    def length(self, dimension: int) -> int:
        """How many places a dimension has; the one after all others is that of the replicates."""
        return len(self.axes[self.dimensions[dimension][0]]) if dimension < len(self.dimensions) else self.count

    def place(self, variant: str, point: Mapping[str, Any]) -> tuple[int, ...]:
        """Where a program lies on the dimensions."""
        values = {"variant": variant, **point}
        return tuple(
            places[tuple(values[axis] for axis in group)]
            for group, places in zip(self.dimensions, self._places, strict=True)
        )

    @cached_property
    def _places(self) -> list[dict[tuple[Any, ...], int]]:
        """Where the values of each dimension's axes lie."""
        return [
            {values: place for place, values in enumerate(zip(*(self.axes[axis] for axis in group), strict=True))}
            for group in self.dimensions
        ]

    @cached_property
    def table(self) -> Array:
        """The replicates at their places, [length of each dimension, replicates]; None where one was not run."""
        table = np.full([self.length(number) for number in range(len(self.dimensions) + 1)], None, dtype=object)
        for replicate in self.replicates:
            table[(*self.place(replicate.variant, replicate.constants), replicate.number)] = replicate
        return table

    @cached_property
    def meant(self) -> Array:
        """Whether there is such a replicate at all, in the shape of `table`: programs may differ in how many they have."""
        exists = np.ones(self.table.shape, bool)
        for place, count in self.fewer.items():
            exists[place][count:] = False
        return exists

    @cached_property
    def without_selection(self) -> Results:
        """The same, where the best of many evaluations counts without what chance adds to it."""
        fair = replace(self, debiased=True)
        fair.__dict__["table"] = self.table  # the same replicates at the same places
        return fair

    @cached_property
    def judged(self) -> dict[Any, Any]:
        """What claims have looked at so far, so that it is looked up once."""
        return {}


def _exact_measures(plan: ExperimentPlan) -> tuple[frozenset[str], bool]:
    """The measures of an experiment that are the same for every seed, and whether all are."""
    names, random = set(), set()
    for program in plan.programs:
        for measure in program.measures:
            names.add(measure.name)
            if measure.name not in random and is_random(program, measure):
                random.add(measure.name)
    return frozenset(names - random), not random and not any(map(trains_at_random, plan.programs))


def _sampled(plan: ExperimentPlan) -> tuple[Mapping[str, int], frozenset[str], Mapping[str, Rate]]:
    """Over how many sampled examples measures go that do so in every program, at least; those of training examples, and those that are one rate in every program."""
    counts: dict[str, list[int]] = {}
    rates: dict[str, set[Rate | None]] = {}
    tested: set[str] = set()
    for program in plan.programs:
        for measure in program.measures:
            counts.setdefault(measure.name, []).append(sampled_examples(program, measure))
            rates.setdefault(measure.name, set()).add(rate_in(measure.term))
            if sampled_stream(program, measure) != "train":
                tested.add(measure.name)
    examples = {name: min(own) for name, own in counts.items() if min(own)}
    same = {name: rate for name, (rate, *others) in rates.items() if rate is not None and not others}
    return examples, frozenset(examples.keys() - tested), same


def numbered(numbers: Sequence[int]) -> str:
    """Replicates by their numbers, which rise.

    >>> numbered([3]), numbered([1, 2]), numbered([0, 1, 2, 3])
    ('replicate 3', 'replicates 1 and 2', 'replicates 0 to 3')
    """
    many = len(numbers) > 2 and list(numbers) == list(range(numbers[0], numbers[-1] + 1))
    which = f"{numbers[0]} to {numbers[-1]}" if many else listing(map(str, numbers))
    return f"replicate{'s' if len(numbers) > 1 else ''} {which}"
