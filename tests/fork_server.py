"""Forks a process for each request: what `python -c` costs before the first line of its code, imports, is paid once.

Run by `forked.py`, as `python -c`. A request is the arguments, the folder, the environment and three descriptors; the
answer is the process's number. The process ends as any does: what is below runs in its `__main__`.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys


def serve(line: socket.socket) -> str:
    """Returns in each child alone, with the code that it is to run."""
    while request := line.recv(4):
        size = int.from_bytes(request, "big")
        text, descriptors, _, _ = socket.recv_fds(line, size, 3)
        while len(text) < size:
            text += line.recv(size - len(text))
        reading, writing = os.pipe()
        middle = os.fork()
        if middle == 0:
            child = os.fork()
            if child == 0:
                for own in (reading, writing, line.fileno()):
                    os.close(own)
                return become(*json.loads(text), descriptors)
            os.write(writing, str(child).encode())
            os._exit(0)  # its child is now that of the process that asked
        os.waitpid(middle, 0)
        line.send(os.read(reading, 20))
        for done in (reading, writing, *descriptors):
            os.close(done)
    os._exit(0)


def become(code: str, arguments: list[str], folder: str, environment: dict[str, str], descriptors: list[int]) -> str:
    """Takes on what a process has from the one that starts it."""
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)
    for place, name in enumerate(("stdin", "stdout", "stderr")):  # as Python opens them
        before, buffering = getattr(sys, name), 1 if place == 2 else -1
        how = {"encoding": before.encoding, "errors": before.errors, "buffering": buffering, "closefd": False}
        stream = open(place, "w" if place else "r", **how)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["-c", *arguments]
    return code


own = socket.socket(fileno=int(sys.argv[1]))
for module in sys.argv[2:]:
    importlib.import_module(module)
gc.collect()
gc.freeze()  # what was imported is no child's to collect
own.send(b"ready")
_code = serve(own)
own.detach()
for _name in ("gc", "importlib", "json", "os", "signal", "socket", "serve", "become", "own", "module", "_name"):
    globals().pop(_name)
exec(globals().pop("_code"))
