"""The report in a browser: no error, no request, no barrier, on a wide screen, in the dark and on a phone."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from dlspec.interpreter.api.run_comparison import Comparison
from dlspec.interpreter.figures.canvas import style
from dlspec.interpreter.figures.description import describe
from dlspec.interpreter.report import write_report
from dlspec.interpreter.report.vega_lite import can_be_drawn, vega_lite
from dlspec.interpreter.results.folder_names import REPORT
from dlspec.interpreter.results.run_list import RunRecord

from ..figures.many_series import COUNTS, FIGURES_OF, MANY_PANELS, made_figure
from .conftest import STUDY, run_in

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


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = run_in(tmp_path_factory.mktemp("report"))
    write_report(run, run.folder / REPORT)
    return run.folder / REPORT


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("both")
    first, second = run_in(folder), run_in(folder, STUDY.replace("steps: 20", "steps: 30"), "diverged", "in l")
    return Comparison(first, second, pytest.fail).report()


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
    for number in range(page.locator(".plot.drawable").count()):
        drawn_plot(page, number)
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


@pytest.mark.parametrize("screen", SCREENS)
def test_the_page_of_two_runs_opens_alone_and_has_no_barriers(screen: str, browser: Any, both: Path) -> None:
    opened = Opened(browser, both, screen)
    without_faults(opened, screen, both, images=1)
    if screen == "wide":
        lines = drawn_plot(opened.page).locator(".mark-line path")
        looks = {(line.get_attribute("stroke-dasharray"), line.get_attribute("stroke-opacity")) for line in lines.all()}
        assert lines.count() == 8 and len(looks) == 2, "four cells, broad lines of A under dashed ones of B"
        on_paper(opened)
    opened.context.close()


def on_paper(opened: Opened) -> None:
    """Asserts that a page has no barrier as it is printed: all folds open, images instead of drawings."""
    opened.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    opened.page.emulate_media(media="print")
    found = axe.Axe().run(opened.page)
    assert found.violations_count == 0, found.generate_report()
    assert opened.said == []


def test_it_has_no_barriers_on_paper(open_report: Callable[[str], Opened]) -> None:
    for screen in ("wide", "dark"):
        on_paper(open_report(screen))


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


def middle_of(plot: Any, series: str, point: int) -> tuple[float, float]:
    """Where on the screen a point of a line of the figure's first panel lies: in pixels, read off the scales that drew it."""
    return tuple(plot.evaluate(
        """(plot, [series, point]) => { const view = plot.view, box = plot.querySelector("svg").getBoundingClientRect();
        const { names, points } = plot.told, which = names[0][1].indexOf(series);
        const row = points.filter((one) => one.p === 0 && one.s === which)[point];
        let x = view.scale("panel_0_x")(row.x), y = view.scale("panel_0_y")(row.y);
        const path = plot.querySelector(".panel_0_group > g > path.background").getBoundingClientRect();
        return [path.left + x, path.top + y]; }""", [series, point],
    ))  # fmt: skip


def ends(plot: Any, axis: str) -> list[float]:
    """The ends of an axis of the first panel, as it is drawn now."""
    return list(plot.evaluate("(plot, axis) => plot.view.scale(`panel_0_${axis}`).domain()", axis))


def drawn_plot(page: Any, number: int = 0) -> Any:
    """A figure that is scrolled to and drawn, with what is told of its points."""
    plot = page.locator(".plot.drawable").nth(number)
    plot.evaluate("plot => plot.scrollIntoView({block: 'center'})")
    plot.locator(".drawing :is(svg, canvas)").wait_for()
    plot.evaluate(
        """async (plot) => { const { names, points } = JSON.parse(await unpacked(plot.querySelector("script.packed").textContent));
        plot.told = { names, points: rowsOf(points) }; }"""
    )
    return plot


def test_numbers_are_under_the_pointer(open_report: Callable[[str], Opened]) -> None:
    opened = open_report("wide")
    plot = drawn_plot(opened.page)
    x, y = middle_of(plot, "plain, size = 4", 1)
    tip = opened.page.locator("#vg-tooltip-element")
    assert tip.count() == 0 or not tip.is_visible()
    opened.page.mouse.move(x - 30, y - 30)
    opened.page.mouse.move(x + 2, y - 2)
    tip.wait_for(state="visible")
    told = tip.inner_text().replace("\t", " ").splitlines()
    assert told == ["series plain, size = 4", "step 10", "error 0.18182", "range 0.090909 to 0.27273"]
    opened.page.mouse.move(1, 1)
    tip.wait_for(state="hidden")
    assert opened.said == []


def test_ctrl_and_the_wheel_zoom_and_the_wheel_alone_moves_the_page(open_report: Callable[[str], Opened]) -> None:
    page = open_report("wide").page
    plot = drawn_plot(page)
    before, scrolled = (ends(plot, "x"), ends(plot, "y")), page.evaluate("scrollY")
    x, y = middle_of(plot, "plain, size = 4", 1)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -120)
    page.wait_for_timeout(200)
    assert (ends(plot, "x"), ends(plot, "y")) == before and page.evaluate("scrollY") != scrolled
    x, y = middle_of(plot, "plain, size = 4", 1)
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -240)
    page.wait_for_timeout(200)
    page.keyboard.up("Control")
    after = ends(plot, "x"), ends(plot, "y")
    for (low, high), (left, right) in zip(before, after, strict=True):
        assert right - left < 0.9 * (high - low) and low < left and right < high
    beside = [text for text in plot.locator(".role-axis-label text").all_text_contents() if text.strip()]
    assert len(beside) >= 4, "numbers stand beside axes that are zoomed, too"
    page.mouse.dblclick(x, y)
    page.wait_for_timeout(200)
    assert (ends(plot, "x"), ends(plot, "y")) == before


def test_a_click_on_a_name_hides_its_series(open_report: Callable[[str], Opened]) -> None:
    page = open_report("wide").page
    plot = drawn_plot(page)
    lines = plot.locator(".mark-line path")
    before = lines.count()
    name = plot.get_by_text("deep, size = 8", exact=True)
    box = name.bounding_box()
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    page.wait_for_timeout(200)
    assert before == 4 and lines.count() == 3
    assert name.get_attribute("opacity") == "0.25"
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    page.wait_for_timeout(200)
    assert lines.count() == 4 and name.get_attribute("opacity") != "0.25"


def test_where_scripts_are_off_and_on_paper_the_image_stands(browser: Any, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("img").first.is_visible() and page.locator(".drawing").count() == 0
    context.close()
    opened = Opened(browser, report, "wide")
    plot = drawn_plot(opened.page)
    small = plot.locator("img").bounding_box()
    assert small["width"] <= 1 and plot.locator("svg").is_visible()
    opened.page.emulate_media(media="print")
    assert plot.locator("img").bounding_box()["width"] > 100 and not plot.locator("svg").is_visible()
    opened.context.close()


COMPILED = """async (drawings) => {
    for (const one of drawings) {
        const told = [], tell = function (...words) { told.push(words.join(" ")); return this; }, none = function () { return this; };
        const logger = { level: none, info: none, debug: none, warn: tell, error: tell }, container = document.createElement("div");
        const { compile, parse, View, expressionInterpreter } = await (loaded ??= library());
        document.body.append(container);
        const view = new View(parse(compile(one.drawing, { logger }).spec, null, { ast: true }),
            { expr: expressionInterpreter, container, renderer: "svg", logger });
        await view.runAsync();
        one.told = told; one.svg = container.innerHTML;
        one.texts = [...container.querySelectorAll("text")].map((text) => (text.querySelector("tspan") ?? text).textContent);
        one.boxes = [...container.querySelectorAll("text")].filter((text) => text.textContent.trim() && getComputedStyle(text).opacity > 0)
            .map((text) => [text.textContent, text.getBoundingClientRect()]).map(([text, box]) => [text, box.left, box.top, box.right, box.bottom]);
        view.finalize(); container.remove();
    }
    return drawings.map(({ told, svg, texts, boxes }) => [told, svg, texts, boxes]);
}"""
Box = tuple[str, float, float, float, float]


def drawn_by_a_page(page: Any, drawings: list[dict[str, Any]]) -> list[tuple[list[str], str, list[str], list[Box]]]:
    """What the page's library says of dictionaries, and the SVG, the texts and their boxes that it makes of them; the tables as the page reads them."""
    for one in drawings:
        one["data"] = {"values": page.evaluate("points => rowsOf(points)", one["data"]["values"])}
    return [tuple(found) for found in page.evaluate(COMPILED, [{"drawing": one} for one in drawings])]


def overlapping(boxes: Sequence[Box]) -> list[tuple[str, str]]:
    """The texts whose boxes overlap by more than the room above and beside letters."""
    return [
        (one[0], other[0])
        for one, other in itertools.combinations(boxes, 2)
        if min(one[3], other[3]) - max(one[1], other[1]) > 1.5 and min(one[4], other[4]) - max(one[2], other[2]) > 2.5
    ]


ONE_EACH = (
    "curves_of_variants", "profile_of_rates", "bars_of_variants", "scaling_of_variants", "heatmap_of_axes", "histogram_of_variants",
    "function_of_labels", "scatter_of_labels",
)  # fmt: skip


@pytest.mark.parametrize("count", [2, *(pytest.param(count, marks=pytest.mark.slow) for count in COUNTS)])
def test_figures_of_all_kinds_are_drawn(count: int, open_report: Callable[[str], Opened]) -> None:
    """With no word from the library, all names of the key in it, all colours of the static figure, and no text on another."""
    opened = open_report("wide")
    names = ONE_EACH if count == 2 else [name for name in FIGURES_OF if count < 100 or name not in MANY_PANELS]
    with style():
        described = {name: describe(made_figure(name, count)) for name in names}
    shown = {name: one for name, one in described.items() if can_be_drawn(one)}
    assert set(described) - set(shown) <= {"images_of_cells"}
    found = drawn_by_a_page(opened.page, [vega_lite(one) for one in shown.values()])
    for (name, one), (told, svg, texts, boxes) in zip(shown.items(), found, strict=True):
        assert told == [], name
        assert boxes and overlapping(boxes) == [], name
        assert "NaN" not in svg and "undefined" not in svg, name
        assert {entry["text"].splitlines()[0] for entry in one["key"]} <= set(texts), name
        looks = [series["look"] for panel in one["panels"] for series in panel["series"]]
        assert {look["colour"] for look in looks if "colour" in look} <= {
            part.lower() for part in re.findall("#[0-9a-fA-F]{6}", svg)
        }, name
    assert opened.said == []


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
    table = page.locator(".tall:has(tr[id^=cell-])")
    head, frame = table.locator("thead th").first, table.bounding_box()
    assert row.bounding_box()["y"] > head.bounding_box()["y"] + 1
    table.evaluate("table => { table.scrollTop = table.scrollHeight; }")
    assert abs(head.bounding_box()["y"] - frame["y"]) < 3, "the head stays in sight"
    titles = page.locator("h1, h2, h3").all_text_contents()
    assert len(titles) == len(set(titles)), titles
    drawing = drawn_plot(page)
    caption = page.locator("figcaption").first.bounding_box()
    assert caption["width"] <= 1 and drawing.locator("text", has_text="Fall").count() == 1, "its title is seen once"
    page.emulate_media(media="print")
    assert table.locator("thead").evaluate("head => getComputedStyle(head).display") == "table-header-group"
    assert table.evaluate("table => table.scrollHeight <= table.clientHeight"), "all rows are printed"
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
