"""The studies that are open in an editor, and what is said of them in the protocol's terms."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dlspec import spec
from dlspec.spec.editor import OpenStudy
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import PositionCodec, ServerTextPosition, ServerTextRange

from .language_protocol import Answered, AnsweringProtocol

if TYPE_CHECKING:
    from pygls.server import ServerErrors


class Placed(Protocol):
    """The parameters of a request about a position in a document."""

    text_document: lsp.TextDocumentIdentifier
    position: lsp.Position


class Server(LanguageServer):
    """A server and the studies that are open in the editor."""

    def __init__(self) -> None:
        full = lsp.TextDocumentSyncKind.Full
        super().__init__("dlspec", version("dlspec"), text_document_sync_kind=full, protocol_cls=AnsweringProtocol)
        self.open: dict[str, OpenStudy] = {}

    def report_server_error(self, error: Exception, source: ServerErrors) -> None:
        """Answers a body that cannot be read; what else no request waits for is shown in the editor."""
        unread = isinstance(error, ValueError | RecursionError) and source is JsonRpcException
        if unread and isinstance(self.protocol, AnsweringProtocol):
            self.protocol.refuse_text(error)
        elif not isinstance(error, Answered):
            super().report_server_error(error, source)

    @property
    def codec(self) -> PositionCodec:
        """Turns code points into the units that the editor counts in, and back."""
        return self.workspace.position_codec

    def study(self, uri: str) -> OpenStudy:
        """The study of a document, with the text as the editor has it."""
        try:
            text = self.workspace.get_text_document(uri).source
        except (OSError, ValueError):  # neither open nor a file that can be read: there is nothing to say of it
            text = ""
        text = text.encode("utf-8", "replace").decode()  # half a surrogate pair is no character
        study = self.open.setdefault(uri, OpenStudy(uri.rpartition("/")[2], folder=folder_of(uri)))
        if study.source.text != text:
            study.update(text)
        return study

    def at(self, params: Placed) -> tuple[OpenStudy, int, int]:
        """The study of a request, and its position in code points."""
        study = self.study(params.text_document.uri)
        place = self.codec.position_from_client_units(study.lines, params.position)
        return study, place.line, place.character

    def range(self, study: OpenStudy, start: tuple[int, int], end: tuple[int, int]) -> lsp.Range:
        """A stretch of a study's text, from 0, in the editor's units."""
        whole = ServerTextRange(ServerTextPosition(*start), ServerTextPosition(*end))
        return self.codec.range_to_client_units(study.lines, whole)

    def span(self, study: OpenStudy, problem: spec.Problem) -> lsp.Range:
        """Where a problem is; the first line for one that has no place."""
        span = problem.span
        if span is None:
            return self.range(study, (0, 0), (0, 0))
        return self.range(study, (span.line - 1, span.column - 1), (span.end_line - 1, span.end_column - 1))

    async def check(self, uri: str, number: int | None, pause: float) -> None:
        """Publishes the problems of a text once it has rested for a while, unless a newer one has come."""
        await asyncio.sleep(pause)
        if not self.current(uri, number):
            return
        study = self.study(uri)
        try:
            problems: Sequence[spec.Problem] = await asyncio.to_thread(study.problems)
        except Exception as error:
            fault = spec.InternalError(f"{type(error).__name__}: {error}")
            self.window_log_message(lsp.LogMessageParams(lsp.MessageType.Error, str(fault)))
            return
        if self.current(uri, number):
            found = [self.diagnostic(study, problem) for problem in problems]
            self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found, number))

    def current(self, uri: str, number: int | None) -> bool:
        """Whether a document is open, and has this version still."""
        return uri in self.open and self.workspace.get_text_document(uri).version == number

    def diagnostic(self, study: OpenStudy, problem: spec.Problem) -> lsp.Diagnostic:
        """A problem as the protocol has it."""
        return lsp.Diagnostic(
            range=self.span(study, problem),
            message="\n".join(part for part in (problem.message, problem.hint) if part),
            severity=lsp.DiagnosticSeverity.Error if problem.severity == "error" else lsp.DiagnosticSeverity.Warning,
            source="dlspec",
        )


def folder_of(uri: str) -> str:
    """The folder of a document, in which the files that it names lie; empty where it has none on this machine."""
    path = to_fs_path(uri)
    return str(Path(path).parent) if path else ""
