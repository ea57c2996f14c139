"""A worker of pytest-xdist has its tests run by a child, and by another once that one holds much memory.

TensorFlow keeps something of every program that it compiled for the life of a process. The worker has imported and
collected all, and computed nothing: a child begins where it stands, within milliseconds, and takes its memory with it
when it ends. It ends where a file does, so fixtures of modules are made once; those of a session are made anew.
"""

from __future__ import annotations

import multiprocessing
import sys
import traceback
import warnings
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from dlspec.interpreter.frame_space import with_room

BOUND = 1536
"""How many MiB a child may hold resident at the end of a file and go on, what it shares with the worker among them."""
MOST = 3072
"""And at the end of a test: fixtures of the module are then made anew. No file is known to need it."""


def resident() -> int:
    """What this process holds in memory, in MiB."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


class ReplacedProcess:
    """A plugin of the worker; `interactor` is that of xdist, which speaks with the main process."""

    def __init__(self, interactor: Any, bound: int = BOUND, most: int = MOST) -> None:
        self.interactor = interactor
        self.bound = bound
        self.most = most
        self.child: Any = None
        self.line: Connection | None = None
        self.within = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """In the worker: the child runs it, and what the child tells goes on to the main process."""
        if self.within:
            return None
        line = self.line or self._start(item.session)
        following = None if nextitem is None else self.interactor.nextitem_index
        line.send((self.interactor.item_index, following))
        try:
            while (told := line.recv())[0] != "done":
                self.interactor.sendevent(told[0], **told[1])
        except (EOFError, OSError):
            self._stop()
            self._report(item, f"the process ended with code {self.child.exitcode}")
            return True
        _, leaving, flags, fault = told
        item.session.shouldfail, item.session.shouldstop = flags
        if leaving:
            self._stop()
        if fault:
            raise RuntimeError(fault)
        return True

    def _start(self, session: pytest.Session) -> Connection:
        tensorflow = sys.modules.get("tensorflow.python.eager.context")
        begun = tensorflow and (context := tensorflow.context_safe()) and context._initialized
        assert not begun, (
            "a module of tests computes with TensorFlow where it is imported: the threads of that would be lacking in a fork"
        )
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # one folder for all children
        context = multiprocessing.get_context("fork")
        self.line, far = context.Pipe()
        self.child = context.Process(target=self._serve, args=(self.line, far, session))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # xdist's thread, which holds no lock while it waits
            self.child.start()
        far.close()
        return self.line

    def _stop(self) -> None:
        assert self.line is not None
        self.line.close()
        self.line = None
        self.child.join()

    def _report(self, item: pytest.Item, message: str) -> None:
        report = pytest.TestReport(item.nodeid, item.location, {}, "failed", message, "call")
        item.ihook.pytest_runtest_logreport(report=report)

    def _serve(self, near: Connection, line: Connection, session: pytest.Session) -> None:
        """The child: runs tests by their numbers until it holds much, no test is left, or the worker is gone."""
        near.close()
        self.within = True
        self.interactor.sendevent = lambda name, **more: line.send((name, more))
        leaving, fault = False, ""
        while not leaving and not fault:
            try:
                number, following = line.recv()
            except EOFError:
                return
            item, nextitem = session.items[number], None if following is None else session.items[following]
            leaving = nextitem is None or resident() >= (self.most if item.path == nextitem.path else self.bound)
            self.interactor.item_index = number
            try:
                with_room(
                    partial(
                        session.config.hook.pytest_runtest_protocol, item=item, nextitem=None if leaving else nextitem
                    )
                )
            except BaseException:
                fault = traceback.format_exc()
            line.send(("done", leaving or bool(fault), (session.shouldfail, session.shouldstop), fault))
