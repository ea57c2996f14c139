"""Which data files a study names, read off its text: no file needs to be there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..diagnostics.problems import Source
from ..source.nodes import data, parse


def named_files(study: Source) -> list[str]:
    """The data files of a study, by their places from its folder on; those that lie outside of it are left out. Raises StudyError.

    >>> named_files(Source("s.yaml", "{e: {task: {data: {file: a.csv}}, variants: {v: {task: {data: {files: {b: c/b.npy, d: ../d.csv}}}}}}}"))
    ['a.csv', 'c/b.npy']
    """
    found = dict.fromkeys(_named(data(parse(study))))
    return [name for name in found if not name.startswith("/") and ".." not in name.split("/")]


def _named(value: Any) -> Iterator[str]:
    """What stands under `data: {file: …}` and `data: {files: {…}}` anywhere, in variants and profiles, too."""
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key == "data" and isinstance(inner, dict):
            many = inner.get("files")
            names = [inner.get("file"), *(many.values() if isinstance(many, dict) else ())]
            yield from (name for name in names if isinstance(name, str))
        yield from _named(inner)
