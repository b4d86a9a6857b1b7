"""Running an archive again: what is found for each goal, here and elsewhere, and how it is said."""

from typing import Any

import numpy as np
import pytest
from repro.compare.divergence import Divergence
from repro.compare.runs import Comparison
from repro.core.parameters import EquivalencePlan
from repro.core.schema import checked
from repro.drift.environment_differences import Difference
from repro.drift.setups import Setups, differing
from repro.report.reproduction_page import page
from repro.stats.metric_comparison import MetricComparison, compare_metrics
from repro.stats.metric_table import Measured
from repro.verdict.reproduction import Again, reproduction
from test_drift import KINDS
from test_setups import step

HERE = Setups(1, 1, "this machine (a processor)")
OTHER = Difference("processor: model", "AMD EPYC", "Intel Xeon", "bits may change", "it rounds")
IDLE = Difference("system: kernel", "6.1", "6.12", "irrelevant", "it computes nothing")
PARTED = Divergence("loss", epoch=0, step=3)
APART = {"metrics": {"accuracy": {"original": 0.875, "repeat": 0.75, "difference": -0.125}}}
SEEDS = range(8)


def metrics(by: float = 0.0, **wanted: Any) -> MetricComparison:
    values = np.random.default_rng(1).normal(0.9, 0.004, len(SEEDS))
    noise = np.random.default_rng(2).normal(by, 0.0005, len(SEEDS))
    original = dict(zip(SEEDS, map(float, values), strict=True))
    repeated = {seed: value + float(noise[seed]) for seed, value in original.items()}
    plan = EquivalencePlan(**{"margin": {"accuracy": 0.01}, **wanted})
    return compare_metrics({"accuracy": Measured(original, repeated, 100, 90)}, plan)


def found(goal: str = "bitwise", parted: bool = False, **changed: Any) -> dict[str, Any]:
    compared = [
        Comparison("here", seed, PARTED if parted else None, APART if parted else {})
        for seed in SEEDS
    ]
    case = {"setups": HERE, "differences": [], "moved": metrics(), "whole": True, **changed}
    value = checked(reproduction(Again("digits", goal, compared, **case)), "reproduction", "it")
    text = page(value)
    assert text.startswith(f"# digits, rerun: {value['verdict']}\n\ndigits: ")
    assert value["scope"] in text
    assert ("| `accuracy` | 0.875 | 0.75 | -0.125 |" in text) == parted
    return value


def answers(value: dict[str, Any]) -> list[str]:
    return [value["goals"][goal]["verdict"] for goal in ("bitwise", "metrics", "documented")]


ELSEWHERE: dict[str, Any] = {"setups": Setups(2, 1, "two machines"), "differences": [OTHER, IDLE]}
CURRENT: dict[str, Any] = {"setups": Setups(2, 2, "two programs"), "differences": [OTHER]}


def test_the_same_bits_here_are_those_of_the_same_setup() -> None:
    value = found()
    assert (answers(value), value["reached"]) == (["met"] * 3, "bitwise")
    assert value["sentence"] == (
        "digits: same bits, same setup. The rerun of seeds 0, 1, 2, 3, 4, 5, 6 and 7, end to end, "
        "gave the same bits as the archive, from the raw data to the predictions, where nothing "
        "differs that may change a bit."
    )


def test_the_same_bits_elsewhere_are_those_of_another_setup() -> None:
    value = found(**ELSEWHERE)
    assert (answers(value), value["reached"]) == (["met"] * 3, "bitwise")
    assert value["sentence"].startswith("digits: same bits, other setup. ")
    assert "in another setup (processor: model)." in value["sentence"]
    assert "same setup" not in page(value)
    assert "| processor: model | AMD EPYC | Intel Xeon | bits may change | it rounds |" in page(
        value
    )
    assert "1 difference that no bit depends on" in page(value)


def test_other_bits_here_refute_the_claim() -> None:
    value = found(parted=True)
    assert (answers(value), value["reached"]) == (["not met", "met", "met"], "metrics")
    assert value["verdict"] == "not met"
    assert "first diverges from the archive at epoch 0, step 3, in the loss" in value["sentence"]


def test_other_bits_elsewhere_refute_nothing_and_metrics_are_reached() -> None:
    value = found(parted=True, **ELSEWHERE)
    assert (answers(value), value["reached"]) == (["inconclusive", "met", "met"], "metrics")
    assert value["verdict"] == "inconclusive"
    assert found("metrics", parted=True, **ELSEWHERE)["sentence"].startswith(
        "digits: the metrics are equivalent, in another setup (processor: model)."
    )


def test_metrics_beyond_their_margin_leave_what_is_documented() -> None:
    value = found("metrics", parted=True, moved=metrics(by=0.05), **ELSEWHERE)
    assert (answers(value), value["reached"]) == (["inconclusive", "not met", "met"], "documented")
    assert value["verdict"] == "not met"


def test_a_margin_of_a_metric_that_nobody_measured_is_told() -> None:
    value = found("metrics", parted=True, moved=metrics(margin={"f1": 0.1}))
    assert value["verdict"] == "inconclusive"
    assert "`equivalence.margin` names f1" in value["sentence"]


def test_weights_evaluated_again_reach_no_goal_as_a_whole() -> None:
    value = found(whole=False)
    assert (answers(value), value["reached"]) == (["met", "met", "inconclusive"], None)
    assert value["sentence"].startswith(
        "digits: same bits, same setup, as far as it was rerun. The"
    )
    assert "Only the evaluation was rerun." in page(value)


@pytest.mark.parametrize("parted", [False, True])
def test_another_program_executes_nothing_that_the_archive_documents(parted: bool) -> None:
    value = found(parted=parted, **CURRENT)
    assert answers(value) == ["inconclusive" if parted else "met", "met", "inconclusive"]
    assert value["reached"] == ("metrics" if parted else "bitwise")
    assert "another program" in value["goals"]["documented"]["sentence"]
    assert "the program" in value["goals"]["bitwise"]["sentence"]


def test_what_differs_between_two_setups_is_told_worst_first() -> None:
    changes = [KINDS[kind][0] for kind in ("the kernel", "the stepping", "Keras")]
    differences = differing(step("train", "the archive"), step("train", "here", *changes))
    effects = [one.effect for one in differences]
    assert effects[0] == "metrics may change"
    assert effects[-1] == "irrelevant"
    assert {"package keras (version)", "processor: stepping"} <= {one.what for one in differences}
    assert differing(step("train", "the archive"), step("train", "here")) == []
