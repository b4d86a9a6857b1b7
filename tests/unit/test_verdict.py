"""The verdict: one sentence for each outcome, and a page for people."""

from typing import Any

import pytest
from repro.core.canonical import pretty
from repro.core.schema import checked
from repro.judge.compare import Comparison, Divergence
from repro.judge.diagnose import causes
from repro.judge.divergence import place
from repro.judge.render import markdown
from repro.judge.verdict import Context, judge

PARTED = Divergence("weights", 0, 3, "dense/kernel")
APART = {"share": 0.5, "largest_absolute": 1e-7, "largest_relative": None}


def verdict(
    *found: Divergence | None, setups: int = 1, inference: tuple[bool, ...] = (), **changed: Any
) -> dict[str, Any]:
    parameters = {"seeds": list(range(len(found))), "goal": "bitwise", "repeat": "full"}
    context = Context(
        "this machine", setups,
        [{"factor": "process", "varied": True, "how": "another"},
         {"factor": "time zone", "varied": False, "why": "switched off"}],
        [{"run": "original", "seed": n, "passes": 2, "same": s} for n, s in enumerate(inference)],
    )  # fmt: skip
    differences = {"weights": {"dense/kernel": APART}, "metrics": {"loss": [0.5, 0.25]}}
    comparisons = [
        Comparison("repeat", n, d, differences if d else {}) for n, d in enumerate(found)
    ]
    why = causes(PARTED) if any(found) and setups == 1 else []
    parameters = {**parameters, "repeats": 1, **changed}
    return checked(
        judge("digits", parameters, comparisons, context, why), "verdict", "verdict.json"
    )


def test_the_same_bits_are_repeatable_and_no_more() -> None:
    found = verdict(None)
    assert found["verdict"] == "met"
    assert found["sentence"].startswith("digits: repeatable. The repeat of seed 0 gave the same")
    assert "to its end" in found["sentence"]
    assert "reproduc" not in pretty(found)
    assert [s["verdict"] for s in found["per_seed"]] == ["met"]
    assert any("2p(1-p)" in warning for warning in found["warnings"])


def test_several_seeds_are_named() -> None:
    assert "seeds 0, 1 and 2" in verdict(None, None, None)["sentence"]


def test_the_first_seed_that_parts_is_told() -> None:
    found = verdict(None, PARTED, None)
    assert found["verdict"] == "not met"
    assert "not repeatable bit for bit. With seed 1" in found["sentence"]
    assert "epoch 0, step 3, in the weights (dense/kernel)" in found["sentence"]
    assert [s["verdict"] for s in found["per_seed"]] == ["met", "not met", "met"]
    assert found["per_seed"][1]["divergence"] == {
        "what": "weights", "epoch": 0, "step": 3, "variable": "dense/kernel",
    }  # fmt: skip
    assert set(found["differences"]) == {"repeat/seed-1"}


def test_without_a_repeat_nothing_is_claimed() -> None:
    found = verdict(repeat="off", seeds=[0])
    assert found["verdict"] == "inconclusive"
    assert "`repeat: off`" in found["sentence"]
    assert found["repeats"] == 0
    assert found["warnings"] == ["No repeat was made."]


@pytest.mark.parametrize("repeat", [{"epochs": 2}, {"steps": 5}])
def test_a_shorter_repeat_says_what_it_leaves_unseen(repeat: dict[str, int]) -> None:
    found = verdict(None, repeat=repeat)
    assert found["verdict"] == "met"
    assert "as far as it went" in found["sentence"]
    assert "to its end" not in found["sentence"]
    ((unit, count),) = repeat.items()
    assert f"stopped after {count} {unit}" in found["warnings"][0]
    assert "final weights, metrics and predictions were not compared" in found["warnings"][0]


@pytest.mark.parametrize("goal", ["metrics", "documented"])
@pytest.mark.parametrize(("parted", "words"), [(None, "had the same bits"), (PARTED, "parted")])
def test_other_goals_are_not_judged_yet(goal: str, parted: Divergence | None, words: str) -> None:
    found = verdict(parted, goal=goal)
    assert found["verdict"] == "inconclusive"
    assert f"the goal `{goal}` is not judged yet; the runs {words}" in found["sentence"]


@pytest.mark.parametrize(
    ("divergence", "words"), [(None, "bits are the same"), (PARTED, "part at epoch 0, step 3")]
)
def test_two_setups_can_be_called_neither_repeatable_nor_not(
    divergence: Divergence | None, words: str
) -> None:
    found = verdict(divergence, setups=2)
    assert found["verdict"] == "inconclusive"
    assert "different setups" in found["sentence"]
    assert words in found["sentence"]
    assert [entry["verdict"] for entry in found["per_seed"]] == ["inconclusive"]
    assert found["causes"] == []


def test_restless_inference_is_told_apart_from_training() -> None:
    found = verdict(None, None, inference=(True, False))
    assert found["verdict"] == "not met"
    assert "training is repeatable, inference is not. The weights of seed 1" in found["sentence"]
    assert [entry["verdict"] for entry in found["per_seed"]] == ["met", "met"]
    (warning,) = [w for w in found["warnings"] if "Inference" in w]
    assert "seed 1" in warning
    assert "seed 0" not in warning
    assert "other bits" in markdown(found)


WHATS = [
    "prepared data", "initial weights", "initial optimizer state", "initial seed states",
    "data order", "batch content", "learning rate", "loss", "weights", "optimizer state",
    "seed states", "predictions", "metrics",
]  # fmt: skip


@pytest.mark.parametrize("what", WHATS)
def test_where_runs_part_points_to_a_likely_cause(what: str) -> None:
    (cause,) = causes(Divergence(what, 0, 0))
    assert not cause.tested
    assert place(Divergence(what, 0, 0)) in cause.evidence
    assert cause.remedy.endswith(".")


@pytest.mark.parametrize(
    ("divergence", "words"),
    [
        (Divergence("loss", 1, 2), "epoch 1, step 2, in the loss"),
        (Divergence("seed states", 1, None, "a"), "epoch 1, its end, in the states of the random generators (a)"),
        (Divergence("prepared data", variable="x.npy"), "the prepared data (x.npy)"),
    ],
)
def test_places_are_told_in_words(divergence: Divergence, words: str) -> None:
    assert place(divergence) == words


def rows(page: str) -> list[list[str]]:
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_tells_verdict_place_cause_and_distance() -> None:
    page = markdown(verdict(PARTED, inference=(True,)))
    assert page.startswith("# digits: not met\n")
    assert ["repeat", "0", "0", "3", "weights", "dense/kernel"] in rows(page)
    assert ["dense/kernel", "0.5", "1e-07", "–"] in rows(page)
    assert ["loss", "0.5", "0.25"] in rows(page)
    assert "likely, not tested" in page
    assert "Not varied: time zone." in page
    assert page.endswith("\n")
    assert not page.endswith("\n\n")


def test_the_page_of_a_good_verdict_names_no_divergence() -> None:
    page = markdown(verdict(None))
    assert page.startswith("# digits: met\n")
    assert rows(page) == []
    assert "cause" not in page


@pytest.mark.parametrize("found", [(), (None,), (PARTED, None)])
def test_every_table_is_one(found: tuple[Divergence | None, ...]) -> None:
    page = markdown(verdict(*found, repeat="full" if found else "off", seeds=[0]))
    tables = [[line for line in part.splitlines() if line] for part in page.split("\n\n")]
    for table in [lines for lines in tables if any(line.startswith("|") for line in lines)]:
        head, rule, *body = rows("\n".join(table))
        assert set(rule) == {"---"}
        assert body
        assert {len(head)} == {len(row) for row in (rule, *body)}
