"""./run cost: Snakemake is asked to measure; check-files knows what was measured."""

from collections.abc import Callable
from pathlib import Path

import pytest
from repro.audit.ancestry import ancestry
from repro.audit.check import check
from small_results import CONFIGURATION, Project, write
from test_drift import asked
from user_project.chosen import CLONE
from verbs import cost

__all__ = ["asked"]  # the fixture


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["digits"], ["cost", "--config", "cost=digits"]),
        (["digits", "--rounds", "5"], ["cost", "--config", "cost=digits", "rounds=5"]),
        (
            ["--config", "channel=local", "--", "digits"],
            ["cost", "--config", "cost=digits", "channel=local"],
        ),
        (["digits", "--dry-run"], ["cost", "--dry-run", "--config", "cost=digits"]),
    ],
)
def test_snakemake_is_asked_to_measure(
    given: list[str], expected: list[str], asked: list[list[str]]
) -> None:
    assert cost.main(given, CLONE) == 0
    assert asked == [expected]


@pytest.mark.parametrize("given", [[], ["digits", "--rounds", "many"]])
def test_a_mistake_in_the_options_asks_for_nothing(
    given: list[str], asked: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as done:
        cost.main(given, CLONE)
    assert (done.value.code, asked) == (2, [])
    assert "usage: ./run cost" in capsys.readouterr().err


@pytest.fixture
def priced(small: Project) -> Project:
    """A project whose price was measured."""
    write(small.results / "tiny/cost.json", '{"experiment": "tiny"}\n')
    first = small.results / "tiny/original"
    used = {**small.always(), "data": first / "data", "judge": small.results / "judge.pyz"}
    used["data.manifest"] = first / "data.manifest.json"
    small.claim("cost", {"seed": 0}, used, "tiny", "cost", "cost.json")
    return small


def findings(small: Project) -> dict[str, tuple[str, tuple[str, ...]]]:
    report = check(small.results, small.folder, small.configuration, CONFIGURATION)
    return {one.path: (one.kind, one.outdated) for one in report.findings}


def test_what_was_measured_is_claimed_by_its_manifest(priced: Project) -> None:
    assert findings(priced) == {}
    (priced.results / "tiny/cost.manifest.json").unlink()
    assert findings(priced) == {"results/tiny/cost.json": ("unclaimed", ())}


CHANGES: dict[str, Callable[[Project], object]] = {
    f"{CONFIGURATION}: experiments.tiny.training.epochs": lambda p: p.configuration.update(
        experiments={"tiny": p.entry(training={"epochs": 7})}
    ),
    "tiny/layers.py": lambda p: write(p.folder / "tiny/layers.py", "SIZE = 4\n"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_price_of_another_training_is_outdated(what: str, priced: Project) -> None:
    CHANGES[what](priced)
    kind, outdated = findings(priced)[what]
    assert kind == "changed"
    # A folder whose files are all outdated is told as one.
    assert any("results/tiny/cost.json".startswith(name) for name in outdated)


def test_a_price_can_be_followed_back_to_the_raw_data(priced: Project) -> None:
    found = ancestry(Path(priced.results / "tiny/cost.json"))
    assert {"results/tiny/cost.manifest.json", "results/tiny/original/data.manifest.json"} <= set(
        found.nodes
    )
    assert not [edge for edge in found.edges if edge.trouble]
