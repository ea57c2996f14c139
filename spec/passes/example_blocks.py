"""Into how many independent blocks the examples of a gradient statistic are split, and how many gradients are taken at once.

The more blocks, the less error: √(2 / (K - 1)) of a variance for one weight. Blocks of one example are best, and one
backward pass tells the gradients of many examples apart where the layers are dense and the weights few. Elsewhere each
block has a backward pass of its own, and so many examples that the pass and not what is summed of it takes the time.
Neither depends on how many replicates run side by side: their values must not.
"""

from __future__ import annotations

from ..ir import terms as t
from ..ir.plan import LayerPlan, Program
from ..tables.gradient_statistics import MIN_BLOCKS
from ..tables.layers import row_of

MAX_BLOCK = 16
"""Examples in a block that has a backward pass of its own, at most: the number of blocks grows with that of examples."""
MAX_BLOCK_LARGE_WEIGHTS = 64
"""The same where the weights take more than `LARGE_WEIGHTS_BYTES`: to sum a block's gradient takes longer than some examples."""
LARGE_WEIGHTS_BYTES = 2**20
MAX_PER_EXAMPLE_BYTES = 4 * 2**10
"""The weights that may differ from example to example take at most this: sixteen times as many gradients to sum."""
GROUP_OF_SINGLES = 16
"""Blocks of one example whose differences are compared with each other."""
GROUP_OF_BLOCKS = 4
"""Blocks of several examples whose differences are: the least that have two."""
MAX_SUMMED_EXAMPLES = 1024
"""Examples that are summed in the experiment's own dtype at most: sums of sums are float64."""


def block(program: Program, term: t.GradientStatistic) -> int:
    """How many examples are in one block."""
    if _told_apart(program, term):
        return 1
    most = MAX_BLOCK if term.weights.type.bytes <= LARGE_WEIGHTS_BYTES else MAX_BLOCK_LARGE_WEIGHTS
    return max(1, min(most, term.examples // MIN_BLOCKS))


def alongside(term: t.GradientStatistic) -> int:
    """The bytes beside the layers' outputs that one example's own gradient takes, twice in float64."""
    return 6 * term.weights.type.bytes


def group(size: int) -> int:
    """How many blocks of a size are compared with each other."""
    return GROUP_OF_SINGLES if size == 1 else GROUP_OF_BLOCKS


def comparisons(blocks: int, compared: int) -> int:
    """How many pairs of differences of two blocks there are, within groups of so many blocks."""
    whole, rest = divmod(blocks // 2, compared // 2)
    half = compared // 2
    return whole * half * (half - 1) // 2 + rest * (rest - 1) // 2


def _told_apart(program: Program, term: t.GradientStatistic) -> bool:
    """Whether one backward pass for the gradients of many examples takes about as long as one for their sum."""
    if term.weights.type.bytes > MAX_PER_EXAMPLE_BYTES:
        return False
    network = next(network for network in program.networks if network.name == term.weights.network)
    return all(_batched(layer) for layer in network.leaves() if layer.weights and _asked(term.weights, layer))


def _asked(weights: t.Weight | t.AllWeights, layer: LayerPlan) -> bool:
    return weights.layer in (None, layer.key)


def _batched(layer: LayerPlan) -> bool:
    """Whether products with weights that differ from example to example are one batched product."""
    row = row_of(layer)
    vectorized = row is not None and row.stacking == "vectorized"
    return vectorized or all(name in layer.untrained for name in layer.weights)
