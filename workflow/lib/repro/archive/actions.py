"""Actions: what each step did, as its manifest says, in the words of RO-Crate.

Synopsis:
    for entity in entities(inside): ...

One CreateAction for the whole run, with the workflow as its instrument, and one for each manifest,
with the step as its instrument; times are those of the manifests. Who ran it no manifest says, and
nothing is made up.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from repro.archive import software
from repro.archive.contents import CONFIGURATION, Inside
from repro.archive.software import Entity
from repro.audit.results import LOCK, where
from repro.core.canonical_json import canonical, parsed
from repro.core.config import Source
from repro.core.layout import PRETRAINED, SUFFIX
from repro.record.step import Step

_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
_COMPLETED = "http://schema.org/CompletedActionStatus"
_INPUTS = {"raw-data": "the raw data", "experiment": "the code of the experiment"}
_WANTED = {"configuration": "the configuration", **_INPUTS}


def ref(name: str) -> Entity:
    """How other entities speak of a file of the archive."""
    return {"@id": quote(name)}


def times(inside: Inside) -> tuple[str, str]:
    """When the first step began, and when the last one ended."""
    said = [_times(step) for step in inside.results.steps.values()]
    return min(time for time, _ in said), max(time for _, time in said)


def _times(step: Step) -> tuple[str, str]:
    started, finished = step.times
    ended = max(started, finished)  # a clock may be set back meanwhile
    return started.replace("Z", "+00:00"), ended.replace("Z", "+00:00")  # as validators want it


def sentence(inside: Inside) -> str:
    """What came out, in the verdict's own words."""
    return str(parsed(inside.read(_verdict(inside))).get("sentence", "No sentence was written."))


def _verdict(inside: Inside) -> str:
    return f"results/{inside.index.experiment}/verdict.json"


def workflow(inside: Inside) -> Entity:
    """What the Snakefile is beyond a file: the workflow, its inputs, its steps and its output."""
    names = dict.fromkeys(step.name for step in software.steps(inside.results))
    return {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        "programmingLanguage": {"@id": "#snakemake"},
        "input": [{"@id": f"#input/{name}"} for name in _WANTED],
        "output": {"@id": "#output/verdict"},
        "version": inside.kept["results/code.pyz"].sha256,
        "step": [{"@id": f"#step/{name}"} for name in names],
        "hasPart": [{"@id": f"#tool/{name}"} for name in names],
        "softwareRequirements": [{"@id": uri} for uri in sorted(inside.results.packages.values())],
    }


def parameters_of(inside: Inside) -> dict[str, str]:
    """Which files are inputs or outputs of the workflow, and which ones."""
    data = [name for s in inside.experiment.sources for name in _files(inside, s.path)]
    return {
        **dict.fromkeys(data, "#input/raw-data"),
        **dict.fromkeys(_files(inside, inside.experiment.code), "#input/experiment"),
        CONFIGURATION: "#input/configuration",
        _verdict(inside): "#output/verdict",
    }


def _files(inside: Inside, path: str) -> list[str]:
    """The names of the files at a path of the configuration; none where they were left out."""
    return [f"{path}/{name}" if name else path for name in inside.digests(path)]


def entities(inside: Inside) -> list[Entity]:
    """All that is no file, in no fixed order: the actions, and what they speak of."""
    return [
        *software.entities(inside),
        *_parameters(),
        *_left_out(inside),
        *_whole(inside),
        *(entity for step in software.steps(inside.results) for entity in _action(inside, step)),
    ]


def _parameters() -> Iterator[Entity]:
    named = {f"#input/{key}": what for key, what in _WANTED.items()}
    for key, what in {**named, "#output/verdict": "the verdict"}.items():
        yield {
            "@id": key, "@type": "FormalParameter", "additionalType": "File", "name": what,
            "conformsTo": {"@id": _PARAMETER},
        }  # fmt: skip
    yield {
        "@id": _PARAMETER, "@type": "CreativeWork", "name": "FormalParameter",
        "version": "1.0-RELEASE",
    }  # fmt: skip


def _left_out(inside: Inside) -> Iterator[Entity]:
    for source in inside.experiment.sources:
        if source.path in inside.index.left_out:
            yield {
                "@id": f"#left-out/{quote(source.path)}", "@type": "CreativeWork",
                "name": source.path, "sha256": source.sha256,
                **({"url": source.address} if source.address else {}),
                "description": "Raw data, too large for this archive: put what has this sha256 at "
                "that path",
                "exampleOfWork": {"@id": "#input/raw-data"},
            }  # fmt: skip


def _whole(inside: Inside) -> Iterator[Entity]:
    """The run as a whole, and how the engine went through its steps."""
    started, ended = times(inside)
    span: Entity = {"startTime": started, "endTime": ended}
    inputs = [CONFIGURATION, *_files(inside, inside.experiment.code)]
    data = [entity for path in inside.experiment.sources for entity in _data(inside, path.path)]
    results = [name for name in inside.kept if name.startswith("results/") and "/" in name[8:]]
    yield {
        "@id": "#run", "@type": "CreateAction", **span, "instrument": ref("Snakefile"),
        "name": f"Run of the experiment {inside.index.experiment}", "description": sentence(inside),
        "actionStatus": _COMPLETED,
        "object": [*(ref(name) for name in inputs), *data],
        "result": [ref(name) for name in results if not name.endswith(SUFFIX)],
    }  # fmt: skip
    steps = software.steps(inside.results)
    yield {
        "@id": "#engine-run", "@type": "OrganizeAction", **span, "name": "Run of Snakemake",
        "instrument": {"@id": software.engine(inside)}, "result": {"@id": "#run"},
        "object": [{"@id": f"#control/{quote(step.key)}"} for step in steps],
    }  # fmt: skip
    for step in steps:
        yield {
            "@id": f"#control/{quote(step.key)}", "@type": "ControlAction",
            "name": f"Orchestrate {step.key}", "instrument": {"@id": f"#step/{step.name}"},
            "object": {"@id": f"#job/{quote(step.key)}"},
        }  # fmt: skip


def _data(inside: Inside, path: str) -> list[Entity]:
    if path in inside.index.left_out:
        return [{"@id": f"#left-out/{quote(path)}"}]
    return [ref(name) for name in _files(inside, path)]


def _action(inside: Inside, step: Step) -> Iterator[Entity]:
    started, ended = _times(step)
    seed = f", seed {step.names['seed']}" if "seed" in step.names else ""
    job = quote(step.key)
    yield {
        "@id": f"#job/{job}", "@type": "CreateAction", "startTime": started, "endTime": ended,
        "name": f"{step.name} ({step.names.get('run', 'for all runs')}{seed})",
        "description": software.STEPS.get(step.name, step.name), "actionStatus": _COMPLETED,
        "instrument": {"@id": f"#tool/{step.name}"},
        "object": [*_objects(inside, step), {"@id": f"#parameters/{job}"}],
        "result": [ref(f"results/{name}") for name in (*step.outputs, step.key)],
    }  # fmt: skip
    yield {
        "@id": f"#parameters/{job}", "@type": "PropertyValue", "name": "parameters",
        "value": canonical(step.parameters),
    }  # fmt: skip


def _source(inside: Inside, step: Step, name: str) -> Source | None:
    """The raw data, or the weights from elsewhere, that an input is."""
    kind, _, key = name.partition(":")
    if kind == PRETRAINED:
        return inside.experiment.pretrained.get(key)
    return inside.experiment.data.get(key) if (step.name, kind) == ("prepare", "data") else None


def _objects(inside: Inside, step: Step) -> list[Entity]:
    """What a step used: files of the archive, or raw data that are not in it."""
    used: list[Entity] = []
    for name in step.inputs:
        place = where(step, name)
        if place is not None:
            used += [ref(file) for file in _files(inside, f"results/{place}")]
        elif name == "experiment":
            used += [ref(file) for file in _files(inside, inside.experiment.code)]
        elif source := _source(inside, step, name):
            used += _data(inside, source.path)
        else:
            used += [ref(name)] if name == LOCK or name in inside.kept else []
    return list({entity["@id"]: entity for entity in used}.values())
