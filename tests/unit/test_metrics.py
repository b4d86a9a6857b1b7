"""The goal `metrics`: what is read of the runs, what the tests make of it, how it is said."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from repro.compare.divergence import Divergence
from repro.compare.runs import Comparison
from repro.core.errors import UserError
from repro.core.parameters import EquivalencePlan
from repro.core.schema import checked
from repro.record.step import Step
from repro.report.verdict_page import markdown
from repro.stats.interim_analysis import looks
from repro.stats.metric_comparison import MetricComparison, compare_metrics
from repro.stats.metric_table import Measured, measured
from repro.verdict.assemble import judge
from repro.verdict.case import Context
from samples import asked, step_of

SPREAD = EquivalencePlan(spread=2.0)
SEEDS = range(8)


def step(folder: Path, run: str, seed: int, accuracy: Any, **more: Any) -> Step:
    path = folder / run / f"seed-{seed}" / "evaluate.manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {"examples": 10, "metrics": {"accuracy": accuracy}, "per_class": None, **more}
    (path.parent / "metrics.json").write_text(json.dumps(report))
    return step_of("evaluate", run, seed, path)


def test_each_metric_is_read_by_run_and_seed(tmp_path: Path) -> None:
    classes = [
        {"class": 0, "examples": 6, "right": 6, "recall": 1.0},
        {"class": 1, "examples": 4, "right": 2, "recall": 0.5},
        {"class": 2, "examples": 0, "right": 0, "recall": None},
    ]
    steps = [
        step(tmp_path, run, seed, value, per_class=classes)
        for run, value in (("original", 0.8), ("repeat", 0.7), ("repeat-2", 0.9))  # not a mean
        for seed in (0, 1)
    ]
    found = measured(steps)
    assert list(found) == ["accuracy", "recall of class 0", "recall of class 1"]
    assert found["accuracy"] == Measured({0: 0.8, 1: 0.8}, {0: 0.7, 1: 0.7}, 10, 8)
    assert found["recall of class 1"].original == {0: 0.5, 1: 0.5}
    assert (found["recall of class 1"].examples, found["recall of class 1"].right) == (4, 2)


def test_what_is_no_share_of_examples_has_no_sampling_error(tmp_path: Path) -> None:
    classes = [{"class": 0, "examples": 10, "right": 8, "recall": 0.8}]
    weighted = measured([step(tmp_path, "original", 0, 0.75, per_class=classes)])
    assert weighted["accuracy"].right is None
    assert compare_metrics(weighted, SPREAD).sampling["accuracy"].error is None
    assert compare_metrics(weighted, SPREAD).sampling["recall of class 0"].error == pytest.approx(
        0.1265, 0.01
    )


def test_a_metric_that_is_no_number_is_undecided(tmp_path: Path) -> None:
    steps = [step(tmp_path, run, 0, "nan") for run in ("original", "repeat")]
    found = measured(steps)
    assert math.isnan(found["accuracy"].original[0])
    tested = compare_metrics(found, SPREAD).metrics
    assert tested is not None
    assert (tested.answer, tested.undecided) == ("inconclusive", ("accuracy",))


def test_a_metric_that_one_run_lacks_is_undecided(tmp_path: Path) -> None:
    steps = [
        step(tmp_path, run, seed, 0.8, metrics={"accuracy": 0.8, "auc": 0.9})
        for run in ("original", "repeat")
        for seed in SEEDS
    ]
    report = steps[-1].path.parent / "metrics.json"
    report.write_text(json.dumps({"examples": 10, "metrics": {"accuracy": 0.8}}))
    tested = compare_metrics(measured(steps), SPREAD).metrics
    assert tested is not None
    assert "auc" in tested.undecided


def test_a_report_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    one = step(tmp_path, "original", 0, 0.5)
    (one.path.parent / "metrics.json").write_text("{")
    with pytest.raises(UserError, match=r"Expected the metrics of a run at .*metrics\.json"):
        measured([one])


def runs(shift: float, seeds: Sequence[int] = SEEDS, **more: Measured) -> dict[str, Measured]:
    """Accuracies that scatter by 0.01 from seed to seed; the repeat's lie beside them."""
    original = {seed: 0.9 + 0.01 * (seed % 3) for seed in seeds}
    noise = {seed: 0.0001 * (-1) ** seed * (1 + seed) for seed in seeds}
    repeated = {seed: original[seed] + shift + noise[seed] for seed in seeds}
    return {"accuracy": Measured(original, repeated), **more}


def given(margin: Mapping[str, float]) -> EquivalencePlan:
    return EquivalencePlan(margin)


@pytest.mark.parametrize(
    ("shift", "margin", "answer"),
    [
        (0.001, {"accuracy": 0.01}, "met"),
        (0.03, {"accuracy": 0.01}, "not met"),
        (0.01, {"accuracy": 0.01}, "inconclusive"),
        (0.001, {}, "met"),
        (0.5, {}, "not met"),
    ],
)
def test_the_margin_decides(shift: float, margin: dict[str, float], answer: str) -> None:
    found = compare_metrics(runs(shift), given(margin)).metrics
    assert found is not None
    assert found.answer == answer


def test_a_margin_chooses_which_metrics_decide() -> None:
    loss = Measured({seed: 1.0 + seed for seed in SEEDS}, {seed: 9.0 - seed for seed in SEEDS})
    both = runs(0.0, loss=loss)
    chosen = compare_metrics(both, given({"accuracy": 0.01})).metrics
    assert chosen is not None
    assert ([test.metric for test in chosen.tests], chosen.answer) == (["accuracy"], "met")
    every = compare_metrics(both, SPREAD).metrics
    assert every is not None
    assert "loss" in every.undecided


def test_classes_are_told_apart_and_decide_only_when_asked() -> None:
    bad = Measured(dict.fromkeys(SEEDS, 0.5), dict.fromkeys(SEEDS, 0.9))
    values = runs(0.0, **{"recall of class 3": bad})
    found = compare_metrics(values, given({"accuracy": 0.01}))
    assert found.metrics is not None
    assert found.metrics.answer == "met"
    assert found.classes is not None
    assert [test.metric for test in found.classes.tests] == ["recall of class 3"]
    for name in ("recall", "recall of class 3"):
        tested = compare_metrics(values, given({"accuracy": 0.01, name: 0.1})).metrics
        assert tested is not None
        assert (tested.answer, tested.differing) == ("not met", ("recall of class 3",))


@pytest.mark.parametrize(
    ("name", "values", "span"),
    [
        ("accuracy", [0.9, 1.0], 1.0),
        ("sparse_categorical_accuracy", [0.9], 1.0),
        ("left_auc_1", [0.9], 1.0),
        ("recall of class 12", [0.0], 1.0),
        ("mean_io_u", [math.nan, 0.5], 1.0),
        ("accuracy", [90.0, 95.0], math.inf),  # in percent
        ("auc", [-0.5], math.inf),
        ("loss", [0.5], math.inf),
        ("cosine_similarity", [0.5], math.inf),
        ("inaccuracy_of_mine", [0.5], math.inf),
        ("precisionless", [0.5], math.inf),
    ],
)
def test_a_share_spans_one_and_what_is_unknown_has_no_end(
    name: str, values: list[float], span: float
) -> None:
    results = dict(enumerate(values))
    assert Measured(results, {}).span(name) == Measured({}, results).span(name) == span


def test_margins_of_shares_end_at_one() -> None:
    wide = Measured({s: s % 2 * 0.8 for s in SEEDS}, {s: 0.8 - s % 2 * 0.8 for s in SEEDS})
    values = dict.fromkeys(("accuracy", "recall of class 0", "distance"), wide)
    found = compare_metrics(values, EquivalencePlan(spread=2.0))
    assert found.metrics is not None
    assert found.classes is not None
    ends = {t.metric: t.margin for t in (*found.metrics.tests, *found.classes.tests)}
    assert {name: margin and margin[1] > 1 for name, margin in ends.items()} == {
        "accuracy": False, "recall of class 0": False, "distance": True,
    }  # fmt: skip


def test_looks_spend_their_own_share_of_the_error() -> None:
    plan = looks(16)
    found = compare_metrics(runs(0.001), given({"accuracy": 0.01}), plan).metrics
    assert found is not None
    assert found.alpha == plan[0].alpha < 0.05


def verdict(found: MetricComparison, parted: bool = True, **changed: Any) -> dict[str, Any]:
    divergence = Divergence("weights", 0, 3, "dense/kernel") if parted else None
    comparisons = [Comparison("repeat", seed, divergence, {}) for seed in SEEDS]
    parameters = asked(**{"seeds": tuple(SEEDS), "goal": "metrics", **changed})
    context = Context("this machine", 1, [], [])
    value = judge("digits", parameters, comparisons, context, moved=found)
    return checked(value, "verdict", "verdict.json")


def test_the_sentence_of_equivalent_metrics() -> None:
    found = verdict(compare_metrics(runs(0.001), given({"accuracy": 0.01})))
    assert (found["verdict"], found["best"]) == ("met", "metrics")
    assert found["sentence"].startswith(
        "digits: the metrics are equivalent (seeds 0, 1, 2, 3, 4, 5, 6 and 7, each original "
        "beside its repeat). "
    )
    page = markdown(found)
    assert "## The metrics" in page
    assert "| `accuracy` |" in page
    assert "paired by seed" in page


def test_what_is_undecided_says_how_many_runs_would_decide() -> None:
    found = verdict(compare_metrics(runs(0.0099), given({"accuracy": 0.01})))
    assert found["verdict"] == "inconclusive"
    more = found["metrics"]["metrics"]["more_runs"]
    assert more > 0
    assert f"About {more} more seed" in found["sentence"]
    assert "to add some and ask again errs more often" in found["sentence"]


def test_a_margin_for_an_unknown_metric_is_told() -> None:
    found = verdict(compare_metrics(runs(0.0), given({"accurracy": 0.01})))
    assert found["verdict"] == "inconclusive"
    assert (
        "names accurracy, which no run has measured. Measured were accuracy" in (found["sentence"])
    )


def test_the_same_bits_need_no_test() -> None:
    found = verdict(compare_metrics(runs(0.0), SPREAD), parted=False)
    assert (found["verdict"], found["best"]) == ("met", "bitwise")
    assert "every metric is the same, bit for bit" in found["sentence"]
    assert "## The metrics" in markdown(found), "several seeds show their spread"


@pytest.mark.parametrize("parted", [True, False])
def test_of_a_model_without_metrics_nothing_is_claimed_for_them(parted: bool) -> None:
    found = verdict(compare_metrics({}, SPREAD), parted)
    assert found["verdict"] == "inconclusive"
    assert "inconclusive, because there are no metrics." in found["sentence"]


def page_of(
    found: MetricComparison,
    seeds: Sequence[int],
    *,
    parted: bool,
    programs: int = 1,
    goal: str = "documented",
) -> tuple[str, str, list[str]]:
    """The answer for `metrics`, what its section says of all metrics, and of each in its table."""
    divergence = Divergence("weights", 0, 3, "dense/kernel") if parted else None
    comparisons = [Comparison("repeat", seed, divergence, {}) for seed in seeds]
    made = [{"run": "original", "seed": seed, "same": True} for seed in SEEDS]
    parameters = asked(seeds=tuple(SEEDS), goal=goal)
    context = Context("this machine", 1, [], made, programs)
    value = checked(
        judge("digits", parameters, comparisons, context, moved=found), "verdict", "verdict.json"
    )
    page = markdown(value)
    section = page.split("## The metrics\n")[1].split("\n## ")[0]
    told = [line for line in section.splitlines() if line.startswith("- All metrics: ")]
    rows = [line.rsplit("|", 2)[1].strip() for line in section.splitlines() if "| `" in line]
    answer = value["goals"]["metrics"]
    why = answer["sentence"].removeprefix("digits: ")
    assert f"| {answer['verdict']} | {why} |" in page
    return answer["verdict"], "".join(told), rows


def beside(seeds: Sequence[int]) -> dict[str, Measured]:
    """All seeds of the original beside the repeat of some."""
    one = runs(0.001)["accuracy"]
    return {"accuracy": Measured(one.original, {seed: one.repeated[seed] for seed in seeds})}


def test_a_group_is_not_held_against_one_seed() -> None:
    found = compare_metrics(beside([0]), SPREAD)
    assert found.metrics is not None
    answer, told, rows = page_of(found, [0], parted=True)
    assert answer == "inconclusive"
    assert told == "- All metrics: inconclusive, because only seed 0 was repeated."
    assert rows == ["not tested"]


def test_no_page_says_two_things_of_the_metrics() -> None:
    every = list(SEEDS)
    odd = compare_metrics(runs(0.001), given({"accuracy": 0.01, "auc": 0.1}))
    answer, told, rows = page_of(odd, every, parted=True)
    assert answer == "inconclusive"
    assert told.startswith("- All metrics: inconclusive, because `equivalence.margin` names auc")
    assert rows == ["not tested"]
    answer, told, rows = page_of(
        compare_metrics(runs(0.001), SPREAD), every, parted=True, programs=2
    )
    assert answer == "inconclusive"
    assert told.startswith("- All metrics: inconclusive, because the runs were made by different")
    assert rows == ["not tested"]


def test_the_same_bits_are_called_so_in_the_table_too() -> None:
    # Two seeds are too few for a test, and the same bits need none.
    few = {"accuracy": Measured({0: 0.9, 1: 0.8}, {0: 0.9, 1: 0.8})}
    comparisons = [Comparison("repeat", seed, None, {}) for seed in (0, 1)]
    parameters = asked(seeds=(0, 1))
    value = judge(
        "digits",
        parameters,
        comparisons,
        Context("here", 1, [], []),
        moved=compare_metrics(few, SPREAD),
    )
    assert value["goals"]["metrics"]["verdict"] == "met"
    (row,) = [line for line in markdown({**value, "cost": None}).splitlines() if "| `acc" in line]
    assert row.endswith("| the same bits |")


@pytest.mark.parametrize("shift", [0.001, 0.03, 0.0099])
def test_what_is_tested_is_told_in_both_places(shift: float) -> None:
    found = compare_metrics(runs(shift), given({"accuracy": 0.01}))
    assert found.metrics is not None
    answer, told, rows = page_of(found, list(SEEDS), parted=True, goal="bitwise")
    assert answer == found.metrics.answer
    assert told.startswith(f"- All metrics: {answer}, because accuracy: ")
    assert rows == [answer]
