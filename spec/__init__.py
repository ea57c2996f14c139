"""The language: from a file to a resolved, typed, immutable plan. Nothing here needs TensorFlow.

A study goes through the rooms in this order; each imports only those before it:

    source       text of a file        -> YAML nodes with their spans
    model        nodes                 -> a validated document (its keys, defaults and words come from `tables`)
    expressions  text of an expression -> a syntax tree
    resolve      a document            -> base, profile, overrides, variant and sweep point laid over each other: one document a cell
    check        a cell's document     -> terms with types and shapes (`ir`), in one `StudyPlan`
    passes       a plan or its terms   -> values, text, digests, costs, memory

`diff`, `format` and `editor` are built on these; every problem on the way is one of `diagnostics`.

Importing this loads nothing else: what a name of `__all__` needs is loaded when the name is used, so that a process that only trains
what was resolved elsewhere loads neither the models nor the grammar.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .diagnostics.problems import InternalError, Problem, StudyError, render
    from .ir.plan import Program, StudyPlan
    from .resolve.document import Document
    from .resolve.load import load, parse
    from .resolve.overrides import Override
    from .resolve.resolve import resolve, validate
    from .source.text import decode, is_study, read

__all__ = [
    "Document",
    "InternalError",
    "Override",
    "Problem",
    "Program",
    "StudyError",
    "StudyPlan",
    "decode",
    "is_study",
    "load",
    "parse",
    "read",
    "render",
    "resolve",
    "validate",
]

_PLACES = {
    "Document": "resolve.document", "InternalError": "diagnostics.problems", "Override": "resolve.overrides",
    "Problem": "diagnostics.problems", "Program": "ir.plan", "StudyError": "diagnostics.problems", "StudyPlan": "ir.plan",
    "decode": "source.text", "is_study": "source.text", "load": "resolve.load", "parse": "resolve.load", "read": "source.text",
    "render": "diagnostics.problems", "resolve": "resolve.resolve", "validate": "resolve.resolve",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value: Any = getattr(import_module(f".{_PLACES[name]}", __name__), name)
    if name != "resolve":
        globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Has the function `resolve`, also once the room of that name is imported, which would be set in its place."""

    resolve = property(lambda self: __getattr__("resolve"), lambda self, room: None)


sys.modules[__name__].__class__ = _Package
