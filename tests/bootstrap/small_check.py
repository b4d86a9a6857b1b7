"""A folder with a script of a user's, and `check` run there, by root or by an ordinary user."""

import io
import json
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import project
from repro.core.schema import checked
from repro.data.module_loader import module

NOBODY = 65534
FEWER = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
LEFT = "repro-check-*"


@dataclass(frozen=True)
class World:
    """A way to run `check`: as whom, by which Python, and with which options."""

    name: str
    user: int | None = None
    prefix: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    containment: str = "overlay"


WORLDS = (
    World("overlay"),
    World("overlay-of-a-user", user=NOBODY),
    World("copy", options=("--no-overlay",), containment="copy"),
    World("copy-of-a-user", user=NOBODY, options=("--no-overlay",), containment="copy"),
    World("refused", prefix=FEWER, containment="copy"),
)


@cache
def python_for(user: int | None) -> str | None:
    """A Python that a user may start; None where there is none."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            done = subprocess.run([python, "-c", ""], user=user, group=user, extra_groups=[],
                                  capture_output=True, check=False)  # fmt: skip
        except OSError:
            continue
        if done.returncode == 0:
            return python
    return None


@dataclass(frozen=True)
class Folder:
    """A user's folder, `project`, in one that is HOME as well, with check.pyz in it."""

    home: Path
    world: World
    python: str

    @property
    def project(self) -> Path:
        return self.home / "a project"

    @property
    def temporary(self) -> Path:
        return self.home / ".temporary"

    def write(self, name: str, text: str) -> Path:
        """A file of the user's."""
        file = self.home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.give()
        return file

    def give(self) -> None:
        """Let all belong to the user."""
        if self.world.user is not None:
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, self.world.user, self.world.user, follow_symlinks=False)

    def command(self, *arguments: str) -> list[str]:
        program = [self.python, "-B", str(self.home / "check.pyz"), *self.world.options]
        return [*self.world.prefix, *program, *arguments]

    def environment(self, **variables: str) -> dict[str, str]:
        bare = {"PATH": f"{Path(self.python).parent}:/usr/bin:/bin", "HOME": str(self.home)}
        bare |= {"TMPDIR": str(self.temporary), "PYTHONDONTWRITEBYTECODE": "1"}
        return {**bare, **variables}

    def left_behind(self) -> list[Path]:
        """The folders of ours that were not removed."""
        return [*self.temporary.glob(LEFT)]

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments), cwd=self.project, env=self.environment(**variables),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, user=self.world.user,
            group=self.world.user, extra_groups=None if self.world.user is None else [],
        )  # fmt: skip

    def check(
        self, *arguments: str, status: int | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `check` to its end; it never leaves a traceback of its own, nor anything behind."""
        with self.start(*arguments, **variables) as process:
            out, err = process.communicate(timeout=300)
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        assert status in (None, done.returncode), done.stderr + done.stdout
        assert "repro/" not in done.stderr, done.stderr
        assert self.left_behind() == []
        return done

    def script(self, text: str, *options: str, status: int | None = None) -> Any:
        """The report on a script in Python, checked against its schema."""
        self.write("a project/train.py", text)
        self.check(*options, "--", self.python, "train.py", status=status)
        return self.report()

    def report(self) -> Any:
        file = self.project / "check" / "report.json"
        value = json.loads(file.read_text())
        assert checked(value, "check", str(file)) == value
        return value


@cache
def packed() -> bytes:
    """check.pyz, packed once for all tests."""
    packing = module("packing", project.ROOT / "workflow" / "scripts" / "pack.py")
    return packing.packed(packing.members_of_check())


@cache
def packed_with_bytecode() -> bytes:
    """The same program, and beside each source what it is compiled to, else at every start anew.

    A Python of another version passes that over.
    """
    content = io.BytesIO(packed())
    with zipfile.ZipFile(content, "a") as archive, tempfile.TemporaryDirectory() as folder:
        archive.extractall(folder)
        for name in archive.namelist():
            if name.endswith(".py"):
                unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
                file = py_compile.compile(
                    f"{folder}/{name}", dfile=f"check.pyz/{name}", doraise=True,
                    invalidation_mode=unchecked,
                )  # fmt: skip
                archive.write(str(file), f"{name}c")
    return content.getvalue()


def folder(world: World) -> Iterator[Folder]:
    """A folder for a world, whose parents everybody may pass through; None where it cannot be."""
    python = python_for(world.user)
    home = Path(tempfile.mkdtemp(prefix="a-home-"))
    try:
        home.chmod(0o755)
        for inner in ("a project", ".temporary"):
            (home / inner).mkdir()
        (home / "check.pyz").write_bytes(packed_with_bytecode())
        made = Folder(home, world, python or "")
        made.give()
        yield made
    finally:
        shutil.rmtree(home)
