"""The entry point of the command: what a short command can do without is set aside before anything else is loaded."""

from __future__ import annotations

import gc
import sys

from .frame_space import with_room
from .process_end import end_at_once
from .short_command import begin


def main() -> None:
    """Runs the command."""
    begin()
    try:
        with_room(_command)
    except KeyboardInterrupt:  # before the command could begin
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except SystemExit as end:
        end_at_once(end.code)
        raise
    finally:
        if not gc.isenabled():
            gc.freeze()  # nor is anything collected at the end, where Python would look through all there is


def _command() -> None:
    if sys.argv[1:2] == ["run"]:
        from .executors.begun_early import begin_early

        begin_early(sys.argv[2:])
    from .cli.start import main as command

    command()


if __name__ == "__main__":
    main()
