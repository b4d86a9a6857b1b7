"""Writes conda packages whose bytes depend on nothing but what is in them.

Synopsis:
    package.write(tree, index, folder)          a folder as a package
    package.write_wheel(wheel, folder)          a pure Python wheel as a package

conda-package-streaming, the format's own library, writes the archives inside; it puts the time
of writing into the outer zip file, which is therefore written once more, stored, with the
earliest date that a zip file can hold.
"""

import configparser
import email.parser
import hashlib
import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from repro.core.atomic import whole_file
from repro.core.errors import UserError

EPOCH = 315532800  # 1980-01-01, the earliest date in a zip file
LEVEL = 9  # of zstd; a tenth of the time of the library's 19, for 10 % more bytes


def write(
    tree: Path,
    index: Mapping[str, Any],
    folder: Path,
    *,
    placeholders: Mapping[str, str] | None = None,
    link: Mapping[str, Any] | None = None,
) -> Path:
    """Write the files under ``tree`` as a conda package; the same arguments give the same bytes.

    ``folder`` is the channel. ``index`` is info/index.json; ``link``, of noarch Python packages, is
    info/link.json. ``placeholders`` gives by path the text in a file which stands for the prefix.
    """
    from conda_package_streaming.create import conda_builder

    stem = f"{index['name']}-{index['version']}-{index['build']}"
    paths = [_path(tree, path, placeholders or {}) for path in _files(tree)]
    info: dict[str, Any] = {
        "index.json": {"build_number": 0, "timestamp": EPOCH * 1000, **index},
        "paths.json": {"paths": paths, "paths_version": 1},
        "about.json": {},
    }
    if link:
        info["link.json"] = link
    target = folder / str(index["subdir"]) / f"{stem}.conda"
    with tempfile.TemporaryDirectory() as scratch:
        with conda_builder(stem, scratch, compression_level=LEVEL) as archive:
            for path in _files(tree):
                _add_file(archive, tree, path)
            for name, content in sorted(info.items()):
                _add_bytes(archive, f"info/{name}", _json(content))
        with whole_file(target) as part:
            _without_dates(Path(scratch) / f"{stem}.conda", part)
    return target


def write_wheel(wheel: Path, folder: Path) -> Path:
    """Write a pure Python wheel, with its commands, as a ``noarch: python`` package into a channel.

    Raises:
        UserError: the wheel has compiled parts or files outside site-packages.
    """
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as scratch:
        names = archive.namelist()
        info = next(n for n in names if n.endswith(".dist-info/METADATA")).rpartition("/")[0]
        pure = "Root-Is-Purelib: true" in archive.read(f"{info}/WHEEL").decode()
        if not pure or any(n.partition("/")[0].endswith(".data") for n in names):
            raise UserError(
                f"Expected a pure Python wheel. Received {wheel.name}, which has other parts. "
                "Pin another wheel in bootstrap/local_channel/channel-wheels.txt."
            )
        site_packages = Path(scratch) / "site-packages"
        archive.extractall(site_packages)
        (site_packages / info / "INSTALLER").write_text("conda")
        metadata = email.parser.Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        index = {
            "name": metadata["Name"].lower(),
            "version": metadata["Version"],
            "build": "py_0",
            "subdir": "noarch",
            "noarch": "python",
            "depends": [f"python {metadata['Requires-Python'] or '*'}".replace(", ", ",")],
            "license": metadata["License-Expression"] or "unknown",
        }
        commands = _commands(site_packages / info / "entry_points.txt")
        link = {"noarch": {"type": "python", "entry_points": commands}}
        return write(Path(scratch), index, folder, link={**link, "package_metadata_version": 1})


def _commands(file: Path) -> list[str]:
    parser = configparser.ConfigParser(delimiters="=")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(file)
    if not parser.has_section("console_scripts"):
        return []
    return sorted(f"{name} = {what}" for name, what in parser["console_scripts"].items())


def _files(tree: Path) -> Iterator[Path]:
    """Give files and links in an order that does not depend on the file system."""
    return iter(sorted(p for p in tree.rglob("*") if p.is_symlink() or p.is_file()))


def _path(tree: Path, path: Path, placeholders: Mapping[str, str]) -> dict[str, Any]:
    name = path.relative_to(tree).as_posix()
    content = path.read_bytes() if path.is_file() else b""  # of a link: of what it points to
    entry: dict[str, Any] = {
        "_path": name,
        "path_type": "softlink" if path.is_symlink() else "hardlink",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_in_bytes": len(content),
    }
    if name in placeholders:
        entry.update(file_mode="text", prefix_placeholder=placeholders[name])
    return entry


def _add_file(archive: tarfile.TarFile, tree: Path, path: Path) -> None:
    entry = tarfile.TarInfo(path.relative_to(tree).as_posix())
    entry.mtime = EPOCH
    if path.is_symlink():
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
        archive.addfile(entry)
        return
    entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    entry.size = path.stat().st_size
    with path.open("rb") as content:
        archive.addfile(entry, content)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.mtime, entry.mode, entry.size = EPOCH, 0o644, len(content)
    archive.addfile(entry, io.BytesIO(content))


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()


def _without_dates(source: Path, target: Path) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            new.writestr(entry, old.read(name))
