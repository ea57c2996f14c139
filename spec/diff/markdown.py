"""A difference as GitHub-flavoured Markdown that fits a comment; what is long is folded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from .changes import Edit, StudyDiff
from .costs import MAX_GROUPS, cost_groups, more_groups
from .sections import Line, PastResults, consequences, sections, told_by_the_headline, warned

MAX_CHARACTERS = 60_000
"""GitHub's comments end at 65,536 characters."""
MAX_UNFOLDED_LINES = 8
"""Sections of more lines are folded."""
MARKUP = re.compile(r"[|*`\[\]]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""What Markdown would take for its own; an underscore inside a word is none of it."""
TAGS = {"same": "{}", "removed": "<del>{}</del>", "added": "<ins>{}</ins>"}


def markdown(diffs: Iterable[tuple[str, StudyDiff]], past: PastResults | None = None) -> str:
    """Differences of some studies, under their names."""
    parts = [_study(name, diff, past or PastResults()) for name, diff in diffs]
    text = "\n\n".join(parts) + "\n"
    if len(text) > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS].rpartition("\n")[0]
        text += "</details>" * (text.count("<details>") - text.count("</details>"))
        text += "\n\n… cut here: `dlspec diff` shows all of it.\n"
    return text


def _study(name: str, diff: StudyDiff, past: PastResults) -> str:
    parts = [f"### `{name}`\n\n**{_prose(diff.headline)}**"]
    warnings = list(warned(diff))
    if warnings:
        parts.append(
            "\n".join(
                f"> [!WARNING]\n> {_prose(text)}" if not i else f"> {_prose(text)}" for i, text in enumerate(warnings)
            )
        )
    for title, lines in [] if told_by_the_headline(diff) else sections(diff):
        parts.append(_folded(f"{title} ({len(lines)})", _table(lines), len(lines) > MAX_UNFOLDED_LINES))
    if diff.cells or diff.profiles:
        text = "\n".join(f"- {_prose(item)}" for item in consequences(diff))
        parts.append(f"**Cells**\n\n{text}")
        if groups := cost_groups(diff):
            costs = [(group.name, "; ".join(cost.text for cost in group.costs)) for group in groups[:MAX_GROUPS]]
            table = _grid(("cells", "cost"), costs) + (f"\n\n{more}" if (more := more_groups(groups)) else "")
            parts.append(_folded("What they cost", table, True))
    if past.finals:
        rows = [(cell, measure, *pair) for cell, own in past.finals.items() for measure, pair in own.items()]
        title = f"Stored results: {past.numbers}" if past.numbers else "Stored results"
        table = _grid(("cell", "measure", "before", "after"), rows)
        parts.append(_folded(title, table, len(rows) > MAX_UNFOLDED_LINES))
    if past.verdicts:
        verdicts = [(claim, *pair) for claim, pair in past.verdicts.items()]
        table = _grid(("claim", "before", "after"), verdicts)
        parts.append(_folded("Verdicts", table, len(verdicts) > MAX_UNFOLDED_LINES))
    return "\n\n".join(parts)


def _folded(title: str, body: str, long: bool) -> str:
    if long:
        return f"<details><summary><b>{title}</b></summary>\n\n{body}\n\n</details>"
    return f"**{title}**\n\n{body}"


def _table(lines: Sequence[Line]) -> str:
    rows = [(_subject(line), _marked(line.edits), _prose(line.note)) for line in lines]
    return "\n".join(["| what | change | |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)])


def _subject(line: Line) -> str:
    """What changed, in words; parts of a whole are indented."""
    depth = len(line.subject) - len(line.subject.lstrip())
    return "&nbsp;&nbsp;" * depth + _prose(line.subject.strip())


def _marked(edits: Sequence[Edit]) -> str:
    text = "".join(TAGS[edit.kind].format(_cell(edit.text)) for edit in edits if edit.text)
    return f"<code>{text}</code>" if text else ""


def _grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(
        [
            f"| {' | '.join(heads)} |",
            "|" + "---|" * len(heads),
            *(f"| {' | '.join(_cell(item) for item in row)} |" for row in rows),
        ]
    )


def _cell(text: str) -> str:
    """A text inside a table: what Markdown would take for markup is escaped."""
    found = escape(" ".join(text.split()), quote=False) if text.strip() else text
    found = (
        (" " if text[:1] == " " and text.strip() else "") + found + (" " if text[-1:] == " " and text.strip() else "")
    )
    return MARKUP.sub(lambda match: f"&#{ord(match[0])};", found)


def _prose(text: str) -> str:
    """A sentence; what stands between backquotes stays code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _cell(text)
    return "".join(f"`{part}`" if place % 2 else _cell(part) for place, part in enumerate(parts))
