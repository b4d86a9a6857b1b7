"""The choice of a channel: locked where it answers, else local, else a sentence."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import project
import pytest
import small_results
import tools
import yaml
from conda import reach
from display import progress
from display.notes import Notes
from environments import channel as choice
from local_channel import build, debian, renders
from repro.core.errors import UserError
from small_channel import Channel, Server, flip
from wheels import ahead

Serve = Callable[[Path], Server]


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the choice work in a folder of its own, and note when it would build."""
    calls: list[str] = []
    monkeypatch.setattr(choice, "REMEMBERED", tmp_path / "tools" / "channel")
    monkeypatch.setattr(project, "ENVS", tmp_path / "envs")
    monkeypatch.setattr(renders, "ensure", lambda: calls.append("local"))
    monkeypatch.setattr(debian, "unsuited", lambda: None)
    (tmp_path / "envs").mkdir()
    return calls


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a socket that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def refusing() -> str:
    """An address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def pin(tmp_path: Path, channel: Channel, base: str) -> None:
    line = channel.pin(channel.add("a"), base)
    (tmp_path / f"envs/keras.{project.subdir()}.pin.txt").write_text(f"@EXPLICIT\n{line}\n")


def test_a_channel_that_answers_is_used_and_remembered(
    tmp_path: Path, built: list[str], channel: Channel, serve: Serve
) -> None:
    pin(tmp_path, channel, serve(channel.folder).url)
    assert choice.ensure(None, anew=False) == "locked"
    assert choice.remembered() == "locked"
    assert built == []


def test_a_channel_that_refuses_is_replaced_with_one_sentence(
    tmp_path: Path,
    built: list[str],
    channel: Channel,
    refusing: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pin(tmp_path, channel, refusing)
    assert choice.ensure(None, anew=False) == "local"
    assert choice.remembered() == "local"
    assert built == ["local"]
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{refusing} does not answer within 5 seconds" in said


def test_a_channel_without_the_package_is_no_channel(
    tmp_path: Path, built: list[str], channel: Channel, serve: Serve
) -> None:
    pin(tmp_path, channel, serve(channel.folder).url)
    next(channel.folder.rglob("*.conda")).unlink()
    assert choice.ensure(None, anew=False) == "local"
    assert built == ["local"]


def test_a_channel_that_hangs_is_given_up(
    tmp_path: Path,
    built: list[str],
    channel: Channel,
    silent: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reach, "PATIENCE", 0.3)
    pin(tmp_path, channel, silent)
    assert choice.ensure(None, anew=False) == "local"
    assert built == ["local"]


def test_what_is_remembered_is_not_asked_again_but_by_setup(
    tmp_path: Path, built: list[str], channel: Channel, serve: Serve
) -> None:
    pin(tmp_path, channel, serve(channel.folder).url)
    project.write(choice.REMEMBERED, "local")
    assert choice.ensure(None, anew=False) == "local"
    assert built == ["local"]
    assert choice.ensure(None, anew=True) == "locked"
    assert choice.remembered() == "locked"


def test_what_is_forced_is_remembered_by_setup_alone(built: list[str]) -> None:
    assert choice.ensure("local", anew=False) == "local"
    assert choice.remembered() is None
    assert choice.ensure("locked", anew=True) == "locked"
    assert choice.remembered() == "locked"
    assert built == ["local"]


@pytest.mark.usefixtures("built")
def test_another_word_is_refused() -> None:
    with pytest.raises(UserError, match="Expected `channel` to be locked or local"):
        choice.ensure("conda", anew=False)
    assert choice.remembered() is None


def test_neither_channel_nor_debian_gives_one_sentence(
    tmp_path: Path,
    built: list[str],
    channel: Channel,
    refusing: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(debian, "unsuited", lambda: "Fedora Linux 43")
    pin(tmp_path, channel, refusing)
    expected = "to answer, or a Debian 12 to build Python from.*Fedora Linux 43"
    with pytest.raises(UserError, match=expected):
        choice.ensure(None, anew=False)
    assert choice.remembered() is None
    assert built == []


@pytest.mark.usefixtures("built")
def test_a_platform_without_pins_gives_a_sentence() -> None:
    with pytest.raises(UserError, match="Expected a pin file"):
        choice.ensure(None, anew=False)


def test_the_local_channels_wheels_are_the_versions_of_the_lock() -> None:
    lines = tools.CHANNEL.read_text().splitlines()
    wheels = dict(line.split()[0].split("==") for line in lines if "==" in line)
    lock = yaml.safe_load((project.ROOT / "conda-lock.yml").read_text())
    locked = {(p["name"], p["version"]) for p in lock["package"] if p["manager"] == "conda"}
    assert set(wheels) == {"packaging", "pip", "setuptools", "wheel"}
    assert set(wheels.items()) <= locked


@dataclass
class Clones:
    """Two clones and one cache, whose packages are but words, and how often they were built."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    built: int = 0

    def enter(self, name: str) -> Path:
        """Work in that clone; returns the folder of its renders."""
        self.monkeypatch.setattr(project, "TOOLS", self.folder / name / ".tools")
        self.monkeypatch.setattr(renders, "LOCAL", self.folder / name / ".tools" / "local")
        self.monkeypatch.setattr(build, "ARCHIVED", self.folder / name / "packages" / "conda")
        return renders.LOCAL / "envs"

    def move(self, name: str) -> Path:
        """Use another cache."""
        self.monkeypatch.setattr(build, "CHANNELS", self.folder / name / "channels")
        return build.CHANNELS

    def python(self, channel: Path, scratch: Path) -> Path:
        """What stands for Debian's Python."""
        self.built += 1
        scratch.mkdir()
        file = channel / project.subdir() / "python-3.11.2-debian.conda"
        file.parent.mkdir()
        file.write_text("Debian's Python")
        return file


@pytest.fixture
def clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clones:
    """Two clones."""
    made = Clones(tmp_path, monkeypatch)
    monkeypatch.setattr(debian, "unsuited", lambda: None)
    monkeypatch.setattr(debian, "write_python", made.python)
    monkeypatch.setattr(build, "_wheels", lambda: [])

    async def index(channel: Path) -> None:
        (channel / "noarch" / "repodata.json").write_text(f"written for the time {made.built}")

    monkeypatch.setattr(build, "_index", index)
    made.move("a cache")
    return made


def pins(envs: Path) -> str:
    return (envs / f"keras.{project.subdir()}.pin.txt").read_text()


def test_a_second_clone_builds_nothing_and_has_the_same_pins(clones: Clones) -> None:
    first = clones.enter("a clone")
    renders.ensure()
    envs = clones.enter("another clone")
    renders.ensure()
    assert clones.built == 1
    assert pins(first) == pins(envs)
    (package,) = build.CHANNELS.glob("*/*/python-*.conda")
    assert package.as_uri() in pins(envs)


def test_what_was_built_again_from_other_code_to_the_same_bytes_has_the_same_pins(
    clones: Clones, monkeypatch: pytest.MonkeyPatch
) -> None:
    envs = clones.enter("a clone")
    renders.ensure()
    before = pins(envs)
    monkeypatch.setattr(build, "key", lambda: "of a bootstrap/ that was edited")
    renders.ensure()
    assert clones.built == 2
    assert pins(envs) == before


def test_a_damaged_package_is_built_again(clones: Clones) -> None:
    envs = clones.enter("a clone")
    renders.ensure()
    before = pins(envs)
    (package,) = build.CHANNELS.glob("*/*/python-*.conda")
    package.write_text("rotten")
    renders.ensure()
    assert (clones.built, package.read_text(), pins(envs)) == (2, "Debian's Python", before)


def test_a_moved_cache_is_another_place(clones: Clones) -> None:
    envs = clones.enter("a clone")
    renders.ensure()
    moved = clones.move("moved")
    (clones.folder / "a cache").rename(clones.folder / "moved")
    renders.ensure()
    assert clones.built == 1
    assert moved.as_uri() in pins(envs)


def test_the_packages_of_an_archive_stay_its_own(clones: Clones) -> None:
    envs = clones.enter("an archive")
    name = f"{project.subdir()}/python-3.11.2-debian.conda"
    small_results.write(build.ARCHIVED / name, "the archive's Python")
    renders.ensure()
    assert clones.built == 0
    clones.enter("a clone")
    renders.ensure()
    assert clones.built == 1
    assert pins(renders.LOCAL / "envs") != pins(envs)
    (package,) = (f for f in build.CHANNELS.glob(f"*/{name}") if "archive" in f.read_text())
    assert package.as_uri() in pins(envs)


def test_where_the_cache_cannot_be_written_the_clone_has_its_own(clones: Clones) -> None:
    envs = clones.enter("a clone")
    (clones.folder / "a cache").write_text("no folder")
    renders.ensure()
    assert (project.TOOLS / "channels").as_uri() in pins(envs)
    clones.enter("another clone")
    renders.ensure()
    assert clones.built == 2


def fetched_ahead(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Debian's packages there, so that nothing fetches them."""
    monkeypatch.setenv(ahead.VARIABLE, "")
    ahead.begin(folder)
    with ahead.filling(ahead.DEBIAN, str(debian.PACKAGES)) as place:
        debian.fetch_packages(place)
    monkeypatch.setattr(debian, "fetch_packages", lambda folder: pytest.fail("they are there"))


@pytest.mark.slow
@pytest.mark.skipif(debian.unsuited() is not None, reason="there is no Debian 12 here")
def test_the_local_channel_is_the_same_again_and_heals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once of packages that were fetched ahead."""
    monkeypatch.setattr(renders, "LOCAL", tmp_path / "local channel")
    monkeypatch.setattr(build, "CHANNELS", tmp_path / "the channels")
    monkeypatch.setenv(progress.FILE, str(tmp_path / "notes"))
    renders.ensure()
    notes = Notes(tmp_path / "notes")
    noted = [(note.what, note.done) for note in notes.new()]
    assert [done for what, done in noted if what == "local channel"] == [0, 1, 2, 3]
    assert [done for what, done in noted if what == "Debian's Python"] == [0, 1, 2, 3, 4]
    assert notes.unfinished() is None
    made = renders.LOCAL / "made.json"
    first: dict[str, str] = json.loads(made.read_text())["files"]
    packages = [name for name in first if name.endswith(".conda")]
    assert len(packages) == 5
    assert f"envs/keras.{project.subdir()}.pin.txt" in first
    written = made.stat().st_mtime_ns
    renders.ensure()
    assert made.stat().st_mtime_ns == written  # sound: not made again
    flip(Path(packages[0]))
    fetched_ahead(tmp_path / "ahead", monkeypatch)
    renders.ensure()
    assert made.stat().st_mtime_ns != written
    assert json.loads(made.read_text())["files"] == first
