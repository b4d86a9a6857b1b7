"""Against present: how far code, lock, inputs and configuration of today are those of the results.

Synopsis:
    for difference in sources(results, home): ...
    for difference in inputs(results, experiments, digests_in(project)): ...

Everything is compared by content; times play no part. A difference names the file or the key
itself, and the manifests of the steps that used it as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from repro.audit.results import CODE, LOCK, Results, against
from repro.core import layout
from repro.core.canonical_json import canonical
from repro.core.config import Experiment, Source
from repro.core.digest import sha256_bytes, sha256_file, sha256_files, sha256_value
from repro.data.module_loader import module
from repro.plan.schedule import Schedule
from repro.record.statement import digest
from repro.record.step import Step

PACK = "workflow/scripts/pack.py"
Digests = Callable[[str], Mapping[str, str]]
_T = TypeVar("_T")
_PACKED = ("workflow/lib/", "workflow/schemas/")
# Parameters of a step that stand under another key in the configuration.
_KEYS = {
    "threads": "training.threads", "batch_size": "training.batch_size", "limit": "repeat",
    "seed": "seeds",
}  # fmt: skip


@dataclass(frozen=True)
class Discrepancy:
    """`kind`: `changed`, `missing` or `added`; `users` are manifests that rest on what it was."""

    kind: str
    path: str
    what: str
    users: frozenset[str] = frozenset()


class Asked(Protocol):
    """As much of an experiment as tells where its inputs lie."""

    @property
    def code(self) -> str: ...

    @property
    def data(self) -> Mapping[str, Source]: ...

    @property
    def pretrained(self) -> Mapping[str, Source]: ...


def joined(differences: Iterable[Discrepancy]) -> Iterator[Discrepancy]:
    """Each difference once, with the users of all."""
    users: dict[Discrepancy, frozenset[str]] = {}
    for difference in differences:
        key = replace(difference, users=frozenset[str]())
        users[key] = users.get(key, frozenset()) | difference.users
    yield from (replace(key, users=every) for key, every in users.items())


def _between(
    then: Mapping[str, str], now: Mapping[str, str], prefix: str = ""
) -> Iterator[Discrepancy]:
    """The files that differ, by name."""
    for name in sorted({**then, **now}):
        path = f"{prefix}{name}"
        if name not in now:
            yield Discrepancy("missing", path, f"sha256 {then[name][:12]}… was used")
        elif name not in then:
            yield Discrepancy("added", path, "it was not there")
        elif now[name] != then[name]:
            yield Discrepancy("changed", path, against(now[name], then[name]))


def sources(results: Results, home: Path) -> Iterator[Discrepancy]:
    """What of the workflow's own files is no longer as it was when the programs were packed."""
    code = results.steps.get(CODE)
    if code is None:
        return
    then = {name: sha256 for name, sha256 in code.digests.items() if name != LOCK}
    failure, programs = "", dict[str, str]()
    try:
        pack = module("present_pack", home / PACK)
        now = {name: sha256_file(path) for name, path in pack.sources().items() if name != LOCK}
        programs = {name: sha256_bytes(content) for name, content in pack.programs().items()}
    except (
        Exception
    ) as error:  # a changed program may fail in any way; its files are compared still
        failure = f"it fails: {type(error).__name__}: {error}"
        now = {name: sha256_file(home / name) for name in then if (home / name).is_file()}
    # One that an earlier version did not have is no other one.
    made = code.outputs
    other = {name for name, sha256 in programs.items() if made.get(name, sha256) != sha256}
    for difference in _between(then, now):
        yield replace(
            difference, users=_users(results, difference.path, None if failure else other)
        )
    if then == now and failure:
        yield Discrepancy("changed", PACK, failure, frozenset([CODE]))
    if then == now and other:
        for name in sorted(other):
            what = f"the present sources give {against(programs[name], code.outputs[name])}"
            yield Discrepancy("changed", results.shown(name), what, frozenset([CODE]))


def _users(results: Results, source: str, other: set[str] | None) -> frozenset[str]:
    """What rests on a source, when the present sources give `other` programs (None: not known)."""
    if other is None or "code.pyz" in other or not source.startswith(_PACKED):
        return frozenset([CODE])
    names = {name.removesuffix(".pyz") for name in other}
    users = [path for path, step in results.steps.items() if names & step.inputs.keys()]
    return frozenset([*other, *users])


def lock(results: Results, digests: Digests) -> Iterator[Discrepancy]:
    """Whether every step was made by the lock that is there."""
    lock_digests = digests(LOCK)
    now = {LOCK: lock_digests[""]} if lock_digests else {}
    for step in results.steps.values():
        if LOCK in step.inputs:
            for difference in _between({LOCK: step.digests[LOCK]}, now):
                yield replace(difference, users=frozenset([step.key]))


def inputs(
    results: Results, experiments: Mapping[str, Asked], digests: Digests
) -> Iterator[Discrepancy]:
    """What of the raw data and of the user's code is no longer what was used."""
    hashed: dict[str, Mapping[str, str]] = {}
    for step, entry in _configured(results, experiments):
        paths = {"experiment": entry.code}
        if step.name == "prepare":
            paths |= {layout.source_input(n): source.path for n, source in entry.data.items()}
        for n, source in entry.pretrained.items():
            paths[layout.source_input(n, layout.PRETRAINED)] = source.path
        for name, path in paths.items():
            if name in step.inputs:
                if path not in hashed:
                    hashed[path] = digests(path)
                for difference in _input(step.inputs[name], path, hashed[path]):
                    yield replace(difference, users=frozenset([step.key]))


def digests_in(project: Path) -> Digests:
    """Tells a file's digest under the name "", those of a folder's files under theirs.

    Paths start from the folder `project`.
    """

    def digests(name: str) -> Mapping[str, str]:
        path = project / name
        if path.is_dir():
            return sha256_files(path)
        return {"": sha256_file(path)} if path.is_file() else {}

    return digests


def _input(resource: Mapping[str, Any], path: str, now: Mapping[str, str]) -> Iterator[Discrepancy]:
    if "sha256" in resource["digest"]:
        then = {"": digest(resource)}
    elif now and sha256_value(now) == digest(resource):
        return
    else:
        then = resource.get("annotations", {}).get("files", {})
    if then and now:
        differences = list(_between(then, now, f"{path}/"))
        yield from (
            replace(difference, path=difference.path.rstrip("/")) for difference in differences
        )
    else:  # all of it is gone, or it had too many files to be named one by one
        kind = "changed" if now else "missing"
        yield Discrepancy(kind, path, f"sha256 {digest(resource)[:12]}… was used")


def _configured(results: Results, experiments: Mapping[str, _T]) -> Iterator[tuple[Step, _T]]:
    for step in results.steps.values():
        if (entry := experiments.get(str(step.names.get("experiment")))) is not None:
            yield step, entry


def configuration(
    results: Results, experiments: Mapping[str, Experiment], file: str
) -> Iterator[Discrepancy]:
    """What the configuration, in `file`, asks for now that is not what a step was made with."""
    for step in results.steps.values():
        name = step.names.get("experiment")
        if name is not None and name not in experiments:
            users = frozenset([step.key])
            yield Discrepancy("missing", f"{file}: experiments.{name}", "it was there", users)
    for step, entry in _configured(results, experiments):
        for key, what in _asked(step, entry):
            path = f"{file}: experiments.{step.names['experiment']}.{key}"
            yield Discrepancy("changed", path, what, frozenset([step.key]))


def _asked(step: Step, entry: Experiment) -> Iterator[tuple[str, str]]:
    run, seed = step.names.get("run", "original"), step.names.get("seed")
    if run not in Schedule.of(entry).runs:
        yield "repeats", f"{run} is no longer asked for"
    elif seed is not None and seed not in entry.seeds:
        yield "seeds", f"{seed} is no longer asked for"
    else:
        # Key by key, not as a dataclass: the manifest may be of a version with other parameters.
        asked = entry.parameters(step.name, run, seed)
        now, then = by_key(asked.json()), by_key(step.parameters)
        for key in sorted({**now, **then}):
            if now.get(key) != then.get(key):
                yield key, f"{now.get(key, 'none')} in place of {then.get(key, 'none')}"
    environment = step.installed.get("environment")
    if environment not in (None, entry.environment):
        yield "environment", f"{entry.environment} in place of {environment}"


def by_key(value: Any, key: str = "") -> dict[str, str]:
    """Each innermost value as JSON, by its dotted key in the configuration."""
    if not isinstance(value, dict) or not value:
        return {key: canonical(value)} if key else {}
    flat: dict[str, str] = {}
    for name, part in cast("dict[str, Any]", value).items():
        name = _KEYS.get(name, name) if not key else name
        flat |= by_key(part, f"{key}.{name}".strip("."))
    return flat
