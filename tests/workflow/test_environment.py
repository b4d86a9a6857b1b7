"""Snakemake, conda, post-deploy and a job's own check, together: no job runs in what differs.

A made-up Python package (a virtual environment, packed) comes from a channel on loopback, by pins
and a script that are rendered as the real ones are. So the path is that of the locked channel.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import project
import pytest
import tools
import yaml
from conda import lock_file, render
from environments import places
from local_channel import package
from wheels import host_pip

pytestmark = pytest.mark.slow

SNAKEFILE = """\
import sys
from pathlib import Path

sys.path.insert(0, {library!r})
from repro.core.errors import UserError
from repro.record.installed import current_platform
from repro.record.environment_files import check_renders

try:
    check_renders(Path("conda-lock.yml"), Path("envs"), "keras", current_platform())
except UserError as error:
    sys.exit(str(error))


rule job:
    output:
        "out.txt",
    conda:
        "envs/keras.yaml"
    shell:
        "python -IB job.py > {{output}}"
"""

JOB = """\
import sys
from pathlib import Path

sys.path.insert(0, {library!r})
from repro.core.errors import UserError
from repro.record import installed

try:
    installed.require(Path(sys.prefix))
except UserError as error:
    sys.exit(str(error))
print(installed.require(Path(sys.prefix)).facts["channel"])
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A channel with one package: a Python with pip."""
    tree, channel = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("channel")
    subprocess.run([sys.executable, "-m", "venv", str(tree)], check=True)
    pip = [str(tree / "bin" / "python"), "-I", "-m", "pip"]
    subprocess.run([*pip, "uninstall", "--quiet", "--yes", "setuptools"], check=True)
    (tree / "lib64").unlink(missing_ok=True)
    version = ".".join(map(str, sys.version_info[:3]))
    index = {"name": "python", "version": version, "build": "0", "subdir": project.subdir()}
    return package.write(tree, {**index, "depends": []}, channel)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def served(python: Path, folder: Path) -> Generator[tuple[Path, str]]:
    """A copy of the package, and the address at which it is served."""
    copy = folder / "channel" / python.parent.name / python.name
    copy.parent.mkdir(parents=True)
    shutil.copy(python, copy)
    handler = partial(Quiet, directory=str(folder / "channel"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield copy, f"http://127.0.0.1:{server.server_port}/{copy.parent.name}/{copy.name}"
        server.shutdown()


@dataclass(frozen=True)
class Project:
    """A folder with a Snakefile, in which one job needs one environment."""

    folder: Path
    archive: Path

    @property
    def out(self) -> Path:
        return self.folder / "out.txt"

    @property
    def prefix(self) -> Path:
        """The environment."""
        (prefix,) = (self.folder / ".snakemake" / "conda").glob("*_/")
        return prefix

    @property
    def flag(self) -> Path:
        return Path(f"{self.prefix}.env_setup_done")

    @property
    def command(self) -> list[str]:
        return ["snakemake", "--cores", "1", "--use-conda", "--forceall", "job"]

    def environment(self, **more: str) -> dict[str, str]:
        cache = {"CONDA_PKGS_DIRS": str(self.folder / "pkgs")}
        wheels = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": (self.folder / "wheels").as_uri()}
        place = {places.VARIABLE: str(self.folder / ".snakemake" / "conda")}
        place |= {"REPRO_CACHE": str(self.folder / "cache")}
        return {**tools.environment(), **cache, **wheels, **place, **more}

    def run(self) -> subprocess.CompletedProcess[str]:
        self.out.unlink(missing_ok=True)
        return subprocess.run(
            self.command,
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def kill_during_post_deploy(self) -> None:
        """Start Snakemake, and kill all of it while pip waits to read a pipe."""
        pipe = self.folder / "pip.conf"
        os.mkfifo(pipe)
        running = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=self.environment(PIP_CONFIG_FILE=str(pipe)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with pipe.open("w"):  # returns when pip has opened the other end
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
        pipe.unlink()
        # Snakemake's own lock, which it leaves behind when killed, and whose sentence says this.
        unlock = [*self.command, "--unlock"]
        subprocess.run(unlock, cwd=self.folder, env=self.environment(), check=True)

    def assert_works(self) -> None:
        done = self.run()
        assert done.returncode == 0, done.stdout
        assert self.out.read_text() == "locked\n"

    def assert_refuses(self, *sentences: str) -> None:
        done = self.run()
        assert done.returncode != 0
        assert [s for s in sentences if s not in " ".join(done.stdout.split())] == []
        assert not self.out.exists()


def new_project(folder: Path, archive: Path, url: str) -> Project:
    """A project, its lock and its renders."""
    (folder / "wheels").mkdir(parents=True)
    pip = Path(shutil.copy(host_pip.bundled(), folder / "wheels"))
    name, version, _ = archive.name.split("-", 2)
    conda = {"name": name, "version": version, "url": url, "manager": "conda", "category": "main"}
    digest = {"sha256": sha256(archive)}
    wheel = {
        "name": "pip",
        "version": pip.name.split("-")[1],
        "url": "",
        "manager": "pip",
        "category": "main",
    }
    packages = [
        {**conda, "platform": project.subdir(), "hash": digest},
        {**wheel, "platform": project.subdir(), "hash": {"sha256": sha256(pip)}},
    ]
    lock = yaml.safe_dump({"metadata": {"platforms": [project.subdir()]}, "package": packages})
    (folder / "conda-lock.yml").write_text(lock)
    render.write(render.render(lock_file.parse(lock)), folder / "envs")
    library = str(project.LIBRARY)
    (folder / "Snakefile").write_text(SNAKEFILE.format(library=library))
    (folder / "job.py").write_text(JOB.format(library=library))
    return Project(folder, archive)


@pytest.fixture(scope="module")
def made(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose environment the first tests make."""
    folder = tmp_path_factory.mktemp("made")
    with served(python, folder) as (archive, url):
        yield new_project(folder / "a project", archive, url)


@pytest.fixture(scope="module")
def works(made: Project) -> Project:
    """The same, whose job has run; whoever damages its environment mends it."""
    made.assert_works()
    return made


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_a_changed_package_in_the_channel(made: Project) -> None:
    """Once it is mended, the next test installs it."""
    flip(made.archive)
    made.assert_refuses("Expected the package", "with sha256")
    assert not list((made.folder / ".snakemake" / "conda").glob("*_/"))
    flip(made.archive)


def test_a_killed_installation_heals_itself(made: Project) -> None:
    made.kill_during_post_deploy()
    assert made.prefix.is_dir()
    made.assert_works()


def test_a_sound_environment_is_made_once(works: Project) -> None:
    record = works.prefix / "repro-installed.json"
    first = record.stat().st_mtime_ns
    works.assert_works()
    assert record.stat().st_mtime_ns == first


def test_a_changed_file_is_named_and_so_is_what_to_remove(works: Project) -> None:
    module = next(works.prefix.glob("lib/python3*/site-packages/pip/__init__.py"))
    flip(module)
    remove = f"Remove the folder {works.prefix} and the file {works.flag} beside it"
    works.assert_refuses(f"Expected {module} to be sha256:", remove)
    flip(module)


def test_an_added_package_is_named(works: Project) -> None:
    site_packages = next(works.prefix.glob("lib/python3*/site-packages"))
    (site_packages / "numpy").mkdir()
    works.assert_refuses(f"Expected nothing at {site_packages}/numpy. Received what was added")
    (site_packages / "numpy").rmdir()
    works.assert_works()


def test_a_missing_pin_file(works: Project) -> None:
    pins = works.folder / "envs" / f"keras.{project.subdir()}.pin.txt"
    kept = pins.read_bytes()
    pins.unlink()
    works.assert_refuses(f"Expected envs/{pins.name}, rendered from", "Received no such file.")
    pins.write_bytes(kept)


def test_a_flag_alone_makes_no_environment(works: Project) -> None:
    record = works.prefix / "repro-installed.json"
    kept = record.rename(works.folder / "kept.json")
    works.assert_refuses("with which an installation ends. Received no such file.")
    kept.rename(record)


def test_a_killed_installation_with_a_flag_left_from_before_heals_itself(works: Project) -> None:
    """Snakemake takes an environment for finished by a flag that survives its folder.

    Who removes both, as is advised, has less in the way of a new one.
    """
    shutil.rmtree(works.prefix)
    works.kill_during_post_deploy()
    works.assert_works()
