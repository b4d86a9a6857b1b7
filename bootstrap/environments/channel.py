"""Decides where conda packages come from: the locked channel, or a local one built from Debian.

Synopsis:
    channel.ensure(forced, anew=False)      -> 'locked' or 'local'

A channel that the user forces is used; else the one remembered in .tools/channel; else the
locked channel is asked for one of its packages, and where it does not answer the local one is used.
"""

import sys
from pathlib import Path
from typing import Literal

import project
from conda import reach
from conda.pins import read_pins
from display import progress
from local_channel import build, debian
from local_channel import renders as local
from repro.core.errors import CouldNotRun, UserError

Word = Literal["locked", "local"]
WORDS: tuple[Word, ...] = ("locked", "local")
REMEMBERED = project.TOOLS / "channel"
BUILT = build.CHANNELS  # for all clones


def ensure(forced: str | None, *, anew: bool) -> Word:
    """Choose the channel, build it if it is the local one, and remember the choice.

    What ``--config channel=`` forces is remembered by `setup` alone, which asks ``anew``.

    Raises:
        UserError: no such channel, or this machine can reach none and build none.
    """
    if forced is not None and forced not in WORDS:
        raise UserError(
            f"Expected `channel` to be locked or local. Received {forced}. Correct `--config`."
        )
    word = forced or (None if anew else remembered()) or _probe()
    if word == "local":
        local.ensure()
    if anew or forced is None:
        project.write(REMEMBERED, word)
    return "local" if word == "local" else "locked"


def renders(word: Word) -> Path:
    """Return the folder of the environments' files."""
    return local.LOCAL / "envs" if word == "local" else project.ENVS


def remembered() -> Word | None:
    """Return the choice of an earlier run, or None."""
    text = REMEMBERED.read_text(encoding="utf-8").strip() if REMEMBERED.is_file() else ""
    return next((word for word in WORDS if word == text), None)


def _probe() -> Word:
    pins = read_pins(project.ENVS / f"keras.{project.subdir()}.pin.txt")
    where = pins[0].url.rpartition("/")[0].rpartition("/")[0]
    progress.note("conda channel asked", 0, 1, where)
    locked = reach.answers(pins[0].url, reach.PATIENCE)
    progress.note("conda channel asked", 1, 1, where)
    if locked:
        return "locked"
    reason = debian.unsuited()
    if reason:
        raise CouldNotRun(
            f"Expected {where} to answer, or a Debian 12 to build Python from. Received no answer "
            f"within {reach.PATIENCE:g} seconds, and {reason}. Make that channel reachable, then "
            "try again."
        )
    print(
        f"{where} does not answer within {reach.PATIENCE:g} seconds: Debian's python3.11 is used "
        "instead, with the very wheels of the lock (`./run setup` asks again).",
        file=sys.stderr,
        flush=True,
    )
    return "local"
