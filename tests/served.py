"""A command that other programs call, run by `forked`: a program of a few milliseconds hands on what it was called with."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.forked import Forked

CLIENT = """\
import json, os, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
text = json.dumps([sys.argv[2:], os.getcwd(), dict(os.environ)]).encode()
line.send(len(text).to_bytes(4, "big"))
sent = socket.send_fds(line, [text], [0, 1, 2])
line.sendall(text[sent:])
sys.exit(int(line.recv(8) or 70))
"""


@contextmanager
def served(code: str, folder: Path) -> Iterator[str]:
    """A command for a shell, to be followed by arguments, that does as `python -c code` does; as long as the context lasts."""
    place, client = folder / "line", folder / "client.py"
    client.write_text(CLIENT, "utf-8")
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(place))
        line.listen()
        threading.Thread(target=_serve, args=(line, code), daemon=True).start()
        yield f'"{sys.executable}" -I -S "{client}" "{place}"'
        line.shutdown(socket.SHUT_RDWR)


def _serve(line: socket.socket, code: str) -> None:
    while True:
        try:
            caller, _ = line.accept()
        except OSError:  # the context ended
            return
        with caller:
            size = int.from_bytes(caller.recv(4), "big")
            text, descriptors, _, _ = socket.recv_fds(caller, size, 3)
            while len(text) < size:
                text += caller.recv(size - len(text))
            arguments, folder, environment = json.loads(text)
            streams = dict(zip(("stdin", "stdout", "stderr"), descriptors, strict=True))
            command = [sys.executable, "-c", code, *arguments]
            with Forked(command, light=True, cwd=folder, env=environment, **streams) as process:
                process.wait()
            for descriptor in descriptors:
                os.close(descriptor)
            caller.sendall(str(process.returncode).encode())
