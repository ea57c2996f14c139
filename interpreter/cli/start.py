"""Where the command `dlspec` begins: a short command loads itself alone, and a check or a comparison without options not even what reads these."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from .exit_codes import ended
from .standard_output import prepared

ALONE = ("data", "diff", "fmt", "lsp", "merge", "plan", "validate")
"""Commands that are the function of their name in the module of their name."""


def main() -> None:
    """The entry point: whatever ends a command is told in prose, never in a traceback."""
    prepared()
    sys.exit(ended(lambda: _run(sys.argv[1:])))


def _run(arguments: Sequence[str]) -> None:
    """Runs what is asked for; a shell that completes a word may want any of the commands."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", ())
    completing = "_DLSPEC_COMPLETE" in os.environ
    plain = bool(rest) and not completing and not any(word.startswith("-") for word in rest)
    if name == "validate" and plain:
        from .validate_files import validate_files

        sys.exit(validate_files(rest))
    if name == "diff" and plain:
        from .diff_as_text import diff_as_text

        sys.exit(diff_as_text(rest))
    if name in ALONE and not completing:
        from .root_command import without_commands

        app = without_commands()
        app.command()(getattr(import_module(f".{name}", __package__), name))
    else:
        from .app import app
        from .complete import at_the_first_key

        at_the_first_key()
    app(prog_name="dlspec")
