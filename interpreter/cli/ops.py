"""`dlspec ops`: the language's operations, distributions, layers and modes: listed, searched, described."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import complete
from .generated import written_or_checked
from .options import ERROR

if TYPE_CHECKING:
    from dlspec.spec.model.reference_entries import Entry

REFERENCE = Path("docs/reference.md")


def ops(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORD", help="A name, or words to look for in names and meanings.", autocompletion=complete.operations)
    ] = None,
    search: Annotated[bool, typer.Option("--search", "-s", help="Searches for the words even if one is a name.")] = False,
    write: Annotated[bool, typer.Option("--write", help=f"Writes {REFERENCE}.")] = False,
    check: Annotated[bool, typer.Option("--check", help=f"Fails when {REFERENCE} is stale.")] = False,
) -> None:  # fmt: skip
    """Lists, describes or finds words of the language.

    Operations, distributions, layers, modes and the rest. Without a word it lists all; a name is described; other words are searched for.
    In a pipe the whole list is the reference, as Markdown.
    """
    from dlspec.spec.diagnostics.problems import did_you_mean, sentence
    from dlspec.spec.model import reference
    from dlspec.spec.model.reference_entries import entries, found, further

    if write or check or (not words and not sys.stdout.isatty()):
        written_or_checked(reference.reference(), REFERENCE, write, check)
        return
    if not words:
        _list(list(entries()))
        return
    text = reference.describe(words[0]) if len(words) == 1 and not search else None
    if text is not None:
        _print(text)
        return
    hits = found(words)
    if len(words) == 1 and not search:
        hits = [one for one in hits if one.name == words[0]] or hits
    if not hits:
        if len(words) == 1:
            print(f"nothing in the language is called '{words[0]}'", file=sys.stderr)
            hint = did_you_mean(words[0], {one.name for one in (*entries(), *further())})
        else:
            print(f"no entry has all of '{' '.join(words)}'", file=sys.stderr)
            hint = "; ".join(f"'{word}' alone is in {len(found([word])) or 'none'}" for word in words) + "."
        print(sentence(hint, "`dlspec ops` lists them all."), file=sys.stderr)
        raise typer.Exit(ERROR)
    _list(hits)


def _list(hits: Sequence[Entry]) -> None:
    """Entries under their kinds: how each is written, and what it means."""
    from dlspec.spec.diagnostics.problems import listing
    from rich.text import Text

    from ..api.terminal import console_of, print_text

    console = console_of()
    for place, kind in enumerate(dict.fromkeys(entry.kind for entry in hits)):
        if place:
            console.print()
        console.print(Text(kind.capitalize(), "bold cyan"))
        for entry in (entry for entry in hits if entry.kind == kind):
            meaning = f"{entry.meaning}; of {listing(entry.takers)}" if entry.takers else entry.meaning
            print_text(console, Text.assemble("  ", (entry.call, "bold"), "  ", meaning), "      ")


def _print(text: str) -> None:
    """A description; its head stands out on a terminal."""
    from dlspec.spec.model.reference import LABELS
    from rich.text import Text

    from ..api.terminal import console_of, print_text

    console = console_of()
    heads = {part.split("\n", 1)[0] for part in text.split("\n\n")}
    for line in text.split("\n"):
        print_text(console, Text(line, "bold" if line in heads else ""), " " * 10 if line.startswith(LABELS) else "")
