"""The page of two runs: what differs in what was run, verdicts and finals side by side, curves over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dlspec.spec.diff import StudyDiff
from dlspec.spec.diff.sections import consequences, sections, warned

from ..results.atomic_files import replace_file
from ..results.optional_outputs import Aside
from ..results.verdicts import MARKS, PLURAL, VERDICTS, Verdict
from ..verdicts.run_comparison import CAPTION, Comparison, Final, difference_text, seen, spread_text
from .endings import causes
from .figures import REST_IS_THERE, Picture, pictures
from .final_values import MAX_UNFOLDED_ROWS, MOST_ROWS, finals
from .one_file import one_file
from .page import readable_study, title_of
from .provenance import provenance

LETTERS = "AB"
CURVES = "The curves of both"
"""The title of a figure of both runs."""
KIND = "curves"
SEEN_BY = "“Above 0” and “below 0”: the interval leaves 0 out, as it does by chance in one of twenty rows without a difference."


@dataclass(frozen=True)
class _Words:
    """What a figure of both is called."""

    title: str = CURVES
    caption: str = ""
    kind: str = KIND


@dataclass(frozen=True)
class Row:
    """A measure of a cell in both runs, as text; `exact` are its numbers for sorting and for CSV."""

    cell: str
    measure: str
    first: str
    second: str
    difference: str
    exact: tuple[float | None, float | None, float | None]
    side: str

    @staticmethod
    def of(final: Final) -> Row:
        """The row of a final."""
        means = [_mean(values) for values in (final.first, final.second)]
        gap = None if final.same else final.difference()
        exact = 0.0 if final.same else gap.mean if gap is not None else None
        return Row(
            final.program, final.measure.replace("_", " "), spread_text(final.first, final.done[0]), spread_text(final.second, final.done[1]),
            difference_text(final), (means[0], means[1], exact), "" if final.same else side_of_zero(final),
        )  # fmt: skip


@dataclass(frozen=True)
class Section:
    """An experiment of either run: its figures and its rows."""

    experiment: str
    pictures: Sequence[Picture]
    finals: Sequence[Final]

    @cached_property
    def rows(self) -> list[Row]:
        """The rows that are shown."""
        return [Row.of(final) for final in self.finals[:MOST_ROWS]]

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return max(0, len(self.finals) - MOST_ROWS)

    @property
    def folded(self) -> bool:
        """Whether the table is too long to be open."""
        return len(self.finals) > MAX_UNFOLDED_ROWS


@dataclass(frozen=True)
class Judged:
    """A claim in both runs."""

    id: str
    says: str
    sides: tuple[Verdict | None, Verdict | None]

    @property
    def changed(self) -> bool:
        """Whether both judged it, and not alike."""
        one, other = self.sides
        return one is not None and other is not None and one.verdict != other.verdict

    @property
    def checks(self) -> list[str]:
        """Its check; where the runs have two, both."""
        return list(dict.fromkeys(side.claim.text for side in self.sides if side is not None))


def side_of_zero(final: Final) -> str:
    """On which side of 0 the interval of a difference lies; empty where there is none.

    >>> side_of_zero(Final("e", "e", "m", {0: 1.0, 1: 1.1, 2: 1.2}, {0: 2.0, 1: 2.2, 2: 2.1}, same=False))
    'above 0'
    >>> side_of_zero(Final("e", "e", "m", {0: 1.0, 1: 1.1, 2: 1.2}, {0: 1.1, 1: 1.0, 2: 1.2}, same=False))
    'not told from 0'
    """
    difference = final.difference()
    if difference is None or difference.interval is None:
        return ""
    low, high = difference.interval
    return "above 0" if low > 0 else "below 0" if high < 0 else "not told from 0"


def write_comparison(numbers: Comparison, diff: StudyDiff | None, figures: Path, file: Path, aside: Aside) -> int:
    """Writes the page of two runs, whole or not at all; returns its bytes. `figures` is the folder in which their figures lie.

    A part that can't be made is missing, which the page says and `aside` is told. Raises OSError.
    """
    text = comparison_page(numbers, diff, figures, aside).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, text)
    return len(text)


def comparison_page(numbers: Comparison, diff: StudyDiff | None, figures: Path, aside: Aside) -> str:
    """Two runs as HTML. A part that can't be made is missing, which the page says and `aside` is told."""
    before = len(aside.failed)
    titles = [title_of(readable_study(run.study_text), run) for run in numbers.runs]
    shown = []
    for experiment in dict.fromkeys(final.experiment for final in numbers.finals):
        drawn: list[Picture] = []
        with aside.part(f"the figure of {experiment}", REST_IS_THERE):
            drawn = pictures(figures, experiment, {"both": _Words()}, aside)
        shown.append(Section(experiment, drawn, [one for one in numbers.finals if one.experiment == experiment]))
    claims = []
    for name, *sides in numbers.claims:
        model = next(side.claim for side in reversed(sides) if side is not None)
        claims.append(Judged(name, model.says, (sides[0], sides[1])))
    facts = [provenance(run, run.replicates) for run in numbers.runs]
    counts: list[Mapping[str, int]] = [{}, {}]
    ended: list[list[str]] = [[], []]
    for place, run in enumerate(numbers.runs):
        with aside.part(f"what ended early in {LETTERS[place]}", REST_IS_THERE):
            ended[place] = [f"{cause.experiment}, {cause.words}" for cause in causes(finals(run.read("cells.json")))]
            counts[place] = run.verdicts
    return one_file(
        "comparison.html.jinja", (one for section in shown for one in section.pictures), version=str((numbers.runs[1].about.get("packages") or {}).get("dlspec", "")),
        titles=list(dict.fromkeys(titles)), names=[run.name for run in numbers.runs], letters=LETTERS, runs=list(zip(LETTERS, numbers.runs, strict=True)),
        facts=[(words, *(one[words] for one in facts)) for words in facts[0]], ended=ended, counts=counts,
        diff=diff, warned=warned(diff) if diff else [], changes=sections(diff) if diff else [], consequences=consequences(diff) if diff else [],
        claims=claims, changed=[claim for claim in claims if claim.changed], sections=shown, seen=seen, verdicts=VERDICTS, marks=MARKS, plural=PLURAL,
        caption=CAPTION, seen_by=SEEN_BY, missing=aside.failed[before:], made_otherwise=numbers.warnings,
    )  # fmt: skip


def _mean(values: Mapping[int, float]) -> float | None:
    return sum(values.values()) / len(values) if values else None
