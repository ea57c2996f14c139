"""Two runs side by side: finals with their spread and their difference, verdicts, and the curves of both in one figure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .aside import Aside
from .claims import Verdict, student
from .entries import entry_name, extremes, finals_at, is_small, places_of, shape_words, shapes_of
from .groups import label, programs
from .read_run import results, verdicts
from .results import DONE, Cell, Results
from .runs import Kept
from .summary import MARKS, number

FORMAT_VERSION = 1
NAMED = 16
"""How many curves a panel names; more would hide it."""
STYLES: tuple[dict[str, Any], ...] = ({"linewidth": 3.2, "alpha": 0.4}, {"linewidth": 1.2, "linestyle": "--"})
"""A's curves are broad and light, so that B's, dashed, are seen where both are the same."""
WIDE = 50
"""From this ratio of the largest to the smallest value on, an axis is logarithmic."""


Done = tuple[int, int]
"""How many replicates of a program are done, and how many there are."""


@dataclass(frozen=True)
class Final:
    """A measure of one program at its last step, in both runs: one number a replicate that is done."""

    experiment: str
    program: str
    measure: str
    first: dict[int, float]
    second: dict[int, float]
    same: bool
    done: tuple[Done, Done] = ((0, 0), (0, 0))

    def difference(self) -> tuple[float, tuple[float, float] | None] | None:
        """The mean of second less first, and its 95 % t interval, paired by replicate; it needs three for that."""
        paired = sorted(self.first.keys() & self.second.keys())
        if not paired:
            return None
        gaps = np.asarray([self.second[r] - self.first[r] for r in paired])
        mean = float(np.mean(gaps))
        if len(gaps) < 3:
            return mean, None
        half = float(np.std(gaps, ddof=1)) / math.sqrt(len(gaps)) * student(len(gaps) - 1)
        return mean, (mean - half, mean + half)


@dataclass(frozen=True)
class Comparison:
    """All that two runs can be compared by."""

    runs: tuple[Kept, Kept]
    results: tuple[dict[str, Results], dict[str, Results]]
    finals: Sequence[Final]
    claims: Sequence[tuple[str, Verdict | None, Verdict | None]]


def compare(first: Kept, second: Kept, aside: Aside | None = None) -> Comparison:
    """Reads both runs. Raises StoreError; with `aside`, claims that can't be read are told, and missing."""
    found = results(first), results(second)
    told = tuple(_told(run, aside) for run in (first, second))
    claims = [(name, told[0].get(name), told[1].get(name)) for name in dict.fromkeys([*told[0], *told[1]])]
    return Comparison((first, second), found, _finals(*found), claims)


def _told(run: Kept, aside: Aside | None) -> dict[str, Verdict]:
    with aside.part(f"claims of {run.name}", "All else is here") if aside is not None else nullcontext():
        return {verdict.id: verdict for verdict in verdicts(run)}
    return {}


def _finals(first: dict[str, Results], second: dict[str, Results]) -> list[Final]:
    found = []
    for experiment in dict.fromkeys([*first, *second]):
        one, other = _groups(first.get(experiment)), _groups(second.get(experiment))
        for name in dict.fromkeys([*one, *other]):
            cells, others = one.get(name, []), other.get(name, [])
            same = {(c.digest, c.replicate) for c in cells} == {(c.digest, c.replicate) for c in others}
            measures = dict.fromkeys(m for cell in [*cells, *others] for m in cell.curves)
            for measure in measures:
                for told, ends in _ends(cells, others, measure):
                    found.append(Final(experiment, name, told, *ends, same, (_done(cells), _done(others))))
    return found


def _groups(found: Results | None) -> dict[str, list[Cell]]:
    return {label(group[0]): group for group in programs(found.cells)} if found else {}


Ends = tuple[dict[int, float], dict[int, float]]


def _ends(cells: Sequence[Cell], others: Sequence[Cell], measure: str) -> Iterator[tuple[str, Ends]]:
    """The finals of both runs, by replicate: of a number, of each entry of a small array, or of how far a larger one goes."""
    shapes = shapes_of([*cells, *others], measure)
    if is_small(shapes):
        for at in places_of(shapes):
            yield entry_name(measure, at), (dict(finals_at(cells, measure, at)), dict(finals_at(others, measure, at)))
        return
    both = list(extremes(cells, measure)), list(extremes(others, measure))
    for end, word in ((1, "least"), (2, "largest")):
        first, second = ({row[0]: row[end] for row in own} for own in both)
        yield f"{measure} ({shape_words(shapes)}), {word}", (first, second)


def _done(cells: Sequence[Cell]) -> Done:
    return sum(cell.status == DONE for cell in cells), len(cells)


def as_data(made: Comparison, figure: Sequence[Path]) -> dict[str, Any]:
    """The comparison as JSON; what is not finite is null."""

    def spread(values: dict[int, float]) -> dict[str, Any] | None:
        if not values:
            return None
        every = list(values.values())
        return {"mean": _finite(float(np.mean(every))), "interval": [_finite(min(every)), _finite(max(every))]}

    def gap(final: Final) -> dict[str, Any] | None:
        difference = final.difference()
        if difference is None:
            return None
        mean, interval = difference
        return {"mean": _finite(mean), "interval": [_finite(v) for v in interval] if interval else None}

    def told(verdict: Verdict | None) -> dict[str, Any] | None:
        if verdict is None:
            return None
        interval = [_finite(v) for v in verdict.interval] if verdict.interval else None
        return {"verdict": verdict.verdict, "value": _finite(verdict.value), "interval": interval}

    return {
        "format_version": FORMAT_VERSION, "runs": [run.name for run in made.runs],
        "finals": [
            {
                "experiment": final.experiment, "program": final.program, "measure": final.measure, "same_cells": final.same,
                "first": spread(final.first), "second": spread(final.second), "difference": gap(final),
                "replicates": [{"done": good, "of": count} for good, count in final.done],
            }
            for final in made.finals
        ],
        "claims": [{"id": name, "first": told(one), "second": told(other)} for name, one, other in made.claims],
        "figures": [str(path) for path in figure],
    }  # fmt: skip


def show(made: Comparison, console: Console) -> None:
    """Prints finals and verdicts side by side."""
    first, second = made.runs
    console.print(Text.assemble(("A ", "bold"), first.name, f"  {first.finished:%Y-%m-%d %H:%M} UTC"))
    console.print(Text.assemble(("B ", "bold"), second.name, f"  {second.finished:%Y-%m-%d %H:%M} UTC"))
    for experiment in dict.fromkeys(final.experiment for final in made.finals):
        console.print()
        table = _table(experiment, "", "measure", "A", "B", "B - A")
        before = ""
        for final in (final for final in made.finals if final.experiment == experiment):
            difference = "same cells" if final.same else _difference(final)
            name = final.program if final.program != before else ""
            before = final.program
            table.add_row(
                *map(
                    Text,
                    (
                        name,
                        final.measure.replace("_", " "),
                        _spread(final.first, final.done[0]),
                        _spread(final.second, final.done[1]),
                        difference,
                    ),
                )
            )
        console.print(table)
    if made.claims:
        console.print()
        table = _table("claims", "", "A", "saw", "B", "saw")
        for name, one, other in made.claims:
            changed = one is not None and other is not None and one.verdict != other.verdict
            table.add_row(
                Text(name, "bold" if changed else ""), _mark(one), Text(_seen(one)), _mark(other), Text(_seen(other))
            )
        console.print(table)


def draw(made: Comparison, path: Path) -> list[Path]:
    """Draws the curves of both runs, A broad and B dashed, as PNG and SVG; no file if there are none. Raises OSError."""
    from .figures.canvas import panels, save, style
    from .figures.draw import MOST_PANELS

    shown = list(dict.fromkeys((final.experiment, final.measure) for final in made.finals))
    shown = [place for place in shown if any(_moving(found, *place) for found in made.results)]
    if not shown:
        return []
    left_out = f"\nthe first {MOST_PANELS} of {len(shown):,} measures" if len(shown) > MOST_PANELS else ""
    shown = shown[:MOST_PANELS]
    with style():
        figure, axes = panels(len(shown))
        for axis, (experiment, measure) in zip(axes, shown, strict=True):
            _panel(axis, made, experiment, measure)
        figure.suptitle(f"A {made.runs[0].name} (broad)\nB {made.runs[1].name} (dashed){left_out}", fontsize=8)
        path.parent.mkdir(parents=True, exist_ok=True)
        paths = [path.with_suffix(end) for end in (".png", ".svg")]
        save(figure, paths)
    return paths


def _moving(found: dict[str, Results], experiment: str, measure: str) -> bool:
    cells = found[experiment].cells if experiment in found else []
    return any(len(cell.curves.get(measure, [])) > 1 for cell in cells)


def _panel(axis: Any, made: Comparison, experiment: str, measure: str) -> None:
    from .figures.scales import drawable

    groups = [_groups(found.get(experiment)) for found in made.results]
    names = list(dict.fromkeys([*groups[0], *groups[1]]))
    ends = [math.inf, -math.inf]
    for place, name in enumerate(names):
        for found, style in zip(groups, STYLES, strict=True):
            cells = [cell for cell in found.get(name, []) if cell.curves.get(measure)]
            if not cells or np.ndim(cells[0].curves[measure][-1]) != 0:
                continue
            steps = max((cell.steps for cell in cells), key=len)
            table = np.full((len(cells), len(steps)), np.nan)
            for row, cell in zip(table, cells, strict=True):
                row[: len(cell.steps)] = np.asarray(cell.curves[measure], dtype=float)
            done = [cell.status == "done" for cell in cells]
            mean = drawable(np.mean(table[done] if any(done) else table, axis=0))  # a gap where one has no value
            if (seen := mean[np.isfinite(mean)]).size:
                ends = [min(ends[0], float(seen.min())), max(ends[1], float(seen.max()))]
            text = name if len(names) <= NAMED and (found is groups[0] or name not in groups[0]) else None
            axis.plot(steps, mean, color=f"C{place % 10}", label=text, **style)
    if 0 < ends[0] * WIDE < ends[1]:
        axis.set_yscale("log")
    axis.set_title(f"{experiment}: {measure.replace('_', ' ')}", fontsize=9)
    axis.set_xlabel("step")
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize=7)


def _table(title: str, *heads: str) -> Table:
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    table.box, table.pad_edge, table.padding = None, False, (0, 3, 0, 0)
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place == 0 else "right", no_wrap=True)
    return table


def _spread(values: dict[int, float], done: Done) -> str:
    """The mean and the range, and how many replicates that is of, where it is not all."""
    some = f" ({done[0]} of {done[1]})" if done[0] < done[1] else ""
    if not values:
        return f"–{some}"
    mean = number(float(np.mean(list(values.values()))))
    ends = f" [{number(min(values.values()))}, {number(max(values.values()))}]" if len(values) > 1 else ""
    return f"{mean}{ends}{some}"


def _difference(final: Final) -> str:
    difference = final.difference()
    if difference is None:
        return "–"
    mean, interval = difference
    return number(mean) + (f" ± {number((interval[1] - interval[0]) / 2)}" if interval else "")


def _mark(verdict: Verdict | None) -> Text:
    if verdict is None:
        return Text("–")
    mark, colour = MARKS[verdict.verdict]
    return Text(f"{mark} {verdict.verdict}", colour)


def _seen(verdict: Verdict | None) -> str:
    if verdict is None or verdict.value is None:
        return "–"
    seen = number(verdict.value)
    if verdict.interval is not None and verdict.interval[0] != verdict.interval[1]:
        seen += f" [{number(verdict.interval[0])}, {number(verdict.interval[1])}]"
    return seen


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
