"""What the canonical form looks like, case by case."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.format import formatted
from dlspec.spec.format.layout import MAX_WIDTH, layout
from dlspec.spec.format.syntax import read_text

ROOT = Path(__file__).parents[3]


def laid(text: str) -> str:
    """The layout of a text that is no whole study."""
    after = layout(read_text(text))
    assert layout(read_text(after)) == after
    return after


def experiment(body: str) -> str:
    """The layout of an experiment's body, without what is around it."""
    lines = laid("experiments:\n  e:\n" + "".join(f"    {line}\n" for line in body.splitlines())).splitlines()
    return "\n".join(line[4:] for line in lines[2:]) + "\n"


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_are_in_canonical_form(path: Path) -> None:
    source = spec.read(path)
    assert formatted(source) == source.text


CASES = {
    "keys of the language go in its order, the writer's own keep theirs": (
        "training: {steps: 1, batch: 2}\nconstants:\n  z: 1\n  a: 2\nabout: x",
        "about: x\nconstants:\n  z: 1\n  a: 2\ntraining: {batch: 2, steps: 1}",
    ),
    "a figure's own keys come before those of every figure": (
        "figures: {f: {title: t, y: m, where: d<3, kind: curves}}",
        "figures: {f: {kind: curves, y: m, title: t, where: d < 3}}",
    ),
    "patches are ordered like what they patch": (
        "variants:\n  v: {training: {steps: 1, batch: 2}, loss: {l: x+1}, constants: null}",
        "variants:\n  v: {constants: null, loss: {l: x + 1}, training: {batch: 2, steps: 1}}",
    ),
    "numbers stay as they are spelled": (
        "constants: {a: 1e-3, b: 0x10, c: 1.50, d: '2', e: 1E5*.5}",
        'constants: {a: 1e-3, b: 0x10, c: 1.50, d: "2", e: 1E5 * .5}',
    ),
    "quotes go where YAML needs none": (
        "constants:\n  a: \"f(x,1)\"\n  b: {c: 'f(x,1)'}\n  d: '[1,2]+a'\nabout: 'word'",
        "about: word\nconstants:\n  a: f(x, 1)\n  b: {c: \"f(x,1)\"}\n  d: \"[1, 2] + a\"",
    ),
    "a text with a colon or a number sign keeps the quotes that it has": (
        "about: \"a:b\"\nbase: a#b",
        "about: \"a:b\"\nbase: a#b",
    ),
    "quotes inside a text choose the others": (
        "about: \"say \\\"so\\\": it's\"",
        "about: 'say \"so\": it''s'",
    ),
    "index notation loses its brackets at the top, and keeps them in a list": (
        "outputs: {a: '[i for i<3]', b: ['[i for i<3]']}",
        "outputs: {a: i for i < 3, b: [\"[i for i < 3]\"]}",
    ),
    "a list's map of one pair goes without braces": (
        "architecture: {f: {layers: [{dense: 1}, {dense: {units: 2}}], input: x}}",
        "architecture: {f: {input: x, layers: [dense: 1, dense: {units: 2}]}}",
    ),
    "lists are indented": (
        "architecture:\n  f:\n    layers:\n    - dense: 1\n    -   dense:\n          units: 2",
        "architecture:\n  f:\n    layers:\n      - dense: 1\n      - dense:\n          units: 2",
    ),
    "anchors stay": (
        "training: {steps: &n 100, batch: 3}\nvariants: {v: {training: {steps: *n}}}",
        "training: {batch: 3, steps: &n 100}\nvariants: {v: {training: {steps: *n}}}",
    ),
    "keys stay where their order would tear an alias from its anchor": (
        "training: {steps: &n 100, batch: 3}\nconstants: {c: *n}",
        "training: {batch: 3, steps: &n 100}\nconstants: {c: *n}",
    ),
    "comments in a column stay in it": (
        "constants:\n  a:  1         # one\n  bb:  22       # two\n  c: 3",
        "constants:\n  a: 1          # one\n  bb: 22        # two\n  c: 3",
    ),
    "comments that share a column move together": (
        "constants:\n  a: 1   # one\n  b: b+b+b # two\n  c: b+b+b+b # three\n  e: 1 # four",
        "constants:\n  a: 1   # one\n  b: b + b + b  # two\n  c: b + b + b + b  # three\n  e: 1  # four",
    ),
    "a comment goes with what it stands above": (
        "# of training\ntraining: {steps: 1}\n\n# of constants\nconstants: {a: 1}\n# last",
        "# of constants\nconstants: {a: 1}\n# of training\ntraining: {steps: 1}\n# last",
    ),
    "a comment below the entries of a block stays in it": (
        "task:\n  draw: {a: 1}\n  # no examples\nmeasures: {m: 1}",
        "task:\n  draw: {a: 1}\n  # no examples\nmeasures: {m: 1}",
    ),
    "a comment that goes on in the next line stays in its column": (
        "constants:\n  a: 1  # one\n        # and more\n  b: 2",
        "constants:\n  a: 1  # one\n        # and more\n  b: 2",
    ),
    "comments inside braces make a block of them": (
        "constants: {a: 1, # one\n  b: 2} # both",
        "constants:  # both\n  a: 1  # one\n  b: 2",
    ),
    "an expression over several lines is put in one, a text is not": (
        "about: one\n  two\nconstants:\n  a: b\n    + c",
        "about: one\n  two\nconstants:\n  a: b + c",
    ),
    "texts in blocks stay as they are": (
        "about: |2-  # why\n\n     deeper\n   than\n\n\nbase: b",
        "about: |2-  # why\n\n     deeper\n   than\n\nbase: b",
    ),
    "blank lines stay, one for each": (
        "constants:\n\n  a: 1\n\n\n  b: 2\n\nreplicates: 1",
        "constants:\n  a: 1\n\n  b: 2\n\nreplicates: 1",
    ),
    "function heads are spaced": ("functions: {'f( a,b )': a, g( r ): r}", "functions: {\"f(a, b)\": a, g(r): r}"),
    "words for nothing and truth are spelled one way": (
        "variants: {v: {loss: ~, constants: , gradient: Null}}\narchitecture: {f: {layers: [dense: {use_bias: FALSE}]}}",
        "architecture: {f: {layers: [dense: {use_bias: false}]}}\nvariants: {v: {constants: null, loss: null, gradient: null}}",
    ),
    "a tag stays": ("about: !!str 5", "about: !!str 5"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES.keys())
def test_the_form(before: str, after: str) -> None:
    assert experiment(before) == after + "\n"


def test_what_is_too_long_for_a_line_becomes_a_block() -> None:
    entries = [f"name_{k}: {'x' * 30}" for k in range(4)]
    assert experiment(f"outputs: {{{', '.join(entries)}}}") == "outputs:\n  " + "\n  ".join(entries) + "\n"
    short = f"outputs: {{{', '.join(entries[:2])}}}\n"
    assert experiment(short) == short


def test_a_long_list_fills_its_lines() -> None:
    numbers = [str(k / 10) for k in range(100)]
    after = experiment(f"constants: {{a: [{', '.join(numbers)}]}}")
    assert after.startswith("constants:\n  a: [0.0, 0.1,")
    assert all(MAX_WIDTH - 10 < len(line) + 4 <= MAX_WIDTH for line in after.splitlines()[1:-1])
    assert [float(word.strip(" ]\n")) for word in after.split("[")[1].split(",")] == [k / 10 for k in range(100)]


def test_a_long_expression_keeps_several_lines() -> None:
    written = "check: " + "\n      and ".join(f"final(error,variant==v{k})<1e-3" for k in range(6))
    after = experiment(f"claims:\n  c:\n    {written}")
    lines = after.splitlines()[2:]
    assert len(lines) == 3 and all(len(line) + 4 <= MAX_WIDTH for line in lines)
    assert all(line.startswith("      ") for line in lines[1:])


def test_the_first_comment_stays_first() -> None:
    text = "# yaml-language-server: $schema=s\nexperiments: {}\nstudy: s\ndlspec: 1\n"
    assert laid(text) == "# yaml-language-server: $schema=s\ndlspec: 1\nstudy: s\nexperiments: {}\n"


def test_a_start_of_a_document_stays() -> None:
    assert laid("# why\n%YAML 1.2\n--- # here\nstudy:  s\n") == "# why\n%YAML 1.2\n---\n# here\nstudy: s\n"


def test_line_ends_and_a_byte_order_mark_are_made_plain() -> None:
    text = "dlspec: 1\r\nstudy: s\r\nexperiments:\r\n  e: {measures: {m: 1+1}}   # c\r\n"
    source = spec.decode(b"\xef\xbb\xbf" + text.encode(), "t.yaml")
    assert formatted(source) == "dlspec: 1\nstudy: s\nexperiments:\n  e: {measures: {m: 1 + 1}}   # c\n"


def test_what_is_not_valid_is_said_as_validate_says_it() -> None:
    with pytest.raises(spec.StudyError, match="unknown name 'q'"):
        formatted(Source("t.yaml", "dlspec: 1\nstudy: s\nexperiments: {e: {measures: {m: q}}}\n"))


def test_a_mapping_keeps_its_order_only_where_an_alias_would_be_torn_from_its_anchor() -> None:
    text = """\
variants:
  torn: {training: {steps: &n 3, batch: 2}, constants: {k: *n}}
  whole: {training: {steps: 3, batch: 2}, constants: {k: 3}}
"""
    assert experiment(text) == (
        "variants:\n"
        "  torn: {training: {batch: 2, steps: &n 3}, constants: {k: *n}}\n"
        "  whole: {constants: {k: 3}, training: {batch: 2, steps: 3}}\n"
    )


def test_an_anchor_that_is_given_twice_keeps_the_order_of_both() -> None:
    text = """\
variants:
  first: {training: {steps: &n 3}, constants: {k: &n 4}}
  second: {constants: {k: *n}}
"""
    assert experiment(text).splitlines()[1:] == text.splitlines()[1:]


def test_aliases_are_looked_after_in_a_number_of_steps_that_grows_with_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = importlib.import_module("dlspec.spec.format.layout")

    steps: list[int] = []
    below = module._Layout.below
    monkeypatch.setattr(module._Layout, "below", lambda *given: steps.append(1) or below(*given))
    counts = []
    for variants in (20, 40):
        steps.clear()
        lines = [
            f"      v{i}: {{training: {{steps: &n{i} 3, batch: 2}}, constants: {{k: *n{i}}}}}" for i in range(variants)
        ]
        laid("experiments:\n  e:\n    variants:\n" + "\n".join(lines))
        counts.append(len(steps))
    assert counts[1] < 2.1 * counts[0]
