"""What is said of Keras' layers that have no row can be written, and names are known however they are spelled."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.tables.layers.other_layers import other_layer

REMEDIES = """
dlspec: 1
study: remedies
experiments:
  e:
    functions:
      turned(x): "[x[j, k, i] for i < 3, j < 8, k < 8]"
      unit(x): x / norm(x)
      cut(x): x[1:-1]
      padded(x): concat(zeros([2, 3]), x)
      larger(x): "[x[i // 2] for i < 2 * len(x)]"
      pooled(x): mean(reshape(x, [3, 4, 2]), axis=1)
      flat(w): w / spectral_norm(w)
      prelu(h): maximum(h, 0) + a * minimum(h, 0)
    task: {example: {x: "normal([4, 3])", image: "normal([8, 8, 3])", s: "normal([12, 2])", words: "integer(5, [4])"}}
    architecture:
      a: {parameter: [3], initializer: zeros}
      p: {input: x, layers: [transpose, unit, cut, transpose]}
      q: {input: x, layers: [padded, larger, prelu, softmax, relu, dense: {units: 3, kernel_constraint: flat, name: hidden}]}
      r: {input: image, layers: [turned]}
      t: {input: s, layers: [pooled]}
      e: {input: words, layers: [embedding: {input_dim: 5, output_dim: 3}]}
    outputs: {v: "matmul(e, transpose(e.embedding_1.embeddings))"}
    loss: {w: sum(v), l: sum(q), used: {of: mean(abs(q.hidden)), weight: 1e-3}}
    training: {optimizer: {sgd: 0.1}, batch: 4, steps: 2}
    measures: {m: E(sum(p) + sum(r) + sum(t))}
"""
"""Each remedy that is written out in the table, with sizes of its own."""


def test_what_is_offered_in_place_of_a_layer_is_valid() -> None:
    spec.resolve(spec.parse(Source("remedies.yaml", REMEDIES)))


@pytest.mark.parametrize(
    ("word", "row"),
    [("Dense", "dense"), ("maxpool2d", "max_pool2d"), ("MaxPooling2D", "max_pool2d"), ("Convolution1D", "conv1d"), ("AvgPool1D", "average_pool1d"),
     ("max_pool_1d", "max_pool1d"), ("LayerNormalization", "layer_normalization"), ("UpSampling2D", "up_sampling2d")],
)  # fmt: skip
def test_a_layer_is_known_by_its_names_elsewhere(word: str, row: str) -> None:
    assert other_layer(word) == f"It is `{row}` here."
