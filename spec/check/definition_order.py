"""In which order names are made: each after those that it uses, found in the syntax alone and without recursion.

A writer may declare thousands of names, each made from the next. The checker asks for a name's term where it meets the
name; what comes first is made first, so that no chain of names is deeper than the checker's own steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..diagnostics.problems import Problem, Span, StudyError
from ..expressions import nodes as n
from ..source import nodes as yaml
from .expression_text import read
from .namespace import Binding, Function

MIN_CIRCLE = 30
"""From how many names on a circle is found here; a shorter one is told where it closes."""


def used(node: yaml.Node | None) -> Iterator[str]:
    """The names that stand free in a value's expressions, and those that are called; nothing of what is no expression."""
    if isinstance(node, yaml.Scalar):
        try:
            yield from free(read(node).tree)
        except StudyError:
            return
    elif isinstance(node, yaml.Sequence):
        for item in node.items:
            yield from used(item)
    elif isinstance(node, yaml.Mapping):
        for _, below in node.entries:
            yield from used(below)


def free(tree: n.Expr) -> Iterator[str]:
    """The names of an expression that no index of its own binds."""
    stack: list[tuple[n.Node, frozenset[str]]] = [(tree, frozenset())]
    while stack:
        node, bound = stack.pop()
        if isinstance(node, n.Name) and node.name not in bound:
            yield node.name
        elif isinstance(node, n.Call):
            yield node.function
        if isinstance(node, n.Comprehension):
            for name, extent in node.ranges:
                stack.append((extent, bound))
                bound |= {name}
            stack.append((node.body, bound))
        else:
            stack.extend((below, bound) for below in n.children(node))


class Order:
    """The names of an experiment, each after those that it uses."""

    def __init__(
        self, bindings: Mapping[str, Binding], functions: Mapping[str, Function], kept: dict[Any, Any] | None = None
    ) -> None:
        self.bindings = bindings
        self.functions = functions
        self.kept = kept if kept is not None else {}
        """The names in each node that was read, for the other points of a sweep."""
        self.done: set[str] = set()
        self.circular: set[str] = set()
        self.circles: list[tuple[str, ...]] = []
        """Long chains of names, each made from the next, the last from the first."""

    def before(self, name: str) -> list[str]:
        """The bindings that a name is made from and itself, as they can be made; none that was given out before."""
        names: list[str] = []
        path: dict[str, Iterator[str]] = {}
        pending = [name]
        while pending or path:
            if pending:
                word = pending.pop()
                if word in self.done:
                    continue
                self.done.add(word)
                path[word] = iter(self.below(word))
            last = next(reversed(path))
            for word in path[last]:
                if word in path:
                    self._circle(list(path), word)
                elif word not in self.done:
                    pending.append(word)
                    break
            else:
                del path[last]
                if last in self.bindings and last not in self.circular:
                    names.append(last)
        return names

    def below(self, name: str) -> tuple[str, ...]:
        """The names that one uses itself."""
        binding = self.bindings.get(name)
        if binding is None:
            function = self.functions[name]
            return tuple(word for word in self._known(function.node) if word not in function.parameters)
        if binding.stage != "architecture" or not isinstance(binding.node, yaml.Mapping):
            return self._known(binding.node)
        own = self._known(binding.node.get("input"))
        rest = (word for key, node in binding.node.entries if key.text != "input" for word in self._known(node))
        return (*own, *(word for word in rest if self._constant(word)))

    def _known(self, node: yaml.Node | None) -> tuple[str, ...]:
        key = ("used", id(node))
        if key not in self.kept:
            self.kept[key] = (node, tuple(dict.fromkeys(used(node))))
        words = self.kept[key][1]
        return tuple(word for word in words if word in self.bindings or word in self.functions)

    def _constant(self, word: str) -> bool:
        return word in self.bindings and self.bindings[word].stage == "constants"

    def _circle(self, path: list[str], word: str) -> None:
        chain = [name for name in path[path.index(word) :] if name in self.bindings]
        self.circular.update(chain)
        if len(chain) >= MIN_CIRCLE:
            self.circles.append(tuple(chain))


def circle(names: Sequence[str], key: Span) -> Problem:
    """The problem of a long chain of names that ends where it begins; `key` is where the first stands."""
    chain = " → ".join([*names[:3], "…", names[-1], names[0]])
    hint = "Nothing can depend on itself: write one of them another way."
    return Problem(f"'{names[0]}' is defined through itself, by way of {len(names)} names: {chain}", key, hint)
