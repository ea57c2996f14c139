"""Text, Markdown and JSON of a difference say the same: on every pair of the corpus."""

from __future__ import annotations

import json
import re
from collections import Counter
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from dlspec.interpreter.api.diff_text import print_diff
from dlspec.spec.diff import StudyDiff
from dlspec.spec.diff.json_form import data
from dlspec.spec.diff.markdown import markdown
from dlspec.spec.diff.sections import sections, told_by_the_headline
from rich.console import Console
from typer.testing import CliRunner

from tests.spec.diff.pairs import PAIRS, Pair, difference

DOCUMENTED = (Path(__file__).parents[3] / "docs" / "diff.md").read_text("utf-8")
VALID = pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.exit != 2], ids=lambda pair: pair.name)


def printed(diff: StudyDiff) -> str:
    """What stands on a terminal without colours that is wide enough for every line."""
    out = StringIO()
    print_diff("", diff, Console(file=out, soft_wrap=True, highlight=False, width=4000, no_color=True))
    return out.getvalue()


def rendered(diff: StudyDiff) -> str:
    """Markdown as it is read: without tags, and with what was escaped as it was."""
    return unescape(re.sub(r"</?(del|ins|code|b|summary|details)>", "", markdown([("study.yaml", diff)])))


def kept(text: str) -> tuple[int, int] | None:
    """How many cells keep their digest, and of how many: as a sentence says it."""
    found = re.search(r"(all|none|\d+) of (\d+) cells keeps? (?:its|their) digest", text)
    if found is None:
        return None
    total = int(found[2])
    count = total if found[1] == "all" else 0 if found[1] == "none" else int(found[1])
    return count, total


def each(line: str) -> list[str]:
    """The warnings of a line, one a claim: `e: a and b: loosened` says the same of both."""
    found = re.match(r"(\w+): (\w+(?:, \w+)* and \w+)((?: in profile \w+)?: .*)", line)
    if found is None:
        return [line]
    return [f"{found[1]}.{claim}{found[3]}" for claim in re.split(", | and ", found[2])]


@VALID
def test_text_markdown_and_json_agree(pair: Pair) -> None:
    diff = difference(pair.name)
    (study,) = data([("study.yaml", diff)])["studies"]
    text, prose = printed(diff), rendered(diff)
    # the headline, and what the exit code is taken from
    assert study["headline"] == text.splitlines()[0] == diff.headline
    assert f"**{diff.headline}**" in prose
    assert study["same"] == diff.same
    # each warning once
    said = [
        f"{item['experiment']}.{item['claim']}{' in profile ' + item['profile'] if item['profile'] else ''}: {item['message']}"
        for item in study["warnings"]
    ]
    told = [line[2:] for line in text.splitlines() if line.startswith("⚠ ")]
    assert sorted(warning for line in told for warning in each(line)) == sorted(said)
    block = prose.partition("[!WARNING]\n")[2].split("\n\n")[0]
    assert [line.removeprefix("> ") for line in block.splitlines()] == told
    # each change
    for change in study["changes"]:
        assert ".".join(change["path"]) in text
    lines = sections(diff)
    count = sum(1 + len(change.get("parts", ())) for change in study["changes"])
    assert sum(len(own) for _, own in lines) <= count  # what is the same in several experiments is said once
    for title, own in [] if told_by_the_headline(diff) else lines:
        assert f"{title} ({len(own)})" in prose and title in text
        assert all(line.subject.strip() in prose for line in own)
    # the cells
    counts = Counter(cell["status"] for cell in study["cells"])
    unchanged = sum(study["unchanged"].values())
    if study["cells"]:
        assert kept(text) == kept(prose)
        if (sentence := kept(text)) is not None:
            assert sentence == (counts["same"] + unchanged, sum(counts.values()) - counts["gone"] + unchanged)
        inside = {cell["status"] for own in study["profiles"].values() for cell in own}
        for status, words in (("again", "must run again"), ("new", "new, to run"), ("gone", "gone: ")):
            assert (words in text) == (words in prose)
            assert words in text or not counts[status]
            assert words not in text or counts[status] or status in inside


def keys(value: Any) -> set[str]:
    """All keys of an object and of the objects in it, but for those that are names of a study."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if not isinstance(value, dict):
        return set()
    below = [keys(item) for key, item in value.items() if key not in ("unchanged", "constants", "networks", "profiles")]
    return set(value).union(*below)


def test_every_key_of_the_json_is_documented() -> None:
    section = DOCUMENTED.partition("## As JSON")[2].partition("\n## ")[0]
    found: set[str] = set()
    for name in ("an experiment copied", "a variant added", "base: a learning rate", "a share lowered"):
        found |= keys(data([("study.yaml", difference(name))]))
    assert not sorted(key for key in found if f"`{key}`" not in section)


@pytest.mark.parametrize("name", ["a share raised", "quotes", "an unknown name", "a rate of dropout"])
def test_the_three_forms_end_with_the_same_code(name: str, tmp_path: Path) -> None:
    from dlspec.interpreter.cli.app import app

    pair = next(pair for pair in PAIRS if pair.name == name)
    for side, text in zip(("a.yaml", "b.yaml"), pair.sides(), strict=True):
        (tmp_path / side).write_text(text, "utf-8")
    sides = [str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")]
    for form in ([], ["--md"], ["--json"]):
        done = CliRunner().invoke(app, ["diff", *form, *sides])
        assert done.exit_code == pair.exit, done.output
        if form == ["--json"] and pair.exit != 2:
            assert json.loads(done.stdout)["same"] == (pair.exit == 0)
