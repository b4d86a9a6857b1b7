"""The benchmark of the set-up: who takes turns with whom, from which state, and what is left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import project
import pytest

sys.path.insert(0, str(project.ROOT / "tests" / "benchmarks"))

import set_up
import sides
from set_up import Measurement
from sides import COLD, IDLE, PLAIN, VERDICT, WARM, Side

BENCHMARKS = project.ROOT / "tests" / "benchmarks"

# Tells what it started on standard output, and goes on until somebody ends it.
ENDLESS = """\
import os, subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import set_up, sides
class Popen(subprocess.Popen):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        if sys.argv[3:]:
            while not Path(options["cwd"], "fifo").exists():
                os.sched_yield()
            os.kill(os.getpid(), int(sys.argv[3]))
subprocess.Popen = Popen
with set_up.scratch(Path(sys.argv[2])) as place:
    side = sides.Side("endless", place / "side", lambda folder: folder.mkdir(), {})
    side.make_ready(sides.COLD)
    told = f"/proc/{os.getpid()}/fd/1"
    # A child of a child, whose end shows as the end of what it tells.
    set_up.run(["sh", "-c", f"sh -c 'mkfifo fifo; echo there; cat <>fifo' > {told} & wait"], side)
"""


def _side(folder: Path, name: str, tasks: tuple[str, ...], log: Path) -> Side:
    commands = {task: [["sh", "-c", f"echo '{name}: {task}' >> '{log}'"]] for task in tasks}
    return Side(name, folder / name, lambda place: place.mkdir(parents=True), commands)


def test_the_sides_take_turns_and_each_round_begins_with_another(tmp_path: Path) -> None:
    log = tmp_path / "log"
    every = [_side(tmp_path, name, (COLD, IDLE), log) for name in ("a", "b")]
    every.append(_side(tmp_path, "c", (COLD,), log))
    found = list(set_up.measurements(every, 2))
    idle = set_up.TASKS.count(IDLE)
    first = [f"{side}: {COLD}" for side in "abc"] + [f"{side}: {IDLE}" for side in "ab"] * idle
    second = [f"{side}: {COLD}" for side in "bca"] + [f"{side}: {IDLE}" for side in "ba"] * idle
    assert log.read_text().splitlines() == first + second
    assert [f"{m.side}: {m.task}" for m in found] == first + second
    assert {m.round for m in found[: len(first)]} == {0}
    assert list(tmp_path.iterdir()) == [log]


def test_each_task_begins_from_the_state_that_it_names(tmp_path: Path) -> None:
    written: list[Path] = []
    side = Side("a", tmp_path / "a", lambda place: (place.mkdir(), written.append(place))[1], {})
    wheels = Path(side.environment["PIP_CACHE_DIR"]) / "wheel"
    shared = Path(side.environment["REPRO_CACHE"]) / "environments" / "read-only" / "made"

    def there() -> tuple[bool, bool, bool]:
        return wheels.exists(), shared.exists(), (side.project / "results").exists()

    def make() -> None:
        for folder in (wheels, shared, side.project / "results"):
            folder.mkdir(parents=True, exist_ok=True)
        shared.parent.chmod(0o500)

    expected = {COLD: (False, False, False), WARM: (True, False, False)}
    expected |= {VERDICT: (True, False, False), IDLE: (True, True, True), PLAIN: (True, True, True)}
    for task, state in expected.items():
        side.make_ready(task)
        assert there() == state, task
        make()
    assert len(written) == 3


def test_a_side_sees_nothing_of_this_users_caches_or_of_these_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, inherited = tmp_path / "user", ("REPRO_CACHE", "UV_CACHE_DIR", "PIP_CACHE_DIR", "HOME")
    (home / ".config" / "pip").mkdir(parents=True)
    for name in (*inherited, "XDG_CACHE_HOME", "SNAKEMAKE_PROFILE", "CONDA_PREFIX"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:word@index.example/simple")
    monkeypatch.setenv("PATH", f"{project.TOOLS / 'bin'}{os.pathsep}/usr/bin")
    side = _side(tmp_path, "a", (), tmp_path / "log")
    side.make_ready(COLD)
    seen = side.environment
    assert str(home) not in seen.values()
    assert all(Path(seen[name]).is_relative_to(side.home) for name in inherited)
    assert str(project.ROOT) not in seen["PATH"]
    assert seen["PIP_INDEX_URL"] == "https://user:word@index.example/simple"
    assert (side.home / ".config" / "pip").resolve() == (home / ".config" / "pip").resolve()
    assert sorted(path.name for path in side.home.iterdir()) == [".config"]


def test_what_fails_is_shown(tmp_path: Path) -> None:
    failing = {COLD: [["sh", "-c", "echo the reason; exit 7"]]}
    side = Side("a", tmp_path / "a", lambda place: place.mkdir(), failing)
    with pytest.raises(SystemExit, match=r"the reason\n\nExpected sh .* of a .* status 7\."):
        list(set_up.measurements([side], 1))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_and_nothing_runs_on_when_it_is_ended(
    number: signal.Signals, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", ENDLESS, str(BENCHMARKS), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"there\n"
        assert list(tmp_path.iterdir()) != []
        child.send_signal(number)
        assert child.stdout.read() == b""  # ends with the last process that holds it
    assert child.returncode != 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_runs_on_either_when_it_is_ended_as_it_starts_a_command(
    number: signal.Signals, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", ENDLESS, str(BENCHMARKS), str(tmp_path), str(int(number))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.read()
    assert child.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_the_comparison_is_left_out_where_the_history_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)  # of somebody else
    monkeypatch.setattr(project, "ROOT", tmp_path / "unpacked")
    (tmp_path / "unpacked").mkdir()
    monkeypatch.setattr(sides, "fits", lambda: True)
    names = [side.name for side in set_up._sides(tmp_path)]
    assert names == ["now", "pip"]
    assert f"commit {set_up.BEFORE} is left out" in capsys.readouterr().out


def test_an_earlier_commit_is_written_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = tmp_path / "history"
    git = ["git", "-C", str(history), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "-q", str(history)], check=True)
    for text in ("old", "new"):
        (history / "file").write_text(text)
        subprocess.run([*git, "add", "file"], check=True)
        subprocess.run([*git, "commit", "-qm", text], check=True)
    monkeypatch.setattr(project, "ROOT", history.resolve())
    write = sides.write_commit("HEAD~1")
    assert write is not None
    write(tmp_path / "written")
    assert (tmp_path / "written" / "file").read_text() == "old"
    assert sides.write_commit("HEAD~2") is None


def test_a_copy_holds_what_is_no_ones_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    for name in (*sides.MADE, "bootstrap/results", "bootstrap/__pycache__"):
        (root / name).mkdir(parents=True)
    (root / "run").touch()
    monkeypatch.setattr(project, "ROOT", root)
    sides.write_now(tmp_path / "copy")
    copied = {path.relative_to(tmp_path / "copy") for path in (tmp_path / "copy").rglob("*")}
    assert copied == {Path("run"), Path("bootstrap"), Path("bootstrap/results")}


def test_a_ratio_is_that_of_things_run_side_by_side() -> None:
    spent = {
        (COLD, "before"): [10.0, 100.0, 30.0],
        (COLD, "now"): [5.0, 40.0, 27.0],
        (COLD, "pip"): [5.0, 80.0, 30.0],
        (IDLE, "now"): [3.0, 9.0, 4.0],
        (PLAIN, "now"): [2.0, 6.0, 3.5],
    }
    found = [
        Measurement(number, task, side, 0.0, seconds)
        for (task, side), every in spent.items()
        for number, seconds in enumerate(every)
    ]
    table = {row[0]: row[1:] for row in set_up.rows(found)}
    assert table[COLD] == ("30.0 (10.0)", "27.0 (5.0)", "30.0 (5.0)", "0.50", "0.90")
    assert table[WARM] == ("–",) * 5
    assert list(table.values())[-1] == ("–", "1.0 (0.5)", "–", "–", "–")
    assert {len(row) for row in set_up.rows(found)} == {len(set_up.COLUMNS)}
