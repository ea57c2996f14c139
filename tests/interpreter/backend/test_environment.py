"""What TensorFlow is told before it is loaded, and what of it the user may say."""

from __future__ import annotations

import os

import pytest
from dlspec.interpreter.backend import environment
from dlspec.interpreter.backend.environment import VECTORS, set_environment


@pytest.mark.parametrize(
    ("release", "before", "after"),
    [
        ("2.21", None, f"{VECTORS}=512"),
        ("2.21", "--xla_dump_to=/tmp/d", f"--xla_dump_to=/tmp/d {VECTORS}=512"),
        ("2.21", f"{VECTORS}=256", f"{VECTORS}=256"),
        ("2.21", "/etc/xla.flags", "/etc/xla.flags"),
        ("2.18", None, None),
        ("9.0", "--xla_dump_to=/tmp/d", "--xla_dump_to=/tmp/d"),
    ],
)
def test_vectors_are_wide_where_xla_knows_the_option_and_the_user_says_nothing(
    monkeypatch: pytest.MonkeyPatch, release: str, before: str | None, after: str | None
) -> None:
    monkeypatch.setattr(environment, "version", lambda name: f"{release}.0")
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    if before is not None:
        monkeypatch.setenv("XLA_FLAGS", before)
    set_environment()
    set_environment()
    assert os.environ.get("XLA_FLAGS") == after


def test_what_the_user_says_of_onednn_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    set_environment()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"
