"""A step that tells what it sees, started as the workflow starts its steps (see test_factors.py).

python program.pyz launch RUN FACTORS -- look PLACE PORT --input experiment=… data=… --out … --log …
"""

import json
import locale
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from repro.launch import launcher, shims
from repro.launch.observed import observed
from repro.launch.stale_state import left_since, standing


def given(name: str) -> Path:
    """The input of that name, as the step is told."""
    found = next(item for item in sys.argv if item.startswith(f"{name}="))
    return Path(found.removeprefix(f"{name}="))


def umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def answers() -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[3]))).close()
    except OSError:
        return False
    return True


def named_day() -> str:
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, "")
        return time.strftime("%A", time.gmtime(0))
    finally:
        locale.setlocale(locale.LC_ALL, before)


def brothers() -> int:
    """How many other children a launcher that waits for this process has."""
    parent = Path(f"/proc/{os.getppid()}")
    if not parent.exists():  # outside this namespace of process ids
        return 0
    if b"launch" not in (parent / "cmdline").read_bytes().split(b"\0"):
        return 0
    children = (parent / "task" / parent.name / "children").read_text().split()
    return len(children) - 1


# What code may see though it must not matter: a fixture for each factor.
FIXTURES: dict[str, Callable[[], Any]] = {
    "hash seed": lambda: list(set("abcdefghijklmnop")),
    "time zone": lambda: datetime.fromtimestamp(0).hour,
    "locale": named_day,
    "umask": umask,
    "environment size": lambda: sum(map(len, os.environb.values())) // 8192,
    "home": lambda: str(Path.home()),
    "temporary folder": tempfile.gettempdir,
    "working directory": os.getcwd,
    "file times": lambda: (launcher.path(str(given("data"))) / "one").stat().st_mtime_ns // 10**15,
    "paths": lambda: given("data").parent.name,
    "listing order": lambda: [path.name for path in Path(sys.prefix).iterdir()],
    "clock": lambda: datetime.now().year,
    "process": lambda: os.getpid() // 32,
    "processors": lambda: len(os.sched_getaffinity(0)),
    "caches": lambda: [file.name for file in Path(sys.argv[2]).glob("*.cache")],
    "network": answers,
    "load": brothers,
}


def look() -> None:
    """Prints all that is seen."""
    launcher.check(2)
    with shims.applied(launcher.varied(), launcher.run()):
        seen = {name: fixture() for name, fixture in FIXTURES.items()}
        told = observed({n: launcher.path(str(given(n))) for n in ("experiment", "data")})
    print(json.dumps({"seen": seen, "observed": told, "factors": launcher.factors()}))


def main() -> None:
    """Launches itself, or runs a piece of Python, or looks."""
    if sys.argv[1] == "launch":
        vary = [name for name in sys.argv[3].split(",") if name]
        launcher.launch(sys.argv[2], 2, vary, sys.argv[5:], twice=sys.argv[4] == "--twice")
    if sys.argv[1] == "look":
        look()
    else:
        before = standing()
        with shims.applied(
            launcher.varied(), launcher.run(), [*map(given, ("experiment", "data"))]
        ):
            exec(sys.argv[1], {**globals(), "left": lambda: left_since(before)})


main()
