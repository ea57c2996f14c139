"""What patches hold: parts of an experiment, less what speaks of the experiment as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator


@dataclass(frozen=True, eq=False)
class Refused:
    """The keys of an experiment that patches in some place cannot hold, each with what to do instead."""

    place: str
    title: str
    keys: Mapping[str, str]

    def check(self, key: str) -> str:
        """The key, if it may stand there. Raises ValueError with a message and a hint."""
        if key in self.keys:
            raise ValueError(f"'{key}' is not allowed in {self.place}.  {self.keys[key]}")
        return key


IN_VARIANTS = Refused(
    "a variant or the patch of an axis",
    "VariantPatch",
    MappingProxyType(
        {
            "about": "Write it into the experiment's own `about`, or as a comment.",
            "base": "A variant changes its own experiment: derive an experiment of its own with `base`.",
            "sweep": "Axes multiply with the variants: write it under the experiment's own `sweep`.",
            "zip": "Axes are those of the experiment: write it there.",
            "variants": "Variants are not nested: write both at one level, or the second as an axis under `sweep`.",
            "claims": "A claim speaks of the experiment: write it there, and choose with `final(m, variant == …)`.",
            "figures": "A figure is of the experiment: write it there, and choose with `where: variant == …`.",
        }
    ),
)
"""What stands under `variants` and in the named patches of an axis is one cell's experiment."""

IN_PROFILES = Refused(
    "a profile or an override",
    "ProfilePatch",
    MappingProxyType({"base": "Experiments are derived before anything is laid over them: change the experiment."}),
)
"""What a profile or an override changes is the experiment, its claims and figures among it."""

Patch = dict[Annotated[str, AfterValidator(IN_VARIANTS.check), IN_VARIANTS], Any]
"""A part of an experiment, laid over it: maps merge, anything else replaces, null deletes."""

ProfilePatch = dict[Annotated[str, AfterValidator(IN_PROFILES.check), IN_PROFILES], Any]
"""The same in a profile."""
