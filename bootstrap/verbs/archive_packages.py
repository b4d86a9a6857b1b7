"""Packages: the files that an environment and the host's tools are installed from, for an archive.

Synopsis:
    archive_packages.gathered(results)      -> {"packages/pypi/numpy-….whl": path, …}

Which ones is what the manifests say, by digest. Wheels are kept where installations take them from
(`wheels.store`); one that is gone there is fetched again, against the same digest. Each is hashed
once more while an archive is written.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import project
import tools
from conda import archives
from conda.pins import read_pins
from environments import channel
from repro.archive.contents import CONDA, PYPI
from repro.audit.results import Results
from repro.core.digest import sha256_file
from repro.core.errors import CouldNotRun, UserError
from repro.record.manifest import recorded
from wheels.pip_command import Pip, Refused
from wheels.store import Store, usable_store


def gathered(results: Results) -> dict[str, Path]:
    """Return every package that took part in making results, and the tools', by archive name.

    Raises:
        UserError: one cannot be had, or has another digest.
    """
    print(
        "Gathering the packages; what is not kept here is fetched ...", file=sys.stderr, flush=True
    )
    packages: dict[str, Path] = {}
    store = usable_store(tools.KEPT)
    for name, path in [*_conda(results), *_wheels(results, store), *_tools(store)]:
        if name in packages and sha256_file(packages[name]) != sha256_file(path):
            raise UserError(
                f"Expected one file {name}. Received two with other content, from the lock and "
                "from bootstrap/. Leave them to the lock: `--without-packages`."
            )
        packages[name] = path
    return packages


def _conda(results: Results) -> Iterator[tuple[str, Path]]:
    used = results.packages
    installed = [recorded(s.value)["environment"]["installed"] for s in results.steps.values()]
    for files in sorted({(i["channel"], i["environment"], i["platform"]) for i in installed}):
        source, environment, platform = files
        folder = channel.renders("local" if source == "local" else "locked")
        pins = read_pins(folder / f"{environment}.{platform}.pin.txt")
        wanted = [pin for pin in pins if pin.digest in used]
        for pin, path in zip(wanted, archives.fetched(wanted, project.TOOLS / "pkgs"), strict=True):
            subdir = pin.url.rpartition("/")[0].rpartition("/")[2]
            yield f"{CONDA}{subdir}/{pin.file_name}", path


def _wheels(results: Results, store: Store) -> Iterator[tuple[str, Path]]:
    used = {d: u.removeprefix("pkg:pypi/") for d, u in results.packages.items() if ":pypi/" in u}
    lines = [f"{unquote(p).replace('@', '==')} --hash=sha256:{d}" for d, p in used.items()]
    pip = replace(tools.pip(), python=_python(results))
    for wheel in _fetched(store, "\n".join([*sorted(lines), ""]), pip) if lines else ():
        yield f"{PYPI}{wheel.name}", wheel


def _python(results: Results) -> str:
    """The version of the environment's Python, such as 3.11."""
    versions = {
        recorded(s.value)["environment"]["python"]["version"] for s in results.steps.values()
    }
    return ".".join(min(versions).split(".")[:2])


def _tools(store: Store) -> Iterator[tuple[str, Path]]:
    """The wheels for this machine's Python, and the one tool that is published as source."""
    for file in (tools.UV, tools.WHEELS, tools.SOURCE):
        pip = replace(tools.pip(), source=file == tools.SOURCE)
        try:
            files = _fetched(store, file.read_text("utf-8"), pip)
        except CouldNotRun:
            if file != tools.UV:  # without it pip installs
                raise
            files = []
        for path in files:
            yield f"{PYPI}{path.name}", path


def _fetched(store: Store, wanted: str, pip: Pip) -> list[Path]:
    try:
        return store.fetched(wanted, pip, "fetching packages for the archive")
    except Refused:
        raise CouldNotRun(
            "Expected the packages of the results, and those of the tools, from the index that pip "
            "is configured with. Received the error above. Make it reachable, or leave them to the "
            "lock: `--without-packages`."
        ) from None
