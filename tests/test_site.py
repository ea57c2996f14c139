"""The documentation as a site: it builds, its links lead somewhere, its specs are valid, and the tutorial is so word by word."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

from benchmarks import gallery
from tests import forked
from tests.forked import MAIN

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^( *)```(\w+)([^\n]*)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
OF_OTHERS = ("repos", "on")
"""The first keys of files that are no studies: hooks of pre-commit, a workflow."""
GAP = "..."

PLAYERS = """
dlspec: 1
study: fragment
experiments:
  fragment:
    task: {example: {x: "normal([2])", z: "normal([2])"}}
    architecture: {D: {input: x, layers: [dense: 1]}, G: {input: z, layers: [dense: 2]}}
    loss: {critic: D(G), fool: -D(G)}
    measures: {m: E(D)}
"""
TASKS = """
dlspec: 1
study: fragment
experiments:
  fragment:
    task: {example: {x: "normal([2])", x_b: "normal([2])", c: integer(2)}}
    architecture: {f: {input: x, layers: [dense: 2]}}
    loss: {a: "cross_entropy(f, c)"}
    measures: {m: "E(f[0])"}
"""


def blocks(page: Path, language: str) -> list[tuple[str, str]]:
    """A page's blocks in a language, each with what stands behind its name."""
    found = BLOCK.findall(page.read_text("utf-8"))
    return [
        (more.strip(), re.sub(f"^{indent}", "", text, flags=re.M))
        for indent, name, more, text in found
        if name == language
    ]


YAML = [
    pytest.param(page, text, id=f"{page.stem} {n}")
    for page in PAGES
    for n, (_, text) in enumerate(blocks(page, "yaml"))
]


def test_blocks_are_found() -> None:
    assert len(YAML) >= 28
    assert len(blocks(ROOT / "docs" / "howto.md", "yaml")) >= 12
    assert (ROOT / "docs" / "howto.md").read_text("utf-8").count("\n## ") == len(
        blocks(ROOT / "docs" / "howto.md", "yaml")
    )


@pytest.mark.parametrize(("page", "text"), YAML)
def test_every_spec_in_the_pages_is_valid(
    page: Path, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "!conflict" in text:
        with pytest.raises(spec.StudyError):
            resolved("dlspec: 1\nstudy: s\nexperiments:\n  e:\n" + text)
        return
    keys = list(yaml.safe_load(text.replace("\non:", "\n'on':")) or {})
    if not keys:
        assert "schema=" in text
        return
    if keys[0] in OF_OTHERS:
        return
    monkeypatch.chdir(gallery.CASES)  # where files beside a study are named
    warnings = resolved(_whole(text, keys)).warnings
    assert not warnings or keys[0] != "dlspec", warnings


def _whole(text: str, keys: list[str]) -> str:
    """A study around a part of one."""
    if keys[0] == "dlspec":
        return text
    if keys == ["experiments"]:
        return f"dlspec: 1\nstudy: s\n{text}"
    around = PLAYERS if "updates" in text else TASKS
    part = "".join(f"    {line}\n" for line in text.splitlines())
    if "steps" not in part:
        part += "      batch: 8\n      steps: 10\n"
    return around + part


def resolved(text: str) -> spec.StudyPlan:
    """The plan of a study in the folder of the cases."""
    return spec.resolve(spec.parse(Source("study.yaml", text)))


def test_the_tutorial_is_so_word_by_word(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}
    commands = 0
    for _, language, more, text in BLOCK.findall(page):
        if language == "yaml":
            (name,) = re.findall('title="(.*)"', more)
            (tmp_path / name).write_text(text, "utf-8")
            continue
        command, *expected = text.splitlines()
        program, *arguments = shlex.split(command.removeprefix("$ "))
        if program == "cp":
            shutil.copy(*(tmp_path / name for name in arguments))
            continue
        done = forked.run([sys.executable, "-c", MAIN, *arguments], cwd=tmp_path, capture_output=True, text=True, env=environment)  # fmt: skip
        _expect(expected, done.stdout, command, done.stderr)
        commands += 1
    assert commands >= 8


MEASURED = re.compile(r"\d+\.\d{3,}")
"""Measured numbers have three digits; bounds of claims have fewer, and are to be the page's."""
LAST_DIGITS = 0.02
"""By how much a measured number may differ from the page's: processors with other vectors round in another order, and training goes on from that."""


def _expect(expected: list[str], printed: str, command: str, beside: str) -> None:
    """What is printed holds the expected lines in their order, and no others where no gap is said; a gap may stand within a line."""
    pattern, numbers = "", list[float]()
    for line in expected:
        if line == GAP:
            pattern += r"(?:[^\n]*\n)*?"
            continue
        parts = []
        for part in line.split(GAP):
            parts.append(r"(\d+(?:\.\d+)?)".join(map(re.escape, MEASURED.split(part))))
            numbers += map(float, MEASURED.findall(part))
        pattern += r"[^\n]*".join(parts) + r"\s*?\n"
    found = re.fullmatch(pattern, printed)
    assert found, f"{command}\nprinted\n{printed}{beside}\nand not\n" + "\n".join(expected)
    assert [*map(float, found.groups())] == pytest.approx(numbers, abs=LAST_DIGITS), command


def test_the_site_builds_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    built = {path.stem for path in (tmp_path / "build" / "site").glob("*.html")}
    assert built >= {page.stem for page in (ROOT / "docs").glob("*.md")}
    named = re.findall(r'"([\w-]+)\.md"', (ROOT / "zensical.toml").read_text("utf-8"))
    assert sorted(named) == sorted(page.stem for page in (ROOT / "docs").glob("*.md")), "a page is missing in `nav`"
    (tmp_path / "docs" / "index.md").write_text("[nowhere](nowhere.md)\n", "utf-8")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300).returncode != 0
