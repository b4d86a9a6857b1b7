"""The command line that makes results: one sentence on the terminal, the rest in the log."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from repro.launch import launcher
from repro.launch.launcher import SAID_LAST
from repro.launch.reporting import Ending, ending
from samples import LIBRARY, Fresh

WORK = """
import os, sys
from pathlib import Path
from repro.core.errors import CouldNotRun, UserError
from repro.launch.reporting import reported

def work(say):
    print("printed", flush=True)
    os.system("echo from a child")
    {what}

sys.exit(reported(Path(sys.argv[1]), work))
"""


def reported(fresh: Fresh, log: Path, what: str) -> subprocess.CompletedProcess[str]:
    return fresh(WORK.format(what=what), str(log))


def test_work_that_succeeds_is_silent(fresh: Fresh, tmp_path: Path) -> None:
    done = reported(fresh, tmp_path / "logs" / "a.log", "pass")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted((tmp_path / "logs" / "a.log").read_text().split("\n")) == [
        "", "from a child", "printed",
    ]  # fmt: skip


def test_what_is_said_reaches_the_user_and_what_is_printed_the_log(
    fresh: Fresh, tmp_path: Path
) -> None:
    done = reported(fresh, tmp_path / "a.log", "say('searching é')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "searching é\n")
    assert "printed" in (tmp_path / "a.log").read_text()


def test_a_users_mistake_is_one_sentence(fresh: Fresh, tmp_path: Path) -> None:
    done = reported(fresh, tmp_path / "a.log", "raise UserError('Expected a. Received é.')")
    assert done.returncode == 2
    assert done.stderr.startswith("Expected a. Received é. (Log: ")
    assert done.stderr.endswith("a.log)\n")
    assert "Traceback" in (tmp_path / "a.log").read_text()


def test_a_bug_says_so_and_where_the_traceback_is(fresh: Fresh, tmp_path: Path) -> None:
    done = reported(fresh, tmp_path / "a.log", "raise KeyError('one\\ntwo')")
    assert done.returncode == 4
    assert "an error of its own (KeyError" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "work(say)" in (tmp_path / "a.log").read_text()


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("pass", None),
        ("return 0", None),
        ("return 1", 1),
        ("return 3", 3),
        ("raise UserError('Expected a.')", 2),
        ("raise CouldNotRun('Expected room.')", 4),
        ("raise OSError(28, 'No space left on device')", 4),
        ("raise KeyError('a')", 4),
        ("os.kill(os.getpid(), 9)", None),
        ("raise SystemExit(2)", None),
    ],
)
def test_the_log_ends_with_the_status_unless_it_went_well_or_was_killed(
    what: str, status: int | None, fresh: Fresh, tmp_path: Path
) -> None:
    done = reported(fresh, log := tmp_path / "a.log", what)
    end = ending(log)
    assert (end.status if end else None) == status
    assert status is None or done.returncode == status
    assert log.read_text().startswith("printed\n")


@pytest.mark.parametrize("said", ["Expected a. Received é.", "Which says:\none\n\ntwo\nMend."])
def test_the_last_words_of_a_log_are_the_sentence(said: str, fresh: Fresh, tmp_path: Path) -> None:
    reported(fresh, log := tmp_path / "a.log", f"raise UserError({said!r})")
    assert ending(log) == Ending(2, said)
    assert log.read_text().endswith(f"\n{said}\n")


def test_a_log_that_is_gone_or_of_another_notes_nothing(tmp_path: Path) -> None:
    assert ending(tmp_path / "a.log") is None
    (tmp_path / "a.log").write_text("exit status: 2")
    assert ending(tmp_path / "a.log") is None
    (tmp_path / "a.log").write_text("\nexit status: 2\nand then it went on\n")
    assert ending(tmp_path / "a.log") is None


def test_where_the_sentence_is_said_last_a_job_says_nothing_but_to_its_log(
    fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SAID_LAST, "1")
    done = reported(fresh, log := tmp_path / "a.log", "raise UserError('Expected a.')")
    assert (done.returncode, done.stderr) == (2, "")
    assert ending(log) == Ending(2, "Expected a.")


def test_a_log_that_does_not_fit_hides_no_sentence(
    fresh: Fresh, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The log's own block is filled as well.
    what = "os.write(1, b'x' * 4060); "
    what += "Path(sys.argv[1]).with_name('full').open('wb', 0).write(bytes(10**6)); "
    monkeypatch.setenv(SAID_LAST, "1")
    done = reported(fresh, tiny_disk / "a.log", what + "raise UserError('Expected room.')")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("Expected room. (Log: ")


def step(tmp_path: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    program = tmp_path / "program.py"
    program.write_text(
        f"import sys; sys.path.insert(0, {str(LIBRARY)!r})\n"
        "from repro.cli.program import main; sys.exit(main())\n"
    )
    return subprocess.run(
        [sys.executable, "-B", str(program), *options],
        cwd=tmp_path, env={**os.environ, **variables}, text=True, capture_output=True, check=False,
    )  # fmt: skip


PARAMETERS = (
    '{"threads": {"intra": 2, "inter": 1}, "data_seed": 0, "data": {}, "split": {}, "settings": {}}'
)
PREPARE = ["prepare", "--experiment", "a", "--run", "original", "--parameters", PARAMETERS,
           "--out", "out", "--log", "a.log"]  # fmt: skip


def test_a_step_started_by_hand_is_refused(tmp_path: Path) -> None:
    done = step(tmp_path, *PREPARE)
    assert done.returncode == 2
    assert "Start the step through the workflow" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_wrong_factor_set_by_hand_removes_no_folder(tmp_path: Path) -> None:
    done = step(tmp_path, *PREPARE, **{launcher.FACTORS: "time zone"})
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("run", ["original", "repeat"])
def test_only_an_environment_with_its_record_comes_as_far_as_the_code(
    run: str, tmp_path: Path
) -> None:
    recorded = (Path(sys.prefix) / "repro-installed.json").exists()
    options = [run if option == "original" else option for option in PREPARE]
    options += ["--input", "experiment=gone.py"]
    done = step(tmp_path, "launch", "--run", run, "--intra", "2", "--", *options)
    assert done.returncode == 2, done.stderr
    assert ("repro-installed.json" in done.stderr) != recorded
    assert ("Expected the input `experiment` at" in done.stderr) == recorded
    assert not list((tmp_path / "out").rglob("*.json"))


def test_several_sources_are_taken(tmp_path: Path) -> None:
    sources = ["--input", "experiment=e.py", "--input", "data:a=1", "data:b=2"]
    done = step(tmp_path, *PREPARE, *sources)
    assert "Start the step through the workflow" in done.stderr
