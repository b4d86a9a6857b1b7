"""The post-deploy script for real, in a small environment: damage is refused, a good try works."""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import small_results
from conda import lock_file, render
from post_deploy import bytecode
from repro.record import installed
from small_channel import flip
from small_environment import (
    PLATFORM,
    WHEELS,
    Made,
    Site,
    add_meta,
    index_of,
    lock,
    make,
    wheel,
)  # fmt: skip
from wheels.install import unpacked_uv

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("body", [b"\x7fELF of another machine", b"#!/bin/sh\nexit 1\n"])
def test_a_uv_that_does_not_run_is_done_without(tmp_path: Path, body: bytes) -> None:
    """As one for another machine: pip installs then."""
    wheel = tmp_path / "uv.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("uv-1.data/scripts/uv", body)
    with unpacked_uv(wheel, tmp_path) as uv:
        assert uv is None


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest, site: Site) -> str:
    """What installs: uv, or pip where the index has no uv."""
    index_of(request.param, site, request)
    return request.param


@pytest.fixture(scope="session")
def made_by_pip(
    base: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Made:
    return make("pip", base, tmp_path_factory.mktemp("pip") / "a folder", request)


@pytest.fixture(params=["uv", "pip"])
def made(request: pytest.FixtureRequest) -> Made:
    """A finished one by each."""
    return request.getfixturevalue(f"made_by_{request.param}")


def test_installs_the_wheels_and_records_every_file(made: Made) -> None:
    site, done = made.site, made.done
    assert done.stderr == ""
    assert (done.returncode, done.stdout) == (0, "")
    assert installed.check(site.prefix) == []
    read = installed.require(site.prefix).facts
    assert (read["channel"], read["environment"], read["platform"]) == ("locked", "keras", PLATFORM)
    assert {p["name"] for p in read["packages"]} == {"pip", *WHEELS}
    assert read["lock"] == f"sha256:{hashlib.sha256(lock(site).encode()).hexdigest()}"
    used = next(site.prefix.glob("lib/python3*/site-packages/tiny-1.0.dist-info/INSTALLER"))
    assert used.read_text().strip() == made.installer
    beside = {path.name for path in site.prefix.parent.iterdir() if path.name.startswith("env.")}
    assert beside == {"env.lock"}
    flag = Path(f"{site.prefix}.env_setup_done")
    assert not flag.exists(), "left from an earlier environment, it makes a killed one look whole"


@pytest.mark.usefixtures("kept")
def test_what_runs_in_it_later_changes_nothing(site: Site) -> None:
    """Even without -B, be it compiled, and bound to no time, or not."""
    for cache in [*site.prefix.rglob("__pycache__")]:
        shutil.rmtree(cache)
    assert site.deploy().returncode == 0
    assert list(site.prefix.glob("lib/python3*/site-packages/__pycache__/tiny.*.pyc"))
    assert not list(site.module.parent.rglob("*.pyc"))
    python = [str(site.prefix / "bin" / "python"), "-I", "-c", "import tiny, small, pip._internal"]
    os.utime(next(site.prefix.glob("lib/python3*/site-packages/tiny.py")), (0, 0))
    subprocess.run(python, check=True)
    assert installed.check(site.prefix) == []


def test_no_file_of_it_is_one_with_a_file_elsewhere(made: Made) -> None:
    """Else what is written through one of them changes in all, and their times with it."""
    files = [path for path in made.site.prefix.rglob("*") if path.is_file()]
    linked = [path for path in files if path.lstat().st_nlink > 1]
    assert linked == []


def test_nothing_is_hashed_again_because_another_one_is_made(
    made: Made, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = made.site
    other = replace(site, prefix=site.prefix.with_name("other"))
    shutil.copytree(base, other.prefix, symlinks=True)
    shutil.copytree(site.prefix / "conda-meta", other.prefix / "conda-meta")
    assert other.deploy().returncode == 0
    hashed: list[Path] = []
    monkeypatch.setattr(installed, "digest", hashed.append)
    assert installed.check(site.prefix) == []
    assert hashed == []


def test_what_rotted_in_the_cache_is_had_again(site: Site, kept: Path) -> None:
    """A wheel that is kept, then a list of them."""
    for damaged in ("*/tiny-*.whl", "*.json"):
        files = [*(kept / "wheels").glob(damaged)]
        assert files
        for file in files:
            flip(file)
        assert site.deploy().returncode == 0
        assert installed.check(site.prefix) == []
        (site.prefix / installed.RECORD).unlink()
        shutil.rmtree(next(site.prefix.glob("lib/python3*/site-packages/tiny-1.0.dist-info")))


def test_a_cache_that_cannot_be_written_is_done_without(site: Site) -> None:
    done = site.deploy(REPRO_CACHE=os.devnull)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in site.prefix.parent.glob("env.*")} == {"env.lock"}


def test_a_cache_may_lie_on_another_file_system(site: Site, installer: str) -> None:
    assert installer
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        if Path(elsewhere).stat().st_dev == site.prefix.stat().st_dev:
            pytest.skip("there is only one file system")
        done = site.deploy(REPRO_CACHE=elsewhere)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(list(Path(elsewhere).glob("wheels/*/t*.whl"))) == 1
    assert installed.check(site.prefix) == []


@pytest.mark.parametrize(
    ("installer", "blocks"), [("pip", 2), ("uv", 16), ("pip", 64)], indirect=["installer"]
)
def test_a_disk_that_fills_up_gives_a_sentence_and_no_environment(
    site: Site, installer: str, blocks: int
) -> None:
    """By the system's limit on the size of a file, at one place or another of the way.

    The first and the last lie where both installers go alike.
    """
    assert installer
    limited = f'ulimit -f {blocks}; exec sh "$0"'
    done = subprocess.run(
        ["sh", "-c", limited, str(site.script)], env=site.environment(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "The environment keras was not made. Expected" in done.stderr
    assert "Traceback" not in done.stderr
    assert installed.check(site.prefix) != []
    assert site.deploy().returncode == 0, "there is room again"
    assert installed.check(site.prefix) == []


@pytest.mark.usefixtures("kept")
def test_one_at_a_time(site: Site) -> None:
    """Whoever would make or remove it waits for the one who does."""
    with (site.prefix.parent / "env.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running = subprocess.Popen(
            ["sh", str(site.script)], env=site.environment(), stderr=subprocess.PIPE
        )
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(1)
        assert not (site.prefix / installed.RECORD).exists()
    assert running.wait(120) == 0


def test_a_moved_environment_is_hashed_and_found_sound(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made.site.prefix, tmp_path / "copy", symlinks=True)
    assert installed.check(tmp_path / "copy") == []


def damage_archive(site: Site) -> str:
    site.archive.write_bytes(b"The archive of pip")
    return f"Expected pip 1 with sha256 {hashlib.sha256(b'the archive of pip').hexdigest()}"


def lose_archive(site: Site) -> str:
    site.archive.unlink()
    return f"Received no file {site.archive}"


def damage_unpacked_file(site: Site) -> str:
    site.module.write_bytes(site.module.read_bytes() + b"#")
    return f"Expected {site.module} as in pip 1"


def lose_unpacked_file(site: Site) -> str:
    site.module.rename(site.prefix / "elsewhere.py")
    return "Received no such file: damaged where conda keeps the package unpacked"


def add_package(site: Site) -> str:
    add_meta(site, "numpy", site.archive, [])
    return "Expected no conda package but the lock's. Received numpy 1 on top."


def lose_package(site: Site) -> str:
    next(site.prefix.glob("conda-meta/pip-*.json")).unlink()
    return "Expected pip 1. Received none."


def damage_wheel(site: Site) -> str:
    wheel(site.wheels, "tiny", "1.0", lies=True)
    return "DO NOT MATCH THE HASHES"


def install_other_bytes(site: Site) -> str:
    """What is installed is not what the wheel says of itself, though the wheel is the lock's."""
    wheel(site.wheels, "tiny", "1.0", lies=True)
    render.write(render.render(lock_file.parse(lock(site))), site.script.parent)
    return "site-packages/tiny.py as in the wheel of tiny, sha256:"


def lose_wheel(site: Site) -> str:
    next(site.wheels.glob("tiny-*")).unlink()
    return "No matching distribution found for tiny==1.0"


def add_distribution(site: Site) -> str:
    folder = site.module.parent.parent / "stray-3.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: stray\nVersion: 3.0\n")
    (folder / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\n")
    return "Expected no distribution but the lock's. Received stray."


def lose_python(site: Site) -> str:
    (site.prefix / "bin" / "python").unlink()
    return "Expected a Python in the environment"


@pytest.mark.parametrize(
    "damage",
    [
        damage_archive,
        lose_archive,
        damage_unpacked_file,
        lose_unpacked_file,
        add_package,
        lose_package,
        install_other_bytes,
        add_distribution,
        lose_python,
    ],
)
@pytest.mark.usefixtures("kept")
def test_refuses_damage(site: Site, damage: Callable[[Site], str]) -> None:
    is_refused(site, damage(site))


@pytest.mark.parametrize("damage", [damage_wheel, lose_wheel])
def test_refuses_what_the_index_has_otherwise(site: Site, damage: Callable[[Site], str]) -> None:
    """Where nothing is kept."""
    is_refused(site, damage(site))


def is_refused(site: Site, sentence: str) -> None:
    done = site.deploy()
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "The environment keras was not made. Expected" in done.stderr
    assert "Traceback" not in done.stderr
    assert installed.check(site.prefix) != [], "no job may start in it"


def test_killed_installation_is_refused_and_the_next_one_works(site: Site, base: Path) -> None:
    """Killed by force while it waits for pip, which reads a pipe that nobody writes."""
    waits = site.prefix.parent / "pip.conf"
    os.mkfifo(waits)
    running = subprocess.Popen(
        ["sh", str(site.script)],
        env=site.environment(PIP_CONFIG_FILE=str(waits)),
        start_new_session=True,
    )
    with waits.open("w"):  # returns when pip has opened the other end
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    (problem,) = installed.check(site.prefix)
    assert problem.endswith("with which an installation ends. Received no such file.")
    metas = site.prefix.parent / "conda-meta"
    shutil.move(site.prefix / "conda-meta", metas)
    shutil.rmtree(site.prefix)  # as Snakemake does where its flag is missing
    shutil.copytree(base, site.prefix, symlinks=True)
    shutil.move(metas, site.prefix / "conda-meta")
    assert site.deploy().returncode == 0
    assert installed.check(site.prefix) == []


@pytest.mark.parametrize("modules", [0, 1])
def test_no_compiler_starts_without_modules(
    tmp_path: Path, modules: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would compile all that its Python finds, which is no part of the environment."""
    monkeypatch.setattr(bytecode, "HERE", tmp_path / "post_deploy")  # it writes beside that
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = small_results.write(tmp_path / "lib" / version / "site-packages" / "README", "").parent
    for number in range(modules):
        small_results.write(site / f"own{number}" / "__init__.py", "")
    small_results.write(site / "own" / "tests" / "test_own.py", "")
    python = small_results.write(
        tmp_path / "bin" / "python", f'#!/bin/sh\necho >>"{tmp_path}/ran"\n'
    )
    python.chmod(0o755)
    started = tmp_path / "ran"
    started.touch()
    for wheels in (False, True):
        with bytecode.written(tmp_path, wheels=wheels) as paths:
            assert len(paths) == len(bytecode.NO_BYTECODE) + modules * wheels
    assert len(started.read_text().splitlines()) == modules
