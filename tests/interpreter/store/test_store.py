"""The store: what is found again, what is not, who runs what, and what a damaged file costs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from dlspec.interpreter.results.atomic_files import draft_folder
from dlspec.interpreter.results.errors import StoreError
from dlspec.interpreter.results.replicates import Replicate
from dlspec.interpreter.store import files
from dlspec.interpreter.store.checkpoints import Checkpoint, SideBySide
from dlspec.interpreter.store.leases import Lease
from dlspec.interpreter.store.repair import repair
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.interpreter.store.store import Store

Asked = Callable[..., list[CellRequest]]
Make = Callable[..., Replicate]
EVERY = (0, 1, 2)


class Opened:
    """Stores on one folder, as several processes would have them, and what they warned of."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.warnings: list[str] = []
        self.stores: list[Store] = []

    def __call__(self) -> Store:
        self.stores.append(Store(self.root, self.warnings.append))
        return self.stores[-1]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    made = Opened(tmp_path / "store")
    yield made
    for store in made.stores:
        store.close()


def put(
    store: Store, own: CellRequest, make: Make, numbers: tuple[int, ...] = EVERY, status: str = "done"
) -> list[Replicate]:
    """Claims replicates of a program and stores invented results."""
    batch = ReplicateBatch(own, numbers)
    assert store.acquire(batch).mine == numbers
    replicates = [make(own, number, status) for number in numbers]
    store.commit([(batch, replicates)], {"dlspec": "0"})
    return replicates


def found(store: Store, own: CellRequest, numbers: tuple[int, ...] = EVERY) -> list[Replicate | None]:
    return store.find([(own, number) for number in numbers])


def count(store: Store, table: str) -> int:
    return int(store.index.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


# -- what is found ---------------------------------------------------------------------------------------------------


def test_what_was_stored_is_found_to_the_bit(
    asked: Asked, make_cell: Make, opened: Opened, same_cell: Callable[[Replicate, Replicate], None]
) -> None:
    first, second = asked()
    replicates = put(opened(), first, make_cell)
    again = found(opened(), asked()[0])
    for one, other in zip(replicates, again, strict=True):
        assert other is not None and other.stored and other.key == one.key
        same_cell(one, other)
    assert found(opened(), second) == [None, None, None]
    assert not opened.warnings


@pytest.mark.parametrize(
    "change",
    [
        ("batch: 8", "batch: 9"),
        ("steps: 40", "steps: 50"),
        ("normal([3])\"}, example", "2 * normal([3])\"}, example"),
        ("experiments:\n  line:", "experiments:\n  curve:"),
        ("examples: 64", "examples: 65"),
        ("E((f - y)^2)", "E(abs(f - y))"),
        ("every: 10", "every: 4"),
        ("y: {target: y, learnt: f}", "y: {target: y, learnt: 2 * f}"),
    ],
)  # fmt: skip
def test_a_change_of_meaning_is_another_cell(
    change: tuple[str, str], asked: Asked, make_cell: Make, opened: Opened
) -> None:
    put(opened(), asked()[0], make_cell)
    assert found(opened(), asked(change)[0]) == [None, None, None]


@pytest.mark.parametrize(
    "change",
    [
        ("check: final(error) < 10", "check: final(error) < 20"),
        ("measures: {error: E((f - y)^2), spread", "measures: {mistake: E((f - y)^2), spread"),
        ("learnt: f", "guessed: f"),
        ("fit: {kind", "another: {kind"),
        ("study: small", "study: large"),
        ("replicates: 3", "replicates: 4"),
    ],
)  # fmt: skip
def test_a_change_of_words_is_the_same_cell(
    change: tuple[str, str], asked: Asked, make_cell: Make, opened: Opened
) -> None:
    replicates = put(opened(), asked()[0], make_cell)
    more = (change, ("final(error)", "final(mistake)")) if "mistake" in change[1] else (change,)
    own = asked(*more)[0]
    again = found(opened(), own)
    for one, other in zip(replicates, again, strict=True):
        assert other is not None
        assert set(other.curves) == {measure.name for measure in own.program.measures}
        assert [np.asarray(v).tobytes() for v in other.curves.values()] == [
            np.asarray(v).tobytes() for v in one.curves.values()
        ]
        assert list(other.samples) == [probe.figure for probe in own.program.probes]


def test_a_cell_that_holds_more_serves_one_that_asks_for_less(asked: Asked, make_cell: Make, opened: Opened) -> None:
    replicates = put(opened(), asked()[0], make_cell)
    less = asked((', spread: "[E(f), E(f^2)]"', ""), ("every: 10", "every: 20"))[0]
    for one, other in zip(replicates, found(opened(), less), strict=True):
        assert other is not None and set(other.curves) == {"error"} and other.steps == [0, 20, 40]
        assert np.array_equal(np.asarray(other.curves["error"]), np.asarray(one.curves["error"])[[0, 2, 4]])


def test_only_missing_replicates_are_claimed(asked: Asked, make_cell: Make, opened: Opened) -> None:
    put(opened(), asked()[0], make_cell)
    more = asked(("replicates: 3", "replicates: 5"))[0]
    assert opened().acquire(ReplicateBatch(more, (0, 1, 2, 3, 4))) == Lease((3, 4), (), (0, 1, 2))


# -- replicates that diverged ---------------------------------------------------------------------------------------------


def diverged(own: CellRequest, make: Make, end: int) -> Replicate:
    replicate = make(own, 0, "diverged")
    kept = [place for place, step in enumerate(replicate.steps) if step <= end]
    replicate.steps = [replicate.steps[place] for place in kept]
    replicate.curves = {name: [values[place] for place in kept] for name, values in replicate.curves.items()}
    replicate.samples = {}
    replicate.end, replicate.message = end, "the loss term 'l' was not finite at step 25"
    return replicate


@pytest.mark.parametrize(
    "change", [(), (("every: 10", "every: 20"),), ((', spread: "[E(f), E(f^2)]"', ""),), (("every: 10", "every: 40"),)]
)
def test_a_diverged_cell_serves_what_is_taken_up_to_there(
    change: tuple[tuple[str, str], ...], asked: Asked, make_cell: Make, opened: Opened
) -> None:
    """Training would diverge again whatever is measured, and when."""
    own, store = asked()[0], opened()
    batch = ReplicateBatch(own, (0,))
    store.acquire(batch)
    store.commit([(batch, [diverged(own, make_cell, 25)])], {})
    (replicate,) = found(opened(), asked(*change)[0], (0,))
    assert replicate is not None and (replicate.status, replicate.end) == ("diverged", 25)


def test_what_a_version_before_ended_at_a_measure_runs_again(asked: Asked, make_cell: Make, opened: Opened) -> None:
    own, store = asked()[0], opened()
    batch = ReplicateBatch(own, (0,))
    store.acquire(batch)
    store.commit([(batch, [diverged(own, make_cell, 20)])], {})
    (name,) = store.index.files_of(batch.keys).values()
    (stored,) = files.read(store.replicates, name).held.values()
    assert own.served_by(stored)
    assert own.served_by({**stored, "cause": ""}), "it said nothing where training itself had diverged"
    assert not own.served_by({**stored, "cause": next(iter(own.measures.values()))})


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_what_did_not_end_is_not_stored(status: str, asked: Asked, make_cell: Make, opened: Opened) -> None:
    own, store = asked()[0], opened()
    put(store, own, make_cell, status=status)
    assert found(store, own) == [None, None, None]
    assert opened().acquire(ReplicateBatch(own, EVERY)).mine == EVERY, "its claims were given back"


# -- claims ----------------------------------------------------------------------------------------------------------


def test_one_process_runs_a_cell_and_others_wait(asked: Asked, make_cell: Make, opened: Opened) -> None:
    own, one, other = asked()[0], opened(), opened()
    assert one.acquire(ReplicateBatch(own, (0, 1))) == Lease((0, 1), (), ())
    assert other.acquire(ReplicateBatch(own, EVERY)) == Lease((2,), (0, 1), ())
    one.commit([(ReplicateBatch(own, (0, 1)), [make_cell(own, r) for r in (0, 1)])], {})
    assert other.acquire(ReplicateBatch(own, (0, 1))) == Lease((), (), (0, 1))
    assert one.acquire(ReplicateBatch(own, EVERY)) == Lease((), (2,), (0, 1))


def test_a_dead_process_claims_nothing(asked: Asked, opened: Opened) -> None:
    own, dead = asked()[0], opened()
    dead.acquire(ReplicateBatch(own, EVERY))
    (dead.root / "cells").mkdir()
    (dead.root / "cells" / f".draft-{dead.owner.name}-x").write_text("half a file")
    dead.index.close()
    dead.owner.lock.release()  # what the system does at a process' death
    opened.stores.remove(dead)
    assert opened().acquire(ReplicateBatch(own, EVERY)).mine == EVERY
    assert not list((dead.root / "cells").iterdir()), "its drafts are gone"


def test_a_folder_that_a_killed_run_was_making_goes_with_its_process_and_no_other(opened: Opened) -> None:
    """Killed while it drew, or wrote its report, a run left `.STUDY-TIME-…` under `runs/` for good."""
    dead, living = opened(), opened()
    runs = dead.root.parent
    left = [draft_folder(runs, title, dead.owner.name) for title in ("study-1", "study-1-figures")]
    others = [draft_folder(runs, "study-2", living.owner.name), runs / ".study-of-mine", runs / "study-1"]
    for folder in others[1:]:
        folder.mkdir()
    (left[0] / "report.html").write_text("half a page")
    dead.index.close()
    dead.owner.lock.release()  # what the system does at a process' death
    opened.stores.remove(dead)
    opened()
    assert not any(folder.exists() for folder in left) and all(folder.exists() for folder in others)


def test_a_checkpoint_of_what_is_stored_goes_with_its_process(asked: Asked, make_cell: Make, opened: Opened) -> None:
    """As a process killed between storing a replicate batch and removing its checkpoint leaves it; others stay."""
    first, second = asked()
    third = asked(("batch: 8", "batch: 9"))[0]
    dead, living = opened(), opened()
    for own in (first, second, third):
        replicates = [make_cell(own, number) for number in EVERY]
        dead.checkpoints(ReplicateBatch(own, EVERY).name, {}, 0).save(
            Checkpoint(10, 1.0, [], replicates, SideBySide("", 1, 0, 3))
        )
    for own in (first, third):
        put(dead, own, make_cell)
    living.acquire(ReplicateBatch(third, EVERY), force=True)
    dead.index.close()
    dead.owner.lock.release()
    opened.stores.remove(dead)
    kept = {f"{ReplicateBatch(own, EVERY).name}.ckpt" for own in (second, third)}
    assert {path.name for path in (opened().root / "checkpoints").iterdir()} == kept


def test_a_part_that_was_written_and_not_listed_is_taken_up(asked: Asked, make_cell: Make, opened: Opened) -> None:
    """As a process killed between the file and the index leaves it: the replicates are not run a second time."""
    own, store = asked()[0], opened()
    files.write(store.replicates, ReplicateBatch(own, EVERY), [make_cell(own, r) for r in EVERY], {}, "")
    assert found(store, own) == [None, None, None]
    assert store.acquire(ReplicateBatch(own, EVERY)) == Lease((), (), EVERY)
    assert None not in found(store, own) and count(store, "claims") == 0


def test_force_claims_what_is_stored_and_replaces_it(asked: Asked, make_cell: Make, opened: Opened) -> None:
    own, store = asked()[0], opened()
    put(store, own, make_cell)
    (before,) = store.root.glob("cells/*/*.parquet")
    batch = ReplicateBatch(own, EVERY)
    assert store.acquire(batch, force=True).mine == EVERY
    replicates = [make_cell(own, r) for r in EVERY]
    replicates[1].curves["error"] = [value + 1 for value in replicates[1].curves["error"]]
    store.commit([(batch, replicates)], {})
    (after,) = store.root.glob("cells/*/*.parquet")
    assert after != before and count(store, "parts") == 1 and count(store, "cells") == 3
    again = found(opened(), own)[1]
    assert again is not None and np.array_equal(
        np.asarray(again.curves["error"]), np.asarray(replicates[1].curves["error"])
    )
    assert {row[0] for row in store.index.connection.execute("SELECT ends FROM cells")} == {2}


# -- damage ----------------------------------------------------------------------------------------------------------


def corrupt(path: Path, how: str) -> None:
    whole = path.read_bytes()
    if how == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "changed":
        path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    elif how == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["truncated", "changed", "empty", "gone"])
@pytest.mark.parametrize("ending", ["parquet", "npz"])
def test_a_damaged_file_is_set_aside_and_its_cells_run_again(
    how: str, ending: str, asked: Asked, make_cell: Make, opened: Opened
) -> None:
    first, second = asked()
    store = opened()
    put(store, first, make_cell)
    put(store, second, make_cell)
    name = ReplicateBatch(first, EVERY).name
    (path,) = store.root.glob(f"cells/*/{name}.*.{ending}")
    corrupt(path, how)
    other = opened()
    assert found(other, first) == [None, None, None]
    assert len(opened.warnings) == 1 and path.name in opened.warnings[0] and "run again" in opened.warnings[0]
    assert None not in found(other, second), "other cells are intact"
    assert not path.exists() and not list(store.root.glob(f"cells/*/{name}.*.parquet"))
    assert (store.root / "damaged" / path.name).exists() == (how != "gone")
    put(other, first, make_cell)
    assert None not in found(opened(), first) and len(opened.warnings) == 1


def test_a_damaged_index_says_so_and_is_made_anew(asked: Asked, make_cell: Make, opened: Opened) -> None:
    first, second = asked()
    store = opened()
    put(store, first, make_cell)
    put(store, second, make_cell, (0, 2))
    store.close()
    opened.stores.clear()
    index = opened.root / "index.sqlite"
    whole = index.read_bytes()
    for broken in (whole[: len(whole) // 2], b"x" * len(whole), whole[:4096] + b"\xff" * 4096 + whole[8192:]):
        index.write_bytes(broken)
        with pytest.raises(StoreError, match="damaged") as error:
            opened()
        assert "dlspec runs repair" in error.value.problems[0].hint
        assert index.read_bytes() == broken, "nothing was changed"
    done = repair(opened.root)
    assert (done.replicates, done.damaged) == (5, ())
    assert done.index is not None and done.index.read_bytes() == broken
    again = opened()
    assert None not in found(again, first) and [replicate is None for replicate in found(again, second)] == [
        False,
        True,
        False,
    ]
    assert again.index.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_store_in_use_is_not_repaired(asked: Asked, make_cell: Make, opened: Opened) -> None:
    put(opened(), asked()[0], make_cell)
    with pytest.raises(StoreError, match="1 other process uses the store"):
        repair(opened.root)


def test_repair_sets_damaged_cells_aside(asked: Asked, make_cell: Make, opened: Opened) -> None:
    store = opened()
    for own in asked():
        put(store, own, make_cell)
    store.close()
    opened.stores.clear()
    corrupt(next(iter(store.root.glob("cells/*/*.parquet"))), "changed")
    done = repair(store.root)
    assert done.replicates == 3 and len(done.damaged) == 1


def test_another_version_is_refused_and_left_alone(opened: Opened) -> None:
    opened().close()
    opened.stores.clear()
    for version, word in ((99, "a newer dlspec"), (0, "an older dlspec")):
        with sqlite3.connect(opened.root / "index.sqlite") as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        with pytest.raises(StoreError, match=word):
            opened()
        with sqlite3.connect(opened.root / "index.sqlite") as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (version,)
        connection.close()


def test_anothers_database_is_refused_and_left_alone(opened: Opened) -> None:
    opened.root.mkdir()
    with sqlite3.connect(opened.root / "index.sqlite") as connection:
        connection.execute("CREATE TABLE songs(name)")
    connection.close()
    with pytest.raises(StoreError, match="not a store of dlspec"):
        opened()


# -- pruning ---------------------------------------------------------------------------------------------------------


def test_pruning_keeps_what_is_to_be_kept_and_what_is_claimed(asked: Asked, make_cell: Make, opened: Opened) -> None:
    first, second = asked()
    third = asked(("batch: 8", "batch: 9"))[0]
    store, other = opened(), opened()
    for own in (first, second, third):
        put(store, own, make_cell)
    (store.weights / second.key(0)).mkdir(parents=True)
    other.acquire(ReplicateBatch(third, EVERY), force=True)
    keep = {first.key(1)}
    size = sum(path.stat().st_size for path in store.root.glob(f"cells/*/{ReplicateBatch(second, EVERY).name}.*"))
    assert store.prune(keep, dry=True) == (3, size)
    assert None not in found(store, second), "a dry run removes nothing"
    assert store.prune(keep, dry=False) == (3, size)
    assert found(store, second) == [None, None, None]
    assert None not in found(store, first) and None not in found(store, third)
    assert not list(store.root.glob(f"cells/*/{ReplicateBatch(second, EVERY).name}.*"))
    assert not (store.weights / second.key(0)).exists()
    assert not opened.warnings
