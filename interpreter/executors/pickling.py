"""Replicate batches, and groups of jobs, as bytes, for another process of the same versions."""

from __future__ import annotations

import io
import pickle
from typing import Any, TypeVar

from dlspec.spec.diagnostics.problems import Source

from ..program.job import JobGroup
from ..store.requests import ReplicateBatch


class _Packer(pickle.Pickler):
    """Leaves out the study's text, to which every term points: it may be longer than all the rest."""

    def reducer_override(self, given: Any) -> Any:
        return (Source, (given.name, "")) if isinstance(given, Source) else NotImplemented


Packed = TypeVar("Packed", ReplicateBatch, JobGroup)


def packed(batch: Packed) -> bytes:
    """A replicate batch, or a group, as bytes."""
    held = io.BytesIO()
    _Packer(held, pickle.HIGHEST_PROTOCOL).dump(batch)
    return held.getvalue()


def unpacked(data: bytes, kind: type[Packed]) -> Packed:
    """What was packed."""
    batch = pickle.loads(data)
    assert isinstance(batch, kind)
    return batch
