"""What Python, NumPy and Keras call otherwise: the hint where such a name is not known."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_REAL = "Numbers are real: the parts of a transform are `fft_real(x)` and `fft_imag(x)`."
_FINITE = "`is_finite(x)` tells numbers from infinities and what is undefined."
_NEAR = "It is `abs(a - b) < 1e-6`, with your own tolerance; or `within(x, low, high)`."
_LEFT_OUT = "One undefined value makes the whole mean undefined: `E(x, where=c)` leaves examples out, and `task.data` rows without a value (`missing`)."
_LIKE = "It is `zeros([n])`, or `ones([n])`; a number also serves as an array of itself wherever arrays are allowed."
_ENTRY = "It is `x[i]`, of an int or an array of them."
_PRODUCT = "It is `matmul(a, b)`; of vectors `dot(a, b)`."
_ALONG = "Expressions speak of one example, and apply to all; along an array it is `[g(x[i]) for i < n]`, and with a state `scan(g, start, x)`."
_KIND = "`int(x)` makes whole numbers, and an int becomes a real where one is needed; `dtype` says how real numbers are computed."
_COVARIANCE = "E(a * b) - E(a) * E(b)"
_CORRELATION = f"Over examples it is `({_COVARIANCE}) / sqrt((E(a^2) - E(a)^2) * (E(b^2) - E(b)^2))`."
_NO_GAMMA = "There is no gamma function; `gamma(a, rate)` is a distribution."

_NO_NUMBER = (
    "No constant is undefined or infinite: leave a value out by `E(x, where=c)`, and write a bound as a number."
)

OTHER_PARTS: Mapping[str, str] = MappingProxyType(
    {
        "T": "It is `transpose(x)`.",
        "mT": "It is `transpose(x)`.",
        "shape": "`len(x)` is the size of the first axis; for the others, use the names that the shape was declared with.",
        "size": "`len(x)` is the size of the first axis.",
        "grad": "It is `gradient(y, x)`, of a number y.",
        "real": "Numbers are real.",
    }
)
"""What arrays have as parts in NumPy and PyTorch."""

OTHER_ARGUMENTS: Mapping[str, str] = MappingProxyType(
    {
        "dim": "It is `axis`.",
        "keepdims": "`reshape(x, [n, 1])` brings the axis back.",
        "keepdim": "`reshape(x, [n, 1])` brings the axis back.",
        "dtype": "`dtype`, of the experiment, says how real numbers are computed.",
    }
)
"""What arguments are called in NumPy and PyTorch."""

OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "svd": "Its parts are `svd_u(x)`, `singular_values(x)` and `svd_v(x)`.",
        "eigh": "Its parts are `eigenvalues(x)` and `eigenvectors(x)`.",
        "eigvalsh": "It is `eigenvalues(x)`.",
        "eig": "For symmetric matrices there are `eigenvalues(x)` and `eigenvectors(x)`.",
        "qr": "Its parts are `qr_q(x)` and `qr_r(x)`.",
        "fft": "Its parts are `fft_real(x)` and `fft_imag(x)`.",
        "inv": "It is `inverse(x)`.",
        **dict.fromkeys(("var", "Var"), "It is `variance(x)` of an array; over examples it is `E(x^2) - E(x)^2`."),
        **dict.fromkeys(
            ("Std", "stdev", "stddev"), "It is `std(x)` of an array; over examples it is `sqrt(E(x^2) - E(x)^2)`."
        ),
        **dict.fromkeys(
            ("P", "Pr", "prob", "probability", "proba"), "The share of examples for which c holds is `E(c)`."
        ),
        "precision": "It is `E(y > 0, where=f > 0)`.",
        "recall": "It is `E(f > 0, where=y > 0)`.",
        **dict.fromkeys(("f1", "f1_score"), "It is `2 * E(f > 0 and y > 0) / (E(f > 0) + E(y > 0))`."),
        **dict.fromkeys(("auc", "roc_auc"), "It is `E(f(a) > f(b))`, with a drawn of one class and b of the other."),
        **dict.fromkeys(
            ("p_value", "ttest", "t_test"),
            "Claims are tested: `judge: mean` by a paired t interval, `judge: {share: 0.9}` by a binomial bound.",
        ),
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
        "einsum": "Use index notation: `[sum([a[i, j] * b[j, k] for j < n]) for i < m, k < p]`; `matmul`, `dot` and `outer` are products.",
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
        "loss": "It is allowed only in `gradient(loss, f.weights)`: write out what it is, as in `E((f - y)^2)`.",
        "True": "It is `true`.",
        "False": "It is `false`.",
        "None": "There is no such value: leave the argument, or the key, out; a new axis is `reshape(x, [1, n])`.",
        "randint": "It is `integer(n)`: one of 0, …, n - 1.",
        "random": "It is `uniform([n])`.",
        "shuffle": "`x[permutation(n)]` puts entries in random order.",
        "stop_gradient": "It is `stop(x)`.",
        **dict.fromkeys(("absolute", "fabs"), "It is `abs(x)`."),
        "amax": "It is `max(x)`.",
        "amin": "It is `min(x)`.",
        "fmax": "It is `maximum(a, b)`.",
        "fmin": "It is `minimum(a, b)`.",
        "ptp": "It is `max(x) - min(x)`.",
        "reciprocal": "It is `1 / x`.",
        "remainder": "It is `a % b`.",
        "hypot": "It is `sqrt(a^2 + b^2)`.",
        "copysign": "It is `abs(a) * sign(b)`.",
        "cbrt": "It is `sign(x) * abs(x) ^ (1 / 3)`.",
        "exp2": "It is `2 ^ x`.",
        "expit": "It is `sigmoid(x)`.",
        "logit": "It is `log(x / (1 - x))`.",
        "logaddexp": "It is `logsumexp([a, b])`.",
        "erfc": "It is `1 - erf(x)`.",
        "sinc": "It is `sin(pi * x) / (pi * x)`.",
        "expm": "`exp(x)` is of each entry; there is no matrix exponential.",
        **dict.fromkeys(("lgamma", "gammaln", "digamma", "polygamma"), _NO_GAMMA),
        **dict.fromkeys(("rint", "around"), "It is `round(x)`."),
        **dict.fromkeys(("trunc", "fix"), "It is `sign(x) * floor(abs(x))`."),
        **dict.fromkeys(("radians", "deg2rad"), "It is `x * pi / 180`."),
        **dict.fromkeys(("degrees", "rad2deg"), "It is `x * 180 / pi`."),
        **dict.fromkeys(("isnan", "isinf", "isfinite"), _FINITE),
        "nan_to_num": "It is `x if is_finite(x) else 0`.",
        **dict.fromkeys(("isclose", "allclose"), _NEAR),
        **dict.fromkeys(("nanmean", "nansum", "nanstd", "nanvar", "nanmax", "nanmin", "nanmedian"), _LEFT_OUT),
        **dict.fromkeys(("logical_xor", "xor", "bitwise_xor"), "It is `a != b`, of conditions."),
        **dict.fromkeys(("zeros_like", "ones_like", "full_like", "full"), _LIKE),
        **dict.fromkeys(("take", "gather", "index_select"), _ENTRY),
        **dict.fromkeys(("inner", "vdot", "vecdot"), "It is `dot(a, b)`."),
        **dict.fromkeys(("mm", "bmm", "mv", "addmm"), _PRODUCT),
        "cross": "It is `[a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]`.",
        "kron": "Use index notation: `[a[i // m] * b[i % m] for i < n * m]` of vectors.",
        **dict.fromkeys(
            ("logdet", "slogdet"),
            "It is `2 * sum(log(diagonal(cholesky(x))))`, of matrices that are positive definite; of others `log(abs(det(x)))`.",
        ),
        "diag": "It is `x * eye(len(x))` of a vector; of a matrix `diagonal(x)` is its diagonal.",
        "tril": "It is `[x[i, j] if j <= i else 0 for i < len(x), j < len(x)]`.",
        "triu": "It is `[x[i, j] if j >= i else 0 for i < len(x), j < len(x)]`.",
        **dict.fromkeys(("matrix_transpose", "swapaxes", "permute_dims"), "It is `transpose(x)`."),
        "ravel": "It is `reshape(x, [n])`, with the number of its entries.",
        "expand_dims": "It is `[x]`.",
        "squeeze": "It is `x[0]`, or `reshape(x, [n])`.",
        "meshgrid": "Use index notation: `[a[i] for i < n, j < m]` and `[b[j] for i < n, j < m]`.",
        **dict.fromkeys(
            ("searchsorted", "digitize", "bucketize"),
            "`step_of(x, steps)` is the index of the last of the sorted steps that is no larger.",
        ),
        **dict.fromkeys(
            ("count", "count_nonzero"), "It is `sum(int(x != 0))` of an array; over examples the share is `E(c)`."
        ),
        "logspace": "It is `10 ^ linspace(a, b, n)`.",
        "cumulative_sum": "It is `cumsum(x)`.",
        "cumulative_prod": "It is `cumprod(x)`.",
        **dict.fromkeys(("real", "imag", "angle", "conj", "ifft", "rfft"), _REAL),
        **dict.fromkeys(("cov", "covariance"), f"Over examples it is `{_COVARIANCE}`."),
        **dict.fromkeys(("corr", "corrcoef", "correlate", "correlation", "pearson"), _CORRELATION),
        **dict.fromkeys(("nan", "NaN", "inf", "infinity", "Infinity"), _NO_NUMBER),
        "ln": "It is `log(x)`.",
        "median": "Over examples it is `quantile(x, 0.5)`; of the entries of an array, an odd number n of them, `sort(x)[n // 2]`.",
        "percentile": "Over examples it is `quantile(x, q)`, with q from 0 to 1.",
        **dict.fromkeys(("map", "vmap", "reduce", "fold", "lax"), _ALONG),
        **dict.fromkeys(("astype", "cast", "float", "double", "float32", "float64", "int32", "int64", "uint8"), _KIND),
        **dict.fromkeys(("shape", "size"), "The length of an array is `len(x)`, of further axes `len(x[0])`."),
        "l1_norm": "It is `sum(abs(x))`.",
        **dict.fromkeys(("l2_norm", "frobenius"), "It is `norm(x)`."),
        "rms": "It is `sqrt(mean(x^2))`.",
        "normalize": "It is `x / norm(x)`, or `(x - mean(x)) / std(x)`.",
        "softmin": "It is `softmax(-x)`.",
        "softsign": "It is `x / (1 + abs(x))`.",
        **dict.fromkeys(("swish", "silu"), "It is `x * sigmoid(x)`; of a layer `activation: silu`."),
        "mish": "It is `x * tanh(softplus(x))`; of a layer `activation: mish`.",
        "gelu": "It is `x * (1 + erf(x / sqrt(2))) / 2`; of a layer `activation: gelu`.",
        "elu": "It is `x if x > 0 else exp(x) - 1`; of a layer `activation: elu`.",
        "leaky_relu": "It is `maximum(x, 0.2 * x)`; of a layer `activation: leaky_relu`.",
        "relu6": "It is `clip(x, 0, 6)`.",
        "hardtanh": "It is `clip(x, -1, 1)`.",
        "heaviside": "It is `1.0 if x > 0 else 0.0`.",
        **dict.fromkeys(("bce", "binary_cross_entropy"), "It is `logistic(y, score)`, for y = ±1."),
        "smooth_l1": "It is `huber(prediction, target, 1)`.",
        "entropy": "It is `-sum(x * log(x))`.",
        **dict.fromkeys(("kl", "kl_div", "kl_divergence"), "It is `sum(a * log(a / b))`."),
        "cosine_similarity": "It is `dot(a, b) / (norm(a) * norm(b))`.",
        "perplexity": "It is `exp(E(cross_entropy(score, label)))`.",
        "grad": "It is `gradient(y, x)`: by weights `gradient(y, f.weights)`.",
        **dict.fromkeys(("hessian", "hvp"), "It is `hessian_vector(y, x, d)`: the matrix times a vector."),
        "jvp": "It is `directional(v, y, d)`.",
        "vjp": "It is `gradient(dot(v, y), x)`.",
        **dict.fromkeys(
            ("functional_call", "stateless_call"), "It is `with_weights(x, f.weights, w)`: x where f has the weights w."
        ),
        "rand": "It is `uniform([n])`.",
        "randperm": "It is `permutation(n)`.",
        "lognormal": "It is `exp(normal(mean, deviation))`.",
        "binomial": "Draw `z: bernoulli(p, [n])`; it is `sum(z)`.",
        "multinomial": "It is `categorical(p)`.",
        **dict.fromkeys(("chisquare", "chi2"), "It is `gamma(k / 2, 1 / 2)`."),
        "cauchy": "It is `student_t(1)`.",
        "gumbel": "It is `-log(exponential(1))`.",
        "weibull": "It is `exponential(1) ^ (1 / k)`.",
        "dirichlet": "Draw `g: gamma(a, 1, [n])`; it is `g / sum(g)`.",
        "convolve": "It is a layer: `conv1d`; with a fixed kernel `[sum([x[i + j] * k[j] for j < m]) for i < n]`.",
        "fori_loop": "It is `iterate(f, start, n)`.",
        "while_loop": "`iterate(f, start, n)` applies a function a constant number of times.",
    }
)
MODULES = ("np", "numpy", "math", "tf", "torch", "jnp", "jax", "keras", "scipy")
"""What others call the modules in which their functions and constants stand."""


def of_a_module(module: str, part: str) -> str:
    """What a part of another tool's module is here, `np.pi` or `math.e`, as a sentence; nothing where it is none.

    >>> of_a_module("np", "pi"), of_a_module("math", "inf") == OTHER_NAMES["inf"], of_a_module("f", "pi")
    ('There are no modules: it is `pi`.', True, '')
    """
    if module not in MODULES:
        return ""
    return OTHER_NAMES.get(part) or f"There are no modules: it is `{'exp(1)' if part == 'e' else part}`."
