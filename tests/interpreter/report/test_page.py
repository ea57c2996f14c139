"""The page of a run: whole, self-contained, and nothing of what people write in it is taken for HTML."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from dlspec.interpreter.report import page, write_report
from dlspec.interpreter.results.errors import StoreError
from dlspec.interpreter.results.folder_names import REPORT
from dlspec.interpreter.results.run_list import RunRecord, read

from .conftest import STUDY

Make = Callable[..., RunRecord]


class Read(HTMLParser):
    """A page's elements with their attributes, and its text but for scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        self.text += data if self.inside not in ("script", "style") else ""


def addresses(read: Read) -> list[str]:
    return [
        value or ""
        for _, given in read.elements
        for name, value in given.items()
        if name in ("src", "href", "srcset", "data", "action")
    ]


def test_words_stay_words(make_run: Make) -> None:
    found = Read(page(make_run()))
    tags = [tag for tag, _ in found.elements]
    assert not {"iframe", "em", "i", "object", "embed", "base", "form"} & set(tags)
    pictures = [given for tag, given in found.elements if tag == "svg"]
    assert all(given.keys() == {"class", "role", "aria-label", "width", "height", "viewbox"} for given in pictures)
    scripts = [given.get("type") for tag, given in found.elements if tag == "script"]
    assert scripts == ["application/gzip"] * 4 + [None], "one script of the page's own, numbers and what draws them"
    assert not [name for _, given in found.elements for name in given if name.startswith("on") or name == "style"]
    for words in (
        'Words <script>alert("title")</script> & </title>', "<iframe src='https://example.org'></iframe>",
        'onerror="alert(1)"', 'It is <em onclick="alert(2)">small</em> & </li>.', "Fall </figcaption><script>alert(3)</script>",
        '"><svg onload=alert(4)>', "<i>target</i>", "<b>5</b>",
    ):  # fmt: skip
        assert words in found.text


def test_what_is_said_of_claims_has_its_code_as_code(make_run: Make) -> None:
    several = STUDY.replace("final(error) < 1000", "final(error) < 0.1 and final(error) > 0.01")
    claims = page(make_run(several)).partition('<h2 id="claims">')[2].partition("</section>")[0]
    assert "Claims of one <code>family</code> are judged together." in claims
    assert "<code>final(error) &lt; 0.1</code> is " in claims
    assert "`" not in claims


def test_it_needs_nothing_beside_it(make_run: Make) -> None:
    found = Read(page(make_run()))
    elsewhere = [word for word in addresses(found) if not word.startswith(("data:", "#"))]
    assert elsewhere == ["https://arxiv.org/abs/1703.07950"]
    (policy,) = [
        given["content"] for _, given in found.elements if given.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None and policy.startswith("default-src 'none'; img-src data:;")
    places = {given["id"] for _, given in found.elements if "id" in given}
    assert {word[1:] for word in addresses(found) if word.startswith("#")} <= places


def test_everything_of_the_run_is_there(make_run: Make) -> None:
    run = make_run(status="diverged", message="at step 10 in l")
    found = Read(page(run))
    claims = run.read("claims.json")
    assert {claim["verdict"] for claim in claims} == {"inconclusive"}, "a cell that diverged says nothing of a claim"
    for claim in claims:
        assert claim["says"] in found.text and claim["check"] in found.text and claim["reason"] in found.text
    cells = run.read("cells.json")
    assert len(cells) == 12
    for cell in cells:
        assert cell["key"] in found.text and cell["digest"] in found.text
    for name in ("plain, size = 4", "deep, size = 8"):
        assert name in found.text
    assert (
        "diverged, in l: 1 replicate in 1 cell" in found.text
        and "replicate 2: at step 10 in l" in found.text
        and "2 of 3" in found.text
    )
    assert "0.0952 (0.0476 … 0.143)" in found.text, "the mean of 1/21, 2/21 and 3/21, and their range"
    assert "pair[0]" in found.text
    assert (run.folder / "spec.yaml").read_text("utf-8") in found.text
    assert sum(tag == "img" for tag, _ in found.elements) == 3
    assert all(given.get("alt") for tag, given in found.elements if tag == "img")
    assert len(page(run)) < 5_000_000


def test_provenance_is_there(make_run: Make) -> None:
    run = make_run()
    found = Read(page(run))
    assert "dlspec run 'my studies/hostile.yaml' -p 'x; rm -rf ~'" in found.text
    assert f"tensorflow {run.about['packages']['tensorflow']}" in found.text
    assert "e 7" in found.text and "no commit known" in found.text
    run.about["git"] = {"commit": "c0ffee", "dirty": True}
    assert "c0ffee, with uncommitted changes" in Read(page(run)).text
    run.about["git"]["dirty"] = False
    assert "c0ffee, nothing changed" in Read(page(run)).text


def test_a_run_of_before_has_a_page_too(make_run: Make) -> None:
    run = make_run()
    path = run.folder / "run.json"
    about = json.loads(path.read_text("utf-8"))
    for key in ("git", "seeds", "cells", "verdicts", "stored"):
        del about[key]
    path.write_text(json.dumps(about))
    cells = run.read("cells.json")
    for cell in cells:
        del cell["key"], cell["stored"]
    (run.folder / "cells.json").write_text(json.dumps(cells))
    for numbers in run.folder.glob("e.*.json"):
        numbers.unlink()
    found = Read(page(read(run.folder)))
    assert found.text.count("not recorded") == 2
    assert sum(tag == "img" for tag, _ in found.elements) == 3


def test_a_spec_that_is_not_understood_is_shown(make_run: Make) -> None:
    run = make_run()
    (run.folder / "spec.yaml").write_text("dlspec: 99\nstudy: <later>\n")
    found = Read(page(run))
    assert "dlspec: 99\nstudy: <later>" in found.text and "Hostile" in found.text
    assert sum(tag == "img" for tag, _ in found.elements) == 3


def test_a_report_is_written_whole_or_not_at_all(make_run: Make, tmp_path: Path) -> None:
    run = make_run()
    path = tmp_path / "out" / "a report.html"
    path.parent.mkdir()
    assert write_report(run, path) == path.stat().st_size
    before = path.read_bytes()
    (run.folder / "cells.json").write_text("{")
    with pytest.raises(StoreError, match=r"cells\.json: cannot be read"):
        write_report(run, path)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


def test_a_report_loads_no_tensorflow(make_run: Make) -> None:
    code = (
        "import sys; from dlspec.interpreter.cli.app import main\n"
        "try: main()\nfinally: print(*sorted({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)), file=sys.stderr)"
    )
    run = make_run()
    done = subprocess.run(
        [sys.executable, "-c", code, "report", str(run.folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(run.folder / REPORT) and done.stderr.strip() == ""


def test_what_ended_early_is_said_at_the_head_by_cause(make_run: Make) -> None:
    """Causes that differ in the step alone are one; each replicate is a link to its cell."""
    run = make_run(status="diverged", message="at step 10 in l")
    cells = run.read("cells.json")
    for cell, (status, message) in zip(
        cells, [("diverged", "at step 20 in l"), ("interrupted", ""), ("diverged", "at step 1,000 in f")], strict=False
    ):
        cell["status"], cell["message"] = status, message
    (run.folder / "cells.json").write_text(json.dumps(cells))
    text = page(read(run.folder))
    head = Read(text[: text.index("</header>")])
    assert [line for line in head.text.splitlines() if " replicate" in line and "cell" in line] == [
        "diverged, in l: 2 replicates in 2 cells", "interrupted: 1 replicate in 1 cell", "diverged, in f: 1 replicate in 1 cell",
    ]  # fmt: skip
    places = {given["id"] for _, given in Read(text).elements if "id" in given}
    links = [word[1:] for word in addresses(head) if word.startswith("#cell-")]
    assert len(links) == 4 and set(links) <= places
    assert "interrupted: 1 replicate" not in text[text.index("</header>") :], "once"


def test_equal_cells_have_places_of_their_own(make_run: Make) -> None:
    run = make_run()
    cells = run.read("cells.json")
    for cell in cells:
        cell["digest"] = "same"
    (run.folder / "cells.json").write_text(json.dumps(cells))
    ids = [given["id"] for _, given in Read(page(read(run.folder))).elements if "id" in given]
    assert len(ids) == len(set(ids)) and sum(name.startswith("cell-e-same") for name in ids if name) == 4
