"""Studies written in their canonical form, or compared with it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlspec import spec

from ..results.atomic_files import replace_file
from .problems_told import tell_problems
from .text.line_difference import line_difference

DONE, CHANGES, TROUBLE = 0, 1, 2


@dataclass(frozen=True)
class Formatting:
    """What becomes of each study.

    Args:
        check: Nothing is written; a file that would change is named.
        diff: Nothing is written; what would change is printed.
        only_studies: Files without a key `dlspec` are passed over.
        only_valid: A file with errors is named and left, and is no trouble: `dlspec validate` says what they are.
    """

    check: bool = False
    diff: bool = False
    only_studies: bool = False
    only_valid: bool = False

    def files(self, files: Sequence[str]) -> int:
        """Takes up file after file, and returns the exit code: 1 if one would change and this is a check, 2 for trouble."""
        if "-" in files and len(files) > 1:
            print("`-` takes no other files beside it: standard input is one study", file=sys.stderr)
            return TROUBLE
        codes = {self._file(file) for file in files}
        return max(codes, default=DONE)

    def _file(self, file: str) -> int:
        from dlspec.spec.format import formatted

        try:
            source = spec.decode(sys.stdin.buffer.read(), "<stdin>") if file == "-" else spec.read(file)
            if self.only_studies and not spec.is_study(source.text):
                return DONE
            text = formatted(source)
        except spec.StudyError as error:
            if self.only_valid:
                print(f"{file}: is not a valid study, and was left as it is", file=sys.stderr)
                return DONE
            tell_problems(error.problems)
            return TROUBLE
        except spec.InternalError as error:
            print(error, file=sys.stderr)
            return TROUBLE
        return self._out(file, source.name, source.text, text)

    def _out(self, file: str, name: str, before: str, after: str) -> int:
        changed = before != after
        if self.diff:
            sys.stdout.writelines(line_difference(before, after, (name, f"{name} (formatted)")))
        if self.check and changed:
            print(f"{name}: would be formatted", file=sys.stderr)
        if self.check or self.diff:
            return CHANGES if self.check and changed else DONE
        if file == "-":
            sys.stdout.write(after)
        elif changed and not _written(file, after):
            return TROUBLE
        return DONE


def _written(name: str, text: str) -> bool:
    """Puts a text in the place of a file's, whole or not at all; a link stays a link."""
    try:
        path = Path(name).resolve()
        replace_file(path, text.encode(), path.stat().st_mode & 0o7777)
    except OSError as error:
        print(f"{name}: cannot be written: {error.strerror}; it is unchanged", file=sys.stderr)
        return False
    print(f"{name}: formatted", file=sys.stderr)
    return True
