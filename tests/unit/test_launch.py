"""The launcher: one table of settings; a step refuses to work without any one of them."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from repro.core.errors import UserError
from repro.launch import launcher
from repro.launch.drawn_values import hash_seed, time_zone
from samples import Fresh


def entries(*names: str) -> str:
    return json.dumps([{"factor": name, "varied": True, "how": "so"} for name in names])


def test_blas_has_one_thread_and_others_those_of_the_configuration() -> None:
    values = launcher.settings(3)
    assert values["OMP_NUM_THREADS"] == "3"
    assert values["OPENBLAS_NUM_THREADS"] == values["MKL_NUM_THREADS"] == "1"


DRAWS = """
import sys
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.savefig(sys.argv[1])
print(plt.rcParams["lines.linewidth"], plt.get_backend())
"""


def test_who_draws_reads_and_writes_nothing_of_the_users_home(tmp_path: Path, fresh: Fresh) -> None:
    own, temporary = tmp_path / ".config/matplotlib/matplotlibrc", tmp_path / "temporary"
    own.parent.mkdir(parents=True)
    own.write_text("lines.linewidth: 9\nbackend: svg\n")
    temporary.mkdir()
    here = {"HOME": str(tmp_path), "TMPDIR": str(temporary)}
    done = fresh(DRAWS, str(tmp_path / "a.png"), **launcher.settings(2), **here)
    assert done.stdout == "1.5 agg\n", done.stderr
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {own, tmp_path / "a.png"}


def wanted(varied: tuple[str, ...]) -> dict[str, str]:
    """What a step with these factors must find."""
    every = {"hash seed": ("PYTHONHASHSEED", hash_seed), "time zone": ("TZ", time_zone)}
    drawn = {every[name][0]: every[name][1]("repeat") for name in varied}
    values = {**launcher.settings(2), **drawn, launcher.FACTORS: entries(*varied)}
    return values | {launcher.RUN: "repeat" if varied else "original"}


@pytest.mark.parametrize("varied", [(), ("hash seed", "time zone")])
@pytest.mark.parametrize("name", [*launcher.settings(2)])
def test_each_setting_that_is_missing_or_other_is_refused(
    varied: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = wanted(varied)
    for key, value in values.items():
        monkeypatch.setenv(key, value)
    launcher.check(2)
    monkeypatch.setenv(name, f"{values[name]}x")
    with pytest.raises(UserError, match=rf"variable {name} to be '.*'\. Received '.*x'\."):
        launcher.check(2)
    monkeypatch.delenv(name)
    with pytest.raises(UserError, match=rf"variable {name} to be '.*'\. Received None\."):
        launcher.check(2)


def test_what_is_said_to_be_varied_must_be(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in wanted(()).items():
        monkeypatch.setenv(key, value)
    with pytest.raises(UserError, match="OMP_NUM_THREADS"):
        launcher.check(1)
    for factor, variable in (("hash seed", "PYTHONHASHSEED"), ("time zone", "TZ")):
        monkeypatch.setenv(launcher.FACTORS, entries(factor))
        with pytest.raises(UserError, match=f"variable {variable} to be"):
            launcher.check(2)
    monkeypatch.setenv(launcher.FACTORS, entries("locale"))
    with pytest.raises(UserError, match=r"'tr_TR.UTF-8' or .*'\. Received 'C.UTF-8'\."):
        launcher.check(2)
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    launcher.check(2)
    monkeypatch.setenv(launcher.FACTORS, "[]")
    with pytest.raises(UserError, match=r"to be 'C.UTF-8'\. Received 'ja_JP.UTF-8'\."):
        launcher.check(2)


@pytest.mark.parametrize("text", ["clock", "[1]", '[{"factor": "moon", "varied": true}]', "{}1"])
def test_factors_set_by_hand_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(launcher.FACTORS, text)
    with pytest.raises(UserError, match="variable REPRO_FACTORS to be"):
        launcher.factors()


@pytest.mark.parametrize(
    ("run", "vary", "sentence"),
    [
        ("repeat", ["clock", "moon"], r"Expected `--vary` to name some of hash seed, .*'moon'"),
        ("original", ["clock"], r"nothing to be varied in the original\. Received clock\."),
    ],
)
def test_what_cannot_be_varied_is_refused(run: str, vary: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        launcher.launch(run, 2, vary, ["step"])


PROGRAM = """
import json, os, sys, time
sys.path.insert(0, {library!r})
from repro.launch import launcher

if sys.argv[1] == "launch":
    vary = [name for name in sys.argv[2].split(",") if name]
    launcher.launch("repeat" if vary else "original", 2, vary, ["step", *sys.argv[3:]])
launcher.check(2)
if number := os.environ.get(launcher.NOTES):
    os.write(int(number), b"a note")
print(json.dumps({{
    "directory": os.getcwd(), "path": str(launcher.path("a/b")), "environment": dict(os.environ),
    "factors": launcher.factors(), "arguments": sys.argv[2:], "hash": hash("text"),
}}))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program with a space.py"
    library = Path(launcher.__file__).parents[2]
    file.write_text(PROGRAM.format(library=str(library)))
    return file


def started(program: Path, vary: str, fresh: Fresh, **variables: str) -> dict[str, Any]:
    source = f"import os, sys; os.chdir({str(program.parent)!r}); os.execv(sys.executable, "
    source += f"[sys.executable, '-B', {program.name!r}, 'launch', {vary!r}, 'é b'])"
    done = fresh(source, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("vary", ["", "time zone,hash seed,working directory"])
def test_a_step_starts_under_the_table_whatever_the_user_has_set(
    vary: str, program: Path, fresh: Fresh, tmp_path: Path
) -> None:
    strange = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "TF_XLA_FLAGS": "--x",
               "PYTHONSTARTUP": "x", "REPRO_FACTORS": "x", "OMP_NUM_THREADS": "9"}  # fmt: skip
    found = started(program, vary, fresh, **strange)
    environment, names = found["environment"], ("hash seed", "time zone") if vary else ()
    table = {n: value for n, value in wanted(names).items() if n != launcher.FACTORS}
    assert {name: environment.get(name) for name in table} == table
    assert not {"TF_XLA_FLAGS", "PYTHONPATH"} & set(environment)
    assert found["path"] == str(tmp_path / "a" / "b")
    assert found["arguments"] == ["é b"]
    # In the table's order, whatever the order of the command line.
    order = ["hash seed", "time zone", "working directory"] if vary else []
    assert [entry["factor"] for entry in found["factors"]] == order
    assert (found["directory"] == str(tmp_path)) == (not vary)


@pytest.mark.parametrize("vary", ["", "hash seed,temporary folder"])
def test_a_step_can_note_how_far_it_is_where_it_may_not_see_the_file(
    vary: str, program: Path, fresh: Fresh, tmp_path: Path
) -> None:
    file = tmp_path / "jobs"
    file.write_text("before; ")
    started(program, vary, fresh, **{launcher.JOBS: str(file)})
    assert file.read_text() == "before; a note"


def test_where_nobody_reads_notes_or_on_another_machine_there_are_none(
    program: Path, fresh: Fresh, tmp_path: Path
) -> None:
    for variables in ({}, {launcher.JOBS: str(tmp_path / "gone" / "jobs")}):
        found = started(program, "", fresh, **variables)
        assert not {launcher.JOBS, launcher.NOTES} & set(found["environment"])


def test_two_processes_of_one_run_hash_alike(program: Path, fresh: Fresh) -> None:
    hashes = {started(program, "", fresh)["hash"] for _ in range(2)}
    assert len(hashes) == 1


def test_paths_start_from_where_the_user_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(launcher.DIRECTORY, raising=False)
    assert launcher.path("a") == Path("a")
    monkeypatch.setenv(launcher.DIRECTORY, os.sep + "b")
    assert launcher.path("a") == Path(os.sep, "b", "a")
    assert launcher.path(sys.executable) == Path(sys.executable)
