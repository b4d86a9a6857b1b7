"""Fetches the wheels of the environment while the tools are made, which it needs before long.

Synopsis:
    python -Es bootstrap/fetch_ahead.py

Who makes the environment asks for the same wheels, waits where this is at work, and says what
could not be had: here nothing is said.
"""

from contextlib import suppress
from dataclasses import replace

import project
import tools
from post_deploy import beside
from wheels.pip_command import Refused
from wheels.store import usable_store


def fetch() -> None:
    """Fetch the wheels of the environment `keras`, unless some environment is there already."""
    text = project.ENVS / f"keras.{project.subdir()}.wheels.txt"
    if text.is_file() and not any((project.CACHE / "environments").glob(f"*{beside.FLAG}")):
        pip = replace(tools.pip(), python="3.11", silent=True)
        with suppress(Refused, OSError):
            store = usable_store(tools.KEPT)
            store.fetched(text.read_text("utf-8"), pip, "fetching wheels of keras")


if __name__ == "__main__":
    fetch()
