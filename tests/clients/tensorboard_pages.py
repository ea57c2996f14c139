"""Starts a real TensorBoard over a run, and holds what it answers: images with what they show, curves with what their measure is, and settings.

python -m tests.clients.tensorboard_pages

dlspec and TensorBoard are those of the tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.clients.programs import STUDY, Programs, free_port

DRAWN = STUDY + "    figures: {fall: {kind: curves, y: error, title: It falls}}\n"


def main() -> None:
    """Prints what TensorBoard answers; raises AssertionError where it is not as it should be."""
    with tempfile.TemporaryDirectory() as here:
        Path(here, "study.yaml").write_text(DRAWN)
        print(Programs(Path(sys.executable).parent, Path(here)).said("dlspec", "run", "study.yaml", "--tensorboard"))
        port = free_port()
        page = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", "--logdir", "runs/tensorboard", "--host", "127.0.0.1", "--port", str(port)],
            cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            ((_, images),) = _asked(port, "images/tags")
            print(images)
            assert (
                "It falls" in images["line/fall"]["description"]
                and "E((f - 1)^2)" in images["line/fall"]["description"]
            )
            ((_, curves),) = _asked(port, "scalars/tags")
            print(curves)
            assert "E((f - 1)^2)" in curves["error"]["description"]
        finally:
            page.terminate()
            page.wait(30)
    print("all as it should be")


def _asked(port: int, what: str) -> list[tuple[str, Any]]:
    """What it answers, by run, once it has read something."""
    for _ in range(60):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/data/plugin/{what}") as answer:
                found = json.load(answer)
            if found:
                return list(found.items())
        except OSError:
            pass
        time.sleep(1)
    raise AssertionError(f"TensorBoard has no {what}")


if __name__ == "__main__":
    main()
