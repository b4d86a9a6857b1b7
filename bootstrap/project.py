"""Where things lie, and what machine this is.

Synopsis:
    project.TOOLS / "venv", project.subdir()

Importing this module makes the library under workflow/lib importable, so whatever is started
imports it first: the host's tools run from the folder they were cloned into, never installed.
"""

import os
import platform
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import cache

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
BOOTSTRAP = ROOT / "bootstrap"
LIBRARY = ROOT / "workflow" / "lib"
LOCK = ROOT / "conda-lock.yml"
ENVS = ROOT / "workflow" / "envs"  # what is rendered from it

# The user's, for all clones; REPRO_CACHE moves it. A user without a home has the tools' folder.
CACHE = ROOT / (cache.folder() or TOOLS / "cache")

if str(LIBRARY) not in sys.path:
    sys.path.insert(1, str(LIBRARY))


def subdir() -> str:
    """Return this machine's platform in conda's words, or Python's where conda-forge has none."""
    machine = platform.machine().lower()
    known = {
        ("linux", "x86_64"): "linux-64",
        ("linux", "aarch64"): "linux-aarch64",
        ("darwin", "arm64"): "osx-arm64",
        ("darwin", "x86_64"): "osx-64",
    }
    return known.get((sys.platform, machine), f"{sys.platform}-{machine}")


def writable(folder: Path) -> bool:
    """Say whether files can be made in a folder; make it where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


@contextmanager
def tidy_when_ended() -> Generator[None]:
    """Let SIGTERM tidy up as Ctrl-C does; not around a child, which `subprocess` would kill."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write ``text`` to ``path`` whole or not at all, and not when it is there already."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    from repro.core.atomic import whole_file

    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")
        part.chmod(mode)
