"""Run again what an archive held, where it was unpacked, and compare the results.

Synopsis:
    status = reproduce.run(folder, reproduce.Kind("digits", "whole", "local", offline=True))

The results of the archive are kept beside. The new results are compared with them by the judge
of the copy that runs this, not by the archive's. Standard library alone.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import outcome
import project
from repro.archive.zip_reader import shown
from repro.core.atomic import sentence_for_system_errors, write_bytes, write_text
from repro.core.errors import CouldNotRun
from repro.core.layout import STEPS
from repro.data.module_loader import module

ARCHIVED = "archived-results"
JUDGE = Path(".tools", "judge.pyz")
PKGS = Path(".tools", "pkgs")
NO_CONDA = Path(".tools", "no-conda")
_EVALUATION = (STEPS["evaluate"].manifest, *STEPS["evaluate"].makes)


@dataclass(frozen=True)
class Kind:
    """What is run again, and how.

    `mode` is `whole`, `evaluate` (the archived weights alone) or `current` (by this copy, in its
    environment). `channel` is where the archived conda packages came from; with `offline` the
    archive has all packages.
    """

    experiment: str
    mode: str
    channel: str
    offline: bool


def bring(source: Path, target: Path) -> None:
    """Copy raw data that an archive leaves out; the step that reads them checks their digest.

    Raises:
        UserError: the system refused to read or to write.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
    except OSError as error:
        # Of a folder it is a list: what was read, what was written, and why that failed.
        first = error.args[0][0][2] if isinstance(error, shutil.Error) else error
        raise CouldNotRun(
            f"Expected to copy raw data from {source} to {target}. Received from the system: "
            f"{first}. Let the former be read and the latter be written, with room for it, and "
            "run again."
        ) from error


def run(folder: Path, kind: Kind) -> int:
    """Run what was unpacked; return 0 if the claim was reproduced, 1 if not.

    Raises:
        UserError: nothing was found that could be compared.
    """
    with sentence_for_system_errors(folder / ARCHIVED):  # raw data may be called so
        (folder / "results").rename(folder / ARCHIVED)
    print(f"The results of the archive are in {folder / ARCHIVED}.", flush=True)
    pack = module("packing", project.ROOT / "workflow" / "scripts" / "pack.py")
    write_bytes(folder / JUDGE, pack.packed(pack.members("judge")))
    if kind.mode != "current":
        _settle(folder, kind)
    config = [f"archived={ARCHIVED}", f"judge={JUDGE}"]
    if kind.mode == "evaluate":
        _lay_out(folder, kind.experiment)
        config.append("evaluated=True")
    elif status := _call(folder, kind, ["all"]):
        return status
    if status := _call(folder, kind, ["reproduce", "--config", *config]):
        return status
    return _answer(folder, kind)


def _call(folder: Path, kind: Kind, arguments: Sequence[str]) -> int:
    """Run the archive's own `./run`, or that of this copy in the archive's folder."""
    if kind.mode == "current":
        profile = project.ROOT / "profiles" / "default"  # else the archive's own, in that folder
        place = ["--directory", str(folder), "--workflow-profile", str(profile)]
        command = [str(project.ROOT / "run"), arguments[0], *place, *arguments[1:]]
        environment = dict(os.environ)
    else:
        command, environment = ["./run", *arguments], _environment(folder, kind)
    print(f"$ {' '.join(command)}", flush=True)
    ended = outcome.waited(command, folder, environment)
    if ended.status == 0 or ended.interrupted:
        return ended.interrupted
    # One of an earlier version ends with 1 or 2 for whatever kept it from running.
    tells = kind.mode == "current" or (folder / "bootstrap" / "outcome.py").is_file()
    return ended.status if tells and ended.status == outcome.MISTAKE else outcome.NOT_RUN


def _settle(folder: Path, kind: Kind) -> None:
    """Choose the channel of the results, and lay the archive's packages where it looks first."""
    write_text(folder / ".tools" / "channel", kind.channel)
    if kind.offline and kind.channel == "locked":  # the front end looks here before the channel
        (folder / PKGS).mkdir(exist_ok=True)
        for file in (folder / "packages" / "conda").glob("*/*"):
            if file.is_file():
                shutil.copyfile(file, folder / PKGS / file.name)
    if kind.offline:  # the user's own conda would ask the channel: one too old hides it
        write_text(folder / NO_CONDA / "conda", "#!/bin/sh\necho conda 0.0.0\n")
        (folder / NO_CONDA / "conda").chmod(0o755)


def _environment(folder: Path, kind: Kind) -> dict[str, str]:
    """Of the archive's own `./run`: pip and conda look into it where it has the packages."""
    # What a stranger's programs leave in a cache stays with them.
    variables = {**os.environ, "REPRO_CACHE": str(folder / ".tools" / "cache")}
    if not kind.offline:
        return variables
    wheels = (folder / "packages" / "pypi").as_uri()  # a space would make two places of a path
    # Of no other index either.
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels, "PIP_CONFIG_FILE": os.devnull}
    path = os.pathsep.join([str(folder / NO_CONDA), os.environ.get("PATH", os.defpath)])
    return {**variables, **pip, "PATH": path, "CONDA_PKGS_DIRS": str(folder / PKGS)}


def _lay_out(folder: Path, experiment: str) -> None:
    """Put the archived original in place, without its evaluation, so that only this is missing."""
    results = folder / "results"
    results.mkdir()
    for file in (folder / ARCHIVED).glob("*.*"):
        shutil.copyfile(file, results / file.name)
    original = Path(experiment, "original")
    evaluation = shutil.ignore_patterns(*_EVALUATION)
    shutil.copytree(folder / ARCHIVED / original, results / original, ignore=evaluation)
    # Snakemake makes again what is older than what it came from: here nothing is.
    for path in folder.rglob("*"):
        os.utime(path, (1e9, 1e9))


def _answer(folder: Path, kind: Kind) -> int:
    """Print what was found, and return the status that goes with it."""
    answer = _read(folder / "reproduction.json", "goal", "verdict", "sentence", "reached")
    print(f"\n{shown(answer['sentence'])}")
    print(f"The archive claims {answer['goal']}; {_reached(answer['reached'], kind)}.")
    if kind.mode != "evaluate":
        verdict = _read(folder / "results" / kind.experiment / "verdict.json", "sentence")
        print(f"Rerun here, and a second time to compare: {shown(verdict['sentence'])}")
    print(f"See {folder / 'reproduction.md'}.", flush=True)
    return {"met": 0, "not met": 1}.get(answer["verdict"], 3)


def _reached(goal: str | None, kind: Kind) -> str:
    """What of the goals was reached: where only an evaluation ran, none was aimed at."""
    if kind.mode == "evaluate":
        return "only the evaluation was rerun"
    return f"the strongest goal that was reached: {goal}" if goal else "no goal was reached"


def _read(path: Path, *keys: str) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
        return {key: value[key] for key in keys}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CouldNotRun(
            f"Expected what came of the run at {path}. Received nothing that can be read "
            f"({type(error).__name__}). Look at the lines above, and at logs/ beside it."
        ) from error
