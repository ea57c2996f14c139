"""The summary at the end of a run: final values with their spread, verdicts, and paths of the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.text import Text

from ...api.terminal import Columns, print_table, print_text
from ...api.verdict_colours import COLOURS
from ...results.array_entries import Place, entry_name, extremes, finals_at, is_small, places_of, shape_words, shapes_of
from ...results.cell_groups import label, programs
from ...results.earlier_looks import looks_text
from ...results.number_text import SPREAD, number, spread
from ...results.replicates import DONE, Replicate, Results, numbered
from ...results.run_writer import claims_json
from ...results.verdicts import MARKS, Verdict
from ...verdicts.evidence_text import chance_text, lines, needed

INDENT = " " * 15
MOST_ROWS = 200
"""How many programs of an experiment are shown."""


def forms(results: Mapping[str, Results]) -> str:
    """In which compiled form replicates were trained: `xla`, or `xla (3 replicates), graph (1 replicate)`."""
    found = Counter(replicate.compiled for item in results.values() for replicate in item.replicates)
    if len(found) == 1:
        return next(iter(found))
    return (
        ", ".join(f"{name} ({count} replicate{'' if count == 1 else 's'})" for name, count in found.items())
        or "nothing"
    )


def print_finals(results: Mapping[str, Results], console: Console) -> None:
    """A table an experiment: each measure's mean over replicates, with the range that they span; a caption below says so."""
    for name, found in results.items():
        every = list(programs(found.replicates))
        groups = every[:MOST_ROWS]
        columns = [("", [label(group[0]) for group in groups]), *_columns(found, groups)]
        columns += [("steps", [f"{max((c.steps[-1] for c in group if c.steps), default=0):,}" for group in groups])]
        columns += [("replicates", [_counted(group) for group in groups])]
        heads, cells = zip(*columns, strict=True)
        print_table(console, name, Columns(heads, list(zip(*cells, strict=True)), left=0))
        if len(every) > MOST_ROWS:
            rest = f"… and {len(every) - MOST_ROWS:,} more: `dlspec runs export RUN FILE.csv --finals` writes all"
            print_text(console, Text(rest))
        console.print()
        ended: dict[tuple[str, str, str], list[int]] = {}
        for replicate in found.replicates:
            if replicate.status != DONE:
                ended.setdefault((label(replicate), replicate.status, replicate.message), []).append(replicate.number)
        for (cell, status, message), some in ended.items():
            print_text(console, Text(f"  {cell}, {numbered(some)}: {status}: {message}", "yellow"), "    ")
    if any(len(group) > 1 for found in results.values() for group in programs(found.replicates)):
        print_text(console, Text(f"Finals: {SPREAD}.", "dim"))
        console.print()


Column = tuple[str, list[str]]


def _columns(results: Results, groups: Sequence[Sequence[Replicate]]) -> list[Column]:
    """A column a measure; of an array of a few entries one each, of a larger one how large it is and what it spans."""
    columns: list[Column] = []
    for measure in dict.fromkeys(m for replicate in results.replicates for m in replicate.curves):
        shapes, words = shapes_of(results.replicates, measure), measure.replace("_", " ")
        if is_small(shapes):
            columns += [
                (entry_name(words, at), [_final(group, measure, at) for group in groups]) for at in places_of(shapes)
            ]
        else:
            columns.append((words, [_span(group, measure) for group in groups]))
    return columns


def _final(group: Sequence[Replicate], measure: str, place: Place) -> str:
    return _spread([value for _, value in finals_at(group, measure, place)])


def _span(group: Sequence[Replicate], measure: str) -> str:
    """The shape of an array, and its least and largest entry over the replicates."""
    ends = [(low, high) for _, low, high in extremes(group, measure) if not np.isnan(low)]
    seen = f"{number(min(low for low, _ in ends))} … {number(max(high for _, high in ends))}" if ends else "–"
    return f"{shape_words(shapes_of(group, measure))}: {seen}" if shapes_of(group, measure) else "–"


def _counted(group: Sequence[Replicate]) -> str:
    good = sum(replicate.status == DONE for replicate in group)
    return str(good) if good == len(group) else f"{good} of {len(group)}"


def _spread(values: Sequence[float]) -> str:
    return spread(values) if values else "–"


def print_claims(verdicts: Sequence[Verdict], console: Console) -> None:
    """A claim: its verdict, its sentence, its check, and what was seen of each condition in it."""
    claims = claims_json(verdicts)
    for verdict, claim in zip(verdicts, claims, strict=True):
        mark, colour = MARKS[verdict.verdict], COLOURS[verdict.verdict]
        text = Text.assemble((f"{mark} {verdict.verdict:<12} ", colour), verdict.claim.says)
        text.append(f"\n{INDENT}{verdict.claim.text}", "dim")
        for line in filter(
            None,
            (claim["strength"], *lines(claim["evidence"]), claim["reason"], needed(claim), looks_text(claim["looks"])),
        ):
            text.append(f"\n{INDENT}{line}")
        print_text(console, text, INDENT)
    if by_chance := chance_text(claims):
        print_text(console, Text(by_chance, "dim"))
