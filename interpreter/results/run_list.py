"""Runs that were kept: their folders found, listed, filtered and read. Listing reads `run.json` alone."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from dlspec.spec.diagnostics.problems import did_you_mean, listing, sentence

from .errors import StoreError, explained
from .folder_names import TENSORBOARD
from .json_shapes import READ, SHAPES, filled, is_counts


@dataclass(frozen=True)
class RunRecord:
    """A run's folder and what its `run.json` says."""

    folder: Path
    about: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def study(self) -> str:
        """The study that was run."""
        return str(self.about.get("study") or "")

    @property
    def profile(self) -> str:
        """The profile it was run in."""
        return str(self.about.get("profile") or "")

    @property
    def overrides(self) -> tuple[str, ...]:
        """The overrides that it was run with, `path=value` each; of a run of before they are read from its command."""
        return self._given("overrides", "-o")

    @property
    def only(self) -> tuple[str, ...]:
        """What of the study was run, `experiment` or `experiment/variant`; nothing where it is all."""
        return self._given("only", "--only")

    def _given(self, entry: str, option: str) -> tuple[str, ...]:
        if isinstance(self.about.get(entry), list):
            return tuple(map(str, self.about[entry]))
        command = self.about.get("command")
        words = list(map(str, command)) if isinstance(command, list) else []
        return tuple(after for word, after in pairwise(words) if word == option)

    @property
    def finished(self) -> datetime:
        """When it ended."""
        found = datetime.fromisoformat(self.about["finished"])
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

    @cached_property
    def replicates(self) -> Mapping[str, int]:
        """How many replicates ended how."""
        if is_counts(self.about.get("cells")):
            return dict(self.about["cells"])
        return Counter(replicate["status"] for replicate in self.read("cells.json"))

    @cached_property
    def verdicts(self) -> Mapping[str, int]:
        """How many claims came out how."""
        if is_counts(self.about.get("verdicts")):
            return dict(self.about["verdicts"])
        return Counter(claim["verdict"] for claim in self.read("claims.json"))

    @property
    def command_line(self) -> str:
        """The command that ran it, as it is typed."""
        return shlex.join(["dlspec", *map(str, self.about.get("command", ()))])

    @property
    def study_text(self) -> str:
        """The study's text as it was run; empty where it is not there. Raises OSError, and UnicodeDecodeError where it is none."""
        path = self.folder / "spec.yaml"
        return path.read_text("utf-8") if path.exists() else ""

    def read(self, name: str) -> Any:
        """One of its JSON files; an empty list if it is not there. Raises StoreError, also where its shape is another."""
        path = self.folder / name
        try:
            if not path.exists():
                return []
            found = json.loads(path.read_text("utf-8"))
            return filled(found, SHAPES[name], READ.get(name, dict)) if name in SHAPES else found
        except (OSError, ValueError, RecursionError) as error:
            why = f"{error.strerror}" if isinstance(error, OSError) and error.strerror else str(error)
            raise StoreError(
                f"{path}: cannot be read: {why}", "The replicates are still in the store: run the study again."
            ) from error

    def size(self) -> int:
        """Its bytes on the disk."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def read(folder: Path) -> RunRecord:
    """The run in a folder. Raises OSError, and ValueError where its `run.json` is none."""
    about = json.loads((folder / "run.json").read_text("utf-8"))
    if not isinstance(about, dict):
        raise ValueError("it is not an object")
    return RunRecord(folder, about)


def list_runs(root: Path, unreadable: list[str] | None = None) -> list[RunRecord]:
    """The runs under a folder, the newest first, without drafts; what cannot be read is named in `unreadable`.

    Raises StoreError where it is no folder, or one that may not be looked into.
    """
    found = []
    try:
        if not root.is_dir() and root.exists():
            raise StoreError(f"{root}: this is a file, not a folder of runs", "Name another with --runs.")
        os.listdir(root)
    except FileNotFoundError:
        return []
    except OSError as error:
        hint = "Give yourself permission to read there, or name another folder with --runs."
        raise StoreError(f"{root}: cannot be read: {error.strerror}", hint) from None
    for path in sorted(root.glob("[!.]*/run.json")):
        try:
            run = read(path.parent)
            found.append((run.finished, run.name, run))
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            if unreadable is not None:
                why = f"it has no {error}" if isinstance(error, KeyError) else error
                unreadable.append(f"{path}: cannot be read: {why}")
    return [run for _, _, run in sorted(found, key=lambda item: item[:2], reverse=True)]


def countable_runs(root: Path, unreadable: list[str]) -> list[RunRecord]:
    """The runs under a folder whose replicates and verdicts can be counted, the newest first; others are named in `unreadable`.

    Raises StoreError as `list_runs`.
    """
    countable = []
    for run in list_runs(root, unreadable):
        try:
            assert run.replicates is not None and run.verdicts is not None
            countable.append(run)
        except StoreError as error:
            unreadable.append(f"{error.problems[0].message}. {error.problems[0].hint}")
    return countable


def chosen(
    runs: Sequence[RunRecord], study: str | None = None, profile: str | None = None, since: datetime | None = None,
    verdict: str | None = None,
) -> list[RunRecord]:  # fmt: skip
    """The runs that satisfy every filter that is given."""
    if since is not None and since.tzinfo is None:
        since = since.astimezone(UTC)
    return [
        run
        for run in runs
        if (study is None or run.study == study)
        and (profile is None or run.profile == profile)
        and (since is None or run.finished >= since)
        and (verdict is None or run.verdicts.get(verdict, 0) > 0)
    ]


def named(root: Path, word: str) -> RunRecord:
    """The run that a word names: a folder, a run's name, or the beginning of one alone. Raises StoreError."""
    runs = list_runs(root)
    for run in runs:
        if run.name == word:
            return run
    near = [run for run in runs if run.name.startswith(word)]
    if len(near) == 1:
        return near[0]
    path = Path(word)
    if (path / "run.json").is_file():
        return next(run for run in list_runs(path.resolve().parent) if run.name == path.resolve().name)
    if near:
        names = listing([run.name for run in near], 6)
        raise StoreError(f"'{word}' begins the names of {len(near)} runs", f"They are {names}.")
    hint = sentence(did_you_mean(word, [run.name for run in runs]), "`dlspec runs` lists them all.")
    raise StoreError(f"{root}: there is no run '{word}'", hint)


def newest(root: Path) -> RunRecord:
    """The run that ended last. Raises StoreError where there is none."""
    runs = list_runs(root)
    if not runs:
        raise StoreError(f"{root}: no runs yet", "Make one with `dlspec run FILE`, or name another folder with --runs.")
    return runs[0]


def prunable(runs: Sequence[RunRecord], keep: int) -> list[RunRecord]:
    """All but the newest so many runs of each study and profile; `runs` has the newest first."""
    seen: Counter[tuple[str, str]] = Counter()
    doomed = []
    for run in runs:
        seen[run.study, run.profile] += 1
        if seen[run.study, run.profile] > keep:
            doomed.append(run)
    return doomed


def referenced_keys(runs: Sequence[RunRecord]) -> set[str]:
    """The keys of the stored replicates that runs show. Raises StoreError where one can't be read: it may show any."""
    return {replicate["key"] for run in runs for replicate in run.read("cells.json") if replicate.get("key")}


def remove(root: Path, run: RunRecord) -> None:
    """Removes a run's folder; what is half removed is no run any more. Raises StoreError."""
    with explained(root):
        (run.folder / "run.json").unlink(missing_ok=True)
        shutil.rmtree(run.folder)
        shutil.rmtree(root / TENSORBOARD / run.name, ignore_errors=True)


def drafts(root: Path, seconds: float) -> Iterator[Path]:
    """What killed processes left behind of runs, drafts and event files: those as old as `seconds`."""
    now = datetime.now(UTC).timestamp()
    for path in root.glob(".*-*Z-*"):
        if path.is_dir() and now - path.stat().st_mtime > seconds:
            yield path
    for path in (root / TENSORBOARD).glob("*Z*"):
        if not (root / path.name).exists() and now - max(map(_changed, [path, *path.rglob("*")])) > seconds:
            yield path


def _changed(path: Path) -> float:
    return path.stat().st_mtime
