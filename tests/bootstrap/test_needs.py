"""Which environments a command line needs: those of the configuration, and the tests' own."""

from pathlib import Path

import pytest
from environments import needs

CONFIG = "experiments:\n  a: {code: a.py}\n  b: {environment: keras-cuda}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a configuration."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_text(CONFIG)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["all"], {"keras", "keras-cuda"}),
        (["tests", "--cores", "2"], {"keras", "keras-cuda", "keras-dev"}),
        (["controls"], {"keras", "keras-cuda", "keras-dev"}),
        (["scripts"], {"keras", "keras-cuda", "keras-dev"}),
    ],
)
def test_an_experiment_has_that_which_it_names_or_the_usual_one(
    arguments: list[str], names: set[str], folder: Path
) -> None:
    assert needs.of(arguments, folder).names == names


def test_another_configuration_comes_on_top(folder: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.yaml"
    more.write_text("experiments:\n  a: {environment: keras-tables}\n")
    found = needs.of(["all", "--configfile", str(more)], folder)
    assert found.names == {"keras", "keras-cuda", "keras-tables"}


@pytest.mark.parametrize("text", ["experiments: [1]", "- a", "a: [", "experiments: {a: 1}", ""])
def test_what_cannot_be_read_is_left_to_snakemake(text: str, folder: Path) -> None:
    (folder / "config" / "config.yaml").write_text(text)
    assert needs.of(["all"], folder).names == {"keras"}
    assert needs.of(["all"], folder / "none").names == {"keras"}


def test_what_looks_at_results_needs_the_usual_one_whatever_the_experiments_use(
    folder: Path,
) -> None:
    text = "experiments:\n  a: {environment: keras-cuda}\n"
    (folder / "config" / "config.yaml").write_text(text)
    assert needs.of(["verify"], folder).names == {"keras", "keras-cuda"}


@pytest.mark.parametrize(
    ("arguments", "jobs"),
    [
        (["all", "--cores", "2"], True),
        (["results/n/verdict.json", "-c1"], True),
        (["all", "--dry-run"], False),
        (["all", "-np"], False),
        (["all", "-Fn"], False),
        (["all", "-nkq"], False),
        (["all", "-Rtrain"], True),
        (["all", "--archive", "all.tar.gz"], False),
        (["all", "-dmain"], True),
        (["all", "--rulegraph"], False),
        (["all", "--filegraph"], False),
        (["all", "--d3dag"], False),
        (["--version"], False),
        (["all", "--snakefile", "other"], False),
        (["all", "--snakefile=other"], False),
    ],
)
def test_where_no_job_runs_nothing_is_needed(arguments: list[str], jobs: bool) -> None:
    assert needs.of(arguments, Path()).jobs == jobs


def test_the_folder_that_is_named_is_found() -> None:
    assert needs.of(["all", "--conda-prefix", "/a b"], Path()).given == "/a b"
    assert needs.of(["all", "--conda-prefix=/a"], Path()).given == "/a"
    assert needs.of(["all"], Path()).given is None


@pytest.mark.parametrize(
    ("arguments", "targets"),
    [
        (["all"], {"all"}),
        (["all", "--cores", "1"], {"all"}),
        (["controls", "--config", "controls=--cases a,b"], {"all", "controls"}),
        (["results/digits/verdict.json", "verify", "--forceall"],
         {"all", "results/digits/verdict.json", "verify"}),
        (["--cores", "2", "controls"], {"controls"}),
        (["--cores", "2"], set[str]()),
    ],
)  # fmt: skip
def test_snakemake_takes_the_command_line_that_makes_environments(
    arguments: list[str], targets: set[str]
) -> None:
    from snakemake.cli import get_argument_parser

    taken = get_argument_parser().parse_args(needs.making(arguments))
    assert set(taken.targets or ()) == targets
    assert taken.conda_create_envs_only
