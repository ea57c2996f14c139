"""The entry point of the command. It loads the rest with Python's collector of cycles at rest: a short command ends
before there is anything to collect. What runs for long (`run`, `lsp`) sets it to work again.
"""

from __future__ import annotations

import gc


def main() -> None:
    """Runs the command."""
    gc.disable()
    from .cli import main as command

    command()


if __name__ == "__main__":
    main()
