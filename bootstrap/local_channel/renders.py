"""Renders this clone's environments for the local channel: its pins lie under .tools/local alone.

Synopsis:
    renders.ensure()
"""

import json
from collections.abc import Sequence
from pathlib import Path

import locks
import project
from conda import render
from conda.lock_file import CondaPackage
from repro.core.atomic import whole_folder
from repro.core.digest import sha256_file

from local_channel import build

LOCAL = project.TOOLS / "local"


def ensure() -> None:
    """Build the local channel and its pins, unless they are there and unaltered.

    Raises:
        UserError: this is no Debian 12, or its packages or the wheels cannot be fetched.
    """
    with locks.folder(project.TOOLS):
        if not _sound():
            _render(build.packages())


def _render(packages: Sequence[Path]) -> None:
    with whole_folder(LOCAL) as folder:
        render.render_local([_described(file) for file in packages], folder / "envs")
        digests = {f"envs/{file.name}": sha256_file(file) for file in (folder / "envs").iterdir()}
        digests |= {str(file): sha256_file(file) for file in packages}
        content = {"key": build.key(), "channels": str(build.CHANNELS), "files": digests}
        project.write(folder / "made.json", json.dumps(content, indent=1))


def _described(file: Path) -> CondaPackage:
    name, version, number = file.name.removesuffix(".conda").rsplit("-", 2)
    return CondaPackage(name, version, number, file.parent.name, file.as_uri(), sha256_file(file))


def _sound() -> bool:
    try:
        record = json.loads((LOCAL / "made.json").read_text(encoding="utf-8"))
        files: dict[str, str] = record["files"]
        same = all(sha256_file(LOCAL / name) == digest for name, digest in files.items())
        return same and (record["key"], record["channels"]) == (build.key(), str(build.CHANNELS))
    except (OSError, ValueError, KeyError):
        return False
