"""Known words for suggestions where a name is unknown; they are the same at all sweep points, and computed once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from ..diagnostics.suggestions import Words
from ..tables.distributions import DISTRIBUTIONS
from ..tables.operations import FORMS, OPERATIONS
from .memo import Shared
from .namespace import PHASES, Binding, Function, counters_in, order, stands_in


class Vocabulary:
    """The names of an experiment and those of the language, by where they can stand."""

    def __init__(
        self,
        shared: Shared,
        bindings: Mapping[str, Binding],
        functions: Mapping[str, Function],
        networks: Collection[str],
    ) -> None:
        self.shared = shared
        self.bindings = bindings
        self.functions = functions
        self.networks = networks

    def known(self) -> set[str]:
        """All names that expressions can use."""
        return {*self.bindings, *self.functions, *self.networks}

    def known_and(self, more: tuple[str, ...]) -> Words:
        """All names that expressions can use, and some words."""
        return self.words(("known", *more), lambda: [*more, *self.known()])

    def values(self, phase: str) -> Words:
        """The names that have a value in a phase."""
        return self.words(("values", phase), lambda: self._values(phase))

    def callables(self, phase: str) -> Words:
        """What can be called in a phase: functions, networks, operations, and draws where they may stand."""
        return self.words(("callables", phase), lambda: self._callables(phase))

    def words(self, key: tuple[str, ...], make: Callable[[], Iterable[str]]) -> Words:
        """Names for suggestions, the same at all points."""
        cache = self.shared.common.cache
        words = ("words", *key, self.shared.names)
        if words not in cache:
            cache[words] = Words(sorted(make()))
        vocabulary: Words = cache[words]
        return vocabulary

    def _values(self, phase: str) -> list[str]:
        last = order(phase)
        more = ["pi", *counters_in(phase)]
        return [name for name, binding in self.bindings.items() if order(binding.phase) <= last] + more

    def _callables(self, phase: str) -> list[str]:
        networks = self.networks if phase in PHASES and order(phase) >= order("architecture") else ()
        forms = [name for name, row in FORMS.items() if stands_in(row.phase, phase)]
        draws = DISTRIBUTIONS if phase in ("draw", "example") else ()
        return [*self.functions, *networks, *OPERATIONS, *forms, *draws]
