"""What may be wrong with a cluster is said at once, with what to do."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from dlspec.interpreter.executors.ray import ClusterError, connected
from dlspec.spec.diagnostics.problems import render
from typer.testing import CliRunner


def said(address: str | None) -> str:
    """The error that connecting gives, as it is printed."""
    with pytest.raises(ClusterError) as caught, connected(address):
        pass
    return render(caught.value.problems)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "`pip install 'dlspec[ray]'`" in said(None)


@pytest.fixture
def closed() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


def test_nobody_listens(closed: str) -> None:
    pytest.importorskip("ray")
    for address in (closed, f"ray://{closed}"):
        text = said(address)
        assert text.startswith(f"no Ray cluster can be reached at {address}: ") and "`ray start --head`" in text


@pytest.mark.parametrize("address", ["nonsense", "http://127.0.0.1:1", "127.0.0.1:0", "127.0.0.1:70000"])
def test_no_address(address: str) -> None:
    pytest.importorskip("ray")
    assert re.match(rf"'{re.escape(address)}' is not an address of a Ray cluster\n.*HOST:PORT", said(address))


def test_an_address_without_the_executor() -> None:
    from dlspec.interpreter.cli.app import app

    done = CliRunner().invoke(app, ["run", "examples/flat.yaml", "--address", "127.0.0.1:6379"])
    assert done.exit_code == 2 and "--executor ray" in done.output


@pytest.mark.parametrize(
    ("mode", "told"),
    [("", "asks for a token, and none is given"), ("token", "the token that is given is not the cluster's")],
)
def test_a_token_that_is_refused_is_told_without_the_log(
    mode: str, told: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As Ray 2.60 does: its C++ logs a line a second, and its exception says nothing of it."""
    ray = pytest.importorskip("ray")

    def refused(*_: Any, **__: Any) -> None:
        os.write(2, b"gcs_client.cc:210: Unauthenticated: RPC error: InvalidAuthToken\n")
        raise ConnectionError("Failed to connect to Ray cluster")

    monkeypatch.setattr(ray, "init", refused)
    monkeypatch.setenv("RAY_AUTH_MODE", mode)
    text = said("auto")
    assert told in text and "RAY_AUTH_TOKEN_PATH" in text
    assert capfd.readouterr().err == ""
