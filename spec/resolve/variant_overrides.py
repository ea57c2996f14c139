"""What a profile and overrides say of variants: they change those that are there, and may leave some out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ..diagnostics.problems import problem_at
from ..model.patch import IN_PROFILES, IN_VARIANTS, Refused
from ..source.nodes import Mapping, Node, Scalar


def must_hold(patch: Mapping) -> None:
    """Refuses what a profile's or an override's patch cannot hold, in itself or in a variant. Raises StudyError."""
    _refuse(patch, IN_PROFILES)
    variants = patch.get("variants")
    if variants is None:
        return
    if not isinstance(variants, Mapping):
        key = patch.key("variants")
        hint = "`variants: {a: {training: {steps: 10}}, b: null}` changes a, and leaves b out."
        raise problem_at(key.span if key else variants.span, "`variants` takes a map of patches here", hint)
    for key, variant in variants.entries:
        if isinstance(variant, Mapping):
            _refuse(variant, IN_VARIANTS)
        elif not _null(variant):
            hint = f"`{key.text}: {{training: {{steps: 10}}}}` changes it, and `{key.text}: null` leaves it out."
            raise problem_at(key.span, f"the variant '{key.text}' takes a map of what changes", hint)


def must_not_be_swept(patch: Mapping, swept: Collection[str]) -> None:
    """Refuses a late value of a constant that a sweep gives its values. Raises StudyError."""
    variants = patch.get("variants")
    own = [variant for _, variant in variants.entries] if isinstance(variants, Mapping) else []
    for part in (patch, *own):
        constants = part.get("constants") if isinstance(part, Mapping) else None
        for key, _ in constants.entries if isinstance(constants, Mapping) else ():
            if key.text in swept:
                hint = f"Say which values it takes: `sweep: {{{key.text}: [1, 2]}}`."
                raise problem_at(key.span, f"'{key.text}' is swept, and has its values from `sweep`", hint)


def deleting_variants(patch: Mapping) -> Mapping:
    """A late patch with nothing of variants but those that it leaves out."""
    entries = []
    for key, node in patch.entries:
        if key.text == "variants" and isinstance(node, Mapping):
            node = replace(node, entries=tuple(entry for entry in node.entries if _null(entry[1])))
            if not node.entries:
                continue
        entries.append((key, node))
    return replace(patch, entries=tuple(entries))


def _refuse(patch: Mapping, refused: Refused) -> None:
    for key, _ in patch.entries:
        if key.text in refused.keys:
            raise problem_at(key.span, f"'{key.text}' is not allowed in {refused.place}", refused.keys[key.text])


def _null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None and node.plain
