"""The language: from a file to a resolved, typed, immutable plan. Nothing here needs TensorFlow."""

from __future__ import annotations

from .diagnostics.problems import InternalError, Problem, SpecError, render
from .ir.plan import Program, StudyPlan
from .resolve.document import Document, load, parse
from .resolve.resolve import Override, resolve, validate
from .source.text import decode, is_study, read

__all__ = [
    "Document",
    "InternalError",
    "Override",
    "Problem",
    "Program",
    "SpecError",
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
