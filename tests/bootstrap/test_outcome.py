"""One status for what came of a run, whatever failed in it; a Snakemake that is made up."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import outcome
import project
import pytest
import tools

SNAKEMAKE = """\
#!{python} -Es
import os, signal, sys, time
from pathlib import Path
sys.path[:0] = [{library!r}]
from repro.core.errors import CouldNotRun, UserError
from repro.core.reporting import reported
dry = sys.argv[1] == "--dry-run"
Path("calls.txt").open("a").write(" ".join(sys.argv[1:]) + "\\n")

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
        text = SNAKEMAKE.format(python=sys.executable, library=str(project.LIBRARY), body=body)
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
        pytest.param('job("verify.log", status=3); sys.exit(1)', 3, id="nobody can tell"),
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


def test_logs_are_looked_for_where_the_jobs_work(ran: Callable[..., int], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    body = f"os.chdir('elsewhere'); {MISTAKEN}; {NO_NOTE}"
    assert ran(body, tmp_path / "elsewhere") == 2
    assert ran(f"{MISTAKEN}; {NO_NOTE}", tmp_path / "elsewhere") == 4


WAITING = """
import os, sys
from pathlib import Path
sys.path[:0] = [{library!r}, {bootstrap!r}]
import outcome
child = '''
import os, signal, sys, time
from pathlib import Path
got = []
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda n, _: got.append(n))
os.mkfifo("ready.tmp")
os.rename("ready.tmp", "ready")
open("ready").close()
while True:
    signal.pause()
    Path("got.txt").write_text(repr(got))
    os.rename("ready", "old") if os.path.exists("ready") else None
    if len(got) >= int(sys.argv[1]): sys.exit(int(sys.argv[2]))
'''
ended = outcome.waited([sys.executable, "-c", child, *sys.argv[1:]], Path(), os.environ)
print(ended.status, ended.signal, ended.interrupted, flush=True)
"""


def waiting(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A process that waits for a child, in a group of its own; returns when the child listens."""
    source = WAITING.format(library=str(project.LIBRARY), bootstrap=str(project.ROOT / "bootstrap"))
    process = subprocess.Popen(
        [sys.executable, "-c", source, *arguments], cwd=folder, text=True,
        stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    while not (folder / "ready").exists():
        assert process.poll() is None
    (folder / "ready").open("w").close()  # returns when the child has opened the other end
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_it_alone_reaches_the_child_once_and_is_told(
    number: int, tmp_path: Path
) -> None:
    process = waiting(tmp_path, "1", "1")
    process.send_signal(number)
    assert process.communicate()[0] == f"1 {number} {128 + number}\n"
    assert (tmp_path / "got.txt").read_text() == f"[{number}]"


def test_what_is_typed_reaches_the_child_once(tmp_path: Path) -> None:
    """A terminal sends Ctrl-C to the whole group: it is not handed on once more."""
    pid, terminal = os.forkpty()
    if pid == 0:
        os.chdir(tmp_path)
        source = WAITING.format(
            library=str(project.LIBRARY), bootstrap=str(project.ROOT / "bootstrap")
        )
        os.execv(sys.executable, [sys.executable, "-c", source, "2", "1"])
    while not (tmp_path / "ready").exists():
        pass
    (tmp_path / "ready").open("w").close()
    os.write(terminal, b"\x03")
    while not (tmp_path / "old").exists():
        pass
    assert (tmp_path / "got.txt").read_text() == "[2]"
    os.kill(pid, signal.SIGTERM)  # handed on: were the first one handed on as well, it came before
    said = b""
    while b"\n" not in said.replace(b"^C", b""):
        said += os.read(terminal, 1024)
    os.waitpid(pid, 0)
    os.close(terminal)
    assert (tmp_path / "got.txt").read_text() == "[2, 15]"
    assert said.replace(b"^C", b"").split() == [b"1", b"15", b"143"]


def test_a_child_that_ends_well_after_a_signal_was_not_interrupted(tmp_path: Path) -> None:
    process = waiting(tmp_path, "1", "0")
    process.send_signal(signal.SIGHUP)
    assert process.communicate()[0] == "0 1 0\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell a parent's end")
def test_a_killed_one_leaves_no_child(tmp_path: Path) -> None:
    process = waiting(tmp_path, "1", "0")
    process.kill()
    # The pipe that the child has inherited ends only with the child.
    assert process.communicate()[0] == ""
