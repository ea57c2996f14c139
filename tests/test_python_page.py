"""docs/python.md and the notebook in examples/ do what they say: every example is run, and gives what stands below it."""

from __future__ import annotations

import ast
import doctest
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "python.md"
NOTEBOOK = ROOT / "examples" / "flat.ipynb"
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_is_so_word_by_word() -> None:
    text = PAGE.read_text("utf-8")
    assert len(re.findall(r"^```", text, re.MULTILINE)) % 2 == 0
    without_fences = re.sub(r"^```.*$", "", text, flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(without_fences, {}, "docs/python.md", str(PAGE), 0)
    assert len(test.examples) > 30
    report: list[str] = []
    result = doctest.DocTestRunner(verbose=False, optionflags=OPTIONS).run(test, out=report.append)
    assert not result.failed, "".join(report)


def test_links_of_the_page_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)", PAGE.read_text("utf-8"))
    assert links and [link for link in links if not (PAGE.parent / link).exists()] == []


def cells(kind: str) -> Iterator[str]:
    """The sources of a notebook's cells."""
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    return ("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind)


def shown(source: str, names: dict[str, Any]) -> Any:
    """Runs a cell; what its last expression gives, as a notebook takes it."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None


def test_the_notebook_runs_from_its_study_to_the_claims(here: Path) -> None:
    shutil.copy(ROOT / "examples" / "flat.yaml", here)
    names: dict[str, Any] = {}
    values = [shown(source, names) for source in cells("code")]
    html = [value._repr_html_() for value in values if hasattr(value, "_repr_html_")]
    assert len(html) >= 6 and all(html) and "<script" not in "".join(html)
    run = names["run"]
    assert run.exit_code == 0 and run.claims()["verdict"].tolist() == ["holds", "holds"]
    assert len(list(cells("markdown"))) >= 5


def test_the_notebook_holds_no_output_that_could_grow_old() -> None:
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    assert notebook["nbformat"] == 4 and notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert all(
        cell["outputs"] == [] and cell["execution_count"] is None
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    )
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
