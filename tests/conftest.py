"""Before any test: TensorFlow's environment as `dlspec run` sets it. And what all tests of a process share."""

from __future__ import annotations

import gc
import sys
from typing import Any

import pytest
from dlspec.interpreter.backend.environment import set_environment

from tests.replaced_process import ReplacedProcess

set_environment()
gc.disable()  # until all is collected: what collecting makes stays, and looking through it would take some seconds

TOGETHER = {
    "tests/interpreter/cli/test_diff_forms.py": "tests/spec/diff/test_corpus.py",
    "tests/interpreter/executors/ray/test_ray.py": "tests/spec/test_errors.py",
}
"""Files that go to the process of another: which has made already what they look at, the difference of each pair; or which begins early, as it
has the most tests: Ray ends its workers where a machine has little memory left."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported and collected stays to the end, and is no collection's to look through."""
    interactors = [plugin for plugin in session.config.pluginmanager.get_plugins() if hasattr(plugin, "nextitem_index")]
    if interactors and sys.platform == "linux":
        session.config.pluginmanager.register(ReplacedProcess(*interactors))
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 50)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """As `--dist loadfile`, but for the files that go together."""
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return TOGETHER.get(file, file)

    return Together(config, log) if config.getoption("dist") == "loadfile" else None
