"""`examples/failures/collusion.yaml`, with fewer and narrower members, beside the same training in NumPy by draws of its own.

What is compared are means over replicates, within four of their standard errors: of 24 such comparisons all hold by chance in 99.8 % of runs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.interpreter.program.cut_down_cases import measured_in_dlspec
from tests.interpreter.program.dense_in_numpy import Adam, Array, Batches, agree, forward, glorot, passed_back

STUDY = Path(__file__).parents[3] / "examples" / "failures" / "collusion.yaml"
MEMBERS, UNITS, BATCH, TRAINED, TESTED = 6, 24, 50, 200, 2000
EVALUATED = (150, 900)
REPLICATES = 16


def drawn(rng: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Inputs [R, n, 5] and what is to be said of them [R, n]."""
    x = rng.standard_normal((REPLICATES, count, 5)).astype(np.float32)
    noise = rng.normal(0, 0.5, (REPLICATES, count)).astype(np.float32)
    return x, np.sin(2 * x[..., 0]) + x[..., 1] * x[..., 2] + noise


def in_numpy(joint: int) -> list[dict[str, Array]]:
    """The measures of the case, [R] each, when they are taken: members lie along the axis of replicates, and those of one see its examples."""
    rng = np.random.default_rng(joint)
    weights = glorot(rng, REPLICATES * MEMBERS, (5, UNITS, UNITS, 1))
    (x, y), (new_x, new_y) = drawn(rng, TRAINED), drawn(rng, TESTED)
    adam, batches, found = Adam(weights, 0.001), Batches(rng, REPLICATES, TRAINED, BATCH), []

    def layers(given: Array) -> list[Array]:
        return forward(weights, np.repeat(given, MEMBERS, axis=0)[:, None])

    def members(given: Array) -> Array:
        """What each says, [R, members, n]."""
        return layers(given)[-1][:, 0, :, 0].reshape(REPLICATES, MEMBERS, -1)

    def error(said: Array, wanted: Array) -> Array:
        return ((said - wanted) ** 2).mean(-1)

    for step in range(1, EVALUATED[-1] + 1):
        places = batches.next()
        given = np.take_along_axis(x, places[..., None], axis=1)
        values = layers(given)
        said = values[-1].reshape(REPLICATES, MEMBERS, BATCH)
        away = said - np.take_along_axis(y, places, axis=1)[:, None]
        slopes = 2 / MEMBERS * (away - joint * (said - said.mean(1, keepdims=True)))
        adam.step(passed_back(weights, values, slopes.reshape(-1, 1, BATCH, 1).astype(np.float32))[0])
        if step in EVALUATED:
            new, old = members(new_x), members(x)
            measures = {"error": error(new.mean(1), new_y), "trained": error(old.mean(1), y)}
            measures |= {"alone": error(new, new_y[:, None]).mean(1), "spread": new.var(1).mean(-1)}
            measures |= {"gap": measures["error"] - measures["trained"]}
            found.append(measures | {"half": error(new[:, : MEMBERS // 2].mean(1), new_y)})
    return found


def in_dlspec(joint: int) -> list[dict[str, Array]]:
    """The same of a cell of the study."""
    text = STUDY.read_text("utf-8").replace("n: 10,", f"n: {MEMBERS},").replace("units: 50", f"units: {UNITS}")
    return measured_in_dlspec(STUDY, text, f"joint={joint}", REPLICATES, EVALUATED)


def test_members_collude_on_the_loss_of_their_mean_as_in_numpy() -> None:
    ours = {joint: in_dlspec(joint) for joint in (0, 1)}
    theirs = {joint: in_numpy(joint) for joint in (0, 1)}
    for joint in (0, 1):
        for one, other in zip(ours[joint], theirs[joint], strict=True):
            agree(one, other)
    for apart, together in ((ours[0][-1], ours[1][-1]), (theirs[0][-1], theirs[1][-1])):
        assert together["spread"].mean() > 5 * apart["spread"].mean()
        assert (
            together["half"].mean() > 1.5 * together["error"].mean()
            and apart["half"].mean() < 1.2 * apart["error"].mean()
        )
