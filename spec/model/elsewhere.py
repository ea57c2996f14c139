"""What other tools write where a study has no such key: the sentence that leads to what it has instead."""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType

from ..tables.gradient_modes import GRADIENT_MODES
from ..tables.optimizers import OPTIMIZERS

FREEZE = "`gradient: {f: freeze}` keeps the weights of a network or layer; the `loss` of a phase says what it trains: `loss: {l: {of: (f + g)^2, trains: g}}`."
SCHEDULE = "A schedule is an expression in `step`: `optimizer: {sgd: {learning_rate: 0.1 / (1 + 0.01 * step)}}`."
UNTIL = "`until` is a condition on measures: `until: error < 0.01`."
SAVED = "A run saves checkpoints by itself: `dlspec run --checkpoint SECONDS` says how often, and `--keep-weights` for the last weights."
ROUNDED = "`dtype: bfloat16` computes networks in it; `weights: bfloat16`, or `float16`, keeps weights in it."
TRACKED = "`dlspec run --tensorboard` and `--mlflow URI` log a run to other tools."
SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("callbacks", "callback", "hooks"),
            "There are none: `until` stops a training, `evaluate` and `measures` say what is measured and when, and `phases` what changes on the way.",
        ),
        **dict.fromkeys(("frozen", "trainable", "requires_grad", "unfreeze"), FREEZE),
        **{name: FREEZE for name, row in GRADIENT_MODES.items() if row.freezes_weights},
        **dict.fromkeys(("scheduler", "schedule", "lr_schedule", "lr_scheduler", "warmup", "decay"), SCHEDULE),
        **dict.fromkeys(("patience", "min_delta", "stop_when"), UNTIL),
        **dict.fromkeys(("checkpoint", "checkpoints", "save_every", "save", "resume"), SAVED),
        **dict.fromkeys(("mixed_precision", "amp", "autocast"), ROUNDED),
        **dict.fromkeys(("logger", "logging", "wandb", "mlflow", "tensorboard"), TRACKED),
        "shuffle": "Finite data are shuffled unless `order` says otherwise: `task: {data: {train: 1000, order: shuffle}}`.",
        "validation_split": "`task: {data: {train: 1000, validation: 100}}`, and measures `on: validation`.",
    }
)
"""By what others write."""
BESIDE = ("seed", "dtype", "weights", "state", "loss_scale", "replicates", "measures", "gradient", "estimates")
"""Keys of an experiment that are looked for in its training."""


def elsewhere(word: str, known: Container[str]) -> str:
    """What stands elsewhere, or in another way, where a key is not known; nothing where it is none of others'.

    >>> elsewhere("patience", ["steps"]), elsewhere("seed", ["optimizer", "steps"]), elsewhere("seed", ["units"])
    ('`until` is a condition on measures: `until: error < 0.01`.', '`seed` belongs in the experiment, beside `training`.', '')
    """
    if "optimizer" in known:
        own = "measures" if word in ("metrics", "metric") else word
        if own in BESIDE:
            return f"`{own}` belongs in the experiment, beside `training`."
        row = next((row for row in OPTIMIZERS.values() if word in row.parameters), None)
        if row is not None:
            default = row.parameters[word].default
            value = 0.01 if word == "weight_decay" else 1.0 if default is None else str(default).lower()
            return f"It is an argument of the optimiser: `optimizer: {{{row.name}: {{{word}: {value}}}}}`."
    return SENTENCES.get(word.lower(), "")
