"""By which versions numbers were made: they may depend on these, beside the study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from .replicates import Replicate

ABOUT = {
    "python": "Python",
    "numerics": "numerics",
    "device": "device",
    "accelerator": "accelerator",
    "processor": "processor",
}
"""What a run says of where it was made beside its packages, and in which words."""

OTHERWISE_MADE = "Made by other versions or on other devices, which may change numbers:"
"""What is said of two runs before that in which they are unlike."""


OTHERWISE_TRAINED = (
    "The same cells were trained in other compiled programs, whose rounding may differ, and grow in training:"
)
"""What is said of two runs before `trained_otherwise`."""

FORMS = {"xla": "an XLA", "graph": "a graph"}
"""Compiled forms in words."""


def versions_text(packages: Mapping[str, Any]) -> str:
    """Versions in words.

    >>> versions_text({"tensorflow": "2.18.0", "numpy": "2.4.6"})
    'tensorflow 2.18.0, numpy 2.4.6'
    """
    return ", ".join(f"{name} {version}" for name, version in packages.items())


def unlike(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """In what two runs were made differently, from what their `run.json` say; empty where in nothing that both say.

    >>> unlike({"packages": {"tensorflow": "2.18.0"}, "numerics": 10}, {"packages": {"tensorflow": "2.21.0"}, "numerics": 10})
    'tensorflow 2.18.0 and 2.21.0'
    """
    one, other = (
        {**_packages(about), **{words: about.get(name) for name, words in ABOUT.items()}} for about in (first, second)
    )
    both = [name for name in one if one[name] is not None and other.get(name) is not None]
    return ", ".join(f"{name} {one[name]} and {other[name]}" for name in both if one[name] != other[name])


def stored_by(replicates: Iterable[Replicate], packages: Mapping[str, str]) -> list[dict[str, Any]]:
    """Of how many replicates other versions than a run's were the makers, and which: what `run.json` says of what was stored before."""
    counts: Counter[tuple[tuple[str, str], ...]] = Counter()
    for replicate in replicates:
        if replicate.made_by and dict(replicate.made_by) != dict(packages):
            counts[tuple(replicate.made_by.items())] += 1
    return [{"packages": dict(made_by), "replicates": count} for made_by, count in counts.items()]


def stored_by_text(about: Mapping[str, Any]) -> str:
    """The same in words, with the versions that differ from the run's; empty where none do.

    >>> now = {"packages": {"tensorflow": "2.21.0", "numpy": "2.4.6"}}
    >>> stored_by_text({**now, "stored_by": [{"packages": {"tensorflow": "2.18.0", "numpy": "2.4.6"}, "replicates": 3}]})
    '3 replicates were stored before, made by tensorflow 2.18.0'
    """
    parts, own = [], _packages(about)
    for item in about.get("stored_by") or ():
        count, other = item["replicates"], {n: v for n, v in item["packages"].items() if own.get(n) != v}
        parts.append(
            f"{count:,} replicate{'s were' if count > 1 else ' was'} stored before, made by {versions_text(other)}"
        )
    return "; ".join(parts)


def trained_otherwise(first: Iterable[Replicate], second: Iterable[Replicate]) -> str:
    """In which programs two runs trained replicates of the same cells, where these were not alike; empty where all were.

    What is side by side in a compiled program, and its form, decide over the rounding of each.

    >>> def replicates(rows): return [Replicate("e", "", {}, number, "d", rows=rows) for number in range(2)]
    >>> trained_otherwise(replicates(45), replicates(2))
    '2 replicates in an XLA program of 45 rows, and in an XLA program of 2 rows'
    >>> trained_otherwise(replicates(2), replicates(2)), trained_otherwise(replicates(0), replicates(2))
    ('', '')
    """
    before = {(one.digest, one.number): (one.rows, one.compiled) for one in first}
    counts: Counter[tuple[tuple[int, str], tuple[int, str]]] = Counter()
    for one in second:
        then, now = before.get((one.digest, one.number)), (one.rows, one.compiled)
        if then is not None and then != now and then[0] and now[0]:
            counts[then, now] += 1
    return "; ".join(
        f"{count:,} replicate{'s' if count > 1 else ''} in {_program(*then)}, and in {_program(*now)}"
        for (then, now), count in counts.items()
    )


def _program(rows: int, compiled: str) -> str:
    return f"{FORMS[compiled]} program of {rows:,} row{'s' if rows > 1 else ''}"


def _packages(about: Mapping[str, Any]) -> Mapping[str, Any]:
    found = about.get("packages")
    return found if isinstance(found, Mapping) else {}
