"""The language server, driven over standard streams by a real client."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from dlspec import spec
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

ROOT = Path(__file__).parents[3]
FLAT = (ROOT / "examples/flat.yaml").read_text("utf-8")
URI = "file:///some%20where/flat.yaml"
HEAVY = ("tensorflow", "keras", "matplotlib")
RUN = f"""
import atexit, sys
atexit.register(lambda: print("loaded", *(m for m in {HEAVY!r} if m in sys.modules), file=sys.stderr))
from dlspec.interpreter.cli.app import main
main()
"""


class Editor:
    """A client with one open document."""

    def __init__(self) -> None:
        self.client = LanguageClient("test", "1")
        self.found: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()
        self.told: list[str] = []
        self.version = 0
        self.text = ""

        @self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: lsp.PublishDiagnosticsParams) -> None:
            self.found.put_nowait(params)

        @self.client.feature(lsp.WINDOW_SHOW_MESSAGE)
        def told(params: lsp.ShowMessageParams) -> None:
            self.told.append(params.message)

    async def open(self, text: str) -> list[lsp.Diagnostic]:
        self.text = text
        document = lsp.TextDocumentItem(URI, "yaml", self.version, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(document))
        return await self.problems()

    async def type(self, text: str) -> list[lsp.Diagnostic]:
        """The whole text anew, as after a keystroke; the problems once they come."""
        self.send(text)
        return await self.problems()

    def send(self, text: str) -> None:
        self.text = text
        self.version += 1
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(self.version, URI),
                [lsp.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    async def problems(self) -> list[lsp.Diagnostic]:
        """Those of the newest version."""
        while True:
            params = await asyncio.wait_for(self.found.get(), 60)
            if params.version == self.version:
                return list(params.diagnostics)

    def at(self, words: str, offset: int = 0) -> dict[str, Any]:
        """A request's position: so many characters into some words of the text."""
        place = self.text.index(words) + offset
        line = self.text[:place].count("\n")
        start = self.text[:place].rfind("\n") + 1
        units = len(self.text[start:place].encode("utf-16-le")) // 2
        return {"text_document": lsp.TextDocumentIdentifier(URI), "position": lsp.Position(line, units)}

    async def labels(self, words: str, offset: int) -> list[str]:
        found = await self.client.text_document_completion_async(lsp.CompletionParams(**self.at(words, offset)))
        assert isinstance(found, lsp.CompletionList)
        assert [item.sort_text for item in found.items] == sorted(item.sort_text or "" for item in found.items)
        return [item.label for item in found.items]

    async def hover(self, words: str, offset: int = 0) -> str:
        found = await self.client.text_document_hover_async(lsp.HoverParams(**self.at(words, offset)))
        if found is None:
            return ""
        assert isinstance(found.contents, lsp.MarkupContent) and found.contents.kind == lsp.MarkupKind.Markdown
        return found.contents.value

    async def definition(self, words: str, offset: int = 0) -> str | None:
        """The text that a definition's range covers, with its line."""
        found = await self.client.text_document_definition_async(lsp.DefinitionParams(**self.at(words, offset)))
        if found is None:
            return None
        assert isinstance(found, lsp.Location) and found.uri == URI
        line = self.text.split("\n")[found.range.start.line]
        return f"{found.range.start.line + 1}: {line[found.range.start.character : found.range.end.character]}"


def drive(task: Callable[[Editor], Awaitable[None]]) -> None:
    """Runs a task against a server of its own, which has to end well and without what training needs."""

    async def whole() -> None:
        editor = Editor()
        await editor.client.start_io(sys.executable, "-c", RUN, "lsp")
        server = editor.client._server
        assert server is not None and server.stderr is not None
        done = await editor.client.initialize_async(lsp.InitializeParams(lsp.ClientCapabilities()))
        assert done.server_info is not None and done.server_info.name == "dlspec"
        editor.client.initialized(lsp.InitializedParams())
        await task(editor)
        await editor.client.shutdown_async(None)
        editor.client.exit(None)
        errors = (await asyncio.wait_for(server.stderr.read(), 30)).decode()
        assert await asyncio.wait_for(server.wait(), 30) == 0, errors
        assert errors.splitlines()[-1] == "loaded", errors
        assert "Traceback" not in errors, errors
        await editor.client.stop()

    asyncio.run(whole())


def test_errors_come_while_typing_with_the_ranges_of_validate() -> None:
    async def task(editor: Editor) -> None:
        assert await editor.open(FLAT) == []
        wrong = FLAT.replace("floor_to(r, z)", "floor_too(r, z)").replace("E(guess != y)", "E(guess != yy)")
        found = await editor.type(wrong)
        with pytest.raises(spec.StudyError) as error:
            spec.validate(spec.parse(spec.decode(wrong.encode(), "flat.yaml")))
        assert len(error.value.problems) == len(found) >= 2
        for problem, diagnostic in zip(error.value.problems, found, strict=True):
            assert problem.span is not None
            assert diagnostic.message.startswith(problem.message) and diagnostic.source == "dlspec"
            assert diagnostic.severity == lsp.DiagnosticSeverity.Error
            assert (diagnostic.range.start.line + 1, diagnostic.range.start.character + 1) == (
                problem.span.line, problem.span.column,
            )  # fmt: skip
            assert diagnostic.range.end.character + 1 == problem.span.end_column
        broken = await editor.type(FLAT.replace("replicates: 5", "replicates: [5"))
        assert len(broken) == 1 and "not closed" in broken[0].message
        hidden = await editor.type(FLAT.replace("d: 100 ", "pi: 3\n      d: 100 "))
        assert [item.severity for item in hidden] == [lsp.DiagnosticSeverity.Warning]
        assert await editor.type(FLAT) == []

    drive(task)


def test_only_the_newest_of_many_keystrokes_is_judged() -> None:
    async def task(editor: Editor) -> None:
        await editor.open(FLAT)
        for k in range(20):
            editor.send(FLAT.replace("E(guess != y)", "E(guess != " + "y" * (k % 5)))
        assert await editor.type(FLAT) == []
        assert editor.found.empty()

    drive(task)


def test_columns_count_in_the_editors_units() -> None:
    async def task(editor: Editor) -> None:
        text = 'dlspec: 1\nstudy: s\nexperiments: {e: {about: "😀😀", measures: {m: q}, constants: {c: 1}}}\n'
        (problem,) = await editor.open(text)
        assert problem.range == lsp.Range(editor.at("q}")["position"], editor.at("q}", 1)["position"])
        text = text.replace("m: q", "m: c + 1")
        assert await editor.type(text) == []
        assert "known before" in await editor.hover("m: c", 3)
        found = await editor.client.text_document_definition_async(lsp.DefinitionParams(**editor.at("m: c", 3)))
        assert isinstance(found, lsp.Location)
        assert found.range == lsp.Range(editor.at("{c: 1", 1)["position"], editor.at("{c: 1", 2)["position"])

    drive(task)


def test_completion() -> None:
    async def task(editor: Editor) -> None:
        await editor.open(FLAT)
        await editor.type(FLAT.replace("    replicates: 5\n", "    \n"))
        keys = await editor.labels("    \n", 4)
        assert "replicates" in keys and "seed" in keys and "training" not in keys
        await editor.type(FLAT.replace("- dense: 1\n", "- dense: {un\n", 1))
        assert {"units", "activation", "name"} <= set(await editor.labels("dense: {un", 10))
        await editor.type(FLAT.replace("squared: (guess - y)^2", "squared: gu", 1))
        found = await editor.labels("squared: gu", 11)
        assert {"guess", "y", "v", "score", "u", "cross_entropy", "d"} <= set(found)
        assert "normal" not in found and "E" not in found and "error" not in found
        assert found.index("guess") < found.index("cross_entropy")
        await editor.type(FLAT.replace("x: normal([d]) / d", "x: ", 1))
        found = await editor.labels("        x: \n", 11)
        assert {"normal", "d", "v"} <= set(found) and "score" not in found and "guess" not in found
        await editor.type(FLAT.replace("score.dense.bias[0] + start", "score.", 1))
        assert {"weights", "dense_1"} <= set(await editor.labels("score.)", 6))
        await editor.type(
            FLAT.replace("panel: variant", "panel: ", 1).replace("where: variant == non_flat", "where: variant == ")
        )
        assert await editor.labels("where: variant == ", 18) == [
            "non_flat", "non_flat_from_0", "end_to_end", "multi_class", "forward_only", "surrogate",
        ]  # fmt: skip
        assert "variant" in await editor.labels("panel: \n", 7)
        await editor.type(FLAT.replace("gradient: {u: forward_only}", "gradient: {", 1))
        assert await editor.labels("gradient: {", 11) == ["u", "u_soft", "near", "score"]
        assert await editor.labels("# input dimension", 5) == []

    drive(task)


def test_what_a_completion_puts_in() -> None:
    async def task(editor: Editor) -> None:
        await editor.open(FLAT)
        await editor.type(FLAT.replace("    replicates: 5\n", "    repl\n"))
        found = await editor.client.text_document_completion_async(lsp.CompletionParams(**editor.at("    repl\n", 8)))
        assert isinstance(found, lsp.CompletionList)
        (item,) = [item for item in found.items if item.label == "replicates"]
        assert isinstance(item.text_edit, lsp.TextEdit) and item.text_edit.new_text == "replicates: "
        assert item.text_edit.range == lsp.Range(
            editor.at("    repl\n", 4)["position"], editor.at("    repl\n", 8)["position"]
        )
        await editor.type(FLAT)
        found = await editor.client.text_document_completion_async(
            lsp.CompletionParams(**editor.at("replicates: 5", 4))
        )
        assert isinstance(found, lsp.CompletionList)
        (item,) = [item for item in found.items if item.label == "replicates"]
        assert isinstance(item.text_edit, lsp.TextEdit) and item.text_edit.new_text == "replicates"

    drive(task)


def test_hover_and_definition() -> None:
    async def task(editor: Editor) -> None:
        await editor.open(FLAT)
        assert (await editor.hover("dot(v, x)", 4)).startswith("**v**: `real[100]`, drawn once per replicate")
        assert "inner product" in await editor.hover("dot(v, x)", 1)
        assert (await editor.hover("beta_2", 2)).startswith("**beta_2**: The decay")
        assert await editor.hover("score.dense.bias", 14) == "**score.dense.bias**: real[1]"
        assert "upstream gradient is passed on" in await editor.hover("gradient: {u: forward_only}", 16)
        assert await editor.definition("dot(v, x)", 4) == "27: v"
        assert await editor.definition("guess: u(score + b)", 7) == "22: u(r)"
        assert await editor.definition("final(error, variant == forward_only) <= ", 25) == "83: forward_only"
        assert await editor.definition("base: staircase", 8) == "15: staircase"
        assert await editor.definition("dot(v, x)", 1) is None

    drive(task)


def test_formatting() -> None:
    async def task(editor: Editor) -> None:
        text = "study:   s\ndlspec: 1\nexperiments:\n    e: {measures: {m: 1+1}}   # é"
        await editor.open(text)
        options = lsp.FormattingOptions(2, True)
        params = lsp.DocumentFormattingParams(lsp.TextDocumentIdentifier(URI), options)
        edits = await editor.client.text_document_formatting_async(params)
        assert edits is not None and len(edits) == 1
        assert edits[0].range == lsp.Range(
            lsp.Position(0, 0), lsp.Position(3, len("    e: {measures: {m: 1+1}}   # é"))
        )
        assert edits[0].new_text == "dlspec: 1\nstudy: s\nexperiments:\n  e: {measures: {m: 1 + 1}}   # é\n"
        await editor.type(edits[0].new_text)
        unchanged = await editor.client.text_document_formatting_async(params)
        assert unchanged is not None and len(unchanged) == 0
        await editor.type(text.replace("1+1", "1+"))
        assert await editor.client.text_document_formatting_async(params) is None
        assert editor.told == ["The study is not valid yet, and was left as it is."]

    drive(task)


def test_other_yaml_files_are_left_alone() -> None:
    async def task(editor: Editor) -> None:
        assert await editor.open("on: push\njobs: {\n") == []
        assert await editor.labels("jobs", 2) == []

    drive(task)


def test_without_pygls_the_command_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys\nsys.modules['pygls'] = sys.modules['pygls.lsp'] = sys.modules['pygls.lsp.server'] = None\n" + RUN
    )
    code = code.replace("atexit.register", "(lambda f: None)")
    done = subprocess.run([sys.executable, "-c", code, "lsp"], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 2
    assert re.fullmatch(
        r"`dlspec lsp` needs pygls, which is not installed: `pip install 'dlspec\[lsp\]'`\n", done.stderr
    )
