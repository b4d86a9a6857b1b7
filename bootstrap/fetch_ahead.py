"""Fetches wheels while the tools are made, and unpacks those of the environment.

Synopsis:
    python -Es bootstrap/fetch_ahead.py

So it does with Debian's Python where no conda channel answers. Who makes environment and channel
asks for the same, waits where this is at work, and says what could not be had: here nothing is
said.
"""

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import project
import tools
from conda import reach
from local_channel import debian
from post_deploy import beside
from repro.core.errors import UserError
from wheels import ahead
from wheels.install import unpack, unpacked_uv
from wheels.pip_command import Refused
from wheels.store import Store, usable_store, uv_wheel

PYTHON = "3.11"  # of the environment


def fetch() -> None:
    """Get ready what the first environment needs, and drop what others left."""
    with ThreadPoolExecutor(2) as pool:
        pool.submit(fetch_wheels)
        pool.submit(fetch_debian)
    for place in ahead.left(tools.UNPACKED):
        shutil.rmtree(place, ignore_errors=True)


def fetch_wheels() -> None:
    """Get the wheels of the environment `keras` ready, unless some environment is there already."""
    file = project.ENVS / f"keras.{project.subdir()}.wheels.txt"
    if file.is_file() and not any((project.CACHE / "environments").glob(f"*{beside.FLAG}")):
        text = file.read_text("utf-8")
        pip = replace(tools.pip(), python=PYTHON, silent=True)
        with (
            suppress(Refused, OSError, LookupError),
            ahead.filling(ahead.WHEELS, text) as place,
        ):
            store = usable_store(tools.KEPT)
            _fetch_channel(store)
            files = store.fetched(text, pip, "fetching wheels of keras", hashed=False)
            wheel = uv_wheel(store, tools.UV.read_text("utf-8"), tools.pip())
            with unpacked_uv(wheel, place.parent) as uv:
                if uv is None:
                    raise Refused
                unpack(files, text, PYTHON, place, uv)


def fetch_debian() -> None:
    """Get the packages of Debian's Python ready where no conda channel answers."""
    if any((project.CACHE / "channels").glob("*.made")) or debian.unsuited():
        return
    with suppress(UserError, OSError, LookupError):
        pins = (project.ENVS / f"keras.{project.subdir()}.pin.txt").read_text("utf-8").splitlines()
        addresses = [line for line in pins if "://" in line]  # what reads pins is not made yet
        if not reach.answers(addresses[0], reach.PATIENCE):
            with ahead.filling(ahead.DEBIAN, str(debian.PACKAGES)) as place:
                debian.fetch_packages(place)


def _fetch_channel(store: Store) -> None:
    """Get the few wheels of the local channel too: whether it is needed is known only later."""
    with suppress(Refused):
        pip = replace(tools.pip(), silent=True)
        store.fetched(tools.CHANNEL.read_text("utf-8"), pip, "wheels of the channel")


if __name__ == "__main__":
    fetch()
