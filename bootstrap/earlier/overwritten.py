"""What a run of Snakemake would overwrite: the steps whose results are there and are made again.

Synopsis:
    rows = overwritten.plan(["all"])
    overwritten.steps(rows, ["all"], read(Path("results")))  # digits/original/data.manifest.json, …

Snakemake says what it would make again (`--summary`). It cannot know what comes of packing the
programs again, and then names all: so they are packed here, in memory, and what rests on nothing
that changed is left out.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import project
import tools
from repro.audit.results import CODE, LOCK, Results
from repro.core import layout
from repro.core.digest import sha256_bytes, sha256_file
from repro.data.module_loader import module

_FORCED = re.compile(r"-[FfR].*|--(force|forceall|forcerun)(=.*)?")
_TOUCHED = {"--touch", "-t"}  # times alone change
_COLUMNS = {"output_file", "status", "plan"}
_NOT_LOST = ("code", "report")
_NO_REASON = ("ok", "missing")
"""What is said of a file that is made again only because of what another job makes, if it is."""


@dataclass(frozen=True)
class Row:
    """A file that rules make: by which step, by its manifest; what is said of it; what is to be."""

    step: str
    status: str
    pending: bool


def plan(command: Sequence[str]) -> list[Row] | None:
    """What Snakemake says of each file that a command line asks for.

    None where it does not say, since it refuses the command line or the configuration.
    """
    if not _TOUCHED.isdisjoint(command):
        return []
    done = subprocess.run(
        [str(tools.BIN / "snakemake"), "--summary", *command], env=tools.environment(),
        check=False, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    head = next((number for number, line in enumerate(lines) if {*line} >= _COLUMNS), None)
    if done.returncode or head is None:
        return None
    told = [dict(zip(lines[head], line, strict=False)) for line in lines[head + 1 :]]
    return [_row(**{column: values[column] for column in _COLUMNS}) for values in told]


def steps(rows: Sequence[Row], command: Sequence[str], results: Results) -> list[str]:
    """The steps, by their manifests, whose results a command line of Snakemake would overwrite.

    The programs are none of them, nor are the pages, which are made from what stays.
    """
    pending = {row.step for row in rows if row.pending}
    if CODE in pending and not any(map(_FORCED.fullmatch, command)):
        pending &= results.following(_changed(rows, results))
    pending |= _unplanned(rows, pending, results)
    steps = results.steps.items()
    return [name for name, step in steps if name in pending and step.name not in _NOT_LOST]


def _row(output_file: str, status: str, plan: str) -> Row:
    step = layout.claimant(output_file.removeprefix("results/"))
    return Row(step, status, plan == "update pending")


def _changed(rows: Sequence[Row], results: Results) -> set[str]:
    """The steps of which something else than another step's results is not what it was."""
    own = {row.step for row in rows if row.pending and row.status not in _NO_REASON}
    lacking = {row.step for row in rows if row.status == "missing"}
    programs, others = {*_repacked(results)}, _other_environments(results)
    users = {n for n, step in results.steps.items() if others or programs & step.inputs.keys()}
    return (own | lacking | users) - {CODE}


def _unplanned(rows: Sequence[Row], pending: set[str], results: Results) -> set[str]:
    """What Snakemake plans only after a look at the first seeds (`seeds: auto`)."""
    looks = [results.steps[n] for n in pending & results.steps.keys()]
    experiments = {step.experiment for step in looks if step.name == "look"}
    verdict = layout.STEPS["compare"].manifest
    planned = {row.step for row in rows if not row.step.endswith(f"/{verdict}")}
    return {
        name for name, step in results.steps.items()
        if step.experiment in experiments and name not in planned
    }  # fmt: skip


def _repacked(results: Results) -> Iterator[str]:
    """The programs that come out otherwise now, by the names that they have as inputs."""
    pack = module("packing", project.ROOT / "workflow" / "scripts" / "pack.py")
    made = results.steps[CODE].outputs if CODE in results.steps else {}
    for name, content in pack.programs().items():
        if made.get(name) != sha256_bytes(content):
            yield name.removesuffix(".pyz")


def _other_environments(results: Results) -> bool:
    """Whether the lock, or what the environments are made from, is no longer what it was."""
    used = results.steps[CODE].digests if CODE in results.steps else {}
    of = {n: sha for n, sha in used.items() if n == LOCK or n.startswith("workflow/envs/")}
    now = {name: project.ROOT / name for name in of}
    return any(not file.is_file() or sha256_file(file) != of[n] for n, file in now.items())
