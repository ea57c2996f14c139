"""The meaning of the word at the cursor, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping

from ..model.fields import EXPRESSION, meaning
from ..model.figures import FIGURES
from ..model.reference import describe
from .completion import parameters
from .cursor import Where
from .dotted import before_dot
from .names import Known, Names, kinds_at


def hover(where: Where, line: str, experiments: Mapping[str, Names]) -> str | None:
    """The meaning of the word at a place, or None."""
    word = where.word
    if not word:
        return None
    names = experiments.get(where.experiment or "")
    if where.key:
        return _key(where, word, names)
    place = where.place
    if place.condition or place.expression(where.before or word):
        return _in_expression(where, word, line, names)
    if where.path[-1:] == ("kind",) and word in FIGURES:
        return f"**{word}**: {FIGURES[word].__doc__}"
    model = next((model for model in place.models if word in place.words), None)
    if model is not None and meaning(model, word):
        return f"**{word}**: {meaning(model, word)}"
    if word in place.words:
        return describe_in_markdown(word) or place.meaning or None
    if where.path[-1:] == ("base",) and word in experiments:
        return f"**{word}**: an experiment"
    known = names.find(word, *kinds_at(place, where.inside, False, word)) if names is not None else None
    return shown(known) if known is not None else place.meaning or None


def _key(where: Where, word: str, names: Names | None) -> str | None:
    model = where.place.model({**where.siblings, word: ""})
    if model is not None:
        text = meaning(model, word)
        if not text:
            return None
        below = where.place.below(word, {**where.siblings, word: ""})
        takes = " Takes an expression." if EXPRESSION in below.alternatives and not below.models else ""
        words = f" One of {', '.join(f'`{item}`' for item in below.words)}." if 0 < len(below.words) <= 8 else ""
        return f"**{word}**: {text}{takes}{words}"
    if names is None:
        return None
    known = names.find(word, *kinds_at(where.place, where.inside, True, word))
    return shown(known) if known is not None else None


def _in_expression(where: Where, word: str, line: str, names: Names | None) -> str | None:
    if names is not None:
        if word in parameters(where, names):
            return f"**{word}**: a parameter"
        owner, part = before_dot(line[: where.start - 1])[0] if line[: where.start].endswith(".") else "", word
        for path in (owner, f"{owner}_1"):
            if owner and part in names.parts.get(path, {}):
                return f"**{owner}.{part}**: {names.parts[path][part]}"
        known = names.find(word, *kinds_at(where.place, where.inside, False, where.before or word))
        if known is not None:
            return shown(known)
    if word == "variant" and where.place.condition:
        return "**variant**: the axis that `variants` make"
    if word == "step":
        return "**step**: the number of the update"
    return describe_in_markdown(word)


def shown(known: Known) -> str:
    """A name with its type, its meaning and its definition."""
    head = f"{known.name}({', '.join(known.parameters)})" if known.parameters else known.name
    type_ = f": `{known.type}`" if known.type else ""
    text = f"\n\n```yaml\n{head}: {known.text}\n```" if known.text else ""
    return f"**{head}**{type_}, {known.meaning}{text}"


def describe_in_markdown(word: str) -> str | None:
    """What the language's tables say of a word."""
    text = describe(word)
    return f"```text\n{text}\n```" if text else None
