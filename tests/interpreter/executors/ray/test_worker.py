"""What a worker is sent: versions that must be the same."""

from __future__ import annotations

import pytest

pytest.importorskip("ray")

from dlspec.interpreter.executors.ray.worker import differences, installed


def test_other_versions_are_told_by_name() -> None:
    here = installed()
    assert differences(here, here) == ""
    assert differences(here, {**here, "keras": "1.0"}) == f"keras 1.0 there and {here['keras']} here"
