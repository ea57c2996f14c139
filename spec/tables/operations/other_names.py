"""What Python, NumPy and Keras call otherwise: the hint where such a name is not known."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "svd": "Its parts are `svd_u(x)`, `singular_values(x)` and `svd_v(x)`.",
        "eigh": "Its parts are `eigenvalues(x)` and `eigenvectors(x)`.",
        "eigvalsh": "It is `eigenvalues(x)`.",
        "eig": "Of symmetric matrices there are `eigenvalues(x)` and `eigenvectors(x)`.",
        "qr": "Its parts are `qr_q(x)` and `qr_r(x)`.",
        "fft": "Its parts are `fft_real(x)` and `fft_imag(x)`.",
        "inv": "It is `inverse(x)`.",
        "var": "It is `variance(x)`.",
        "arcsin": "It is `asin(x)`.",
        "arccos": "It is `acos(x)`.",
        "arctan": "It is `atan(x)`.",
        "arctan2": "It is `atan2(y, x)`.",
        "arcsinh": "It is `asinh(x)`.",
        "arccosh": "It is `acosh(x)`.",
        "arctanh": "It is `atanh(x)`.",
        "where": "It is `a if c else b`, or `select(c, a, b)`.",
        "pow": "It is `a ^ b`.",
        "mod": "It is `a % b`.",
        "flip": "It is `reverse(x)`, along the first axis.",
        "arange": "It is `range(n)`.",
        "tile": "`repeat(x, n)` makes copies along a new first axis.",
        "concatenate": "It is `concat(a, b)`.",
        "stack": "It is `[a, b]`.",
        "einsum": "Index notation says it: `[sum([a[i, j] * b[j, k] for j < n]) for i < m, k < p]`; `matmul`, `dot` and `outer` are products.",
        "orthogonal": "Draw one by `orthogonal_matrix(n)`; `kernel_initializer: orthogonal` starts weights so.",
        "randn": "It is `normal([n])`.",
        "gaussian": "It is `normal([n])`.",
        "mse": "It is `(a - b)^2`; a loss is one number per example.",
        "mae": "It is `abs(a - b)`; a loss is one number per example.",
        "mean_squared_error": "It is `(a - b)^2`; a loss is one number per example.",
        "mean_absolute_error": "It is `abs(a - b)`; a loss is one number per example.",
        "crossentropy": "It is `cross_entropy(score, label)`.",
        "categorical_crossentropy": "It is `cross_entropy(score, label)`, the label an int.",
        "sparse_categorical_crossentropy": "It is `cross_entropy(score, label)`.",
        "nll_loss": "It is `cross_entropy(score, label)`, of the scores before any softmax.",
        "accuracy": "It is `E(argmax(score) == label)`, of two classes `E(y * score > 0)`.",
        "loss": "It stands in `gradient(loss, f.weights)` alone: write what it is, as in `E((f - y)^2)`.",
        "True": "It is `true`.",
        "False": "It is `false`.",
        "None": "There is nothing in expressions: leave the argument, or the key, out.",
        "randint": "It is `integer(n)`: one of 0, …, n - 1.",
        "random": "It is `uniform([n])`.",
        "shuffle": "`x[permutation(n)]` puts entries in random order.",
        "stop_gradient": "It is `stop(x)`.",
        "fori_loop": "It is `iterate(f, start, n)`.",
        "while_loop": "`iterate(f, start, n)` applies a function a constant number of times.",
    }
)
