"""The language server: the protocol's requests handed to `dlspec.spec.editor`, and its answers back, over standard streams."""

from __future__ import annotations

from dlspec import spec
from dlspec.spec.editor import Completion
from lsprotocol import types as lsp

from .language_features import more_features
from .language_session import Server

DEBOUNCE_SECONDS = 0.2
"""Seconds without a keystroke after which a text is checked."""

_KINDS = {
    "key": lsp.CompletionItemKind.Property,
    "word": lsp.CompletionItemKind.EnumMember,
    "operation": lsp.CompletionItemKind.Function,
    "distribution": lsp.CompletionItemKind.Function,
    "functions": lsp.CompletionItemKind.Function,
    "constants": lsp.CompletionItemKind.Constant,
    "architecture": lsp.CompletionItemKind.Module,
    "part": lsp.CompletionItemKind.Field,
}


def server() -> Server:
    """A server with its features, not yet started."""
    language_server = Server()

    @language_server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def opened(ls: Server, params: lsp.DidOpenTextDocumentParams) -> None:
        ls.study(params.text_document.uri)
        await ls.check(params.text_document.uri, params.text_document.version, 0)

    @language_server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(ls: Server, params: lsp.DidChangeTextDocumentParams) -> None:
        await ls.check(params.text_document.uri, params.text_document.version, DEBOUNCE_SECONDS)

    @language_server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: Server, params: lsp.DidCloseTextDocumentParams) -> None:
        ls.open.pop(params.text_document.uri, None)
        ls.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(params.text_document.uri, []))

    @language_server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[".", "{", "["]))
    def complete(ls: Server, params: lsp.CompletionParams) -> lsp.CompletionList:
        study, line, column = ls.at(params)
        at = study.where(line, column)
        start, end = (at.start, at.end) if at is not None else (column, column)
        keyed = study.lines[line][end:].lstrip().startswith(":") if line < len(study.lines) else False
        stretch = ls.range(study, (line, start), (line, end))
        found = study.complete(line, column)
        return lsp.CompletionList(False, [_item(item, place, stretch, keyed) for place, item in enumerate(found)])

    @language_server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(ls: Server, params: lsp.HoverParams) -> lsp.Hover | None:
        study, line, column = ls.at(params)
        found = study.hover(line, column)
        if found is None:
            return None
        text, (start, end) = found
        content = lsp.MarkupContent(lsp.MarkupKind.Markdown, text)
        return lsp.Hover(content, ls.range(study, (line, start), (line, end)))

    @language_server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def define(ls: Server, params: lsp.DefinitionParams) -> lsp.Location | None:
        study, line, column = ls.at(params)
        span = study.definition(line, column)
        if span is None:
            return None
        place = ls.range(study, (span.line - 1, span.column - 1), (span.end_line - 1, span.end_column - 1))
        return lsp.Location(params.text_document.uri, place)

    @language_server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def form(ls: Server, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        study = ls.study(params.text_document.uri)
        try:
            text = study.formatted()
        except spec.InternalError as error:
            ls.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, str(error)))
            return None
        if text is None:
            message = "The study is not valid yet, and was left as it is."
            ls.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, message))
            return None
        if text == study.source.text:
            return []
        last = len(study.lines) - 1
        return [lsp.TextEdit(ls.range(study, (0, 0), (last, len(study.lines[last]))), text)]

    more_features(language_server)
    return language_server


def _item(item: Completion, place: int, stretch: lsp.Range, keyed: bool) -> lsp.CompletionItem:
    """A proposal; the order is kept, and no second colon is put behind a key that has one."""
    return lsp.CompletionItem(
        label=item.label,
        kind=_KINDS.get(item.kind, lsp.CompletionItemKind.Variable),
        detail=item.detail or None,
        documentation=lsp.MarkupContent(lsp.MarkupKind.Markdown, item.meaning) if item.meaning else None,
        sort_text=f"{place:04d}",
        text_edit=lsp.TextEdit(stretch, item.label if keyed or not item.insert else item.insert),
    )
