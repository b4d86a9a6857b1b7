"""Something moves on the screen while something is made, and nothing is left of it there."""

import io
import itertools
import os
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from display import bars, progress, screen
from display.bars import Bars, Lines
from display.notes import Note
from repro.launch.launcher import JOBS
from small_terminal import OnTerminal, Terminal, temporary


class Clock:
    """Goes on when told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


@pytest.fixture
def started(folder: Path) -> Iterator[Callable[..., OnTerminal]]:
    """Starts a program on a terminal."""
    programs: list[OnTerminal] = []

    def start(body: str, **environment: str) -> OnTerminal:
        programs.append(OnTerminal(body, TMPDIR=str(folder), **environment))
        return programs[-1]

    yield start
    for program in programs:
        program.close()


Start = Callable[..., OnTerminal]


# Lines


def test_a_line_says_which_of_how_many_and_how_long_yet() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock)
    lines.show([Note("wheels of keras", 0, 39, "absl")])
    clock.now += 2
    lines.show([Note("wheels of keras", 5, 39, "flax"), Note("wheels of keras", 13, 39, "keras")])
    clock.now += 2
    lines.show([Note("wheels of keras", 39, 39, "zipp")])
    assert stream.getvalue().splitlines() == [
        "wheels of keras: 0 of 39, absl (0 s)",
        "wheels of keras: 13 of 39, keras (2 s, 4 s left)",
        "wheels of keras: 39 of 39, zipp (4 s)",
    ]


def test_where_nobody_knows_how_many_there_will_be_none_is_told() -> None:
    stream = io.StringIO()
    Lines(stream, Clock()).show([Note("packages", 3, 0, "")])
    assert stream.getvalue() == "packages: 3 (0 s)\n"


def test_a_line_is_a_sign_of_life_within_two_seconds_and_no_flood() -> None:
    stream, clock = io.StringIO(), Clock()
    lines, printed = Lines(stream, clock), list[float]()
    for step in range(200):
        before = stream.tell()
        lines.show([Note("wheels", 1 + step // 8, 39, "")] if 80 < step < 120 or not step else [])
        if stream.tell() > before:
            assert stream.getvalue()[before:].count("\n") == 1
            printed.append(clock.now)
        clock.now += screen.PACE
    apart = [b - a for a, b in itertools.pairwise(printed)]
    assert printed[0] == Clock.now
    assert clock.now - printed[-1] <= 2
    assert max(apart) <= 2
    assert min(apart) >= bars.EVERY > 1


def test_what_is_finished_is_told_once() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock)
    lines.show([Note("wheels", 1, 3, ""), Note("channel", 0, 2, "")])
    lines.show([Note("wheels", 3, 3, "")])
    for _ in range(3):
        clock.now += 2
        lines.show([])
    lines.close()
    assert stream.getvalue().splitlines() == [
        "wheels: 1 of 3 (0 s)",
        "channel: 0 of 2 (0 s)",
        "wheels: 3 of 3 (2 s)",
        "channel: 0 of 2 (2 s)",
        "channel: 0 of 2 (4 s)",
        "channel: 0 of 2 (6 s)",
    ]


def test_at_the_end_what_was_finished_since_is_told_and_nothing_else() -> None:
    stream = io.StringIO()
    lines = Lines(stream, Clock())
    lines.show([Note("wheels", 1, 3, "")])
    lines.show([Note("wheels", 3, 3, ""), Note("channel", 1, 2, "")])
    lines.close()
    assert stream.getvalue().splitlines()[1:] == ["wheels: 3 of 3 (0 s)"]


def test_the_same_again_begins_anew() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock)
    lines.show([Note("wheels", 3, 3, "")])
    clock.now += 60
    lines.show([Note("wheels", 1, 3, "")])
    assert stream.getvalue().splitlines()[1:] == ["wheels: 1 of 3 (0 s)"]


# Bars


class Drawn:
    """Bars on a terminal."""

    def __init__(self) -> None:
        self._raw, self.seen, self._fed = io.BytesIO(), Terminal(), 0
        self.bars = Bars(io.TextIOWrapper(self._raw, encoding="utf-8", newline=""))

    @property
    def lines(self) -> list[str]:
        self.bars.stream.flush()
        text = self._raw.getvalue().decode()
        self.seen.feed(text[self._fed :])
        self._fed = len(text)
        return self.seen.lines


def test_a_bar_says_which_of_how_many_and_how_long_yet() -> None:
    drawn = Drawn()
    drawn.bars.show([Note("wheels of keras", 0, 4, "absl")])
    drawn.bars.show([Note("wheels of keras", 2, 4, "flax")])
    assert drawn.lines == ["wheels of keras: 2 of 4 |█████     | 00:00, 00:00 left, flax"]


def test_bars_are_below_each_other_and_go_when_they_are_full() -> None:
    drawn = Drawn()
    drawn.bars.show([Note("local channel", 0, 3, "Python"), Note("wheels", 1, 9, "a long name")])
    drawn.bars.show([])
    assert [line.partition(" |")[0] for line in drawn.lines] == [
        "local channel: 0 of 3", "wheels: 1 of 9",
    ]  # fmt: skip
    drawn.bars.show([Note("local channel", 3, 3, ""), Note("apt", 1, 5, ""), Note("x", 1, 2, "")])
    assert [line.partition(" |")[0] for line in drawn.lines] == [
        "wheels: 1 of 9", "apt: 1 of 5", "x: 1 of 2",
    ]  # fmt: skip
    drawn.bars.show([Note("x", 2, 2, ""), Note("wheels", 9, 9, ""), Note("apt", 5, 5, "")])
    assert drawn.lines == []
    assert (drawn.seen.row, drawn.seen.column) == (0, 0)


def test_what_others_write_stands_above_the_bars_and_is_not_spoilt() -> None:
    drawn = Drawn()
    drawn.bars.write(b"before\n")
    drawn.bars.show([Note("wheels", 1, 9, "n" * 60), Note("channel", 1, 3, "")])
    drawn.bars.write(b"one\ntwo\nthr")
    assert drawn.lines[:3] == ["before", "one", "two"]
    assert [line.partition(":")[0] for line in drawn.lines[3:]] == ["wheels", "channel"]
    drawn.bars.show([])
    drawn.bars.write(b"ee\n")
    assert [line.partition(":")[0] for line in drawn.lines[3:]] == ["three", "wheels", "channel"]
    drawn.bars.write(b"$ ")
    drawn.bars.close()
    assert drawn.lines == ["before", "one", "two", "three", "$"]
    assert drawn.seen.column == 2


def test_a_line_without_an_end_waits_only_for_bars() -> None:
    drawn = Drawn()
    drawn.bars.write(b"Continue? ")
    assert drawn.lines == ["Continue?"]
    drawn.bars.show([Note("wheels", 1, 9, "")])
    assert drawn.lines[0] == "Continue?"
    drawn.bars.write(b"\nhalf")
    assert drawn.lines[1].startswith("wheels")
    drawn.bars.show([Note("wheels", 9, 9, "")])
    assert drawn.lines == ["Continue?", "half"]


@pytest.mark.parametrize(("columns", "width"), [(40, 39), (0, 79)])
def test_a_bar_is_as_wide_as_the_terminal_where_that_is_known(columns: int, width: int) -> None:
    terminal, other = os.openpty()
    termios.tcsetwinsize(other, (24, columns))
    seen = Terminal()
    with os.fdopen(terminal, "rb", buffering=0) as reader, os.fdopen(other, "w") as stream:
        Bars(stream).show([Note("wheels", 1, 9, "n" * 200)])
        seen.feed(reader.read(4096).decode())
    assert [len(line) for line in seen.lines] == [width]


# Both


def test_where_nothing_is_installed_nothing_is_printed(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with screen.shown() as notes:
        assert os.environ[progress.FILE] == str(notes.file)
        assert len(temporary(folder)) == 1
    assert capfd.readouterr() == ("", "")
    assert temporary(folder) == []
    assert progress.FILE not in os.environ
    assert notes.refusal is notes.unfinished() is None


def test_elsewhere_lines_are_printed_and_the_bodys_error_stays(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        with screen.shown():
            progress.note("channel", 2, 2, "index")
            progress.note("wheels", 1, 3, "six")
            raise KeyError("why")

    with pytest.raises(KeyError, match="why"):
        refuse()
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "channel: 2 of 2, index (0 s)"
    assert temporary(folder) == []


def test_two_beside_each_other_do_not_mix_their_notes(capfd: pytest.CaptureFixture[str]) -> None:
    with screen.shown() as outer:
        with screen.shown() as inner:
            progress.note("wheels", 1, 2)
        progress.note("channel", 1, 2)
    assert outer.file != inner.file
    assert [notes.unfinished() is not None for notes in (outer, inner)] == [True, True]
    assert "channel" in str(outer.unfinished())
    assert "wheels" in str(inner.unfinished())


MAKES = """
with screen.shown():
    progress.note("wheels", 1, 3, "six")
    go("a")
    for n in range(20):
        os.write(1 + n % 2, b"line %d that is as long as a bar is, or nearly so\\n" % n)
    go("b")
    END
print("after", flush=True)
"""


def made(start: Start, end: str, **environment: str) -> OnTerminal:
    """Start that and let it go on to its end; on a terminal only when the bar was seen."""
    program = start(MAKES.replace("END", end), **environment)
    program.until("wheels: 1 of 3")
    program.go_on()
    program.until("<b>")
    assert program.seen.lines[1:21] == [
        f"line {n} that is as long as a bar is, or nearly so" for n in range(20)
    ]
    program.go_on()
    return program


def test_nothing_of_a_bar_is_left_at_the_end(started: Start, folder: Path) -> None:
    program = made(started, "pass")
    assert program.ended() == 0
    assert program.seen.lines[0] == "<a>"
    assert program.seen.lines[21:] == ["<b>", "after"]
    assert temporary(folder) == []


def test_nor_after_an_error(started: Start, folder: Path) -> None:
    program = made(started, "raise SystemExit('Expected a wheel.')")
    assert program.ended() == 1
    assert program.seen.lines[21:] == ["<b>", "Expected a wheel."]
    assert temporary(folder) == []


def test_nor_after_an_interruption(started: Start, folder: Path) -> None:
    program = made(started, "signal.pause()")
    program.process.send_signal(signal.SIGINT)
    assert program.ended() == -signal.SIGINT
    assert program.seen.lines[21] == "<b>"
    assert program.seen.lines[22].startswith("Traceback")
    assert program.seen.lines[-1] == "KeyboardInterrupt"
    assert temporary(folder) == []


def test_after_a_refusal_nothing_is_in_the_making(started: Start) -> None:
    body = """
with screen.shown() as notes:
    progress.note("wheels", 1, 3, "six")
    go()
    progress.refused("Expected six. Received none. Mend the index.", 4)
    sys.stdin.readline()
print(notes.refusal.sentence, notes.refusal.status)
"""
    program = started(body)
    program.until("<.>\r\n")
    program.until("wheels: 1 of 3")
    program.go_on()
    program.until("\x1b[J")
    assert program.seen.lines == ["<.>"]
    program.go_on()
    assert program.ended() == 0
    assert program.seen.lines == ["<.>", "Expected six. Received none. Mend the index. 4"]


def test_nothing_that_was_written_before_the_end_is_lost(started: Start) -> None:
    body = """
with screen.shown():
    for n in range(3000):
        os.write(1 + n % 2, b"line %d\\n" % n)
"""
    program = started(body)
    assert program.ended() == 0
    assert program.seen.lines == [f"line {n}" for n in range(3000)]


def test_a_job_has_a_bar_from_its_start_to_its_end() -> None:
    drawn, what = Drawn(), "train digits, original, seed 0"
    drawn.bars.show([Note(what, 0, 0, "", True)])
    drawn.bars.show([Note(what, 0, 0, "", True), Note("evaluate digits", 0, 0, "", True)])
    assert drawn.lines == [f"{what}: 00:00", "evaluate digits: 00:00"]
    drawn.bars.show([Note(what, 30, 60, "0:00:05 left", True)])
    assert drawn.lines[0] == f"{what}: 30 of 60 steps |█████     | 00:00, 0:00:05 left"
    drawn.bars.show([Note(what, 1, 1, "", True)])
    assert drawn.lines == ["evaluate digits: 00:00"]
    drawn.bars.show([Note("evaluate digits", 1, 1, "", True), Note("of nobody", 1, 1, "", True)])
    assert drawn.lines == []


OF_JOBS = """
from repro.launch.launcher import JOBS
with screen.shown() as notes:
    with open(os.environ[JOBS], "a") as file:
        print('{"what": "train", "done": 0, "total": 0, "name": "", "job": true}', file=file)
    go()
assert JOBS not in os.environ
assert notes.unfinished() is None
"""


def test_jobs_have_bars_on_a_terminal_and_one_that_was_killed_leaves_none(started: Start) -> None:
    program = started(OF_JOBS)
    program.until("train: 00:00")
    program.go_on()
    assert program.ended() == 0
    assert program.seen.lines == ["<.>"]


def test_elsewhere_nobody_reads_notes_of_jobs() -> None:
    with screen.shown():
        assert JOBS not in os.environ


def test_a_bar_moves_by_itself(started: Start) -> None:
    program = started(MAKES.replace("END", "pass"))
    for second in range(3):
        program.until(f"| 00:0{second}, ")


@pytest.mark.parametrize(
    ("before", "term"),
    [
        pytest.param("", "dumb", id="a terminal that only prints"),
        pytest.param("screen.importlib.util.find_spec = lambda name: None", "xterm", id="no tqdm"),
    ],
)
def test_where_no_bars_can_be_drawn_there_are_lines(before: str, term: str, started: Start) -> None:
    program = started(before + MAKES.replace("END", "pass"), TERM=term)
    program.until("wheels: 1 of 3, six (0 s)\r\n")
    for _ in range(2):
        program.go_on()
    assert program.ended() == 0
    assert "\x1b" not in program.written


def test_where_nothing_is_installed_every_byte_is_as_without(started: Start) -> None:
    body = """
with screen.shown():
    os.write(2, b"red \\x1b[31m\\xc3\\xbf\\n\\tand\\r")
    os.write(1, b"out\\n")
    os.write(2, b"half")
    assert os.isatty(1) and os.isatty(2) and "tqdm" not in sys.modules
    go("b")
"""
    program = started(body)
    program.until("<b>")
    program.go_on()
    assert program.ended() == 0
    assert program.written == "red \x1b[31mÿ\r\n\tand\rout\r\nhalf<b>\r\n"


def test_a_stream_that_goes_elsewhere_still_goes_there(started: Start, tmp_path: Path) -> None:
    body = """
os.dup2(os.open("{file}", os.O_WRONLY | os.O_CREAT), 1)
with screen.shown():
    progress.note("wheels", 1, 3, "six")
    print("result")
    go()
"""
    program = started(body.format(file=tmp_path / "out"))
    program.until("wheels: 1 of 3")
    program.go_on()
    assert program.ended() == 0
    assert (tmp_path / "out").read_text() == "result\n"
    assert program.seen.lines == ["<.>"]


def test_a_terminal_that_is_gone_holds_nobody_up(started: Start, tmp_path: Path) -> None:
    body = """
with screen.shown():
    progress.note("wheels", 1, 3, "six")
    go()
    for n in range(2000):
        os.write(2, b"many a line, more of them than a terminal keeps\\n")
Path("FILE").touch()
"""
    program = started(body.replace("FILE", str(tmp_path / "done")))
    program.until("wheels: 1 of 3")
    program.hang_up()
    program.go_on()
    assert program.process.wait() == 0
    assert (tmp_path / "done").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
def test_no_signal_is_for_it() -> None:
    """Who waits for one has it held, so that the system would look for another thread."""
    with screen.shown():
        (thread,) = (t for t in threading.enumerate() if t.name == "screen")
        status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
    held = int(status.partition("SigBlk:")[2].split()[0], 16)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        assert held & 1 << number - 1


WAITS = """
import outcome
child = '''
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
print("ready", flush=True)
print(int(signal.sigwait([signal.SIGTERM, signal.SIGINT])))
'''
with screen.shown():
    progress.note("wheels", 1, 3, "six")
    go()
    ended = outcome.waited([sys.executable, "-c", child], Path(), os.environ)
print(ended, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_still_reach_who_waits_for_a_child(number: int, started: Start) -> None:
    program = started(WAITS)
    program.until("wheels: 1 of 3")
    program.go_on()
    program.until("ready\r\n")
    program.process.send_signal(number)
    assert program.ended() == 0
    told = f"Ended(status=0, signal={number:d})"
    assert program.seen.lines == ["<.>", "ready", f"{number:d}", told]


def test_what_it_shows_goes_to_stderr_alone() -> None:
    body = f"import sys; sys.path[:0] = {sys.path!r}; from display import progress, screen\n"
    body += "with screen.shown(): progress.note('wheels', 1, 3); progress.note('wheels', 3, 3)"
    done = subprocess.run(
        [sys.executable, "-c", body], capture_output=True, text=True, check=True
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("", "wheels: 3 of 3 (0 s)\n")
