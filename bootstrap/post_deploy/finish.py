"""Finishes a new environment: compares it with the lock, installs the wheels, records every file.

Synopsis:
    python -m post_deploy PREFIX < LOCK

LOCK is JSON: the facts of the record, and under `packages` those of each platform. This module
runs inside the environment, from the post-deploy script into which bootstrap/render.py copies its
source and that of the modules beside it: so it needs the standard library alone.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import against_lock
import progress
import wheel_store
import wheels
from repro.record.installed import current_platform, record, survey

HERE = Path(__file__).parent
UV = HERE / "requirements-uv.txt"
IMPORTED = HERE / "imported.txt"
STEPS = ("conda packages", "wheels", "bytecode", "files")

# Else a module that was not compiled would be, by whoever imports it outside of a job.
NO_BYTECODE = {"repro_no_bytecode.pth": "import sys; sys.dont_write_bytecode = True\n"}
# compileall, without the search for garbage, of which compiling makes none.
COMPILE = "import compileall, gc, sys; gc.disable(); sys.exit(not compileall.main())"

COULD_NOT_RUN = 4  # the status with which ./run ends
WORKERS = os.cpu_count() or 1

Package = Mapping[str, str]


class NotMade(Exception):
    """The environment is refused; the text says why, the lines before it what differs."""


def main(argv: Sequence[str], lock: Mapping[str, Any]) -> int:
    """Finish an environment, or say why not.

    Args:
        argv: the environment's folder.
        lock: the facts and packages that it must have.

    Returns:
        0 where all is as in the lock; 1 where it is not, with the sentences on stderr.

    Example:
        >>> main([sys.prefix], lock)
        0
    """
    prefix, platform = Path(argv[0]), current_platform()
    try:
        with _alone(prefix):
            packages: Sequence[Package] = lock["packages"].get(platform, [])
            if not packages:
                raise NotMade(
                    f"Expected one of {', '.join(lock['packages'])}. Received {platform}."
                )
            _finish(prefix, {**lock, "platform": platform, "packages": packages})
    except NotMade as why:
        return _told(f"The environment {lock['environment']} was not made. {why}")
    except OSError as error:
        return _told(
            f"The environment {lock['environment']} was not made. Expected to read and write "
            f"files. Received from the system: {error}. Make room or give the right to write "
            "there (REPRO_CACHE moves what is kept in your cache), then try again."
        )
    return 0


def requirements(packages: Sequence[Package]) -> str:
    """Return the wheels as pip and uv read them.

    Args:
        packages: of the lock, for this platform.

    Example:
        >>> requirements([{"manager": "pip", "name": "six", "version": "1.0", "sha256": "8d…"}])
        'six==1.0 --hash=sha256:8d…\\n'
    """
    pinned = (p for p in packages if p["manager"] == "pip")
    return "".join(f"{p['name']}=={p['version']} --hash=sha256:{p['sha256']}\n" for p in pinned)


@contextmanager
def _alone(prefix: Path) -> Generator[None]:
    """Hold the environment: who would remove it, or make it too, waits."""
    with prefix.with_name(f"{prefix.name}.lock").open("w") as lock:
        progress.waited(lambda: fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB))
        yield


def _finish(prefix: Path, facts: Mapping[str, Any]) -> None:
    packages, note = facts["packages"], partial(_note, facts["environment"])
    note("conda packages")
    first = survey(prefix)
    _refuse(
        against_lock.conda_problems(prefix, packages, first),
        "Expected the conda packages of the lock. Received others (above). Where a package is "
        "named, remove it from the channel's cache or mend the channel; try again.",
    )
    note("wheels")
    _install(prefix, facts["environment"], requirements(packages))
    note("bytecode")
    ours = _compile(prefix)
    note("files")
    found = survey(prefix, first)
    _refuse(
        against_lock.wheel_problems(prefix, packages, found, ours),
        "Expected the wheels of the lock, whole. Received others (above). Try again.",
    )
    record(prefix, found, facts, against_lock.owners(prefix, found))
    progress.note(f"environment {facts['environment']}", len(STEPS), len(STEPS))


def _note(environment: str, step: str) -> None:
    progress.note(f"environment {environment}", STEPS.index(step), len(STEPS), step)


def _told(sentence: str) -> int:
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


def _install(prefix: Path, name: str, wanted: str) -> None:
    python, own = prefix / "bin" / "python", prefix.with_name(f"{prefix.name}.wheels")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    pip = wheel_store.Pip(lambda: [str(python), "-IB", "-m", "pip"], version)
    try:
        own.mkdir(exist_ok=True)
        store = wheel_store.usable_store(own)
        found = store.fetched(wanted, pip, f"fetching wheels of {name}")
        uv_wheel = wheel_store.uv_wheel(store, UV.read_text("utf-8"), pip)
        with wheels.unpacked_uv(uv_wheel, own) as uv:
            wheels.install(
                found, wanted, wheels.Target(python, own / "work"), uv, f"wheels of {name}"
            )
            _check(python, uv)
    except wheel_store.Refused:
        raise NotMade(
            "Expected each wheel of the lock, with its sha256, from the index that pip is "
            "configured with. Received a refusal (above). `pip config list` shows the settings; "
            "mend the index or the network, then try again."
        ) from None
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _check(python: Path, uv: str | None) -> None:
    quiet = ["--quiet", "--disable-pip-version-check"]
    pip = [str(python), "-IB", "-m", "pip", "check", *quiet]
    ours = [uv, "pip", "check", "--no-config", "--no-cache", "--quiet", "--python", str(python)]
    command = [part for part in ours if part] if uv else pip
    own = {**os.environ, "TMPDIR": str(HERE)}  # uv leaves a lock there
    if subprocess.run(command, stdin=subprocess.DEVNULL, env=own, check=False).returncode:
        raise NotMade(
            "Expected packages that fit together. Received the contradictions above. Correct "
            "environment.yml and run `./run lock`."
        )


def _compile(prefix: Path) -> set[str]:
    """Compile what a step imports, once, bound to no time; nothing is compiled there ever again.

    The status is not looked at: what does not compile cannot be imported. Returns what it wrote,
    by path in the environment.
    """
    library = prefix / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name, text in NO_BYTECODE.items():
        (library / "site-packages" / name).write_text(text)
    files = compiled(library, IMPORTED.read_text("utf-8").splitlines())
    running = [_compiler(prefix, n, files[n::WORKERS]) for n in range(WORKERS)]
    for process in running:
        process.wait()
    return {os.path.relpath(cache_from_source(file), prefix) for file in files}


def _compiler(prefix: Path, number: int, files: Sequence[Path]) -> "subprocess.Popen[bytes]":
    names = HERE / f"compiled-{number}.txt"
    names.write_text("\n".join(map(str, files)))
    command = [str(prefix / "bin" / "python"), "-IB", "-c", COMPILE, "-qq", "-f"]
    return subprocess.Popen([*command, "--invalidation-mode", "unchecked-hash", "-i", str(names)])


def compiled(library: Path, imported: Sequence[str]) -> list[Path]:
    """Return the modules that are compiled.

    Args:
        library: lib/python3.11 of an environment.
        imported: lines of imported.txt: a folder with all below it, ``FOLDER/*`` for its own
            modules alone, ``-NAME`` for a package of which nothing is imported. What it does not
            name, the user added: it is compiled whole.

    Example:
        >>> compiled(prefix / "lib/python3.11", ["asyncio", "*"])[0].name
        'base_events.py'
    """
    site, files = library / "site-packages", list[Path]()
    for line in (line for line in imported if line and line[0] not in "-#"):
        folder = library / line.removesuffix("*")
        files += folder.glob("*.py") if line.endswith("*") else folder.rglob("*.py")
    known = {
        line.removeprefix("-").removeprefix("site-packages/").partition("/")[0] for line in imported
    }
    for package in site.iterdir():
        if package.name not in known:
            files += package.rglob("*.py")
    return sorted(set(files))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], json.load(sys.stdin)))
