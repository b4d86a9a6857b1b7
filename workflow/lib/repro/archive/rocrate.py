"""RO-Crate: what an archive holds and how it came about, in the words of RO-Crate.

Synopsis:
    text = metadata(inside)

RO-Crate 1.1 with the profiles Workflow RO-Crate 1.0 and Process, Workflow and Provenance Run Crate
0.5 (https://w3id.org/ro/crate/1.1, https://www.researchobject.org/workflow-run-crate/). Nothing but
the archive's other files decides a byte of it: a reader makes it again, and compares.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, cast

from repro.archive import actions
from repro.archive.actions import ref
from repro.archive.contents import CONFIGURATION, GUIDE, INDEX, METADATA, SUMS, Inside
from repro.archive.software import Entity
from repro.audit.results import LOCK
from repro.core.canonical_json import pretty

_CRATE = "https://w3id.org/ro/crate/1.1"
_WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    _WORKFLOW_CRATE: "Workflow RO-Crate",
}
_CONTEXT = [f"{_CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context"]
_FORMATS = {
    ".cff": "application/yaml", ".conda": "application/zip", ".csv": "text/csv",
    ".css": "text/css", ".gz": "application/gzip", ".html": "text/html",
    ".json": "application/json", ".jsonl": "application/jsonl",
    ".keras": "application/zip", ".md": "text/markdown", ".npy": "application/octet-stream",
    ".npz": "application/zip", ".py": "text/x-python", ".pyz": "application/zip",
    ".safetensors": "application/octet-stream", ".sh": "application/x-sh", ".smk": "text/plain",
    ".txt": "text/plain", ".whl": "application/zip", ".yaml": "application/yaml",
    ".yml": "application/yaml",
}  # fmt: skip
_MEANT = {
    CONFIGURATION: "The configuration of the experiment, with every default written out",
    GUIDE: "How to check this archive by hand, and how to run it again",
    INDEX: "The archive's format, and what is in it",
    LOCK: "Every package of the environments, with its sha256, for every platform",
    "Snakefile": "The workflow: prepare data, train, evaluate, do it all again, compare, judge",
    "run": "Starts the workflow on a machine with nothing but Python",
    "results/code.pyz": "The program that makes the results",
    "results/judge.pyz": "The program that compares and judges them",
    "results/report.pyz": "The program that shows them on a page",
}


def metadata(inside: Inside) -> str:
    """The text of `ro-crate-metadata.json`, for files that were found to be in order.

    JSON-LD in one layout: the same files, the same bytes.
    """
    parameters = actions.parameters_of(inside)
    names = [name for name in inside.kept if name not in (METADATA, SUMS)]
    files = [_file(inside, name, parameters.get(name)) for name in names]
    activities = actions.entities(inside)
    runs = [entity for entity in activities if entity["@type"] == "CreateAction"]
    root: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"The experiment {inside.index.experiment}, from raw data to verdict",
        "description": actions.sentence(inside),
        "datePublished": actions.times(inside)[1],
        "license": ref("LICENSE"),
        "conformsTo": [{"@id": profile} for profile in _PROFILES],
        "hasPart": [{"@id": file["@id"]} for file in files],
        "mainEntity": ref("Snakefile"),
        "mentions": [{"@id": run["@id"]} for run in runs],
    }
    descriptor: Entity = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": [{"@id": _CRATE}, {"@id": _WORKFLOW_CRATE}],
    }
    others = sorted([*files, *activities, *_profiles()], key=lambda entity: entity["@id"])
    graph = [_compact(entity) for entity in (descriptor, root, *others)]
    return pretty({"@context": _CONTEXT, "@graph": graph})


def _compact(entity: Entity) -> Entity:
    """One value stands without a list, as RO-Crate wants its JSON-LD."""
    lists = {k: cast("list[Any]", v) for k, v in entity.items() if isinstance(v, list)}
    return {**entity, **{k: values[0] for k, values in lists.items() if len(values) == 1}}


def _profiles() -> list[Entity]:
    return [
        {"@id": url, "@type": "CreativeWork", "name": name, "version": url.rpartition("/")[2]}
        for url, name in _PROFILES.items()
    ]


def _file(inside: Inside, name: str, parameter: str | None) -> Entity:
    member = inside.kept[name]
    entity: Entity = {
        **ref(name),
        "@type": "File",
        "name": name,
        "sha256": member.sha256,
        "contentSize": str(member.size),
        "encodingFormat": _FORMATS.get(PurePosixPath(name).suffix, "text/plain"),
    }
    if name in _MEANT:
        entity["description"] = _MEANT[name]
    if uri := inside.results.packages.get(member.sha256):
        entity["about"] = {"@id": uri}
    if parameter:
        entity["exampleOfWork"] = {"@id": parameter}
    if name == "README.md":
        entity["about"] = {"@id": "./"}
    if name == "Snakefile":
        entity |= actions.workflow(inside)
    return entity
