"""`dlspec pack` and `unpack`: a run as one file, to be taken elsewhere; `dlspec cite`: the line that it is cited by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import complete
from .options import Overrides, Profile, Runs
from .warnings_told import tell_warning


def pack(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run: its name, the beginning of it, or its folder.", autocompletion=complete.runs)],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="The archive; otherwise RUN.dlspec.zip.")] = None,
    weights: Annotated[bool, typer.Option("--weights", help="Includes the weights that were kept (`run --keep-weights`).")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FOLDER", help="Includes the data files of the study, which is in FOLDER.")
    ] = None,
    root: Runs = Path("runs"),
) -> None:  # fmt: skip
    """Writes a run into one archive. Spec, report, curves, provenance and its stored replicates; weights and data files on request."""
    from ..api.packing import packed
    from ..results.number_text import size
    from ..results.run_list import named

    done = packed(named(root, run), output, tell_warning, weights, data)
    print(f"{done.file}: {size(done.bytes)}, {done.replicates} of {done.of} replicates to continue from")
    if done.left_out:
        print(f"not included: {'; '.join(done.left_out)}")


def unpack(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="What `dlspec pack` wrote, here or elsewhere.")],
    root: Runs = Path("runs"),
) -> None:  # fmt: skip
    """Unpacks an archive, its run and its results. Later runs continue from them; nothing in it is run."""
    from ..api.packing import unpacked

    done = unpacked(archive, root, tell_warning)
    there = " was there already" if done.there else ""
    many = "" if done.files == 1 else "s"
    print(f"{done.run.folder}{there}: {done.files} result file{many} taken into the store")


def cite(
    what: Annotated[str, typer.Argument(metavar="FILE|RUN", help="A study, or a run.", autocompletion=complete.runs)],
    profile: Profile = None, override: Overrides = None, root: Runs = Path("runs"),
) -> None:  # fmt: skip
    """Prints a line to cite a study or a run by. The paper, the study's digest, versions."""
    if what.endswith((".yaml", ".yml")):
        from ..api.citation import study_line
        from ..api.study import load
        from ..results.distribution import dlspec_version

        study = load(what)
        print(study_line(study.document, study.resolved(profile, override), dlspec_version()))
        return
    from ..api.packing import cited
    from ..results.run_list import named

    print(cited(named(root, what), tell_warning))
