"""Runs a study on a Ray cluster of this machine's own that asks for a token: refused without one and with a wrong one, run with the right one.

python -m tests.clients.ray_token

Ray is the one of the tests (`pip install 'dlspec[ray]'`). Only the processes that it starts are ended.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.clients.programs import STUDY, Programs, free_port

CLAIM = "    claims: {falls: {says: it falls, check: final(error) < 10}}\n"


def main() -> None:
    """Prints what each run said; raises AssertionError where one is not as it should be."""
    for name in [name for name in os.environ if name.startswith("RAY_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as here:
        folder = Path(here)
        (folder / "study.yaml").write_text(STUDY + CLAIM)
        port = free_port()
        programs = Programs(Path(sys.executable).parent, folder, {"HOME": here, "COLUMNS": "100"})
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        cluster = subprocess.Popen(
            [programs.found("ray"), "start", "--head", "--block", f"--port={port}", "--num-cpus=1", "--include-dashboard=false",
             "--node-ip-address=127.0.0.1", f"--temp-dir={here}/r"],
            env=programs.told | token, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait(port)

            def run(called: str, more: dict[str, str]) -> tuple[int, str]:
                begun = time.monotonic()
                done = programs.done(
                    "dlspec", "run", "study.yaml", "--executor", "ray", "--address", f"127.0.0.1:{port}", **more
                )
                said = done.stdout + done.stderr
                print(f"== {called}: exit code {done.returncode}, {time.monotonic() - begun:.0f} s\n{said}", flush=True)
                return done.returncode, said

            code, said = run("no token", {})
            assert code == 1 and "asks for a token" in said and "Traceback" not in said and "gcs_client" not in said
            code, said = run("another token", token | {"RAY_AUTH_TOKEN": secrets.token_hex(32)})
            assert code == 1 and "is not the cluster's" in said and "Traceback" not in said and "gcs_client" not in said
            code, said = run("the token", token)
            assert code == 0 and "~ seen" in said
            (folder / "token").write_text(token["RAY_AUTH_TOKEN"])
            code, said = run(
                "a file that holds it", {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(folder / "token")}
            )
            assert code == 0
        finally:
            os.killpg(cluster.pid, signal.SIGTERM)
            try:
                cluster.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(cluster.pid, signal.SIGKILL)
    print("all as it should be")


def _wait(port: int) -> None:
    """Until the cluster's head answers at its port."""
    for _ in range(120):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(5)
                return
        time.sleep(1)
    raise AssertionError("the cluster did not start")


if __name__ == "__main__":
    main()
