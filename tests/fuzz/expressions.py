"""Random expressions of a wanted kind and shape, made from the signatures of the operations' table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from random import Random

from dlspec.spec.ir.types import Shape, Type
from dlspec.spec.tables.operations import OPERATIONS, Argument, Operation

from .makers import MAKERS

KINDS = ("bool", "int", "real")
ARITHMETIC = {"equal": 0.2, "not_equal": 0.2}
"""Rows that are rarely of interest, and how often they are taken all the same."""

# Arguments are kept where an operation is defined and moderate: `{0}` is what was written. By kind where these differ.
GUARDS: dict[str, tuple[str, ...]] = {
    "sqrt": ("abs({0}) + 0.5",),
    "log": ("abs({0}) + 0.5",),
    "log1p": ("abs({0})",),
    "log2": ("abs({0}) + 0.5",),
    "log10": ("abs({0}) + 0.5",),
    "asin": ("0.9 * tanh({0})",),
    "acos": ("0.9 * tanh({0})",),
    "atanh": ("0.9 * tanh({0})",),
    "acosh": ("abs({0}) + 1.5",),
    "sinh": ("tanh({0})",),
    "cosh": ("tanh({0})",),
    "exp": ("tanh({0})",),
    "expm1": ("tanh({0})",),
    "tan": ("tanh({0})",),
    "divide": ("{0}", "abs({0}) + 0.5"),
    "floor_divide": ("{0}", "abs({0}) + 1"),
    "modulo": ("{0}", "abs({0}) + 1"),
    "square": ("clip({0}, -4, 4)",),
    "multiply": ("clip({0}, -9, 9)", "clip({0}, -9, 9)"),
    "clip": ("{0}", "minimum({0}, 0)", "maximum({0}, 1)"),
    "within": ("{0}", "minimum({0}, 0)", "maximum({0}, 1)"),
    "huber": ("{0}", "{0}", "abs({0}) + 0.5"),
    "squared_norm": ("clip({0}, -9, 9)",),
    "dot": ("clip({0}, -9, 9)", "clip({0}, -9, 9)"),
}


@dataclass(frozen=True)
class Given:
    """A name that expressions may use, with its type; `below` bounds an int from above: 0 ≤ name < below. `rows` are reached by its use."""

    text: str
    type: Type
    below: int = 0
    rows: tuple[str, ...] = ()


@dataclass
class Writer:
    """Writes expressions. `names` may be used, `featured` rows are preferred; `seen` holds the rows that were written.

    `moving` are functions that want real values which are no constants: by their names a number that is one, and is added to what they are given.
    """

    random: Random
    names: Sequence[Given] = ()
    functions: Sequence[tuple[str, int]] = ()
    featured: frozenset[str] = frozenset()
    seen: set[str] = field(default_factory=set)
    indices: int = 0
    moving: Mapping[str, str] = field(default_factory=dict)

    def with_names(self, *names: Given) -> Writer:
        """The same with more names."""
        return replace(self, names=(*self.names, *names))

    # -- what is asked for -----------------------------------------------------------------------------------------

    def real(self, shape: Shape = (), depth: int = 2) -> str:
        """A number or an array of them, mostly real."""
        return self.write(self.random.choices(KINDS[1:], (1, 5))[0], shape, depth)

    def below(self, size: int, shape: Shape = ()) -> str:
        """Whole numbers from 0 up to and without `size`."""
        fits = [name for name in self.names if name.type == Type("int", shape) and 0 < name.below <= size]
        if fits and self.random.random() < 0.7:
            return self._used(fits)
        return f"clip({self.write('int', shape, 1)}, 0, {size - 1})"

    def write(self, kind: str, shape: Shape, depth: int) -> str:
        """An expression of a kind (a real one may come out an int) and a shape."""
        if depth <= 0 or self.random.random() < 0.08:
            return self.leaf(kind, shape)
        makers = [self._form, self._operation, self._operation, self._operation, self._operation, self._indices]
        for _ in range(6):
            text = self.random.choice(makers)(kind, shape, depth - 1)
            if text is not None:
                return text
        return self.leaf(kind, shape)

    def leaf(self, kind: str, shape: Shape) -> str:
        """A name, an entry of one, or a constant."""
        allowed = KINDS[1 : KINDS.index(kind) + 1] if kind != "bool" else ("bool",)
        same = [name for name in self.names if name.type.kind in allowed and name.type.shape == shape]
        if same and self.random.random() < 0.85:
            return self._used(same)
        larger = [
            name
            for name in self.names
            if name.type.kind in allowed and len(name.type.shape) > len(shape) and _ends(name.type.shape, shape)
        ]
        if larger and self.random.random() < 0.9:
            name = self.random.choice(larger)
            self.seen.update(name.rows)
            cut = name.type.shape[: len(name.type.shape) - len(shape)]
            return f"{name.text}[{', '.join(self._subscript(size) for size in cut)}]"
        longer = [
            name
            for name in self.names
            if name.type.kind in allowed
            and len(name.type.shape) == len(shape) > 0
            and name.type.shape[0] > shape[0]
            and name.type.shape[1:] == shape[1:]
        ]
        if longer:
            name = self.random.choice(longer)
            self.seen.update(name.rows)
            first = self.random.randint(0, name.type.shape[0] - shape[0])
            return f"{name.text}[{first or ''}:{first + shape[0]}]"
        return self.constant(kind, shape)

    def _subscript(self, size: int) -> str:
        drawn = [name for name in self.names if name.type == Type("int") and 0 < name.below <= size]
        if drawn and self.random.random() < 0.5:
            return self._used(drawn)
        return str(self.random.randint(-1, size - 1))

    def _used(self, names: Sequence[Given]) -> str:
        """One of some names."""
        name = self.random.choice(names)
        self.seen.update(name.rows)
        return name.text

    # -- constants -------------------------------------------------------------------------------------------------

    def constant(self, kind: str, shape: Shape) -> str:
        """A constant of a kind and a shape."""
        if not shape:
            return self._number(kind)
        if kind == "bool":
            return f"({self.constant('int', shape)} > 0)"
        if len(shape) == 1 and self.random.random() < 0.5:
            return self._row(kind, shape[0])
        if kind == "real" and self.random.random() < 0.4:
            if len(shape) == 2 and shape[0] == shape[1] and self.random.random() < 0.5:
                self.seen.add("operation eye")
                return f"eye({shape[0]})"
            name = self.random.choice(("zeros", "ones"))
            self.seen.add(f"operation {name}")
            return f"{name}({list(shape)})"
        if prod(shape) <= 8:
            return f"[{', '.join(self.constant(kind, shape[1:]) for _ in range(shape[0]))}]"
        self.seen.add("operation repeat")
        return f"repeat({self.constant(kind, shape[1:])}, {shape[0]})"

    def _number(self, kind: str) -> str:
        if kind == "bool":
            return self.random.choice(("true", "false"))
        if kind == "int":
            return str(self.random.randint(0, 4))
        return self.random.choice(("0.5", "1.5", "0.1", "2.0", "pi", f"{self.random.uniform(0, 3):.2f}"))

    def _row(self, kind: str, size: int) -> str:
        choice = self.random.choice(("range", "linspace", "unique", "list"))
        if choice == "linspace" and kind == "real":
            self.seen.add("operation linspace")
            return f"linspace(-1, {self.random.randint(1, 3)}, {size})"
        if choice == "range":
            self.seen.add("operation range")
            return f"range({size})" if kind == "int" else f"range(0, {size}, 1.0)"
        values = [str(place if kind == "int" else place / 2) for place in self.random.sample(range(size + 8), size)]
        if choice == "unique":
            self.seen.add("operation unique")
            return f"unique([{', '.join([*values, values[0]])}])"
        return f"[{', '.join(values)}]"

    # -- forms -----------------------------------------------------------------------------------------------------

    def _form(self, kind: str, shape: Shape, depth: int) -> str | None:
        choice = self.random.choice(("if", "stop", "len", "array", "function", "function", "loop", "loop"))
        if choice == "if":
            self.seen.add("operation select")
            parts = self.write(kind, shape, depth), self.write("bool", (), depth), self.write(kind, shape, depth)
            return f"({parts[0]} if {parts[1]} else {parts[2]})" if kind != "bool" else None
        if choice == "stop":
            self.seen.add("form stop")
            return f"stop({self.write(kind, shape, depth)})"
        if choice == "len" and kind != "bool" and not shape:
            self.seen.add("form len")
            return f"len({self.real((self.random.randint(1, 4),), 0)})"
        if choice == "array" and shape and shape[0] <= 3:
            self.seen.add("form array")
            return f"[{', '.join(self.write(kind, shape[1:], depth) for _ in range(shape[0]))}]"
        if choice == "function" and self.functions and kind == "real":
            name, count = self.random.choice(self.functions)
            self.seen.add("form function")
            return (
                f"{name}({', '.join(self.given(name, shape if place == 0 else (), depth) for place in range(count))})"
            )
        if choice == "loop" and self.functions and kind == "real":
            return self._loop(shape, depth)
        return None

    def given(self, name: str, shape: Shape, depth: int) -> str:
        """What a function is given."""
        text = self.real(shape, depth)
        return f"{self.moving[name]} + {text}" if name in self.moving else text

    def _loop(self, shape: Shape, depth: int) -> str | None:
        """A function applied again and again, of one argument or along an array."""
        name, count = self.random.choice(self.functions)
        start = f"1.0 * ({self.given(name, shape, depth)})"
        if count == 1:
            self.seen.add("form iterate")
            return f"iterate({name}, {start}, {self.random.randint(1, 4)})"
        if count == 2:
            self.seen.add("form scan")
            return f"scan({name}, {start}, {self.given(name, (2,), depth)})[{self.random.randint(0, 1)}]"
        return None

    def _indices(self, kind: str, shape: Shape, depth: int) -> str | None:
        """Index notation."""
        if not shape or len(shape) > 2 or self.indices > 1:
            return None
        self.seen.add("form indices")
        count = self.random.randint(1, len(shape))
        names = [f"i{self.indices + place}" for place in range(count)]
        inner = self.with_names(*(Given(name, Type("int"), size) for name, size in zip(names, shape, strict=False)))
        inner.indices += count
        body = inner.write(kind, shape[count:], min(depth, 1))
        return f"[{body} for {', '.join(f'{name} < {size}' for name, size in zip(names, shape, strict=False))}]"

    # -- operations ------------------------------------------------------------------------------------------------

    def _operation(self, kind: str, shape: Shape, depth: int) -> str | None:
        rows = [row for row in OPERATIONS.values() if _gives(row, kind) and not row.constant]
        preferred = [row for row in rows if row.name in self.featured]
        row = self.random.choice(preferred if preferred and self.random.random() < 0.5 else rows)
        if self.random.random() > ARITHMETIC.get(row.name, 1.0):
            return None
        maker = MAKERS.get(row.name)
        if maker is not None:
            text = maker(self, kind, shape, depth)
        elif row.rule is None or row.elementwise:
            text = self.by_signature(row, kind, shape, depth)
        else:
            raise NotImplementedError(f"nothing writes '{row.name}', whose type a rule gives: add it to MAKERS")
        if text is not None:
            self.seen.add(f"operation {row.name}")
        return text

    def by_signature(self, row: Operation, kind: str, shape: Shape, depth: int) -> str | None:
        """A row whose signature says all of its type."""
        sizes = self._bound(row.result.shape or (), shape)
        if sizes is None:
            return None
        exact = self.random.randrange(len(row.arguments))
        texts = []
        for place, argument in enumerate(row.arguments):
            own = self._argument(argument, sizes, shape, full=place == exact)
            if own is None:
                return None
            texts.append(self.write(self._kind(argument, kind), own, depth))
        guards = GUARDS.get(row.name)
        if guards:
            texts = [guard.format(text) for guard, text in zip(guards, texts, strict=True)]
        if row.operator and len(texts) == 2 and self.random.random() < 0.9:
            return f"(({texts[0]}) {row.operator} ({texts[1]}))"
        return f"{row.name}({', '.join(texts)})"

    def _bound(self, pattern: Sequence[str], shape: Shape) -> dict[str, int] | None:
        """The sizes that a result's pattern names; None where it cannot be of the shape."""
        if tuple(pattern) == ("...",):
            return {}
        if len(pattern) != len(shape) or any(name.startswith("*") for name in pattern):
            return None
        sizes: dict[str, int] = {}
        for name, size in zip(pattern, shape, strict=True):
            if (int(name) if name.isdigit() else sizes.setdefault(name, size)) != size:
                return None
        return sizes

    def _argument(self, argument: Argument, sizes: dict[str, int], shape: Shape, full: bool) -> Shape | None:
        pattern = argument.shape or ()
        if pattern == ("...",):
            if full or self.random.random() < 0.5:
                return shape
            return shape[self.random.randint(0, len(shape)) :]
        if any(name.startswith("*") for name in pattern):
            return None
        return tuple(int(n) if n.isdigit() else sizes.setdefault(n, self.random.randint(1, 4)) for n in pattern)

    def _kind(self, argument: Argument, kind: str) -> str:
        """The kind of an argument, where the result is of a kind."""
        if argument.kind == "number":
            return kind if kind != "bool" else self.random.choice(("int", "real"))
        return argument.kind


def _gives(row: Operation, kind: str) -> bool:
    result = row.result.kind
    return result == kind or (kind != "bool" and result == "number") or (kind == "real" and result == "int")


def _ends(whole: Shape, end: Shape) -> bool:
    return not end or whole[-len(end) :] == end
