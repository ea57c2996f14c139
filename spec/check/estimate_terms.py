"""What estimates are of, and statistics of the training examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from ..diagnostics.problems import Span, problem_at
from ..ir import terms as t
from ..source import nodes as yaml
from . import constant_folding as folding
from .context import Context
from .dependencies import Dependencies, over_examples
from .expressions import Checker
from .namespace import Binding
from .weighed_examples import mean


def estimated(
    binding: Binding, checker: Checker, dependencies: Dependencies, must_fit: Callable[[t.Term, Span], None]
) -> t.Term:
    """What an estimate is of: a real value, averaged over examples where it has one for each. Raises StudyError."""
    node = binding.node.get("of") if isinstance(binding.node, yaml.Mapping) else None
    assert node is not None
    term = checker.value(node, Context("measures", ("value", binding.name)))
    must_fit(term, node.span)
    for item in t.walk(term):
        if isinstance(item, t.Reference) and item.stage == "estimates":
            hint = "Repeat its expression here, or combine them in a measure."
            raise problem_at(
                item.span or node.span, f"'{item.name}' is an estimate, and estimates are not made of others", hint
            )
    return folding.real(over_examples(dependencies, term, partial(mean, checker)))


def statistic(
    binding: Binding, checker: Checker, dependencies: Dependencies, must_fit: Callable[[t.Term, Span], None]
) -> t.Term:
    """What a statistic is of: a real value, averaged over examples where it has one for each. Raises StudyError."""
    term = checker.value(binding.node, Context("statistics", ("value", binding.name)))
    must_fit(term, binding.node.span)
    term = folding.real(over_examples(dependencies, term, partial(mean, checker)))
    taken = (
        isinstance(item, t.Expectation) or (isinstance(item, t.Reference) and item.stage == "statistics")
        for item in t.walk(term)
    )
    if not any(taken):
        message = f"'{binding.name}' is the same for all examples, and a statistic is taken over them"
        raise problem_at(binding.node.span, message, "Declare it under `constants`, or under `task.draw`.")
    return term


TAKEN_ONCE: Mapping[str, Callable[..., t.Term]] = {"estimates": estimated, "statistics": statistic}
"""What makes the terms of stages whose values are taken over examples, and are constants from then on."""
