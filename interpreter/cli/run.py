"""`dlspec run`: a run under someone's eyes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from dlspec.spec.diagnostics.problems import render
from dlspec.spec.ir.plan import StudyPlan
from rich.console import Console
from rich.text import Text

from ..api.audience import Audience, Judged
from ..api.running import Outcome, carried_out
from ..results.errors import StoreError
from ..results.exit_codes import CLAIM_FAILS, DONE, ERROR, INTERRUPTED
from ..results.folder_names import REPORT
from ..results.optional_outputs import Aside
from ..results.registration import registration_text
from ..results.run_writer import summary
from ..schedule.progress import JsonLines, Live, Log, Quiet, tell
from ..store.requests import ReplicateBatch
from .problems_told import for_terminal
from .run_options import LogForm, RunOptions
from .standard_output import Output

if TYPE_CHECKING:
    from ..api.conclude import Concluded
    from ..executors.ray.connect import Cluster

__all__ = ["CLAIM_FAILS", "DONE", "ERROR", "INTERRUPTED", "execute"]


def execute(plan: StudyPlan, options: RunOptions, command: Sequence[str]) -> int:
    """Runs, stores and prints; returns the exit code. `command` is the command's words. Raises StoreError, MissingExtra."""
    return executed(plan, options, command, Terminal(options))


def executed(plan: StudyPlan, options: RunOptions, command: Sequence[str], terminal: Terminal) -> int:
    """The same, told to a terminal."""
    code = _code(carried_out(plan, options.settings(), terminal, command), terminal.output, options.fail_on)
    return ERROR if terminal.mute and code != INTERRUPTED else code


class Terminal(Audience):
    """Whoever sits at the terminal: progress on standard error, verdicts on standard output."""

    owns_process = True

    def __init__(self, options: RunOptions) -> None:
        super().__init__()
        self.options = options
        self.errors = Console(stderr=True)
        self.output = Output()
        self.mute = False
        """Whether the JSON object that was asked for could not be made."""

    @property
    def as_lines(self) -> bool:
        """Whether progress is told as JSON, an object a line."""
        return self.options.log is LogForm.json

    def warn(self, text: str) -> None:
        """On standard error."""
        (JsonLines() if self.as_lines else Quiet()).warn(text)

    def planned(self, stored: int, missing: int, other_forms: Mapping[str, int]) -> None:
        """How many replicates are stored already, and how many are to run."""
        if self.as_lines:
            JsonLines().say("planned", replicates=stored + missing, stored=stored, to_run=missing)
        elif not missing:
            tell(f"all {stored} replicates are stored already: nothing to run")
        elif stored:
            tell(f"{stored} of {stored + missing} replicates are stored already, {missing} to run")
        if other_forms and not self.as_lines:
            words = ", ".join(f"{count} as {name}" for name, count in other_forms.items())
            tell(f"{words}: not this run's compiled form, equal to it except for rounding; --force runs them again")

    def on_cluster(self, cluster: Cluster) -> None:
        """Where, and with what."""
        if self.as_lines:
            JsonLines().say("cluster", address=cluster.address, nodes=len(cluster.nodes), device=cluster.device)
        else:
            tell(f"on a Ray cluster at {cluster.address}: {cluster}")

    def watcher(self, missing: Sequence[ReplicateBatch]) -> Quiet:
        """Bars on a terminal, lines where there is none."""
        if self.as_lines:
            return JsonLines(missing)
        return Live(missing, self.errors) if self.errors.is_terminal else Log(missing)

    def stopping(self) -> None:
        """What a second Ctrl-C would do."""
        with suppress(OSError, SystemExit):  # rich would end the process where nobody reads any more
            self.errors.print(
                "stopping at the next evaluation; Ctrl-C again stops at once: what is stored stays", style="yellow"
            )

    def stopping_at_once(self, begun: bool) -> None:
        """The end of the process."""
        if not begun:
            raise KeyboardInterrupt
        os._exit(
            INTERRUPTED
        )  # training does not return to Python before its evaluation; a dead process holds no claims

    def judged(self, judged: Judged, aside: Aside) -> None:
        """Finals and verdicts, before anything is drawn."""
        if self.options.as_json:
            return
        _print(judged, self.output, aside)
        with aside.part("comparison with what was registered"):
            for line in registration_text(judged.registration):
                self.output.show(partial(print, line))

    def kept(self, judged: Judged, done: Concluded) -> None:
        """The run as one JSON object, or where its files lie."""
        place = str(done.folder) if done.folder else None
        if not self.options.as_json:
            with Aside(self.warn).part("list of files"):
                self.output.show(lambda: _print_files(done))
            return
        aside = Aside(self.warn)
        with aside.part("the JSON object", f"The run is kept in {place}" if place else "Its replicates are stored"):
            text = json.dumps(summary(judged.plan, place, judged.results, judged.verdicts), allow_nan=False)
            self.output.show(lambda: print(text))
        self.mute = bool(aside.failed)


def _print(judged: Judged, output: Output, aside: Aside) -> None:
    from ..api.terminal import console_of, print_text
    from .text.results import print_claims, print_finals

    console = console_of()
    plan = judged.plan
    with aside.part("title"):
        title = Text(plan.title, "bold").append(f"  (profile {plan.profile})" if plan.profile else "", "not bold")
        output.show(lambda: print_text(console, title.append("\n")))
    with aside.part("table of finals", through=(StoreError,)):
        output.show(lambda: print_finals(judged.results, console))
    with aside.part("list of claims", "They are in the run's folder", (StoreError,)):
        output.show(lambda: print_claims(judged.verdicts, console))


def _print_files(done: Concluded) -> None:
    if done.folder is None:
        return
    images = [f"figure {done.folder / name}" for name in done.figures if name.endswith(".png")]
    report = [f"report {done.folder / REPORT}"] if done.report else []
    print("", *images, *report, f"run    {done.folder}", sep="\n")


def _code(outcome: Outcome, output: Output, fail_on: str) -> int:
    """The exit code, and what else there is to say at the end."""
    done = outcome.done
    if done.error is not None:
        tell(f"{for_terminal(render(done.error.problems))}\nThis run has no folder; its replicates are stored.")
    if outcome.stopped:
        tell(outcome.interruption())
    elif output.error is not None and not isinstance(output.error, BrokenPipeError):
        where = f"the run is kept in {done.folder}" if done.folder else "its replicates are stored"
        tell(f"standard output cannot be written: {output.error.strerror}; {where}")
        return ERROR
    return outcome.exit_code(fail_on)
