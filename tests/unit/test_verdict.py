"""The verdict: one sentence for each outcome, fit for someone who has never seen the code."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repro.cause.causes import CAUSES
from repro.cause.diagnose import Cause, causes
from repro.cause.fault_isolation import Trial
from repro.compare.divergence import Divergence, place
from repro.compare.runs import Comparison, compare
from repro.core.canonical_json import pretty
from repro.core.factor_table import FACTORS
from repro.core.schema import checked
from repro.core.text import capital
from repro.drift import nodes
from repro.report.verdict_page import markdown
from repro.sanity.silent_error import SilentError
from repro.verdict.assemble import judge
from repro.verdict.case import Context
from repro.verdict.sentences import seeds
from samples import SCORES, VARIABLES, asked, put_weights, write_predictions

PARTED = Divergence("weights", 0, 3, "dense/kernel")
DATA = Divergence("prepared data", variable="train/x.npy")
APART = {"elements": 8, "differ": 4, "share": 0.5, "largest_absolute": 1e-7}
VARIED = [
    {"factor": "process", "varied": True, "how": "another"},
    {"factor": "clock", "varied": True, "how": "later"},
    {"factor": "network", "varied": False, "why": "switched off"},
]
ORDER = SilentError("one order for every epoch", "All 2 epochs were alike.", "Draw a fresh order.")


def verdict(
    *found: Divergence | None,
    setups: int = 1,
    programs: int = 1,
    scope: str = "this machine",
    inference: Sequence[bool] = (),
    runs: Sequence[str] = ("repeat",),
    stopped: dict[str, int] | None = None,
    why: Sequence[Cause] = (),
    trials: Sequence[Trial] = (),
    mistakes: Sequence[SilentError] = (),
    missing: Sequence[str] = (),
    unknown: Sequence[str] = (),
    further: Comparison | None = None,
    **changed: Any,
) -> dict[str, Any]:
    """A verdict; `found` is for each run of seed 0, then of seed 1, …."""
    evaluated = [{"run": "original", "seed": n, "same": s} for n, s in enumerate(inference)]
    context = Context(scope, setups, VARIED, evaluated, programs, missing, unknown)
    comparisons = [
        Comparison(runs[n % len(runs)], n // len(runs), d, {"weights": {"a": APART}} if d else {},
                   stopped)
        for n, d in enumerate(found)
    ]  # fmt: skip
    seeds = tuple(sorted({c.seed for c in comparisons}))
    parameters = asked(**{"seeds": seeds, "repeats": len(runs), **changed})
    value = judge(
        "digits", parameters, comparisons, context, why, trials, mistakes, further=further
    )
    return checked(value, "verdict", "verdict.json")


def tried(*given: tuple[Sequence[str], bool]) -> list[Trial]:
    return [Trial("prepare", tuple(factors), same, "") for factors, same in given]


def cause(name: str, **more: Any) -> Cause:
    return Cause(name, "somewhere", "It was seen.", "Mend it.", **more)


FURTHER = Comparison("a second run of `dataset` in sight of what the first left", 0, DATA, {},
                     trial=True)  # fmt: skip
STALE = Cause("stale state", "the prepared data", "It was seen.", "Mend it.", True, 2, "e.py", 9)


@pytest.mark.parametrize("goal", ["bitwise", "metrics"])
def test_a_further_run_with_other_bits_speaks_against_repeats_that_agree(goal: str) -> None:
    trials = tried((("home",), False), (("home",), True))
    found = verdict(None, None, runs=("repeat", "repeat-2"), further=FURTHER, why=[STALE],
                    trials=trials, goal=goal)  # fmt: skip
    assert found["goals"]["bitwise"]["verdict"] == "not met"
    assert found["goals"]["bitwise"]["sentence"] == (
        "digits: not the same bits. With seed 0, no repeat diverges from the original, but "
        "one more run does: a second run of `dataset` in sight of what the first left, at the "
        "prepared data (train/x.npy). Cause (tested in 2 trials): the code reads a file that an "
        "earlier run of it has left; see e.py, line 9."
    )
    assert found["goals"]["metrics"]["verdict"] == "inconclusive"
    assert "gave other bits, and was not evaluated" in found["goals"]["metrics"]["sentence"]
    assert found["best"] != "bitwise"
    assert [entry["verdict"] for entry in found["per_seed"]] == ["met", "met", "not met"]
    page = markdown(found)
    assert "In 2 of 3 comparisons no bit differs." in page
    assert "within that scope" not in page


@pytest.mark.parametrize("found", [nodes.OTHER, nodes.SAME, nodes.UNKNOWN])
def test_a_repeat_that_asked_for_another_node_says_whether_it_had_one(found: str) -> None:
    context = Context("this cluster", 1, VARIED, [], where="this cluster", elsewhere=found)
    comparison = Comparison("repeat", 0, None, {})
    value = judge("digits", asked(), [comparison], context)
    assert value["sentence"] == (
        "digits: same bits, same setup. 1 repeat of seed 0, with 2 factors varied that must not "
        "matter, gave the same bits as the original, from the raw data to the predictions, on this "
        f"cluster and in this environment. {capital(found)}."
    )


def test_the_same_bits_in_one_setup_are_called_so() -> None:
    found = verdict(None)
    assert found["verdict"] == "met"
    assert found["sentence"] == (
        "digits: same bits, same setup. 1 repeat of seed 0, with 2 factors varied that must not "
        "matter, gave the same bits as the original, from the raw data to the predictions, on this "
        "machine and in this environment."
    )
    assert "reproduc" not in pretty(found)
    assert "repeatab" not in pretty(found)
    assert [(s["run"], s["seed"], s["verdict"]) for s in found["per_seed"]] == [
        ("repeat", 0, "met")
    ]
    assert found["warnings"][0].startswith("1 repeat cannot rule out a rare race")


def test_several_seeds_and_repeats_are_counted() -> None:
    assert "1 repeat of each of the seeds 0, 1 and 2," in verdict(None, None, None)["sentence"]
    found = verdict(*[None] * 4, runs=("repeat", "repeat-2"))
    assert "2 repeats of each of the seeds 0 and 1," in found["sentence"]
    assert found["repeats"] == 2
    assert [(s["seed"], s["run"]) for s in found["per_seed"]] == [
        (0, "repeat"), (0, "repeat-2"), (1, "repeat"), (1, "repeat-2"),
    ]  # fmt: skip
    assert found["warnings"][0].startswith("2 repeats cannot rule out a rare race")


def test_the_first_seed_that_diverges_is_named() -> None:
    found = verdict(None, PARTED, None)
    assert found["verdict"] == "not met"
    assert found["sentence"] == (
        "digits: not the same bits. With seed 1, the repeat first diverges from the original at "
        "epoch 0, step 3, in the weights (dense/kernel); affected: 1 of 3 seeds."
    )
    assert [s["verdict"] for s in found["per_seed"]] == ["met", "not met", "met"]
    assert found["per_seed"][1]["divergence"] == {
        "what": "weights", "epoch": 0, "step": 3, "variable": "dense/kernel",
    }  # fmt: skip
    assert set(found["differences"]) == {"repeat/seed-1"}
    assert found["warnings"] == []


RUNS = ("repeat", "repeat-2", "repeat-3")


def test_repeats_that_agree_only_sometimes_are_counted() -> None:
    one = verdict(None, PARTED, None, runs=RUNS)["sentence"]
    assert "With seed 0, 1 of 3 repeats diverges from the original at epoch 0, step 3" in one
    two = verdict(None, PARTED, DATA, runs=RUNS)["sentence"]
    assert "With seed 0, 2 of 3 repeats diverge from the original, the first at epoch 0" in two


@pytest.mark.parametrize("what", ["predictions", "metrics"])
def test_evaluation_alone_is_told_apart_from_training(what: str) -> None:
    found = verdict(Divergence(what, variable="y"))
    assert found["verdict"] == "not met"
    assert "training gave the same bits, evaluation did not. With seed 0" in found["sentence"]
    both = verdict(Divergence(what, variable="y"), PARTED)
    assert "digits: not the same bits." in both["sentence"]


def test_weights_that_give_other_bits_when_evaluated_again_are_told() -> None:
    found = verdict(None, None, inference=(True, False))
    assert found["verdict"] == "not met"
    assert found["sentence"].endswith("The weights of seed 1, evaluated twice, gave other bits.")
    assert [entry["verdict"] for entry in found["per_seed"]] == ["met", "met"]
    (warning,) = [w for w in found["warnings"] if "Evaluation" in w]
    assert "seed 1" in warning
    assert "seed 0" not in warning


def test_a_tested_cause_is_told_with_the_number_of_trials_and_its_line() -> None:
    trials = tried(((), True), ((), True), ((), True), (["listing order"], False))
    why = [cause("factor: listing order", tested=True, trials=4, file="digits.py", line=17)]
    found = verdict(DATA, why=why, trials=trials)
    assert found["sentence"].endswith(
        "at the prepared data (train/x.npy). Cause (tested in 4 trials): the result changes with "
        "the order in which folders are listed; see digits.py, line 17."
    )
    assert found["search"][-1] == {"step": "prepare", "factors": ["listing order"], "same": False}
    assert found["causes"][0]["line"] == 17


def test_what_is_nondeterministic_is_called_so() -> None:
    why = [cause("data content", tested=True, trials=2), cause("a race")]
    text = verdict(DATA, why=why, trials=tried(((), False), ((), False)))["sentence"]
    assert text.endswith(
        "Cause, nondeterministic (tested in 2 trials): `dataset` returns other data from the same "
        "files."
    )


@pytest.mark.parametrize(("name", "words"), [("a race", "thread"), ("environment", "outside")])
def test_what_is_no_draw_is_not_called_random(name: str, words: str) -> None:
    why = [cause(name, tested=True, trials=3)]
    text = verdict(DATA, why=why, trials=tried(((), True), ((), False), ((), True)))["sentence"]
    assert "Cause (tested in 3 trials): " in text
    assert words in text
    assert "random" not in text


def test_factors_that_act_together_are_told_together() -> None:
    why = [cause("factors: clock and locale", tested=True, trials=6)]
    text = verdict(DATA, why=why, trials=tried((["clock", "locale"], False)))["sentence"]
    assert "changes with the date and time together with the locale." in text


def test_a_cause_that_was_not_tested_is_likely() -> None:
    text = verdict(DATA, why=causes(DATA))["sentence"]
    assert "Likely cause (not tested): `dataset` returns other data" in text
    # A search that was cut short has made trials, and still tested nothing.
    text = verdict(DATA, why=causes(DATA), trials=tried(((), True)))["sentence"]
    assert "Likely cause (not tested): `dataset` returns other data" in text


def test_what_was_not_reproduced_is_rare_and_its_cause_is_only_likely() -> None:
    why = [cause("a race", tested=True, trials=4)]
    found = verdict(PARTED, why=why, trials=tried(*[((), True)] * 3, (tuple(FACTORS), True)))
    assert found["verdict"] == "not met"
    assert "That was not reproduced in 4 trials, so it is rare; likely a race" in found["sentence"]
    assert "Cause" not in found["sentence"]


@pytest.mark.parametrize("factor", FACTORS)
def test_every_factor_has_words(factor: str) -> None:
    why = [cause(f"factor: {factor}", tested=True, trials=1)]
    text = verdict(DATA, why=why)["sentence"]
    assert "the result changes with " in text
    assert not text.endswith(f"changes with {factor}.")


@pytest.mark.parametrize("name", CAUSES)
def test_every_cause_has_words(name: str) -> None:
    text = verdict(DATA, why=[cause(name)])["sentence"]
    assert "Likely cause (not tested): " in text
    assert not text.endswith(f": {name}.")


def test_what_runs_agree_on_wrongly_is_a_warning() -> None:
    found = verdict(None, mistakes=[ORDER])
    assert found["verdict"] == "met"
    assert found["sentence"].startswith("digits: same bits, same setup, with a warning. 1 repeat")
    assert found["sentence"].endswith(
        "But the runs agree on what is likely wrong: one order for every epoch."
    )
    assert found["mistakes"] == [
        {"mistake": "one order for every epoch", "evidence": "All 2 epochs were alike.",
         "remedy": "Draw a fresh order."}
    ]  # fmt: skip
    two = [ORDER, SilentError("overlapping splits", "", "")]
    assert "with 2 warnings." in verdict(None, mistakes=two)["sentence"]
    assert verdict(PARTED, mistakes=two)["sentence"].endswith(
        " Besides, likely wrong: one order for every epoch and overlapping splits."
    )


def test_without_a_repeat_nothing_is_claimed() -> None:
    found = verdict(repeat="off")
    assert found["verdict"] == "inconclusive"
    assert "`repeat: off`" in found["sentence"]
    assert found["repeats"] == 0
    assert found["warnings"] == ["No repeat was made."]


@pytest.mark.parametrize(
    ("limit", "words"), [({"epochs": 2}, "2 epochs"), ({"steps": 5}, "5 steps"),
                         ({"epochs": 1}, "1 epoch"), ({"steps": 1}, "1 step")],
)  # fmt: skip
def test_a_shorter_repeat_says_what_it_leaves_unseen(limit: dict[str, int], words: str) -> None:
    found = verdict(None, repeat=limit, stopped=limit)
    assert found["verdict"] == "met"
    assert found["sentence"].startswith(
        "digits: same bits, same setup, as far as it was repeated. "
    )
    end = words.removeprefix("1 ")
    assert f"to the end of the first {end} of training, on this" in found["sentence"]
    assert f"The repeat stopped after {words} of training: what comes" in found["warnings"][0]
    assert "final weights, metrics and predictions were not compared" in found["warnings"][0]
    assert "rare race" in found["warnings"][1]
    parted = verdict(PARTED, repeat=limit, stopped=limit)
    assert [w for w in parted["warnings"] if words in w] == parted["warnings"]


def test_a_shorter_repeat_that_went_to_the_end_says_what_was_compared() -> None:
    found = verdict(None, repeat={"steps": 5000})
    assert "same bits, same setup, as far as it was repeated" in found["sentence"]
    assert "from the raw data to the end of training, on this" in found["sentence"]
    assert "stopped" not in pretty(found)
    assert "metrics and predictions were not compared" in found["warnings"][0]


@pytest.mark.parametrize("goal", ["bitwise", "metrics", "documented"])
def test_the_same_bits_meet_every_goal(goal: str) -> None:
    found = verdict(None, goal=goal)
    assert (found["verdict"], found["best"]) == ("met", "bitwise")
    assert found["sentence"] == found["goals"][goal]["sentence"]
    assert {answer["verdict"] for answer in found["goals"].values()} == {"met"}


@pytest.mark.parametrize(
    ("goal", "answer"), [("bitwise", "not met"), ("metrics", "inconclusive"), ("documented", "met")]
)
def test_what_parts_is_documented_all_the_same(goal: str, answer: str) -> None:
    found = verdict(PARTED, goal=goal)
    assert (found["verdict"], found["best"]) == (answer, "documented")


def test_without_a_repeat_no_goal_is_met() -> None:
    found = verdict(repeat="off")
    assert found["best"] is None
    assert {answer["verdict"] for answer in found["goals"].values()} == {"inconclusive"}
    assert "was not tried (`repeat: off`)" in found["goals"]["documented"]["sentence"]


def test_a_shorter_repeat_says_nothing_of_the_metrics() -> None:
    found = verdict(None, repeat={"steps": 1}, stopped={"steps": 1}, goal="documented")
    assert found["verdict"] == "met"
    assert found["sentence"] == (
        "digits: documented. Every file is bound by a manifest to the digests of code, "
        "configuration, raw data, lock and environment, and nothing is unknown that could be "
        "known. The rerun (`snakemake --use-conda all`) completed once, "
        "from the raw data to the end of the first step of training."
    )
    assert "the repeat was not evaluated" in found["goals"]["metrics"]["sentence"]
    assert found["best"] == "documented"
    assert found["goals"]["bitwise"] == {
        "verdict": "inconclusive",
        "sentence": "digits: inconclusive, because only a part was repeated, seed 0, from the raw "
        "data to the end of the first step of training; so far every bit was the same.",
    }


def test_a_part_is_never_the_best_that_bits_support() -> None:
    found = verdict(None, repeat={"steps": 1}, stopped={"steps": 1})
    assert (found["verdict"], found["best"]) == ("met", "documented")
    # The repeat left out the second of two seeds.
    found = verdict(None, inference=[True, True])
    assert (found["verdict"], found["best"]) == ("met", "documented")
    assert "because only seed 0 was repeated" in found["goals"]["metrics"]["sentence"]


def test_another_program_executes_another_way() -> None:
    found = verdict(None, programs=2, goal="documented")
    assert (found["verdict"], found["best"]) == ("inconclusive", None)
    assert "was another program" in found["sentence"]


def test_what_is_missing_or_unknown_is_not_documented() -> None:
    missing = [f"no manifest claims original/seed-0/{name}.npy" for name in "abcdefg"]
    found = verdict(None, missing=missing, goal="documented")
    assert found["verdict"] == "not met"
    assert "No manifest claims original/seed-0/a.npy, no" in found["sentence"]
    assert "e.npy and 2 more." in found["sentence"]
    found = verdict(None, unknown=["cpu/model is unknown (no such file)"], goal="documented")
    assert found["verdict"] == "inconclusive"
    assert "Cpu/model is unknown (no such file)." in found["sentence"]
    assert found["best"] == "bitwise"


def test_the_same_bits_in_another_setup_are_not_those_of_the_same_one() -> None:
    found = verdict(None, setups=2, scope="original on a machine (A); repeat on a machine (B)")
    assert found["verdict"] == "met"
    assert found["scope"] == "original on a machine (A); repeat on a machine (B)"
    assert found["sentence"] == (
        "digits: same bits, other setup. 1 repeat of seed 0, with 2 factors varied that must not "
        "matter, gave the same bits as the original, from the raw data to the predictions, in "
        "more than one setup (original on a machine (A); repeat on a machine (B))."
    )
    assert "same setup" not in found["sentence"]
    assert "this machine" not in found["sentence"]
    short = verdict(None, setups=2, repeat={"steps": 5}, stopped={"steps": 5})["sentence"]
    assert "same bits, other setup, as far as it was repeated." in short


def test_other_bits_in_another_setup_decide_nothing() -> None:
    found = verdict(PARTED, setups=2)
    assert found["verdict"] == "inconclusive"
    assert "made in different setups" in found["sentence"]
    assert "they first diverge at epoch 0, step 3" in found["sentence"]
    assert "The setups: this machine. To judge it, make the original again" in found["sentence"]
    assert [entry["verdict"] for entry in found["per_seed"]] == ["inconclusive"]


@pytest.mark.parametrize(
    ("divergence", "words"),
    [(None, "bits are the same"), (PARTED, "first diverge at epoch 0, step 3")],
)
def test_runs_of_different_programs_are_no_repeats(
    divergence: Divergence | None, words: str
) -> None:
    found = verdict(divergence, programs=2)
    assert found["verdict"] == "inconclusive"
    assert "made by different programs" in found["sentence"]
    assert words in found["sentence"]


@pytest.mark.parametrize(
    ("divergence", "words"),
    [
        (Divergence("loss", 1, 2), "epoch 1, step 2, in the loss"),
        (
            Divergence("seed states", 1, None, "a"),
            "epoch 1, its end, in the states of the random generators (a)",
        ),
        (Divergence("prepared data", variable="x.npy"), "the prepared data (x.npy)"),
        (Divergence("length", 2, 0), "epoch 2, step 0, in the length of the training"),
        (Divergence("final weights", variable="a"), "the final weights (a)"),
    ],
)
def test_places_are_told_in_words(divergence: Divergence, words: str) -> None:
    assert place(divergence) == words


@pytest.mark.parametrize(
    ("numbers", "words"), [([3], "seed 3"), ([0, 0], "seed 0"), ([2, 1], "seeds 2 and 1")]
)
def test_seeds_are_listed(numbers: list[int], words: str) -> None:
    assert seeds(numbers) == words


def test_whatever_differs_between_two_runs_has_a_verdict_and_a_page(
    runs: tuple[Path, Path],
) -> None:
    write_predictions(runs[1], SCORES[:, ::-1] * np.float64("nan"), "cax")
    put_weights(runs[1], {name: np.zeros(3) for name in ("new", VARIABLES[0])})
    (runs[1] / "seed-0" / "history.csv").write_text("epoch,val_loss\n0,nan\n")
    metrics = {"metrics": {"loss": "nan", "new": 1e308}}
    (runs[1] / "seed-0" / "metrics.json").write_text(json.dumps(metrics))
    comparison = compare(*runs, 0, None)
    context = Context("this machine", 1, VARIED, [])
    found = checked(judge("digits", asked(), [comparison], context), "verdict", "verdict.json")
    assert json.loads(pretty(found)) == found
    told = found["differences"]["repeat/seed-0"]
    assert set(told) == {"weights", "weights_share", "history", "predictions", "churn", "metrics"}
    page = markdown(found)
    assert all(
        f"`{name}`" in page for kind in ("weights", "history", "metrics") for name in told[kind]
    )
