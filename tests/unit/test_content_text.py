"""Text of two runs: a changed number is always found, a changed date or duration alone never."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from repro.formats.findings import FileComparison, FileFindings
from repro.formats.masks import (
    ADDRESSES,
    DATES,
    DURATIONS,
    FOLDERS,
    IDS,
    PROGRESS,
    TEMPORARY,
    is_time,
)
from repro.formats.text import compare_text


def text(
    left: str, right: str, rtol: float = 0.0, folders: tuple[tuple[str, str], ...] = ()
) -> FileComparison:
    findings = FileFindings(rtol, folders)
    compare_text(findings, left, right)
    return findings.comparison("a.txt", "text", "by line")


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2039, 12, 31), timezones=st.just(UTC))
DATE_FORMS = st.sampled_from(
    [
        "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d@%H:%M:%S",
        "%d/%m/%Y %H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%Y%m%d-%H%M%S", "%Y%m%d_%H%M%S",
        "%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S GMT", "%b %d, %Y", "%d %B %Y",
        "%Y-%m-%d_%H-%M-%S",
        "%I:%M:%S %p", "%Y-%m-%d %H:%M:%S %Z", "%Y-%m-%d %H:%M:%S,123",
    ]
)  # fmt: skip
SPANS = st.floats(0, 1e5).map(lambda value: round(value, 3))
DURATION_FORMS = st.sampled_from(
    [
        "{}s", "{} s", "{}ms/step", "{} ms/step", "{}s/epoch", "{}us/step", "{} seconds", "{} min",
        "{}it/s", "{} samples/s", "{}s/it", "{} MB/s", "elapsed: {}", "took {}", "time={}",
        "train_time: {}", "epoch time: {}", "samples_per_second: {}", "took {} sec", "runtime = {}",
        "1 days, 3:00:{:02.0f}",
    ]
)  # fmt: skip
NAMES = st.sampled_from(
    [
        "loss",
        "val_loss",
        "accuracy",
        "Test accuracy",
        "auc",
        "F1",
        "rmse",
        "mean reward",
        "lr",
        "mean",
        "min",
        "s",
        "epoch_loss",
    ]
)
BETWEEN = st.sampled_from([": ", "=", " = ", " ", ":"])
BESIDE = st.sampled_from([" - ", ", ", " | ", "; ", "\t", " "])
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(0, 1).map(lambda value: f"{value:.4f}"),
    st.floats(0, 1).map(lambda value: f"{value:.2e}"),
    st.integers(0, 10**6).map(str),
)


@st.composite
def clock_text(draw: st.DrawFn) -> tuple[str, str]:
    """What a clock decides, in one form, at two moments."""
    if draw(st.booleans()):
        form = draw(DATE_FORMS)
        return draw(MOMENTS).strftime(form), draw(MOMENTS).strftime(form)
    form = draw(DURATION_FORMS)
    left, right = draw(st.tuples(SPANS, SPANS))
    if "{:02" in form:
        left, right = left % 60 // 1.02, right % 60 // 1.02
    return form.format(left), form.format(right)


@given(clock_text(), NAMES, BETWEEN, VALUES, BESIDE, st.booleans())
@example(("took 0.25", "took 1.5"), "loss", ": ", "0.0", "\t", True)
@example(("took 0.25", "took 1.5"), "Test accuracy", " ", "0.5", " ", True)
@example(("took 0.25", "took 1.5"), "min", "=", "0.5", " ", True)
@example(("0.0 min", "1.0 min"), "loss", ": ", "0.0", " - ", True)
def test_what_a_clock_decides_is_never_a_difference(
    clock: tuple[str, str], name: str, between: str, value: str, beside: str, first: bool
) -> None:
    metric = f"{name}{between}{value}"
    lines = [beside.join((each, metric) if first else (metric, each)) for each in clock]
    found = text(*(f"start\n{line}\nend" for line in lines))
    assert found.same, found.differences


@given(clock_text(), NAMES, BETWEEN, VALUES, VALUES, BESIDE, st.booleans())
@example(("2024-01-01", "2024-01-02"), "loss", " ", "0.9531", "0.9532", " ", True)
@example(("10:00:00", "11:00:00"), "auc", "=", "12", "13", " ", True)
@example(("10:00:00", "10:00:00"), "loss", ":", "100", "101", " ", False)
def test_a_changed_metric_beside_a_clock_is_always_found(
    clock: tuple[str, str], name: str, between: str, left: str, right: str, beside: str, first: bool
) -> None:
    assume(left != right)
    lines = [
        beside.join((each, metric) if first else (metric, each))
        for each, metric in zip(
            clock, (f"{name}{between}{left}", f"{name}{between}{right}"), strict=True
        )
    ]
    assert not text(*lines).same


@given(MOMENTS, VALUES, VALUES, st.sampled_from([",", ", ", " ", ";"]))
def test_a_number_after_a_time_is_no_part_of_it(
    moment: datetime, left: str, right: str, beside: str
) -> None:
    assume(left != right)
    # Three digits after a comma are how logging writes milliseconds: nobody can tell them apart.
    assume(beside != "," or not all(len(v) == 3 and v.isdigit() for v in (left, right)))
    when = moment.strftime("%Y-%m-%d %H:%M:%S")
    assert not text(f"{when}{beside}{left}", f"{when}{beside}{right}").same


@given(st.text(), st.text())
def test_any_two_texts_have_an_answer(left: str, right: str) -> None:
    text(left, right)
    assert text(left, left).same


@given(st.lists(st.tuples(NAMES, st.floats(0, 10)), min_size=1, max_size=8), st.data())
def test_the_metric_that_changed_is_named(
    metrics: list[tuple[str, float]], data: st.DataObject
) -> None:
    which = data.draw(st.integers(0, len(metrics) - 1))
    name, value = metrics[which]
    changed = [*metrics]
    changed[which] = (name, value + 1)
    left, right = ("\n".join(f"{n}: {v!r}" for n, v in each) for each in (metrics, changed))
    found = text(left, right)
    assert [each.metric for each in found.differences] == [name]
    assert [each.metric for each in found.metrics] == [name]
    assert f"line {which + 1}" in found.differences[0].place


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        ("2024-01-01 10:00:00,123 [12345] INFO a", "2026-05-07 23:11:58,007 [77] INFO a", IDS),
        ("2024-01-01 10:00:00 - 12345 - INFO - a", "2024-01-01 10:00:00 - 7 - INFO - a", IDS),
        ("pid 100 done", "pid 200 done", IDS),
        ("process 2 in /home/a", "process 44 in /home/a", IDS),
        ("Process 2 started", "Process 44 started", IDS),
        (
            "I0000 00:00:1714000000.123456   12345 file.cc:123] on",
            "I0000 00:00:1795961388.531821   22817 file.cc:123] on",
            DATES,
        ),
        ("2024-01-01 10:00:00.123456: I x.cc:1]", "2024-03-01 11:00:00.654321: I x.cc:1]", DATES),
        ("<f at 0x7f0123456789>", "<f at 0x7f9876543210>", ADDRESSES),
        ("  140123537353296: TensorSpec(()", "  139944537353296: TensorSpec(()", ADDRESSES),
        ("9/9 [00:03<00:00,  3.21it/s, loss=1]", "9/9 [00:13<00:00, 13.2it/s, loss=1]", DURATIONS),
        ("Ran 3 tests in 0.12s", "Ran 3 tests in 1.12s", DURATIONS),
        ("1h 2m 3s", "2h 3m 4s", DURATIONS),
        ("done in 5 min", "done in 6 min", DURATIONS),
        ("[2024-01-01 10:00:00 +0000] [1] [INFO]", "[2026-05-07 23:11:58 +0930] [2] [INFO]", IDS),
        ("Mon, 01 Jan 2024 10:00:00 +0000", "Tue, 02 Jan 2024 10:00:00 -0930", DATES),
        ("model_checkpoint_timestamps: 1714000000.5", "model_checkpoint_timestamps: 1.5", DATES),
    ],
)  # fmt: skip
def test_what_is_masked_is_said(left: str, right: str, kind: str) -> None:
    found = text(left, right)
    assert found.same, found.differences
    assert kind in found.masked
    assert text(left, left).masked == ()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("accuracy: 0.91s", "accuracy: 0.92s"),
        ("accuracy 0.91 s", "accuracy 0.92 s"),
        ("took 10 steps", "took 11 steps"),
        ("took 10 steps, loss: 0.5", "took 11 steps, loss: 0.5"),
        ("took 2.5 million steps", "took 3.5 million steps"),
        ("time_step: 5", "time_step: 6"),
        ("ratio 1:30", "ratio 1:31"),
        ("2024-01-01 10:00:00 [100] loss", "2024-01-01 10:00:00 [101] loss"),  # a step, no process
        ("process 2: loss", "process 3: loss"),  # a rank
        ("process 2 of 4", "process 3 of 4"),
        ("weights 0x1234abcd", "weights 0x1234abce"),
        ("seed: 20240101", "seed: 20240102"),
        ("mean: 0.51 min: 0.1", "mean: 0.52 min: 0.1"),
        ("first 0.5 second 0.7", "first 0.6 second 0.7"),
        ("2024-01-01 10:00:00 -1200", "2024-01-01 10:00:00 -1100"),
        ("2024-01-01 10:00:00 -1234.5", "2024-01-01 10:00:00 -1235.5"),
        ("split 80/10/10", "split 70/20/10"),
        ("6.19840102095567e-179", "6.19840102095568e-179"),
        ("id 20240101123456", "id 20240101123457"),
        ("a  b", "a b"),
        ("nan", "inf"),
        ("0.0", "-0.0"),
        ("version 1.2.3", "version 1.2.4"),
        ("", "loss: 1"),
        ("a\nb", "a\n\nb\nc"),
        ("x\u00e9", "x\u00ea"),
    ],
)
def test_what_may_be_a_result_is_not_masked(left: str, right: str) -> None:
    assert not text(left, right).same


def bar(step: int, steps: int, span: str, loss: float, *, back: int = 0) -> str:
    """One state of Keras' progress bar, as `fit` writes it."""
    parts = "━" * step, "━" * (steps - step)
    drawn = f"\x1b[1m{step}/{steps}\x1b[0m \x1b[32m{parts[0]}\x1b[0m\x1b[37m{parts[1]}\x1b[0m"
    return "\b" * back + f"\r{drawn} \x1b[1m{span}\x1b[0m {span}/step - loss: {loss:.4f}"


def test_of_a_progress_bar_the_last_state_counts() -> None:
    slow = "".join(bar(step, 4, "2s", 1 / step, back=40) for step in (1, 2, 3, 4)) + "\n"
    fast = bar(1, 4, "1s", 1.0) + bar(4, 4, "9ms", 0.25, back=40) + "   \n"
    found = text(f"Epoch 1/2\n{slow}", f"Epoch 1/2\n{fast}")
    assert found.same, found.differences
    assert found.masked == (DURATIONS, PROGRESS)
    other = text(slow, fast.replace("0.2500", "0.2501"))
    assert [(each.metric, each.left, each.right) for each in other.metrics] == [
        ("loss", "0.2500", "0.2501")
    ]


@pytest.mark.parametrize(
    ("line", "metric"),
    [
        ("user: {}", None),
        ("Epoch: {}", None),
        ("steps {}", None),
        ("step id = {}.5", None),
        ("found {} files", None),
        ("port: {}", None),
        ("best epoch: {}", None),
        ("val_true_positives: {}", "val_true_positives"),
        ("accuracy: {}", "accuracy"),
        ("F1 {}", "F1"),
        ("perplexity: {}", "perplexity"),
        ("loss per step: {}", "loss per step"),
        ("temperature: 0.{}", "temperature"),
        ("temperature: {}e-3", "temperature"),
        ("temperature: {}", None),
    ],
)
def test_a_number_that_counts_or_names_something_is_no_metric(
    line: str, metric: str | None
) -> None:
    found = text(line.format(23), line.format(24))
    assert [each.metric for each in found.differences] == [metric]
    assert [each.metric for each in found.metrics] == ([metric] if metric else [])


@pytest.mark.parametrize(
    "line", ["test loss, test acc: [{}, {}]", "result: test loss, test acc = ({}, {})"]
)
def test_several_names_before_as_many_numbers_are_those_of_each(line: str) -> None:
    found = text(line.format(0.25, 0.5), line.format(0.26, 0.51))
    assert [each.metric for each in found.differences] == ["test loss", "test acc"]


def test_a_progress_bar_on_lines_of_its_own_is_one() -> None:
    left = "\n".join(f" {n}/10 ━━━━ 1s - loss: {1 / n:.3f}" for n in (1, 5, 10))
    right = "\n".join(f" {n}/10 ━━━━ 2s - loss: {1 / n:.3f}" for n in (1, 2, 3, 10))
    assert text(left, right).same
    assert not text(left, right.replace("0.100", "0.101")).same


def test_a_bar_whose_returns_became_line_ends_is_one() -> None:
    states = "".join(bar(step, 2, "2s", 0.5) + "\b" * 40 for step in (1, 2)) + bar(2, 2, "3s", 0.5)
    left, right = states.replace("\r", "\n"), bar(2, 2, "1s", 0.5).replace("\r", "\n")
    assert text(left, right).same
    assert not text(left, right.replace("0.5000", "0.5001")).same
    twice = "1/1 ━━ 0s 3ms/step\n1/1 ━━ 0s 3ms/step"  # two calls of `predict`
    assert not text(twice, "1/1 ━━ 0s 3ms/step").same


def test_a_line_more_does_not_shift_the_others() -> None:
    left = "\n".join(f"epoch {n} loss: {n / 7:.4f} 2s" for n in range(20))
    right = "a warning\n" + left.replace("2s", "3s").replace(
        "epoch 7 loss: 1.0000", "epoch 7 loss: 1.0001"
    )
    found = text(left, right)
    assert [(each.left, each.right) for each in found.differences] == [
        ("", "a warning"), ("1.0000", "1.0001"),
    ]  # fmt: skip


def test_the_folders_of_the_runs_are_masked_and_nothing_that_only_begins_so() -> None:
    folders = (("/tmp/one", "/tmp/another"), ("/home/a b", "/home/other"))
    found = text(
        "saved /tmp/one/m.keras, /home/a%20b/x",
        "saved /tmp/another/m.keras, /home/other/x",
        folders=folders,
    )
    assert found.same
    assert found.masked == (FOLDERS,)
    assert not text("/tmp/one1", "/tmp/another1", folders=folders).same
    within = (("/tmp", "/tmp/another/temporary"), ("/u", "/tmp/another/home"))
    assert text("/tmp/a /tmp/b", "/tmp/another/temporary/a /tmp/b", folders=within).same
    assert text("/u/a", "/tmp/another/home/a", folders=within).same
    assert not text("/tmp/a", "/tmp/another/temporary/b", folders=within).same
    assert not text("/tmp/one/a", "/tmp/another/b", folders=folders).same


def test_names_of_temporary_files_are_masked_though_no_digit_was_drawn() -> None:
    found = text("kept in /a/tmp__gcvq_x", "kept in /a/tmpabcdefgh")
    assert found.same
    assert found.masked == (TEMPORARY,)
    assert not text("kept in /a/tmp_x", "kept in /a/tmp_y").same


def test_small_relative_differences_pass_where_this_is_asked_for() -> None:
    left, right = "loss: 1.0000 acc: 0.5", "loss: 1.0001 acc: 0.5"
    assert not text(left, right).same
    found = text(left, right, rtol=1e-3)
    assert found.same
    assert found.tolerated == 1
    assert not text(left, right.replace("0.5", "0.6"), rtol=1e-3).same


@pytest.mark.parametrize(
    "name", ["time", "epoch_time_s", "elapsed", "time/epoch", "samples/sec", "fps", "wallTime"]
)
def test_a_name_says_that_it_is_a_time(name: str) -> None:
    assert is_time(name)


@pytest.mark.parametrize(
    "name", ["time_step", "loss_time", "timesteps", "lifetime", "times", "x", "", "val_loss"]
)
def test_a_name_says_that_it_is_none(name: str) -> None:
    assert not is_time(name)
