"""The kernels of layers that Keras' own call does not serve.

In: a layer's call, its input and its weights. Out: its output.
"""

from . import (
    attention,
    batch_normalization,
    convolution,
    dense,
    max_pooling,
    noise,
    normalization,
    resizing,
    whitening,
)
from .registry import (
    BATCHED,
    FUSIONS,
    KERAS_FORMS,
    KERNELS,
    ROW_LOOKUPS,
    SHARED_INPUTS,
    LayerCall,
    Tensors,
    fusion_of,
    one_replicate,
)

__all__ = [
    "BATCHED", "FUSIONS", "KERAS_FORMS", "KERNELS", "ROW_LOOKUPS", "SHARED_INPUTS", "LayerCall", "Tensors", "attention", "batch_normalization", "convolution", "dense",
    "fusion_of", "max_pooling", "noise", "normalization", "one_replicate", "resizing", "whitening",
]  # fmt: skip
