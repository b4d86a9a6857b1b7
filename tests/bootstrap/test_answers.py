"""What stands at the end of `./run all` and `./run verify`: a line for each experiment."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import answers
import pytest
from small_results import Project, write
from user_project.chosen import UserProject
from verbs import prepare

GOLDEN = Path(__file__).parents[1] / "unit" / "golden"
METRICS = {"metrics": {"accuracy": 0.97826087, "loss": 0.063170492}}


@pytest.fixture
def judged(small: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A small project, in which we are, with metrics."""
    monkeypatch.chdir(small.folder)
    write(small.results / "tiny/original/seed-0/metrics.json", json.dumps(METRICS))
    return small


def verdict(small: Project, golden: str = "example", **changed: Any) -> None:
    """Put a verdict in place of the one that is there."""
    value = json.loads((GOLDEN / f"{golden}.verdict.json").read_text())
    text = json.dumps({**value, "experiment": "tiny", **changed})
    write(small.results / "tiny/verdict.json", text)


def shown(capsys: pytest.CaptureFixture[str], *names: str, folder: Path = Path()) -> list[str]:
    answers.show(names, folder)
    out, err = capsys.readouterr()
    assert err == ""
    return out.splitlines()


def test_what_is_met_has_its_metrics_and_its_page(
    judged: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict(judged)
    line = "tiny: met (bitwise). Accuracy 0.9783, loss 0.06317. See "
    assert shown(capsys, "tiny") == [f"{line}results/tiny/report.html."]
    (judged.results / "tiny/report.html").unlink()
    assert shown(capsys, "tiny") == [f"{line}results/tiny/verdict.md."]
    assert shown(capsys, "tiny", folder=Path("/there")) == [
        f"{line}/there/results/tiny/verdict.md."
    ]


def test_what_is_not_met_has_the_first_divergence_and_the_cause(
    judged: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict(judged, "diverging", verdict="not met")
    (line,) = shown(capsys, "tiny")
    assert line.startswith(
        "tiny: not met (bitwise). First divergence (seed 0, repeat): epoch 0, step 3, in the "
        "weights (dense/kernel). Cause: the result changes with the date and time (digits.py, "
        "line 12). "
    )
    assert "Accuracy 0.9783" in line


def test_a_cause_that_was_not_tested_is_called_likely(
    judged: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    causes = json.loads((GOLDEN / "diverging.verdict.json").read_text())["causes"]
    verdict(judged, "diverging", verdict="not met", causes=causes[1:])
    assert "Likely cause (not tested): the optimizer" in shown(capsys, "tiny")[0]


def test_what_is_undecided_says_why(judged: Project, capsys: pytest.CaptureFixture[str]) -> None:
    why = "inconclusive, because no repeat was made."
    verdict(judged, "one-run", goal="bitwise", verdict="inconclusive", sentence=f"tiny: {why}")
    assert shown(capsys, "tiny")[0].startswith(f"tiny: inconclusive (bitwise). I{why[1:]} Acc")


@pytest.mark.parametrize(
    ("losses", "words"),
    [((1.0, 2.0, 4.5), "2.5 ± 1.8"), ((1.0, "nan", "inf"), "1, nan and inf")],
)
def test_over_several_seeds_there_are_mean_and_deviation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    losses: tuple[float | str, ...], words: str,
) -> None:  # fmt: skip
    small = Project(tmp_path / "project")
    monkeypatch.chdir(small.folder)
    one = small.results / "tiny/original/seed-0"
    made = list((small.results / "tiny").rglob("*.manifest.json"))
    for seed, loss in enumerate(losses):
        folder = one.with_name(f"seed-{seed}")
        write(folder / "metrics.json", json.dumps({"metrics": {"loss": loss}}))
        manifest = folder / "evaluate.manifest.json"
        write(manifest, (one / manifest.name).read_bytes())
        made += [manifest] if seed else []
    small.judge([path for path in made if path.name != "verdict.manifest.json"])
    verdict(small)
    assert f"Loss {words} (3 seeds)." in shown(capsys, "tiny")[0]


def test_a_verdict_on_earlier_results_is_none(
    judged: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict(judged)
    none = "no verdict, since a job before it failed or was not run."
    assert shown(capsys, "tiny", "other")[1:] == [f"other: {none}"]
    (judged.results / "tiny/repeat/seed-0/train.manifest.json").unlink()
    assert shown(capsys, "tiny", "other") == []


def test_a_verdict_that_cannot_be_read_stops_nothing(
    judged: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    write(judged.results / "tiny/verdict.json", "[]")
    assert shown(capsys, "tiny") == []


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("all", True), ("verify --cores all", True), ("--keep-going all", True),
        ("results/tiny/probe.json --cores all", False), ("probe --quiet all", False),
    ],
)  # fmt: skip
def test_who_asks_for_a_file_hears_of_no_verdict(
    judged: Project, monkeypatch: pytest.MonkeyPatch, words: str, asked: bool
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(prepare, "prepared", lambda *_, **__: nullcontext(0))
    monkeypatch.setattr(prepare, "_guarded", lambda *_: 0)
    monkeypatch.setattr(answers, "show", lambda names, _: told.append(names))
    assert prepare.target(words.split(), UserProject(judged.folder)) == 0
    assert told == ([["tiny"]] if asked else [])
