"""The language: from a file to a resolved, typed, immutable plan. Nothing here needs TensorFlow."""

from __future__ import annotations

from .diagnostics import InternalError, Problem, SpecError, render
from .document import Document, load, parse
from .resolve import Override, resolve, validate
from .resolved import Program, StudyPlan

__all__ = [
    "Document",
    "InternalError",
    "Override",
    "Problem",
    "Program",
    "SpecError",
    "StudyPlan",
    "load",
    "parse",
    "render",
    "resolve",
    "validate",
]
