"""How pip is started to fetch wheels, and what the user set for it.

Synopsis:
    pip = Pip(lambda: ["python", "-m", "pip"], "3.11")
    run([*pip.start(), "download", *pip.options, ...], pip.environment())
"""

import ast
import functools
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

HASHED = ("--require-hashes", "--no-deps")
QUIET = ("--no-input", "-qq", "--disable-pip-version-check")
WHEELS = ("--only-binary", ":all:")
SOURCES = ("--no-binary", ":all:", "--no-build-isolation")
# Settings of pip that say where packages come from.
_WHERE = {
    "INDEX_URL", "EXTRA_INDEX_URL", "NO_INDEX", "FIND_LINKS", "TRUSTED_HOST", "CERT", "CLIENT_CERT",
    "PROXY", "TIMEOUT", "RETRIES", "KEYRING_PROVIDER",
}  # fmt: skip


class Refused(Exception):
    """pip or uv did not do it; they have said why on stderr."""


@dataclass(frozen=True)
class Pip:
    """How to start pip, and what it fetches, for which Python; ``silent`` is for what may fail."""

    start: Callable[[], Sequence[str]]
    python: str
    source: bool = False
    silent: bool = False

    @property
    def options(self) -> list[str]:
        """Those of `pip download`."""
        kind = SOURCES if self.source else (*WHEELS, "--python-version", self.python)
        return [*HASHED, *QUIET, *kind]

    def environment(self) -> dict[str, str]:
        """This process's, with what the user set for `pip install` in words that it hears too."""
        return {**os.environ, **_pip_config(tuple(self.start()), frozenset(os.environ.items()))}


def run(command: Sequence[str], environment: Mapping[str, str], *, silent: bool = False) -> None:
    """Run pip or uv.

    Raises:
        Refused: it ended with another status than 0.
    """
    null = subprocess.DEVNULL
    stderr = null if silent else None
    done = subprocess.run(command, env=environment, stdin=null, stderr=stderr, check=False)
    if done.returncode:
        raise Refused(command[0])


@functools.cache
def _pip_config(pip: tuple[str, ...], environment: frozenset[tuple[str, str]]) -> dict[str, str]:
    """What the user set for `pip install` alone, in the words that `pip download` hears."""
    settings = subprocess.run(
        [*pip, "config", "list"], env=dict(environment), capture_output=True, text=True, check=False
    )
    variables: dict[str, str] = {}
    for line in settings.stdout.splitlines():
        key, _, value = line.partition("=")
        name = key.removeprefix("install.").upper().replace("-", "_")
        if key.startswith("install.") and name in _WHERE and f"PIP_{name}" not in dict(environment):
            variables[f"PIP_{name}"] = str(ast.literal_eval(value))
    return variables
