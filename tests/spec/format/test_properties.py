"""Random studies, written down at random: the format is stable, keeps the meaning, and loses no comment."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
import yaml
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.format import formatted
from dlspec.spec.format.layout import layout
from dlspec.spec.format.syntax import comments, read_text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Pen, studies

SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEEDS = st.integers(0, 2**32)


def digests(text: str) -> list[str]:
    plan = spec.resolve(spec.parse(Source("t.yaml", text)))
    return [program.digest for experiment in plan.experiments for program in experiment.programs]


@given(studies(), SEEDS)
@SLOW
def test_the_format_is_stable_and_keeps_meaning_and_comments(data: dict[str, Any], seed: int) -> None:
    pen = Pen(random.Random(seed))
    text = pen.study(data)
    after = formatted(Source("t.yaml", text))
    assert formatted(Source("t.yaml", after)) == after
    assert digests(after) == digests(text)
    assert comments(read_text(text)) == sorted(pen.written) == comments(read_text(after))
    for comment in pen.written:
        assert after.count(comment) == 1


@given(studies(), SEEDS)
@QUICK
def test_the_layout_of_a_layout_is_the_same(data: dict[str, Any], seed: int) -> None:
    pen = Pen(random.Random(seed))
    after = layout(read_text(pen.study(data)))
    assert layout(read_text(after)) == after
    assert comments(read_text(after)) == sorted(pen.written)
    assert all(line == line.rstrip() for line in after.splitlines())


@given(studies(), SEEDS, SEEDS)
@QUICK
def test_without_comments_the_form_is_one(data: dict[str, Any], first: int, second: int) -> None:
    """Order of the language's keys, spacing, quotes and blank lines leave no trace."""
    texts = [Pen(random.Random(seed), comments=False, styles=False).study(data) for seed in (first, second)]
    one, other = (layout(read_text(text)).replace("\n\n", "\n") for text in texts)
    assert one == other


def test_a_layout_that_would_change_the_meaning_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: 1+1}, constants: {c: 2}}}\n"
    for broken, reason in [
        (text.replace("1+1", "1 + 2"), "meaning"),
        (text.replace("c: 2", "c: 3"), "meaning"),
        (text.replace("1+1", "[1"), "not closed"),
    ]:
        monkeypatch.setattr("dlspec.spec.format.layout", lambda tree, broken=broken: broken)
        with pytest.raises(spec.InternalError, match=reason):
            formatted(Source("t.yaml", text))


def test_a_layout_that_would_lose_a_comment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: 1+1}}}   # kept\n"
    monkeypatch.setattr("dlspec.spec.format.layout", lambda tree: text.replace("# kept", ""))
    with pytest.raises(spec.InternalError, match="comment"):
        formatted(Source("t.yaml", text))


@pytest.mark.parametrize("head", ["|", "|-", "|+", ">", ">-", ">+"])
def test_texts_of_several_lines_stay_whatever_they_end_in(head: str) -> None:
    """Blanks at the end of the last line, no line break at the end of the file, empty lines: the value is the same."""
    frame = "dlspec: 1\nstudy: s\n", "experiments:\n  e: {task: {example: {x: normal()}}, measures: {m: E(x)}}\n"
    seen = 0
    for body in itertools.product(["    a", "", "  ", "    ", "       b", "     "], repeat=2):
        about = f"about: {head}\n" + "\n".join(body)
        for text in (
            frame[0] + about + "\n" + frame[1],
            frame[0] + frame[1] + about + "\n",
            frame[0] + frame[1] + about,
        ):
            try:
                before = yaml.safe_load(text)
                after = formatted(Source("t.yaml", text))
            except (yaml.YAMLError, spec.StudyError):
                continue
            seen += 1
            if not before["about"].strip():
                continue  # blanks alone are no text
            assert yaml.safe_load(after)["about"] == before["about"]
            assert formatted(Source("t.yaml", after)) == after
            seen += 1
    assert seen > 50
