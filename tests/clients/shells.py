"""Completes commands by the Tab key in bash, zsh and fish, each on a terminal of its own, after `dlspec --install-completion` as a user gives it.

python3 -m venv ENV && ENV/bin/pip install dist/dlspec-*.whl
python -m tests.clients.shells ENV

The shells are those that are installed (`apt-get install zsh fish`); one that is not is an error.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.clients.programs import Programs, of

STUDY = """\
dlspec: 1
study: small
experiments:
  e: {measures: {m: 1 + 1}, variants: {first: {}, second: {constants: {d: 2}}}}
profiles:
  quick: {experiments: {e: {replicates: 2}}}
"""
CASES = [
    ("dlspec val", "dlspec validate"),
    ("dlspec run --keep-w", "dlspec run --keep-weights"),
    ("dlspec run small.yaml -p qu", "dlspec run small.yaml -p quick"),
    ("dlspec run small.yaml --only e/f", "dlspec run small.yaml --only e/first"),
    ("dlspec ops softm", "dlspec ops softmax"),
    ("dlspec new --from spectral", "dlspec new --from spectral_bias"),
]
SHELLS = {"bash": ["bash", "-i"], "zsh": ["zsh", "-i"], "fish": ["fish", "-i"]}
CONTROL = re.compile(r"\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[\[(=>?][0-9;?]*[A-Za-z0-9=>]?|[\r\x07\x08\x0e\x0f]")
SECONDS = 90


def main(environment: Path) -> None:
    """Prints what each shell makes of each line; raises AssertionError where one does not complete it."""
    for shell, command in SHELLS.items():
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder)
            (here / "small.yaml").write_text(STUDY)
            programs = of(environment, here, HOME=folder, TERM="xterm", SHELL=f"/bin/{shell}", PS1="> ")
            print(
                programs.said(shell, "-c", "dlspec --install-completion; true").strip()
            )  # it asks which shell calls it
            for line, completed in CASES:
                seen = _typed(programs, command, line, completed)
                print(f"{shell}: {line}⇥  {completed}" if completed in seen else seen, flush=True)
                assert completed in seen, (shell, line)
    print("all as it should be")


def _typed(programs: Programs, command: list[str], line: str, wanted: str) -> str:
    """What stands on a shell's terminal after a line and Tab, once it is what is wanted or time is over."""
    process, terminal = pty.fork()
    if not process:
        os.chdir(programs.here)
        os.execvpe(command[0], command, programs.told)
    shown = ""
    end, typed = time.monotonic() + SECONDS, False
    begun = time.monotonic()
    try:
        while time.monotonic() < end and wanted not in CONTROL.sub("", shown):
            if not typed and time.monotonic() > begun + 4:
                os.write(terminal, f"{line}\t".encode())
                typed = True
            if select.select([terminal], [], [], 0.2)[0]:
                shown += os.read(terminal, 4096).decode("utf-8", "replace")
    finally:
        os.kill(process, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(process, 0)
    return CONTROL.sub("", shown)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
