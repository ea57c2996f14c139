"""Layers of Keras that have no row: what says the same in the language, or why none does. They are hints where such a name stands.

A layer has a row where it makes its output of one example and its weights, keeps nothing else, and draws as dropout does. There is no way
around the table: of a layer that is not in it neither shapes nor costs are known before the run, nor how it meets replicates side by side.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import LAYERS

_ANYTHING = (
    "Write a layer by its name, with its arguments below it: `dense: {units: 4}`. Only the table's layers exist; "
    "your own function may be a layer, too."
)
_DRAWN = (
    "Change examples at random in `task.example`, by a draw; with finite data, `redraw` draws it again at each visit."
)
_PICTURES = "Change examples by expressions in `task.example`."
_DROPOUT = "The layers that draw are `dropout` and `gaussian_noise`."
_JOINS = "Outputs of networks are values: give another network `a + b`, `a * b` or `concat(a, b)` as its `input`; within a network `repeat` has `skip`."
_CELL = "`simple_rnn`, `lstm` and `gru` are whole layers; write any other recurrence as `scan(cell, start, x)` with your own function."
_ATTENTION = "It is `multi_head_attention`, of a sequence to itself."
_VALUES = (
    "Prepare what a network takes in `task.example`, by expressions: `one_hot(k, n)`, `step_of(x, t)`, `(x - mu) / sd`."
)
_CUT = "Slice the `input`, or use a function as a layer: `cut(x): x[1:-1]` with the layer `cut`."
_LARGER = "Write a function: `padded(x): concat(zeros([2, 3]), x)`, `larger(x): [x[i // 2] for i < 2 * len(x)]`."
_PLANES = "Use a layer over one axis or two (`conv1d`, `max_pool2d`), and join two axes by `reshape`."
_ALONG_TWO = "Use the layer over two axes, and give the sequence an axis of length 1 by `reshape`."
_POOLED = "Write a function: `pooled(x): mean(reshape(x, [3, 4, 2]), axis=1)` is the mean in 3 windows of 4 places."
_SPECTRUM = "`fft_real(x)` and `fft_imag(x)` are the parts of a transform; a function of yours may be a layer."
_OUTSIDE = "Only layers whose shapes, weights and costs are known before the run are allowed here."

_OTHER: Mapping[str, str] = {
    "keras": _ANYTHING, "Layer": _ANYTHING, "Wrapper": _ANYTHING, "Lambda": "Use your own function as a layer by its name: `functions: {f(x): …}`, and `f` in the list.",
    "Pipeline": "The list of `layers` is one.", "Sequential": "The list of `layers` is one.",
    "Identity": "Leave it out.", "InputLayer": "Write what a network takes as its `input`.",
    "ReLU": "It is `relu`, a function: `relu` alone in the list, or `activation: relu`.",
    "ELU": "It is `activation: elu`.", "Softmax": "It is `softmax`, a function: `softmax` alone in the list.",
    "PReLU": "Its slope `a` is a free parameter: `prelu(h): maximum(h, 0) + a * minimum(h, 0)`.",
    "Permute": "`transpose` alone in the list swaps two axes; your own function permutes any: `turned(x): [x[j, k, i] for i < 3, j < 8, k < 8]`.",
    "EinsumDense": "`dense` multiplies the last axis; for others, multiply by a free parameter: `[sum([w[i, j] * h[j] for j < n]) for i < m]`.",
    "TimeDistributed": "`each: T` shares one network over a leading axis; `dense`, normalisations and functions apply along it anyway.",
    "ActivityRegularization": "Write a loss term on the layer's output: `{of: mean(abs(f.hidden)), weight: 1e-3}`.",
    "UnitNormalization": "Write a function: `unit(x): x / norm(x)`.",
    "SpectralNormalization": "Use a constraint: `kernel_constraint: unit` with `unit(w): w / spectral_norm(w)`.",
    "Masking": "`multi_head_attention` has `length` and `mask`; a condition does the rest: `h if i < n else 0`.",
    "Normalization": _VALUES, "Rescaling": _VALUES, "CategoryEncoding": _VALUES, "Discretization": _VALUES, "Hashing": _VALUES,
    "HashedCrossing": _VALUES, "IntegerLookup": _VALUES, "StringLookup": _VALUES, "TextVectorization": _VALUES, "MaxNumBoundingBoxes": _VALUES,
    "Attention": _ATTENTION, "AdditiveAttention": _ATTENTION, "GroupQueryAttention": _ATTENTION,
    "ReversibleEmbedding": "Use `embedding`, and its weights again: `matmul(f.embedding_1.embeddings, h)`.",
    "Cropping1D": _CUT, "Cropping2D": _CUT, "CenterCrop": _CUT, "Resizing": _CUT, "ZeroPadding1D": _LARGER, "UpSampling1D": _LARGER,
    "DepthwiseConv1D": _ALONG_TWO, "SeparableConv1D": _ALONG_TWO,
    "STFTSpectrogram": _SPECTRUM, "MelSpectrogram": _SPECTRUM,
    "JaxLayer": _OUTSIDE, "FlaxLayer": _OUTSIDE, "TFSMLayer": _OUTSIDE, "TorchModuleWrapper": _OUTSIDE,
    **dict.fromkeys(("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"), _JOINS),
    **dict.fromkeys(("RNN", "LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), _CELL),
    **dict.fromkeys(("AlphaDropout", "GaussianDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), _DROPOUT),
    **dict.fromkeys((f"Adaptive{kind}Pooling{rank}D" for kind in ("Average", "Max") for rank in (1, 2, 3)), _POOLED),
    **dict.fromkeys((
        "AugMix", "CutMix", "MixUp", "RandAugment", "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast",
        "RandomCrop", "RandomElasticTransform", "RandomErasing",
        "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization",
        "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom",
    ), _DRAWN),
    **dict.fromkeys(("AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "Equalization", "Solarization"), _PICTURES),
    **dict.fromkeys((
        "Conv3D", "Conv3DTranspose", "Convolution3D", "Convolution3DTranspose", "MaxPooling3D", "MaxPool3D", "AveragePooling3D", "AvgPool3D",
        "GlobalMaxPooling3D", "GlobalMaxPool3D", "GlobalAveragePooling3D", "GlobalAvgPool3D", "Cropping3D", "UpSampling3D", "ZeroPadding3D",
    ), _PLANES),
}  # fmt: skip
"""By Keras' class."""


def _plain(word: str) -> str:
    """A layer's name however it is spelled: `MaxPooling1D`, `max_pooling1d` and `max_pool_1d` are one."""
    return (
        word.replace("_", "")
        .lower()
        .replace("convolution", "conv")
        .replace("pooling", "pool")
        .replace("avg", "average")
    )


_ROWS = {_plain(name): row.name for row in LAYERS.values() for name in (row.name, row.class_name)}
_REMEDIES = {_plain(name): remedy for name, remedy in _OTHER.items()}


def other_layer(word: str) -> str:
    """What a layer that is not known is here, as a sentence; nothing where it is none of Keras'.

    >>> other_layer("MaxPooling1D"), other_layer("softmax"), other_layer("danse")
    ('It is `max_pool1d` here.', 'It is `softmax`, a function: `softmax` alone in the list.', '')
    """
    own = _ROWS.get(_plain(word))
    return f"It is `{own}` here." if own is not None else _REMEDIES.get(_plain(word), "")
