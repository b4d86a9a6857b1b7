"""An edit of the workflow runs again what it may change, and nothing else."""

import re
import shutil
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import project
import pytest
from conftest import MESSAGES, Project, rules_in

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
PADDED = ("core/errors.py", "core/digest.py")
"""Modules that both programs hold."""
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
    for name in PADDED:  # Snakemake hashes each of the sources in any case
        file = folder / "workflow/lib/repro" / name
        file.write_text(file.read_text() + LARGE * 5_500)
    return folder


def unrepeated(made: Project, **changes: Any) -> dict[str, Any]:
    """The configuration of an experiment that has every step, each once."""
    return made.entry(repeat="off", **changes)


@pytest.fixture(scope="module")
def finished(clone: Path, new_project: Callable[[str], Project]) -> Project:
    made = new_project("edits")
    made.configure(small=unrepeated(made))
    done = made.run("all", snakefile=clone / "Snakefile")
    assert done.returncode == 0, done.stdout
    for name in ("code", "judge"):
        assert (made.results / f"{name}.pyz").stat().st_size > 1_000_000
    return made


def edit(file: Path) -> None:
    file.write_text(file.read_text() + "\n# edited\n")


@contextmanager
def edited(file: Path) -> Generator[None]:
    before = file.read_text()
    edit(file)
    try:
        yield
    finally:
        file.write_text(before)


def run(made: Project, clone: Path, target: str, *options: str) -> str:
    """What Snakemake says of the jobs that it runs, or would."""
    done = made.run("--quiet", "host", *options, "--", target, snakefile=clone / "Snakefile")
    assert done.returncode == 0, done.stdout
    return done.stdout


def jobs(made: Project, clone: Path, target: str, *options: str) -> set[str]:
    """The rules that ran, or would, but for `all`, which makes nothing."""
    return rules_in(run(made, clone, target, *options))


def not_given(names: tuple[str, ...], rule: str, said: str) -> list[str]:
    """Those of the files that Snakemake does not give as a reason for a rule's job."""
    reasons = re.split(rf"Job \d+: {MESSAGES[rule]} Reason: Updated input files:", said)[1]
    given = re.split(r" Job |\[", reasons)[0]
    return [name for name in names if f"/{name}" not in given]


TRAINING_NOTHING = [
    (
        ("environment.yml", "Snakefile", "workflow/rules/model.smk", "workflow/scripts/pack.py"),
        {"code"},
    ),
    (("workflow/lib/repro/webpage/style.css",), {"code", "page", "overview"}),
    (
        ("workflow/lib/repro/report/verdict_page.py",),
        {"code", "compare", "page", "overview"},
    ),
    (("workflow/schemas/verdict.schema.yaml",), {"code", "compare", "page", "overview"}),
    (("README.md", "bootstrap/post_deploy/finish.py"), set[str]()),
]
"""Files, and the rules that run for each of them."""


def test_edits_that_make_no_other_result_train_nothing(clone: Path, finished: Project) -> None:
    """One after the other, each on top of those before; the other tests find all of them."""
    for names, expected in TRAINING_NOTHING:
        for name in names:
            edit(clone / name)
        said = run(finished, clone, "all")
        assert rules_in(said) == expected, names
        if expected == {"code"}:
            assert not_given(names, "code", said) == []


def test_an_edit_of_what_makes_results_makes_them_again(clone: Path, finished: Project) -> None:
    with edited(clone / "workflow/lib/repro/data/order.py"):
        assert {"code", *MAKING} <= jobs(finished, clone, "all", "--dry-run")


def test_a_touch_of_sources_runs_nothing(clone: Path, finished: Project) -> None:
    for name in ("data/order.py", *PADDED):
        (clone / "workflow/lib/repro" / name).touch()
    assert jobs(finished, clone, "all") == set()


def test_a_touch_of_large_programs_runs_nothing(clone: Path, finished: Project) -> None:
    for name in ("code.pyz", "judge.pyz"):
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


AROUND = (
    "CITATION.cff", "LICENSE", "README.md", "run", "profiles/default/config.yaml",
    "config/README.md", "bootstrap/verbs/archive_command.py", "bootstrap/requirements.txt",
)  # fmt: skip
PROGRAM = ("environment.yml", "workflow/lib/repro/archive/pages.py", "Snakefile")


@pytest.mark.parametrize(("names", "rule"), [(AROUND, "archived"), (PROGRAM, "code")])
def test_an_edit_of_what_goes_into_an_archive_makes_it_again(
    names: tuple[str, ...], rule: str, clone: Path, archived: Project
) -> None:
    """All are edited at once, and Snakemake gives each of them as a reason."""
    with ExitStack() as edits:
        for name in names:
            edits.enter_context(edited(clone / name))
        said = run(archived, clone, "archive", "--dry-run")
    assert "archived" in rules_in(said)
    assert not_given(names, rule, said) == []


def test_so_does_the_configuration_that_changes_no_result(clone: Path, archived: Project) -> None:
    archived.configure(small=unrepeated(archived, archive={"data_limit": 1}))
    planned = jobs(archived, clone, "archive", "--dry-run")
    archived.configure(small=unrepeated(archived))
    assert planned == {"archive", "archived"}
