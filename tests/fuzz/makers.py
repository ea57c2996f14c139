"""Applications of operations whose type a rule gives, and signature alone does not: a maker a row."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from random import Random
from typing import TYPE_CHECKING

from dlspec.spec.ir.types import Shape
from dlspec.spec.tables.operations import OPERATIONS

if TYPE_CHECKING:
    from .expressions import Writer

Maker = Callable[["Writer", str, Shape, int], "str | None"]
MAKERS: dict[str, Maker] = {}
MAX_ENTRIES = 48
"""No value of an expression is larger."""


def _makes(*names: str) -> Callable[[Callable[[Writer, str, str, Shape, int], str | None]], None]:
    def note(make: Callable[[Writer, str, str, Shape, int], str | None]) -> None:
        for name in names:
            MAKERS[name] = lambda w, kind, shape, depth, name=name: make(w, name, kind, shape, depth)  # type: ignore[misc]

    return note


@_makes("sum", "mean", "prod", "min", "max", "any", "all", "variance", "std", "norm", "squared_norm", "logsumexp")
def _reduction(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    argument = OPERATIONS[name].arguments[0].kind
    own = kind if argument == "number" else argument
    if not shape and w.random.random() < 0.6:
        given: Shape = tuple(w.random.randint(1, 3) for _ in range(w.random.randint(name in ("variance", "std"), 2)))
        rest = ""
    else:
        place = w.random.randint(0, len(shape))
        given = (*shape[:place], w.random.randint(1, 3), *shape[place:])
        named = w.random.random() < 0.6 or (len(given) == 1 and OPERATIONS[name].of_two)
        rest = f", axis={place}" if named else f", {place - len(given)}"
    if prod(given) > MAX_ENTRIES:
        return None
    text = w.write(own, given, depth)
    text = f"clip({text}, -2, 2)" if name == "prod" else (f"clip({text}, -9, 9)" if name == "squared_norm" else text)
    return f"{name}({text}{rest})"


@_makes("power")
def _power(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    base = w.write(kind, shape, depth)
    if kind == "int" or w.random.random() < 0.5:
        return f"clip({base}, -4, 4)^{w.random.randint(0, 3)}"
    return f"(abs(clip({base}, -3, 3)) + 0.5)^tanh({w.real(w.random.choice(((), shape)), depth)})"


@_makes("argmax", "argmin")
def _place(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    if w.random.random() < 0.5:
        return f"{name}({w.real((*shape, w.random.randint(1, 4)), depth)})"
    place = w.random.randint(0, len(shape))
    return f"{name}({w.real((*shape[:place], 3, *shape[place:]), depth)}, axis={place})"


@_makes("matmul")
def _matmul(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    inner = w.random.randint(1, 3)
    if len(shape) == 1:
        left, right = w.random.choice((((shape[0], inner), (inner,)), ((inner,), (inner, shape[0]))))
    elif len(shape) == 2:
        left, right = (shape[0], inner), (inner, shape[1])
    else:
        return None
    return f"matmul(clip({w.write(kind, left, depth)}, -9, 9), clip({w.write(kind, right, depth)}, -9, 9))"


def _regular(w: Writer, size: int, depth: int) -> str:
    """A matrix far from singular."""
    return f"0.3 * tanh({w.real((size, size), depth)}) + 2 * eye({size})"


@_makes("inverse")
def _inverse(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    square = len(shape) == 2 and shape[0] == shape[1]
    return f"inverse({_regular(w, shape[0], depth)})" if square else None


@_makes("solve")
def _solve(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"solve({_regular(w, shape[0], depth)}, {w.real(shape, depth)})" if len(shape) == 1 else None


@_makes("cond")
def _cond(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"cond({_regular(w, w.random.randint(1, 3), depth)})" if not shape else None


@_makes("singular_values")
def _singular(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    if len(shape) != 1:
        return None
    return f"singular_values({_regular(w, shape[0], depth)} + outer(range({shape[0]}), range({shape[0]})))"


def _spread(w: Writer, size: int, depth: int) -> str:
    """A symmetric matrix with eigenvalues that are apart and above 0."""
    diagonal = ", ".join(f"[{', '.join(str(2 + 3 * i if i == j else 0) for j in range(size))}]" for i in range(size))
    return f"[{diagonal}] + 0.2 * outer(tanh({w.real((size,), depth)}), ones([{size}]))"


@_makes("svd_u", "svd_v", "eigenvectors", "qr_q", "qr_r", "cholesky", "pinv")
def _factor(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    """The whole factor, or a row or an entry of it."""
    if len(shape) > 2 or (len(shape) == 2 and shape[0] != shape[1]):
        return None
    entry = {0: "[0, 1]", 1: "[0]"}.get(len(shape), "")
    return f"{name}({_spread(w, shape[-1] if shape else 2, depth)}){entry}"


@_makes("eigenvalues")
def _eigenvalues(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"eigenvalues({_spread(w, shape[0], depth)})" if len(shape) == 1 else None


@_makes("lstsq")
def _lstsq(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"lstsq({_spread(w, shape[0], depth)}, {w.real(shape, depth)})" if len(shape) == 1 else None


@_makes("spectral_norm", "nuclear_norm")
def _matrix_norm(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"{name}({_spread(w, w.random.randint(1, 3), depth)})" if not shape else None


@_makes("top_k", "argtop_k")
def _top(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    if not shape or (name == "argtop_k" and kind == "bool"):
        return None
    longer = (*shape[:-1], shape[-1] + w.random.randint(0, 2))
    text = w.write(kind, longer, depth) if name == "top_k" else w.real(longer, depth)
    return f"{name}({text}, {shape[-1]})"


@_makes("fft_real", "fft_imag")
def _fourier(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"{name}({w.real(shape, depth)})" if shape else None


@_makes("concat")
def _concat(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    if not shape or shape[0] < 2:
        return None
    first = w.random.randint(1, shape[0] - 1)
    parts = [first, shape[0] - first]
    return f"concat({', '.join(w.write(kind, (size, *shape[1:]), depth) for size in parts)})"


@_makes("sort", "reverse", "cumsum")
def _kept(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"{name}({w.write(kind, shape, depth)})" if shape else None


@_makes("cumprod")
def _cumprod(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"cumprod(clip({w.write(kind, shape, depth)}, -2, 2))" if shape else None


@_makes("argsort")
def _argsort(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"argsort({w.real(shape, depth)})" if shape else None


@_makes("roll")
def _roll(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"roll({w.write(kind, shape, depth)}, {w.random.randint(-5, 5)})" if shape else None


@_makes("diff")
def _diff(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"diff({w.write(kind, (shape[0] + 1, *shape[1:]), depth)})" if shape else None


def factors(random: Random, shape: Shape) -> Shape:
    """Another shape with as many entries."""
    size = prod(shape)
    found = []
    for divisor in random.sample((2, 3, 4), 2):
        if size % divisor == 0 and random.random() < 0.6:
            found.append(divisor)
            size //= divisor
    found.append(size)
    random.shuffle(found)
    return tuple(found)


@_makes("reshape")
def _reshape(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"reshape({w.write(kind, factors(w.random, shape), depth)}, {list(shape)})" if shape else None


@_makes("repeat")
def _repeat(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"repeat({w.write(kind, shape[1:], depth)}, {shape[0]})" if shape else None


@_makes("one_hot")
def _one_hot(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"one_hot({w.below(shape[-1], shape[:-1])}, {shape[-1]})" if shape else None


@_makes("scatter")
def _scatter(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    if len(shape) != 1:
        return None
    count = w.random.randint(1, 4)
    return f"scatter({w.below(shape[0], (count,))}, {w.write(kind, (count,), depth)}, {shape[0]})"


@_makes("step_of", "floor_to")
def _step(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    steps = w.random.choice(("linspace(-1, 1, 4)", "range(3)", f"sort({w.real((3,), 1)})"))
    return f"{name}({w.real(shape, depth)}, {steps})"


@_makes("cross_entropy")
def _cross_entropy(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    classes = w.random.randint(2, 4)
    return f"cross_entropy({w.real((*shape, classes), depth)}, {w.below(classes, shape)})"


@_makes("softmax", "log_softmax")
def _softmax(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    return f"{name}({w.real(shape, depth)})" if shape else None


@_makes("line_image")
def _line_image(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    if len(shape) != 2 or shape[0] != shape[1]:
        return None
    return f"line_image({w.real((), depth)}, abs({w.real((), depth)}), {w.real((2,), depth)}, {shape[0]})"


@_makes("outer")
def _outer(w: Writer, name: str, kind: str, shape: Shape, depth: int) -> str | None:
    if len(shape) != 2:
        return None
    parts = [w.write(kind, (size,), depth) for size in shape]
    return f"outer(clip({parts[0]}, -9, 9), clip({parts[1]}, -9, 9))"
