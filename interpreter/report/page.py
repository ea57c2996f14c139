"""The page of a run: what its folder holds, put into the template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlspec import spec
from dlspec.spec.diagnostics.problems import Source

from ..results.atomic_files import replace_file
from ..results.earlier_looks import looks_text
from ..results.number_text import SPREAD, number
from ..results.optional_outputs import Aside
from ..results.registration import registration_text
from ..results.run_list import RunRecord
from ..results.verdicts import MARKS, PLURAL, VERDICTS
from ..verdicts.evidence_text import chance_text, lines, needed
from .endings import Cause, causes
from .figures import REST_IS_THERE, Picture, pictures
from .final_values import Finals, finals
from .margins import margins_picture
from .one_file import one_file
from .provenance import IN_THE_HEAD, provenance


@dataclass(frozen=True)
class Section:
    """One experiment on the page; `whole` says that there is a table of its replicates."""

    finals: Finals
    about: str
    pictures: list[Picture]
    whole: bool


def write_report(run: RunRecord, file: Path, name: str = "", aside: Aside | None = None) -> int:
    """Writes a run's page, whole or not at all; returns its bytes. Raises OSError, StoreError.

    With `aside`, a part of it that can't be made is missing, which the page says and `aside` is told.
    """
    text = page(run, name, aside).encode()
    replace_file(file, text)
    return len(text)


def page(run: RunRecord, name: str = "", aside: Aside | None = None) -> str:
    """A run as HTML; `name` is what it will be called, where its folder has another name still. Raises StoreError.

    With `aside`, a part that can't be made is missing, which the page says and `aside` is told.
    """
    missing: list[str] = []

    def tell(text: str) -> None:
        missing.append(text)
        if aside is not None:
            aside.failed.append(text)
            aside.warn(f"report: {text}")

    parts = Aside(tell, strict=aside is None)
    text, study = "", None
    with parts.part("the spec", REST_IS_THERE):
        text = run.study_text
        study = readable_study(text)
    experiments = study.experiments if study is not None else {}
    sections = []
    with parts.part("the cells", REST_IS_THERE):
        for own in finals(run.read("cells.json")):
            model = experiments.get(own.experiment)
            shown: list[Picture] = []
            with parts.part(f"the figures of {own.experiment}", REST_IS_THERE):
                shown = pictures(run.folder, own.experiment, getattr(model, "figures", None) or {}, parts)
            whole = False
            with parts.part(f"the table of {own.experiment}", REST_IS_THERE):
                whole = all(made is not None for made in (own.rows, own.each, own.arrays))
            sections.append(Section(own, words_of(model, "about"), shown, whole))
    ended: list[Cause] = []
    with parts.part("what ended early", REST_IS_THERE):
        ended = causes([section.finals for section in sections])
    claims: list[Any] = []
    with parts.part("the claims", REST_IS_THERE):
        claims = run.read("claims.json")
    replicates: Mapping[str, int] = {}
    counts: Mapping[str, int] = {}
    with parts.part("the numbers of replicates and verdicts", REST_IS_THERE):
        replicates, counts = run.replicates, run.verdicts
    return one_file(
        "page.html.jinja", (one for section in sections for one in section.pictures), version=run.about.get("packages", {}).get("dlspec", ""),
        run=run, name=name or run.name, about=run.about, title=title_of(study, run),
        words=words_of(study, "about"), profile=words_of(study.profiles.get(run.profile), "about") if study is not None else "",
        source=_source(study.source if study is not None else None), claims=claims, sections=sections,
        seen=seen, picture=margins_picture, dots=any(map(margins_picture, claims)),
        by_chance=chance_text(claims), registered=registration_text(run.about.get("registration")),
        verdicts=VERDICTS, marks=MARKS, plural=PLURAL, spread_words=SPREAD,
        command=run.command_line, text=text,
        facts=[(words, fact) for words, fact in provenance(run, replicates, name).items() if words not in IN_THE_HEAD],
        missing=missing, ended=ended, counts=counts,
    )  # fmt: skip


def seen(claim: Mapping[str, Any]) -> list[str]:
    """What was seen of a claim, a line a condition, and what would settle it; older runs hold one mean and range alone."""
    if claim["evidence"] or claim["value"] is None:
        return [*lines(claim["evidence"]), *filter(None, [needed(claim), looks_text(claim["looks"])])]
    low, high = claim["range"] or (None, None)
    spread = f", from {number(low)} to {number(high)}" if low is not None and high is not None and low != high else ""
    return [f"saw {number(claim['value'])}{spread}"]


def readable_study(text: str) -> Any:
    """The study that was run, or nothing where this version of the language can't read it: its text is shown all the same."""
    try:
        return spec.parse(Source("spec.yaml", text)).study
    except spec.StudyError:
        return None


def title_of(study: Any, run: RunRecord) -> str:
    """What a page calls a study, as far as that can be read."""
    return words_of(study, "title") or run.study.replace("_", " ").capitalize()


def words_of(model: Any, field: str) -> str:
    """A text of a model, as a title; empty where there is none."""
    return str(getattr(model, field, None) or "").strip()


def _source(source: Any) -> Mapping[str, str] | None:
    """Where a study comes from: the words, and a link where it names arXiv, a DOI or an address."""
    if source is None:
        return None
    parts = [source.paper or source.url or ""]
    parts += [f"{name} {value}" for name in ("section", "figure") if (value := getattr(source, name)) is not None]
    return {"text": ", ".join(part for part in parts if part), "link": _link(source.url) or _link(source.paper)}


def _link(word: str | None) -> str:
    """The address that a word stands for; empty if it is none.

    >>> _link("arXiv:1703.07950"), _link("doi:10.1/x"), _link("javascript:alert(1)")
    ('https://arxiv.org/abs/1703.07950', 'https://doi.org/10.1/x', '')
    """
    word = (word or "").strip()
    if found := re.fullmatch(r"arxiv:\s*([\w.\-/]+)", word, re.IGNORECASE):
        return f"https://arxiv.org/abs/{found[1]}"
    if found := re.fullmatch(r"doi:\s*(10\.\S+)", word, re.IGNORECASE):
        return f"https://doi.org/{found[1]}"
    return word if re.fullmatch(r"https?://\S+", word, re.IGNORECASE) else ""
