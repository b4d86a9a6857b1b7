"""Installs exactly the packages of a pin file into a new prefix, or nothing.

Synopsis:
    install.create(install.read_pins(Path("keras.linux-64.pin.txt")), prefix, cache)

Each archive is read and digested here at every installation, wherever it comes from, and
unpacked afresh: an unpacked package that lies about is never trusted. The prefix is made under
another name beside its place and then renamed, so a prefix that exists is whole.
"""

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urlsplit
from urllib.request import url2pathname

import progress
import project
from repro.core import held
from repro.core.errors import CouldNotRun, UserError

if TYPE_CHECKING:
    from rattler.networking import Client

DOWNLOAD_SECONDS = 300  # for one archive; tried three times
DOWNLOADS_AT_ONCE = 5
# What is noted of their progress.
_FETCHED, _INSTALLED = "conda packages fetched", "conda packages installed"
_LENGTHS = {64: "sha256", 32: "md5"}


@dataclass(frozen=True)
class Pin:
    """One package: where it comes from, and the digest that its archive must have."""

    url: str
    algorithm: str
    digest: str

    @property
    def file_name(self) -> str:
        """The archive's name, the last part of the address."""
        return unquote(urlsplit(self.url).path).rpartition("/")[2]

    @property
    def local(self) -> Path | None:
        """The archive itself where the address is a file's."""
        parts = urlsplit(self.url)
        return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def read_pins(file: Path) -> list[Pin]:
    """Read a pin file.

    Args:
        file: an @EXPLICIT file; each address ends in ``#sha256:<hex>`` or ``#<md5 hex>``.

    Returns:
        The packages in the order of the file.

    Raises:
        UserError: it is no such file, or an address has no digest.

    Example:
        >>> read_pins(Path("keras.linux-64.pin.txt"))[0].algorithm
        'sha256'
    """
    from rattler.explicit_environment.environment import ExplicitEnvironmentSpec

    try:
        entries = ExplicitEnvironmentSpec.from_path(file).packages
    except Exception as error:  # rattler's errors have no base of their own
        raise UserError(
            f"Expected a pin file with an @EXPLICIT line at {file}. Received: {error}. "
            "Restore it from the repository or make it anew."
        ) from error
    return [_pin(entry.url, file) for entry in entries]


def _pin(address: str, file: Path) -> Pin:
    url, fragment = urldefrag(address)
    digest = fragment.removeprefix("sha256:").lower()
    algorithm = _LENGTHS.get(len(digest))
    named_otherwise = fragment.startswith("sha256:") and algorithm != "sha256"
    if algorithm is None or named_otherwise or set(digest) - set("0123456789abcdef"):
        raise UserError(
            f"Expected #sha256:<64 hex digits> after each address in {file}. Received "
            f"{'#' + fragment if fragment else 'no digest'} for {url}. Make the pin file anew."
        )
    return Pin(url, algorithm, digest)


def create(pins: Sequence[Pin], prefix: Path, cache: Path) -> None:
    """Install the packages into ``prefix``, which must not exist yet.

    Args:
        pins: what to install, and nothing else is.
        prefix: absolute path of the new environment.
        cache: keeps the fetched archives; it is held locked meanwhile, as is the prefix.

    Raises:
        UserError: an archive cannot be had or has another digest; then there is no prefix.

    Example:
        >>> create(read_pins(Path("env.pin.txt")), Path("env").absolute(), Path("pkgs"))
    """
    with _locked(prefix), project.locked(cache):
        if prefix.exists():
            raise UserError(f"Expected nothing at {prefix}. Received a folder. Remove it first.")
        staging = prefix.with_name(f"{prefix.name}.partial")
        if staging.exists():  # of an installation that was killed
            shutil.rmtree(staging)
        try:
            archives = asyncio.run(_fetch(pins, cache))
            progress.note(_INSTALLED, 0, len(pins))
            asyncio.run(_install(pins, archives, staging, prefix))
            (staging / "prefix").rename(prefix)
            progress.note(_INSTALLED, len(pins), len(pins))
        finally:
            shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _locked(prefix: Path) -> Generator[None]:
    """Hold a prefix alone, also after the end of whoever started this."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    lock = held.take(held.lock_of(prefix), held.ALONE)
    try:
        yield
    finally:
        os.close(lock)


def clean(cache: Path) -> None:
    """Remove the fetched archives.

    Args:
        cache: the folder that `create` was given.

    Example:
        >>> clean(Path("pkgs"))
    """
    with project.locked(cache):
        for pattern in ("*.conda", "*.tar.bz2", "*.partial"):
            for file in cache.glob(pattern):
                file.unlink()


def fetched(pins: Sequence[Pin], cache: Path) -> list[Path]:
    """Return the packages' archives, fetched where need be; each has the digest of its pin.

    Args:
        pins: whose archives.
        cache: keeps what was fetched; it is held locked meanwhile.

    Raises:
        UserError: an archive cannot be had or has another digest.

    Example:
        >>> fetched(read_pins(Path("env.pin.txt")), Path("pkgs"))[0].name
        'python-3.11.2-debian_6_deb12u9.conda'
    """
    with project.locked(cache):
        return asyncio.run(_fetch(pins, cache))


async def _fetch(pins: Sequence[Pin], cache: Path) -> list[Path]:
    from rattler.networking import Client

    client = Client.default_client(max_retries=2, timeout=DOWNLOAD_SECONDS)
    free = asyncio.Semaphore(DOWNLOADS_AT_ONCE)
    there: list[Path] = []  # so far

    async def one(pin: Pin) -> Path:
        async with free:
            progress.note(_FETCHED, len(there), len(pins), pin.file_name)
            if pin.local:
                _check(pin, pin.local)
            there.append(archive := pin.local or await _download(pin, cache, client))
            progress.note(_FETCHED, len(there), len(pins), pin.file_name)
            return archive

    # A download that is cancelled goes on in its thread and writes its part after the clean-up.
    done = await asyncio.gather(*(one(pin) for pin in pins), return_exceptions=True)
    for outcome in done:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in done if isinstance(outcome, Path)]


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
            "(`./run setup` makes a local one anew), then try again."
        )


def _digest(archive: Path, algorithm: str) -> str:
    with archive.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


async def _install(
    pins: Sequence[Pin], archives: Sequence[Path], staging: Path, prefix: Path
) -> None:
    """Install under ``staging``, for use at ``prefix``."""
    from rattler import RepoDataRecord, install

    records = [await RepoDataRecord.from_package_archive(archive) for archive in archives]
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
