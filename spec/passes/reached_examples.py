"""What a term is made from where an example's own names are held: through outputs and the inputs of networks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ..ir import terms as t
from ..ir.plan import Program


def reached(program: Program, roots: Iterable[t.Term], without: Collection[t.Term] = ()) -> Iterator[t.Term]:
    """All that terms are made of, root by root; what lies behind a name of the example or of a draw is left out.

    So is what stands in the terms `without`.
    """
    apart = {id(term) for term in without}
    outputs = {item.name: item.term for item in program.outputs}
    plans = {plan.name: plan for plan in program.networks}

    def onwards(term: t.Term) -> Iterable[t.Term]:
        if id(term) in apart:
            return ()
        if isinstance(term, t.Reference):
            return (outputs[term.name],) if term.name in outputs else ()
        if not isinstance(term, t.NetworkOutput):
            return t.children(term)
        plan = plans[term.network]
        own = (plan.input,) if term.input is None else ()
        bodies = (layer.body for layer in plan.applied() if layer.body is not None)
        return (*own, *bodies, *t.children(term))

    for root in roots:
        yield from t.walk(root, onwards)


def names_of(program: Program, root: t.Term, stage: str) -> list[str]:
    """The names of a stage, `example` or `outputs`, that a term is made from so."""
    names = (item.name for item in reached(program, [root]) if isinstance(item, t.Reference) and item.stage == stage)
    return list(dict.fromkeys(names))
