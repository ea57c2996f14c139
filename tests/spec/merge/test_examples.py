"""The example studies, with lines changed and entries removed on both sides: the result is, to the byte, what doing both gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from dlspec.spec.merge import merged

EXAMPLES = Path(__file__).parents[3] / "examples"
CASES = 6
NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")


def numbers(lines: Sequence[str]) -> list[int]:
    """Lines that end in a map in braces or a value, and hold a number before any comment."""
    entry = re.compile(r" +(- )?[\w(), ]+: ")
    return [n for n, line in enumerate(lines) if entry.match(line) and NUMBER.search(line.split("#")[0])]


def blocks(lines: Sequence[str]) -> list[range]:
    """Entries with all lines below them, of those that have a sibling straight behind them."""
    found = []
    for first, line in enumerate(lines):
        if re.match(r" +[\w(), ]+:( |$)", line) and not line.strip().startswith(
            "kind:"
        ):  # without a kind it is another whole
            end = first + 1
            while end < len(lines) and lines[end].strip() and indent(lines[end]) > indent(line):
                end += 1
            if end < len(lines) and lines[end].strip() and indent(lines[end]) == indent(line):
                found.append(range(first, end))
    return found


def indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def written(lines: Sequence[str], changed: Sequence[int], removed: Sequence[range]) -> str:
    """The text with the first number of some lines raised, and without some entries."""
    out = []
    for place, line in enumerate(lines):
        if not any(place in block for block in removed):
            raised = NUMBER.sub(lambda match: str(int(match.group()) + 1000), line, count=1)
            out.append(raised if place in changed else line)
    return "\n".join(out)


@pytest.mark.parametrize("name", ["flat", "parities", "decomposition"])
def test_what_both_sides_do_is_done_to_the_byte(name: str) -> None:
    text = (EXAMPLES / f"{name}.yaml").read_text("utf-8")
    lines = text.split("\n")
    for seed in range(CASES):
        random = Random(f"{name} {seed}")
        removed: list[range] = []
        for block in random.sample(blocks(lines), 6):  # no neighbours, lest a map is empty in the end
            if all(block.stop < other.start or other.stop < block.start for other in removed):
                removed.append(block)
        held = {place for block in removed for place in block}
        changed = random.sample([place for place in numbers(lines) if place not in held], 8)
        ours, theirs = (written(lines, changed[side::2], removed[side::2]) for side in (0, 1))
        both = written(lines, changed, removed)
        for one, two in ((ours, theirs), (theirs, ours)):
            result = merged(text, one, two)
            assert result.conflicts == () and result.text == both, f"seed {seed}"
