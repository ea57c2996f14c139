"""Every table refuses a row whose name another row has."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from dlspec.spec import tables
from dlspec.spec.tables import by_name as rows_by_name
from dlspec.spec.tables.operations import table as operation_table

by_name = rows_by_name.by_name


def _tables() -> Iterator[tuple[str, str]]:
    """Each table of rows with the module that makes it: a name in capitals for a mapping from names to rows of these names."""
    seen: set[int] = set()
    modules = [module.name for module in pkgutil.walk_packages(tables.__path__, "dlspec.spec.tables.")]
    for name in sorted(
        modules, key=lambda name: -name.count(".")
    ):  # where rows are made comes before what collects them
        for key, value in vars(importlib.import_module(name)).items():
            rows = list(value.items()) if isinstance(value, Mapping) else []
            named = rows and all(getattr(row, "name", None) == word for word, row in rows)
            if key.isupper() and named and id(value) not in seen and _makes(name, key):
                yield name, key
                seen.add(id(value))


def _makes(module: str, key: str) -> bool:
    """Whether a module assigns a name, rather than importing it."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader)
    lines = (spec.loader.get_source(module) or "").splitlines()
    return any(line.startswith((f"{key} = ", f"{key}: ")) for line in lines)


TABLES = list(_tables())


def test_all_tables_are_seen() -> None:
    names = {name for _, name in TABLES}
    assert names >= {"DISTRIBUTIONS", "DTYPES", "FORMS", "GRADIENT_MODES", "GRADIENT_STATISTICS", "INITIALIZERS"}
    assert names >= {"JUDGES", "LAYERS", "OPERATIONS", "OPTIMIZERS", "ELEMENTWISE", "CLAIM_FORMS"}


@pytest.mark.parametrize(("module", "name"), [item for item in TABLES if item[1] != "OPERATIONS"])
def test_a_row_that_stands_twice_is_refused(module: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module is run once more with one of the table's rows beside the others."""
    real = importlib.import_module(module)
    duplicate = next(iter(vars(real)[name].values()))

    def doubled(rows: Iterable[Any], what: str) -> Any:
        rows = list(rows)
        return by_name([*rows, *(row for row in rows if row.name == duplicate.name)], what)

    monkeypatch.setattr(rows_by_name, "by_name", doubled)
    monkeypatch.setattr(operation_table, "by_name", doubled)
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.loader is not None
    with pytest.raises(ValueError, match=f"'{duplicate.name}' is declared twice"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
