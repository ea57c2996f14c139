"""The two texts that a merge by meaning left in one: each `!conflict` replaced by what one side says."""

from __future__ import annotations

import yaml

from .conflict_marks import ConflictSides
from .conflicts import NAMES, OURS, REMOVED_TAG, TAG, THEIRS


def undecided_sides(text: str) -> ConflictSides | None:
    """The sides of a text with such marks, without comments and layout; None where there are none.

    >>> sides = undecided_sides("a: !conflict\\n  ours: 1e-3\\n  theirs: !removed\\nb: 2\\n")
    >>> sides.ours, sides.theirs, sides.lines
    ('a: 1e-3\\nb: 2\\n', 'b: 2\\n', (1,))
    """
    if TAG not in text:
        return None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    if root is None:
        return None
    ours, theirs = _Side(OURS), _Side(THEIRS)
    texts = [yaml.serialize(side.node(root), allow_unicode=True, width=float("inf")) for side in (ours, theirs)]
    lines = tuple(sorted(ours.lines))
    return ConflictSides(texts[0], texts[1], (OURS, THEIRS), lines) if lines else None


class _Side:
    """A tree of nodes as one side has it; `lines` are where it had to be chosen."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: set[int] = set()
        self.nodes: dict[int, yaml.Node] = {}

    def node(self, node: yaml.Node) -> yaml.Node:
        """A node with this side's values; what is shared stays so."""
        if id(node) not in self.nodes:
            self.nodes[id(node)] = self._node(node)
        return self.nodes[id(node)]

    def _node(self, node: yaml.Node) -> yaml.Node:
        if isinstance(node, yaml.MappingNode):
            pairs = [pair for key, value in node.value for pair in self.entries(key, value)]
            return yaml.MappingNode(node.tag, pairs, flow_style=node.flow_style)
        if isinstance(node, yaml.SequenceNode):
            items = [item for value in node.value for item in self.items(value)]
            return yaml.SequenceNode(node.tag, items, flow_style=node.flow_style)
        return node

    def entries(self, key: yaml.Node, value: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
        """What stands for an entry: none where this side removed it, its own with its own name where the sides' names differ."""
        chosen = self.value(value)
        if chosen is None:
            return []
        named = value.tag == TAG and any(own.value == NAMES for own, _ in value.value)
        return list(chosen.value) if named and isinstance(chosen, yaml.MappingNode) else [(key, chosen)]

    def value(self, node: yaml.Node) -> yaml.Node | None:
        """The value of a key; None where this side removed it."""
        if node.tag != TAG or not isinstance(node, yaml.MappingNode):
            return self.node(node)
        self.lines.add(node.start_mark.line + 1)
        for key, value in node.value:
            if key.value == self.name:
                return None if value.tag == REMOVED_TAG else self.node(value)
        return None

    def items(self, node: yaml.Node) -> list[yaml.Node]:
        """What stands for an item of a list: a mark there holds any number of items."""
        value = self.value(node)
        if value is None:
            return []
        return list(value.value) if node.tag == TAG and isinstance(value, yaml.SequenceNode) else [value]
