"""The language: from a file to a resolved, typed, immutable plan. Nothing here needs TensorFlow.

A study goes through the rooms in this order; each imports only those before it:

    source       text of a file        -> YAML nodes with their spans
    model        nodes                 -> a validated document (its keys, defaults and words come from `tables`)
    expressions  text of an expression -> a syntax tree
    resolve      a document            -> base, profile, overrides, variant and sweep point laid over each other: one document a cell
    check        a cell's document     -> terms with types and shapes (`ir`), in one `StudyPlan`
    passes       a plan or its terms   -> values, text, digests, costs, memory

`diff`, `format` and `editor` are built on these; every problem on the way is one of `diagnostics`.
"""

from __future__ import annotations

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
