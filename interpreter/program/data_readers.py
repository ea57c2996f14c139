"""How the examples of a data source come to a training step: a reader for each class of `spec.ir.data`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

import tensorflow as tf
from dlspec.spec.ir.data import Combinations, DataSource, Enumerated, Finite, Fresh, Rows

from ..lower.data_order import chosen
from ..registry import Registry
from .batches import materialize_dataset
from .context import ProgramContext

Source = TypeVar("Source", bound=DataSource)


class DataReader(ABC, Generic[Source]):
    """What training reads of a data source."""

    ahead: ClassVar[bool] = False
    """Whether a step's indices are made at the end of the step before: within a step, XLA would draw an example's index
    anew for each of its entries."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @abstractmethod
    def batch_indices(self, order: Any, places: Any) -> Any:
        """The numbers of a step's examples: int64 [B], or [R, B] where each replicate has an order of its own.

        `order` are the keys of the order, uint32 [R, 2]; `places` the step's places among all examples that training
        takes, one after the other, int64 [B].
        """

    def dataset(self, context: ProgramContext, keys: Any, draws: dict[str, Any]) -> dict[str, Any]:
        """What a step looks up by index instead of making it, by name: [R, N, …] each; by default nothing.

        `keys` are those of the training stream, uint32 [samples, R, 2]; `draws` the replicates' draws, [R, …] by name.
        """
        return {}


READERS: Registry[type[DataReader[Any]]] = Registry("data source", "reader")
"""The readers, by the `kind` of their sources."""


def reader_of(source: DataSource) -> DataReader[Any]:
    """The reader of a source."""
    return READERS[source.kind](source)


@READERS(Fresh.kind)
class FreshReader(DataReader[Fresh]):
    """Each example once."""

    def batch_indices(self, order: Any, places: Any) -> Any:
        """The places themselves: int64 [B]."""
        return places


@READERS(Finite.kind)
class FiniteReader(DataReader[Finite]):
    """Examples of a set, in an order of each replicate's own."""

    ahead = True

    def batch_indices(self, order: Any, places: Any) -> Any:
        """What the order has at the places: int64 [R, B]."""
        return chosen(order, places, self.source.train, self.source.order)

    def dataset(self, context: ProgramContext, keys: Any, draws: dict[str, Any]) -> dict[str, Any]:
        """The values of all examples, where they are not too large."""
        return materialize_dataset(context, keys, draws)


@READERS(Rows.kind)
class RowsReader(DataReader[Rows]):
    """Rows of files, in an order of each replicate's own or in that of the files; what is drawn beside them is new at each visit."""

    ahead = True

    def batch_indices(self, order: Any, places: Any) -> Any:
        """What the order has at the places: int64 [R, B]."""
        return chosen(order, places, self.source.train, self.source.order)


@READERS(Combinations.kind)
class CombinationsReader(DataReader[Combinations]):
    """Combinations of draws, in an order of each replicate's own."""

    ahead = True

    def batch_indices(self, order: Any, places: Any) -> Any:
        """What the order has at the places: int64 [R, B]."""
        return chosen(order, places, self.source.train, self.source.order)


@READERS(Enumerated.kind)
class EnumeratedReader(DataReader[Enumerated]):
    """All values at every step."""

    def batch_indices(self, order: Any, places: Any) -> Any:
        """All numbers: int64 [B]."""
        return tf.range(places.shape[0], dtype=tf.int64)
