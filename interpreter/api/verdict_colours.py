"""The colours of verdicts on a terminal."""

from __future__ import annotations

from ..results.verdicts import FAILS, HOLDS, OPEN, SEEN

COLOURS = {HOLDS: "green", SEEN: "cyan", FAILS: "red", OPEN: "yellow"}
