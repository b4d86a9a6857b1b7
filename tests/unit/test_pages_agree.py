"""No page contradicts its own headline, or another page, over goals, outcomes, seeds and repeats.

Every page is made by the code that makes it for users, from comparisons and metrics alone.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repro.compare.divergence import Divergence
from repro.compare.runs import Comparison
from repro.core.parameters import EquivalencePlan
from repro.core.schema import checked
from repro.drift.environment_differences import Difference
from repro.drift.setups import Setups
from repro.record.step import Step
from repro.report.reproduction_page import page
from repro.report.verdict_page import markdown
from repro.stats.metric_comparison import MetricComparison, compare_metrics
from repro.stats.metric_table import Measured
from repro.verdict.assemble import judge
from repro.verdict.case import Context
from repro.verdict.reproduction import Again, reproduction
from samples import asked

MANIFEST = json.loads(
    (Path(__file__).parents[1] / "archives/manifests/format-1/train.manifest.json").read_text()
)
GOALS = ("bitwise", "metrics", "documented")
ANSWERS = ("met", "not met", "inconclusive")
PARTED = Divergence("weights", 0, 3, "dense/kernel")
FURTHER = Comparison("a second run of `dataset`", 0, Divergence("prepared data"), {}, trial=True)


@dataclass(frozen=True)
class Outcome:
    """What came of the runs: whether they part, and what else is not as it should be."""

    parted: bool = False
    by: float = 0.0
    """How far the metrics of the repeat lie from the original's."""
    context: Mapping[str, Any] = field(default_factory=dict[str, Any])
    restless: bool = False
    left: int = 0
    """So many seeds of the original were not repeated."""
    stopped: bool = False
    further: bool = False
    nothing: bool = False


OUTCOMES = {
    "the same bits": Outcome(),
    "other bits": Outcome(parted=True),
    "other metrics": Outcome(parted=True, by=0.2),
    "the same bits elsewhere": Outcome(context={"setups": 2}),
    "other bits elsewhere": Outcome(parted=True, context={"setups": 2}),
    "another program": Outcome(context={"programs": 2}),
    "other bits of another program": Outcome(parted=True, context={"programs": 2}),
    "a nondeterministic evaluation": Outcome(restless=True),
    "one seed left out": Outcome(left=1),
    "one seed left out, other bits": Outcome(parted=True, left=1),
    "stopped early": Outcome(stopped=True),
    "stopped early, other bits": Outcome(parted=True, stopped=True),
    "a further run with other bits": Outcome(further=True),
    "no repeat": Outcome(nothing=True),
    "a file without a manifest": Outcome(context={"missing": ["no manifest claims a.npy"]}),
    "something unknown": Outcome(parted=True, context={"unknown": ["cpu/model is unknown (no)"]}),
}
CASES = [
    pytest.param(goal, OUTCOMES[name], seeds, repeats, id=f"{goal}-{name}-{seeds}-{repeats}")
    for goal, name, seeds, repeats in product(GOALS, OUTCOMES, (1, 3, 8), (1, 2, 5))
    if seeds > OUTCOMES[name].left
]


def values(seeds: int, parted: bool, by: float) -> dict[str, Measured]:
    """Accuracy, loss and the recall of ten classes, which scatter from seed to seed."""
    draws = np.random.default_rng(seeds)
    names = {"accuracy": 0.6, "loss": 0.4, **{f"recall of class {n}": 0.6 for n in range(10)}}
    found: dict[str, Measured] = {}
    for name, mean in names.items():
        original = draws.normal(mean, 0.02, seeds)
        repeat = original + (draws.normal(by, 0.02, seeds) if parted else 0)
        left, right = (dict(enumerate(map(float, side))) for side in (original, repeat))
        found[name] = Measured(left, right, 100, 60)
    return found


@lru_cache
def moved(parted: bool, by: float, seeds: int) -> MetricComparison:
    return compare_metrics(values(seeds, parted, by), EquivalencePlan())


def verdict(goal: str, outcome: Outcome, seeds: int, repeats: int) -> dict[str, Any]:
    limit = {"epochs": 1} if outcome.stopped else None
    inference = [
        {"run": run, "seed": seed, "same": not outcome.restless or seed > 0}
        for run in ("original", "repeat") for seed in range(seeds)
    ]  # fmt: skip
    factors = [{"factor": "clock", "varied": True, "how": "later"}]
    trained = Step(Path("a"), MANIFEST)
    context = replace(
        Context("this machine", 1, factors, inference, trained=trained), **outcome.context
    )
    runs = ["repeat", *(f"repeat-{n}" for n in range(2, repeats + 1))]
    comparisons = [
        Comparison(run, seed, PARTED if outcome.parted else None, {}, limit)
        for seed in range(seeds - outcome.left) for run in runs if not outcome.nothing
    ]  # fmt: skip
    evaluated = not (outcome.nothing or outcome.stopped)
    parameters = asked(
        seeds=tuple(range(seeds)), goal=goal, repeats=repeats,
        repeat="off" if outcome.nothing else limit or "full",
    )  # fmt: skip
    value = judge(
        "digits", parameters, comparisons, context,
        moved=moved(outcome.parted, outcome.by, seeds) if evaluated else None,
        further=FURTHER if outcome.further else None,
    )  # fmt: skip
    return checked(value, "verdict", "verdict.json")


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def section(text: str, title: str) -> str:
    _, found, rest = text.partition(f"## {title}\n")
    return rest.partition("\n## ")[0] if found else ""


def answers(text: str) -> dict[str, str]:
    """What a page's table of goals says of each."""
    found = [row for row in rows(text) if row[0].split(" ")[0] in GOALS]
    return {row[0].split(" ")[0]: row[1] for row in found}


def same_as_its_table(value: Mapping[str, Any], text: str, headline: str) -> None:
    assert text.splitlines()[0].removesuffix(", with a warning") == headline
    assert answers(text) == {goal: value["goals"][goal]["verdict"] for goal in GOALS}
    assert answers(text)[value["goal"]] == value["verdict"]
    opening = value["sentence"].removeprefix("digits: ")
    assert opening.startswith("inconclusive") == (value["verdict"] == "inconclusive") or (
        opening.startswith("not ") and "promises those of one setup only" in opening
    )


@pytest.mark.parametrize(("goal", "outcome", "seeds", "repeats"), CASES)
def test_a_verdict_and_its_page_say_one_thing(
    goal: str, outcome: Outcome, seeds: int, repeats: int
) -> None:
    value = verdict(goal, outcome, seeds, repeats)
    text = markdown(value)
    same_as_its_table(value, text, f"# digits: {value['verdict']}")
    found = answers(text)
    metrics_say_what_the_goal_says(value, text)
    strongest_is_met(value, text, found)
    paper_says_what_the_page_says(value, found)
    assert ("## Where the runs first diverge" in text) == (outcome.parted or outcome.further)
    assert ("rule out a rare race" in text) == (
        not (outcome.parted or outcome.further or outcome.nothing)
    )
    if value["verdict"] == "met" and value["goal"] != "documented":
        assert "inconclusive" not in text.split("## What the evidence supports")[0]


def metrics_say_what_the_goal_says(value: Mapping[str, Any], text: str) -> None:
    """Rows of tests stand only where the claim rests on them, and never against the headline."""
    table = [row for row in rows(section(text, "The metrics")) if row[0].startswith("`")]
    tested = [row[-1] for row in table if row[-1] in ANSWERS]
    parted = any(entry["divergence"] for entry in value["per_seed"])
    restless = any(not entry["same"] for entry in value["inference"])
    if not (parted or restless):
        assert not tested, "the same bits need no test"
    if value["verdict"] == "met":
        assert set(tested) <= {"met"}
    answer = value["goals"]["metrics"]["verdict"]
    worst = next((one for one in ("not met", "inconclusive", "met") if one in tested), answer)
    assert answer == worst
    for row in table:
        if row[0] == "`loss`":
            continue
        for number in re.findall(r"[\d.e+-]*\d", row[5]):
            assert float(number) <= 1, f"{row[0]} has the margin {row[5]}"


def strongest_is_met(value: Mapping[str, Any], text: str, found: Mapping[str, str]) -> None:
    told = section(text, "What the evidence supports")
    if value["best"]:
        assert f"wholly supported: **{value['best']}**" in told
        assert found[value["best"]] == "met"
    else:
        assert "No goal is wholly supported" in told
    strongest = next((goal for goal in GOALS if found[goal] == "met"), None)
    # A goal that is met, and not named the strongest, is met in part: the page must say so.
    if strongest != value["best"]:
        assert f"**{strongest}** only as far as it was repeated" in told
        assert "as far as it was repeated" in value["goals"][strongest]["sentence"]


def paper_says_what_the_page_says(value: Mapping[str, Any], found: Mapping[str, str]) -> None:
    paper = value["methods"]
    assert ("None of the goals" in paper) == ("met" not in found.values())
    assert ("bit for bit, within that scope" in paper) == (found["bitwise"] == "met")
    whole = "As far as it was repeated" not in paper
    assert found["bitwise"] != "met" or whole == (value["best"] == "bitwise")
    if value["verdict"] == "met":
        assert "inconclusive" not in paper
        assert "not equivalent" not in paper


HERE = Setups(1, 1, "this machine")
OTHER = [Difference("processor: model", "A", "B", "bits may change", "it rounds")]
PLACES: dict[str, tuple[Setups, list[Difference]]] = {
    "here": (HERE, []),
    "elsewhere": (Setups(2, 1, "two machines"), OTHER),
    "another program": (Setups(1, 2, "two programs"), []),
}
AGAIN = [
    pytest.param(*given, id="-".join(map(str, given)))
    for given in product(
        GOALS, ("the same bits", "other bits", "other metrics"), (1, 3, 8), PLACES, (True, False)
    )
]


def again(goal: str, outcome: Outcome, seeds: int, place: str, whole: bool) -> dict[str, Any]:
    compared = [
        Comparison("here", seed, PARTED if outcome.parted else None, {}) for seed in range(seeds)
    ]
    setups, differences = PLACES[place]
    metrics = moved(outcome.parted, outcome.by, seeds)
    case = Again("digits", goal, compared, setups, differences, metrics, whole)
    return checked(reproduction(case), "reproduction", "reproduction.json")


@pytest.mark.parametrize(("goal", "name", "seeds", "place", "whole"), AGAIN)
def test_a_reproduction_and_its_page_say_one_thing(
    goal: str, name: str, seeds: int, place: str, whole: bool
) -> None:
    outcome = OUTCOMES[name]
    value = again(goal, outcome, seeds, place, whole)
    text = page(value)
    same_as_its_table(value, text, f"# digits, rerun: {value['verdict']}")
    if value["verdict"] == "met":
        assert "No goal was reached" not in text
        assert ("was rerun" in text) or value["reached"]
    if value["reached"]:
        assert answers(text)[value["reached"]] == "met"
    assert ("## Where they first diverge" in text) == outcome.parted
    of_the_verdict = verdict(goal, outcome, seeds, 1)["goals"]["metrics"]["verdict"]
    assert answers(text)["metrics"] == of_the_verdict, "the same metrics, the same answer"
