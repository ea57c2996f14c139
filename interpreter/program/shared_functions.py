"""The compiled functions of programs of one signature: traced and compiled once, also where several run at the same time.

A function that was traced for one program reads and changes that program's variables, which are inputs of its graph. Another program
of the signature has variables of the same shapes in the same order, and calls the same graph with its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf
from tensorflow.python.eager.polymorphic_function.concrete_function import ConcreteFunction

from ..backend.function_names import named
from ..backend.graph_functions import graph_function, sums_in_order


class Traces:
    """What programs of one signature have traced, by the functions' names. One who calls a function first makes it for all.

    `form` says all that what is traced depends on, in words that are the same in every run; nothing where nobody knows.
    """

    def __init__(self, form: str = "") -> None:
        self.form = form
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

    def shared(self, name: str, xla: bool) -> Callable[[Callable[..., Any]], SharedFunction]:
        """A decorator: a graph function (`graph_function`) of a name that no other of the program has."""
        return lambda function: SharedFunction(name, graph_function(xla)(function), self)


class SharedFunction:
    """A function of one program, which it calls in the trace of whichever program of its signature came first."""

    def __init__(self, name: str, function: Any, program: Functions) -> None:
        self.name = name
        self.function = function
        self.program = program
        self._borrowed: dict[int, tuple[Any, Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Its results, and its effects on its own program's variables."""
        with sums_in_order(), self._named(arguments):
            return self._called(*arguments)

    def _named(self, arguments: Any) -> AbstractContextManager[None]:
        """Has what is traced be called the same in every run."""
        form = self.program.traces.form
        return named(lambda: f"{form} {self.name} {_kinds(arguments)}") if form else nullcontext()

    def _called(self, *arguments: Any) -> Any:
        made = self.program.traces.made(self)
        if made is self:
            return self.function(*arguments)
        concrete = made.function.get_concrete_function(*arguments)
        if id(concrete) not in self._borrowed:
            self._borrowed[id(concrete)] = concrete, self._with_own_variables(concrete, made.program.variables)
        found = self._borrowed[id(concrete)][1]
        return (found or self.function)(*arguments)

    def _with_own_variables(self, concrete: Any, variables: Sequence[Any]) -> Any:
        """A traced function of another program, with this one's variables; nothing where it holds a variable that is not among them."""
        own = {id(a.handle): b.handle for a, b in zip(variables, self.program.variables, strict=True)}
        captured = [
            own.get(id(tensor)) if tensor.dtype == tf.resource else tensor for tensor in concrete.captured_inputs
        ]
        if any(tensor is None for tensor in captured):
            return None
        function = ConcreteFunction(concrete.inference_fn)
        function.set_external_captures(captured)
        return function


def _kinds(arguments: Any) -> Any:
    """What a trace depends on of its arguments: how they are put together, their shapes and types, and what is no tensor."""
    return tf.nest.map_structure(
        lambda x: (x.dtype, x.shape) if hasattr(x, "dtype") else x, arguments, expand_composites=True
    )
