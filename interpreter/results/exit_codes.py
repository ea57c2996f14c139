"""How a run ends, as a number: what the command line exits with."""

from __future__ import annotations

from collections.abc import Iterable

from .verdicts import FAILS, OPEN, SEEN

DONE, ERROR, CLAIM_FAILS, INTERRUPTED = 0, 1, 3, 130
FAILING = {FAILS: (FAILS,), OPEN: (FAILS, OPEN), SEEN: (FAILS, OPEN, SEEN)}
"""Which verdicts count as those of claims that fail, by the mildest of them."""


def exit_code(
    statuses: Iterable[str], verdicts: Iterable[str], interrupted: bool, error: bool = False, fail_on: str = FAILS
) -> int:
    """The exit code of a run.

    Args:
        statuses: How each replicate ended.
        verdicts: How each claim came out.
        interrupted: Whether the run was broken off.
        error: Whether its folder could not be written.
        fail_on: The mildest verdict that counts as one of a claim that fails.

    >>> exit_code(["done"], ["holds", "fails"], False), exit_code(["done", "failed"], [], False), exit_code(["done"], ["seen"], True)
    (3, 1, 130)
    """
    if interrupted:
        return INTERRUPTED
    if error or "failed" in statuses:
        return ERROR
    return CLAIM_FAILS if any(verdict in FAILING[fail_on] for verdict in verdicts) else DONE
