"""A step holds its environment for as long as it runs."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import locks
import pytest
from repro.launch import launcher
from repro.record import environment_lock

PROGRAM = """\
import sys
sys.path.insert(0, {library!r})
from repro.launch import launcher

if sys.argv[1] == "launch":
    sys.prefix = {prefix!r}
    vary = [name for name in sys.argv[2].split(",") if name]
    launcher.launch("repeat" if vary else "original", 2, vary, ["step"])
print("runs", flush=True)
sys.stdin.readline()
"""


def free(prefix: Path) -> bool:
    try:
        with locks.held(environment_lock.lock_of(prefix), locks.ALONE | locks.AT_ONCE):
            return True
    except BlockingIOError:
        return False


@pytest.fixture(params=["", "time zone"], ids=["original", "repeat"])
def step(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A step that runs until it is told to end, in an environment with a lock."""
    prefix = tmp_path / "an environment"
    environment_lock.lock_of(prefix).touch(0o444)
    program = tmp_path / "program.py"
    library = str(Path(launcher.__file__).parents[2])
    program.write_text(PROGRAM.format(library=library, prefix=str(prefix)))
    with subprocess.Popen(
        [sys.executable, "-B", str(program), "launch", request.param],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "runs\n"
        yield process
        process.kill()


def test_while_a_step_runs_its_environment_is_in_use(
    step: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    prefix = tmp_path / "an environment"
    assert not free(prefix)
    with locks.held(
        environment_lock.lock_of(prefix), locks.TOGETHER
    ):  # several jobs use it at once
        pass
    step.communicate("end\n")
    assert step.returncode == 0
    assert free(prefix)


def test_a_step_that_is_killed_leaves_no_lock(
    step: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    assert step.stdout is not None
    step.send_signal(signal.SIGKILL)
    assert step.stdout.read() == ""  # its own child has ended as well
    assert free(tmp_path / "an environment")


def test_without_a_lock_there_is_nothing_to_hold(tmp_path: Path) -> None:
    environment_lock.for_life(tmp_path / "an environment")
    assert list(tmp_path.iterdir()) == []
