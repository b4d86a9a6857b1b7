"""Places: a user's project in which a step is started as the workflow starts it."""

import importlib.util
import marshal
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from repro.launch import isolation
from samples import LIBRARY


def refused(kind: int) -> bool:
    return isolation.rehearsed(lambda: isolation.enter(kind)) is not None


ROOMS = ("core", "launch", "machine", "record", "shim")
"""What launches imports nothing else."""


def pack(path: Path) -> Path:
    """What launches of the library and the step that looks, in one file as the workflow has it."""
    repro = LIBRARY / "repro"
    every = [repro / "__init__.py", *(file for room in ROOMS for file in (repro / room).glob("*"))]
    files = {file.relative_to(LIBRARY): file for file in every if file.suffix == ".py"}
    files[Path("__main__.py")] = Path(__file__).with_name("factor_program.py")
    return compiled({str(name): file.read_bytes() for name, file in files.items()}, path)


def compiled(files: Mapping[str, str | bytes], path: Path) -> Path:
    """A program of these files, its modules compiled: many starts of it take less time so."""
    unchecked = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)  # PEP 552
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in files.items():
            if name.endswith(".py") and name != "__main__.py":
                code = marshal.dumps(compile(text, f"{path}/{name}", "exec", dont_inherit=True))
                packed.writestr(f"{name}c", unchecked + code)
            else:
                packed.writestr(name, text)
    return path


class Place:
    """A project of a user, and how to start the step there."""

    def __init__(self, root: Path, program: Path) -> None:
        self.home: Path | str = root / "home"
        self.project, self.temporary = root / "project", root / "tmp"
        self.program, self.prefix = program, list[str]()
        self.run_name, self.twice = "repeat", False
        for folder in (root / "home", self.project / "data", self.temporary):
            folder.mkdir(parents=True)
        (self.project / "old.cache").write_text("from an earlier run")
        (self.project / "experiment.py").write_text("")
        for name in ("one", "two", "three", "four"):
            (self.project / "data" / name).write_text(name)

    def command(self, factors: Sequence[str], *step: str) -> list[str]:
        run = self.run_name if factors else "original"
        start = [sys.executable, "-I", "-B", str(self.program), "launch", run, ",".join(factors)]
        return [*self.prefix, *start, "--twice" if self.twice else "--", *step]

    def popen(self, factors: Sequence[str], *step: str, **more: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, "HOME": str(self.home), "TMPDIR": str(self.temporary)}
        return subprocess.Popen(
            self.command(factors, *step),
            cwd=self.project, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more,
        )  # fmt: skip

    def run(self, factors: Sequence[str], *step: str) -> subprocess.CompletedProcess[str]:
        process = self.popen(factors, *step)
        output, errors = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


INPUTS = ("--input", "experiment=experiment.py", "data=data", "--out", "out", "--log", "log/a.log")
WORK = """
import errno, os, sys
from pathlib import Path
given = {n: launcher.path(p) for n, _, p in (i.partition("=") for i in sys.argv[2:]) if p}
out, log = (launcher.path(sys.argv[sys.argv.index(name) + 1]) for name in ("--out", "--log"))
"""


def works(place: Place, factors: Sequence[str], code: str, *step: str) -> str:
    """Runs a piece of code as the step; all is cleared away behind it."""
    done = place.run(factors, WORK + code, *step)
    assert done.returncode == 0, done.stderr
    assert list(place.temporary.iterdir()) == []
    return done.stdout
