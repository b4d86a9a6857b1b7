"""The launcher: one table of settings; a step refuses to work without any one of them."""

import json
import os
import sys
from pathlib import Path

import pytest
from repro.core import launch
from repro.core.errors import UserError
from samples import Fresh

RUNS = ("original", "repeat")


def test_a_repeat_varies_what_it_names_and_nothing_else() -> None:
    original, repeat = (launch.settings(run, 2) for run in RUNS)
    assert {n for n in repeat if repeat[n] != original[n]} == {
        "PYTHONHASHSEED",
        "TZ",
        launch.FACTORS,
    }
    assert original[launch.FACTORS] == ""
    assert tuple(repeat[launch.FACTORS].split(",")) == launch.NAMES
    assert launch.NAMES == ("hash seed", "time zone", "working directory")


def test_threads_are_those_of_the_configuration() -> None:
    values = launch.settings("original", 3)
    names = [name for name in values if name.endswith("_NUM_THREADS")]
    assert "OMP_NUM_THREADS" in names
    assert {values[name] for name in names} == {"3"}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("name", [*launch.settings("original", 2)])
def test_each_setting_that_is_missing_or_other_is_refused(
    run: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = launch.settings(run, 2)
    for key, value in wanted.items():
        monkeypatch.setenv(key, value)
    launch.check(run, 2)
    monkeypatch.setenv(name, f"{wanted[name]}x")
    with pytest.raises(UserError, match=rf"variable {name} to be '.*'\. Received '.*x'\."):
        launch.check(run, 2)
    monkeypatch.delenv(name)
    with pytest.raises(UserError, match=rf"variable {name} to be '.*'\. Received None\."):
        launch.check(run, 2)


def test_the_original_is_not_taken_for_the_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in launch.settings("original", 2).items():
        monkeypatch.setenv(key, value)
    with pytest.raises(UserError, match="PYTHONHASHSEED"):
        launch.check("repeat", 2)
    with pytest.raises(UserError, match="_NUM_THREADS"):
        launch.check("original", 1)


PROGRAM = """
import json, os, sys, time
sys.path.insert(0, {library!r})
from repro.core import launch

if sys.argv[1] == "launch":
    launch.launch(sys.argv[2], 2, ["step", *sys.argv[3:]])
launch.check(sys.argv[2], 2)
print(json.dumps({{
    "directory": os.getcwd(), "path": str(launch.path("a/b")), "environment": dict(os.environ),
    "varied": launch.varied(), "arguments": sys.argv[2:], "hash": hash("text"),
    "zone": time.strftime("%z", time.localtime(0)),
}}))
launch.leave()
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program with a space.py"
    library = Path(launch.__file__).parents[2]
    file.write_text(PROGRAM.format(library=str(library)))
    return file


def started(program: Path, run: str, fresh: Fresh, **variables: str) -> dict[str, object]:
    source = f"import os, sys; os.chdir({str(program.parent)!r}); os.execv(sys.executable, "
    source += f"[sys.executable, '-B', {program.name!r}, 'launch', {run!r}, {run!r}, 'é b'])"
    done = fresh(source, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_step_starts_under_the_table_whatever_the_user_has_set(
    program: Path, fresh: Fresh, tmp_path: Path
) -> None:
    strange = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "TF_XLA_FLAGS": "--x",
               "PYTHONSTARTUP": "x", "REPRO_FACTORS": "x", "OMP_NUM_THREADS": "9"}  # fmt: skip
    found = {run: started(program, run, fresh, **strange) for run in RUNS}
    for run, one in found.items():
        environment = dict(one["environment"])  # type: ignore[call-overload]
        table = launch.settings(run, 2)
        assert {name: environment.get(name) for name in table} == table
        assert "TF_XLA_FLAGS" not in environment
        assert "PYTHONPATH" not in environment
        assert one["path"] == str(tmp_path / "a" / "b")
        assert one["arguments"] == [run, "é b"]
    assert found["original"]["directory"] == str(tmp_path)
    assert found["original"]["varied"] == []
    assert found["repeat"]["varied"] == list(launch.NAMES)
    assert found["original"]["hash"] != found["repeat"]["hash"]
    assert (found["original"]["zone"], found["repeat"]["zone"]) == ("+0000", "+1345")
    fresh_folder = Path(str(found["repeat"]["directory"]))
    assert fresh_folder != tmp_path
    assert not fresh_folder.exists()


def test_two_processes_of_one_run_hash_alike(program: Path, fresh: Fresh) -> None:
    hashes = {started(program, "original", fresh)["hash"] for _ in range(2)}
    assert len(hashes) == 1


def test_paths_start_from_where_the_user_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(launch.DIRECTORY, raising=False)
    assert launch.path("a") == Path("a")
    monkeypatch.setenv(launch.DIRECTORY, os.sep + "b")
    assert launch.path("a") == Path(os.sep, "b", "a")
    assert launch.path(sys.executable) == Path(sys.executable)
