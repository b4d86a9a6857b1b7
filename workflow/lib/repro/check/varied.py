"""Varied: which factors a run varies, and the process that starts the command under them.

Synopsis:
    ready = prepared(plan, environment(plan, os.environ))   # in the process above the command
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from repro.contain.home import CARRIED, carry_over
from repro.contain.place import VARIED, RunPlace
from repro.contain.runner import Ready
from repro.contain.user_command import UserCommand
from repro.core.errors import UserError
from repro.core.factor_table import STRESS
from repro.core.text import listed
from repro.launch.command import NotVaried, StepCommand
from repro.launch.isolation import reason
from repro.launch.variations import VARIATIONS, processors

BY_HOOK = ("file times", "listing order", "clock")
"""What is varied within each Python process, by `repro.hook`."""
NETWORK = "network"
USUAL = (
    "hash seed", "time zone", "locale", "umask", "environment size", "home", "temporary folder",
    "working directory", "file times", "listing order", "clock", "process", "processors",
)  # fmt: skip
"""What a varied run varies by default."""

_VARIABLES: Mapping[str, str] = {
    "REPRO_CHECK": "1",
    # The trackers' own switches: a run of ours is none of the user's.
    "WANDB_MODE": "offline",
    "COMET_START_ONLINE": "0",
    "NEPTUNE_MODE": "offline",
    "CLEARML_OFFLINE_MODE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
_FOLDERS: Mapping[str, str] = {"WANDB_DIR": "wandb", "COMET_OFFLINE_DIRECTORY": "comet"}
OF_TRACKERS = ("mlruns", *_FOLDERS.values())
"""Folders below `fresh` to which trackers write."""


def factor_names(words: Iterable[str]) -> tuple[str, ...]:
    """The factors that a user named: several in one word, with blanks or hyphens.

    Raises:
        UserError: one does not exist.
    """
    known = [*USUAL, NETWORK, STRESS]
    names = [name.strip().replace("-", " ") for word in words for name in word.split(",")]
    if odd := [name for name in names if name not in known]:
        raise UserError(
            f"Expected `--keep` to name some of {listed(known)}. Received {odd[0]!r}. Correct it."
        )
    return tuple(name for name in known if name in names)


@dataclass(frozen=True)
class Change:
    """What is changed beside what is varied: files in the command's folder, and variables."""

    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    variables: Mapping[str, str] = field(default_factory=dict[str, str])


AS_IT_IS = Change()


@dataclass(frozen=True)
class RunPlan:
    """One run: the command, its place, and what is varied in it; values are drawn from `draw`.

    `change`: how the script differs from the user's own.
    """

    command: UserCommand
    place: RunPlace
    draw: str
    vary: tuple[str, ...]
    home: Path | None
    own_home: bool
    """Whether HOME and the folder for temporary files are ours even where they are not varied."""
    change: Change = AS_IT_IS


def environment(plan: RunPlan, given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a run in which nothing is varied yet."""
    place, folders = plan.place, {k: str(plan.place.fresh / v) for k, v in _FOLDERS.items()}
    seen = {name: place.seen(value) for name, value in given.items()}
    tracking = {"MLFLOW_TRACKING_URI": f"file:{place.fresh / 'mlruns'}"}
    seen |= {**_VARIABLES, **folders, **tracking, "PWD": str(place.directory)}
    # A random one would be another in each run, and stand for all that is nondeterministic.
    seen.setdefault("PYTHONHASHSEED", "0")
    return {**seen, **plan.change.variables}


def write_changes(plan: RunPlan) -> None:
    """Changes the user's files for one run; in the process above the command, in its place.

    Raises:
        OSError: a file is not what the run would catch, such as a link that leads out of it.
    """
    folder = Path(plan.place.seen(str(plan.command.folder)))
    for name, content in plan.change.files.items():
        if (folder / name).resolve() != folder.resolve() / name:
            raise OSError(errno.ELOOP, "it is reached by a link", name)
        (folder / name).write_bytes(content)


def prepared(plan: RunPlan, seen: Mapping[str, str]) -> Ready:
    """Varies what acts on a process from outside; called in the process that starts the command."""
    words = (str(plan.command.program), *(_seen(word, plan) for word in plan.command.words[1:]))
    variables = dict(seen)
    if plan.own_home:
        variables |= _furnished(plan, plan.place.fresh, variables)
    start = StepCommand(
        plan.draw, plan.command.program, words, words, variables, plan.place.directory,
        plan.place.directory, plan.place.fresh / VARIED,
    )  # fmt: skip
    varied: dict[str, str] = {}
    not_varied: dict[str, str] = {}
    for name in (name for name in VARIATIONS if name in plan.vary and name not in BY_HOOK):
        try:
            start, varied[name] = _varied(name, start, plan, seen)
        except (NotVaried, OSError) as error:
            not_varied[name] = (
                str(error) if isinstance(error, NotVaried) else f"the system says: {reason(error)}"
            )
    notes: dict[str, Any] = {"varied": varied, "not_varied": not_varied}
    own = start.environment  # and what a process takes that does not find them there
    home, temporary = own.get("HOME") or str(plan.home or ""), own.get("TMPDIR") or gettempdir()
    notes["folders"] = [home, temporary]
    busy = processors() if STRESS in varied else 0
    return Ready(words, start.environment, plan.place.directory, notes, busy)


def _seen(word: str, plan: RunPlan) -> str:
    """A word of the command as it leads to the same file from where the command will start."""
    if plan.place.moved and word.startswith("../") and (plan.command.folder / word).exists():
        word = os.path.normpath(plan.command.folder / word)
    return plan.place.seen(word)


def _varied(
    name: str, start: StepCommand, plan: RunPlan, seen: Mapping[str, str]
) -> tuple[StepCommand, str]:
    if name == "hash seed" and "PYTHONHASHSEED" in os.environ:
        raise NotVaried("PYTHONHASHSEED is set in your environment")
    if name == "working directory":
        return _elsewhere(start, plan)
    start, how = VARIATIONS[name](start)
    if name == "home" and plan.home:
        variables = carry_over(plan.home, Path(start.environment["HOME"]), seen)
        return replace(start, environment={**start.environment, **variables}), f"{how}; {CARRIED}"
    if name == "processors":
        how = how.partition(";")[0]
    return start, how


def _elsewhere(start: StepCommand, plan: RunPlan) -> tuple[StepCommand, str]:
    if plan.place.directory == plan.command.folder:
        raise NotVaried("the command runs in its folder as it is")
    return start, "its folder lies at another path"


def _furnished(plan: RunPlan, folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """HOME and the folder for temporary files, of ours, where the user's own are not caught."""
    for name in ("home", "temporary"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    carried = carry_over(plan.home, folder / "home", given) if plan.home else {}
    return {**carried, "HOME": str(folder / "home"), "TMPDIR": str(folder / "temporary")}


def not_asked(vary: Sequence[str], keep: Sequence[str]) -> dict[str, str]:
    """Why factors are not varied that no run varies."""
    why = dict.fromkeys(keep, "left out by `--keep`")
    if NETWORK not in vary and NETWORK not in keep:
        why[NETWORK] = "it is taken away only with `--no-network`"
    if STRESS not in vary and STRESS not in keep:
        why[STRESS] = "the machine is kept busy only with `--load`"
    return why
