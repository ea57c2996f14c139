"""Follows the tutorial word by word with the `dlspec` of another environment, as `pip install` of a built wheel leaves it.

python3.13 -m venv ENV && ENV/bin/pip install dist/dlspec-*.whl
python -m tests.clients.tutorial ENV
"""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
import time
from pathlib import Path

from tests.clients.programs import of
from tests.test_site import BLOCK, ROOT, _expect


def main(environment: Path) -> None:
    """Runs each command of the page in an empty folder; raises AssertionError where it prints something else."""
    page = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        programs = of(environment, Path(folder))
        for _, language, more, text in BLOCK.findall(page):
            if language == "yaml":
                (name,) = re.findall('title="(.*)"', more)
                (programs.here / name).write_text(text, "utf-8")
                continue
            command, *expected = text.splitlines()
            program, *arguments = shlex.split(command.removeprefix("$ "))
            done = programs.done(program, *arguments)
            _expect(expected, done.stdout, command, done.stderr)
            print(f"{time.monotonic() - begun:5.1f} s  {command}  (exit code {done.returncode})", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
