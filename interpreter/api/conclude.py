"""The end of a run: its claims are judged and printed first; then its folder, figures and report are written.

What draws or writes beside them fails alone: it takes neither the verdicts nor the rest of the folder with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlspec.spec.ir.plan import ClaimPlan, FigurePlan, StudyPlan
from dlspec.spec.passes.digests import LANGUAGE, NUMERICS
from dlspec.spec.passes.registration import claim_meaning, judged_on

from ..report import write_report
from ..results.earlier_looks import earlier_looks
from ..results.errors import StoreError, explained
from ..results.folder_names import REPORT
from ..results.optional_outputs import Aside, reason
from ..results.replicates import Results
from ..results.run_list import read
from ..results.run_writer import RunFolder, claims_json
from ..results.verdicts import OPEN, Decision, Verdict
from ..verdicts.families import judged_together
from ..verdicts.judge import judge

if TYPE_CHECKING:
    from .drawn_meanwhile import DrawnMeanwhile


@dataclass
class Concluded:
    """What a run came to: its verdicts, its folder and what lies in it; `error` says why there is no folder."""

    verdicts: list[Verdict]
    folder: Path | None = None
    figures: list[str] = field(default_factory=list)
    report: bool = False
    error: StoreError | None = None


@dataclass(frozen=True)
class Ran:
    """A run whose training is over: what was asked for, what it gave, and where and how it ran.

    `command` is the command's words, `study` the study's file, `title` the name that the run's folder will have, `registration` how
    claims and design compare with what was registered; `interrupted` says that it was broken off; `owner` holds the leases of its process.
    """

    plan: StudyPlan
    results: Mapping[str, Results]
    root: Path
    title: str
    device: str
    command: Sequence[str]
    study: Path | None = None
    registration: Mapping[str, Any] | None = None
    interrupted: bool = False
    owner: str = ""


def judged(ran: Ran) -> list[Verdict]:
    """The verdicts on all claims; one that can't be judged by a fault of dlspec is open. Raises StoreError."""
    return judged_together([_verdict(claim, ran.results[e.name]) for e in ran.plan.experiments for claim in e.claims])


def with_looks(ran: Ran, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts, with the ways in which earlier runs judged them on other data or by other checks. Raises StoreError."""
    seeds = {e.name: sorted({program.seed for program in e.programs}) for e in ran.plan.experiments}
    now = {"profile": ran.plan.profile, "seeds": seeds, "language": LANGUAGE, "numerics": NUMERICS}
    marks = {f"{e.name}.{name}": mark for e in ran.plan.experiments for name, mark in judged_on(e, e.claims).items()}
    verdicts = [
        replace(verdict, meaning=claim_meaning(verdict.claim), judged_on=marks[verdict.id]) for verdict in verdicts
    ]
    looks = earlier_looks(ran.root, ran.plan.name, now, claims_json(verdicts))
    return [replace(verdict, looks=looks.get(verdict.id, ())) for verdict in verdicts]


def _verdict(claim: ClaimPlan, results: Results) -> Verdict:
    try:
        return judge(claim, results)
    except StoreError:
        raise
    except Exception as error:
        return Verdict(claim, Decision(OPEN, f"it could not be judged: {reason(error)}"))


def conclude(
    ran: Ran, verdicts: list[Verdict], warn: Callable[[str], None], meanwhile: DrawnMeanwhile | None = None
) -> Concluded:
    """Makes the run's folder, with figures, of which some were drawn `meanwhile`, and report; `warn` is told of each part that failed."""
    aside = Aside(warn)
    done = Concluded(verdicts)
    try:
        with explained(ran.root):
            folder = RunFolder(ran.root, ran.plan, ran.title, ran.owner)
            try:
                folder.write_results(ran.plan, ran.results, ran.device, ran.command, ran.study, aside)
                folder.write_claims(verdicts)
                folder.write_verdicts(verdicts, ran.registration, ran.interrupted)
                done.figures = _figures(ran, folder.draft, aside, meanwhile)
                with aside.part("report"):
                    write_report(read(folder.draft), folder.draft / REPORT, folder.title, aside)
                    done.report = True
                done.folder = folder.commit()
            except BaseException:
                folder.discard()
                raise
    except StoreError as error:
        done.error, done.figures, done.report = error, [], False
    return done


def _figures(ran: Ran, folder: Path, aside: Aside, meanwhile: DrawnMeanwhile | None) -> list[str]:
    """Draws the figures that were not drawn meanwhile; returns the names of the files of all."""
    every: list[FigurePlan] = [figure for experiment in ran.plan.experiments for figure in experiment.figures]
    files: list[str] = []
    if meanwhile is not None:
        meanwhile.wait()
    for figure in every:
        with aside.part(f"figure {figure.experiment}.{figure.name}"):
            results, told = ran.results[figure.experiment], _told(figure, aside)
            paths = None if meanwhile is None else meanwhile.take(figure, results, folder, told)
            if paths is None:
                from ..figures import draw

                paths = draw(figure, results, folder, told)
            files += [path.name for path in paths]
    return files


def _told(figure: FigurePlan, aside: Aside) -> Callable[[str], None]:
    return lambda text: aside.warn(f"figure {figure.experiment}.{figure.name}: {text}")
