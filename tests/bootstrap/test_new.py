"""./run new and ./run digest: a project to start from, and what the configuration wants of data."""

import re
import resource
import shutil
from pathlib import Path

import project
import pytest
import yaml
from repro.core.config import check_files, resolve
from repro.core.digest import sha256_file, sha256_tree
from repro.core.errors import CouldNotRun, UserError
from user_project import chosen, digest, new


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project to start from, whose name has a space; the working directory is around it."""
    monkeypatch.chdir(tmp_path)
    assert new.main(["a project"]) == 0
    return tmp_path / "a project"


def test_a_project_elsewhere_finds_the_profiles_of_the_clone(folder: Path) -> None:
    here = chosen.project_of(["all", "--directory", str(folder)])[0]
    theirs = str(project.ROOT / "profiles" / "slurm")
    for words in (["--workflow-profile", "profiles/slurm"], ["--workflow-profile=profiles/slurm"]):
        assert here.snakemake(words)[-1].removeprefix("--workflow-profile=") == theirs
    (folder / "profiles" / "slurm").mkdir(parents=True)
    assert here.snakemake(["--workflow-profile", "profiles/slurm"])[-1] == "profiles/slurm"
    assert here.snakemake(["profiles/none"])[-1] == "profiles/none"


def test_a_new_project_is_one_and_says_how_to_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new.main(["the same"]) == 0
    assert capsys.readouterr().out.endswith(f"cd 'the same' && {project.ROOT / 'run'} all\n")
    assert sha256_tree(Path("the same")) == sha256_tree(folder)
    monkeypatch.chdir(folder)
    assert chosen.project_of(["all"])[0].folder == folder
    text = (folder / chosen.CONFIGURATION).read_text()
    experiments = resolve(yaml.safe_load(text))
    check_files(experiments)
    (experiment,) = experiments.values()
    (source,) = experiment.data.values()
    assert source.sha256 == sha256_file(folder / source.path)


def test_the_comments_show_what_a_key_is_if_it_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    text = (folder / chosen.CONFIGURATION).read_text()
    shown, count = re.subn(r"^( +)# (\w+:)", r"\1\2", text, flags=re.MULTILINE)
    assert count > 5
    assert resolve(yaml.safe_load(shown)) == resolve(yaml.safe_load(text))
    (entry,) = yaml.safe_load(shown)["experiments"].values()
    assert {"split", "seeds", "goal", "repeats", "environment"} <= set(entry)


def test_git_leaves_out_what_a_run_makes(folder: Path) -> None:
    ignored = (folder / ".gitignore").read_text().splitlines()
    of_clone = (project.ROOT / ".gitignore").read_text().splitlines()
    assert {"/results/", "/logs/", "/checkpoints/", "/.snakemake/"} <= set(ignored)
    assert set(ignored[1:]) <= set(of_clone)


def test_an_empty_folder_will_do_and_one_with_anything_in_it_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    assert new.main(["empty"]) == 0
    before = sha256_tree(folder)
    (tmp_path / "a file").write_text("")
    for name, received in (("a project", "one with .* in it"), ("a file", "a file")):
        with pytest.raises(UserError, match=f"empty folder at {name}. Received {received}. Name"):
            new.main([name])
    assert sha256_tree(folder) == before


@pytest.mark.parametrize("name", ["empty", "new/inner"])
def test_a_project_that_cannot_be_written_leaves_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))  # less than its data has
    try:
        with pytest.raises((CouldNotRun, OSError), match="too large"):
            new.main([str(tmp_path / name)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]
    assert new.main([str(tmp_path / name)]) == 0


def test_a_copy_without_the_example_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new, "EXAMPLE", tmp_path / "none")
    with pytest.raises(UserError, match=r"Expected a clone.*digits\.py, as archives have it"):
        new.main([str(tmp_path / "mine")])
    assert not (tmp_path / "mine").exists()


def test_a_digest_is_what_the_configuration_wants_of_a_file_or_folder(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in ("data/digits.csv.gz", "data"):
        capsys.readouterr()
        assert digest.main([path, "--directory", "a project"]) == 0
        said = capsys.readouterr().out
        assert said == f"sha256: {sha256_tree(folder / path)}\n"
        wanted = {"path": str(folder / path), **yaml.safe_load(said)}
        entry = {"code": "experiments/digits.py", "data": wanted}
        assert resolve({"experiments": {"a": entry}})
    shutil.rmtree(folder / "data")
    with pytest.raises(UserError, match="Expected raw data, a file or a folder, at a project/data"):
        digest.main(["data", "--directory", "a project"])
