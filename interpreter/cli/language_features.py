"""What the language server offers beside errors, completion and meanings: quick fixes, renaming, outlines, hints, colours."""

from __future__ import annotations

from typing import Any

from dlspec.spec.editor import NotRenamed, OpenStudy, quick_fix
from lsprotocol import types as lsp

from .language_session import Server

TOKENS = ("variable", "parameter", "function", "property", "class", "enumMember")
MODIFIERS = ("declaration", "readonly")
KIND_TOKENS = {
    "constants": "variable", "draw": "variable", "example": "variable", "statistics": "variable",
    "outputs": "variable", "estimates": "variable", "parameter": "parameter",
    "functions": "function", "architecture": "class", "measures": "property", "loss": "property", "variants": "enumMember",
    "tests": "enumMember", "files": "variable", "phases": "enumMember", "updates": "enumMember", "claims": "property", "figures": "property",
}  # fmt: skip
"""How the protocol's colours call the kinds of names."""
SYMBOLS = {1: lsp.SymbolKind.Key, 2: lsp.SymbolKind.Class, 3: lsp.SymbolKind.Namespace, 4: lsp.SymbolKind.Variable}


def more_features(server: Server) -> None:
    """Adds them to a server."""

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix]))
    def mend(ls: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = params.text_document.uri
        study = ls.study(uri)
        actions = []
        for problem in study.problems():
            place = ls.span(study, problem)
            fix = quick_fix(problem, study.lines)
            if fix is None or not _meet(place, params.range):
                continue
            edit = lsp.TextEdit(ls.range(study, (fix.line, fix.start), (fix.line, fix.end)), fix.text)
            whole = lsp.WorkspaceEdit({uri: [edit]})
            found = [ls.diagnostic(study, problem)]
            actions.append(lsp.CodeAction(fix.title, lsp.CodeActionKind.QuickFix, found, is_preferred=True, edit=whole))
        return actions

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def nameable(ls: Server, params: lsp.PrepareRenameParams) -> lsp.Range | None:
        study, line, column = ls.at(params)
        here = next(
            (word for word in study.uses(line, column) if word.line == line and word.start <= column <= word.end), None
        )
        return ls.range(study, (line, here.start), (line, here.end)) if here is not None else None

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def rename(ls: Server, params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        study, line, column = ls.at(params)
        try:
            places, draws = study.renamed(line, column, params.new_name)
        except NotRenamed as error:
            ls.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, f"Nothing was renamed: {error}."))
            return None
        if draws:
            text = f"Random draws follow '{params.new_name}': what is stored under the old name runs again."
            ls.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, text))
        edits = [
            lsp.TextEdit(ls.range(study, (word.line, word.start), (word.line, word.end)), params.new_name)
            for word in places
        ]
        return lsp.WorkspaceEdit({params.text_document.uri: edits})

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def refer(ls: Server, params: lsp.ReferenceParams) -> list[lsp.Location]:
        study, line, column = ls.at(params)
        wanted = [word for word in study.uses(line, column) if params.context.include_declaration or not word.declares]
        return [
            lsp.Location(params.text_document.uri, ls.range(study, (word.line, word.start), (word.line, word.end)))
            for word in wanted
        ]

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outline(ls: Server, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        study = ls.study(params.text_document.uri)
        return [_symbol(ls, study, one) for one in study.outline()]

    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    def hint(ls: Server, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        study = ls.study(params.text_document.uri)
        shown = [one for one in study.hints() if params.range.start.line <= one.line <= params.range.end.line]
        return [
            lsp.InlayHint(
                ls.range(study, (one.line, len(study.lines[one.line])), (one.line, len(study.lines[one.line]))).start,
                one.text, lsp.InlayHintKind.Type, padding_left=True,
            )
            for one in shown
        ]  # fmt: skip

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, lsp.SemanticTokensLegend(list(TOKENS), list(MODIFIERS)))
    def colour(ls: Server, params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        study = ls.study(params.text_document.uri)
        data: list[int] = []
        line = start = 0
        for word in study.words():
            token = KIND_TOKENS.get(word.kind)
            if token is None:
                continue
            place = ls.range(study, (word.line, word.start), (word.line, word.end))
            if data and (place.start.line, place.start.character) <= (line, start):
                continue  # a word is coloured once
            step = place.start.line - line
            shift = place.start.character - (0 if step else start)
            bits = (1 if word.declares else 0) | (2 if word.kind == "constants" else 0)
            data += [step, shift, place.end.character - place.start.character, TOKENS.index(token), bits]
            line, start = place.start.line, place.start.character
        return lsp.SemanticTokens(data)


def _meet(one: lsp.Range, other: lsp.Range) -> bool:
    """Whether two stretches of lines have one in common."""
    return one.start.line <= other.end.line and other.start.line <= one.end.line


def _symbol(ls: Server, study: OpenStudy, symbol: Any) -> lsp.DocumentSymbol:
    """A key of the outline as the protocol has it."""
    start = (symbol.key.line - 1, symbol.key.column - 1)
    key = ls.range(study, start, (symbol.key.end_line - 1, symbol.key.end_column - 1))
    line = min(symbol.end[0] - 1, len(study.lines) - 1)
    end = (line, min(symbol.end[1] - 1, len(study.lines[line])))
    below = [_symbol(ls, study, one) for one in symbol.below]
    last = max(
        [ls.range(study, start, end).end, key.end, *(one.range.end for one in below)],
        key=lambda place: (place.line, place.character),
    )
    return lsp.DocumentSymbol(
        symbol.name or "–",
        SYMBOLS[symbol.level],
        lsp.Range(key.start, last),
        key,
        symbol.detail or None,
        children=below,
    )
