"""Two studies compared: experiments paired by name or meaning, those that are the same passed over at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..check.memo import Common
from ..diagnostics.problems import Problem, StudyError
from ..ir.plan import StudyPlan
from ..resolve.document import Document
from ..resolve.resolve import resolve
from ..source import nodes as yaml
from .cells import cells_of
from .changes import Cell, Change, StudyDiff, Texts, Warned, Where
from .claims import gone as claim_gone
from .experiment import Comparison, Result
from .experiment_names import alike, renamed_experiments
from .headline import with_headline
from .inherited import told_once
from .known_cells import with_known_cells
from .moves import Moves, Origin, moved_change
from .paths import differences
from .profiles import Alone, Profiles, alone, with_profile
from .seeding import SAME_DISTRIBUTION, new_numbers
from .settings import Side, side
from .trees import spell, study_tree


class SideError(StudyError):
    """One of the two sides is no valid study; `side` is its name."""

    def __init__(self, side: str, problems: Iterable[Problem]) -> None:
        super().__init__(problems)
        self.side = side


def compare(before: Document, after: Document, moves: Moves | None = None) -> StudyDiff:
    """What differs between two studies, by meaning. Raises SideError when one of them does not resolve.

    Args:
        before: The older study.
        after: The newer one.
        moves: The experiments that came from other studies, or went there.
    """
    return _Studies(before, after, moves or Moves()).diff()


class _Studies:
    def __init__(self, before: Document, after: Document, moves: Moves) -> None:
        self.before = before
        self.after = after
        self.moves = moves
        self.profiles = Profiles(before, after)
        self.checked: dict[int, Common] = {}
        """What was checked of each document, by its identity."""
        names = before.experiments.keys() & after.experiments.keys()
        self.equal = {name for name in names if self._written(0, name) == self._written(1, name)}
        old = self._plan(before, None, ())
        own = [name for name in after.experiments if name not in self.equal]  # the others are valid as in `before`
        self.plans = (old, self._plan(after, None, own) if own else replace(old, experiments=()))
        for profile, model in after.study.profiles.items():  # nothing to compare, but an error in it is said
            if held := [name for name in self.equal if name in model.experiments]:
                self._plan(after, profile, held)

    def diff(self) -> StudyDiff:
        """The difference."""
        changes = self._texts()
        made: list[Cell] = []
        in_profiles: dict[str, list[Cell]] = {}
        warnings: list[Warned] = []
        old, new = (self._sides(which, None) for which in (0, 1))
        left, came = self.moves.departures, self.moves.arrivals
        stayed = {name: item for name, item in old.items() if name not in left}
        renamed = renamed_experiments(stayed, {name: item for name, item in new.items() if name not in came})
        origin = {now: was for was, now in renamed.items()}
        gone = [name for name in stayed if name not in new and name not in renamed]
        fresh = [name for name in new if name not in {*old, *came, *renamed.values()}]
        lone = self._lone_profiles(old, new)
        for name, after in new.items():
            from_file = came.get(name)
            before = old.pop(origin.get(name, name), None) if from_file is None else self._side_of(from_file)
            if from_file is not None:
                changes.append(moved_change(name, f"moved from `{from_file.file}`"))
            if before is None:
                replaced = stayed[gone[0]] if len(gone) == len(fresh) == 1 else None
                changes.append(self._whole(name, "added", alike(replaced, after) if replaced is not None else ""))
                made += cells_of(after, older=False)
                continue
            was = before.plan.name
            if was != name:
                path = ("experiments", was)
                changes.append(
                    Change(
                        "",
                        path,
                        "renamed",
                        was,
                        name,
                        ("task",),
                        note=SAME_DISTRIBUTION,
                        scope="experiment",
                        seeds=True,
                    )
                )
            profiles = Profiles(from_file.document, self.after) if from_file else self.profiles
            found = self._compared(was, name, (before, after), profiles)
            changes += found.changes
            made += found.cells
            warnings += found.warnings
            for profile, own in found.profiles.items():
                in_profiles.setdefault(profile, []).extend(own)
        for name, left_over in old.items():
            if name in left:
                changes.append(moved_change(name, f"moved to `{left[name]}`"))
                continue
            changes.append(self._whole(name, "removed"))
            made += cells_of(left_over, older=True)
            warnings += [claim_gone(name, claim, "its experiment") for claim in left_over.plan.claims]
        changes = (
            told_once(self._united(changes), self._bases()) + self.profiles.names() + [item.change for item in lone]
        )
        for item in lone:
            warnings += item.warnings
            in_profiles.setdefault(item.change.path[1], []).extend(item.cells)
        unchanged = {plan.name: len(plan.programs) for plan in self.plans[0].experiments if plan.name in self.equal}
        changes = new_numbers(changes)
        found_diff = StudyDiff(
            self.before.source.name, self.after.source.name, "", tuple(changes), tuple(made), tuple(warnings), unchanged,
            {profile: tuple(own) for profile, own in in_profiles.items() if own},
        )  # fmt: skip
        return with_known_cells(with_headline(found_diff))

    # -- what is resolved --------------------------------------------------------------------------------------------

    def _written(self, which: int, name: str) -> str:
        """All that an experiment's meaning hangs on, as it is written: the order of phases and updates counts, too."""
        return json.dumps([_usual(self.profiles.documents[which], name), self.profiles.written(which, name)])

    def _plan(self, document: Document, profile: str | None, only: Iterable[str]) -> StudyPlan:
        wanted = list(only)
        try:
            return resolve(document, profile, (), wanted, self.checked.setdefault(id(document), Common()))
        except StudyError as error:
            raise SideError("after" if document is self.after else "before", error.problems) from None

    def _sides(self, which: int, profile: str | None) -> dict[str, Side]:
        document, plan = (self.before, self.after)[which], self.plans[which]
        defaults = document.study.layer_defaults
        return {item.name: side(item, defaults) for item in plan.experiments if item.name not in self.equal}

    def _side_of(self, origin: Origin) -> Side:
        """An experiment of another file of the older side."""
        return side(
            self._plan(origin.document, None, [origin.name]).experiments[0], origin.document.study.layer_defaults
        )

    def _side(self, document: Document, profile: str, name: str) -> Side:
        """An experiment in a profile."""
        return side(self._plan(document, profile, [name]).experiments[0], document.study.layer_defaults)

    def _compared(self, was: str, now: str, sides: tuple[Side, Side], profiles: Profiles) -> Result:
        """An experiment without a profile, and in each of some profiles that patches it on either side."""
        result = Comparison(now, *sides).result()
        documents = profiles.documents
        patches = profiles.written(0, was), profiles.written(1, now)
        alike = was == now and _text(_usual(documents[0], was)) == _text(_usual(documents[1], now))
        for old, new in profiles.shared:
            own = patches[0].get(new), patches[1].get(new)
            if own == (None, None) or (alike and _text(own[0]) == _text(own[1])):
                continue
            inside = self._side(documents[0], old, was), self._side(documents[1], new, now)
            result = with_profile(result, new, Comparison(now, *inside).result())
        return result

    def _lone_profiles(self, old: dict[str, Side], new: dict[str, Side]) -> list[Alone]:
        """Profiles that came or went, with what they change of each experiment."""
        lone = []
        for document, sides, names, action in (
            (self.after, new, self.profiles.added, "added"),
            (self.before, old, self.profiles.removed, "removed"),
        ):
            for profile in names:
                patched = document.study.profiles[profile].experiments
                own = {name: (sides[name], self._side(document, profile, name)) for name in patched if name in sides}
                lone.append(alone(profile, action, own))
        return lone

    # -- whole parts -------------------------------------------------------------------------------------------------

    def _whole(self, name: str, action: str, note: str = "") -> Change:
        texts: Texts = (None, name) if action == "added" else (name, None)
        return Change("", ("experiments", name), action, *texts, ("task",), note=note, scope="experiment")

    def _bases(self) -> dict[str, str]:
        """The experiment that each derived one is derived from."""
        nodes = {name: yaml.find(self.after.top, ["experiments", name, "base"]) for name in self.after.experiments}
        return {name: str(node.value) for name, node in nodes.items() if isinstance(node, yaml.Scalar)}

    def _united(self, changes: list[Change]) -> list[Change]:
        """Changes with those of the study's own `layer_defaults` once, and not once an experiment."""
        own = [item.study.layer_defaults for item in (self.before, self.after)]
        found: dict[object, Change] = {}
        for change in changes:
            general = change.path[0] == "layer_defaults" and getattr(own[0], change.path[-1]) != getattr(
                own[1], change.path[-1]
            )
            if general:
                found.setdefault(
                    (change.path, change.before, change.after), replace(change, experiment="", where=Where())
                )
            else:
                found[id(change)] = change
        return list(found.values())

    def _texts(self) -> list[Change]:
        """What the study says of itself."""
        changes = []
        for pair in differences(study_tree(self.before.study), study_tree(self.after.study)):
            action = "added" if pair.before is None else "removed" if pair.after is None else "changed"
            before, after = (None if side is None else spell(side) for side in (pair.before, pair.after))
            note = "runs are stored under the new name" if pair.path == ("study",) else ""
            changes.append(Change("", pair.path, action, before, after, ("text",), note=note))
        return changes


def _usual(document: Document, name: str) -> Any:
    """What an experiment's meaning hangs on without a profile, as it is written."""
    node = document.study.node("layer_defaults")
    return [yaml.data(document.experiments[name]), yaml.data(node) if node else None]


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True)
