"""User command: what is to be run, as the user's shell would find it.

Synopsis:
    command = user_command(["python", "train.py"], Path.cwd())
    command.program, command.script, command.python
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from repro.core.errors import UserError

_PYTHON = re.compile(r"(python|pypy)[\d.]*")
_WITH_VALUE = {"-W", "-X", "--check-hash-based-pycs"}
_NO_SCRIPT = {"-c", "-m", "-"}


@dataclass(frozen=True)
class UserCommand:
    """A command that can be started.

    `program`: its absolute path; `words`: as given; `script`: the file that a Python shall run,
    None where it is another program or cannot be told; `python`: what starts the user's Python.
    """

    program: Path
    words: tuple[str, ...]
    folder: Path
    script: Path | None
    python: str | None

    @property
    def python_runs_it(self) -> bool:
        """Whether the program is a Python, or a script that names one in its first line."""
        return self.python is not None and not self.program.name.endswith("sh")

    @property
    def shown(self) -> str:
        """As it would be typed."""
        return shlex.join(self.words)


def user_command(words: Sequence[str], folder: Path) -> UserCommand:
    """Finds program, script and Python of a command that is to be started in a folder.

    Raises:
        UserError: there is no such program, or it cannot be run.
    """
    if not words:
        raise UserError(
            "Expected a command after `--`, such as `check -- python train.py`. Received none. "
            "Say what to run."
        )
    # With a slash in it, a word is no name to look for on PATH.
    named = str(folder / words[0]) if "/" in words[0] else words[0]
    found = shutil.which(named, path=_search_path(folder))
    if found is None:
        raise _no_program(words[0], folder)
    program = Path(os.path.abspath(folder / found))  # noqa: PTH100 (links stay: virtualenvs)
    is_python = bool(_PYTHON.fullmatch(program.name))
    script = _script(words[1:], folder) if is_python else None
    python = str(program) if is_python else _python_of(program)
    return UserCommand(program, tuple(words), folder, script, python)


def _search_path(folder: Path) -> str:
    """PATH, in which relative folders start from the caller's."""
    parts = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(str(folder / part) for part in parts)


def _no_program(word: str, folder: Path) -> UserError:
    there = (folder / word).is_file()
    if there and word.endswith(".py"):
        do = f"Say `python {word}`."
    elif there:
        do = f"Make it one with `chmod +x {word}`, or name the program that runs it."
    else:
        do = "Correct the name, or add its folder to PATH."
    received = "a file without the right to be run" if there else "none"
    return UserError(f"Expected a program called {word}. Received {received}. {do}")


def _script(words: Sequence[str], folder: Path) -> Path | None:
    rest = iter(words)
    for word in rest:
        if word in _NO_SCRIPT:
            return None
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            return folder / word
        elif word.startswith(("-c", "-m")):
            return None
    return None


def _python_of(program: Path) -> str | None:
    """The Python that a script names in its first line, or else the one on PATH."""
    with suppress(OSError), program.open("rb") as file:
        first = file.readline(512).decode("utf-8", "replace")
        if first.startswith("#!") and (words := shlex.split(first[2:])):
            name = words[-1] if words[0].endswith("/env") else words[0]
            if _PYTHON.fullmatch(Path(name).name) and (found := shutil.which(name)):
                return found
    return shutil.which("python") or shutil.which("python3")
