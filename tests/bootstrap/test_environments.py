"""Environments that clones share: made one at a time, not removed while in use, found where told.

What makes one here is a small stand-in for Snakemake, which removes what is half-made as that does.
"""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import locks
import project
import pytest
import tools
from environments import making, places
from post_deploy import beside
from repro.core.errors import CouldNotRun
from repro.record import installed

CLONE = """\
import sys
from pathlib import Path
sys.path[:0] = [{bootstrap!r}, {tests!r}]
import project
from environments import making, places
from test_environments import RENDERS, make_environment

renders, name = Path(sys.argv[1]), sys.argv[2]
(prefix,) = places.prefixes([name], renders, places.folder()).values()

def make():
    print("makes", flush=True)
    if sys.stdin.readline() == "go on\\n":
        make_environment(prefix)
    return 0

with making.ready(None, [name], renders, make) as status:
    print("ready", places.made(prefix), flush=True)
    sys.stdin.readline()
"""
RENDERS = "envs"


def make_environment(prefix: Path) -> Path:
    (prefix / "lib").mkdir(parents=True)
    (prefix / "lib" / "module.py").write_text("value = 1\n")
    installed.record(prefix, installed.survey(prefix), {"environment": "a", "channel": "local"}, {})
    beside.path(prefix, beside.PINS).write_text("@EXPLICIT\n")
    beside.path(prefix, beside.FLAG).touch()
    return prefix


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    """The files of two environments, in a folder whose name has a space."""
    folder = tmp_path / "a clone" / RENDERS
    folder.mkdir(parents=True)
    for name in "ab":
        for ending in ("post-deploy.sh", f"{project.subdir()}.pin.txt", "yaml"):
            (folder / f"{name}.{ending}").write_text(f"{name} {ending}\n")
    return folder


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shared folder, which is not there yet, and the one to fall back to."""
    monkeypatch.delenv(places.VARIABLE, raising=False)
    monkeypatch.setattr(places, "SHARED", tmp_path / "a cache" / "environments")
    monkeypatch.setattr(places, "OWN", tmp_path / "a clone" / ".snakemake" / "conda")
    return places.SHARED


class Making:
    """Stands in for Snakemake: what it was called for, and how often."""

    def __init__(self, renders: Path, name: str = "a") -> None:
        self.renders, self.name, self.calls = renders, name, 0

    def prefix(self, within: Path) -> Path:
        return places.prefixes([self.name], self.renders, within)[self.name]

    def __call__(self) -> int:
        self.calls += 1
        within = Path(os.environ[places.VARIABLE])
        handle = os.open(within / making.MAKING, os.O_RDWR)
        with pytest.raises(BlockingIOError):  # no other clone may make anything meanwhile
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)
        make_environment(self.prefix(within))
        return 0


@pytest.fixture
def make(renders: Path) -> Making:
    return Making(renders)


def in_use(prefix: Path) -> bool:
    try:
        with locks.held(beside.lock_of(prefix), locks.ALONE | locks.AT_ONCE):
            return False
    except BlockingIOError:
        return True


def test_snakemake_looks_for_an_environment_where_we_do(renders: Path, tmp_path: Path) -> None:
    """The rule is Snakemake's own, and asked of the very version that is pinned."""
    from snakemake.deployment.conda import Conda, Env
    from snakemake.sourcecache import LocalSourceFile

    within = tmp_path / "in a folder"
    (tmp_path / "behind a link").mkdir()
    within.symlink_to(tmp_path / "behind a link")

    def path(file: Any) -> Path:
        return Path(file.get_path_or_uri(secret_free=True))

    cache = SimpleNamespace(
        exists=lambda file: path(file).exists(), open=lambda file, mode: path(file).open(mode)
    )
    workflow: Any = SimpleNamespace(
        sourcecache=cache,
        deployment_settings=SimpleNamespace(apptainer_args=""),
        runtime_paths=[],
    )
    env = Env(workflow, env_file=LocalSourceFile(str(renders / "a.yaml")), envs_dir=str(within))
    conda = object.__new__(Conda)
    conda.platform = project.subdir()
    env.__dict__["conda"] = env._conda = conda
    assert env.pin_file is not None
    assert env.post_deploy_file is not None
    assert str(places.prefixes(["a"], renders, within)["a"]) == env.address


def test_what_is_missing_is_made_once_and_held_while_it_is_used(
    renders: Path, shared: Path, make: Making
) -> None:
    prefix = make.prefix(shared)
    for _ in range(2):
        with making.ready(None, ["a"], renders, make) as status:
            assert (status, make.calls) == (0, 1)
            assert os.environ[places.VARIABLE] == str(shared)
            assert in_use(prefix)
        assert not in_use(prefix)


def test_what_snakemake_says_of_a_failure_is_handed_on(renders: Path, shared: Path) -> None:
    with making.ready(None, ["a"], renders, lambda: 4) as status:
        assert status == 4
    assert shared.is_dir()


def test_a_name_without_files_is_left_to_snakemake(renders: Path, shared: Path) -> None:
    with making.ready(None, ["typo"], renders, lambda: 1) as status:
        assert status == 0
    assert not shared.exists()


@pytest.fixture
def clone(
    renders: Path, shared: Path, tmp_path: Path
) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Starts a process as a clone's ./run is: it says what it does, and waits for a word."""
    places = {"bootstrap": str(project.ROOT / "bootstrap"), "tests": str(Path(__file__).parent)}
    started: list[subprocess.Popen[str]] = []

    def start(name: str = "a") -> "subprocess.Popen[str]":
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", CLONE.format(**places), str(renders), name],
                env={**os.environ, "REPRO_CACHE": str(shared.parent)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=tmp_path,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def heard(process: "subprocess.Popen[str]", error: bool = False) -> str:
    stream = process.stderr if error else process.stdout
    assert stream is not None
    return stream.readline().strip()


def tell(process: "subprocess.Popen[str]", word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()


def test_of_two_clones_at_once_one_makes_and_the_other_waits(
    clone: Callable[..., "subprocess.Popen[str]"], shared: Path, make: Making
) -> None:
    first = clone()
    assert heard(first) == "makes"
    second = clone()
    assert heard(second, error=True) == f"Waiting for another ./run to leave {shared} ..."
    tell(first, "go on")
    assert heard(first) == "ready True"
    assert heard(second) == "ready True"  # and did not make it
    tell(first, "end")
    assert first.wait() == 0
    assert in_use(make.prefix(shared))  # the second uses it still


def test_where_one_is_killed_the_other_goes_on(
    clone: Callable[..., "subprocess.Popen[str]"], shared: Path, make: Making
) -> None:
    first = clone()
    assert heard(first) == "makes"
    second = clone()
    assert "Waiting" in heard(second, error=True)
    first.send_signal(signal.SIGKILL)
    assert heard(second) == "makes"
    tell(second, "go on")
    assert heard(second) == "ready True"
    assert places.made(make.prefix(shared))


def test_an_installer_that_outlived_its_run_is_waited_for(
    clone: Callable[..., "subprocess.Popen[str]"], shared: Path, make: Making
) -> None:
    prefix = make.prefix(shared)
    prefix.mkdir(parents=True)
    with locks.held(beside.lock_of(prefix)):  # by the installer
        other = clone()
        assert "Making" not in (said := heard(other, error=True))
        assert said == f"Waiting for a process that still installs or uses {prefix} ..."
        prefix.rmdir()  # as Snakemake does with what is half-made
    assert heard(other) == "makes"
    tell(other, "go on")
    assert heard(other) == "ready True"


def test_one_that_makes_another_keeps_nobody_from_what_is_there(
    clone: Callable[..., "subprocess.Popen[str]"], renders: Path, shared: Path
) -> None:
    make_environment(places.prefixes(["b"], renders, shared)["b"])
    first = clone("a")
    assert heard(first) == "makes"
    second = clone("b")
    assert heard(second) == "ready True"


def tampered(prefix: Path) -> Path:
    (prefix / "lib" / "module.py").write_text("value = 2\n")
    return prefix


def test_what_was_tampered_with_is_made_anew_and_the_rest_kept(
    renders: Path, shared: Path, make: Making, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = tampered(make_environment(make.prefix(shared)))
    others = tampered(make_environment(shared / f"{'0' * 32}_"))  # of a clone at another lock
    with making.ready(None, ["a"], renders, make):
        assert make.calls == 1
        assert installed.check(prefix) == []
    first = capsys.readouterr().err.splitlines()[0]
    assert str(prefix / "lib" / "module.py") in first
    assert first.endswith("The environment is made again.")
    assert installed.check(others) != []


def test_without_its_record_an_environment_is_made_anew(
    renders: Path, shared: Path, make: Making, capsys: pytest.CaptureFixture[str]
) -> None:
    (make_environment(make.prefix(shared)) / installed.RECORD).unlink()
    with making.ready(None, ["a"], renders, make):
        assert make.calls == 1
    assert installed.RECORD in capsys.readouterr().err


def test_one_that_a_job_uses_is_not_dropped(renders: Path, shared: Path, make: Making) -> None:
    prefix = tampered(make_environment(make.prefix(shared)))
    with (
        locks.held(beside.lock_of(prefix), locks.TOGETHER),  # by the job
        pytest.raises(CouldNotRun, match=r"module\.py.*Another process uses that environment"),
        making.ready(None, ["a"], renders, make),
    ):
        pytest.fail("it is not ready")
    assert places.made(prefix)
    with making.ready(None, ["a"], renders, make) as status:
        assert (status, make.calls) == (0, 1)


@pytest.fixture
def read_only(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes the shared folder one that nobody may write to, not even root."""
    open_file = os.open

    def refuse(path: Any, flags: int, *mode: int, **more: Any) -> int:
        if flags & (os.O_RDWR | os.O_CREAT | os.O_WRONLY) and shared in Path(path).parents:
            raise PermissionError(13, "Permission denied", str(path))
        return open_file(path, flags, *mode, **more)

    return lambda: monkeypatch.setattr(os, "open", refuse)


def test_a_read_only_folder_is_used_as_it_is(
    renders: Path, shared: Path, make: Making, read_only: Callable[[], None]
) -> None:
    prefix = make_environment(make.prefix(shared))
    beside.lock_of(prefix).touch()
    before = sorted(shared.rglob("*"))
    read_only()
    with making.ready(None, ["a"], renders, make) as status:
        assert (status, make.calls) == (0, 0)
        assert os.environ[places.VARIABLE] == str(shared)
        handle = os.open(beside.lock_of(prefix), os.O_RDONLY)
        with pytest.raises(BlockingIOError):  # it is held, through a file that is only read
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)
    assert sorted(shared.rglob("*")) == before


@pytest.mark.parametrize("there", [False, True], ids=["lacking", "tampered with"])
def test_a_read_only_folder_that_will_not_do_is_left_alone(
    there: bool,
    renders: Path,
    shared: Path,
    make: Making,
    read_only: Callable[[], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    shared.mkdir(parents=True)
    if there:
        tampered(make_environment(make.prefix(shared)))
    before = sorted(shared.rglob("*"))
    read_only()
    with making.ready(None, ["a"], renders, make) as status:
        assert (status, make.calls) == (0, 1)
        assert places.made(make.prefix(places.OWN))
    assert sorted(shared.rglob("*")) == before
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith(f"{shared} cannot be written, and lacks an environment that is ")
    assert said[0].endswith(f"{places.OWN}.")


def test_the_users_own_folder_is_kept_and_never_replaced(
    renders: Path, shared: Path, make: Making, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "mine"))
    with making.ready(None, ["a"], renders, make):
        assert places.made(make.prefix(tmp_path / "mine"))
    with making.ready(str(tmp_path / "other"), ["a"], renders, make):
        assert places.made(make.prefix(tmp_path / "other"))
    (tmp_path / "no folder").touch()
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "no folder"))
    with making.ready(None, ["a"], renders, make) as status:
        assert (status, make.calls) == (0, 2)  # Snakemake says what is wrong with it
    assert not shared.exists()
    assert not places.OWN.exists()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"REPRO_CACHE": "/of mine"}, "/of mine"),
        ({"REPRO_CACHE": "inside"}, str(project.ROOT / "inside")),
        ({"XDG_CACHE_HOME": "/caches"}, "/caches/repro"),
        ({"XDG_CACHE_HOME": "no absolute path", "HOME": "/tmp"}, "/tmp/.cache/repro"),
        ({"HOME": "/tmp"}, "/tmp/.cache/repro"),
        ({"HOME": "/nowhere"}, str(project.TOOLS / "cache")),
    ],
)
def test_the_cache_is_the_users_and_can_be_moved(
    variables: dict[str, str], expected: str, tmp_path: Path
) -> None:
    code = f"import sys; sys.path[:0] = [{str(project.ROOT / 'bootstrap')!r}]; import project"
    done = subprocess.run(
        [sys.executable, "-Ic", f"{code}; print(project.CACHE)"],
        env={"HOME": str(tmp_path), **variables},
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout == f"{expected}\n"


def test_the_installer_holds_its_prefix_alone(tmp_path: Path, monkeypatch: Any) -> None:
    from conda import archives, install

    prefix, seen = tmp_path / "an environment", list[bool]()

    async def fetch(*_: object) -> list[Path]:
        seen.append(in_use(prefix))
        raise CouldNotRun("no network")

    monkeypatch.setattr(archives, "fetch", fetch)
    with pytest.raises(CouldNotRun, match="no network"):
        install.create([], prefix, tmp_path / "pkgs")
    assert (seen, in_use(prefix)) == ([True], False)


def test_the_users_conda_links_nothing_between_environments() -> None:
    assert tools.environment()["CONDA_ALWAYS_COPY"] == "true"


def test_a_lock_can_be_held_twice_together_but_not_alone(tmp_path: Path) -> None:
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(locks.held(tmp_path / "a.lock", locks.TOGETHER))
        assert in_use(tmp_path / "a")
    assert not in_use(tmp_path / "a")
