"""The entry point of the command: what a short command can do without is set aside before anything else is loaded.

Python's collector of cycles is at rest: a short command ends before there is anything to collect. What runs for long
(`run`, `lsp`) sets it to work again.
"""

from __future__ import annotations

import gc
import os
import sys

SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",  # constants are small: NumPy's threads would only wait for one another
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # no plugin has a say in specs: no search of all that is installed for one
}
"""Variables of the environment that libraries read while they load; who sets one has the last word."""


def main() -> None:
    """Runs the command."""
    gc.disable()
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        from .cli.app import main as command

        command()
    except KeyboardInterrupt:  # before the command could begin
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    finally:
        if not gc.isenabled():
            gc.freeze()  # nor is anything collected at the end, where Python would look through all there is


if __name__ == "__main__":
    main()
