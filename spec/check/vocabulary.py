"""Known words for suggestions where a name is unknown; they are the same at all sweep points, and computed once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from ..diagnostics.suggestions import Words
from ..tables.distributions import DISTRIBUTIONS
from ..tables.named_numbers import NAMED_NUMBERS
from ..tables.operations import FORMS, OPERATIONS
from ..tables.stored_types import LEFT_OUT
from .memo import Shared
from .namespace import STAGES, Binding, Function, counters_in, order, stands_in


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

    def values(self, stage: str) -> Words:
        """The names that have a value in a stage."""
        return self.words(("values", stage), lambda: self._values(stage))

    def callables(self, stage: str) -> Words:
        """What can be called in a stage: functions, networks, operations, and draws where they may stand."""
        return self.words(("callables", stage), lambda: self._callables(stage))

    def words(self, key: tuple[str, ...], make: Callable[[], Iterable[str]]) -> Words:
        """Names for suggestions, the same at all points."""
        cache = self.shared.common.cache
        words = ("words", *key, self.shared.names)
        if words not in cache:
            cache[words] = Words(sorted(make()))
        vocabulary: Words = cache[words]
        return vocabulary

    def _values(self, stage: str) -> list[str]:
        last = order(stage)
        more = [
            *NAMED_NUMBERS,
            *counters_in(stage),
            *([LEFT_OUT] if stage == "measures" and self.shared.model.loss_scale is not None else []),
        ]
        return [name for name, binding in self.bindings.items() if order(binding.stage) <= last] + more

    def _callables(self, stage: str) -> list[str]:
        networks = self.networks if stage in STAGES and order(stage) >= order("architecture") else ()
        forms = [name for name, row in FORMS.items() if stands_in(row.stage, stage)]
        draws = DISTRIBUTIONS if stage in ("draw", "example") else ()
        return [*self.functions, *networks, *OPERATIONS, *forms, *draws]
