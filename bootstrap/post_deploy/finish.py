"""Finishes a new environment: compares it with the lock, installs the wheels, records every file.

Synopsis:
    python -m post_deploy.finish PREFIX < LOCK

LOCK is JSON: the facts of the record, and under `packages` those of each platform.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import locks
from display import progress
from repro.record.installed import current_platform, record, rows, survey
from wheels import ahead
from wheels.install import Target, install, unpacked_uv
from wheels.pip_command import Pip, Refused
from wheels.store import usable_store, uv_wheel

from post_deploy import against_lock, beside, bytecode, contents
from post_deploy.contents import Brought

HERE = Path(__file__).parents[1]
UV = HERE / "requirements-uv.txt"
STEPS = ("conda packages", "wheels", "bytecode", "files")

COULD_NOT_RUN = 4  # the status with which ./run ends

Package = Mapping[str, str]


class NotMade(Exception):
    """The environment is refused; the text says why, the lines before it what differs."""


def main(argv: Sequence[str], lock: Mapping[str, Any]) -> int:
    """Finish an environment and return 0, or print why it is not as in the lock and return 1."""
    prefix, platform = Path(argv[0]), current_platform()
    try:
        with locks.held(beside.lock_of(prefix)):
            packages: Sequence[Package] = lock["packages"].get(platform, [])
            if not packages:
                raise NotMade(
                    f"Expected one of {', '.join(lock['packages'])}. Received {platform}."
                )
            _finish(prefix, {**lock, "platform": platform, "packages": packages})
    except NotMade as why:
        return _refusal(f"The environment {lock['environment']} was not made. {why}")
    except OSError as error:
        return _refusal(
            f"The environment {lock['environment']} was not made. Expected to read and write "
            f"files. Received from the system: {error}. Make room or give the right to write "
            "there (REPRO_CACHE moves what is kept in your cache), then try again."
        )
    return 0


def requirements(packages: Sequence[Package]) -> str:
    """Return the wheels as pip and uv read them."""
    pinned = (p for p in packages if p["manager"] == "pip")
    return "".join(f"{p['name']}=={p['version']} --hash=sha256:{p['sha256']}\n" for p in pinned)


def _finish(prefix: Path, facts: Mapping[str, Any]) -> None:
    packages, note = facts["packages"], partial(_note, facts["environment"])
    note("conda packages")
    installed = survey(prefix)
    _refuse(
        against_lock.conda_problems(prefix, packages, installed),
        "Expected the conda packages of the lock. Received others (above). Where a package is "
        "named, remove it from the channel's cache or mend the channel; try again.",
    )
    note("wheels")
    with ExitStack() as compiling:
        compiled = compiling.enter_context(bytecode.written(prefix, wheels=False))
        with _installed(prefix, facts["environment"], requirements(packages)) as of_wheels:
            note("bytecode")
            compiled |= compiling.enter_context(bytecode.written(prefix, wheels=True))
        brought = {path: what for path, what in of_wheels.items() if path not in compiled}
        # Not before: where files lose another name, their times change.
        hashed = rows(prefix, brought)
    note("files")
    finished = survey(prefix, installed | hashed)
    problems = against_lock.wheel_problems(prefix, packages, finished, brought)
    _refuse(
        [*problems, *against_lock.added(installed, finished, brought, compiled)],
        "Expected the wheels of the lock, whole. Received others (above). Try again.",
    )
    record(prefix, finished, facts, against_lock.owners(prefix, brought))
    progress.note(f"environment {facts['environment']}", len(STEPS), len(STEPS))


def _note(environment: str, step: str) -> None:
    progress.note(f"environment {environment}", STEPS.index(step), len(STEPS), step)


def _refusal(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    progress.refused(sentence, COULD_NOT_RUN)
    return 1


def _refuse(problems: Sequence[str], otherwise: str) -> None:
    for problem in problems[:5]:
        print(problem, file=sys.stderr)
    if len(problems) > 5:
        print(f"And {len(problems) - 5} more.", file=sys.stderr)
    if problems:
        raise NotMade(otherwise)


@contextmanager
def _installed(prefix: Path, name: str, wanted: str) -> Generator[dict[str, Brought]]:
    """Install the wheels, give what they bring, and remove what that needed."""
    python, scratch = prefix / "bin" / "python", beside.path(prefix, beside.WHEELS)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    pip = Pip(lambda: [str(python), "-IB", "-m", "pip"], version)
    try:
        scratch.mkdir(exist_ok=True)
        store = usable_store(scratch)
        files = store.fetched(wanted, pip, f"fetching wheels of {name}")
        wheel = uv_wheel(store, UV.read_text("utf-8"), pip)
        what, usable = f"wheels of {name}", "" if contents.rewritten(files) else wanted
        # Meanwhile they may still be unpacked.
        brought = contents.of(files, os.path.relpath(sysconfig.get_path("purelib"), sys.prefix))
        with (
            unpacked_uv(wheel, scratch) as uv,
            ahead.scratch(ahead.WHEELS, usable, scratch / "work", f"unpacking {what}") as work,
        ):
            install(files, wanted, Target(python, work), uv, what)
            yield brought
            _check(python, uv)
    except Refused:
        raise NotMade(
            "Expected each wheel of the lock, with its sha256, from the index that pip is "
            "configured with. Received the error above. `pip config list` shows the settings; "
            "mend the index or the network, then try again."
        ) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check(python: Path, uv: str | None) -> None:
    quiet = ["--quiet", "--disable-pip-version-check"]
    pip = [str(python), "-IB", "-m", "pip", "check", *quiet]
    by_uv = [uv, "pip", "check", "--no-config", "--no-cache", "--quiet", "--python", str(python)]
    command = [part for part in by_uv if part] if uv else pip
    variables = {**os.environ, "TMPDIR": str(HERE)}  # uv leaves a lock there
    if subprocess.run(command, stdin=subprocess.DEVNULL, env=variables, check=False).returncode:
        raise NotMade(
            "Expected packages that fit together. Received the contradictions above. Correct "
            "environment.yml and run `./run lock`."
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], json.load(sys.stdin)))
