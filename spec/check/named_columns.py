"""What expressions name in data files: `digits.label`, `digits[p0:p63]`, and `digits` where a file is one array."""

from __future__ import annotations

from dataclasses import dataclass

from ..expressions import nodes as n
from ..model.experiment import Experiment
from ..source.names import file_name


@dataclass(frozen=True)
class Columns:
    """What an expression names in a file: one column, or those from the first to the last of two."""

    file: str
    names: tuple[str, ...]
    several: bool = False


def file_names(model: Experiment) -> frozenset[str]:
    """The names of an experiment's data files."""
    data = model.task.data
    if isinstance(data, str):
        return frozenset()
    return frozenset([*(data.files or ()), *([file_name(data.file)] if data.file is not None else [])])


def named_columns(node: n.Expr) -> Columns | None:
    """What an expression may name in a file; None for one that is something else."""
    match node:
        case n.Name(name):
            return Columns(name, ("",))
        case n.Attribute(n.Name(file), column):
            return Columns(file, (column,))
        case n.Index(n.Name(file), (n.Slice(n.Name(first), n.Name(last)),)):
            return Columns(file, (first, last), True)
    return None
