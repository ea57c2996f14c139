"""What a traced function computes, whatever it is called: two functions of one digest give the same of the same inputs.

TensorFlow and XLA know a function by its name, and compile what was traced under another name anew.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import tensorflow as tf

GRADIENT_NAME = re.compile(r"CustomGradient-\d+")
"""How the gradient of an operation is called, with a number that counts on: nobody takes one through a compiled function."""


def graph_digest(concrete: Any) -> str:
    """Of a concrete function: its operations in their order, those of functions within it, its inputs, its results and how they are put together."""
    whole = concrete.graph.as_graph_def()
    library = {function.signature.name: function for function in whole.library.function}
    names = re.compile("|".join(map(re.escape, sorted(library, key=len, reverse=True))) or r"(?!)")
    met: dict[str, str] = {}
    texts = [*map(str, whole.node)]

    def numbered(match: re.Match[str]) -> str:
        if match[0] not in met:
            met[match[0]] = f"function {len(met)}"
            texts.append(str(library[match[0]]))
        return met[match[0]]

    said = hashlib.sha256()
    for text in texts:  # they grow, by functions that are met on the way
        said.update(GRADIENT_NAME.sub("", names.sub(numbered, text)).encode())
    attributes = concrete.function_def.attr
    results = kinds(concrete.structured_outputs)
    ends = [[tensor.name for tensor in ends] for ends in (concrete.graph.inputs, concrete.graph.outputs)]
    more = [
        [(name, str(attributes[name])) for name in sorted(attributes)],
        ends,
        concrete.structured_input_signature,
        results,
    ]
    said.update(repr(more).encode())
    return said.hexdigest()


def kinds(values: Any) -> Any:
    """How values are put together, of tensors the types and shapes, and all else as it is."""
    return tf.nest.map_structure(
        lambda x: (x.dtype, x.shape) if hasattr(x, "dtype") else x, values, expand_composites=True
    )
