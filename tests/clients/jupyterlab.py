"""Runs `examples/flat.ipynb` in a real JupyterLab, headless, and holds what it shows: no error, every figure drawn so that it can be zoomed.

    uv venv LAB && uv pip install -p LAB 'dlspec[notebook]' jupyterlab
    python -m tests.clients.jupyterlab LAB FOLDER

FOLDER takes the notebook, its study and a screenshot of each part; Playwright and Chromium are the ones of the tests.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

EXAMPLES = Path(__file__).parents[2] / "examples"
PORT = 18988
MINUTES = 6
OUTPUTS = ".jp-OutputArea-output"


def main(environment: Path, folder: Path) -> None:
    """Runs it, prints what was seen, and raises AssertionError where it is not as it should be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("flat.ipynb", "flat.yaml"):
        shutil.copy(EXAMPLES / name, folder)
    command = [
        str(environment / "bin" / "jupyter-lab"),
        "--no-browser",
        "--allow-root",
        f"--port={PORT}",
        "--IdentityProvider.token=",
    ]
    command += [
        "--ServerApp.port_retries=0",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--ServerApp.disable_check_xsrf=True",
    ]
    with (folder / "server.log").open("w") as log, sync_playwright() as started:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            sandbox = [] if __import__("os").getuid() else ["--no-sandbox"]
            browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=sandbox)
            seen(browser, folder)
            browser.close()
        finally:
            server.terminate()
            server.wait()


def seen(browser: Any, folder: Path) -> None:
    """Opens the notebook, runs all cells, and looks."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    address = f"http://localhost:{PORT}/lab/tree/flat.ipynb?reset"
    for _ in range(60):
        try:
            page.goto(address)
            break
        except Exception:
            time.sleep(1)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=120_000)
    page.wait_for_timeout(3000)
    for word in ("Select", "Select Kernel", "Dismiss"):  # which kernel, whether news are wanted
        for button in page.locator(".jp-Dialog-button", has_text=word).all():
            button.click()
    for button in page.get_by_role("button", name="No", exact=True).all():  # news are not wanted
        button.click()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").first.wait_for(timeout=120_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_timeout(2000)
    page.screenshot(path=folder / "begun.png")
    cells = sum(cell["cell_type"] == "code" for cell in json.loads((folder / "flat.ipynb").read_text("utf-8"))["cells"])
    end = time.monotonic() + 60 * MINUTES
    while time.monotonic() < end:
        page.keyboard.press("Control+S")
        time.sleep(3)
        saved = json.loads((folder / "flat.ipynb").read_text("utf-8"))
        code = [cell for cell in saved["cells"] if cell["cell_type"] == "code"]
        if all(cell["execution_count"] for cell in code) or any(
            o["output_type"] == "error" for c in code for o in c["outputs"]
        ):
            break
    outputs = [(("".join(cell["source"])).splitlines()[-1], output) for cell in code for output in cell["outputs"]]
    errors = [output["evalue"] for _, output in outputs if output["output_type"] == "error"]
    assert not errors, errors
    assert sum(bool(cell["execution_count"]) for cell in code) == cells
    drawings = [name for name, output in outputs if any("vegalite" in kind for kind in output.get("data", {}))]
    print(f"{cells} cells run, {len(outputs)} outputs, {len(drawings)} drawings by {sorted(set(drawings))}")
    assert drawings and set(drawings) == {"run.figures"}
    shown = 0
    for place in range(page.locator(".jp-CodeCell").count()):
        cell = page.locator(".jp-CodeCell").nth(place)
        cell.scroll_into_view_if_needed()
        page.wait_for_timeout(700)
        plots = cell.locator(f"{OUTPUTS} .vega-embed :is(svg, canvas)")
        if cell.locator(f"{OUTPUTS} .vega-embed").count():
            plots.first.wait_for(timeout=20_000)
        shown += cell.locator(f"{OUTPUTS} .vega-embed").count()
        text = re.sub(r"\W+", "_", cell.locator(".cm-content").first.inner_text().splitlines()[-1])[:30]
        cell.screenshot(path=folder / f"cell_{place:02}_{text}.png")
    faults = page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count()
    print(f"{shown} drawn by Vega-Lite in the page, {faults} outputs on standard error")
    assert shown == len(drawings) and not faults


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
