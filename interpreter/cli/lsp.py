"""`dlspec lsp`: the language server, for editors."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer


def lsp(
    stdio: Annotated[
        bool, typer.Option("--stdio", hidden=True, help="What editors ask for; there is no other way.")
    ] = True,
) -> None:
    """Serves an editor over standard input and output. Errors while typing, completion, meanings, definitions, formatting."""
    try:
        from .language_server import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        print("`dlspec lsp` needs pygls, which is not installed: `pip install 'dlspec[lsp]'`", file=sys.stderr)
        raise typer.Exit(2) from None
    gc.freeze()  # what has been loaded stays, and is no collection's to look through
    gc.enable()  # at rest so far, see `__main__.py`
    server().start_io()
