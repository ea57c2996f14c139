"""The command `dlspec` before it has any of its own commands."""

from __future__ import annotations

from typing import Annotated

import typer


def _version(wanted: bool) -> None:
    if wanted:
        from ..results.distribution import dlspec_version  # reads what is installed: 10 ms that no other command needs

        print(f"dlspec {dlspec_version()}")
        raise typer.Exit


def without_commands() -> typer.Typer:
    """The command as it is before it has any."""
    app = typer.Typer(
        help="Specs of experiments on how deep learning fails: written down, run, reviewed.",
        no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip

    @app.callback()
    def dlspec(
        version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Prints the version.")] = False,
    ) -> None:  # fmt: skip
        """Specs of experiments on how deep learning fails: written down, run, reviewed."""

    return app
