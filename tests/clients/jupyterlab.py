"""Runs `examples/flat.ipynb` in a real JupyterLab, headless, and holds what it shows: no error, every figure drawn so that it can be zoomed.

    uv venv LAB && uv pip install -p LAB 'dlspec[notebook]' jupyterlab
    python -m tests.clients.jupyterlab LAB FOLDER

FOLDER takes the notebook, its study and a screenshot of each part; Playwright and Chromium are the ones of the tests.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.clients.programs import chromium, free_port

EXAMPLES = Path(__file__).parents[2] / "examples"
MINUTES = 6
OUTPUTS = ".jp-OutputArea-output"
PALE = """() => {
  const part = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = part(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.5) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const node of document.querySelectorAll(".jp-RenderedHTMLCommon *")) {
    const text = [...node.childNodes].filter((one) => one.nodeType === 3).map((one) => one.data.trim()).join("");
    if (!text || !node.getClientRects().length || node.closest("svg, canvas, style")) continue;
    const [a, b] = [light(part(getComputedStyle(node).color)), light(behind(node))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 3) found.push(`${text.slice(0, 40)}: ${contrast.toFixed(1)}`);
  }
  return found;
}"""
"""Texts of outputs whose contrast with what is behind them is below 3 to 1."""


def main(environment: Path, folder: Path) -> None:
    """Runs it, prints what was seen, and raises AssertionError where it is not as it should be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("flat.ipynb", "flat.yaml"):
        shutil.copy(EXAMPLES / name, folder)
    port = free_port()
    command = [
        str(environment / "bin" / "jupyter-lab"),
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        "--IdentityProvider.token=",
    ]
    command += [
        "--ServerApp.port_retries=0",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--ServerApp.disable_check_xsrf=True",
    ]
    with (folder / "server.log").open("w") as log, chromium() as browser:
        settings = folder / "settings"
        told = {**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(settings)}
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=told)
        try:
            page = opened(browser, port)
            run_whole(page, folder)
            seen(page, folder, "light")
            chosen = settings / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
            chosen.parent.mkdir(parents=True, exist_ok=True)
            chosen.write_text(json.dumps({"theme": "JupyterLab Dark"}))
            page = opened(browser, port)
            assert page.evaluate("document.body.dataset.jpThemeLight") == "false"
            seen(page, folder, "dark")
        finally:
            server.terminate()
            server.wait()


def opened(browser: Any, port: int) -> Any:
    """The notebook in JupyterLab, with a kernel that is ready."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    address = f"http://localhost:{port}/lab/tree/flat.ipynb?reset"
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
    return page


def run_whole(page: Any, folder: Path) -> None:
    """Runs all cells, saves, and holds that none failed."""
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
    tables = [name for name, output in outputs if "text/html" in output.get("data", {})]
    print(f"shown as HTML: {tables}")
    assert {"study", "run", "run.verdicts", "dlspec.diff(study, changed)"} <= {*tables}


def seen(page: Any, folder: Path, theme: str) -> None:
    """Looks at each cell in a theme, and holds that figures are drawn, and texts can be read."""
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
        cell.screenshot(path=folder / f"{theme}_{place:02}_{text}.png")
    faults = page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count()
    print(f"{theme}: {shown} drawn by Vega-Lite in the page, {faults} outputs on standard error")
    assert shown and not faults
    pale = page.evaluate(PALE)
    assert not pale, pale


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
