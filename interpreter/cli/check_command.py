"""The command `dlspec-check` of the small distribution: `validate`, `fmt`, `diff` and `merge` without what a run needs.

It loads neither TensorFlow nor typer: hooks and continuous integration install it in seconds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

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
    if options.command == "diff":
        from .diff_files import diff_files, show_json, show_markdown

        return diff_files((options.before, options.after), options.runs, show_json if options.json else show_markdown)
    if options.command == "merge":
        from .merge_files import merge_files

        files = (options.base, options.ours, options.theirs)
        return merge_files(files, options.size, options.path, options.output, options.stdout)
    if options.command == "validate":
        return validate_files(options.files, Format(options.format), options.only_studies)
    return Formatting(options.check, options.diff, options.only_studies, options.only_valid).files(options.files)


def _parser(forms: Sequence[str]) -> argparse.ArgumentParser:
    """The options of `dlspec validate`, `fmt`, `diff` and `merge`, under the same names; what differs is told as Markdown."""
    parser = argparse.ArgumentParser(
        prog="dlspec-check", description="Checks, formats, compares and merges studies; runs nothing."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    validate = commands.add_parser("validate", help="checks studies in all their profiles")
    validate.add_argument("--format", choices=forms, default=forms[0], help="how problems are printed")
    fmt = commands.add_parser("fmt", help="writes studies in their canonical form")
    fmt.add_argument("--check", action="store_true", help="writes nothing; ends with 1 if a file would change")
    fmt.add_argument("--diff", action="store_true", help="writes nothing; prints what would change")
    fmt.add_argument("--only-valid", action="store_true", help="leaves invalid files as they are, with a line for each")
    for command in (validate, fmt):
        command.add_argument("--only-studies", action="store_true", help="skips files without a key `dlspec`")
        command.add_argument("files", nargs="+", metavar="FILE", help="studies")
    diff = commands.add_parser("diff", help="shows what changes between two studies, by meaning, as Markdown")
    sides = "a file, `REV:path` of git, `-` for standard input, or a directory if the other is one"
    diff.add_argument("before", metavar="A", help=sides)
    diff.add_argument("after", metavar="B", help="the same")
    diff.add_argument("--md", action="store_true", help="prints GitHub-flavoured Markdown (the default)")
    diff.add_argument("--json", action="store_true", help="prints one JSON object")
    diff.add_argument("--runs", type=Path, default=Path("runs"), help="where runs are stored")
    merge = commands.add_parser("merge", help="merges two versions of a study by meaning")
    merge.add_argument("base", metavar="BASE", help="the common ancestor; an empty file if there is none")
    merge.add_argument("ours", metavar="OURS", help="the version whose layout is kept; its file receives the result")
    merge.add_argument("theirs", metavar="THEIRS", help="the other version")
    merge.add_argument("size", metavar="SIZE", nargs="?", type=int, default=7, help="git's %%L")
    merge.add_argument("path", metavar="PATH", nargs="?", help="the file's name in messages: git's %%P")
    place = merge.add_mutually_exclusive_group()
    place.add_argument("-o", "--output", metavar="FILE", type=Path, help="writes the result here instead of to OURS")
    place.add_argument("--stdout", action="store_true", help="prints the result, and leaves OURS as it is")
    return parser


if __name__ == "__main__":
    main()
