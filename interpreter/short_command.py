"""What a short command can do without is set aside before anything else is loaded.

Python's collector of cycles is at rest: a short command ends before there is anything to collect. What runs for long
(`run`, `lsp`) sets it to work again.
"""

from __future__ import annotations

import gc
import os
import sys
from types import ModuleType

SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",  # constants are small: NumPy's threads would only wait for one another
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # no plugin has a say in specs: no search of all that is installed for one
}
"""Variables of the environment that libraries read while they load; who sets one has the last word."""
LOADER = "pydantic.plugin._loader"


def begin() -> None:
    """Sets all that aside."""
    gc.disable()
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if os.environ["PYDANTIC_DISABLE_PLUGINS"] == "__all__":
        sys.modules.setdefault(LOADER, _no_plugins())


def _no_plugins() -> ModuleType:
    """What Pydantic's loader of plugins is where all are disabled, without the library that would look for them (15 ms)."""
    module = ModuleType(LOADER)
    module.get_plugins = tuple  # type: ignore[attr-defined]
    return module
