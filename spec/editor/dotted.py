"""What stands before a dot: a network, or a layer's path in it, on its own input or on another."""

from __future__ import annotations

from ..check.moments import MOMENTS


def before_dot(text: str) -> tuple[str, bool]:
    """The path in front of a dot that ends a text, and whether it is on another input, where weights are no parts.

    >>> before_dot("2 * score.block[0]"), before_dot("f(sin(x)).block[0]"), before_dot("after(a, f)"), before_dot("initial(f(u)).a")
    (('score.block[0]', False), ('f.block[0]', True), ('f', False), ('f.a', True))
    """
    place = _begin(text, len(text))
    rest = text[place:]
    if not text[:place].endswith(")"):
        return rest, False
    depth, opened = 0, place
    while opened > 0:
        opened -= 1
        depth += {")": 1, "(": -1}.get(text[opened], 0)
        if depth == 0:
            break
    name = text[_begin(text, opened) : opened]
    if name not in MOMENTS:
        return f"{name}{rest}", True
    path, applied = before_dot(text[opened + 1 : place - 1].rstrip())
    return f"{path}{rest}", applied


def _begin(text: str, end: int) -> int:
    """Where the names, dots and numbers in brackets begin that end at a place."""
    while end > 0 and (text[end - 1].isalnum() or text[end - 1] in "_.[]"):
        end -= 1
    return end
