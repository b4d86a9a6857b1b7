"""An edit of the workflow runs again what it may change, and nothing else."""

import re
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import project
import pytest
from conftest import Project

pytestmark = pytest.mark.slow

PARTS = (
    "CITATION.cff", "LICENSE", "README.md", "Snakefile", "bootstrap", "conda-lock.yml", "config",
    "environment.yml", "profiles", "run", "workflow",
)  # fmt: skip
LARGE = "# " + "x" * 97 + "\n"
"""Lines of this in each program carry it past the size up to which Snakemake hashes by default."""
ARCHIVING = """import sys
with open(sys.argv[sys.argv.index("--out") + 1], "w") as file:
    file.write("an archive")
"""
MAKING = {"prepare", "train", "evaluate", "probe"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the workflow, to be edited, whose programs have more than a megabyte each."""
    folder = tmp_path_factory.mktemp("edits") / "a clone"
    folder.mkdir()
    for part in PARTS:
        source, target = project.ROOT / part, folder / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    (folder / ".tools").symlink_to(project.TOOLS)
    # Snakemake alone decides here; tests/bootstrap looks at what is written.
    (folder / "bootstrap/__main__.py").write_text(ARCHIVING)
    for name in ("large", "larger"):  # Snakemake hashes each of the sources in any case
        (folder / "workflow/lib/repro/core" / f"{name}.py").write_text(LARGE * 5_500)
    return folder


@pytest.fixture(scope="module")
def finished(clone: Path, new_project: Callable[[str], Project]) -> Project:
    made = new_project("edits")
    made.configure(small=made.entry(goal="documented"))
    done = made.run("all", snakefile=clone / "Snakefile")
    assert done.returncode == 0, done.stdout
    for name in ("code", "judge"):
        assert (made.results / f"{name}.pyz").stat().st_size > 1_000_000
    return made


@contextmanager
def edited(file: Path, text: str = "\n# edited\n") -> Generator[None]:
    before = file.read_text()
    file.write_text(before + text)
    try:
        yield
    finally:
        file.write_text(before)


def jobs(made: Project, clone: Path, target: str, *options: str) -> set[str]:
    """The rules that ran, or would, but for `all`, which makes nothing."""
    done = made.run("--quiet", "host", *options, "--", target, snakefile=clone / "Snakefile")
    assert done.returncode == 0, done.stdout
    return set(re.findall(r"(?:rule|checkpoint) (\w+):", done.stdout)) - {"all"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("environment.yml", {"code"}),
        ("Snakefile", {"code"}),
        ("workflow/rules/model.smk", {"code"}),
        ("workflow/scripts/pack.py", {"code"}),
        ("workflow/lib/repro/report/verdict_page.py", {"code", "compare"}),
        ("workflow/schemas/verdict.schema.yaml", {"code", "compare"}),
        ("README.md", set[str]()),
        ("bootstrap/post_deploy/finish.py", set[str]()),
    ],
)
def test_an_edit_that_makes_no_other_result_trains_nothing(
    name: str, expected: set[str], clone: Path, finished: Project
) -> None:
    with edited(clone / name):
        assert jobs(finished, clone, "all") == expected
        assert jobs(finished, clone, "all") == set()
    assert not jobs(finished, clone, "all") & MAKING


def test_an_edit_of_what_makes_results_makes_them_again(clone: Path, finished: Project) -> None:
    with edited(clone / "workflow/lib/repro/data/order.py"):
        assert {"code", *MAKING} <= jobs(finished, clone, "all", "--dry-run")


@pytest.mark.parametrize(
    "name", ["workflow/lib/repro/data/order.py", "workflow/lib/repro/core/large.py"]
)
def test_a_touch_of_a_source_runs_nothing(name: str, clone: Path, finished: Project) -> None:
    (clone / name).touch()
    assert jobs(finished, clone, "all") == set()


@pytest.mark.parametrize("name", ["code.pyz", "judge.pyz"])
def test_a_touch_of_a_large_program_runs_nothing(name: str, clone: Path, finished: Project) -> None:
    (finished.results / name).touch()
    assert jobs(finished, clone, "all") == set()


def test_without_the_profile_a_large_program_is_refused(clone: Path, finished: Project) -> None:
    limit = ("--max-checksum-file-size", "1MB", "--dry-run")
    done = finished.run(*limit, "all", snakefile=clone / "Snakefile")
    assert done.returncode == 1
    assert "Received a limit of 1000000, beyond which it goes by their time" in done.stdout


@pytest.fixture(scope="module")
def archived(clone: Path, finished: Project) -> Project:
    assert jobs(finished, clone, "archive") == {"archive", "archived"}
    assert jobs(finished, clone, "archive") == set()
    return finished


@pytest.mark.parametrize(
    "name",
    [
        "CITATION.cff", "LICENSE", "README.md", "run", "profiles/default/config.yaml",
        "config/README.md", "bootstrap/verbs/archive_command.py", "bootstrap/requirements.txt",
        "environment.yml", "workflow/lib/repro/archive/pages.py", "Snakefile",
    ],
)  # fmt: skip
def test_an_edit_of_what_goes_into_an_archive_makes_it_again(
    name: str, clone: Path, archived: Project
) -> None:
    with edited(clone / name):
        assert "archived" in jobs(archived, clone, "archive", "--dry-run")


def test_so_does_the_configuration_that_changes_no_result(clone: Path, archived: Project) -> None:
    archived.configure(small=archived.entry(goal="documented", archive={"data_limit": 1}))
    planned = jobs(archived, clone, "archive", "--dry-run")
    archived.configure(small=archived.entry(goal="documented"))
    assert planned == {"archive", "archived"}
