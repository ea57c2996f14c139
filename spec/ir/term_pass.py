"""Passes over terms: for each class of term the function that a pass applies to it.

A pass has a case for every class, or says which classes never come to it, and why. There is no default: a term of a class
that a pass does not know is an InternalError, and `tests/test_term_passes.py` finds it before anything runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, Generic, NoReturn, ParamSpec, TypeAlias, TypeVar, cast, overload

from ..diagnostics.problems import InternalError
from .terms import Term

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=Term)
U = TypeVar("U", bound=Term)
Decorator: TypeAlias = Callable[[Callable[Concatenate[T, P], R]], Callable[Concatenate[T, P], R]]

PASSES: dict[str, TermPass[Any, Any]] = {}
"""All passes of the modules that are loaded, by name."""


class TermPass(Generic[P, R]):
    """One pass: functions of a term and of what else the pass hands on (`P`), found by the class of the term.

    Args:
        name: what the pass makes of a term, for messages: `text`, `cost`.

    `of(term)` is the function itself, so that a recursion takes no frame beside the case's own.
    """

    def __init__(self, name: str) -> None:
        if name in PASSES:
            raise ValueError(f"there are two passes '{name}'")
        self.name = name
        self.cases: dict[type[Term], Callable[..., R]] = {}
        self.excluded: dict[type[Term], str] = {}
        PASSES[name] = self

    @overload
    def case(self, kind: type[T], /) -> Decorator[T, P, R]: ...

    @overload
    def case(self, kind: type[T], other: type[U], /) -> Decorator[T | U, P, R]: ...

    @overload
    def case(self, *kinds: type[Term]) -> Decorator[Term, P, R]: ...

    def case(self, *kinds: type[Any]) -> Decorator[Any, P, R]:
        """As a decorator: the function for some classes of terms. Raises ValueError where one of them has a case."""

        def add(function: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
            for kind in kinds:
                self._add(kind, function)
            return function

        return add

    def exclude(self, why: str, *kinds: type[Term]) -> None:
        """Says that terms of some classes never come to the pass; one that does is an InternalError that says why."""

        def refuse(term: Term, *_: Any, **__: Any) -> NoReturn:
            raise InternalError(f"no {self.name} of {type(term).__name__}: {why}")

        for kind in kinds:
            self._add(kind, refuse)
            self.excluded[kind] = why

    def _add(self, kind: type[Term], function: Callable[..., R]) -> None:
        if kind in self.cases:
            raise ValueError(f"the pass '{self.name}' has two cases for {kind.__name__}")
        self.cases[kind] = function

    def of(self, term: T) -> Callable[Concatenate[T, P], R]:
        """The function for a term. Raises InternalError where the pass does not know its class."""
        function = self.cases.get(type(term))
        if function is None:
            raise InternalError(f"no {self.name} of {type(term).__name__}")
        return cast("Callable[Concatenate[T, P], R]", function)
