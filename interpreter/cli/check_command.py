"""The command `dlspec-check` of the small distribution: `validate` and `fmt` without what a run needs.

It loads neither TensorFlow nor typer: hooks and continuous integration install it in seconds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..short_command import begin


def main() -> None:
    """The entry point: whatever ends a command is told in prose, never in a traceback."""
    begin()
    from .exit_codes import ended
    from .standard_output import prepared

    prepared()
    sys.exit(ended(lambda: sys.exit(check(sys.argv[1:]))))


def check(arguments: Sequence[str]) -> int:
    """Runs a command of this distribution, and returns its exit code."""
    from .format_files import Formatting
    from .validate_files import Format, validate_files

    options = _parser([form.value for form in Format]).parse_args(arguments)
    if options.command == "validate":
        return validate_files(options.files, Format(options.format), options.only_studies)
    return Formatting(options.check, options.diff, options.only_studies, options.only_valid).files(options.files)


def _parser(forms: Sequence[str]) -> argparse.ArgumentParser:
    """The options of `dlspec validate` and `dlspec fmt`, under the same names."""
    parser = argparse.ArgumentParser(prog="dlspec-check", description="Checks and formats studies; runs nothing.")
    commands = parser.add_subparsers(dest="command", required=True)
    validate = commands.add_parser("validate", help="checks studies in all their profiles")
    validate.add_argument("--format", choices=forms, default=forms[0], help="how problems are printed")
    fmt = commands.add_parser("fmt", help="writes studies in their canonical form")
    fmt.add_argument("--check", action="store_true", help="writes nothing; ends with 1 if a file would change")
    fmt.add_argument("--diff", action="store_true", help="writes nothing; prints what would change")
    fmt.add_argument("--only-valid", action="store_true", help="leaves files that are not valid, in a line each")
    for command in (validate, fmt):
        command.add_argument("--only-studies", action="store_true", help="passes over files without a key `dlspec`")
        command.add_argument("files", nargs="+", metavar="FILE", help="studies")
    return parser


if __name__ == "__main__":
    main()
