"""Software: steps, their programs, packages and the engine, in the words of RO-Crate.

Synopsis:
    for entity in entities(inside): ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from repro.archive.contents import Inside
from repro.audit.results import Results
from repro.record.step import Step

Entity = dict[str, Any]

STEPS = {
    "code": "Packs the library into the programs that make the results and judge them",
    "prepare": "Turns raw data into arrays for training, validation and test",
    "train": "Trains the model, and traces every step",
    "evaluate": "Computes metrics and predictions of the trained model",
    "look": "Says whether so many seeds are enough for an answer, by a plan made beforehand",
    "probe": "Looks for mistakes on which two runs agree",
    "cost": "Measures what determinism, trace and checkpoints cost",
    "compare": "Compares the original with its repeats, and writes the verdict",
    "report": "Shows verdict and results on one page",
}
_CODE, _JUDGE = "results/code.pyz", "results/judge.pyz"
_PROGRAMS = {
    "code": "workflow/scripts/pack.py",
    **dict.fromkeys(("look", "cost", "compare"), _JUDGE),
    "report": "results/report.pyz",
}
"""What a step runs, where that is not the code. The sha256 of the file is its version."""
_PINS = "bootstrap/requirements.txt"


def steps(results: Results) -> list[Step]:
    """In the order of the workflow, then of their paths."""
    order = {name: position for position, name in enumerate(STEPS)}
    return sorted(
        results.steps.values(),
        key=lambda step: (order.get(step.name, len(order)), step.key),
    )


def entities(inside: Inside) -> Iterator[Entity]:
    """All software that the actions speak of."""
    yield from _languages(inside)
    yield from _tools(inside)
    yield from _packages(inside)


def _languages(inside: Inside) -> Iterator[Entity]:
    version = _version(inside)
    site = {"@id": "https://snakemake.github.io"}
    yield {
        "@id": "#snakemake", "@type": "ComputerLanguage", "name": "Snakemake",
        "alternateName": "SMK",
        "identifier": {"@id": "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"},
        "url": site, **({"version": version} if version else {}),
    }  # fmt: skip
    yield {
        "@id": engine(inside), "@type": "SoftwareApplication", "name": "Snakemake", "url": site,
        "description": "The version is the one that bootstrap/requirements.txt pins; manifests do "
        "not say which one ran",
        **({"softwareVersion": version} if version else {}),
    }  # fmt: skip


def _version(inside: Inside) -> str:
    """The version of Snakemake that the host's tools are pinned to."""
    pins = inside.read(_PINS).decode() if _PINS in inside.kept else ""
    version = re.search(r"^snakemake==([^ \\\n]+)", pins, re.MULTILINE)
    return version[1] if version else ""


def engine(inside: Inside) -> str:
    """How other entities speak of the engine."""
    return f"pkg:pypi/snakemake@{_version(inside)}".rstrip("@")


def _tools(inside: Inside) -> Iterator[Entity]:
    names = dict.fromkeys(step.name for step in steps(inside.results))
    for position, name in enumerate(names):
        yield {
            "@id": f"#tool/{name}", "@type": "SoftwareApplication", "name": name,
            "description": STEPS.get(name, name), "url": {"@id": quote(_PROGRAMS.get(name, _CODE))},
            "softwareVersion": inside.kept[_PROGRAMS.get(name, _CODE)].sha256,
        }  # fmt: skip
        yield {
            "@id": f"#step/{name}", "@type": "HowToStep", "position": str(position), "name": name,
            "workExample": {"@id": f"#tool/{name}"},
        }  # fmt: skip


def _packages(inside: Inside) -> Iterator[Entity]:
    for sha256, uri in inside.results.packages.items():
        name, _, version = uri.rpartition("/")[2].partition("?")[0].partition("@")
        yield {
            "@id": uri, "@type": "SoftwareApplication", "name": name, "softwareVersion": version,
            "identifier": uri, "url": uri, "sha256": sha256,
        }  # fmt: skip
