"""Reads a pin file: the packages of an environment, each with its address and its digest.

Synopsis:
    read_pins(Path("keras.linux-64.pin.txt"))
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit
from urllib.request import url2pathname

from repro.core.errors import UserError

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
    """Read an @EXPLICIT file, in its order; addresses end in ``#sha256:<hex>`` or ``#<md5 hex>``.

    Raises:
        UserError: it is no such file, or an address has no digest.
    """
    from rattler.explicit_environment.environment import ExplicitEnvironmentSpec

    try:
        entries = ExplicitEnvironmentSpec.from_path(file).packages
    except Exception as error:  # rattler's errors have no base of their own
        raise UserError(
            f"Expected a pin file with an @EXPLICIT line at {file}. Received: {error}. "
            "Restore it from the repository or make it again."
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
            f"{'#' + fragment if fragment else 'no digest'} for {url}. Make the pin file again."
        )
    return Pin(url, algorithm, digest)
