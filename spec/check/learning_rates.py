"""Learning rates that change with the step: within their bounds at every step that is looked at."""

from __future__ import annotations

import numpy as np

from ..diagnostics.problems import problem_at
from ..ir import terms as t
from ..ir.axes import EXAMPLE
from ..passes.evaluate import Value, counter_name, evaluate_batched
from ..passes.time import MAX_CHECKED_STEPS
from ..tables.bounds import Bounds

ROUNDING = 1e-6


def scheduled(what: str, bounds: Bounds, term: t.Term, first: int, steps: int, hint: str) -> None:
    """Refuses a schedule that leaves its bounds, or is not finite, at one of so many steps from a first one on. Raises StudyError."""
    last = first + steps - 1
    places = np.asarray(sorted(set(np.linspace(first, last, min(steps, MAX_CHECKED_STEPS)).round().tolist())))
    found = evaluate_batched(term, {counter_name("step"): Value(places, (EXAMPLE,))})
    rates = np.broadcast_to(np.asarray(found.array, float), places.shape)
    lost = ~np.isfinite(rates)
    if bool(lost.any()):
        message = f"{what} is not a finite number at step {int(places[lost.argmax()]):,}"
        raise problem_at(term.span, message, "`step` counts from 0: `step + 1` is never 0.")
    slack = ROUNDING * float(np.abs(rates).max())
    wrong = np.array(
        [not (bounds.hold(rate) or bounds.hold(rate + slack)) for rate in rates[[rates.argmin(), rates.argmax()]]]
    )
    if bool(wrong.any()):
        place = int(rates.argmin() if wrong[0] else rates.argmax())
        message = (
            f"{what} has to be {bounds}, and is {bounds.text_outside(rates[place])} at step {int(places[place]):,}"
        )
        raise problem_at(term.span, message, hint)
