"""What other tools call a key: the hint where such a key is not known, and ours is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Mapping
from types import MappingProxyType

from ..diagnostics.problems import did_you_mean
from ..tables.gradient_modes import DEFAULT_MODE, other_mode
from ..tables.initializers import other_initializer
from ..tables.layers.other_layers import other_layer
from ..tables.other_words import OTHER_OPTIMIZERS
from .elsewhere import elsewhere

OTHER_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "model": ("architecture",),
        "models": ("architecture",),
        "network": ("architecture", "networks"),
        "net": ("architecture",),
        "params": ("constants",),
        "parameters": ("constants",),
        "hyperparameters": ("constants",),
        "config": ("constants",),
        "dataset": ("data",),
        "metrics": ("measures",),
        "metric": ("measures",),
        "criterion": ("loss",),
        "objective": ("loss",),
        "seeds": ("replicates",),
        "n_seeds": ("replicates",),
        "num_seeds": ("replicates",),
        "repeats": ("replicates", "repeat", "times"),
        "repeat": ("times",),
        "n_critic": ("times",),
        "val": ("validation",),
        "trials": ("replicates",),
        "runs": ("replicates",),
        "grid": ("sweep",),
        "plots": ("figures",),
        "hypotheses": ("claims",),
        "precision": ("dtype",),
        "lr": ("learning_rate",),
        "momentum_decay": ("momentum",),
        "betas": ("beta_1",),
        "eps": ("epsilon",),
        "alpha": ("rho", "negative_slope"),
        "wd": ("weight_decay",),
        "decay": ("weight_decay",),
        "max_grad_norm": ("global_clipnorm",),
        "clip_grad_norm": ("global_clipnorm",),
        "gradient_clip_val": ("global_clipnorm",),
        "p": ("rate",),
        "sigma": ("stddev",),
        "out_channels": ("filters",),
        "hidden_size": ("units",),
        "num_embeddings": ("input_dim",),
        "embedding_dim": ("output_dim",),
        "dilation": ("dilation_rate",),
        "nonlinearity": ("activation",),
        "num_layers": ("times",),
        "epochs": ("steps",),
        "num_epochs": ("steps",),
        "max_epochs": ("steps",),
        "steps_per_epoch": ("steps",),
        "iterations": ("steps",),
        "max_steps": ("steps",),
        "eval_every": ("evaluate",),
        "early_stopping": ("until",),
        "out_features": ("units",),
        "hidden_units": ("units",),
        "neurons": ("units",),
        "width": ("units",),
        "act": ("activation",),
        "linear": ("dense",),
        "fc": ("dense",),
        "layernorm": ("layer_normalization",),
        "layer_norm": ("layer_normalization",),
        "batchnorm": ("batch_normalization",),
        "batch_norm": ("batch_normalization",),
        "maxpool": ("max_pool2d",),
        "bias": ("use_bias",),
        "title_text": ("title",),
        "claim": ("check",),
        "statement": ("says",),
    }
)
"""By other names: each what it may be here, where that is a key."""


OTHER_WORDS: Mapping[str, Callable[[str], str | None]] = MappingProxyType(
    {"glorot_uniform": other_initializer, "rmsprop": OTHER_OPTIMIZERS.get, DEFAULT_MODE.name: other_mode}
)
"""What words mean where the rows of a table are the keys, of which this is one."""


def other_key(word: str, known: Container[str]) -> str:
    """What a key that is not known is called here, as a sentence; nothing where it is none of others'.

    >>> other_key("lr", ["learning_rate", "momentum"]), other_key("lr", ["units"])
    ('It is `learning_rate` here.', '')
    """
    if word.lower() in ("learning_rate", "lr") and "optimizer" in known:
        return "It is an argument of the optimiser: `optimizer: {sgd: {learning_rate: 0.1}}`."
    if word == "defaults" and "experiments" in known:
        return "An experiment derives from another by `base: other`; `layer_defaults` are arguments of layers."
    if "dense" in known and "repeat" in known and (hint := other_layer(word)):
        return hint
    if word == "simultaneous" and "networks" in known:
        return "Without `updates` all networks change at once: a term of the loss says `trains: G`, and `optimizer: {D: …, G: …}` gives each its own."
    if word in ("before", "after") and "restart" in known:
        return (
            "Phases come in the order of the text; in a patch a new one comes last, or says `before: NAME` of another."
        )
    parts = [f"{part}{word.removeprefix('kernel')}" for part in ("depthwise", "pointwise")]
    if word.startswith("kernel_") and all(part in known for part in parts):
        return f"Its kernel has two parts: `{parts[0]}` and `{parts[1]}`."
    for row, other in OTHER_WORDS.items():
        if row in known and (leading := other(word.lower())):
            return leading
    own = next((key for key in OTHER_KEYS.get(word.lower(), ()) if key in known), "")
    more = ", and counts updates" if own == "steps" else ""
    return f"It is `{own}` here{more}." if own else ""


def meant(word: str, known: Collection[str], further: str = "") -> str:
    """What is meant by a key that is not known: one that is, or what stands elsewhere; nothing where nothing tells.

    `further` is said of one that belongs to another map, before what it may be misspelt of.
    """
    return other_key(word, known) or elsewhere(word, known) or further or did_you_mean(word, known)
