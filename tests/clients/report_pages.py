"""Opens the page of a run of 500 cells, and of two such runs, in Chromium: their size, when they are first painted, what axe-core finds, and how they look.

    npm install --prefix AXE axe-core
    python -m tests.clients.report_pages AXE FOLDER

FOLDER takes the pages, a screenshot of each (light, dark, phone, print) and what is printed on paper; Playwright and Chromium are the ones of the tests.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from dlspec.interpreter.api.run_comparison import Comparison
from dlspec.interpreter.report import write_report

from tests.clients.programs import chromium
from tests.interpreter.report.conftest import STUDY, run_in

SIZES = ", ".join(map(str, range(1, 251)))
CELLS = STUDY.replace("[4, 8]", f"[{SIZES}]").replace("replicates: 3", "replicates: 2")
WIDE = {"viewport": {"width": 1280, "height": 900}}
SCREENS: dict[str, dict[str, Any]] = {
    "light": WIDE,
    "dark": WIDE | {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    "print": WIDE,
}
PAINTED = """new Promise(done => new PerformanceObserver(list =>
    done(list.getEntriesByName("first-contentful-paint")[0].startTime)).observe({type: "paint", buffered: true}))"""
WHOLE = "[...document.querySelectorAll('.runs')].every(one => one.scrollWidth <= one.parentElement.clientWidth)"
FOUND = "axe.run(document).then(found => found.violations.map(one => `${one.id}: ${one.nodes[0].html}`))"


def main(modules: Path, folder: Path) -> None:
    """Prints a line for each page and screen; raises AssertionError where one is not as it should be."""
    folder.mkdir(parents=True)
    first = run_in(folder, CELLS, "diverged", "at step 10 in l")
    write_report(first, folder / "report.html")
    second = run_in(folder, CELLS.replace("steps: 20", "steps: 30"))
    shutil.copy(Comparison(first, second, print).report(), folder / "both.html")
    axe = (modules / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    with chromium() as browser:
        for name in ("report", "both"):
            for screen, settings in SCREENS.items():
                context = browser.new_context(bypass_csp=True, **settings)
                _look(context.new_page(), folder / f"{name}.html", screen, axe)
                context.close()
    print("all as it should be")


def _look(page: Any, path: Path, screen: str, axe: str) -> None:
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    painted, size = page.evaluate(PAINTED), path.stat().st_size
    if screen == "print":
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        page.pdf(path=path.with_suffix(".pdf"), format="A4")
    page.wait_for_timeout(1500)
    page.screenshot(path=path.with_name(f"{path.stem}-{screen}.png"))
    assert page.evaluate(WHOLE), f"{path.stem}, {screen}: the head's table is cut off"
    page.evaluate(axe)
    found = page.evaluate(FOUND)
    print(f"{path.stem}, {screen}: {size:,} bytes, first paint {painted:.0f} ms, {len(found)} violations", flush=True)
    assert size < 2_000_000 and painted < 1000
    assert (found, said, asked) == ([], [], [path.as_uri()]), (found, said, asked)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
