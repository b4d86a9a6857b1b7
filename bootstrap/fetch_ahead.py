"""Fetches wheels while the tools are made, and unpacks those of the environment.

Synopsis:
    python -Es bootstrap/fetch_ahead.py

Who makes the environment asks for the same wheels, waits where this is at work, and says what
could not be had: here nothing is said.
"""

import shutil
from contextlib import suppress
from dataclasses import replace

import project
import tools
from post_deploy import beside
from wheels import ahead
from wheels.install import unpack, unpacked_uv
from wheels.pip_command import Refused
from wheels.store import Store, usable_store, uv_wheel

PYTHON = "3.11"  # of the environment


def fetch() -> None:
    """Get the wheels of the environment `keras` ready, unless some environment is there already."""
    file = project.ENVS / f"keras.{project.subdir()}.wheels.txt"
    if file.is_file() and not any((project.CACHE / "environments").glob(f"*{beside.FLAG}")):
        text = file.read_text("utf-8")
        pip = replace(tools.pip(), python=PYTHON, silent=True)
        with suppress(Refused, OSError, LookupError), ahead.filling(text) as place:
            store = usable_store(tools.KEPT)
            _fetch_channel(store)
            files = store.fetched(text, pip, "fetching wheels of keras", hashed=False)
            wheel = uv_wheel(store, tools.UV.read_text("utf-8"), tools.pip())
            with unpacked_uv(wheel, place.parent) as uv:
                if uv is None:
                    raise Refused
                unpack(files, text, PYTHON, place, uv)
    for place in ahead.left(tools.UNPACKED):
        shutil.rmtree(place, ignore_errors=True)


def _fetch_channel(store: Store) -> None:
    """Get the few wheels of the local channel too: whether it is needed is known only later."""
    with suppress(Refused):
        pip = replace(tools.pip(), silent=True)
        store.fetched(tools.CHANNEL.read_text("utf-8"), pip, "wheels of the channel")


if __name__ == "__main__":
    fetch()
