"""Three versions of one study: what is merged, what is marked, and what the text looks like."""

from __future__ import annotations

import pytest
from dlspec import spec
from dlspec.spec.diagnostics.problems import Source
from dlspec.spec.diff import compare
from dlspec.spec.merge import Merged, Unmergeable, merged
from dlspec.spec.source.undecided_sides import undecided_sides

BASE = """\
# yaml-language-server: $schema=x
dlspec: 1
study: s

experiments:
  # about e
  e:
    constants: {n: 3, k: 4}   # sizes
    task:
      example:
        x: normal([n])       # in
        y: sum(x)
    architecture:
      f:
        input: x
        layers:
          - dense: {units: 8, activation: relu}
          - dense: 4
          - dense: 1
    loss: {sq: (f - y)^2}
    training:
      optimizer: {adam: 0.01}
      batch: 32
      steps: 500
      evaluate: {at: [10, 20]}
    measures:
      error: E((f - y)^2)
    sweep: {k: [4, 5]}
    claims:
      learns: {says: It learns., check: final(error) < 0.1}
"""
Edits = tuple[tuple[str, str], ...]


def edited(edits: Edits) -> str:
    text = BASE
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def changed(text: str) -> list[str]:
    """The lines that the base does not have."""
    return [line.strip() for line in text.splitlines() if line not in BASE.splitlines()]


def test_the_base_of_these_tests_is_valid() -> None:
    assert spec.validate(spec.parse(Source("s.yaml", BASE))) is not None


@pytest.mark.parametrize(("ours", "theirs", "lines"), [
    # neighbouring lines, which a text merge takes for a conflict
    ((("steps: 500", "steps: 1000"),), (("batch: 32", "batch: 64   # why"),), ["batch: 64   # why", "steps: 1000"]),
    # two entries of one line
    ((("n: 3", "n: 5"),), (("k: 4", "k: 5, m: 7"),), ["constants: {n: 5, k: 5, m: 7}   # sizes"]),
    ((("n: 3, ", ""), ("normal([n])", "normal([k])")), (("# sizes", "# the sizes"),), ["constants: {k: 4}   # the sizes", "x: normal([k])       # in"]),
    # arguments of one layer, of short and long forms
    ((("units: 8", "units: 9"),), (("activation: relu", "activation: tanh"),), ["- dense: {units: 9, activation: tanh}"]),
    ((("- dense: 4", "- dense: 2"),), (("- dense: 4", "- dense: {units: 4, use_bias: false}"),), ["- dense: {units: 2, use_bias: false}"]),
    ((("adam: 0.01", "adam: 0.02"),), (("adam: 0.01", "adam: {learning_rate: 0.01, beta_1: 0.5}"),), ["optimizer: {adam: {learning_rate: 0.02, beta_1: 0.5}}"]),
    ((("sq: (f - y)^2", "sq: (f - y)^4"),), (("sq: (f - y)^2", "sq: {of: (f - y)^2, weight: 2}"),), ["loss: {sq: {of: (f - y)^4, weight: 2}}"]),
    # from brackets into a block, and back
    ((("      optimizer: {adam: 0.01}\n", "      optimizer:\n        adam:\n          learning_rate: 0.01\n          beta_1: 0.5\n"),),
     (("adam: 0.01", "adam: {learning_rate: 0.02}"),), ["optimizer:", "adam:", "learning_rate: 0.02", "beta_1: 0.5"]),
    # layers: one added before, one changed
    ((("          - dense: {units", "          - flatten\n          - dense: {units"),), (("- dense: 4", "- dense: 3"),), ["- flatten", "- dense: 3"]),
    # values of a list that has no order
    ((("[10, 20]", "[10, 20, 40]"),), (("[10, 20]", "[5, 20, 30]"),), ["evaluate: {at: [5, 20, 30, 40]}"]),
    ((("[10, 20]", "[10, 30]"),), (("[10, 20]", "[10]"),), ["evaluate: {at: [10, 30]}"]),
    ((("[10, 20]", "[10, 30]"),), (("[10, 20]", "[10, 30, 40]"),), ["evaluate: {at: [10, 30, 40]}"]),
    # one name for another, and a change under it
    ((("learns:", "learn:"),), (("< 0.1", "< 0.2"),), ["learn: {says: It learns., check: final(error) < 0.2}"]),
    # the same change on both sides, spelled in two ways
    ((("(f - y)^2}", "abs(f - y)}"),), (("(f - y)^2}", "abs( f-y )}"),), ["loss: {sq: abs(f - y)}"]),
    # additions at one place, comments with them
    ((("      learns", "      other: {says: \"a: b\", check: final(error) < 1}\n      learns"),),
     (("    claims:\n", "    claims:   # mine\n      # a comment\n      third:\n        says: Third.\n        check: final(error) < 3\n"),),
     ["claims:   # mine", 'other: {says: "a: b", check: final(error) < 1}', "# a comment", "third:", "says: Third.", "check: final(error) < 3"]),
    ((("# about e", "# about e, ours"),), (("# about e", "# about e, theirs"),), ["# about e, ours", "# about e, theirs"]),
    # a part of the language that both added
    ((("    loss:", "    gradient: {f.dense_2: stop}\n    loss:"),), (("    loss:", "    gradient:\n      f.dense_1: {scale: 2}   # c\n    loss:"),),
     ["# c", "gradient: {f.dense_2: stop, f.dense_1: {scale: 2}}"]),
    # what both removed is gone
    ((("      evaluate: {at: [10, 20]}\n", ""), ("steps: 500", "steps: 600")), (("      evaluate: {at: [10, 20]}\n", ""), ("n: 3", "n: 4")),
     ["constants: {n: 4, k: 4}   # sizes", "steps: 600"]),
    # a removal, beside a change of layout alone
    ((("      steps: 500\n", "      steps: 500\n      until: error < 1\n"),), (("      evaluate: {at: [10, 20]}\n", ""),), ["until: error < 1"]),
])  # fmt: skip
def test_changes_of_different_paths_are_merged(ours: Edits, theirs: Edits, lines: list[str]) -> None:
    found, swapped = merged(BASE, edited(ours), edited(theirs)), merged(BASE, edited(theirs), edited(ours))
    assert found.conflicts == swapped.conflicts == ()
    assert changed(found.text) == lines
    one, other = (spec.parse(Source("s.yaml", item.text)) for item in (found, swapped))
    assert compare(one, other).same
    assert all(text.count("#") >= BASE.count("#") for text in (found.text, swapped.text))


@pytest.mark.parametrize(("ours", "theirs", "lines"), [
    ((("steps: 500", "steps: 1000"),), (("steps: 500", "steps: 2000   # why"),),
     ["# why", "steps: !conflict", "base: 500", "ours: 1000", "theirs: 2000"]),
    ((("n: 3", "n: 5"),), (("n: 3", "n: 6"),), ["constants: {n: !conflict {base: 3, ours: 5, theirs: 6}, k: 4}   # sizes"]),
    ((("      batch: 32\n", ""),), (("batch: 32", "batch: 64"),), ["batch: !conflict", "base: 32", "ours: !removed", "theirs: 64"]),
    ((("batch: 32", "batch: 64"),), (("      batch: 32\n", ""),), ["batch: !conflict", "base: 32", "ours: 64", "theirs: !removed"]),
    ((("k: 4}", "k: 4, m: 1}"),), (("k: 4}", "k: 4, m: 2}"),), ["constants: {n: 3, k: 4, m: !conflict {ours: 1, theirs: 2}}   # sizes"]),
    # layers at one place: their order is not known
    ((("- dense: 1", "- relu\n          - dense: 1"),), (("- dense: 1", "- tanh\n          - dense: 1"),),
     ["- !conflict", "ours:", "- relu", "theirs:", "- tanh"]),
    # another optimiser is another value
    ((("adam: 0.01", "adam: 0.02"),), (("adam: 0.01", "sgd: 0.01"),),
     ["optimizer: !conflict", "base: {adam: 0.01}", "ours: {adam: 0.02}", "theirs: {sgd: 0.01}"]),
    # each side put another item in place of one that both took out
    ((("[10, 20]", "[10, 30]"),), (("[10, 20]", "[5, 10]"),),
     ["evaluate: {at: !conflict {base: [10, 20], ours: [10, 30], theirs: [5, 10]}}"]),
    # an array is one value
    ((("k: 4}", "k: 4, w: [1, 2]}"),), (("k: 4}", "k: 4, w: [1, 3]}"),),
     ["constants: {n: 3, k: 4, w: !conflict {ours: [1, 2], theirs: [1, 3]}}   # sizes"]),
    # a claim that both added, with the same name
    ((("      learns", "      far: {says: Far., check: final(error) < 3}\n      learns"),),
     (("      learns", "      far: {says: Far., check: final(error) < 4, judge: mean}\n      learns"),),
     ['far: {says: Far., check: !conflict {ours: final(error) < 3, theirs: final(error) < 4}, '
      'judge: !conflict {ours: !removed , theirs: mean}}']),
])  # fmt: skip
def test_a_conflict_is_marked_at_its_path_with_all_values(ours: Edits, theirs: Edits, lines: list[str]) -> None:
    found = merged(BASE, edited(ours), edited(theirs))
    assert found.conflicts and changed(found.text) == lines
    with pytest.raises(spec.StudyError) as caught:
        spec.parse(Source("s.yaml", found.text))
    told = [problem for problem in caught.value.problems if problem.message.startswith("a merge left")]
    assert len(told) == len(found.conflicts) == len(caught.value.problems)
    assert all("!conflict" in found.text.splitlines()[problem.span.line - 1] for problem in told if problem.span)


def test_a_side_that_is_the_base_leaves_the_other_byte_for_byte() -> None:
    other = edited((("steps: 500", "steps:   1000 # odd  "),))
    assert merged(BASE, other, BASE) == Merged(other)
    assert merged(BASE, BASE, other) == Merged(other)
    assert merged(BASE, other, other) == Merged(other)


def test_windows_line_ends_a_mark_and_a_last_line_without_end_stay() -> None:
    ours, theirs = edited((("steps: 500", "steps: 1000"),)), edited((("batch: 32", "batch: 64"),))
    plain = merged(BASE, ours, theirs).text
    assert merged(BASE, ours.replace("\n", "\r\n"), theirs).text == plain.replace("\n", "\r\n")
    assert merged(BASE, "\ufeff" + ours, theirs).text == "\ufeff" + plain
    assert merged(BASE, ours.rstrip("\n"), theirs).text == plain.rstrip("\n")


def test_a_file_that_both_added_is_merged_without_a_base() -> None:
    theirs = BASE.replace("steps: 500", "steps: 600").replace("learns:", "learned:")
    found = merged("", BASE, theirs)
    assert [conflict.path[-1] for conflict in found.conflicts] == ["steps"]
    assert "learns:" in found.text and "learned:" in found.text


def test_lists_that_go_in_step_are_not_merged_item_by_item() -> None:
    base = BASE.replace("sweep: {k: [4, 5]}", "sweep: {k: [4, 5], n: [3, 4]}\n    zip: [[k, n]]")
    ours = base.replace("k: [4, 5], n: [3, 4]", "k: [4, 5, 6], n: [3, 4, 5]")
    theirs = base.replace("k: [4, 5], n: [3, 4]", "k: [4, 5, 7], n: [3, 4, 4]")
    assert [conflict.path[-1] for conflict in merged(base, ours, theirs).conflicts] == ["k", "n"]


@pytest.mark.parametrize(("text", "says"), [
    ("dlspec: 1\nbroken: [1, 2\n", "ours: .*line 2"), ("- a\n", "ours: .*mapping at the top"),
    ("a: 1\na: 2\n", "appears twice"), ("a: 1\n---\nb: 2\n", "second YAML document"), ("? a\n: 1\n", "question mark"),
])  # fmt: skip
def test_what_is_no_tree_is_not_merged(text: str, says: str) -> None:
    with pytest.raises(Unmergeable, match=says):
        merged("a: 1\n", text, "a: 3\n")


def test_a_layer_that_is_called_by_its_place_and_was_given_another_is_doubted() -> None:
    ours = edited((("          - dense: {units", "          - dense: 6\n          - dense: {units"),))
    variant = (("    claims:", "    variants: {frozen: {gradient: {f.dense_2: freeze}}, plain: {}}\n    claims:"),)
    for found, side in ((merged(BASE, ours, edited(variant)), "theirs"), (merged(BASE, edited(variant), ours), "ours")):
        assert found.conflicts == () and len(found.doubts) == 1
        assert found.doubts[0].startswith(f"{side} names layer `dense_2` of network `f`, which is now another layer")
    behind = edited((("          - dense: 1\n", "          - relu\n          - dense: 1\n"),))
    assert merged(BASE, behind, edited(variant)).doubts == ()


def test_an_entry_to_which_each_side_gave_another_name_is_marked_with_both() -> None:
    base = (
        BASE
        + "    variants:\n      # of two\n      narrow:\n        training: {steps: 9}   # few\n        seed: 3\n        replicates: 5\n"
    )
    ours, theirs = base.replace("narrow", "slim"), base.replace("narrow", "thin").replace("5\n", "6\n")
    found, swapped = merged(base, ours, theirs), merged(base, theirs, ours)
    assert [conflict.path for conflict in found.conflicts] == [("experiments", "e", "variants", "narrow")]
    assert found.text == base.replace(
        base[base.index("      narrow") :],
        """\
      narrow: !conflict
        names: [slim, thin]
        ours:
          slim:
            training: {steps: 9}   # few
            seed: 3
            replicates: 5
        theirs:
          thin:
            training: {steps: 9}   # few
            seed: 3
            replicates: 6
""",
    )
    for text, says in (
        (found.text, "ours says slim, theirs says thin"),
        (swapped.text, "ours says thin, theirs says slim"),
    ):
        with pytest.raises(spec.StudyError, match=f"a merge left the name of `narrow` undecided: {says}"):
            spec.parse(Source("s.yaml", text))
        sides = undecided_sides(text)
        assert sides is not None and {"slim:" in sides.ours, "slim:" in sides.theirs} == {True, False}
        assert "narrow" not in sides.ours + sides.theirs and "names" not in sides.ours
    one, other = (f"{BASE}    variants: {{{name}: {{replicates: 2, seed: 3}}}}\n" for name in ("slim", "thin"))
    (line,) = changed(merged(one.replace("slim", "narrow"), one, other).text)
    assert line == (
        "variants: {narrow: !conflict {names: [slim, thin], ours: {slim: {replicates: 2, seed: 3}}, "
        "theirs: {thin: {replicates: 2, seed: 3}}}}"
    )


def test_two_things_of_one_name_that_share_nothing_are_one_conflict() -> None:
    ours, theirs = (f"{BASE}    variants:\n      big: {text}\n" for text in ("{training: {batch: 64}}", "{seed: 3}"))
    found = merged(BASE, ours, theirs)
    assert [conflict.path[-1] for conflict in found.conflicts] == ["big"]
    assert changed(found.text)[-3:] == ["big: !conflict", "ours: {training: {batch: 64}}", "theirs: {seed: 3}"]
    with pytest.raises(spec.StudyError, match=r"ours says {training: {batch: 64}}, theirs says {seed: 3}"):
        spec.parse(Source("s.yaml", found.text))


def test_long_values_are_told_from_where_they_differ() -> None:
    base = BASE + "    about: " + "Long text, which goes on and on. " * 9 + "Its end.\n"
    found = merged(base, base.replace("Its end", "Our end"), base.replace("Its end", "Their end"))
    with pytest.raises(spec.StudyError) as caught:
        spec.parse(Source("s.yaml", found.text))
    assert caught.value.problems[0].message == (
        "a merge left `about` undecided: ours says … which goes on and on. Our end., theirs says … which goes on and on. Their end.; "
        "the base says … which goes on and on. Its end."
    )


ALIKE = BASE.replace("          - dense: {units: 8, activation: relu}\n", "          - dense: 8\n" * 3)


@pytest.mark.parametrize(("ours", "theirs", "both"), [
    # those that are alike are told apart by their places
    ([7, 8, 8], [8, 6, 5], [7, 6, 5]), ([6, 8, 5], [8, 7, 8], [6, 7, 5]),
    ([8, 8, 9], [6, 8, 8, 8], [6, 8, 8, 9]), ([8, 8], [8, 8, 9], None), ([7, 8, 8], [6, 8, 5], None),
])  # fmt: skip
def test_layers_that_are_alike(ours: list[int], theirs: list[int], both: list[int] | None) -> None:
    old = "          - dense: 8\n" * 3
    sides = [ALIKE.replace(old, "".join(f"          - dense: {units}\n" for units in side)) for side in (ours, theirs)]
    for texts in (sides, sides[::-1]):
        found = merged(ALIKE, *texts)
        if both is None:
            assert len(found.conflicts) == 1
        else:
            assert found.text == ALIKE.replace(old, "".join(f"          - dense: {units}\n" for units in both))


CLAIMS = BASE + "      far:\n        says: Far.   # not near\n        check: final(error) < 3\n"
WITHOUT = BASE[: BASE.index("    claims:")]


@pytest.mark.parametrize(("edit", "lines", "paths"), [
    # what the other side left as it was goes, what it changed is a conflict, what it added stays
    (("< 3", "< 4"), ["claims:", "far: !conflict", "base:", "says: Far.   # not near", "check: final(error) < 3", "ours: !removed", "theirs:",
                      "says: Far.   # not near", "check: final(error) < 4"], ["far"]),
    (("      far:", "      more: {says: More., check: final(error) < 9}   # new\n      far:"),
     ["claims:", "more: {says: More., check: final(error) < 9}   # new"], []),
    (("      learns: {says: It learns., check: final(error) < 0.1}\n", ""), [], []),
])  # fmt: skip
def test_a_part_that_one_side_removed_whole_is_decided_name_by_name(
    edit: tuple[str, str], lines: list[str], paths: list[str]
) -> None:
    changed_side = CLAIMS.replace(*edit)
    assert changed_side != CLAIMS
    found, swapped = merged(CLAIMS, WITHOUT, changed_side), merged(CLAIMS, changed_side, WITHOUT)
    assert found.text.startswith(WITHOUT)
    assert [line.strip() for line in found.text.removeprefix(WITHOUT).splitlines()] == lines
    for result in (found, swapped):
        assert [conflict.path[-1] for conflict in result.conflicts] == paths


def test_a_part_in_braces_that_one_side_removed_whole() -> None:
    ours = BASE.replace("    constants: {n: 3, k: 4}   # sizes\n", "")
    found = merged(BASE, ours, BASE.replace("k: 4", "k: 5, m: 6"))
    assert changed(found.text) == ["constants: {k: !conflict {base: 4, ours: !removed , theirs: 5}, m: 6}   # sizes"]


FIRST, SECOND, NEW = "        a: {NUMBER: 3}\n", "        b: {NUMBER: 4}\n", "        c: {NUMBER: 5}\n"


@pytest.mark.parametrize(("part", "number"), [("phases", "steps"), ("updates", "times")])
@pytest.mark.parametrize(("ours", "theirs", "both"), [
    # one side's order goes with what the other changed, inside and outside
    ((SECOND, FIRST), (FIRST, SECOND), (SECOND, FIRST)),
    ((SECOND, FIRST), (FIRST, SECOND.replace("4", "6")), (SECOND.replace("4", "6"), FIRST)),
    ((FIRST, NEW, SECOND), (FIRST, SECOND.replace("4", "6")), (FIRST, NEW, SECOND.replace("4", "6"))),
    # which of two orders is meant nobody knows
    ((SECOND, FIRST), (FIRST, NEW, SECOND), None),
    ((FIRST, NEW, SECOND), (FIRST, NEW.replace("c", "d"), SECOND), None),
    ((NEW, FIRST, SECOND), (FIRST, SECOND, NEW), None),
])  # fmt: skip
def test_the_order_of_what_comes_one_after_the_other_is_a_change(
    part: str, number: str, ours: tuple[str, ...], theirs: tuple[str, ...], both: tuple[str, ...] | None
) -> None:
    def text(entries: tuple[str, ...]) -> str:
        return BASE.replace("      steps: 500\n", f"      {part}:\n{''.join(entries).replace('NUMBER', number)}")

    for sides in ((ours, theirs), (theirs, ours)):
        found = merged(text((FIRST, SECOND)), text(sides[0]), text(sides[1]).replace("batch: 32", "batch: 64"))
        assert "batch: 64" in found.text
        if both is None:
            assert [conflict.path[-1] for conflict in found.conflicts] == [part]
        else:
            assert found.text == text(both).replace("batch: 32", "batch: 64") and not found.conflicts
