"""Which studies differ between two commits: changed, renamed, added, removed, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dlspec import spec
from dlspec.interpreter.results.git_command import git
from dlspec.spec.diagnostics.problems import Source

SUFFIXES = (".yaml", ".yml")
LINK = "120000"


class GitError(Exception):
    """git can't be run, or doesn't do what was asked of it."""


@dataclass(frozen=True)
class ChangedStudy:
    """A study on both sides, with its paths; None where it is on one side only."""

    before: Source | None
    after: Source | None

    @property
    def path(self) -> str:
        """Its path, or both of them."""
        return " → ".join(dict.fromkeys(source.name for source in (self.before, self.after) if source is not None))

    @property
    def name(self) -> str:
        """The same in letters that neither Markdown nor a terminal takes for its own."""
        return plain(self.path)


def plain(text: str) -> str:
    """A name as a text of one line."""
    return "".join(letter if letter.isprintable() and letter not in "`<>" else "?" for letter in text)


def has_commit(revision: str) -> bool:
    """Whether a commit is there; one that a shallow clone lacks is fetched."""
    if revision.startswith("-"):
        return False
    done = git("cat-file", "-e", f"{revision}^{{commit}}")
    if done is not None and done.returncode == 0:
        return True
    done = git("fetch", "--quiet", "--no-tags", "--depth=1", "origin", revision, timeout=None)
    return done is not None and done.returncode == 0


def changed_studies(base: str, head: str, patterns: Sequence[str]) -> list[ChangedStudy]:
    """The studies that differ between two commits, among the files that patterns of git name. Raises GitError."""
    pairs = [(_study(base, before), _study(head, after)) for before, after in _files(base, head, patterns)]
    studies = [ChangedStudy(before, after) for before, after in pairs if before is not None or after is not None]
    return sorted(studies, key=lambda study: study.path)


def _files(base: str, head: str, patterns: Sequence[str]) -> Iterator[tuple[str | None, str | None]]:
    """Paths before and after; None where there is no such file."""
    listing = _git("diff", "--name-status", "-z", "--find-renames", "--no-ext-diff", base, head, "--", *patterns)
    words = iter(listing.decode("utf-8", "surrogateescape").split("\0"))
    for status in words:
        if status[:1] in ("R", "C"):
            before, after = next(words), next(words)
            yield (before if status[0] == "R" else None), after
        elif status:
            path = next(words)
            yield (None if status == "A" else path), (None if status == "D" else path)


def _study(revision: str, path: str | None) -> Source | None:
    """A file of a commit, if it is a study; a link is none."""
    if path is None or not path.endswith(SUFFIXES):
        return None
    entry = _git("ls-tree", "-z", revision, "--", f":(literal){path}").decode("utf-8", "surrogateescape")
    mode, _, rest = entry.partition(" ")
    if not entry or mode == LINK or not rest.startswith("blob "):
        return None
    text = _git("cat-file", "blob", rest.split()[1]).decode("utf-8-sig", "replace")
    return Source(path, text) if spec.is_study(text) else None


def _git(*arguments: str) -> bytes:
    done = git(*arguments, timeout=None)
    if done is None or done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip() if done is not None else "it cannot be run"
        raise GitError(f"git {arguments[0]}: {said}")
    return done.stdout
