"""The command ./run: from any folder, under a bare environment, with the right exit status."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import project
import pytest
from documentation.command_help import command_line

Clone = Callable[..., subprocess.CompletedProcess[str]]


def run(
    *arguments: str, root: Path = project.ROOT, cwd: Path = project.ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "REPRO_CACHE": str(project.CACHE)}
    return subprocess.run(
        [root / "run", *arguments],
        cwd=cwd,
        env={**bare, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The host's side in a folder whose name has a space, without tools."""
    root = tmp_path / "a clone"
    shutil.copytree(project.ROOT / "bootstrap", root / "bootstrap")
    shutil.copytree(project.LIBRARY, root / "workflow" / "lib")
    shutil.copy2(project.ROOT / "run", root)
    return root


def give_python(folder: Path, name: str, script: str) -> str:
    """Put a Python on a PATH that else has only what a shell script needs."""
    folder.mkdir(exist_ok=True)
    for tool in ("sh", "dirname"):
        found = shutil.which(tool)
        assert found
        if not (folder / tool).exists():
            (folder / tool).symlink_to(found)
    if script:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_help_lists_the_verbs_and_needs_no_tools(clone: Path, tmp_path: Path) -> None:
    done = run("--help", root=clone, cwd=tmp_path)
    assert done.returncode == 0
    verbs = ["setup", "lock", "test", "manifest", "check-files", "containerfile", "drift"]
    verbs += ["docs", "cost", "clean", "check", "check.pyz", "new", "digest", "compare"]
    for verb in verbs:
        assert f"\n  {verb} " in done.stdout
    assert not (clone / ".tools").exists()


def test_a_project_and_a_digest_are_made_without_tools(clone: Path, tmp_path: Path) -> None:
    example = project.ROOT / "workflow" / "experiments"
    shutil.copytree(example, clone / "workflow" / "experiments")
    done = run("new", "mine", root=clone, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    digest = run("digest", "mine/data/digits.csv.gz", root=clone, cwd=tmp_path)
    assert digest.stdout.strip() in (tmp_path / "mine/config/config.yaml").read_text()
    again = run("new", "mine", root=clone, cwd=tmp_path)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.startswith("Expected a new or empty folder at mine. Received one with ")
    assert not (clone / ".tools").exists()


@pytest.mark.parametrize(
    ("word", "meant"), [("digets", "digest"), ("al", "all"), ("chek", "check")]
)
def test_a_misspelt_verb_is_refused_before_anything_is_made(
    word: str, meant: str, clone: Path
) -> None:
    (clone / "config").mkdir()
    (clone / "config" / "config.yaml").write_text("experiments: {}\n")
    done = run(word, "data", root=clone, cwd=clone)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Expected a verb, a target, a rule or a file of the results. ")
    assert f"Received {word}. Did you mean `{meant}`?" in done.stderr
    assert not (clone / ".tools").exists()


def test_no_rule_passes_for_a_misspelt_verb() -> None:
    refuse = command_line()["refuse_misspelt"]
    for rule in ("archived", "compare", "reproduce", "train", "results/digits/verdict.json"):
        refuse(rule)


def test_nothing_to_do_is_a_mistake(clone: Path) -> None:
    done = run(root=clone)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: ./run TARGET" in done.stderr


def test_settings_for_a_python_are_ignored(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "argparse.py").write_text("raise SystemExit('the wrong module')\n")
    done = run("--help", root=clone, PYTHONPATH=str(tmp_path), PYTHONHOME="/nonexistent")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("script", ["", "exit 1"], ids=["none", "too old"])
def test_no_python_gives_one_sentence(script: str, clone: Path, tmp_path: Path) -> None:
    path = give_python(tmp_path / "bin", "python3", script)
    done = run("all", root=clone, PATH=path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Expected Python 3.11 or later" in done.stderr
    assert "python3.11" in done.stderr


def test_python_3_11_is_preferred(clone: Path, tmp_path: Path) -> None:
    give_python(tmp_path / "bin", "python3", "echo other >&2; exit 0")
    path = give_python(tmp_path / "bin", "python3.11", f'exec {shlex.quote(sys.executable)} "$@"')
    done = run("--help", root=clone, PATH=path)
    assert done.returncode == 0
    assert "other" not in done.stderr


def test_no_venv_gives_one_sentence_with_the_package(clone: Path, tmp_path: Path) -> None:
    without = "import runpy, sys; sys.modules['ensurepip'] = None; sys.argv = sys.argv[1:]; "
    without += "runpy.run_path(sys.argv[0], run_name='__main__')"
    script = f"""case $1 in
        -Es) shift; exec {shlex.quote(sys.executable)} -Es -c {shlex.quote(without)} "$@" ;;
        *) exec {shlex.quote(sys.executable)} "$@" ;;
    esac"""
    done = run("all", root=clone, PATH=give_python(tmp_path / "bin", "python3.11", script))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Expected a Python that can make virtual environments" in done.stderr
    assert f"python3.{sys.version_info.minor}-venv" in done.stderr
    assert not (clone / ".tools" / "venv").exists()


def test_a_wrong_channel_is_the_users_mistake() -> None:
    done = run("all", "--config", "channel=conda")
    assert done.returncode == 2
    assert done.stderr.startswith("Expected `channel` to be locked or local. Received conda.")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_prints_the_command_and_tells_by_its_status_what_came_of_it(tmp_path: Path) -> None:
    done = run("no such target", "--quiet", "--dry-run")
    assert "$ snakemake 'no such target' --quiet --dry-run" in done.stderr.splitlines()
    assert done.returncode == 2
    assert "no such target" in done.stdout + done.stderr
    version = run("--version", cwd=tmp_path)
    assert (version.returncode, version.stdout.splitlines()[-1]) == (0, "9.27.1")
    stress = run("all", "--stress", "--config", "pytest=x", "--dry-run")
    shown = "$ snakemake all --dry-run --config pytest=x stress=True"
    assert stress.returncode == 0, stress.stderr
    assert shown in stress.stderr.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "first"),
    [
        ("--dag", "digraph snakemake_dag {"),
        ("--summary", "output_file\tdate\trule"),
        ("--list-rules", "all"),
    ],
)
def test_standard_output_holds_what_was_asked_for_alone(option: str, first: str) -> None:
    done = run("all", option)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(first)
    assert "$ snakemake" not in done.stdout


def test_help_lists_what_the_documentation_names() -> None:
    said = run("--help").stdout
    named = set[str]()
    pages = [*project.ROOT.glob("*.md"), *project.ROOT.glob("config/*.md")]
    pages += [*project.ROOT.glob("docs/**/*.md"), *project.ROOT.glob("tests/*/*.md")]
    for page in pages:
        text = page.read_text("utf-8")
        named |= set(re.findall(r"(?:`|^)\./run ([a-z][a-z-]*)", text, re.MULTILINE))
    assert {"all", "verify", "test", "check-files"} <= named
    assert sorted(name for name in named if f"\n  {name} " not in said) == []
