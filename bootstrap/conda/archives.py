"""Fetches the archives of conda packages, and keeps them; each has the digest of its pin.

Synopsis:
    archives.fetched(read_pins(Path("keras.linux-64.pin.txt")), cache)

Each archive is read and digested at every use, wherever it comes from.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import locks
from display import progress
from repro.core.errors import CouldNotRun, UserError

from conda.pins import Pin

if TYPE_CHECKING:
    from rattler.networking import Client

DOWNLOAD_SECONDS = 300  # for one archive; tried three times
DOWNLOADS_AT_ONCE = 5
FETCHED = "conda packages fetched"  # what is noted of their progress


def clean(cache: Path) -> None:
    """Remove the fetched archives."""
    with locks.folder(cache):
        for pattern in ("*.conda", "*.tar.bz2", "*.partial"):
            for file in cache.glob(pattern):
                file.unlink()


def fetched(pins: Sequence[Pin], cache: Path) -> list[Path]:
    """Return the packages' archives, fetched where need be into ``cache``, locked meanwhile.

    Raises:
        UserError: an archive cannot be had or has another digest.
    """
    with locks.folder(cache):
        return asyncio.run(fetch(pins, cache))


async def fetch(pins: Sequence[Pin], cache: Path) -> list[Path]:
    """Do the same where the cache is held already."""
    from rattler.networking import Client

    client = Client.default_client(max_retries=2, timeout=DOWNLOAD_SECONDS)
    slots = asyncio.Semaphore(DOWNLOADS_AT_ONCE)
    finished: list[Path] = []

    async def archive_of(pin: Pin) -> Path:
        async with slots:
            progress.note(FETCHED, len(finished), len(pins), pin.file_name)
            if pin.local:
                _check(pin, pin.local)
            finished.append(archive := pin.local or await _download(pin, cache, client))
            progress.note(FETCHED, len(finished), len(pins), pin.file_name)
            return archive

    # A download that is cancelled goes on in its thread and writes its part after the clean-up.
    outcomes = await asyncio.gather(*(archive_of(pin) for pin in pins), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, Path)]


async def _download(pin: Pin, cache: Path, client: "Client") -> Path:
    """Return the archive from the cache if it is still what it was, else fetch it."""
    from rattler.package_streaming import download_to_path

    archive = cache / pin.file_name
    if archive.is_file() and _digest(archive, pin.algorithm) == pin.digest:
        return archive
    part = cache / f"{pin.file_name}.partial"
    try:
        try:
            await download_to_path(client, pin.url, part)
        except Exception as error:  # whatever the network does, the sentence names the package
            raise CouldNotRun(
                f"Expected the package {pin.file_name} at {pin.url}. Received: {error}. "
                "Make the channel reachable, then try again."
            ) from error
        _check(pin, part)
        part.replace(archive)
    finally:
        part.unlink(missing_ok=True)
    return archive


def _check(pin: Pin, archive: Path) -> None:
    received = _digest(archive, pin.algorithm) if archive.is_file() else "no file"
    if received != pin.digest:
        raise UserError(
            f"Expected the package {pin.file_name} with {pin.algorithm} {pin.digest}. "
            f"Received {received} from {pin.url}. Nothing was installed; mend the channel "
            "(`./run setup` makes a local one again), then try again."
        )


def _digest(archive: Path, algorithm: str) -> str:
    with archive.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
