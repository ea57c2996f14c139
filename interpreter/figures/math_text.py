"""A user's text on a figure: typeset where it is valid mathematics, and literal elsewhere."""

from __future__ import annotations

import re
import textwrap
from functools import lru_cache
from typing import Any

from matplotlib import cbook
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text

MAX_LINES = 4
"""How many lines a title or a caption has at most."""
MAX_NAME_LENGTH = 60
"""How many letters a name has at most."""
_MATH = re.compile(r"(?<!\\)\$.*?(?<!\\)\$")
_KEPT = "\ue000"  # stands for a blank inside mathematics while lines are broken


def wrapped(text: str, letters: int) -> str:
    """A text in a few lines of so many letters; mathematics that can be set is never broken.

    >>> wrapped("one $a + b$ two", 5).splitlines()
    ['one', '$a + b$', 'two']
    """
    text = " ".join(text.split())
    math = mathematics(text)
    if math:
        text = _MATH.sub(lambda match: match[0].replace(" ", _KEPT), text)
    text = textwrap.fill(text, max(5, letters), max_lines=MAX_LINES, placeholder=" …", break_long_words=not math)
    return text.replace(_KEPT, " ")


def short(name: Any) -> str:
    """A name that fits beside a line.

    >>> short("a"), len(short("a" * 1000)), short("_hidden")
    ('a', 60, ' _hidden')
    """
    text = " ".join(str(name).split())
    text = text if len(text) <= MAX_NAME_LENGTH else text[: MAX_NAME_LENGTH - 1] + "…"
    return f" {text}" if text.startswith("_") else text  # matplotlib leaves out of a legend what begins so


@lru_cache(4096)
def mathematics(line: str) -> bool:
    """Whether a line holds mathematics in dollars, and all of it can be set.

    >>> mathematics("$x^2$"), mathematics(r"$\\\\lvert x \\\\rvert$"), mathematics("5 $ and 6 $"), mathematics("a_b")
    (True, False, False, False)
    """
    if not cbook.is_math_text(line) or any(not part[1:-1].strip() for part in _MATH.findall(line)):
        return False
    if any(part[1] == " " or part[-2] == " " for part in _MATH.findall(line)):
        return False  # as in Pandoc: `5 $ and 6 $` are sums of money
    try:
        MathTextParser("agg").parse(line)
    except Exception:  # the parser's own errors, and what it trips over
        return False
    return True


def literal(figure: Any) -> None:
    """Sets to the letter all text of a figure that is no mathematics."""
    for axes in figure.axes:
        axes.get_xticklabels(), axes.get_yticklabels()  # names of ticks are there once they are asked for
    for text in figure.findobj(Text):
        lines = [line for line in text.get_text().splitlines() if cbook.is_math_text(line)]
        text.set_parse_math(bool(lines) and all(map(mathematics, lines)))
