"""How far a training is: words, pace, and what is told to whom. It is looked at from beside it."""

import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from repro.launch import launcher
from repro.watch import training_progress
from repro.watch.training_progress import (
    EVERY_LINE,
    EVERY_NOTE,
    Extent,
    ProgressReport,
    Seen,
    followed,
)

EXTENT = Extent(epochs=3, steps=100, all_steps=300)
RULES = Path(__file__).parents[2] / "workflow" / "rules"


class Clock:
    """Goes on when told to, and by as much as somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, times: int) -> Callable[[threading.Event, float], bool]:
        """Waits so often, and then says that the end has come."""
        left = [False] * times

        def waited(_: threading.Event, seconds: float) -> bool:
            self.now += seconds
            return not left or left.pop()

        return waited


def test_a_line_says_epoch_step_loss_rate_and_time_left() -> None:
    clock, lines = Clock(), list[str]()
    report = ProgressReport("train digits, repeat, seed 0", lines.append, clock=clock)
    report.begin(Seen(0, 0), EXTENT)
    for seen in (Seen(0, 20, 0.51239), Seen(1, 60, 0.25), Seen(1, 70, float("nan"))):
        clock.now += 10
        report.show(seen, EXTENT)
    assert lines == [
        "train digits, repeat, seed 0: epoch 1 of 3, step 20 of 100, loss 0.5124, 2 steps/s, "
        "0:02:20 left",
        # What came before the first line, as compiling, says nothing of the rest.
        "train digits, repeat, seed 0: epoch 2 of 3, step 60 of 100, loss 0.25, 14 steps/s, "
        "0:00:10 left",
        "train digits, repeat, seed 0: epoch 2 of 3, step 70 of 100, 7.5 steps/s, 0:00:17 left",
    ]


def test_a_fast_rate_is_said_without_an_exponent_and_no_time_left_is_negative() -> None:
    clock, lines, extent = Clock(), list[str](), Extent(3, 100_000, 300_000)
    report = ProgressReport("train", lines.append, clock=clock)
    report.begin(Seen(0, 0), extent)
    for seen in (Seen(0, 12_345), Seen(2, 100_001)):
        clock.now += 10
        report.show(seen, extent)
    assert [line.rpartition("000, ")[2] for line in lines] == [
        "1230 steps/s, 0:03:53 left", "28800 steps/s, 0:00:00 left",
    ]  # fmt: skip


def test_what_was_resumed_does_not_count_as_fast() -> None:
    clock, lines = Clock(), list[str]()
    report = ProgressReport("train", lines.append, clock=clock)
    report.begin(Seen(2, 0), EXTENT)
    clock.now += 10
    report.show(Seen(2, 50), EXTENT)
    assert lines == ["train: epoch 3 of 3, step 50 of 100, 5 steps/s, 0:00:10 left"]


@pytest.mark.parametrize("notes", [False, True])
def test_it_looks_no_more_often_than_its_interval(notes: bool) -> None:
    clock, lines, looked = Clock(), list[float](), list[float]()
    number = os.open(os.devnull, os.O_WRONLY) if notes else None
    report = ProgressReport("train", lambda _: lines.append(clock.now), number, clock)

    def look() -> Seen:
        looked.append(clock.now)
        return Seen(0, len(looked))

    with followed(look, EXTENT, report, clock.wait(50)):
        pass
    interval = EVERY_NOTE if notes else EVERY_LINE
    assert looked == [1000 + interval * n for n in range(51)]
    assert len(lines) == (0 if notes else 50)
    assert EVERY_LINE >= 10


def test_without_a_report_nothing_looks() -> None:
    before = threading.active_count()
    with followed(lambda: pytest.fail("looked"), EXTENT, None, lambda *_: False):
        assert threading.active_count() == before


def test_a_look_that_fails_stops_no_training(capfd: pytest.CaptureFixture[str]) -> None:
    looks = iter([Seen(0, 0)])

    def look() -> Seen:
        for seen in looks:
            return seen
        raise ValueError("no variable")

    with followed(look, EXTENT, ProgressReport("train", print), Clock().wait(5)):
        pass
    assert capfd.readouterr().err.count("ValueError: no variable") == 1


def test_the_thread_ends_with_the_training_also_where_that_fails() -> None:
    def fail() -> None:
        with followed(lambda: Seen(0, 0), EXTENT, ProgressReport("train", print)):
            raise KeyError("why")

    with pytest.raises(KeyError, match="why"):
        fail()
    assert [t.name for t in threading.enumerate() if t.name == "progress"] == []


def test_for_a_bar_there_are_notes_and_lines_are_for_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file, clock, said = tmp_path / "notes", Clock(), list[str]()
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    report = ProgressReport("train", said.append, number, clock)
    report.begin(Seen(2, 0), EXTENT)
    for steps in (0, 50, 100):
        report.show(Seen(2, steps), EXTENT)
        clock.now += 5
    os.close(number)
    notes = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(note["done"], note["total"]) for note in notes] == [(200, 300), (250, 300), (299, 300)]
    assert notes[1] == {
        "what": "train", "done": 250, "total": 300, "job": True,
        "name": "epoch 3 of 3, 0:00:05 left, 10 steps/s",
    }  # fmt: skip
    assert said == []
    line = "train: epoch 3 of 3, step 100 of 100, 10 steps/s, 0:00:00 left\n"
    assert capfd.readouterr().out == line


def test_notes_go_to_a_file_that_the_launcher_has_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(launcher.NOTES, raising=False)
    assert training_progress.notes() is None
    monkeypatch.setenv(launcher.NOTES, "7")
    assert training_progress.notes() == 7


def test_a_training_is_called_as_its_rule_calls_it() -> None:
    text = (RULES / "model.smk").read_text()
    message = re.search(r'rule train:.+?message:\s+"(.+?)"', text, re.DOTALL)
    assert message
    called = training_progress.job("digits", "repeat", 3)
    assert re.sub(r"\{wildcards\.(\w+)\}", r"{\1}", message[1]).format(
        experiment="digits", run="repeat", seed=3
    ) == called  # fmt: skip
