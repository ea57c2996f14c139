"""A line of progress that fits the terminal: a name, a bar, a count, how fast, and the newest values where there is room."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import ProgressColumn, Task
from rich.text import Text

BAR_WIDTH = 16
LEAST_NAME_WIDTH = 12
GAP = "  "


@dataclass(frozen=True)
class Parts:
    """What a line says: `share` is how much of it is done, from 0 to 1; `newest` are values that stand there as far as they fit."""

    name: str
    share: float
    count: str
    rate: str = ""
    newest: tuple[str, ...] = ()


def line(parts: Parts, width: int, name_width: int, letters: tuple[str, str] = ("━", "━")) -> Text:
    """The line, not wider than `width`; names of several lines are padded to `name_width`, and cut where there is no room.

    >>> line(Parts("whole study", 0.5, "3/6 replicates", "about 2 min left"), 80, 11, ("#", "-")).plain
    'whole study  ########--------  3/6 replicates  about 2 min left'
    """
    counted = GAP.join(filter(None, [parts.count, parts.rate]))
    rest = width - BAR_WIDTH - cell_len(counted) - 2 * len(GAP)
    if rest < LEAST_NAME_WIDTH:  # the count stays
        counted = parts.count
        rest = width - BAR_WIDTH - cell_len(counted) - 2 * len(GAP)
    name = _cut(parts.name, max(min(name_width, rest), 1))
    done = round(BAR_WIDTH * min(max(parts.share, 0.0), 1.0))
    text = Text.assemble(
        name, GAP, (letters[0] * done, "green"), (letters[1] * (BAR_WIDTH - done), "bright_black"), GAP, counted
    )
    for value in parts.newest:
        if text.cell_len + len(GAP) + cell_len(value) > width:
            break
        text.append(GAP).append(value, "dim")
    return text


def _cut(name: str, width: int) -> str:
    """A name in a width: padded, or cut at its end."""
    return set_cell_size(name, width) if cell_len(name) <= width else set_cell_size(name, width - 1) + "…"


class LineColumn(ProgressColumn):
    """The only column of rich's progress: the whole line of a task, from its field `parts`."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console
        self.name_width = 0
        plain = not console.encoding.lower().startswith("utf")
        self.letters = ("#", "-") if plain else ("━", "━")

    def render(self, task: Task) -> Text:
        """The line of a task."""
        parts: Parts = task.fields["parts"]
        self.name_width = max(self.name_width, cell_len(parts.name))
        text = line(parts, self.console.width, self.name_width, self.letters)
        text.no_wrap = True
        return text
