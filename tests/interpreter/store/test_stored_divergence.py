"""What versions before stored of a replicate that ended at a measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from dlspec.interpreter.results.replicates import UNDEFINED, Replicate
from dlspec.interpreter.store.requests import CellRequest, ReplicateBatch
from dlspec.interpreter.store.store import Store


@pytest.mark.parametrize(
    ("cause", "message", "status"),
    [
        ("{0}", "the measure '{0}' was not finite at step 50", UNDEFINED),
        ("{0}", "the measure '{0}' was not finite at step 50, and the loss term 'l' was not finite at step 51", "diverged"),
        ("", "the loss term 'l' was not finite at step 50", "diverged"),
    ],
)  # fmt: skip
def test_what_a_version_before_stored_as_diverged_at_a_measure_is_undefined(
    cause: str, message: str, status: str, tmp_path: Path,
    asked: Callable[..., list[CellRequest]], make_cell: Callable[..., Replicate],
) -> None:  # fmt: skip
    own = asked()[0]
    replicate = make_cell(own, 0)
    name = next(iter(replicate.curves))
    replicate.status, replicate.end, replicate.cause = "diverged", replicate.steps[-1], cause.format(name)
    replicate.message = message.format(name)
    with Store(tmp_path / "store", pytest.fail) as store:
        store.acquire(ReplicateBatch(own, (0,)))
        store.commit(ReplicateBatch(own, (0,)), [replicate], {})
        (found,) = store.find([(own, 0)])
    assert found is not None and found.status == status
    assert found.message.endswith("whether training was is not known") == (status == UNDEFINED)
