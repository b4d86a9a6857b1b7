"""One status for what came of a run, whatever failed in it; a Snakemake that is made up."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import outcome
import project
import pytest
import tools

SNAKEMAKE = """\
#!{python} -Es
import os, signal, sys, time
from pathlib import Path
sys.path[:0] = [{library!r}, {bootstrap!r}]
from display import progress
from repro.core.errors import CouldNotRun, UserError
from repro.launch.reporting import reported
given = [word for word in sys.argv[1:] if not word.startswith("--logger")]
dry = given[0] == "--dry-run"
Path("calls.txt").open("a").write(" ".join(given) + "\\n")

def job(name, error=None, status=0):
    def work(say):
        if error:
            raise error
        return status
    return reported(Path("logs", name), work)

def kill(number=9):
    os.kill(os.getpid(), number)

{body}
"""


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs a Snakemake that is but these lines."""
    monkeypatch.setattr(tools, "BIN", tmp_path / "bin")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()

    def run(body: str, folder: Path = Path()) -> int:
        program = tmp_path / "bin" / "snakemake"
        text = SNAKEMAKE.format(
            python=sys.executable, library=str(project.LIBRARY), body=body,
            bootstrap=str(project.ROOT / "bootstrap"),
        )  # fmt: skip
        program.write_text(text)
        program.chmod(0o755)
        return outcome.of_snakemake(["all", "--cores", "2"], folder)

    return run


MISTAKEN, FULL = 'job("a.log", UserError("Expected a."))', 'job("b.log", CouldNotRun("Full."))'
NO_NOTE = "sys.exit(0 if dry else 1)"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param("sys.exit(0)", 0, id="all went well"),
        pytest.param(f"{MISTAKEN}; sys.exit(0)", 0, id="well in the end"),
        pytest.param('sys.exit(job("verify.log", status=1))', 1, id="a claim does not hold"),
        pytest.param('job("verify.log", status=3); sys.exit(1)', 3, id="undecided"),
        pytest.param(f"{MISTAKEN}; sys.exit(1)", 2, id="a mistake in a job"),
        pytest.param(f"{FULL}; sys.exit(1)", 4, id="no room for a job"),
        pytest.param('job("a.log", KeyError(1)); sys.exit(1)', 4, id="a bug in a job"),
        pytest.param(f"{FULL}; {MISTAKEN}; sys.exit(1)", 2, id="two jobs"),
        pytest.param(f"{MISTAKEN}; job('c.log'); sys.exit(1)", 2, id="and one that went well"),
        pytest.param(f"{MISTAKEN}; job('a.log'); {NO_NOTE}", 4, id="a second try of the same"),
        pytest.param(NO_NOTE, 4, id="a job that was killed"),
        pytest.param("sys.exit(1)", 2, id="it refuses what is asked"),
        pytest.param("sys.exit(2)", 2, id="it refuses its command line"),
        pytest.param("kill()", 4, id="it is killed itself"),
        pytest.param(f"{MISTAKEN}; kill()", 2, id="it is killed after a mistake"),
    ],
)
def test_the_status_says_what_came_of_it(body: str, status: int, ran: Callable[..., int]) -> None:
    assert ran(body) == status


HELD = """\
import json
held = next(word.partition("=")[2] for word in sys.argv if word.startswith("--logger-repro-file="))
with open(held, "a") as file:
    for told in {told}:
        record = {{"text": "long", "message": "Error in rule train", "exception": None, "logs": [],
                  "told": told}}
        file.write(json.dumps(record) + "\\n")
sys.exit(1)
"""
ENDED = "SLURM-job '12_1' failed, SLURM status is: '{}'. Detailed failure reason unavailable"


def test_what_slurm_ended_is_said_in_a_sentence(
    ran: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    timeout, failed = ENDED.format("TIMEOUT"), ENDED.format("NODE_FAIL")
    assert ran(HELD.format(told=[timeout, failed, timeout])) == 4
    (said,) = capfd.readouterr().err.splitlines()
    assert said.startswith("Slurm ended 3 jobs (NODE_FAIL and TIMEOUT).")
    assert said.endswith("More minutes: `resources: {time: …}` in the configuration.")
    assert ran(HELD.format(told=[failed, None])) == 4  # something else failed too
    shown = capfd.readouterr().err.splitlines()
    assert shown[:-1] == ["long", "long"]
    assert shown[-1].startswith("Slurm ended 1 job (NODE_FAIL).")


def test_what_an_earlier_run_left_says_nothing(ran: Callable[..., int]) -> None:
    assert ran(f"{MISTAKEN}; sys.exit(1)") == 2
    assert ran(NO_NOTE) == 4
    assert ran("job('b.log', status=3); sys.exit(1)") == 3
    assert ran(f"{MISTAKEN}; sys.exit(1)") == 2


def test_only_where_nothing_was_noted_it_is_asked_again_without_running(
    ran: Callable[..., int], tmp_path: Path
) -> None:
    ran(f"{MISTAKEN}; sys.exit(1)")
    assert (tmp_path / "calls.txt").read_text() == "all --cores 2\n"
    ran(NO_NOTE)
    assert (tmp_path / "calls.txt").read_text().splitlines()[1:] == [
        "all --cores 2", "--dry-run all --cores 2",
    ]  # fmt: skip


def test_what_several_jobs_say_alike_is_said_once_and_last(
    ran: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    hint = "UserError('Expected a. This run has no network.')"
    jobs = f"{MISTAKEN}; job('repeat.log', {hint}); job('c.log', UserError('Expected a.'))"
    assert ran(f"{jobs}; print('Exiting because a job failed', file=sys.stderr); sys.exit(1)") == 2
    shown = capfd.readouterr().err.splitlines()
    assert shown[-2:] == [
        "Exiting because a job failed",
        "Expected a. (Logs: logs/a.log, logs/c.log and 1 more)",
    ]
    assert sum("Expected a." in line for line in shown) == 1


def test_each_mistake_is_said(ran: Callable[..., int], capfd: pytest.CaptureFixture[str]) -> None:
    assert ran(f"{MISTAKEN}; job('b.log', UserError('Expected b.')); {FULL}; sys.exit(1)") == 2
    assert ran(f"{MISTAKEN}; job('d.log', UserError('Expected d.')); {FULL}; sys.exit(1)") == 2
    said = capfd.readouterr().err.splitlines()
    assert said[-2:] == ["Expected a. (Log: logs/a.log)", "Expected d. (Log: logs/d.log)"]


def test_logs_are_looked_for_where_the_jobs_work(ran: Callable[..., int], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    body = f"os.chdir('elsewhere'); {MISTAKEN}; {NO_NOTE}"
    assert ran(body, tmp_path / "elsewhere") == 2
    assert ran(f"{MISTAKEN}; {NO_NOTE}", tmp_path / "elsewhere") == 4


REFUSED = 'progress.refused("Expected six. Received none. Mend the index.", {status})'


@pytest.mark.parametrize("status", [2, 4])
def test_what_is_not_installed_is_told_last_and_nobody_is_asked(
    status: int, ran: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    body = f"{REFUSED.format(status=status)}; progress.refused('Received no pin file.', 2)"
    body += '; print("Much else.", file=sys.stderr); sys.exit(1)'
    assert ran(body) == status
    assert capfd.readouterr().err == "Much else.\nExpected six. Received none. Mend the index.\n"
    assert (tmp_path / "calls.txt").read_text() == "all --cores 2\n"


def test_a_refusal_that_something_else_made_good_is_not_told(
    ran: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    assert ran(f"{REFUSED.format(status=4)}; sys.exit(0)") == 0
    assert capfd.readouterr().err == ""


def test_an_installer_that_was_killed_is_named(
    ran: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ran('progress.note("wheels", 12, 39, "six"); sys.exit(1)') == 4
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith("Expected to finish wheels. Received an end at 12 of 39, six: ")
    assert (tmp_path / "calls.txt").read_text() == "all --cores 2\n"


def test_but_not_where_a_job_told_why(
    ran: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    assert ran(f'progress.note("wheels", 12, 39); {MISTAKEN}; sys.exit(1)') == 2
    assert "Expected to finish" not in capfd.readouterr().err


WAITING = """
import os, subprocess, sys
from pathlib import Path
sys.path[:0] = [{library!r}, {bootstrap!r}]
import outcome
handed, send = [], subprocess.Popen.send_signal
subprocess.Popen.send_signal = lambda self, n: (handed.append(int(n)), send(self, n))
child = '''
import signal, sys
wanted = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
with open("told", "w", buffering=1) as told:
    print("ready", file=told)
    for _ in range(int(sys.argv[1])):
        print(int(signal.sigwait(wanted)), file=told)
sys.exit(int(sys.argv[2]))
'''
ended = outcome.waited([sys.executable, "-c", child, *sys.argv[1:]], Path(), os.environ)
print(ended.status, ended.signal, ended.interrupted, handed, flush=True)
"""


def command(*arguments: str) -> list[str]:
    """A process that waits for a child, which tells each signal that it gets."""
    source = WAITING.format(library=str(project.LIBRARY), bootstrap=str(project.ROOT / "bootstrap"))
    return [sys.executable, "-c", source, *arguments]


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], TextIO]]]:
    """Starts that, in a group of its own; returns when the child listens, with what it tells."""
    with ExitStack() as stack:

        def start(*arguments: str) -> tuple[subprocess.Popen[str], TextIO]:
            os.mkfifo(tmp_path / "told")
            process = subprocess.Popen(
                command(*arguments), cwd=tmp_path, text=True, stdout=subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
            stack.enter_context(process)
            told = stack.enter_context((tmp_path / "told").open())
            assert told.readline() == "ready\n"
            return process, told

        yield start


Waiting = Callable[..., tuple[subprocess.Popen[str], TextIO]]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_it_alone_reaches_the_child_and_is_told(number: int, waiting: Waiting) -> None:
    process, told = waiting("1", "1")
    process.send_signal(number)
    assert told.read() == f"{number:d}\n"
    assert process.communicate()[0] == f"1 {number:d} {128 + number} [{number:d}]\n"


def test_what_is_typed_reaches_the_child_once(tmp_path: Path) -> None:
    """A terminal sends Ctrl-C to the whole group: it is not handed on once more."""
    os.mkfifo(tmp_path / "told")
    pid, terminal = os.forkpty()
    if pid == 0:
        os.chdir(tmp_path)
        os.execv(sys.executable, command("2", "1"))
    with (tmp_path / "told").open() as told:
        assert told.readline() == "ready\n"
        os.write(terminal, b"\x03")
        assert told.readline() == "2\n"
        os.kill(pid, signal.SIGTERM)
        assert told.read() == "15\n"
    said = b""
    while b"\n" not in said:
        said += os.read(terminal, 1024)
    os.waitpid(pid, 0)
    os.close(terminal)
    assert said.replace(b"^C", b"").split() == [b"1", b"15", b"143", b"[15]"]


def test_a_child_that_ends_well_after_a_signal_was_not_interrupted(waiting: Waiting) -> None:
    process, _ = waiting("1", "0")
    process.send_signal(signal.SIGHUP)
    assert process.communicate()[0] == "0 1 0 [1]\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell a parent's end")
def test_a_killed_one_leaves_no_child(waiting: Waiting) -> None:
    process, told = waiting("1", "0")
    process.kill()
    assert told.read() == ""  # it ends only with the child
    assert process.communicate()[0] == ""
