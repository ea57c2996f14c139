"""The report in a browser: no error, no request, no barrier, on a wide screen, in the dark and on a phone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dlspec.interpreter.report import write_report
from dlspec.interpreter.results.folder_names import REPORT
from dlspec.interpreter.results.run_list import RunRecord

from .conftest import STUDY

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

EXAMPLES = Path(__file__).parents[3] / "examples"
MOST_BYTES = 5_000_000
SCREENS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        sandbox = [] if os.getuid() else ["--no-sandbox"]
        opened = started.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield opened
        opened.close()


@pytest.fixture
def report(make_run: Callable[..., RunRecord]) -> Path:
    run = make_run()
    write_report(run, run.folder / REPORT)
    return run.folder / REPORT


class Opened:
    """A page with what it said and asked for."""

    def __init__(self, browser: Any, report: Path, screen: str) -> None:
        self.context = browser.new_context(**SCREENS[screen])
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(report.as_uri())


@pytest.fixture
def open_report(browser: Any, report: Path) -> Iterator[Callable[[str], Opened]]:
    opened: list[Opened] = []

    def made(screen: str) -> Opened:
        opened.append(Opened(browser, report, screen))
        return opened[-1]

    yield made
    for one in opened:
        one.context.close()


def without_faults(opened: Opened, screen: str, report: Path, images: int) -> None:
    """Asserts that a page fits its screen, shows its images, has no barrier, says nothing and asks for nothing."""
    page = opened.page
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen]["viewport"]["width"]
    assert all(page.evaluate("[...document.images].map(image => image.complete && image.naturalWidth > 0)"))
    assert page.locator("img").count() == images
    found = axe.Axe().run(page)
    assert found.response["passes"], "axe looked at something"
    assert found.violations_count == 0, found.generate_report()
    assert opened.said == []
    assert [url for url in opened.asked if not url.startswith("data:")] == [report.as_uri()]


@pytest.mark.parametrize("screen", SCREENS)
def test_it_opens_alone_and_has_no_barriers(screen: str, open_report: Callable[[str], Opened], report: Path) -> None:
    without_faults(open_report(screen), screen, report, images=3)


@pytest.mark.slow
@pytest.mark.parametrize("study", sorted(path.stem for path in EXAMPLES.glob("*.yaml")))
def test_the_report_of_a_study_is_small_and_opens_alone(study: str, browser: Any, tmp_path: Path) -> None:
    code = "from dlspec.interpreter.cli.app import main; main()"
    command = [sys.executable, "-c", code, "run", str(EXAMPLES / f"{study}.yaml"), "-p", "quick"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (report,) = tmp_path.glob(f"runs/{study}-*/{REPORT}")
    assert report.stat().st_size < MOST_BYTES
    for screen in SCREENS:
        opened = Opened(browser, report, screen)
        without_faults(opened, screen, report, images=len(list(report.parent.glob("*.png"))))
        opened.context.close()


def test_axe_finds_a_barrier(open_report: Callable[[str], Opened]) -> None:
    """The twin: an image without words, and text that is hardly seen, are found."""
    page = open_report("wide").page
    page.evaluate("document.images[0].removeAttribute('alt'); document.querySelector('h1').style.color = '#eee'")
    found = {violation["id"] for violation in axe.Axe().run(page).response["violations"]}
    assert {"image-alt", "color-contrast"} <= found


def test_numbers_are_under_the_pointer(open_report: Callable[[str], Opened]) -> None:
    page = open_report("wide").page
    plot = page.locator(".plot.numbers").first
    image = plot.locator("img")
    image.scroll_into_view_if_needed()
    place = page.evaluate(
        """() => { const plot = document.querySelector(".plot.numbers");
        const series = JSON.parse(plot.querySelector("script").textContent).panels[0].series[0];
        const box = plot.querySelector("img").getBoundingClientRect();
        return [box.left + series.left[1] * box.width, box.top + series.top[1] * box.height, series.x[1]]; }"""
    )
    assert not plot.locator(".tip").is_visible()
    page.mouse.move(place[0] + 2, place[1] - 2)
    assert plot.locator(".tip").is_visible()
    assert (
        f"step {place[2]}" in plot.locator(".tip").inner_text()
        and "error 0.18182\nfrom 0.090909 to 0.27273" in plot.locator(".tip").inner_text()
    )
    page.mouse.move(1, 1)
    assert not plot.locator(".tip").is_visible()


def test_folds_open_with_the_keyboard(open_report: Callable[[str], Opened]) -> None:
    page = open_report("wide").page
    fold = page.locator("details.behind").first
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.evaluate("fold => fold.open")
    assert "0: 2 (1 to 3) 10: 0.182 (0.0909 to 0.273) 20: 0.0952 (0.0476 to 0.143)" in fold.inner_text()


def test_the_spec_is_printed(open_report: Callable[[str], Opened]) -> None:
    page = open_report("wide").page
    spec = page.locator("section[aria-labelledby=spec] details")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert spec.evaluate("fold => fold.open")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert not spec.evaluate("fold => fold.open")


def column(table: Any, number: int) -> list[str]:
    return [text.split("\n")[0] for text in table.locator(f"tbody tr:visible > :nth-child({number})").all_inner_texts()]


def test_tables_are_sorted_and_saved(open_report: Callable[[str], Opened]) -> None:
    page = open_report("wide").page
    table = page.locator("table.data").first
    before = column(table, 1)
    table.get_by_role("button", name="Sort by cell").click()
    assert column(table, 1) == sorted(before) and table.locator("th[aria-sort=ascending]").count() == 1
    table.get_by_role("button", name="Sort by cell").click()
    assert column(table, 1) == sorted(before, reverse=True)
    with page.expect_download() as waited:
        page.get_by_role("button", name="Save Final values of e as CSV").click()
    head, *rows = Path(waited.value.path()).read_text("utf-8").splitlines()
    assert waited.value.suggested_filename == "Final_values_of_e.csv"
    assert head.startswith("cell,error,pair[0],pair[1],steps,replicates,digest") and len(rows) == 4
    assert rows[0].split(",")[2] == "0.09523809523809523", (
        "numbers are saved as they are, and a name with a comma is quoted"
    )
    with page.expect_download() as waited:
        page.get_by_role("button", name="Save the numbers of e.fall as CSV").click()
    assert Path(waited.value.path()).read_text("utf-8").splitlines()[0] == "panel,series,x,y,low,high"


def test_tables_are_searched(open_report: Callable[[str], Opened]) -> None:
    page = open_report("wide").page
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    field = page.get_by_role("searchbox", name="Search in Replicates of e")
    table = page.locator("table.data").last
    assert len(column(table, 1)) == 12
    field.fill("DEEP size")
    assert set(column(table, 1)) == {"deep, size = 4", "deep, size = 8"} and len(column(table, 1)) == 6
    field.fill("nothing of this")
    assert column(table, 1) == [] and page.get_by_text("0 of 12").is_visible()


def test_a_link_to_a_cell_opens_the_fold_that_it_lies_in(browser: Any, many_cells: Path) -> None:
    opened = Opened(browser, many_cells, "wide")
    page = opened.page
    row = page.locator("tr[id^=cell-]").nth(30)
    assert not row.is_visible()
    page.goto(f"{many_cells.as_uri()}#{row.get_attribute('id')}")
    row.wait_for(state="visible")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids)) and {"claim-e.small", "figure-e-fall"} <= set(ids)
    opened.context.close()


@pytest.fixture
def many_cells(make_run: Callable[..., RunRecord]) -> Path:
    sizes = ", ".join(map(str, range(1, 251)))
    run = make_run(
        STUDY.replace("[4, 8]", f"[{sizes}]").replace("replicates: 3", "replicates: 2"), "diverged", "at step 10 in l"
    )
    write_report(run, run.folder / REPORT)
    return run.folder / REPORT


@pytest.mark.slow
@pytest.mark.parametrize("screen", SCREENS)
def test_five_hundred_cells_are_small_and_painted_at_once(screen: str, browser: Any, many_cells: Path) -> None:
    assert many_cells.stat().st_size < 2_000_000
    opened = Opened(browser, many_cells, screen)
    painted = opened.page.evaluate(
        "new Promise(done => new PerformanceObserver(list => done(list.getEntriesByName('first-contentful-paint')[0].startTime))"
        ".observe({type: 'paint', buffered: true}))"
    )
    print(screen, many_cells.stat().st_size, painted)
    assert painted < 1000
    without_faults(opened, screen, many_cells, images=3)
    opened.context.close()
