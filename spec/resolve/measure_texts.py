"""What a study measures, as its writer wrote it."""

from __future__ import annotations

from ..source import nodes as yaml
from .document import Document


def measure_texts(document: Document) -> dict[str, dict[str, str]]:
    """The texts of all measures of the base and of the variants, by experiment and name; of one that is written in several ways the first."""
    texts: dict[str, dict[str, str]] = {}
    for name, node in document.experiments.items():
        own = texts.setdefault(name, {})
        variants = node.get("variants")
        patches = [patch for _, patch in variants.entries] if isinstance(variants, yaml.Mapping) else []
        for part in (node, *patches):
            measures = part.get("measures") if isinstance(part, yaml.Mapping) else None
            for key, value in measures.entries if isinstance(measures, yaml.Mapping) else ():
                text = value.text if isinstance(value, yaml.Scalar) else yaml.spelled(value)
                own.setdefault(key.text, text)
    return texts
