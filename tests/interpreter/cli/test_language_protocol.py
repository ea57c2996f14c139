"""The language server answers what it cannot read with an error, and goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("pygls")

BEGIN = [
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"capabilities": {}, "processId": None, "rootUri": None},
    },
    {"jsonrpc": "2.0", "method": "initialized", "params": {}},
]
END = [{"jsonrpc": "2.0", "id": 99, "method": "shutdown"}, {"jsonrpc": "2.0", "method": "exit"}]


def request(number: int, method: str, params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def answers(*messages: Any) -> dict[Any, Any]:
    """The answers of a server to some messages (JSON, or bytes as they are), by the number of the request."""
    bodies = [m if isinstance(m, bytes) else json.dumps(m).encode() for m in (*BEGIN, *messages, *END)]
    given = b"".join(b"Content-Length: %d\r\n\r\n" % len(body) + body for body in bodies)
    command = [sys.executable, "-c", "from dlspec.interpreter.cli.app import main; main()", "lsp"]
    done = subprocess.run(command, input=given, capture_output=True, timeout=120, check=True)
    found = [json.loads(part.split(b"\r\n\r\n", 1)[1]) for part in done.stdout.split(b"Content-Length")[1:]]
    found = [message for message in found if "id" in message]
    return {
        **{message["id"]: message for message in found},
        None: [message["error"]["code"] for message in found if message["id"] is None],
    }


def test_a_server_survives_bad_frames_and_bad_parameters() -> None:
    nowhere = {"textDocument": {"uri": "file:///nowhere.yaml"}, "position": {"line": 10**6, "character": 10**6}}
    negative = {"textDocument": {"uri": "file:///a.yaml"}, "position": {"line": -1, "character": -5}}
    half = {"uri": "file:///half.yaml", "languageId": "yaml", "version": 1, "text": "dlspec: 1\nstudy: \ud800\n"}
    found = answers(
        b"{not json",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'"a word"',
        {"id": 8, "method": "textDocument/hover"},
        {"jsonrpc": "2.0", "id": 9},
        request({"a": 1}, "textDocument/hover", {}),  # type: ignore[arg-type]
        {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": {"uri": 5}}},
        request(10, "textDocument/hover", {"textDocument": {"uri": "::\0"}, "position": {"line": 0, "character": 0}}),
        {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": half}},
        request(
            11,
            "textDocument/formatting",
            {"textDocument": {"uri": half["uri"]}, "options": {"tabSize": 2, "insertSpaces": True}},
        ),
        request(2, "textDocument/hover", {"position": {"line": "x"}}),
        request(3, "textDocument/hover", [1]),
        request(4, "textDocument/completion", negative),
        request(5, "textDocument/nonsense", {}),
        request(6, "textDocument/hover", nowhere),
        request(7, "textDocument/definition", nowhere),
    )
    assert found[1]["result"]["capabilities"]
    for number in (2, 3, 4):
        assert found[number]["error"]["code"] == -32602 and "do not have the form" in found[number]["error"]["message"]
    assert found[None] == [-32700, -32700, -32600, -32700, -32600, -32602], "no JSON, no message, no number"
    assert found[8]["error"]["code"] == found[9]["error"]["code"] == -32600
    assert found[10]["result"] is None and found[11]["result"] is None
    assert found[5]["error"]["code"] == -32601
    assert found[6]["result"] is None and found[7]["result"] is None
    assert "error" not in found[99]
