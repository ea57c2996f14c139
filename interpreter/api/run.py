"""A run that is kept: its finals, curves, claims, figures, weights and report; and where such runs are found."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec import spec
from dlspec.spec.diagnostics.problems import Problem, did_you_mean, listing, sentence

from ..report.final_values import finals as finals_of
from ..results.exit_codes import exit_code
from ..results.folder_names import REPORT
from ..results.number_text import SPREAD
from ..results.optional_outputs import Aside
from ..results.replicates import DONE, Results
from ..results.run_list import RunRecord, chosen, countable_runs, named
from ..results.run_reader import results, verdicts
from ..results.run_study import run_study
from . import html
from .claims import Claims
from .finals_html import finals_table
from .run_page import write_page
from .study import Study, warn

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from .quantities import Quantity
    from .shown_figures import Figures

RUNS = "runs"


class Run:
    """One run, as its folder holds it.

    `open_run` and `runs` find those that are kept, `run` makes one.
    """

    def __init__(self, record: RunRecord) -> None:
        self.record = record

    # -- what it is ----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Its folder's name: study, profile and time."""
        return self.record.name

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.record.folder

    @property
    def profile(self) -> str:
        """The profile that the study was run in; empty without one."""
        return self.record.profile

    @property
    def finished(self) -> datetime:
        """When it ended, in UTC."""
        return self.record.finished

    @property
    def about(self) -> Mapping[str, Any]:
        """Where it comes from: versions of packages, device, seeds, revision in git, the command that does the same."""
        return self.record.about

    @property
    def interrupted(self) -> bool:
        """Whether it was broken off: it then holds what there was until then."""
        return bool(self.about.get("interrupted")) or "interrupted" in self.record.replicates

    @property
    def exit_code(self) -> int:
        """What `dlspec run` exits with: 0, 1 where a replicate failed, 3 where a claim fails, 130 where it was broken off. Raises StudyError."""
        return exit_code(self.record.replicates, self.record.verdicts, self.interrupted)

    @cached_property
    def study(self) -> Study:
        """The study as it was run. Raises StudyError where its text is not there."""
        return Study.of(run_study(self.record))

    # -- what it gave --------------------------------------------------------------------------------------------------

    def finals(self, experiment: str | None = None) -> pd.DataFrame:
        """The last values, one row a replicate.

        Args:
            experiment: One of them; its axes and measures alone are columns then.

        Returns: `cell` (its name), `experiment`, `variant`, `replicate`, `digest`, `status` (`done`, `diverged`, `failed` or `interrupted`;
            of a version before `undefined`), `steps`, `seconds`, a column an axis of the sweeps, a column a measure; of an array one an entry,
            `NAME[0]`. What is not `done` has no final value: NaN. An axis or a measure that is called like another column is `axis.NAME`
            or `measure.NAME`.

        Raises StudyError where the run cannot be read, has no such experiment, or pandas is missing.
        """
        from .frames import finals_frame

        self._known(experiment)
        return finals_frame(self.record, experiment)

    def curves(self, experiment: str | None = None, measure: str | None = None) -> pd.DataFrame:
        """All values at all evaluated steps, one row a number.

        Args:
            experiment: One of them alone.
            measure: One of them alone.

        Returns: `experiment`, `variant`, a column an axis of the sweeps, `replicate`, `digest`, `status`, `measure`, `index` (the entry of an array,
            flat; 0 for a number), `entry` (the same as it is written, `[1, 0]`), `step`, `value`,
            `error` (the standard error of a value over test examples, where it has one).

        Raises StudyError where the run cannot be read, has no such experiment or measure, or pandas is missing.
        """
        from .frames import curves_frame

        self._known(experiment, measure)
        chosen_ones = {"experiment": experiment, "measure": measure}
        return curves_frame(self.record, {name: value for name, value in chosen_ones.items() if value is not None})

    def claims(self) -> pd.DataFrame:
        """How the claims came out, one row each, in the order of the study.

        Returns: `claim` (`EXPERIMENT.CLAIM`), `experiment`, `name`, `verdict` (`holds`, `seen`, `fails`, `inconclusive`), `says`, `check`; `value`
            with `low` and `high` (mean and range over replicates at the place that decided, of a check with one condition); `interval_low` and
            `interval_high` (95 %, of the share of seeds that meet the claim, or of the mean margin where `strength` says so); `chance` (a
            p-value), `error` (how often the judge is wrong), `counted`, `undefined` and `needed` (replicates), `judge`, `family`, `strength`,
            `reason`.

        Raises StudyError where the run cannot be read, or pandas is missing.
        """
        from .frames import claims_frame

        return claims_frame(self.record.read("claims.json"))

    @cached_property
    def verdicts(self) -> Claims:
        """The claims as objects, which a notebook shows with what was seen of each. Raises StudyError."""
        return Claims(verdicts(self.record), self.record.read("claims.json"))

    @cached_property
    def results(self) -> dict[str, Results]:
        """The replicates of each experiment, with their curves as arrays [steps, …]. Raises StudyError."""
        return results(self.record)

    def evaluate(self, expression: str, experiment: str | None = None) -> pd.DataFrame:
        """A number or a condition in the words of claims: `final(error, d == 10)`, `first_step(accuracy >= 0.95)`, `slope(log(final(error)), d)`.

        Args:
            expression: Of the experiment's measures, axes and constants; nobody judges it.
            experiment: Which; not needed where there is one.

        Returns: A row a replicate at each place on the axes that the expression keeps: these axes, `replicate`, `value` (1 and 0 for a condition;
            NaN where it is undefined), `low` and `high`: the same as `value`, but for an event that never came, which lies beyond the last
            step that was evaluated.

        Raises StudyError where the expression has no meaning there or cannot be decided, where the run cannot be read, has no such
        experiment or several, or pandas is missing.
        """
        from .quantities import quantity_frame

        return quantity_frame(self.quantity(expression, experiment))

    def quantity(self, expression: str, experiment: str | None = None) -> Quantity:
        """The same without pandas, as `dlspec runs value` shows it: with the reasons why something is undefined. Raises StudyError as `evaluate`."""
        from .quantities import quantity_of

        name = self._one(experiment, "evaluate(…, NAME)` or `--experiment NAME")
        plan = self.study.resolved(self.profile or None, self.about.get("overrides"), self.about.get("only"))
        (experiment_plan,) = (one for one in plan.experiments if one.name == name)
        return quantity_of(experiment_plan, list(self.results[name].replicates), expression)

    def to_xarray(self, experiment: str | None = None) -> xr.Dataset:
        """The curves of an experiment on their axes.

        Args:
            experiment: Which; not needed where there is one.

        Returns: A Dataset with the dimensions `variant` (where there are variants), one for each axis of the sweep (axes that go in step share
            one), `replicate`, `step`, and those of an array, `NAME_0`, … (`entry.NAME_0` where an axis or a measure is called so). Each measure is a
            variable, `status` says how each replicate ended. NaN where a replicate was not evaluated, or is not there.

        Raises StudyError where the run cannot be read, has no such experiment or several, or xarray is missing.
        """
        from .arrays import dataset

        name = self._one(experiment, "to_xarray(NAME)")
        found = self.results.get(name)
        about = {"study": self.record.study, "profile": self.profile, "experiment": name, "run": self.name}
        return dataset(found.replicates if found is not None else [], about)

    def weights(self, cell: str, replicate: int = 0) -> dict[str, Any]:
        """The final weights of a replicate by the names of the networks: Keras models, for which TensorFlow is loaded; of free parameters arrays.

        Args:
            cell: The cell's name, as in `finals()["cell"]`.
            replicate: Its number, from 0.

        Raises StudyError where there is no such cell or replicate, where its weights were not kept, or where a network is none that Keras alone
        can load: the message says where its weights lie.
        """
        from .kept_weights import models

        return models(self.record, cell, replicate)

    def export(self, file: str | os.PathLike[str], *, finals: bool = False, long: bool = False) -> int:
        """Writes the curves, one row a number, or the finals, one row a replicate, as a file.

        Args:
            file: Its ending, `.csv` or `.parquet`, says the format.
            finals: Whether it is the finals.
            long: Whether it is the finals with a row a number: of an array one an entry.

        Returns: How many rows it has. Raises StudyError where the run cannot be read, the file cannot be written, or its ending is another.
        """
        from ..results.export_table import export

        return export(self.record, Path(file), finals, long)

    @cached_property
    def figures(self) -> Figures:
        """The figures by their names, `EXPERIMENT.FIGURE`; a notebook shows them. What cannot be read is left out with a warning."""
        from .shown_figures import figures_of

        try:
            models = dict(self.study.document.study.experiments)
        except spec.StudyError:  # of another version of the language
            models = {}
        return figures_of(self.record, models, Aside(warn))

    def report(self, file: str | os.PathLike[str] | None = None) -> Path:
        """The run as one HTML page that opens offline.

        Args:
            file: Where the page goes; otherwise into the run's folder, where a run writes one already.

        Returns: The page. A part of it that cannot be made is a warning. Raises StudyError where it cannot be written.
        """
        place = self.path / REPORT if file is None else Path(file)
        if file is not None or not place.exists():
            write_page(self.record, place, warn)
        return place

    def pack(
        self, file: str | os.PathLike[str] | None = None, *, weights: bool = False,
        data: str | os.PathLike[str] | None = None,
    ) -> Path:  # fmt: skip
        """Writes the run into one archive: its folder, the stored results of its replicates, and a line to cite it by. `unpack` takes it in elsewhere.

        Args:
            file: The archive; otherwise `NAME.dlspec.zip` here.
            weights: Whether the weights that were kept go in.
            data: The folder that the study lies in, whose data files go in; without it they do not.

        Returns: The archive. What is not stored any more is a warning. Raises StudyError where it cannot be written.
        """
        from .packing import packed

        place, folder = (Path(given) if given is not None else None for given in (file, data))
        return packed(self.record, place, warn, weights, folder).file

    @property
    def citation(self) -> str:
        """A line that the run can be cited by: the paper, the study with its digest, versions and date. Empty where the study can't be read."""
        from .packing import cited

        return cited(self.record, warn)

    # -- what is shown -------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.name}  {self.finished:%Y-%m-%d %H:%M} UTC",
                *filter(None, [repr(self.verdicts)]),
                f"run    {self.path}",
            ]
        )

    def _repr_html_(self) -> str:
        replicates = dict(self.record.replicates)
        rest = [f"{count:,} {status}" for status, count in replicates.items() if status != DONE]
        ended = f"{sum(replicates.values()):,} replicates" + (f" ({', '.join(rest)})" if rest else "")
        profile = f", profile {self.profile}" if self.profile else ""
        parts = [
            html.paragraph(html.bold(f"{self.record.study}{profile}"), f"{self.finished:%Y-%m-%d %H:%M} UTC, {ended}"),
            html.paragraph(html.code(self.path), muted=True),
        ]
        if self.interrupted:
            parts.append(html.paragraph(html.bold("broken off: this is what there was until then")))
        parts += [finals_table(own) for own in finals_of(self.record.read("cells.json"))]
        return "".join([*parts, html.paragraph(f"Finals: {SPREAD}.", muted=True), self.verdicts._repr_html_()])

    # -- within --------------------------------------------------------------------------------------------------------

    def _experiments(self) -> list[str]:
        return list(dict.fromkeys(item["experiment"] for item in self.record.read("cells.json")))

    def _one(self, experiment: str | None, call: str) -> str:
        """The experiment that is meant. Raises StudyError where there is none of the name, or several and none is named."""
        names = self._experiments()
        if experiment is None and len(names) > 1:
            raise spec.StudyError(
                Problem(f"the run has several experiments: {listing(names)}", hint=f"Say which: `{call}`.")
            )
        self._known(experiment)
        return experiment if experiment is not None else next(iter(names), "")

    def _known(self, experiment: str | None, measure: str | None = None) -> None:
        """Raises StudyError unless the run has an experiment, and it a measure."""
        names = self._experiments()
        if experiment is not None and experiment not in names:
            hint = sentence(did_you_mean(experiment, names), f"There are {listing(names) or 'none'}.")
            raise spec.StudyError(Problem(f"the run has no experiment '{experiment}'", hint=hint))
        cells = [item for item in self.record.read("cells.json") if experiment in (None, item["experiment"])]
        measures = dict.fromkeys(name for item in cells for name in item["final"])
        if measure is not None and measure not in measures:
            hint = sentence(did_you_mean(measure, measures), f"There are {listing(measures) or 'none'}.")
            raise spec.StudyError(Problem(f"the run has no measure '{measure}'", hint=hint))


class Runs(list[Run]):
    """Runs, the newest first; a notebook shows them as a table."""

    def _repr_html_(self) -> str:
        if not self:
            return html.paragraph("no runs", muted=True)
        rows = [
            [
                html.code(run.name),
                f"{run.finished:%Y-%m-%d %H:%M}",
                f"{sum(run.record.replicates.values()):,}",
                html.tally(dict(run.record.verdicts)),
            ]
            for run in self
        ]
        return html.table(("run", "ended (UTC)", "replicates", "claims"), rows)


def runs(
    folder: str | os.PathLike[str] = RUNS, *, study: str | None = None, profile: str | None = None, since: datetime | None = None,
    verdict: str | None = None,
) -> Runs:  # fmt: skip
    """The runs that are kept, the newest first. One that cannot be read is left out with a warning.

    Args:
        folder: Where they lie.
        study: Only those of this study.
        profile: Only those in this profile.
        since: Only those that ended since then; without a time zone it is that of this machine.
        verdict: Only those with a claim that came out so: `holds`, `seen`, `fails` or `inconclusive`.

    Raises StudyError where the folder cannot be read.
    """
    unreadable: list[str] = []
    every = countable_runs(Path(folder), unreadable)
    for line in unreadable:
        warn(line)
    return Runs(map(Run, chosen(every, study, profile, since, verdict)))


def open_run(run: str | os.PathLike[str], folder: str | os.PathLike[str] = RUNS) -> Run:
    """A run that is kept.

    Args:
        run: Its name, the beginning of one alone, or its folder.
        folder: Where runs lie.

    Raises StudyError where there is none, or several begin so.
    """
    return Run(named(Path(folder), os.fspath(run)))


def unpack(archive: str | os.PathLike[str], folder: str | os.PathLike[str] = RUNS) -> Run:
    """Takes in an archive that `Run.pack` or `dlspec pack` wrote: its run, and the results of its replicates, which later runs go on from.

    Args:
        archive: The file. It may come from anybody: nothing in it is run or unpickled, and its report is made anew.
        folder: Where runs lie, with the store.

    Returns: The run. Raises StudyError where the file is no such archive, or another run of its name is there.
    """
    from .packing import unpacked

    return Run(unpacked(Path(archive), Path(folder), warn).run)
