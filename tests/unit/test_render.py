"""The page of a verdict: in order, whole, and readable for someone who has never seen the code."""

from typing import Any

import pytest
from repro.core.schema import checked
from repro.report.tables import number, percent, table, text
from repro.report.verdict_page import markdown

APART = {
    "elements": 40, "differ": 10, "share": 0.25,
    "largest_absolute": 1.5e-7, "largest_relative": None, "mean_absolute": 2e-9,
}  # fmt: skip
ENTRY = {"seed": 0, "run": "repeat", "verdict": "met", "divergence": None}
AT = {"what": "weights", "epoch": 0, "step": 3, "variable": "dense/kernel"}
PARTED = {**ENTRY, "verdict": "not met", "divergence": AT}
CAUSE = {
    "cause": "factor: clock", "where": "the loss", "evidence": "differs when the clock changes",
    "remedy": "Take dates from the data.", "tested": True, "trials": 5, "file": "digits.py",
    "line": 12,
}  # fmt: skip
LIKELY = {**CAUSE, "cause": "update", "tested": False, "trials": 0, "file": None, "line": None}
MISTAKE = {"mistake": "frozen noise", "evidence": "It comes back.", "remedy": "Draw by `seed`."}


def verdict(**changed: Any) -> dict[str, Any]:
    value = {
        "experiment": "digits", "goal": "bitwise", "verdict": "met",
        "sentence": "digits: same bits.", "scope": "this machine", "repeats": 1,
        "per_seed": [ENTRY], "causes": [], "search": [], "mistakes": [], "differences": {},
        "factors": [
            {"factor": "clock", "varied": True, "how": "990 days ahead"},
            {"factor": "home", "varied": True, "how": "a new folder"},
            {"factor": "locale", "varied": True, "how": "LC_ALL=C"},
            {"factor": "network", "varied": False, "why": "refused"},
        ],
        "inference": [{"run": "original", "seed": 0, "same": True}],
        "goals": {
            "bitwise": {"verdict": "met", "sentence": "digits: same bits."},
            "metrics": {"verdict": "met", "sentence": "digits: the same."},
            "documented": {"verdict": "inconclusive", "sentence": "digits: not all is known."},
        },
        "best": "bitwise", "metrics": None, "limits": [], "methods": "It was trained.",
        "warnings": ["1 repeat is few."], **changed,
    }  # fmt: skip
    return checked(value, "verdict", "verdict.json")


def apart(**found: Any) -> dict[str, Any]:
    return verdict(verdict="not met", per_seed=[PARTED], differences={"repeat/seed-0": found})


def rows(page: str) -> list[list[str]]:
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def heads(page: str) -> list[str]:
    return [line.lstrip("# ") for line in page.splitlines() if line.startswith("#")]


WHOLE = verdict(
    verdict="not met", per_seed=[PARTED], causes=[CAUSE, LIKELY], mistakes=[MISTAKE],
    differences={"repeat/seed-0": {"weights": {"dense/kernel": APART}, "weights_share": 0.2}},
    search=[{"step": "train", "factors": [], "same": True}],
)  # fmt: skip


def test_the_page_tells_all_in_order() -> None:
    page = markdown(WHOLE)
    assert heads(page) == [
        "digits: not met, with a warning", "Where the runs first diverge", "Why",
        "How far apart: original and repeat, seed 0", "Warnings",
        "What the evidence supports", "What was done", "What to bear in mind",
        "For the Methods section of a paper",
    ]  # fmt: skip
    assert page.splitlines()[2] == WHOLE["sentence"]
    assert page.endswith("\n")
    assert not page.endswith("\n\n")


def test_the_page_of_a_good_verdict_is_short() -> None:
    page = markdown(verdict())
    assert heads(page) == [
        "digits: met", "What the evidence supports", "What was done", "What to bear in mind",
        "For the Methods section of a paper",
    ]  # fmt: skip
    assert "cause" not in page
    assert "**bitwise**, that is, every weight" in page


def test_every_table_is_one() -> None:
    for part in markdown(WHOLE).split("\n\n"):
        if lines := [line for line in part.splitlines() if line.startswith("|")]:
            head, rule, *body = rows("\n".join(lines))
            assert lines == part.strip().splitlines()
            assert set(rule) == {"---"}
            assert body
            assert {len(head)} == {len(row) for row in (rule, *body)}


def test_places_are_told_for_each_run_that_parts() -> None:
    seeds = {"what": "seed states", "epoch": 1, "step": None, "variable": "a/b"}
    odd = {**PARTED, "run": "repeat-2", "divergence": seeds}
    page = markdown(verdict(per_seed=[PARTED, odd, ENTRY], repeats=3))
    assert ["repeat", "0", "0", "3", "weights", "`dense/kernel`"] in rows(page)
    words = "states of the random generators"
    assert ["repeat-2", "0", "1", "–", words, "`a/b`"] in rows(page)
    assert "count from 0" in page
    assert "before these places was the same" in page
    assert "In 1 of 3 comparisons no bit differs." in page


def test_nothing_comes_before_the_data() -> None:
    data = {"what": "prepared data", "epoch": None, "step": None, "variable": "train/x.npy"}
    page = markdown(verdict(per_seed=[{**PARTED, "divergence": data}]))
    assert "before these places" not in page
    assert "count from 0" not in page


def test_causes_are_ranked_and_say_whether_they_were_tested() -> None:
    page = markdown(WHOLE)
    assert "1. **Factor: clock** (tested in 5 trials)\n" in page
    assert "   - In your code: `digits.py`, line 12\n" in page
    assert "   - Evidence: differs when the clock changes\n" in page
    assert "   - What to do: Take dates from the data.\n" in page
    assert "2. **Update** (likely, not tested)\n" in page
    assert page.count("In your code") == 1


def test_a_patch_stands_below_its_cause_between_fences_that_it_does_not_end() -> None:
    diff = "--- a/digits.py\n+++ b/digits.py\n@@ -1 +1 @@\n-x = '```'\n+x = sorted('```')\n"
    patch = {"diff": diff, "verified_runs": 3, "sentence": "It sorts what is listed."}
    page = markdown(verdict(causes=[{**CAUSE, "patch": patch}], per_seed=[PARTED]))
    assert "   - A patch, tried out: It sorts what is listed.\n" in page
    assert "     ````diff\n     --- a/digits.py\n" in page
    assert "     +x = sorted('```')\n     ````\n" in page


def test_trials_are_counted_by_what_was_varied() -> None:
    made: list[tuple[list[str], bool]] = [
        ([], True), ([], True), (["clock", "home", "locale"], False), (["home", "locale"], True),
        (["clock"], False), (["clock"], True),
    ]  # fmt: skip
    search = [{"step": "prepare", "factors": f, "same": same} for f, same in made]
    found = rows(markdown(verdict(per_seed=[PARTED], causes=[CAUSE], search=search)))
    assert ["preparing the data", "nothing", "2 of 2"] in found
    assert ["preparing the data", "all that the repeat varied", "0 of 1"] in found
    assert ["preparing the data", "all that the repeat varied but clock", "1 of 1"] in found
    assert ["preparing the data", "clock", "1 of 2"] in found
    assert "No trial was run" in markdown(verdict(per_seed=[PARTED], causes=[LIKELY]))


def test_warnings_are_told_with_what_to_do() -> None:
    page = markdown(verdict(mistakes=[MISTAKE]))
    assert heads(page)[0] == "digits: met, with a warning"
    assert "- **Frozen noise.** It comes back.\n  What to do: Draw by `seed`.\n" in page


def test_factors_are_told_with_how_and_why() -> None:
    found = rows(markdown(verdict()))
    assert ["clock", "990 days ahead"] in found
    assert ["network", "refused"] in found


def test_evaluation_is_told_for_all_runs_at_once() -> None:
    same = [{"run": "original", "seed": n, "same": True} for n in range(3)]
    assert "the same bits in 3 of 3 cases." in markdown(verdict(inference=same))
    odd = {"run": "repeat", "seed": 1, "same": False}
    page = markdown(verdict(inference=[*same, odd]))
    assert "in 3 of 4 cases, and **other bits** with seed 1 of the repeat." in page


def test_each_goal_stands_with_what_was_found() -> None:
    page = markdown(verdict())
    assert "The strongest goal that is wholly supported: **bitwise**." in page
    assert ["bitwise (claimed)", "met", "see above"] in rows(page)
    assert ["documented", "inconclusive", "not all is known."] in rows(page)
    parted = {"verdict": "not met", "sentence": "digits: not the same bits."}
    none = verdict(best=None, goals={**verdict()["goals"], "bitwise": parted})
    assert "No goal is wholly supported." in markdown(none)
    only = "**documented**; **bitwise** only as far as it was repeated."
    assert f"wholly supported: {only}" in markdown(verdict(best="documented"))


def test_circumstances_of_inference_are_told_each() -> None:
    size = {"to": "32", "same": False, "largest_difference": "3e-07", "other_class": 1}
    one = {"to": "one processor for all threads", "same": True, "largest_difference": "0.0",
           "other_class": 0}  # fmt: skip
    told = {"batch size": size, "processors": one}
    entry = {"run": "original", "seed": 0, "same": True, "circumstances": told}
    page = markdown(verdict(inference=[entry, {**entry, "run": "repeat"}]))
    assert (
        "  - In batches of 32: the same predictions, bit for bit, in 0 of 2 cases; the largest "
        "difference of a number is 3e-07; 2 predicted class(es) changed."
    ) in page
    assert (
        "  - With one processor for all threads: the same predictions, bit for bit, in 2 of 2 "
        "cases."
    ) in page
    older = {"run": "repeat", "seed": 0, "same": True}
    assert "in 0 of 1 case;" in markdown(verdict(inference=[entry, older]))
    none = {**one, "same": None, "why": "it cannot"}
    page = markdown(verdict(inference=[{**entry, "circumstances": {"processors": none}}]))
    assert "With one processor for all threads: not tried, because it cannot." in page


def test_limits_and_the_paragraph_for_a_paper() -> None:
    limit = {"name": "mixed precision", "where": "dense", "promise": "Bits depend on the GPU."}
    page = markdown(verdict(limits=[limit]))
    assert "- **mixed precision** (dense): Bits depend on the GPU." in page
    assert page.endswith("\n> It was trained.\n")


def test_what_was_made_is_counted() -> None:
    assert "Besides the original, 1 repeat was made" in markdown(verdict())
    assert "Besides the original, 5 repeats were made" in markdown(verdict(repeats=5))
    assert "Only the original was made" in markdown(verdict(repeats=0, per_seed=[]))


def test_distances_of_weights_are_told_by_variable() -> None:
    shapes = {"elements": 6, "differ": 6, "share": 1.0, "shapes": [[3, 2], []]}
    types = {"elements": 6, "differ": 6, "share": 1.0, "types": ["<f4", "<f8"]}
    alone = {"elements": 6, "differ": 6, "share": 1.0, "only_in": "repeat"}
    weights = {"dense/kernel": APART, "a": shapes, "b": types, "c": alone}
    page = markdown(apart(weights=weights, weights_share=0.0001))
    assert "below 0.1 % of all weights differ, in 4 variables" in page
    assert ["`dense/kernel`", "10 of 40 (25 %)", "1.5e-07", "–", "2e-09"] in rows(page)
    assert ["`a`", "another shape: 3 × 2, then one number", "–", "–", "–"] in rows(page)
    assert ["`b`", "another type: <f4, then <f8", "–", "–", "–"] in rows(page)
    assert ["`c`", "only in the repeat", "–", "–", "–"] in rows(page)


def test_metrics_stand_side_by_side_with_their_difference() -> None:
    metrics = {
        "accuracy": {"original": 0.9777777791023254, "repeat": 0.9722222, "difference": -0.00556},
        "loss": {"original": 0.25, "repeat": "nan", "difference": None},
        "new": {"original": None, "repeat": 1.0, "difference": None},
    }
    found = rows(markdown(apart(metrics=metrics)))
    assert ["`accuracy`", "0.977777779", "0.9722222", "-0.00556"] in found
    assert ["`loss`", "0.25", "nan", "–"] in found
    assert ["`new`", "–", "1", "–"] in found


def churned(changed: int) -> dict[str, Any]:
    each = [
        {"class": n, "examples": 90, "changed": k, "share": k / 90}
        for n, k in enumerate((changed, 0))
    ]
    whole = {"examples": 180, "changed": changed, "share": changed / 180}
    return {**whole, "per_class": each}


def test_classes_that_changed_are_counted() -> None:
    page = markdown(apart(predictions={"y": APART}, churn={"y": churned(9), "y.b": churned(0)}))
    assert "Predicted class: 9 of 180 test examples (5 %) got another one." in page
    assert ["0", "90", "9", "10 %"] in rows(page)
    assert ["1", "90", "0", "0 %"] not in rows(page)
    assert "in the output `y.b`: 0 of 180 test examples (0 %) got another one." in page
    assert ["`y`", "10 of 40 (25 %)", "1.5e-07", "–", "2e-09"] in rows(page)


def test_other_test_examples_are_counted() -> None:
    ids = {"elements": 180, "differ": 40, "share": 0.2}
    page = markdown(apart(predictions={"y": APART, "id": ids}))
    assert "The repeat has 140 of the original's 180 test examples, since" in page
    assert "predictions are compared on these." in page
    assert not any("id" in cell for row in rows(page) for cell in row)


def test_without_a_common_test_example_no_prediction_is_compared() -> None:
    ids = {"elements": 180, "differ": 180, "share": 1.0}
    page = markdown(apart(predictions={"id": ids}))
    assert "The repeat has 0 of the original's 180 test examples" in page
    assert "in another way; no prediction can be compared." in page


def test_the_history_is_told_from_where_it_differs() -> None:
    history = {"val|loss": {"epoch": 3, "original": "0.5", "repeat": None}}
    page = markdown(apart(history=history))
    assert "| `val\\|loss` | 3 | 0.5 | – |" in page


def test_a_long_table_is_cut_and_says_so() -> None:
    page = markdown(apart(weights={f"w{n}": APART for n in range(30)}, weights_share=1.0))
    assert "`w9`" in page
    assert "`w10`" not in page
    assert "And 20 more (weights), all of them in verdict.json." in page


def test_of_many_runs_only_the_first_are_told() -> None:
    names = ["repeat", *(f"repeat-{n}" for n in range(2, 6))]
    found = {f"{name}/seed-0": {"weights": {"a": APART}, "weights_share": 0.2} for name in names}
    page = markdown(verdict(verdict="not met", per_seed=[PARTED], differences=found))
    assert page.count("## How far apart") == 3
    assert "The differences of repeat-4/seed-0 and repeat-5/seed-0 are in verdict.json." in page


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a *b* c", r"a \*b\* c"),
        ("at __init__.py, line 3", r"at \_\_init\_\_.py, line 3"),
        ("`imap_unordered *x*`", "`imap_unordered *x*`"),
        ("<b> and seed_generator_state", r"\<b> and seed_generator_state"),
    ],
)
def test_text_is_no_markup(value: str, shown: str) -> None:
    assert text(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(None, "–"), (0.0, "0 %"), (1.0, "100 %"), (0.5, "50 %"), (1 / 3, "33.3 %"),
     (1e-9, "below 0.1 %"), (1 - 1e-9, "over 99.9 %")],
)  # fmt: skip
def test_shares_never_read_as_nothing_or_all(share: float | None, shown: str) -> None:
    assert percent(share) == shown


def test_numbers_and_cells_that_are_not_there_are_dashes() -> None:
    assert number(None) == "–"
    assert table(("a", "b"), [(None, 0)]) == "| a | b |\n| --- | --- |\n| – | 0 |\n"
