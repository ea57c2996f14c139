"""The names of an example that a term is made from."""

from __future__ import annotations

from collections.abc import Iterable

from ..ir import terms as t
from ..ir.plan import Program


def examples_of(program: Program, root: t.Term) -> list[str]:
    """The names of an example that stand in a term, in the outputs that it uses and in the inputs of networks: not those behind them."""
    outputs = {item.name: item.term for item in program.outputs}
    plans = {plan.name: plan for plan in program.networks}

    def onwards(term: t.Term) -> Iterable[t.Term]:
        if isinstance(term, t.Reference):
            return (outputs[term.name],) if term.name in outputs else ()
        own = (plans[term.network].input,) if isinstance(term, t.NetworkOutput) and term.input is None else ()
        return (*own, *t.children(term))

    names = (item.name for item in t.walk(root, onwards) if isinstance(item, t.Reference) and item.phase == "example")
    return list(dict.fromkeys(names))
