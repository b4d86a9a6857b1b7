"""Another Snakefile imports the workflow by `module:`, with experiments and rules of its own."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import project
import pytest
import tools
import yaml
from conftest import Project, rules_in
from repro.core.digest import sha256_file

pytestmark = pytest.mark.slow

SNAKEFILE = """\
configfile: "own.yaml"

rule all:
    input: "report.txt"

rule table:
    input: "raw.csv"
    output: "table.csv"
    shell: "tail -n +2 {input} > {output}"

rule tests:
    shell: "echo tests of my own"

rule cost:
    shell: "echo cost of my own"

module repro:
    snakefile: CLONE
    config: config["learning"]

use rule * from repro as repro_*

rule report:
    input:
        verdict="results/small/verdict.json",
        metrics="results/small/original/seed-0/metrics.json",
    output: "report.txt"
    run:
        import json
        read = {name: json.loads(open(file).read()) for name, file in input.items()}
        with open(output[0], "w") as report:
            print(read["verdict"]["verdict"], read["metrics"]["metrics"]["accuracy"], file=report)
"""
CLONE = repr(str(project.ROOT / "Snakefile"))

Make = Callable[[str], Project]


def importing(made: Project, old: str = "", new: str = "", **changes: Any) -> Project:
    """Makes a user of it: an own Snakefile, own keys beside the experiments, data from a rule."""
    (made.folder / "Snakefile").write_text(SNAKEFILE.replace("CLONE", CLONE).replace(old, new))
    (made.folder / "config" / "config.yaml").unlink()
    entry = made.entry(**changes)
    table = made.folder / "table.csv"
    (made.folder / "raw.csv").write_text("a,b,c,d,larger\n" + table.read_text())
    table.unlink()
    own = {"samples": ["a", "b"], "learning": {"experiments": {"small": entry}}}
    (made.folder / "own.yaml").write_text(yaml.safe_dump(own))
    return made


def run(made: Project, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    options = ("--sdm", "conda", "--cores", "1")
    return made.run(*options, *arguments, snakefile=made.folder / "Snakefile", **more)


PAGE = Path("small/report.manifest.json")
OWN = ("verdict.json", "verdict.md", "model.keras", "report.html", "index.html", ".manifest.json")
"""What may differ between runs; a verdict names the processors that each run had, in these keys."""
NAMING_PROCESSORS = {"factors", "goals", "methods", "sentence"}


def contents(made: Project) -> dict[str, str]:
    """The digest of each result that has the same bytes in every run."""
    files = (file for file in made.results.rglob("*") if file.is_file())
    return {
        file.relative_to(made.results).as_posix(): sha256_file(file)
        for file in files
        if not file.name.endswith(OWN)
    }


def made_from(manifest: Path) -> dict[str, Any]:
    """What a manifest says of parameters and inputs, without manifests, which tell the time."""
    made = json.loads(manifest.read_text())["predicate"]["buildDefinition"]
    inputs = [i for i in made["resolvedDependencies"] if "manifest" not in i.get("name", "")]
    return {"asked": made["externalParameters"], "inputs": inputs}


@pytest.fixture(scope="module")
def user(new_project: Make, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One whose whole job has run in another folder, with another home and on one processor."""
    made = importing(new_project("imports"))
    core = str(min(os.sched_getaffinity(0)))
    home = tmp_path_factory.mktemp("home")
    done = run(made, before=("taskset", "-c", core), HOME=str(home))
    assert done.returncode == 0, done.stdout
    return made


def test_a_rule_of_the_users_own_reads_verdict_and_metrics(user: Project) -> None:
    verdict, accuracy = (user.folder / "report.txt").read_text().split()
    assert verdict == user.verdict("small")["verdict"] == "met"
    assert 0 <= float(accuracy) <= 1


def test_verify_speaks_and_nothing_runs_twice(user: Project) -> None:
    done = run(user, "repro_verify")
    assert (done.returncode, "small: same bits" in done.stdout) == (0, True), done.stdout
    assert "Nothing to be done" in run(user).stdout


def test_the_results_are_those_of_the_clone(user: Project, finished_once: Project) -> None:
    mine, its = contents(user), contents(finished_once)
    assert len(mine) > 20
    assert mine == its
    mine, its = user.verdict("small"), finished_once.verdict("small")
    for key in its.keys() - NAMING_PROCESSORS:
        assert mine[key] == its[key], key
    manifests = user.results.rglob("*.manifest.json")
    # The page is made once somebody asks for it, as `repro_verify` does.
    names = sorted({file.relative_to(user.results) for file in manifests} - {PAGE})
    assert len(names) == 9
    for name in names:
        assert made_from(user.results / name) == made_from(finished_once.results / name), name


def test_check_files_finds_the_experiments_below_their_key(user: Project) -> None:
    command = ["check-files", "--directory", str(user.folder), "--configfile", "own.yaml"]

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(project.ROOT / "run"), *command],
            capture_output=True, text=True, env=tools.environment(), check=False,
        )  # fmt: skip

    assert check().returncode == 0, check().stdout
    own = user.folder / "own.yaml"
    text = own.read_text()
    own.write_text(text.replace("dropout: 0.2", "dropout: 0.3"))
    done = check()
    own.write_text(text)
    assert (done.returncode, "outdated" in done.stdout) == (1, True), done.stdout


def test_names_of_the_users_own_rules_stay_theirs(new_project: Make) -> None:
    made = importing(new_project("named"))
    planned = run(made, "--dry-run").stdout
    assert "rule report:" in planned  # by the user's own first rule, not by the module's `all`
    assert "compare" in rules_in(planned)
    assert "localrules directive" not in planned  # it would speak of the user's `cost`
    assert "cost of my own" in run(made, "cost").stdout


def test_under_their_own_names_the_rules_leave_tests_to_the_user(new_project: Make) -> None:
    old, new = "from repro as repro_*", "from repro exclude all, cost"
    made = importing(new_project("plain"), old, new)
    assert "tests of my own" in run(made, "tests").stdout
    assert "compare" in rules_in(run(made, "--dry-run").stdout)


def test_looks_are_asked_for_under_their_new_name(new_project: Make) -> None:
    made = importing(new_project("auto"), goal="metrics", seeds="auto")
    done = run(made, "--dry-run", "repro_verify")
    assert (done.returncode, "look" in rules_in(done.stdout)) == (0, True), done.stdout


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        pytest.param(
            'config: config["learning"]',
            'config: config["learning"]\n    prefix: "deep"',
            "one that makes deep/results of results. Leave it out",
            id="a prefix",
        ),
        pytest.param(
            CLONE,
            f'gitfile({str(project.ROOT)!r}, path="Snakefile", ref="HEAD")',
            "Clone it, and name the Snakefile of the clone",
            id="files fetched one by one",
        ),
        pytest.param(
            'config["learning"]',
            "config",
            "The module's `config`: Expected only known keys. Received `learning`",
            id="keys that are not the module's",
        ),
        pytest.param(
            'output: "table.csv"',
            'output: "other.csv"',
            "affected files: table.csv",
            id="data nobody makes",
        ),
        pytest.param(
            "module repro:",
            "import sys, types\nsys.modules['repro'] = types.ModuleType('repro')\n"
            "sys.modules['repro'].__file__ = workflow.main_snakefile\n\nmodule repro:",
            "another package called repro",
            id="another package of that name",
        ),
    ],
)
def test_what_cannot_be_is_refused(new_project: Make, old: str, new: str, sentence: str) -> None:
    assert old in SNAKEFILE.replace("CLONE", CLONE)
    done = run(importing(new_project("refused"), old, new), "--dry-run")
    assert (done.returncode != 0, sentence in done.stdout) == (True, True), done.stdout


def test_without_conda_nothing_is_planned(new_project: Make) -> None:
    made = importing(new_project("bare"))
    done = made.run("--cores", "2", "--dry-run", snakefile=made.folder / "Snakefile")
    assert (done.returncode, "Received no `--sdm conda`" in done.stdout) == (1, True), done.stdout
