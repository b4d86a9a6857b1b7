"""A small environment as each installer leaves it: its files, and its record of them.

The records have the form that is written by conda 26.7.1 (conda/core/path_actions.py), libmamba
2.8 (libmamba/src/core/link.cpp) and py-rattler 0.28 (crates/rattler/src/install).
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLACEHOLDER = "/opt/placeholder_ppp"
SITE = "lib/python3.11/site-packages"
KEPT = "/home/me/conda/pkgs"  # where conda and libmamba keep packages unpacked

Entry = dict[str, Any]


@dataclass(frozen=True)
class Packed:
    """A package as a channel has it; a path's text starting with ``->`` is a link."""

    name: str
    version: str
    files: Mapping[str, str]
    noarch: str | None = None
    commands: tuple[str, ...] = ()
    more: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def stem(self) -> str:
        """What its archive and its record are called."""
        return f"{self.name}-{self.version}-0"

    @property
    def index(self) -> dict[str, Any]:
        """What every installer copies into its record."""
        subdir = "noarch" if self.noarch else "linux-64"
        url = f"https://channel.example/{subdir}/{self.stem}.conda"
        known = {"name": self.name, "version": self.version, "build": "0", "build_number": 0}
        known |= {"subdir": subdir, "fn": f"{self.stem}.conda", "url": url, "depends": []}
        noarch = {"noarch": self.noarch} if self.noarch else {}
        return {**known, "sha256": sha256(self.stem), "size": 1, **noarch, **self.more}


PYTHON = Packed(
    "python",
    "3.11.15",
    {
        "bin/python": "-> python3.11",
        "bin/python3.11": "the interpreter",
        "lib/python3.11/os.py": "name = 'posix'\n",
        "lib/python3.11/__pycache__/os.cpython-311.pyc": "compiled by the packager",
        "lib/python3.11/_sysconfigdata.py": f"prefix = '{PLACEHOLDER}'\n",
        "lib/python3.11/empty.py": "",
    },
)
TINY = Packed(
    "tiny",
    "1.0",
    {
        "etc/tiny.conf": "everywhere alike",
        "python-scripts/tiny-script": f"#!{PLACEHOLDER}/bin/python\n",
        "site-packages/tiny/__init__.py": "VERSION = '1.0'\n",
        "site-packages/tiny/table.txt": "1 2 3\n",
        "site-packages/tiny/link.txt": "-> table.txt",
    },
    noarch="python",
    commands=("tiny",),
)
DATA = Packed("data", "7", {"site-packages/odd.txt": "stays where it is\n"}, noarch="generic")


@dataclass(frozen=True)
class Laid:
    """A file of a package that was just linked into a prefix."""

    packed: str
    path: str
    text: str
    is_link: bool
    sha256: str
    now: str
    patched: bool

    @property
    def mode(self) -> Entry:
        """What both conda and py-rattler say of a file into which the prefix was written."""
        patch = {"file_mode": "text", "prefix_placeholder": PLACEHOLDER}
        return patch if self.patched else {}

    @property
    def common(self) -> Entry:
        """What all say of it."""
        kind = "softlink" if self.is_link else "hardlink"
        return {"path_type": kind, "sha256": self.sha256, "size_in_bytes": len(self.text)}


def sha256(text: str) -> str:
    """The digest of a text, or of a file that holds it."""
    return hashlib.sha256(text.encode()).hexdigest()


def conda(prefix: Path, package: Packed, site: str = SITE) -> None:
    """Install as conda does: its paths are the packed ones, and it tells the true ones in files."""
    paths: list[Entry] = []
    files: list[str] = []
    for laid in _lay(prefix, package, site):
        inside = {} if laid.is_link else {"sha256_in_prefix": laid.now}
        paths.append({"_path": laid.packed, **laid.mode, **laid.common, **inside})
        files.append(laid.path)
    for path in _compiled(prefix, package, site):
        paths.append({"_path": path, "path_type": "pyc_file", "size_in_bytes": 8})
        files.append(path)
    for path in _commands(prefix, package):
        paths.append({"_path": path, "path_type": "unix_python_entry_point", "size_in_bytes": 9})
        files.append(path)
    kept = f"{KEPT}/{package.stem}"
    noarch = {"package_type": f"noarch_{package.noarch}"} if package.noarch else {}
    known = {**package.index, **noarch, "channel": "https://channel.example/linux-64"}
    known |= {"requested_spec": package.name, "requested_specs": [package.name]}
    known |= {"package_tarball_full_path": f"{kept}.conda", "extracted_package_dir": kept}
    _record(prefix, package, {**known, "link": {"source": kept, "type": 1}}, paths, files)


def libmamba(prefix: Path, package: Packed, site: str = SITE) -> None:
    """Install as mamba and micromamba do."""
    paths = [
        {"_path": laid.path, "sha256_in_prefix": sha256(_read(prefix / laid.path)), **laid.common}
        for laid in _lay(prefix, package, site)
    ]
    if package.noarch == "python":
        compiled = _compiled(prefix, package, site)
        paths += [{"_path": path, "path_type": "pyc_file"} for path in compiled]
        commands = _commands(prefix, package)
        paths += [{"_path": path, "path_type": "unix_python_entry_point"} for path in commands]
    kept = f"{KEPT}/{package.stem}"
    known = {**package.index, "channel": "https://channel.example", "requested_spec": ""}
    known |= {"package_tarball_full_path": f"{kept}.tar.bz2", "extracted_package_dir": kept}
    files = [path["_path"] for path in paths]
    _record(prefix, package, {**known, "link": {"source": kept, "type": 1}}, paths, files)


def rattler(prefix: Path, package: Packed, site: str = SITE) -> None:
    """Install as py-rattler does: it compiles nothing, and digests even what it writes itself."""
    paths: list[Entry] = []
    for laid in _lay(prefix, package, site):
        now = sha256(laid.text.removeprefix("-> ")) if laid.is_link else laid.now
        inside = {"sha256_in_prefix": now} if now != laid.sha256 else {}
        paths.append({"_path": laid.path, **laid.common, **inside, **laid.mode})
    for path in _commands(prefix, package):
        now = sha256(_read(prefix / path))
        paths.append({"_path": path, "path_type": "unix_python_entry_point", "sha256": now})
    files = [path["_path"] for path in paths]
    known = {**package.index, "channel": "https://channel.example", "requested_specs": []}
    _record(prefix, package, known, paths, files)


Installer = Callable[[Path, Packed, str], None]


def _lay(prefix: Path, package: Packed, site: str) -> list[Laid]:
    """Put the files where they belong: `site-packages` and `python-scripts` are nowhere so called.

    A link's own digest is, in the package, that of what it points to.
    """
    laid: list[Laid] = []
    for packed, text in package.files.items():
        path = packed
        if package.noarch == "python":
            for folder, place in (("site-packages/", f"{site}/"), ("python-scripts/", "bin/")):
                if packed.startswith(folder):
                    path = place + packed.removeprefix(folder)
        target = prefix / path
        target.parent.mkdir(parents=True, exist_ok=True)
        points = text.removeprefix("-> ")
        if is_link := points != text:
            target.symlink_to(points)
            text_of = package.files[str(Path(packed).with_name(points))]
            laid.append(Laid(packed, path, text, True, sha256(text_of), "", False))
        else:
            now = text.replace(PLACEHOLDER, str(prefix))
            target.write_text(now)
            laid.append(Laid(packed, path, text, is_link, sha256(text), sha256(now), text != now))
    return laid


def _compiled(prefix: Path, package: Packed, site: str) -> list[str]:
    """Of a `noarch: python` package alone; the record has what did not compile as well."""
    if package.noarch != "python":
        return []
    cache = prefix / site / package.name / "__pycache__"
    cache.mkdir()
    (cache / "__init__.cpython-311.pyc").write_text("compiled")
    names = ("__init__.cpython-311.pyc", "for_python_2.cpython-311.pyc")
    return [f"{site}/{package.name}/__pycache__/{name}" for name in names]


def _commands(prefix: Path, package: Packed) -> list[str]:
    paths = [f"bin/{name}" for name in package.commands]
    for path in paths:
        (prefix / path).write_text(f"#!{prefix}/bin/python3.11\n")
    return paths


def _record(
    prefix: Path, package: Packed, known: Entry, paths: list[Entry], files: list[str]
) -> None:
    data = {"paths_version": 1, "paths": paths}
    (prefix / "conda-meta").mkdir(exist_ok=True)
    (prefix / "conda-meta" / "history").touch()
    record = prefix / "conda-meta" / f"{package.stem}.json"
    record.write_text(json.dumps({**known, "files": files, "paths_data": data}))


def _read(path: Path) -> str:
    return path.read_text()


def edit(prefix: Path, package: Packed, path: str, **values: Any) -> None:
    """Change the entry of one path in the record of a package."""
    record = prefix / "conda-meta" / f"{package.stem}.json"
    content = json.loads(record.read_text())
    (entry,) = (e for e in content["paths_data"]["paths"] if e["_path"] == path)
    entry.update(values)
    record.write_text(json.dumps(content))
