"""A run as one file, with what is stored of its replicates; and such a file taken in elsewhere."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dlspec import spec
from dlspec.spec.data_files.named_in_a_study import named_files
from dlspec.spec.diagnostics.problems import listing
from dlspec.spec.resolve.overrides import Override

from ..report import write_report
from ..results.archive import SUFFIX, names_of, pack, unpack
from ..results.atomic_files import replaced
from ..results.errors import StoreError, explained
from ..results.folder_names import REPORT, STORE
from ..results.optional_outputs import Aside
from ..results.replicates import Array, Replicate
from ..results.run_list import RunRecord, read
from ..results.run_reader import results
from ..store.read_only import ReadStore
from ..store.store import Store
from .citation import line, study_line
from .contradictions import contradictions

CITATION = "CITATION.txt"
WEIGHTS = "weights"
"""Where a store keeps final weights, a folder a replicate."""


@dataclass(frozen=True)
class Packed:
    """An archive: its file, its bytes, how many replicates are in it with all that is stored of them, and of how many the run is.

    `left_out` says in words what belongs to the run and is not in it, each with how it gets in.
    """

    file: Path
    bytes: int
    replicates: int
    of: int
    left_out: tuple[str, ...] = ()


def packed(
    run: RunRecord, file: Path | None, warn: Callable[[str], None], weights: bool = False, data: Path | None = None
) -> Packed:
    """Writes a run into an archive: its folder, a line to cite it by, and the result files of its replicates. Raises StoreError.

    With `weights` those that were kept go in, too, and with `data`, the study's folder, its data files.
    """
    place = file or Path(f"{run.name}{SUFFIX}")
    keys = [entry["key"] for entry in run.read("cells.json") if entry.get("key")]
    held: dict[str, str] = {}
    stored: list[Path] = []
    root = run.folder.parent / STORE
    later = 0
    if keys and (root / "index.sqlite").exists():
        with ReadStore(root, warn) as store:
            held, stored = store.result_files(keys)
            later = _trained_later(run, store, held)
    there = sum(key in held for key in keys)  # cells that mean the same have one key
    if there < len(keys):
        warn(
            f"{len(keys) - there} of {len(keys)} replicates are no longer in the store: of these the archive has only curves and finals"
        )
    if later:
        warn(
            f"{later} of {len(keys)} replicates were trained again since, with other numbers, for example by `run --force`: "
            "the archive has the run's own as curves and finals, and the later ones as results to continue from"
        )

    kept = [path for key in dict.fromkeys(keys) for path in sorted((root / WEIGHTS / key).glob("*")) if path.is_file()]
    named = data_files(run)
    left_out = []
    if kept and not weights:
        count = len({path.parent for path in kept})
        left_out.append(f"kept weights of {count} replicate{'' if count == 1 else 's'} (--weights)")
    if named and data is None:
        left_out.append(f"data files {listing(named, 4)} (--data FOLDER, the study's)")
    if data is not None and (lacking := [name for name in named if not (data / name).is_file()]):
        raise StoreError(f"{data}: there is no data file {lacking[0]} in it", "Name the study's folder with --data.")

    def files() -> Iterator[tuple[str, Path | bytes]]:
        for path in sorted(run.folder.rglob("*")):
            if path.is_file():
                yield f"{run.name}/{path.relative_to(run.folder).as_posix()}", path
        if citation := cited(run, warn):
            yield f"{run.name}/{CITATION}", (citation + "\n").encode()
        for path in stored:
            yield f"{STORE}/cells/{path.parent.name}/{path.name}", path
        for path in kept if weights else ():
            yield f"{STORE}/{WEIGHTS}/{path.parent.name}/{path.name}", path
        for name in named if data is not None else ():
            yield f"{run.name}/{name}", (data or Path()) / name

    return Packed(place, pack(place, files()), there, len(keys), tuple(left_out))


def _trained_later(run: RunRecord, store: Store, files: Mapping[str, str]) -> int:
    """How many replicates of a run are stored, in `files` by their keys, with other curves than its own; none where these cannot be read."""
    try:
        replicates = [one for found in results(run).values() for one in found.replicates]
    except StoreError:
        return 0
    own, later = {one.key: one for one in replicates}, set()
    for name in dict.fromkeys(files.values()):
        for key, steps, curves in store.curves(name):
            if key in own and not _are_among(own[key], steps, curves):
                later.add(key)
    return sum(one.key in later for one in replicates)


def _are_among(replicate: Replicate, steps: Sequence[int], curves: Sequence[Array]) -> bool:
    """Whether each curve of a replicate is one of some curves, which may have more steps; measures may be called otherwise there."""
    place = {step: number for number, step in enumerate(steps)}
    if not place.keys() >= set(replicate.steps):
        return False
    at = [place[step] for step in replicate.steps]
    return all(
        any(np.array_equal(np.asarray(own), curve[at], equal_nan=True) for curve in curves)
        for own in replicate.curves.values()
    )


def data_files(run: RunRecord) -> list[str]:
    """The data files that a run's study names, by their places in its folder; those that lie elsewhere are no part of an archive."""
    try:
        return named_files(spec.read(run.folder / "spec.yaml"))
    except spec.StudyError:  # of another version of the language
        return []


def cited(run: RunRecord, warn: Callable[[str], None]) -> str:
    """The line that a run is cited by; nothing, with a warning, where its study can't be read any more."""
    with Aside(warn).part("the line to cite it by", "The rest is here"):
        document = spec.load(run.folder / "spec.yaml")
        version = str((run.about.get("packages") or {}).get("dlspec", ""))
        if design := run.about.get("design"):  # it reads data files, which lie elsewhere
            return line(document.study, str(design), version, run.profile, run.overrides, run.about)
        overrides = [Override.read(text) for text in run.overrides]
        plan = spec.resolve(document, run.profile or None, overrides, run.only)
        return study_line(document, plan, version, run.about)
    return ""


@dataclass(frozen=True)
class Unpacked:
    """What an archive gave: the run, whether it was there already, and how many result files were new to the store."""

    run: RunRecord
    there: bool
    files: int


def unpacked(file: Path, runs: Path, warn: Callable[[str], None]) -> Unpacked:
    """Takes an archive in: the run's folder under `runs`, and the results of its replicates into the store there. Raises StoreError.

    Its report is made anew from its numbers: the page of the archive may hold anything.
    """
    name = run_name(file)
    with explained(runs):
        runs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacked-", dir=runs) as folder:
        whole = Path(folder)
        unpack(file, whole)
        given = whole / name
        (given / REPORT).unlink(missing_ok=True)
        _readable(file, given)
        there = (runs / name).exists()
        if there and not _same(given, runs / name):
            raise StoreError(
                f"{runs / name}: another run of this name exists already", "Name another folder with --runs."
            )
        with Store(runs / STORE, warn) as store:
            taken = store.take(whole / STORE)
            _take_weights(whole / STORE / WEIGHTS, store.weights)
        if not there:
            with explained(runs), replaced(runs / name, over=False) as draft:
                for path in sorted(given.rglob("*")):
                    if path.is_file():
                        (draft / path.relative_to(given)).parent.mkdir(parents=True, exist_ok=True)
                        path.rename(draft / path.relative_to(given))
            with Aside(warn).part("report", "The rest is here"):
                write_report(read(runs / name), runs / name / REPORT, name)
            for text in contradictions(read(runs / name)):
                warn(f"{file}: {text}")
    return Unpacked(read(runs / name), there, taken)


def _take_weights(given: Path, weights: Path) -> None:
    """Takes in kept weights of replicates of which none are there. They are read by nothing but Keras and NumPy, when they are asked for."""
    for folder in sorted(given.glob("*")) if given.is_dir() else ():
        if folder.is_dir() and not (weights / folder.name).exists():
            with explained(weights), replaced(weights / folder.name, over=False) as draft:
                for path in sorted(folder.iterdir()):
                    if path.suffix in (".keras", ".h5") or _is_array(path):
                        path.rename(draft / path.name)


def _is_array(path: Path) -> bool:
    """Whether a file is an array of numbers, as free parameters are kept; reading it unpickles nothing."""
    try:
        return path.suffix == ".npy" and np.load(path, mmap_mode="r", allow_pickle=False).dtype.kind in "biufc"
    except (OSError, ValueError, EOFError):
        return False


def run_name(file: Path) -> str:
    """The name of the run in an archive. Raises StoreError where it holds none, or more than one and a store."""
    names = names_of(file)
    runs = {name.split("/")[0] for name in names} - {STORE}
    if len(runs) != 1 or f"{(run := next(iter(runs)))}/run.json" not in names:
        raise StoreError(f"{file}: it contains no run", "`dlspec pack RUN` writes such an archive.")
    return run


def is_archive(word: str) -> bool:
    """Whether a word names an archive and no run."""
    return word.endswith(".zip") and Path(word).is_file()


def _readable(file: Path, folder: Path) -> None:
    """Raises StoreError where a run that was unpacked is none."""
    try:
        run = read(folder)
        assert run.finished is not None
        run.read("cells.json")
        run.read("claims.json")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{file}: the run in it cannot be read: {error}", "Nothing was taken in.") from None


def _same(one: Path, other: Path) -> bool:
    try:
        return bool(
            json.loads((one / "run.json").read_text("utf-8")) == json.loads((other / "run.json").read_text("utf-8"))
        )
    except (OSError, ValueError):
        return False
