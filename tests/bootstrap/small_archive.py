"""An archive of the small project, and the means to forge it: the writer's own, in wrong hands."""

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import small_results
from repro.archive import pages, rocrate
from repro.archive.contents import GUIDE, METADATA, SUMS, Inside, ordered, sums
from repro.archive.write import ArchivePlan, Locations, planned, write
from repro.archive.zip_writer import StoredMember, put, written
from repro.core.canonical_json import pretty
from repro.core.config import filled
from repro.core.digest import sha256_bytes
from repro.record.statement import sealed
from small_results import Project

FURNITURE = {
    "README.md": "# A project\n",
    "LICENSE": "As you like.\n",
    "run": '#!/bin/sh\necho "$@" "$PIP_NO_INDEX" >ran.txt\nexit 3\n',
    "bootstrap/__main__.py": "print('run')\n",
    "bootstrap/conda/front_end.py": "print('conda')\n",
    "bootstrap/failures/plugin/__init__.py": "print('plugin')\n",
    "bootstrap/requirements.txt": f"snakemake==9.0.0 \\\n    --hash=sha256:{'2' * 64}\n",
    "profiles/default/config.yaml": "cores: all\n",
}
WHEEL = b"a wheel"
Members = dict[str, bytes]


def furnish(small: Project) -> Project:
    """Add what stands around the results, as a clone has it."""
    for name, text in FURNITURE.items():
        small_results.write(small.folder / name, text)
    return small


def plan(
    small: Project, packages: dict[str, Path] | None = None, limit: int | None = None
) -> ArchivePlan:
    place = Locations(small.folder, small.folder, small.results)
    return planned(place, filled(small.configuration, "tiny"), "tiny", packages, limit)


def archived(small: Project, path: Path) -> Path:
    write(path, plan(small))
    return path


def members(path: Path) -> Members:
    with zipfile.ZipFile(path) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def forge(path: Path, change: Callable[[Members], Any], out: Path) -> Path:
    """Change what is in an archive, and adapt everything that can be made again from it."""
    content = members(path)
    for name in (METADATA, SUMS):
        del content[name]
    change(content)
    asked = {name: content.pop(name) for name in (METADATA, SUMS) if name in content}
    kept = {name: StoredMember(sha256_bytes(c), len(c)) for name, c in content.items()}
    inside = Inside(kept, content.__getitem__)
    try:
        content[METADATA] = rocrate.metadata(inside).encode()
    except Exception:  # of what it has no words for: it stays as it was
        content[METADATA] = members(path)[METADATA]
    content |= asked
    kept[METADATA] = StoredMember(sha256_bytes(content[METADATA]), len(content[METADATA]))
    content.setdefault(SUMS, sums(kept).encode())
    with written(out) as zipped:
        for name in ordered(content):
            put(zipped, name, [content[name]], len(content[name]))
    return out


def reseal(content: Members, name: str, change: Callable[[Any], Any]) -> None:
    """Change a manifest, and make its own digest again."""
    value = json.loads(content[name])
    change(value)
    value["predicate"]["repro_record"]["sha256"] = sealed(value)
    content[name] = pretty(value).encode()


def guide(content: Members) -> None:
    """Make the page for readers again."""
    kept = {name: StoredMember(sha256_bytes(c), len(c)) for name, c in content.items()}
    content[GUIDE] = pages.guide(Inside(kept, content.__getitem__)).encode()


Infos = list[tuple[zipfile.ZipInfo, bytes]]


def rezip(path: Path, change: Callable[[Infos], Any], out: Path, comment: bytes = b"") -> Path:
    """Write the members again by the standard library alone, after a change of their headers."""
    with zipfile.ZipFile(path) as zipped:
        infos = [(info, zipped.read(info)) for info in zipped.infolist()]
    change(infos)
    with zipfile.ZipFile(out, "w") as again:
        again.comment = comment
        for info, content in infos:
            again.writestr(info, content)
    return out


def info(name: str, kind: int = stat.S_IFREG, mode: int = 0o644) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    made.create_system, made.external_attr = 3, (kind | mode) << 16
    return made
