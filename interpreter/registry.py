"""Functions by the name of the row that they are for: lowerings of operations, samplers of distributions, drawings of figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])


class Registry(dict[str, Function]):
    """The functions of one kind, one a row of a table: called with a row's name it is the decorator that adds one.

    `row` says what the rows are, `function` what each has one of, in the message of the ValueError that a second raises.

    >>> samplers = Registry("distribution", "sampler")
    >>> @samplers("coin")
    ... def coin(): ...
    >>> samplers["coin"] is coin
    True
    >>> samplers("coin")(coin)
    Traceback (most recent call last):
    ...
    ValueError: the distribution 'coin' has two samplers
    """

    def __init__(self, row: str, function: str) -> None:
        super().__init__()
        self.row = row
        self.function = function

    def __call__(self, name: str) -> Callable[[Function], Function]:
        """Adds the function of a row; a second one is refused."""

        def add(function: Function) -> Function:
            if name in self:
                raise ValueError(f"the {self.row} '{name}' has two {self.function}s")
            self[name] = function
            return function

        return add
