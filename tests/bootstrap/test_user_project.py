"""Which project a verb works on: the folder that it is called in, or the one that is named."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import project
import pytest
import tools
from repro.core.errors import UserError
from small_results import Project
from user_project import chosen

FIRST = "results/tiny/original/seed-0"


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project.ROOT / "run", *arguments], cwd=folder, env=tools.environment(),
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def elsewhere(small_once: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project, with results, that has no workflow in it; only its experiment is called `tiny`."""
    folder = tmp_path_factory.mktemp("of a user") / "a project"
    for name in ("config", "results", "tiny"):
        shutil.copytree(small_once.folder / name, folder / name)
    shutil.copy2(small_once.folder / "raw data.csv", folder)
    return folder


def plans(command: Sequence[str], done: subprocess.CompletedProcess[str]) -> None:
    """See that Snakemake was asked to plan that for a project which is not the clone."""
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    shown = f"$ snakemake --snakefile {project.ROOT / 'Snakefile'} {command[0]}"
    assert shown in said
    assert "digits" not in said


@pytest.mark.parametrize(
    "command",
    [
        ["all"],
        [f"{FIRST}/trace.jsonl"],
        ["drift"],
        ["drift", f"{FIRST}/train.manifest.json"],
        ["cost", "tiny"],
    ],
    ids=" ".join,
)
@pytest.mark.slow
def test_a_target_is_made_in_the_project_in_which_it_is_called(
    command: Sequence[str], elsewhere: Path
) -> None:
    plans(command, run(*command, "--dry-run", folder=elsewhere))


@pytest.mark.slow
def test_a_target_is_made_in_the_project_that_is_named(elsewhere: Path, tmp_path: Path) -> None:
    command = ["drift", f"{FIRST}/train.manifest.json"]
    place = ["--directory", str(elsewhere)]
    plans(command, run(*command, *place, "--dry-run", folder=tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["archive", "tiny", "--without-packages"], "Expected results of tiny that are whole"),
        (["check-files"], "\nOf 27 files under results/: "),
        (["manifest", "results/tiny/verdict.json"], "results/tiny/original/data"),
    ],
)
def test_a_verb_looks_at_the_project_in_which_it_is_called_or_that_is_named(
    command: Sequence[str], words: str, elsewhere: Path, tmp_path: Path
) -> None:
    place = ["--directory", str(elsewhere)]
    for done in (run(*command, folder=elsewhere), run(*command, *place, folder=tmp_path)):
        said = done.stdout + done.stderr
        assert words in said
        assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_modules_of_the_project_are_not_those_of_the_tools(tmp_path: Path) -> None:
    for name in ("argparse", "tokenize", "random", "logging"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')\n")
    done = run("drift", "--help", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    command = [*tools.pip().start(), "--version"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_in_the_clone_the_command_is_as_short_as_it_can_be() -> None:
    assert chosen.CLONE.snakemake(["all"]) == ["all"]
    assert chosen.project_of(["all", "-d", str(project.ROOT)])[0].snakemake(["all"]) == ["all"]


@pytest.mark.parametrize("verb", ["all", "drift", "cost", "manifest", "check-files", "archive"])
def test_a_folder_that_is_no_project_is_refused_before_anything_is_made(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(verb, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Expected a project, a folder with config/config.yaml. Received {tmp_path}, which has "
        "none. Change to a project's folder, or name one by `--directory FOLDER`; "
        f"`{project.ROOT / 'run'} new FOLDER` makes one.\n"
    )
    with pytest.raises(UserError, match=r"Expected a folder at .*/absent\. Received none"):
        chosen.project_of([verb, "--directory", "absent"])


def test_a_project_may_be_named_before_the_verb(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--directory", str(elsewhere)]
    here = chosen.UserProject(elsewhere)
    assert chosen.project_of([*place, "drift", "--json"]) == (here, ["drift", "--json"])
    assert chosen.project_of([*place, "lock", "--keep"]) == (chosen.CLONE, ["lock", "--keep"])
    with pytest.raises(UserError, match=r"Expected a target or a verb\. Received none"):
        chosen.project_of(place)
    with pytest.raises(SystemExit, match="2"):
        chosen.project_of(["all", "--directory"])
    assert capsys.readouterr().err.startswith("usage: ./run [--directory FOLDER]\n")


def test_what_is_the_clones_own_works_on_the_clone_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["lock", "--keep"], ["test", "--quick"], ["controls"], ["clean"], ["setup"]):
        assert chosen.project_of(command) == (chosen.CLONE, command)
    with pytest.raises(UserError, match="Expected a project"):
        chosen.project_of(["setup", "--directory", "."])


def test_set_up_is_for_the_project_in_which_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_text(json.dumps({"experiments": {}}))
    monkeypatch.chdir(tmp_path)
    assert chosen.project_of(["setup"]) == (chosen.UserProject(tmp_path), ["setup"])


def test_a_project_may_have_its_configuration_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["all", "--configfile", "own.yaml"]
    assert chosen.project_of(words) == (chosen.UserProject(tmp_path), words)


def test_help_needs_no_project(tmp_path: Path) -> None:
    done = run("drift", "--help", folder=tmp_path)
    assert done.returncode == 0
    assert "--directory FOLDER" in done.stdout
