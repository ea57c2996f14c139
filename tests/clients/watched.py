"""Saves a study while `dlspec run --watch` runs it: it runs again, tells what is wrong with a text, goes on once that is mended, and ends by Ctrl-C.

python3 -m venv ENV && ENV/bin/pip install dist/dlspec-*.whl
python -m tests.clients.watched ENV
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.clients.programs import STUDY, of

LONG = STUDY.replace("steps: 20", "steps: 200000000").replace("every: 10", "every: 100000")
SECONDS = 240
WAITS = "runs again when it is saved"


def main(environment: Path) -> None:
    """Prints all that was said; raises AssertionError where it is not as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "study.yaml")
        path.write_text(STUDY)
        programs = of(environment, path.parent)
        with Path(folder, "said.txt").open("w+") as log:
            watched = subprocess.Popen(
                [programs.found("dlspec"), "run", "study.yaml", "--watch"],
                cwd=folder, env=programs.told, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )  # fmt: skip

            def said(words: str, times: int = 1) -> str:
                """All that was said, once some words were said so often."""
                end = time.monotonic() + SECONDS
                while time.monotonic() < end and watched.poll() is None:
                    text = Path(log.name).read_text("utf-8")
                    if text.count(words) >= times:
                        return text
                    time.sleep(0.2)
                raise AssertionError(f"never said {words!r} {times} times:\n{Path(log.name).read_text('utf-8')}")

            try:
                said(WAITS)
                _save(path, STUDY.replace("steps: 20", "steps: 30"))
                said(WAITS, 2)
                _save(path, STUDY.replace("normal([3])", "norml([3])"))
                text = said(WAITS, 3)
                assert "norml" in text and "Traceback" not in text, text
                _save(path, LONG)
                said("200,000,000 steps")
                time.sleep(10)  # it would train for an hour: a save ends it, and the next is run
                _save(path, STUDY.replace("steps: 20", "steps: 40"))
                text = said(WAITS, 4)
                assert text.count("was saved") == 4, text
                os.kill(watched.pid, signal.SIGINT)
                code = watched.wait(60)
            finally:
                if watched.poll() is None:
                    watched.kill()
                print(Path(log.name).read_text("utf-8"))
            assert code == 0, code
        runs = programs.said("dlspec", "runs")
        print(runs)
        assert runs.count("small-2") >= 3, runs
    print("all as it should be")


def _save(path: Path, text: str) -> None:
    """As editors save: whole, under another name, and in its place at once."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
