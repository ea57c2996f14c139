"""What users write stands on figures as they wrote it, and is mathematics only where it can be set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dlspec.interpreter.figures.canvas import panels, save
from dlspec.interpreter.figures.draw import draw
from dlspec.interpreter.figures.math_text import mathematics, short, wrapped
from matplotlib.text import Text

HOSTILE = (
    r"$\lvert x \rvert$", r"$\frac{1}$", "$x", "$$", "$ $", "a $5 and $6 b", "a_b^c", r"\alpha \x", r"\$x\$", "$_$", "{}", "%d", "$x^$",
    "", " ", "\n", "\t", "a\x00b", "☃ \U0001f600", "$" * 99, "x" * 5000, r"$\mathrm{" + "x" * 300 + "}$", "_",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("$x^2$", True), (r"loss $\frac{1}{2} x^2$ over steps", True), (r"$\lvert x \rvert$", False), ("$5 and $6", False),
     ("a_b", False), (r"\$x\$", False), ("$x^$", False), ("$$", False)],
)  # fmt: skip
def test_mathematics_is_what_can_be_set(text: str, is_one: bool) -> None:
    assert mathematics(text) is is_one


def test_lines_are_never_broken_inside_mathematics() -> None:
    assert wrapped("one two $a + b + c$ three", 8).splitlines() == ["one two", "$a + b + c$", "three"]
    assert wrapped("costs $a + b", 8).splitlines() == ["costs $a", "+ b"]
    assert len(wrapped("word " * 1000, 20).splitlines()) == 4 and wrapped("word " * 1000, 20).endswith("…")


def drawn(tmp_path: Path, text: str) -> tuple[list[Any], Any]:
    figure, (axes,) = panels(1)
    axes.plot([1, 2], [1, 2], label=short(text) or "x")
    axes.set_xticks([1, 2], [short(text), "b"])
    axes.set_title(short(text))
    axes.legend()
    figure.suptitle(wrapped(text, 40))
    save(figure, [tmp_path / "f.png", tmp_path / "f.svg"])
    return figure.findobj(Text), axes


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_is_drawn(text: str, tmp_path: Path) -> None:
    drawn(tmp_path, text)
    assert (tmp_path / "f.png").stat().st_size > 1000 and (tmp_path / "f.svg").stat().st_size > 1000


def test_what_is_no_mathematics_stands_to_the_letter(tmp_path: Path) -> None:
    for text in (r"$\lvert x \rvert$", "a $5 and $6 b", r"\$x\$"):
        found, axes = drawn(tmp_path, text)
        same = [item for item in found if item.get_text() == text]
        assert len(same) >= 4, "title, heading, tick and legend"
        assert not any(item.get_parse_math() for item in same)
    _, axes = drawn(tmp_path, "$x^2$")
    assert axes.title.get_parse_math()


def test_titles_captions_labels_and_names_may_be_anything(made: Callable[..., Any], tmp_path: Path) -> None:
    title, label = r"'$\lvert x \rvert$ a_b ^ \'", r"'$\frac{1}$'"
    figure = f"{{kind: function, x: 'x[0]', y: {{{label}: f, _b: f}}, title: {title}, caption: {title}}}"
    values = {"x": [0.0, 1.0], "y:$\\frac{1}$": [0.0, 1.0], "y:_b": [1.0, 2.0]}
    plan, found = made(figure, {(1, 0): [1, 2, 3]}, {20: values})
    paths = draw(plan, found, tmp_path, pytest.fail)
    assert [path.suffix for path in paths] == [".png", ".svg", ".json"]
    assert r"\\frac{1}" in paths[2].read_text("utf-8")


def test_letters_that_the_font_lacks_are_named(made: Callable[..., Any], tmp_path: Path) -> None:
    plan, found = made('{kind: curves, y: error, title: "中"}', {(1, 0): [1, 2, 3]})
    told: list[str] = []
    assert len(draw(plan, found, tmp_path, told.append)) == 3
    assert told == ["the font does not have 中: each is a box"]
