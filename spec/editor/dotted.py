"""What stands before a dot: a network, or a layer's path in it, on its own input or on another."""

from __future__ import annotations

from ..tables.operations import FORMS


def before_dot(text: str) -> tuple[str, bool]:
    """The path in front of a dot that ends a text, and whether it is on another input, where weights are no parts.

    >>> before_dot("with_weights(f.block, f.weights, norm(a, b))")
    ('f.block', False)
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
    form = FORMS.get(name)
    if form is None or form.operand is None:
        return f"{name}{rest}", True
    path, applied = before_dot(_argument(text[opened + 1 : place - 1], form.operand).rstrip())
    return f"{path}{rest}", applied


def _argument(text: str, place: int) -> str:
    """One of the arguments between the brackets of a call; "" where there are fewer."""
    depth, first = 0, 0
    for end, character in enumerate(text):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == "," and depth == 0:
            if place == 0:
                return text[first:end]
            place, first = place - 1, end + 1
    return text[first:] if place == 0 else ""


def _begin(text: str, end: int) -> int:
    """Where the names, dots and numbers in brackets begin that end at a place."""
    while end > 0 and (text[end - 1].isalnum() or text[end - 1] in "_.[]"):
        end -= 1
    return end
