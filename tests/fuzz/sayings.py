"""What a random study says beside what is computed: texts, where it comes from, lines and stretches of figures, a profile, full batches.

It is written last, from a source of its own, so that all else is as it would be without.
"""

from __future__ import annotations

from random import Random
from typing import Any

from dlspec.spec.tables.gradient_statistics import GRADIENT_STATISTICS

SAYINGS = (
    "title", "about", "origin", "caption", "reference", "zoom", "places", "profile", "full batch", "ema_momentum", "eigenvalues", "on train",
)  # fmt: skip
TEXTS = ("It is so.", "50 % of $x_0$, and {braces}", "<b>&amp;</b> – “quoted”", "a: b # c", "'")


def say(tree: dict[str, Any], seen: set[str], random: Random) -> None:
    """Adds to a study's tree what it says."""

    def chosen(name: str, share: float) -> bool:
        given = random.random() < share
        if given:
            seen.add(f"said {name}")
        return given

    experiment = tree["experiments"]["e"]
    if chosen("title", 0.1):
        tree["title"] = random.choice(TEXTS)
    if chosen("about", 0.1):
        tree["about"] = experiment["about"] = random.choice(TEXTS)
    if chosen("origin", 0.1):
        tree["source"] = {
            "paper": "arXiv:1703.07950",
            "section": 3.1,
            "figure": "2",
            "url": "https://example.org/a?b=c&d",
        }
    for figure in experiment.get("figures", {}).values():
        if chosen("caption", 0.2):
            figure["caption"] = random.choice(TEXTS)
        if figure["kind"] in ("curves", "scaling") and chosen("reference", 0.3):
            figure["reference"] = {"chance": "1 / n", "$a$ < b": random.choice(("0.5", "c", "exp(-k)"))}
        if figure["kind"] == "function" and chosen("zoom", 0.4):
            figure["zoom"] = [-0.5, 2]
        if figure["kind"] == "examples" and chosen("places", 0.4):
            figure["x"] = "linspace(0, 1, 3)"
    for measure in experiment["measures"].values():
        row = next(iter(measure)) if isinstance(measure, dict) else ""
        if "tolerance" in getattr(GRADIENT_STATISTICS.get(row), "parameters", ()) and chosen("eigenvalues", 0.5):
            measure[row] = {**measure[row], "tolerance": 0.05}
            if "largest" in GRADIENT_STATISTICS[row].parameters:
                measure[row] |= {"largest": 1, "smallest": 1}
        few = isinstance(measure, dict) and isinstance(measure[row], dict) and measure[row].get("examples", 1) <= 6
        if (
            few
            and "on" in getattr(GRADIENT_STATISTICS.get(row), "parameters", ())
            and "train" in experiment["task"].get("data", {})
            and chosen("on train", 0.5)
        ):
            measure[row] = {**measure[row], "on": "train"}
    _train(experiment, chosen)
    if chosen("profile", 0.15):
        patch = random.choice(({"replicates": experiment["replicates"] + 1}, {"seed": experiment["seed"] + 20}))
        tree["profiles"] = {"other": {"about": "Another one.", "experiments": {"e": patch}}}


def _train(experiment: dict[str, Any], chosen: Any) -> None:
    """A full batch where data are finite, and how fast averages of weights move."""
    training, data = experiment["training"], experiment["task"].get("data", {})
    finite = "train" in data and data.get("order") != "with_replacement"
    if finite and "batch" in training and "as_trained" not in experiment["measures"] and chosen("full batch", 0.3):
        training["batch"] = "full"
    optimizer = training["optimizer"]
    for arguments in optimizer.values() if isinstance(optimizer, dict) else ():
        if isinstance(arguments, dict) and arguments.get("use_ema") and chosen("ema_momentum", 0.5):
            arguments["ema_momentum"] = 0.7
