"""Every class of data source has a reader, and a reader gives the examples that its source says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from dlspec.interpreter.program.data_readers import READERS, reader_of
from dlspec.spec.ir.data import DataSource, Enumerated, Finite, Fresh


def sources(of: type[DataSource] = DataSource) -> Iterator[type[DataSource]]:
    for one in of.__subclasses__():
        yield one
        yield from sources(one)


def test_each_source_has_a_reader_and_each_reader_a_source() -> None:
    kinds = [source.kind for source in sources()]
    assert len(kinds) == len(set(kinds)) >= 3
    assert set(kinds) == READERS.keys()


def test_the_indices_of_a_step_are_what_the_source_says() -> None:
    order = tf.constant([[1, 2], [3, 4]], tf.uint32)
    places = tf.range(6, 12, dtype=tf.int64)
    assert reader_of(Fresh(5)).batch_indices(order, places).numpy().tolist() == list(range(6, 12))
    assert reader_of(Enumerated(6, ("x",))).batch_indices(order, places).numpy().tolist() == list(range(6))
    shuffled = reader_of(Finite(5, 6)).batch_indices(order, places).numpy()
    assert shuffled.shape == (2, 6)
    assert (np.sort(shuffled, axis=1) == np.arange(6)).all()  # the places are the second epoch, whole


def test_what_a_source_says_of_its_sets() -> None:
    fresh, finite, enumerated = Fresh(5), Finite(5, 7, "with_replacement"), Enumerated(8, ("x",))
    assert [source.evaluated("train") for source in (fresh, finite, enumerated)] == [5, 7, 8]
    assert [source.evaluated("test") for source in (fresh, finite, enumerated)] == [5, 5, 8]
    assert [source.batch for source in (fresh, finite, enumerated)] == [None, None, 8]
    assert [source.train for source in (fresh, finite, enumerated)] == [0, 7, 8]
    assert finite.identity() == [["finite", 7, "with_replacement", []]]
    assert Finite(5, 7) == Finite(5, 7) != Finite(5, 7, "with_replacement")
