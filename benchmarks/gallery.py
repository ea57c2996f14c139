"""`python -m benchmarks.gallery`: runs the cases in `examples/failures/`, and writes what came out into `docs/gallery.md`, with their figures.

What is stored is not run again. `docs/gallery.json` keeps what came out, with a checksum of what each case says to be run, drawn and judged: a test holds the
page, that file and the examples together. `--grids` runs the settings that were declared for some cases (`benchmarks/grids/`), which `docs/grids.json` keeps.
Words (titles, what a case is about, the sentences of claims) are taken from the case, and may change without a run.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlspec import spec
from dlspec.interpreter.api.run import Run
from dlspec.interpreter.report.page import seen
from dlspec.interpreter.results.verdicts import MARKS
from dlspec.spec.model.study import Study
from dlspec.spec.source.nodes import data

from . import grids
from .kept import NOT_YET, made_by, read_kept, registered, write_kept
from .kept import checksum as checksum_of
from .workloads import ROOT

CASES = ROOT / "examples" / "failures"
PAGE = ROOT / "docs" / "gallery.md"
DATA = ROOT / "docs" / "gallery.json"
FIGURES = ROOT / "docs" / "figures" / "gallery"

NOT_RUN = {"title", "about", "source", "says", "profiles"}
"""What a study, an experiment or a claim says to its reader alone, and what the page's run is without."""

HEAD = """# Gallery

The gallery shows failures of deep learning from the literature, one spec each. Each spec was run as it is in the file, over all of its
replicates. Claims, what was seen and figures are those of that run. `python -m benchmarks.gallery` makes this page again. The four
studies of *Failures of Gradient-Based Deep Learning* have [a page of their own](results.md).

How to read a claim, line by line:

1. its verdict and its sentence
2. the check that the sentence stands for
3. the number of replicates (trainings with draws of their own) in which it is so, and the share of all seeds that this implies at
   least ([Verdicts](verdicts.md))
4. what was seen, as mean (least … largest) over replicates, and where it was closest to being otherwise

The file below a case is all that was run. `dlspec new --from adam` starts a study of your own from one.

How far the cases go:

- **Small cases.** Cases are made small, to run in minutes. Most have other data, sizes and rates than their paper. The end of each text
  says what was changed, what of the paper is not shown, and what came out otherwise than the paper says.
- **Settings by hand.** Rates, sizes and thresholds were set by hand, and thresholds often after numbers were seen. How many settings were
  tried was not written down. A verdict says that a failure is there in this setting over all draws, not in how many settings it is there.
- **Claims that changed.** If a claim once read otherwise and was given up, the case says so.
- **Declared settings.** For four claims that their papers make and the cases do not see, settings were declared, committed and registered
  ([Verdicts](verdicts.md#before-and-after-a-run)) before any of them was run. All of them are below their case, as they came out, or as
  not measured yet.
- **Registered cases.** Later cases were themselves registered, with their claims and thresholds, before their run. A line below them says
  so.
"""


def main() -> int:
    """Runs what is asked for; 1 where a study could not be run whole."""
    import dlspec

    parser = argparse.ArgumentParser(description="Runs the gallery and writes its page.")
    parser.add_argument("--only", default="", help="one case by its name")
    parser.add_argument("--runs", default="runs", help="where runs lie, with the store")
    parser.add_argument(
        "--profile", default="", help="runs this profile of each, prints a line of each, and writes nothing"
    )
    parser.add_argument("--page", action="store_true", help="runs nothing: writes the page of what is kept")
    parser.add_argument("--grids", action="store_true", help="runs the declared settings of cases, and not the cases")
    arguments = parser.parse_args()
    if arguments.profile:
        chosen = [path for path in cases() if arguments.only in ("", path.stem)]
        return _profile(chosen, arguments.profile, arguments.runs)
    paths = grids.grids() if arguments.grids else cases()
    file, keeps = (grids.DATA, grids.kept) if arguments.grids else (DATA, _kept)
    held, code = read_kept(file), 0
    for path in [] if arguments.page else [path for path in paths if arguments.only in ("", path.stem)]:
        print(path.stem, file=sys.stderr, flush=True)
        run = dlspec.run(path, runs=arguments.runs, progress=True)
        code |= run.exit_code not in (0, 3)
        held[path.stem] = keeps(path, run)
        held = write_kept(file, held, [path.stem for path in paths])
        PAGE.write_text(page(read_kept(DATA), read_kept(grids.DATA)), "utf-8")
    if arguments.page:
        PAGE.write_text(page(read_kept(DATA), read_kept(grids.DATA)), "utf-8")
    return code


def _profile(paths: Sequence[Path], profile: str, runs: str) -> int:
    """Runs a profile of some cases; prints how long each took, of the clock and of processors, and its verdicts."""
    import dlspec

    begun, codes = (time.monotonic(), _processor_time()), []
    for path in paths:
        before = time.monotonic(), _processor_time()
        run = dlspec.run(path, profile=profile, runs=runs)
        codes.append(run.exit_code)
        verdicts = Counter(claim["verdict"] for claim in json.loads((run.path / "claims.json").read_text("utf-8")))
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
        print(
            f"{path.stem:20} {time.monotonic() - before[0]:6.1f} s {_processor_time() - before[1]:6.1f} s of processors  {told}",
            flush=True,
        )
    print(
        f"{'all ' + str(len(paths)):20} {time.monotonic() - begun[0]:6.1f} s {_processor_time() - begun[1]:6.1f} s of processors"
    )
    return max(codes, default=0)


def _processor_time() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def cases() -> list[Path]:
    """The files of the cases."""
    return sorted(CASES.glob("*.yaml"))


def checksum(path: Path) -> str:
    """Of what a case says to be run, drawn and judged: comments, layout, words and profiles are not in it."""
    study = data(spec.parse(spec.read(str(path))).top)
    experiments = study["experiments"].values()
    claims = [claim for one in experiments for claim in one.get("claims", {}).values()]
    for part in (study, *experiments, *claims):
        for name in NOT_RUN & part.keys():
            del part[name]
    return checksum_of(study)


def _kept(path: Path, run: Run) -> dict[str, Any]:
    """What the page needs of a run, whose figures are copied."""
    folder = run.path
    claims = json.loads((folder / "claims.json").read_text("utf-8"))
    FIGURES.mkdir(parents=True, exist_ok=True)
    for old in FIGURES.glob(f"{path.stem}.*"):
        old.unlink()
    figures = []
    for figure in sorted(folder.glob("*.png")):
        name = f"{path.stem}.{figure.name}"
        shutil.copy(figure, FIGURES / name)
        figures.append(name)
    cells = json.loads((folder / "cells.json").read_text("utf-8"))
    return {
        "study": checksum(path), **made_by(run),
        "replicates": max(cell["replicate"] for cell in cells) + 1,
        "registration": run.about.get("registration"),
        "claims": [
            {"claim": claim["id"], "check": claim["check"], "verdict": claim["verdict"], "strength": claim["strength"],
             "seen": seen_now(claim), "reason": claim["reason"]}
            for claim in claims
        ],
        "figures": figures,
    }  # fmt: skip


def seen_now(claim: Mapping[str, Any]) -> list[str]:
    """What was seen of a claim, without how earlier runs judged it: which of these there are is a matter of the folder of runs."""
    return list(seen({**claim, "looks": []}))


def page(held: Mapping[str, Mapping[str, Any]], declared: Mapping[str, Mapping[str, Any]]) -> str:
    """The page of what is kept of the cases, and of the grids that were declared for some of them."""
    files = {path.stem: path for path in grids.grids()}
    parts = [HEAD]
    for name, item in held.items():
        parts.append(_case(CASES / f"{name}.yaml", item))
        if name in files:
            parts.append("\n".join(grids.section(files[name], declared.get(name))))
    return "\n".join(parts)


def said(study: Study) -> dict[str, str]:
    """The sentences of a study's claims, by experiment and name."""
    return {
        f"{experiment}.{name}": claim.says
        for experiment, one in study.experiments.items()
        for name, claim in one.claims.items()
    }


def _case(path: Path, item: Mapping[str, Any]) -> str:
    study = spec.load(path).study
    lines = [f"## {study.title or path.stem}", ""]
    if study.source is not None and study.source.paper:
        lines += [f"*{study.source.paper}*", ""]
    lines += [(study.about or "").strip(), ""]
    held = {claim["claim"]: claim for claim in item["claims"]}
    for name, says in said(study).items():
        if name not in held:
            lines.append(f"- **{NOT_YET}**: {says}  ")
            continue
        claim = held[name]
        lines.append(f"- {MARKS[claim['verdict']]} **{claim['verdict']}**: {says}  ")
        lines.append(f"  `{claim['check']}`  ")
        lines += [f"  {line}  " for line in (claim["strength"], *claim["seen"], claim["reason"]) if line]
    lines.append("")
    lines += [f"![{name.split('.')[-2]}](figures/gallery/{name})\n" for name in item["figures"]]
    packages = ", ".join(f"{name} {version}" for name, version in item["packages"].items())
    before = f"{registered(item['registration'])} " if item.get("registration") else ""
    lines += [
        f"{before}{item['replicates']} replicates, on {item['processor']} ({packages}; version {item['numerics']} of the numbers).",
        "",
        f"`dlspec run examples/failures/{path.name}`",
        "",
        f'<details markdown="1"><summary>examples/failures/{path.name}</summary>',
        "",
        "```yaml",
        path.read_text("utf-8").rstrip(),
        "```",
        "",
        "</details>",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
