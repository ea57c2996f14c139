"""A document to a study's plan: profile, overrides, variants and sweeps laid over the base, each cell checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from ..check.constant_limits import Budget
from ..check.memo import Common
from ..data_files.heads_alone import heads_alone
from ..diagnostics.problems import Problem, Span, StudyError, did_you_mean, in_file_order, listing, problem_at, those
from ..ir.plan import ExperimentPlan, StudyPlan
from ..passes.digests import identified
from ..source import nodes as yaml
from .across_cells import noted
from .cells_at_once import EquallyPatched, check_at_once
from .document import Document
from .equal_cells import MOST, compared, each_alone, equal_cells, told_apart
from .experiment import ExperimentResolver
from .overrides import Override, by_experiment, must_be_asked_for
from .points_together import MIN_AT_ONCE

T = TypeVar("T")

MOST_AT_ONCE = 5_000
"""How many cells of an experiment in different profiles are checked at once at most: what came of each is kept until its profile's turn."""


def resolve(
    document: Document, profile: str | None = None, overrides: Sequence[Override] = (), only: Sequence[str] = (),
    common: Common | None = None,
) -> StudyPlan:  # fmt: skip
    """The plan of a study in a profile. Raises StudyError with every problem of every experiment.

    `common` is what was checked of the same document in other profiles.
    """
    plan = identified(_checked(document, profile, overrides, only, common))
    return replace(plan, warnings=(*plan.warnings, *equal_cells(plan)))


def _checked(
    document: Document, profile: str | None = None, overrides: Sequence[Override] = (), only: Sequence[str] = (),
    common: Common | None = None, together: bool = False, changed: bool = False,
) -> StudyPlan:  # fmt: skip
    """The plan but for its digests, which a check has no need of. `common` is what was checked in other profiles.

    Where sweep points are checked `together`, terms may stand for all of them. With `changed`, only what the profile changes is in it.
    """
    patches = _profile(document, profile)
    problems: list[Problem] = []
    warnings: list[Problem] = []
    plans: list[ExperimentPlan] = []
    wanted = _only(document, only)
    must_be_asked_for(document, overrides, wanted)
    targets = by_experiment(document, overrides)
    common = common or Common()
    common.budget = Budget()
    for name in patches if changed else document.experiments:
        if wanted and name not in wanted:
            continue
        node = document.experiments[name]
        patch, over, variants = patches.get(name), targets.get(name, []), wanted.get(name, ())
        as_written = ("experiment as written", name, together)
        known = None if patch or over or variants else common.cache.get(as_written)
        if known is None:
            anew = partial(ExperimentResolver, document, name, node, patch, over, variants, common, together)
            known = _planned(common.cache.pop(("in profile", profile, name), None), anew)
            if not (patch or over or variants):  # a profile that says nothing of it leaves it as it is
                common.cache[as_written] = known
        plans.extend(known[0])
        warnings.extend(known[1])
        problems.extend(known[2])
    if problems:
        raise StudyError(in_file_order(problems))
    study = document.study
    return StudyPlan(
        study.study, study.title or study.study, study.about or "", profile or "", tuple(plans),
        tuple(dict.fromkeys(warnings)), document.source.text,
        tuple(override.span.source.text for override in overrides), tuple(only),
    )  # fmt: skip


def _planned(
    resolver: ExperimentResolver | None, anew: Callable[[], ExperimentResolver]
) -> tuple[list[ExperimentPlan], list[Problem], Sequence[Problem]]:
    """An experiment's plan, where it has one, its warnings, and what is wrong with it."""
    try:
        resolver = resolver or anew()
        return [resolver.plan()], resolver.warnings, ()
    except StudyError as error:
        return [], [], error.problems


def validate(document: Document) -> tuple[Problem, ...]:
    """Checks a study in every profile. Raises StudyError with all problems; returns the warnings.

    Sweep points are checked together where they can be: the terms of these plans are not those of a cell. Of large data files the
    heads are read; where a problem may come of what these leave open, the values are.
    """
    with heads_alone() as heads:
        try:
            return _warnings(document)
        except StudyError:
            if not heads.loose:
                raise
    return _warnings(document)


def _warnings(document: Document) -> tuple[Problem, ...]:
    common = Common(run=False)
    text = document.source.text
    looked = in_every_profile(
        document, lambda plan: (plan.warnings, _compared(plan, text)), together=True, common=common
    )
    warnings = [warning for of_one, _ in looked for warning in of_one]
    return in_file_order([*warnings, *_equal(document, [plans for _, plans in looked], common)])


def _compared(plan: StudyPlan, text: str) -> Mapping[str, ExperimentPlan]:
    """The experiments whose cells are compared."""
    return {item.name: item for item in plan.experiments if item.axes and compared(text, item.axes, item.model)}


def _equal(document: Document, plans: Sequence[Mapping[str, ExperimentPlan]], common: Common) -> list[Problem]:
    """Warnings of cells that are equal but for their names, without a profile and in each, of the plans in each.

    Where cells were checked together, those along the axes are checked one by one for that.
    """
    found: dict[tuple[Span | None, str], Problem] = {}
    for profile, seen in zip((None, *document.study.profiles), plans, strict=True):
        common.budget = Budget()
        patches = _profile(document, profile) if seen else {}
        for name, plan in seen.items():
            if not each_alone(plan.axes, plan.model):
                node = document.experiments[name]
                resolver = ExperimentResolver(document, name, node, patches.get(name), [], (), common)
                plan = resolver.along_axes(MOST, plan.figures)
            for problem in told_apart(plan):
                told = noted(problem, f"In the profile '{profile}'.") if profile else problem
                found.setdefault((problem.span, problem.message), told)
    return list(found.values())


def in_every_profile(
    document: Document, look: Callable[[StudyPlan], T], together: bool = False, common: Common | None = None
) -> list[T]:
    """What is seen of a study's plan without a profile, and of what each profile changes; the plans have no digests. Raises StudyError with all problems.

    `together` says that terms are not looked at: they may stand for all sweep points at once.
    """
    problems: list[Problem] = []
    known: set[tuple[Span | None, str]] = set()
    seen = []
    common = common or Common()
    if together:
        _check_profiles_at_once(document, common)
    for profile in (None, *document.study.profiles):
        try:
            seen.append(
                look(_checked(document, profile, common=common, together=together, changed=profile is not None))
            )
        except StudyError as error:
            node = document.study.profiles[profile].node() if profile else None
            fresh = [problem for problem in error.problems if (problem.span, problem.message) not in known]
            fresh = [noted(problem, f"In the profile '{profile}'.", node) if profile else problem for problem in fresh]
            known.update((problem.span, problem.message) for problem in fresh)
            problems.extend(fresh)
    if problems:
        raise StudyError(in_file_order(problems))
    return seen


def _check_profiles_at_once(document: Document, common: Common) -> None:
    """Checks the cells of experiments that many profiles patch, of all these profiles at once; the resolvers that know of it wait for their turn."""
    profiles: dict[str, list[tuple[str, yaml.Mapping]]] = {}
    for profile in document.study.profiles if len(document.study.profiles) >= MIN_AT_ONCE else ():
        try:
            patches = _profile(document, profile)
        except StudyError:
            continue  # told in its turn
        for name, patch in patches.items():
            profiles.setdefault(name, []).append((profile, patch))
    for name, own in profiles.items():
        some: list[EquallyPatched] = []
        cells = 0
        for profile, patch in own if len(own) >= MIN_AT_ONCE else ():
            node = document.experiments[name]
            try:
                resolver = ExperimentResolver(document, name, node, patch, (), (), common, True)
                found = resolver.equally_patched() if resolver.together else []
            except StudyError:
                continue  # told in its turn
            cells += sum(len(alike.cells) for alike in found)
            if cells > MOST_AT_ONCE:
                break
            some += found
            common.cache["in profile", profile, name] = resolver
        check_at_once(some, document)


def _profile(document: Document, profile: str | None) -> dict[str, yaml.Mapping]:
    if profile is None:
        return {}
    known = document.study.profiles
    if profile not in known:
        hint = did_you_mean(profile, known) or those("profiles", known)
        raise problem_at(None, f"{document.source.name}: there is no profile '{profile}'", hint)
    node = known[profile].node("experiments")
    assert isinstance(node, yaml.Mapping)
    patches = {}
    for key, patch in node.entries:
        if key.text not in document.experiments:
            hint = (
                did_you_mean(key.text, document.experiments) or f"The experiments are {listing(document.experiments)}."
            )
            raise problem_at(key.span, f"there is no experiment '{key.text}'", hint)
        if isinstance(patch, yaml.Mapping):
            patches[key.text] = patch
    return patches


def _only(document: Document, only: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """`--only experiment/variant`, by experiment."""
    variants: dict[str, tuple[str, ...]] = {}
    whole: set[str] = set()
    for item in only:
        name, _, variant = item.partition("/")
        if name not in document.experiments:
            hint = did_you_mean(name, document.experiments) or f"The experiments are {listing(document.experiments)}."
            raise problem_at(None, f"--only {item}: there is no experiment '{name}'", hint)
        variants[name] = (*variants.get(name, ()), *((variant,) if variant else ()))
        if not variant:
            whole.add(name)
    return {name: () if name in whole else chosen for name, chosen in variants.items()}
