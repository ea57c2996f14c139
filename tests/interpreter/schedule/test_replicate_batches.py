"""Which replicates are trained side by side: the cores are all used, and a run goes on with the replicate batches it began."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from dlspec.interpreter.cli.run_options import RunOptions
from dlspec.interpreter.cli.text.results import forms
from dlspec.interpreter.results.replicates import Results
from dlspec.interpreter.schedule.batching import group_size, split_into_batches
from dlspec.interpreter.schedule.progress import called
from dlspec.interpreter.schedule.scheduler import Progress
from dlspec.interpreter.store.checkpoints import Checkpoint, SideBySide
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.interpreter.store.store import Store
from dlspec.spec.ir.plan import Program

BODY = """
task: {example: {x: "normal([2])"}}
architecture: {f: {input: x, layers: [dense: 1]}}
loss: {square: f^2}
training: {optimizer: OPTIMIZER, batch: 8, steps: 4, evaluate: {examples: 8}}
measures: {m: E(f)}
replicates: 5
"""


OPTIONS = RunOptions("")


@pytest.fixture
def wanted(program: Callable[[str], Program]) -> CellRequest:
    return CellRequest.of(program(BODY.replace("OPTIMIZER", "{sgd: {}}")), "cpu")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", lambda text: pytest.fail(text))


def groups(progress: Progress) -> list[tuple[int, ...]]:
    return [batch.numbers for batch in progress.missing()]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (1, [(0, 1, 2, 3, 4)]),
        (2, [(0, 1), (2, 3, 4)]),
        (3, [(0,), (1, 2), (3, 4)]),
        (9, [(0,), (1,), (2,), (3,), (4,)]),
    ],
)
def test_parts_are_nearly_equal(wanted: CellRequest, parts: int, expected: list[tuple[int, ...]]) -> None:
    assert [batch.numbers for batch in split_into_batches(wanted, range(5), parts)] == expected


def test_a_part_keeps_its_replicates_when_others_are_stored(wanted: CellRequest) -> None:
    assert [batch.numbers for batch in split_into_batches(wanted, [1, 3, 4], 2)] == [(1,), (3, 4)]
    assert split_into_batches(wanted, [], 2) == []


def test_replicates_are_alone_where_an_optimiser_mixes_weights(program: Callable[[str], Program]) -> None:
    alone = CellRequest.of(program(BODY.replace("OPTIMIZER", "{lamb: {}}")), "cpu")
    assert [batch.numbers for batch in split_into_batches(alone, range(3))] == [(0,), (1,), (2,)]


@pytest.fixture
def rates(program: Callable[[str], Program]) -> list[CellRequest]:
    """Cells that differ in a number alone."""
    texts = [BODY.replace("OPTIMIZER", f"{{sgd: {rate}}}") for rate in (0.1, 0.2, 0.3)]
    return [CellRequest.of(program(text), "cpu") for text in texts]


def test_cells_side_by_side_are_parted_where_there_are_fewer_groups_than_run_at_once(rates: list[CellRequest]) -> None:
    """By replicates, which share no examples; each part is compiled for as many, so that one compilation serves both."""
    found = Progress(rates, jobs=2).missing()
    assert [batch.numbers for batch in found] == [(0, 1), (2, 3, 4)] * 3
    assert [batch.wide for batch in found] == [3, 0] * 3
    assert found[0].only((0, 1)).wide == 3 and found[0].only((1,)).wide == 0
    assert [batch.numbers for batch in Progress(rates, jobs=1).missing()] == [(0, 1, 2, 3, 4)] * 3
    assert [batch.numbers for batch in Progress(rates, jobs=3, grouped=False).missing()] == [(0, 1, 2, 3, 4)] * 3


def test_cells_with_too_few_replicates_are_parted_by_cells(rates: list[CellRequest]) -> None:
    few = [replace(one, program=replace(one.program, replicates=1)) for one in rates]
    parted = Progress(few, jobs=2)
    assert [batch.numbers for batch in parted.missing()] == [(0,)] * 3
    assert parted.cells_of_a_part(3, 1) == 2 and Progress(few, jobs=1).cells_of_a_part(3, 1) == 3


def test_cells_that_are_measured_only_are_in_groups_of_one_size(wanted: CellRequest) -> None:
    """Of five, two at once, the last would be compiled by itself; 37 one by one would be measured for long."""
    trained, measured = wanted.program, replace(wanted.program, training=None)

    def sizes(program: Program, whole: int, most: int) -> list[int]:
        left, found = whole, []
        while left:
            found.append(group_size(program, whole, left, most))
            left -= found[-1]
        return found

    assert sizes(trained, 5, 2) == [2, 2, 1] and sizes(measured, 5, 2) == [1] * 5
    assert sizes(measured, 12, 5) == [4, 4, 4] and sizes(measured, 37, 20) == [19, 18]
    assert sizes(measured, 3, 1024) == sizes(trained, 3, 1024) == [3]
    assert group_size(measured, 12, 3, 5) == 3, "what is left of a run that was interrupted"


def test_programs_are_parted_only_where_there_are_fewer_than_run_at_once(
    wanted: CellRequest, store: Store, program: Callable[[str], Program]
) -> None:
    other = CellRequest.of(program(BODY.replace("OPTIMIZER", "{adam: {}}")), "cpu")
    assert groups(Progress.of_store([wanted], store, OPTIONS, jobs=1)) == [(0, 1, 2, 3, 4)]
    assert groups(Progress.of_store([wanted], store, OPTIONS, jobs=2)) == [(0, 1), (2, 3, 4)]
    both = [wanted, other]
    assert groups(Progress.of_store(both, store, OPTIONS, jobs=2)) == [(0, 1, 2, 3, 4)] * 2
    assert len(Progress.of_store(both, store, OPTIONS, jobs=3).missing()) == 4


WIDE = (
    BODY.replace("[2]", "[1000]")
    .replace("dense: 1", "dense: 1000, dense: 1")
    .replace("f^2", "mean(f)^2")
    .replace("E(f)", "E(mean(f))")
)


@pytest.mark.parametrize(
    ("body", "numbers", "device", "jobs", "expected"),
    [
        (BODY, 1000, "cpu", 1, [1000]),
        (WIDE, 16, "cpu", 1, [1] * 16),
        (WIDE, 5, "cpu", 2, [1] * 5),
        (WIDE.replace("1000", "240"), 16, "cpu", 1, [8, 8]),
        (WIDE.replace("1000", "240"), 16, "cpu", 3, [5, 5, 6]),
        (WIDE.replace("1000", "240"), 20, "cpu", 2, [5, 5, 5, 5]),
        (WIDE.replace("1000", "240"), 8, "cpu", 1, [8]),
        (WIDE, 16, "gpu", 1, [16]),
        (WIDE.replace("dense: 1000", "conv1d: {filters: 2, kernel_size: 3}, flatten").replace("input: x", "input: 'reshape(x, [1000, 1])'"), 16, "cpu", 1, [16]),
    ],
)  # fmt: skip
def test_replicates_go_in_parts_where_they_would_not_stay_in_a_cpus_cache(
    program: Callable[[str], Program], body: str, numbers: int, device: str, jobs: int, expected: list[int]
) -> None:
    text = body.replace("OPTIMIZER", "{sgd: {}}").replace("replicates: 5", f"replicates: {numbers}")
    one = CellRequest.of(program(text), device)
    found = Progress([one], jobs=jobs).missing()
    assert [len(batch.numbers) for batch in found] == expected
    assert [number for batch in found for number in batch.numbers] == list(range(numbers))


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [((0,), " (replicate 0)"), ((1, 2), " (replicates 1 and 2)"), ((1, 2, 3), " (replicates 1 to 3)"),
     ((0, 2, 3), " (replicates 0, 2 and 3)"), ((0, 1, 2, 3, 4), "")],
)  # fmt: skip
def test_a_part_is_called_by_its_replicates(wanted: CellRequest, numbers: tuple[int, ...], shown: str) -> None:
    batch = ReplicateBatch(wanted, numbers)
    assert called(batch, 5) == f"{wanted.program.name}{shown}"


def test_batches_with_a_checkpoint_go_on_whatever_number_runs_at_once(wanted: CellRequest, store: Store) -> None:
    whole = split_into_batches(wanted, range(5))[0]
    checkpoints = store.checkpoints(whole.name, {}, 0)
    checkpoints.save(
        Checkpoint(2, 1.0, [], [wanted.replicate(number) for number in whole.numbers], SideBySide("", 1, 0, 2))
    )
    assert groups(Progress.of_store([wanted], store, OPTIONS, jobs=2)) == [(0, 1, 2, 3, 4)]
    checkpoints.remove()
    third = split_into_batches(wanted, range(5), 3)[2]
    store.checkpoints(third.name, {}, 0).save(
        Checkpoint(2, 1.0, [], [wanted.replicate(r) for r in third.numbers], SideBySide("", 1, 0, 2))
    )
    assert groups(Progress.of_store([wanted], store, OPTIONS, jobs=2)) == [(0,), (1, 2), (3, 4)]


def test_stored_cells_of_another_compiled_form_are_told(wanted: CellRequest, store: Store) -> None:
    replicates = [wanted.replicate(number, f"key{number}") for number in range(3)]
    for replicate, form, stored in zip(replicates, ("graph", "xla", "graph"), (True, True, False), strict=True):
        replicate.compiled, replicate.stored = form, stored
    progress = Progress([wanted], {(0, replicate.number): replicate for replicate in replicates})
    assert progress.of_another_form(lambda program: "xla") == {"graph": 1}, "what this run made itself is not told"
    assert progress.of_another_form(lambda program: "graph") == {"xla": 1}
    results = {"e": Results("e", {}, 3, replicates)}
    assert forms(results) == "graph (2 replicates), xla (1 replicate)"
    assert forms({"e": Results("e", {}, 3, replicates[:1])}) == "graph"
