"""`dlspec fmt`: writes studies in their canonical form."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from dlspec import spec

from ..results.atomic_files import replace_file
from .text.line_difference import line_difference

DONE, CHANGES, TROUBLE = 0, 1, 2


def fmt(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Studies; `-` reads one from standard input.")],
    check: Annotated[bool, typer.Option("--check", help="Writes nothing; ends with 1 if a file would change.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Writes nothing; prints what would change.")] = False,
    only_studies: Annotated[
        bool, typer.Option("--only-studies", help="Passes over files without a key `dlspec`.")
    ] = False,
) -> None:
    """Writes studies in their canonical form: order, spacing and quotes; comments and meaning stay."""
    from dlspec.spec.format import formatted

    changes, trouble = 0, 0
    if "-" in files and len(files) > 1:
        print("`-` stands alone: standard input is one study", file=sys.stderr)
        raise typer.Exit(TROUBLE)
    for file in files:
        try:
            source = spec.decode(sys.stdin.buffer.read(), "<stdin>") if file == "-" else spec.read(file)
            if only_studies and not spec.is_study(source.text):
                continue
            text = formatted(source)
        except spec.SpecError as error:
            print(spec.render(error.problems), file=sys.stderr)
            trouble += 1
            continue
        except spec.InternalError as error:
            print(error, file=sys.stderr)
            trouble += 1
            continue
        changed = text != source.text
        changes += changed
        if diff:
            sys.stdout.writelines(line_difference(source.text, text, (source.name, f"{source.name} (formatted)")))
        if check and changed:
            print(f"{source.name}: would be formatted", file=sys.stderr)
        if check or diff:
            continue
        if file == "-":
            sys.stdout.write(text)
        elif changed:
            trouble += not _written(file, text)
    if trouble:
        raise typer.Exit(TROUBLE)
    raise typer.Exit(CHANGES if check and changes else DONE)


def _written(name: str, text: str) -> bool:
    """Puts a text in the place of a file's, whole or not at all; a link stays a link."""
    try:
        path = Path(name).resolve()
        replace_file(path, text.encode(), path.stat().st_mode & 0o7777)
    except OSError as error:
        print(f"{name}: cannot be written: {error.strerror}; it was left as it was", file=sys.stderr)
        return False
    print(f"{name}: formatted", file=sys.stderr)
    return True
