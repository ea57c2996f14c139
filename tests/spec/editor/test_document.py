"""The language service on texts that are whole, half typed and broken."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from dlspec.spec.editor import OpenStudy
from dlspec.spec.editor.cursor import where

ROOT = Path(__file__).parents[3]
FLAT = (ROOT / "examples/flat.yaml").read_text("utf-8")
E = "dlspec: 1\nexperiments:\n  e:\n"

PLACES = {
    "▮": ((), True),
    "dlspec: ▮": (("dlspec",), False),
    E + "    ▮": (("experiments", "e"), True),
    E + "    training:\n      ▮\n      steps: 3": (("experiments", "e", "training"), True),
    E + "    training:\n      batch: n + ▮": (("experiments", "e", "training", "batch"), False),
    E + "    training: {batch: 3, opt▮, steps: 3}": (("experiments", "e", "training"), True),
    E + "    training: {steps: 3,\n      ▮": (("experiments", "e", "training"), True),
    E + "    training: {optimizer: {adam: {▮": (("experiments", "e", "training", "optimizer", "adam"), True),
    E + "    architecture:\n      f:\n        layers:\n        - dense: 1\n        - de▮": (
        ("experiments", "e", "architecture", "f", "layers", 1), True,
    ),
    E + "    architecture: {f: {layers: [dense: {units: 3}, den▮": (
        ("experiments", "e", "architecture", "f", "layers", 1), False,
    ),
    E + "    architecture:\n      f:\n        layers:\n          - dense:\n              ▮": (
        ("experiments", "e", "architecture", "f", "layers", 0, "dense"), True,
    ),
    E + '    loss: {l: "f(a, b▮': (("experiments", "e", "loss", "l"), False),
    E + "    loss:\n      l: a\n        + b▮": (("experiments", "e", "loss", "l"), False),
    E + "    variants:\n      v: {gradient: {u: ▮}}": (("experiments", "e", "variants", "v", "gradient", "u"), False),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PLACES.items(), ids=[text[-40:] for text in PLACES])
def test_where_a_cursor_is(text: str, expected: tuple[tuple[str | int, ...], bool]) -> None:
    before, _, after = text.partition("▮")
    lines = (before + after).split("\n")
    found = where(lines, before.count("\n"), len(before) - before.rfind("\n") - 1)
    assert found is not None and (found.path, found.key) == expected


@pytest.mark.parametrize("text", [E + "    about: |\n      so▮me", E + "    seed: 3   # so▮me"])
def test_texts_and_comments_are_no_place(text: str) -> None:
    before, _, after = text.partition("▮")
    assert where((before + after).split("\n"), before.count("\n"), len(before) - before.rfind("\n") - 1) is None


def test_names_outlive_a_text_that_is_no_yaml() -> None:
    study = OpenStudy("f", FLAT)
    study.refresh()
    broken = FLAT.replace("squared: (guess - y)^2", "squared: (gu\n  ] {", 1)
    study.update(broken)
    line = next(number for number, text in enumerate(broken.split("\n")) if text.strip() == "squared: (gu")
    assert "guess" in [item.label for item in study.complete(line, len("      squared: (gu"))]


def test_a_heatmap_goes_over_axes_and_shows_a_measure() -> None:
    """There `y` is an axis; in other figures it is a measure."""
    study = OpenStudy("f", FLAT)
    study.refresh()
    lines = FLAT.split("\n")
    place = next(number for number, text in enumerate(lines) if text.strip() == "figures:")
    for text, wanted, other in (
        ("{kind: heatmap, z: ▮, x: ", "wrong_step", "variant"),
        ("{kind: heatmap, y: ▮", "variant", "wrong_step"),
        ("{kind: bars, y: ▮", "wrong_step", "variant"),
    ):
        written = "      more: " + text
        study.update("\n".join([*lines[: place + 1], written.replace("▮", "") + "}", *lines[place + 1 :]]))
        labels = [item.label for item in study.complete(place + 1, written.index("▮"))]
        assert wanted in labels and other not in labels


def test_no_text_and_no_position_is_too_much() -> None:
    """Texts cut, doubled and garbled anywhere: every question has an answer, were it none."""
    chance = random.Random(0)
    study = OpenStudy("f")
    for _ in range(60):
        text = FLAT
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(text))
            stretch = text[start : start + chance.choice([1, 1, 5, 80])]
            put = chance.choice(
                ["", "", "{", "]", '"', "'", ":", "- ", "\n", "\t", "*a", "&a ", "|\n", stretch * 2, "(", "é😀"]
            )
            text = text[:start] + put + text[start + len(stretch) :]
        study.update(text)
        assert isinstance(list(study.problems()), list)
        for _ in range(15):
            line = chance.randrange(len(study.lines) + 1)
            column = chance.randrange(len(study.lines[line]) + 2 if line < len(study.lines) else 3)
            study.complete(line, column)
            study.hover(line, column)
            study.definition(line, column)


LAYERS = """dlspec: 1
study: t
experiments:
  e:
    task: {example: {x: "normal([3])", y: "x[0]"}}
    architecture: {f: {input: x, layers: [dense: {units: 4, name: hidden}, dense: 1]}}
    loss: {l: (f - y)^2}
    training: {optimizer: {sgd: 0.1}, batch: 8, steps: 5}
    measures: {m: E(f)}
"""
PARTS = {
    "E(f.▮": {"hidden", "dense_2", "weights", "input"},
    "E(f(2 * sin(x)).▮": {"hidden", "dense_2"},
    "E(initial(f).▮": {"hidden", "dense_2", "weights", "input"},
    "E(initial(f).hidden.▮": {"kernel", "bias", "weights"},
    "E(after(a, f(x)).hi▮": {"hidden", "dense_2"},
    "E(f(x).hidden.▮": set(),
    "E(with_weights(f, f.weights, norm(x, [1, 2]) * f.weights).▮": {"hidden", "dense_2", "weights", "input"},
    "E(with_weights(f(x), f.weights, 2 * f.weights).hi▮": {"hidden", "dense_2"},
}


@pytest.mark.parametrize("typed", PARTS)
def test_parts_of_a_network_are_proposed_behind_a_dot(typed: str) -> None:
    study = OpenStudy("t", LAYERS)
    study.refresh()
    line = LAYERS.count("\n") - 1
    study.update(LAYERS.replace("m: E(f)}", f'm: "{typed.replace("▮", "")}'))
    found = study.complete(line, len('    measures: {m: "') + typed.index("▮"))
    assert {item.label for item in found if item.kind == "part"} == PARTS[typed]


def test_a_layer_on_another_input_is_told() -> None:
    text = LAYERS.replace("E(f)", '"E(f(2 * x).hidden[0])"')
    study = OpenStudy("t", text)
    study.refresh()
    found = study.hover(text.count("\n") - 1, text.split("\n")[-2].index("hidden") + 2)
    assert found is not None and "**f.hidden**: a layer, real[3] → real[4]" in str(found)


def test_examples_that_a_measure_is_over_are_proposed() -> None:
    """In an expression, and behind the key; streams of the experiment among them."""
    study = OpenStudy("f", "")
    for written in ('    measures: {m: "E(x, on=▮)"}', '    measures: {m: {of: x, "on": ▮}}'):
        head = E + '    task: {example: {x: normal()}, tests: {long: {x: "2 * normal()"}}}\n'
        study.update(head + written.replace("▮", ""))
        study.refresh()
        line = (head + written).split("\n")
        labels = [item.label for item in study.complete(len(line) - 1, written.index("▮"))]
        assert {"test", "train", "validation", "long"} <= {*labels} and "relu" not in labels


def test_what_may_begin_anew_is_proposed() -> None:
    """In the list and as a key of the map, whose words are proposed, too; a condition of a phase has the measures."""
    study = OpenStudy("f", "")
    head = (
        E
        + "    task: {example: {x: normal()}}\n    architecture: {f: {input: '[x]', layers: [dense: {units: 1, name: head}]}}\n"
    )
    head += "    loss: {l: f^2}\n    measures: {error: E(f)}\n"
    for written, wanted in (
        ("[▮]", {"optimizer", "f", "f.head"}),
        ("{▮}", {"optimizer", "f", "f.head"}),
        ("{f: ▮}", {"anew", "initial"}),
        ("[], until: ▮", {"error"}),
    ):
        text = f"    training: {{optimizer: sgd, batch: 2, phases: {{a: {{steps: 3, restart: {written}}}}}}}"
        study.update(head + text.replace("▮", ""))
        study.refresh()
        line = len((head + text).split("\n")) - 1
        labels = [item.label for item in study.complete(line, text.index("▮"))]
        assert wanted <= {*labels}, (written, labels)


def test_names_of_the_example_are_proposed_for_redrawing() -> None:
    study = OpenStudy("f", "")
    head, written = E + "    task:\n      example: {noise: normal()}\n", "      data: {train: 9, redraw: [▮]}"
    study.update(head + written.replace("▮", ""))
    study.refresh()
    labels = [item.label for item in study.complete(head.count("\n"), written.index("▮"))]
    assert "noise" in labels


def test_the_number_of_a_gradient_mode_is_made_of_constants_and_counters() -> None:
    study = OpenStudy("t", LAYERS)
    study.refresh()
    head = LAYERS.replace("    loss:", "    constants: {c: 2}\n    loss:")
    written = "    gradient: {f: {scale: 1 - ▮}}"
    study.update(head + written.replace("▮", ""))
    labels = {item.label for item in study.complete(head.count("\n"), written.index("▮"))}
    assert {"step", "phase", "c"} <= labels and not {"x", "y", "f"} & labels


def test_a_phase_has_gradient_modes_and_schedules_that_count_from_it() -> None:
    head = LAYERS[: LAYERS.index("    training")].replace("    loss:", "    constants: {c: 2}\n    loss:")
    head += "    measures: {m: E(f)}\n"
    for rate, said, wanted, other in (
        ("0.1 / (1 + ▮)", "", {"step", "start(a)", "end(a)"}, {"phase"}),
        ("0.1", ", gradient: {▮: freeze}", {"f"}, {"step"}),
        ("0.1", ", gradient: {f: {scale: 1 - ▮}}", {"step", "phase", "c"}, {"x", "f"}),
    ):
        study = OpenStudy("t", head + "    training: {optimizer: sgd, batch: 2, phases: {a: {steps: 3}}}")
        study.refresh()
        text = f"    training: {{optimizer: {{sgd: {{learning_rate: {rate}}}}}, batch: 2, phases: {{a: {{steps: 3{said}}}}}}}"
        study.update(head + text.replace("▮", ""))
        labels = {item.label for item in study.complete(head.count("\n"), text.index("▮"))}
        assert wanted <= labels and not other & labels, (text, labels & (wanted | other))


def test_what_a_layer_of_copies_is_is_said_of_each() -> None:
    text = (
        E
        + """    task: {example: {x: "normal([3])"}}
    architecture: {f: {input: x, copies: 2, layers: [dense: {units: 4, name: hidden}]}}
    measures: {m: "E(sum(f.hidden.kernel))"}
"""
    )
    line, study = text.count("\n") - 1, OpenStudy("study.yaml", text)
    column = text.splitlines()[line].index("hidden")
    layer, kernel = study.hover(line, column), study.hover(line, column + len("hidden."))
    assert layer is not None and layer[0] == "**f.hidden**: a layer of each of 2 copies, real[3] → real[4]"
    assert kernel is not None and kernel[0] == "**f.hidden.kernel**: real[2, 3, 4]"
