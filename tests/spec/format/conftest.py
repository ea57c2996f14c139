"""Random valid studies, and random ways of writing one down."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from dlspec.spec.format.scalars import may_be_plain, quoted
from hypothesis import strategies as st

LAYERS: list[Any] = [
    {"dense": {"units": "4", "activation": "relu"}},
    {"dense": {"name": "hidden", "units": "2 + n", "use_bias": "false"}},
    {"dense": "len(x)"},
    "flatten",
    "relu",
    {"layer_normalization": {"epsilon": "1e-3"}},
]


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    """A valid study as nested data; scalars are texts, as plain YAML would have them."""

    def some(items: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in items.items() if draw(st.booleans())}

    training = {
        "optimizer": {"adam": some({"learning_rate": "1E-3", "epsilon": "1e-7"})},
        "batch": "8 * n",
        "steps": "10",
    }
    if draw(st.booleans()):
        training["evaluate"] = {"every": "5", "at": ["1", "2", "n"], **some({"examples": "1_0"[::2]})}
    experiment: dict[str, Any] = {
        **some({"about": "It's a \"test\": of # signs", "seed": "3", "replicates": "2 ^ 1"}),
        "constants": {"n": "3", "many": [str(k / 8) for k in range(draw(st.integers(1, 40)))]},
        "functions": {"gap( a,b )": "( a-b ) ^ 2", "g(r)": "max(r, many [0])"},
        "task": {
            "draw": {"v": "normal([n])"},
            "example": {"x": "normal( [n] )", "y": "dot(v,x)", **some({"W": "x[i]*j for i<n,j<2", "t": "[ x[0], y ]"})},
        },
        "architecture": {"f": {"input": "x", "layers": [*draw(st.lists(st.sampled_from(LAYERS[1:2] + LAYERS[3:]), max_size=2, unique_by=str)), {"dense": "1"}]}},
        "loss": draw(st.sampled_from([{"squared": "gap(f,y)"}, {"squared": {"of": "(f-y) ^ 2", "weight": "0.50"}}])),
        "training": training,
        "measures": {"error": "E( gap(f, y) )", **some({"there": {"of": "f > 0 and not (y<=0)", "on": "train"}})},
    }  # fmt: skip
    if draw(st.booleans()):
        experiment["variants"] = {"a": {}, "slow": {"training": {"steps": "20", "optimizer": {"sgd": "0.010"}}}}
        experiment["claims"] = {"learns": {"says": "Slow is better.", "check": "final(error,variant==slow)<1e9"}}
        experiment["figures"] = {
            "e": {"kind": "curves", "y": "error", **some({"title": "5: e", "where": "variant==a"})}
        }
    study = {
        "dlspec": "1",
        "study": "s",
        "experiments": {"e": experiment},
        **some({"title": "A study", "about": "More"}),
    }
    return study


MODELS = ("task", "f", "training", "evaluate", "adam", "dense", "learns", "e", "squared", "there", "slow", "")


@dataclass
class Pen:
    """Writes data down as YAML, every choice of spacing, order, quotes, style and comments at random."""

    random: random.Random
    comments: bool = True
    styles: bool = True
    written: list[str] = field(default_factory=list)

    def study(self, data: dict[str, Any]) -> str:
        """A whole file."""
        return "\n".join(self.block(data, 0, "")) + "\n" * self.random.randint(0, 3)

    def chance(self, share: float) -> bool:
        """Whether a thing happens."""
        return self.random.random() < share

    def spaces(self, least: int = 0) -> str:
        """Some spaces."""
        return " " * self.random.choice([least, least, least + 1, least + 3])

    def comment(self) -> str:
        """A comment that is like no other."""
        self.written.append(f"# {len(self.written)}: it's {{ [ 'odd' }} \"")
        return self.written[-1]

    def remarks(self, indent: int) -> list[str]:
        """Comment lines and blank lines above an entry."""
        found = [""] * self.random.choice([0, 0, 0, 1, 3])
        while self.comments and self.chance(0.2):
            found += [" " * max(0, indent + self.random.choice([0, 0, 2, -1])) + self.comment()]
            found += [""] * self.random.choice([0, 0, 1])
        return found

    def behind(self) -> str:
        """Perhaps a comment at a line's end."""
        return self.spaces(1) + self.comment() if self.comments and self.chance(0.2) else " " * self.chance(0.1)

    def order(self, data: dict[str, Any], name: str) -> list[tuple[str, Any]]:
        """The entries: of a map of the language, shuffled."""
        found = list(data.items())
        if name in MODELS or "dense" in name:
            self.random.shuffle(found)
        return found

    def scalar(self, text: str, flow: bool, item: bool) -> str:
        """A scalar in some quotes that keep its value."""
        if item and " for " in text and not text.startswith("["):
            text = f"[{text}]"
        number = text.replace(".", "").replace("e-", "").replace("E-", "").isdigit() or text in ("true", "false")
        if number or (may_be_plain(text, flow) and self.chance(0.6)):
            return text
        return quoted(text) if '"' in text or self.chance(0.5) else "'" + text.replace("'", "''") + "'"

    def block(self, data: Any, indent: int, name: str) -> list[str]:
        """A collection over several lines."""
        lines: list[str] = []
        step = self.random.choice([1, 2, 4])
        pairs = self.order(data, name) if isinstance(data, dict) else [("", item) for item in data]
        for key, value in pairs:
            lines += self.remarks(indent)
            lead = " " * indent + (self.scalar(key, False, False) + ":" if isinstance(data, dict) else "-")
            inner = indent + (step if isinstance(data, dict) else 1 + step)
            if isinstance(value, str):
                lines.append(lead + self.spaces(1) + self.scalar(value, False, isinstance(data, list)) + self.behind())
            elif not value or (self.styles and self.chance(0.4)):
                lines.append(lead + self.spaces(1) + self.flow(value, key, inner) + self.behind())
            elif isinstance(data, list) and self.chance(0.7):
                below = self.block(value, indent + 2, key)
                first = next(place for place, line in enumerate(below) if line.strip() and line.strip()[0] != "#")
                lines += [*below[:first], " " * indent + "- " + below[first].lstrip(), *below[first + 1 :]]
            else:
                lines += [lead + self.behind(), *self.block(value, inner, key)]
        if self.comments and self.chance(0.1):
            lines.append(" " * indent + self.comment())
        return lines

    def flow(self, value: Any, name: str, indent: int) -> str:
        """A collection in brackets, now and then over several lines."""
        mapping = isinstance(value, dict)
        parts = []
        for key, inner in self.order(value, name) if mapping else [("", item) for item in value]:
            text = self.scalar(inner, True, not mapping) if isinstance(inner, str) else self.flow(inner, key, indent)
            parts.append(f"{self.scalar(key, True, False)}:{self.spaces(1)}{text}" if mapping else text)
        joint = self.spaces() + ","
        text = self.spaces()
        for place, part in enumerate(parts):
            text += part + (joint if place < len(parts) - 1 else "")
            if self.chance(0.1):
                text += (self.spaces(1) + self.comment() if self.comments else "") + "\n" + " " * (indent + 1)
            else:
                text += self.spaces(1)
        return f"{{{text}}}" if mapping else f"[{text}]"
