"""What registries read: a citation, an entry for the catalog, and the words of WorkflowHub."""

import json
import subprocess
from pathlib import Path
from typing import Any

import project
import pytest
import tools
import yaml
from jsonschema import Draft7Validator
from small_archive import archived, members
from small_results import Project, write

SCHEMA = project.ROOT / "tests" / "archives" / "schemas" / "cff-1.2.0.json"
CITATION = project.ROOT / "CITATION.cff"


def faults(text: str | bytes) -> list[str]:
    """What the schema of the Citation File Format finds in a citation."""
    errors = Draft7Validator(json.loads(SCHEMA.read_text())).iter_errors(yaml.safe_load(text))
    return [f"{error.json_path}: {error.message}" for error in errors]


def test_the_citation_is_one_and_names_no_person() -> None:
    text = CITATION.read_text()
    assert faults(text) == []
    assert faults(text.replace("- name:", "- nam:")) != []
    value = yaml.safe_load(text)
    licence = (project.ROOT / "LICENSE").read_text()
    assert licence.startswith(f"{value['license']} License")
    assert [f"Copyright (c) 2026 {author['name']}" in licence for author in value["authors"]] == [
        True
    ]
    assert not (project.ROOT / ".zenodo.json").exists(), "Zenodo would not read CITATION.cff then"


def test_an_archive_takes_it_along_and_makes_one_where_there_is_none(
    furnished: Project, tmp_path: Path
) -> None:
    made = members(archived(furnished, tmp_path / "made.crate.zip"))["CITATION.cff"]
    assert faults(made) == []
    write(furnished.folder / "CITATION.cff", CITATION.read_bytes())
    taken = members(archived(furnished, tmp_path / "taken.crate.zip"))["CITATION.cff"]
    assert taken == CITATION.read_bytes() != made


def planned(*arguments: str, folder: Path = project.ROOT) -> str:
    """What Snakemake would run."""
    done = subprocess.run(
        ["snakemake", "--dry-run", "--forceall", *arguments],
        cwd=folder, env=tools.environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout + done.stderr


def jobs(told: str) -> list[str]:
    table = told.partition("Job stats:")[2].partition("\n\n")[0]
    return [" ".join(line.split()) for line in table.splitlines() if line]


@pytest.mark.slow
def test_the_catalog_finds_what_it_looks_for() -> None:
    entry = yaml.safe_load((project.ROOT / ".snakemake-workflow-catalog.yml").read_text())
    assert set(entry) == {"usage"}
    usage = entry["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment"}
    assert usage["software-stack-deployment"] == {
        "conda": True, "apptainer": False, "apptainer+conda": False, "report": False,
    }  # fmt: skip
    readme = (project.ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    assert (project.ROOT / "config" / "README.md").is_file()
    flags = usage["mandatory-flags"]["flags"].split()
    here = ("--cores", "1", "--snakefile", "workflow/Snakefile")
    assert jobs(planned(*here, *flags)) == jobs(planned()) != []


@pytest.fixture(scope="module")
def graph(sound: Path) -> dict[str, Any]:
    """The entities of an archive, by their names."""
    content = json.loads(members(sound)["ro-crate-metadata.json"])
    return {entity["@id"]: entity for entity in content["@graph"]}


def test_an_archive_has_what_workflowhub_reads(sound: Path, graph: dict[str, Any]) -> None:
    assert sound.name.endswith(".crate.zip")  # by which it is recognised
    assert " " not in sound.name
    root = graph["./"]
    assert {"name", "description", "license"} <= set(root)
    workflow = graph[root["mainEntity"]["@id"]]
    assert {"File", "SoftwareSourceCode", "ComputationalWorkflow"} <= set(workflow["@type"])
    language = graph[workflow["programmingLanguage"]["@id"]]
    # It looks for one of these, in this order.
    assert language["identifier"]["@id"].endswith("/workflow-ro-crate#snakemake")
    assert language["name"] == "Snakemake"
    readme = graph["README.md"]
    assert (readme["about"], readme["encodingFormat"]) == ({"@id": "./"}, "text/markdown")
