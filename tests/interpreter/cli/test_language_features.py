"""Quick fixes, renaming, outlines, hints and colours, asked for by a real client over standard streams."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.interpreter.cli.language_features import KIND_TOKENS, TOKENS
from dlspec.spec.diagnostics.problems import Source
from lsprotocol import types as lsp

from tests.interpreter.cli.test_language_server import URI, Editor, drive

DOCUMENT = lsp.TextDocumentIdentifier(URI)
SMALL = """\
dlspec: 1
study: s
experiments:
  e:
    constants: {d: 2}
    sweep: {d: [1, 2]}
    functions: {u(r): r + d}
    task: {example: {x: "normal([d])"}}
    architecture:
      f:
        input: x
        layers:
          - dense: {units: 4, activation: relu}
          - dense: 1
    loss: {l: u(f)^2}
    training: {optimizer: {sgd: {learning_rate: 0.1}}, batch: 4, steps: 20}
    measures: {error: E(f^2), other: E(f) for_nothing}
    variants: {plain: {}, wide: {training: {batch: 8}}}
    claims: {c: {says: it, check: "final(error, variant == plain) < 1"}}
profiles:
  quick:
    experiments:
      e: {training: {steps: 10}}
""".replace(" for_nothing", "")


def applied(text: str, edits: list[lsp.TextEdit]) -> str:
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda edit: (edit.range.start.line, edit.range.start.character), reverse=True):
        assert edit.range.start.line == edit.range.end.line
        line = lines[edit.range.start.line]
        lines[edit.range.start.line] = (
            line[: edit.range.start.character] + edit.new_text + line[edit.range.end.character :]
        )
    return "\n".join(lines)


def everywhere(text: str) -> lsp.Range:
    return lsp.Range(lsp.Position(0, 0), lsp.Position(text.count("\n") + 1, 0))


def digests(text: str) -> list[str]:
    plan = spec.resolve(spec.parse(Source("s.yaml", text)))
    return [program.digest for experiment in plan.experiments for program in experiment.programs]


def test_every_word_that_was_meant_and_every_quote_is_a_quick_fix() -> None:
    wrong = {
        "batch: 4": "bach: 4", "sgd: {learning_rate: 0.1}": "sgdd: {learning_rate: 0.1}", "normal([d])": "norml([d])",
        'activation: relu': "activation: rellu", "final(error,": "final(eror,",
    }  # fmt: skip

    async def task(editor: Editor) -> None:
        for right, other in wrong.items():
            text = SMALL.replace(right, other)
            problems = await (editor.open(text) if editor.text == "" else editor.type(text))
            assert problems
            actions = await editor.client.text_document_code_action_async(
                lsp.CodeActionParams(DOCUMENT, everywhere(text), lsp.CodeActionContext([]))
            )
            fixed = {one.title: applied(text, list((one.edit.changes or {})[URI])) for one in actions if one.edit}  # type: ignore[union-attr]
            assert SMALL in fixed.values(), (other, fixed, [one.message for one in problems])
        text = SMALL.replace('{x: "normal([d])"}', "{x: normal([d])}")
        await editor.type(text)
        (quote,) = await editor.client.text_document_code_action_async(
            lsp.CodeActionParams(DOCUMENT, everywhere(text), lsp.CodeActionContext([]))
        )  # type: ignore[misc]
        assert quote.title == "Quote it" and applied(text, quote.edit.changes[URI]) == SMALL

    drive(task)


@pytest.mark.parametrize(
    ("words", "offset"),
    [
        ("d: 2}", 0),
        ("f:\n", 0),
        ("error: E", 1),
        ("plain: {}", 2),
        ("u(r)", 0),
        ("+ d", 2),
        ("final(error", 8),
        ("== plain", 4),
    ],
)
def test_a_name_is_changed_wherever_it_stands_and_nothing_else_changes(words: str, offset: int) -> None:
    async def task(editor: Editor) -> None:
        await editor.open(SMALL)
        place = editor.at(words, offset)
        held = await editor.client.text_document_prepare_rename_async(lsp.PrepareRenameParams(**place))
        assert isinstance(held, lsp.Range)
        edit = await editor.client.text_document_rename_async(lsp.RenameParams(new_name="zebra", **place))
        assert edit is not None and edit.changes is not None
        text = applied(SMALL, list(edit.changes[URI]))
        assert text.count("zebra") == len(edit.changes[URI]) >= 2
        assert (digests(text) == digests(SMALL)) == (words != "f:\n") == (not editor.told), (
            "draws follow a network's name"
        )
        found = await editor.client.text_document_references_async(
            lsp.ReferenceParams(context=lsp.ReferenceContext(True), **place)
        )
        assert len(found or ()) == len(edit.changes[URI])

    drive(task)


def test_what_cannot_be_renamed_says_why() -> None:
    async def task(editor: Editor) -> None:
        await editor.open(SMALL)
        for words, offset, name, why in (
            ("error: E", 1, "other", "error"),
            ("d: 2}", 0, "2x", "is not a name"),
            ("relu", 1, "zebra", "no name of the study's own"),
        ):
            edit = await editor.client.text_document_rename_async(
                lsp.RenameParams(new_name=name, **editor.at(words, offset))
            )
            assert edit is None and why in editor.told[-1]
        nothing = await editor.client.text_document_prepare_rename_async(
            lsp.PrepareRenameParams(**editor.at("relu", 1))
        )
        assert nothing is None

    drive(task)


def test_outline_hints_and_colours() -> None:
    async def task(editor: Editor) -> None:
        await editor.open(SMALL)
        symbols = await editor.client.text_document_document_symbol_async(lsp.DocumentSymbolParams(DOCUMENT))
        assert symbols is not None and [one.name for one in symbols] == ["dlspec", "study", "experiments", "profiles"]
        (experiment,) = symbols[2].children or ()  # type: ignore[union-attr]
        parts = {one.name: [below.name for below in one.children or ()] for one in experiment.children or ()}
        assert parts["measures"] == ["error", "other"] and parts["variants"] == ["plain", "wide"]

        def nested(one: lsp.DocumentSymbol) -> None:
            for below in one.children or ():
                start, end = (
                    (below.range.start.line, below.range.start.character),
                    (below.range.end.line, below.range.end.character),
                )
                assert (one.range.start.line, one.range.start.character) <= start <= end
                assert end <= (one.range.end.line, one.range.end.character)
                nested(below)

        for one in symbols:
            nested(one)  # type: ignore[arg-type]
        hints = await editor.client.text_document_inlay_hint_async(lsp.InlayHintParams(DOCUMENT, everywhere(SMALL)))
        lines = SMALL.split("\n")
        assert {(lines[hint.position.line].strip(), hint.label) for hint in hints or ()} == {
            ("f:", "real, 17 parameters"), ("- dense: {units: 4, activation: relu}", "real[2] → real[4]"), ("- dense: 1", "real[4] → real[1]"),
        }  # fmt: skip
        tokens = await editor.client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(DOCUMENT))
        assert tokens is not None
        line = start = 0
        seen: set[tuple[str, str]] = set()
        for at in range(0, len(tokens.data), 5):
            step, shift, length, kind, _ = tokens.data[at : at + 5]
            line, start = line + step, shift if step else start + shift
            seen.add((lines[line][start : start + length], TOKENS[kind]))
        assert {
            ("d", "variable"),
            ("u", "function"),
            ("r", "parameter"),
            ("f", "class"),
            ("error", "property"),
            ("plain", "enumMember"),
        } <= seen
        assert {word for word, _ in seen} <= {"d", "u", "r", "x", "f", "l", "error", "other", "plain", "wide", "c"}

    drive(task)


def test_kinds_have_colours() -> None:
    from dlspec.spec.editor.names import WHAT

    assert KIND_TOKENS.keys() == {*WHAT, "parameter"}


@pytest.mark.parametrize(
    ("right", "other", "words", "offset", "expected"),
    [
        ("optimizer: {sgd: {learning_rate: 0.1}}", "optimizer: {}", "optimizer: {", 12, {"sgd", "adam"}),
        ("final(error, variant == plain)", "final(, variant == plain)", "final(", 6, {"error", "other", "variant"}),
        ("variant == plain)", "variant == )", "variant == ", 11, {"plain", "wide"}),
        ("      e: {training: {steps: 10}}", "      e: {}", "      e: {", 10, {"training", "variants"}),
        ("      e: {training: {steps: 10}}", "      \n", "experiments:\n      \n", 19, {"e"}),
        ("      e: {training: {steps: 10}}", "      e: {variants: {}}", "e: {variants: {", 15, {"plain", "wide"}),
        ("      e: {training: {steps: 10}}", "      e: {constants: {}}", "e: {constants: {", 16, {"d"}),
        ("      e: {training: {steps: 10}}", "      e: {architecture: {f: {layers: {}}}}", "layers: {}", 9, {"dense_1", "dense_2"}),
    ],
)  # fmt: skip
def test_completion_knows_optimisers_claims_and_profiles(
    right: str, other: str, words: str, offset: int, expected: set[str]
) -> None:
    async def task(editor: Editor) -> None:
        await editor.open(SMALL)
        assert right in SMALL
        await editor.type(SMALL.replace(right, other))
        labels = await editor.labels(words, offset)
        assert (
            expected <= set(labels) and set(labels[: len(expected)]) <= expected | {"optimizer", "task", "base", "seed"}
        ) or expected <= set(labels[:40])

    drive(task)
