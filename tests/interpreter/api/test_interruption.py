"""What is said of a run that was interrupted: whether all was trained by then."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlspec.interpreter.api.conclude import Concluded
from dlspec.interpreter.api.running import Outcome
from dlspec.interpreter.results.replicates import Replicate, Results

WHOLE = "interrupted after all was trained: the run is complete, and kept in r"


@pytest.mark.parametrize(
    ("endings", "folder", "said"),
    [
        (["done", "diverged"], Path("r"), WHOLE),
        (["done", "done"], None, "interrupted: 2 replicates are complete, 0 in part; Run again"),
        (["done", "interrupted"], Path("r"), "interrupted: 1 replicates are complete, 1 in part; their results are kept in r. Run again"),
        (["done"], Path("r"), "interrupted: 1 replicates are complete, 0 in part; their results are kept in r. Run again"),
    ],
    ids=["all trained", "no folder", "one in part", "one not begun"],
)  # fmt: skip
def test_a_run_is_whole_where_all_was_trained(endings: list[str], folder: Path | None, said: str) -> None:
    """Ctrl-C while its report was made told to run again, and a replicate that diverged was in part."""
    replicates = [Replicate("e", "", {}, number, "a", status) for number, status in enumerate(endings)]
    outcome = Outcome({"e": Results("e", {}, 2, replicates)}, Concluded([], folder), True)
    assert outcome.interruption().startswith(said) and outcome.exit_code() == 130
