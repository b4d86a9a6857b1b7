"""Installs exactly the packages of a pin file into a new prefix, or nothing.

Synopsis:
    install.create(read_pins(Path("keras.linux-64.pin.txt")), prefix, cache)

Each archive is unpacked afresh: an unpacked package that lies about is never trusted. The prefix is
made under another name beside its place and then renamed, so a prefix that exists is whole.
"""

import asyncio
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import locks
import project
from display import progress
from post_deploy import beside
from repro.core.errors import UserError

from conda import archives
from conda.pins import Pin

_INSTALLED = "conda packages installed"  # what is noted of their progress


def create(pins: Sequence[Pin], prefix: Path, cache: Path) -> None:
    """Install the packages, and nothing else, into ``prefix``: absolute, and not there yet.

    Raises:
        UserError: an archive cannot be had or has another digest; then there is no prefix.
    """
    with locks.held(beside.lock_of(prefix)), locks.folder(cache):
        if prefix.exists():
            raise UserError(f"Expected nothing at {prefix}. Received a folder. Remove it first.")
        staging = beside.path(prefix, beside.PARTIAL)
        if staging.exists():  # of an installation that was killed
            shutil.rmtree(staging)
        try:
            files = asyncio.run(archives.fetch(pins, cache))
            progress.note(_INSTALLED, 0, len(pins))
            asyncio.run(_install(pins, files, staging, prefix))
            (staging / "prefix").rename(prefix)
            progress.note(_INSTALLED, len(pins), len(pins))
        finally:
            shutil.rmtree(staging, ignore_errors=True)


async def _install(pins: Sequence[Pin], files: Sequence[Path], staging: Path, prefix: Path) -> None:
    """Install under ``staging``, for use at ``prefix``."""
    from rattler import RepoDataRecord, install

    records = [await RepoDataRecord.from_package_archive(archive) for archive in files]
    (staging / "prefix" / "conda-meta").mkdir(parents=True)
    await install(
        records,
        target_prefix=staging / "prefix",
        alternative_target_prefix=prefix,
        cache_dir=staging / "unpacked",
        execute_link_scripts=False,
        show_progress=False,
    )
    for pin in pins:
        _name_origin(pin, staging / "prefix" / "conda-meta")
    (staging / "prefix" / "conda-meta" / "history").touch()


def _name_origin(pin: Pin, meta: Path) -> None:
    """Write the address that was pinned into the prefix's record, in place of the cache's."""
    stem = pin.file_name.removesuffix(".conda").removesuffix(".tar.bz2")
    file = meta / f"{stem}.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    record.update(url=pin.url, channel=pin.url.rpartition("/")[0].rpartition("/")[0])
    for volatile in ("extracted_package_dir", "package_tarball_full_path", "link"):
        record.pop(volatile, None)
    project.write(file, json.dumps(record, indent=2) + "\n")
