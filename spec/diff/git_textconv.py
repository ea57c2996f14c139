"""A study as sorted lines, one per path, for git to compare (`textconv`)."""

from __future__ import annotations

import difflib

from ..diagnostics.problems import Source
from ..resolve.document import Document
from ..resolve.load import parse
from ..resolve.resolve import resolve
from ..source.conflict_marks import END, OURS, THEIRS, ConflictSides
from .settings import side
from .trees import Branch, Expression, Layers, Tree, leaves, spell, study_tree


def meaning_lines(document: Document) -> str:
    """Every path with its value, defaults left out; a variant by where it differs from the base."""
    found = [f"{'.'.join(path)}: {spell(leaf)}" for path, leaf in leaves(study_tree(document.study))]
    for experiment in resolve(document).experiments:
        one = side(experiment, document.study.layer_defaults)
        base = {**dict(_flat(one.defaults, ("layer_defaults",))), **dict(_flat(one.base))}
        found += [f"{experiment.name}.{path}: {text}" for path, text in sorted(base.items())]
        for axis, values in sorted(experiment.axes.items()):
            if axis != "variant":
                found.append(f"{experiment.name}.sweep.{axis}: {list(values)}")
        for setting, tree in sorted(one.trees.items(), key=lambda item: item[0].name):
            own = {**dict(_flat(one.defaults, ("layer_defaults",))), **dict(_flat(tree))}
            label = f"{experiment.name}/{setting.name}" if setting.name else experiment.name
            found += [f"{label}.{path}: {text}" for path, text in sorted(own.items()) if base.get(path) != text]
            found += [f"{label}.{path}: (none)" for path in sorted(base) if path not in own]
    for name, profile in sorted(document.study.profiles.items()):
        found += [f"profile {name}.{text}" for text in _plain(profile.experiments, ())]
    return "\n".join(found) + "\n"


def conflict_lines(sides: ConflictSides, name: str) -> str:
    """The meanings of both sides of a conflict in one text: what they share once, and marks only around what differs.

    Raises StudyError where a side is no valid study.
    """
    ours, theirs = (meaning_lines(parse(Source(name, text))).splitlines() for text in (sides.ours, sides.theirs))
    lines: list[str] = []
    for kind, i, j, k, m in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if kind == "equal":
            lines += ours[i:j]
        else:
            lines += [f"{OURS} {sides.names[0]}", *ours[i:j], THEIRS, *theirs[k:m], f"{END} {sides.names[1]}"]
    return "\n".join(lines) + "\n"


def _flat(tree: Tree, path: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Paths with their texts; a layer, an optimiser and a mode are one line each."""
    if isinstance(tree, Branch) and not tree.head and set(tree.entries) - tree.usual != {"of"}:
        entries = [(key, inner) for key, inner in tree.entries.items() if key not in tree.usual]
        return [pair for key, inner in entries for pair in _flat(inner, (*path, key))]
    if isinstance(tree, Layers):
        return [pair for key, item in tree.items for pair in _flat(item, (*path, key))]
    text = spell(tree)
    if isinstance(tree, Expression) and tree.parameters:
        path = (*path[:-1], f"{path[-1]}({', '.join(tree.parameters)})")
    return [(".".join(path), " ".join(text.split()))]


def _plain(node: object, path: tuple[str, ...]) -> list[str]:
    if isinstance(node, dict) and node:
        return [text for key in sorted(node) for text in _plain(node[key], (*path, str(key)))]
    return [f"{'.'.join(path)}: {node}"]
