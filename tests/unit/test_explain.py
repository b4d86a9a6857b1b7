"""Explanation: how often the step that diverged is looked into, and that the budget bounds it."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from repro.cause import explain as module
from repro.cause.explain import explain, lacking
from repro.cause.fault_isolation import Factors, Trial
from repro.cause.growth import Growth
from repro.cause.setting import Runs, Setting
from repro.compare.runs import Divergence

AT = Divergence("weights", 1, 5, "net/kernel")
RUNS = Runs("tiny", Path(), {"experiment": "tiny.py"}, Path())


def detail(digest: str) -> dict[str, Any]:
    place = {"file": "experiment.py", "line": 30, "layer": None, "phase": "other", "inputs": []}
    tensor = {"name": "net/kernel", "op": "Variable", "digest": digest, **place}
    return {"tensors": [tensor], "layers": {}, "calls": []}


class Replayed:
    """Trials whose every run gives other bits; a look into a step gives the next of `digests`."""

    def __init__(self, digests: str) -> None:
        self.made = 0
        self.left = -1
        self._digests: Iterator[str] = iter(digests)

    def attempt(self, factors: Factors, watched: dict[str, Any] | None = None) -> Trial:
        self.made += 1
        return Trial("train", factors, False, str(self.made))

    def detailed(self, factors: Factors) -> dict[str, Any]:
        self.made += 1
        return detail(next(self._digests))


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch):
    """A function that lets `explain` find such runs."""

    def give(digests: str) -> Replayed:
        runs = Replayed(digests)

        @contextmanager
        def scratch(_: Setting) -> Generator[Replayed]:
            yield runs

        def grow(*given: Any) -> Growth:
            runs.left = given[-1]
            return Growth("Not taken.")

        monkeypatch.setattr(module, "scratch", scratch)
        monkeypatch.setattr(module, "grow", grow)
        return runs

    return give


@pytest.mark.parametrize(("digests", "looks"), [("ab", 2), ("aab", 3)])
def test_two_runs_that_agree_by_chance_are_followed_by_a_third(
    given: Any, digests: str, looks: int
):
    runs = given(digests)
    causes, trials, _ = explain(AT, RUNS, (), 24)
    assert (causes[0].cause, causes[0].line) == ("update", 30)
    assert runs.made == len(trials) + looks


@pytest.mark.parametrize("budget", range(1, 8))
def test_the_budget_bounds_trials_and_looks(given: Any, budget: int):
    runs = given("aaaaaaaa")
    explain(AT, RUNS, (), budget)
    assert runs.made + runs.left == budget
    assert runs.left >= 0


def test_a_look_that_fails_is_followed_by_none(given: Any, monkeypatch: pytest.MonkeyPatch):
    runs = given("")
    looks: list[Factors] = []

    def detailed(factors: Factors) -> dict[str, Any]:
        looks.append(factors)
        return {}

    monkeypatch.setattr(runs, "detailed", detailed)
    causes, *_ = explain(AT, RUNS, (), 24)
    assert (causes[0].cause, looks) == ("gradient", [()])


@pytest.mark.parametrize(
    ("source", "without"),
    [
        ("def dataset(): ...", {"augment", "callbacks"}),
        ("def augment(x, y, seed): ...", {"callbacks"}),
        ("augment = other = print", {"callbacks"}),
        ("from .parts import flipped as augment, callbacks", set[str]()),
        ("if True:\n    def augment(): ...", {"callbacks"}),
        ("def dataset():\n    augment = 3", {"augment", "callbacks"}),
        ("from .parts import *", set[str]()),
        ("def augment(:", set[str]()),
    ],
)
def test_what_an_experiment_does_not_define_is_told_by_its_source(
    source: str, without: set[str], tmp_path: Path
) -> None:
    (tmp_path / "__init__.py").write_text(source)
    assert lacking(tmp_path) == lacking(tmp_path / "__init__.py") == without


def test_without_a_source_nothing_is_said_to_be_lacking(tmp_path: Path) -> None:
    assert lacking(tmp_path / "none.py") == set()


@pytest.mark.parametrize(
    ("source", "cause"), [("", "batch content"), ("augment = print", "augmentation")]
)
@pytest.mark.parametrize("budget", [0, 24])
def test_no_cause_speaks_of_a_function_that_is_not_there(
    given: Any, source: str, cause: str, budget: int, tmp_path: Path
) -> None:
    given("ab")
    file = tmp_path / "tiny.py"
    file.write_text(source)
    runs = Runs("tiny", Path(), {"experiment": str(file)}, Path())
    at = Divergence("batch content", 0, 1)
    found, *_ = explain(at, runs, (), budget)
    assert [one.cause for one in found] == [cause]
    assert ("augment" in found[0].remedy) == (cause == "augmentation")
