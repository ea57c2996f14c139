"""The compiled functions of programs of one signature: traced and compiled once, also where several run at the same time.

A function that was traced for one program reads and changes that program's variables, which are inputs of its graph. Another program
of the signature has variables of the same shapes in the same order, and calls the same graph with its own.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf
from tensorflow.python.eager.polymorphic_function.concrete_function import ConcreteFunction

from ..backend.function_names import named
from ..backend.graph_digests import graph_digest, kinds
from ..backend.graph_functions import graph_function, sums_in_order


class Traces:
    """What programs of one signature have traced, by the functions' names. One who calls a function first makes it for all.

    `form` says all that what is traced depends on, in words that are the same in every run, `measured` what measures and figures do, which
    programs may have in common that are trained in other ways; nothing where nobody knows.
    """

    def __init__(self, form: str = "", measured: str = "") -> None:
        self.form = form
        self.measured = measured or form
        self._lock = threading.Lock()
        self._made: dict[str, SharedFunction] = {}
        self.shared = False
        """Whether it is more than one program's."""

    def made(self, function: SharedFunction) -> SharedFunction:
        """The function of a name that all call: the first that was asked for."""
        with self._lock:
            return self._made.setdefault(function.name, function)


class Functions:
    """The compiled functions of one program."""

    def __init__(self, traces: Traces | None = None) -> None:
        self.traces = traces or Traces()
        self.variables: Sequence[Any] = ()
        """All variables that its functions may read or change, in an order that is the same in each program of its signature."""

    def shared(self, name: str, xla: bool, measures: bool = False) -> Callable[[Callable[..., Any]], SharedFunction]:
        """A decorator: a graph function (`graph_function`) of a name that no other of the program has; whether it takes measures, or what figures show."""
        form = self.traces.measured if measures else self.traces.form
        return lambda function: SharedFunction(name, graph_function(xla)(function), self, form)


class SharedFunction:
    """A function of one program, which it calls in the trace of whichever program of its signature came first.

    What programs of several signatures trace alike is compiled once for all of them, too. `form` is that of its traces.
    """

    def __init__(self, name: str, function: Any, program: Functions, form: str) -> None:
        self.name = name
        self.function = function
        self.program = program
        self.form = form
        self._borrowed: dict[int, tuple[Any, Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Its results, and its effects on its own program's variables."""
        with sums_in_order(), self._named(arguments):
            return self._called(*arguments)

    def _named(self, arguments: Any) -> AbstractContextManager[None]:
        """Has what is traced be called the same in every run."""
        return named(lambda: f"{self.form} {self.name} {kinds(arguments)}") if self.form else nullcontext()

    def _called(self, *arguments: Any) -> Any:
        made = self.program.traces.made(self)
        concrete = made.function.get_concrete_function(*arguments)
        if id(concrete) not in self._borrowed:
            self._borrowed[id(concrete)] = concrete, self._with_own_variables(concrete, made.program.variables)
        found = self._borrowed[id(concrete)][1]
        return (found or self.function)(*arguments)

    def _with_own_variables(self, concrete: Any, variables: Sequence[Any]) -> Any:
        """What is compiled of a traced function, with this program's variables; nothing where it is this one's own, or holds a variable that is not among them."""
        own = {id(a.handle): b.handle for a, b in zip(variables, self.program.variables, strict=True)}
        captured = [
            own.get(id(tensor)) if tensor.dtype == tf.resource else tensor for tensor in concrete.captured_inputs
        ]
        first = _first_alike(concrete)
        if any(tensor is None for tensor in captured) or (first is concrete and variables is self.program.variables):
            return None
        function = ConcreteFunction(first.inference_fn)
        function.set_external_captures(captured)
        return function


_BY_DIGEST: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
"""The traced functions that are compiled, by what they compute, as long as one of their programs is there."""
_FINDING = threading.Lock()


def _first_alike(concrete: Any) -> Any:
    """The traced function that computes the same on inputs of the same kinds and was there first: this one, if there is no other."""
    said = graph_digest(concrete)
    with _FINDING:
        return _BY_DIGEST.setdefault(said, concrete)
