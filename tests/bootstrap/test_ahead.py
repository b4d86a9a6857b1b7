"""Wheels that are unpacked ahead: taken once by who makes the environment, and never trusted."""

import base64
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import fetch_ahead
import project
import pytest
import small_results
import tools
from local_channel import debian
from repro.record import installed
from small_environment import PLATFORM, Site
from wheels import ahead
from wheels.pip_command import Pip
from wheels.store import usable_store

pytestmark = pytest.mark.slow

FILLS = """\
import os, sys
sys.path[1:1] = sys.argv[1:]
from wheels import ahead
with ahead.filling(ahead.WHEELS, os.environ["TEXT"]) as place:
    (place / "cache").mkdir()
    (place / "cache" / "half").write_text("half a wheel")
    print("filling", flush=True)
    sys.stdin.read()
"""
BEGINS = """\
import os, sys
from pathlib import Path
sys.path[1:1] = sys.argv[2:]
from wheels import ahead
ahead.begin(Path(sys.argv[1]))
print(os.environ[ahead.VARIABLE], flush=True)
os.execv("/bin/cat", ["cat"])
"""


@pytest.fixture
def begun(site: Site, kept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a ./run that is about to make the environment of a site; wheels are kept."""
    for name, value in site.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REPRO_CACHE", str(kept))  # `./run test` has set another one
    pip = Pip(lambda: [str(site.prefix / "bin" / "python"), "-IB", "-m", "pip"], "3.11")
    monkeypatch.setattr(project, "ENVS", site.script.parent)
    monkeypatch.setattr(project, "CACHE", kept)
    monkeypatch.setattr(tools, "UNPACKED", kept / "unpacked")
    monkeypatch.setattr(tools, "pip", lambda: pip)
    monkeypatch.setattr(tools, "CHANNEL", small_results.write(kept / "channel-wheels.txt", ""))
    monkeypatch.setenv(ahead.VARIABLE, "")
    ahead.begin(tools.UNPACKED)
    return Path(os.environ[ahead.VARIABLE])


@pytest.fixture
def filled(begun: Path) -> Path:
    fetch_ahead.fetch_wheels()
    assert (begun / "wheels" / "ready").is_file()
    return begun


def unpacked(place: Path, name: str) -> Path:
    """A file of the wheels as it was unpacked."""
    (file,) = place.glob(f"wheels/work/cache/archive-*/*/{name}")
    return file


def in_place(site: Site, name: str) -> Path:
    (file,) = site.prefix.glob(f"lib/python3*/site-packages/{name}")
    return file


def test_what_was_unpacked_becomes_the_environment_and_nothing_else_has_it(
    site: Site, begun: Path, uv: Path
) -> None:
    """Also where nothing is kept yet, so that pip fetches."""
    shutil.rmtree(project.CACHE / "wheels")
    (site.wheels / uv.name).symlink_to(uv)
    fetch_ahead.fetch_wheels()
    inode = unpacked(begun, "tiny.py").stat().st_ino
    done = site.deploy(REPRO_AHEAD=str(begun))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert in_place(site, "tiny.py").stat().st_ino == inode
    files = [path for path in site.prefix.rglob("*") if path.is_file()]
    assert [path for path in files if path.lstat().st_nlink > 1] == []
    assert installed.check(site.prefix) == []
    assert not (begun / "wheels" / "work").exists()
    assert {path.name for path in site.prefix.parent.glob("env.*")} == {"env.lock"}
    ahead.drop()
    assert list(tools.UNPACKED.iterdir()) == []
    assert ahead.VARIABLE not in os.environ


def test_it_is_used_once(site: Site, filled: Path) -> None:
    assert site.deploy(REPRO_AHEAD=str(filled)).returncode == 0
    (site.prefix / installed.RECORD).unlink()
    assert site.deploy(REPRO_AHEAD=str(filled)).returncode == 0
    assert installed.check(site.prefix) == []


def alter(place: Path) -> str:
    """Change a file, and what is written of it beside it."""
    file = unpacked(place, "tiny.py")
    file.write_text("VERSION = '6.6'\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest())
    record = file.with_name("tiny-1.0.dist-info") / "RECORD"
    lines = record.read_text().splitlines()
    other = f"tiny.py,sha256={digest.decode().rstrip('=')},16"
    record.write_text("\n".join([other, *lines[1:], ""]))
    return "site-packages/tiny.py as in the wheel of tiny, sha256:"


def add(place: Path) -> str:
    unpacked(place, "tiny.py").with_name("stray.pth").write_text("import os")
    return "site-packages/stray.pth. Received what no wheel of the lock has."


def add_package(place: Path) -> str:
    folder = unpacked(place, "tiny.py").with_name("stray")
    folder.mkdir()
    (folder / "stray.py").touch()
    return "site-packages/stray/stray.py. Received what no wheel of the lock has."


def lose(place: Path) -> str:
    unpacked(place, "tiny.py").unlink()
    return "site-packages/tiny.py as in the wheel of tiny, sha256:"


@pytest.mark.parametrize("damage", [alter, add, add_package, lose])
def test_what_is_not_as_in_the_wheels_is_refused(
    site: Site, filled: Path, damage: Callable[[Path], str]
) -> None:
    sentence = damage(filled)
    done = site.deploy(REPRO_AHEAD=str(filled))
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Expected the wheels of the lock, whole." in done.stderr
    assert installed.check(site.prefix) != [], "no job may start in it"
    assert not (filled / "wheels" / "work").exists(), "the next try does not find it"


def test_the_wheels_of_the_channel_are_fetched_too(begun: Path) -> None:
    text = project.ENVS / f"keras.{PLATFORM}.wheels.txt"
    tools.CHANNEL.write_text(f"# another list\n{text.read_text()}")
    fetch_ahead.fetch_wheels()
    nothing = Pip(lambda: pytest.fail("pip is started"), "3.11")
    store = usable_store(tools.KEPT)
    wheels = store.fetched(tools.CHANNEL.read_text(), nothing, "wheels of the channel")
    assert "tiny" in {wheel.name.partition("-")[0] for wheel in wheels}


def test_a_wheel_that_was_damaged_is_not_unpacked_but_fetched_again(
    site: Site, begun: Path
) -> None:
    fetch_ahead.fetch_wheels()
    (wheel,) = project.CACHE.glob("wheels/*/tiny-*.whl")
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[:10] + bytes([whole[10] ^ 1]) + whole[11:])  # a date; it still unpacks
    shutil.rmtree(begun / "wheels" / "work")
    (begun / "wheels" / "ready").unlink()
    fetch_ahead.fetch_wheels()
    assert not (begun / "wheels" / "ready").exists()
    assert wheel.read_bytes() != whole
    assert site.deploy(REPRO_AHEAD=str(begun)).returncode == 0
    assert wheel.read_bytes() == whole
    assert installed.check(site.prefix) == []


def test_of_a_folder_that_others_may_enter_nothing_is_taken(site: Site, filled: Path) -> None:
    alter(filled)
    filled.chmod(0o711)
    assert site.deploy(REPRO_AHEAD=str(filled)).returncode == 0
    assert installed.check(site.prefix) == []


def test_what_is_for_another_environment_stays(site: Site, filled: Path) -> None:
    (filled / "wheels" / "wanted.txt").write_text("other==1.0\n")
    assert site.deploy(REPRO_AHEAD=str(filled)).returncode == 0
    assert (filled / "wheels" / "ready").is_file()


@pytest.fixture
def filling(site: Site, begun: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that is in the middle of it until its input ends."""
    text = (site.script.parent / f"keras.{PLATFORM}.wheels.txt").read_text()
    with subprocess.Popen(
        [sys.executable, "-c", FILLS, *sys.path], env={**os.environ, "TEXT": text},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdout.readline() == "filling\n"
        yield process
        process.kill()


def test_killed_in_the_middle_it_is_in_nobodys_way(
    site: Site, begun: Path, filling: "subprocess.Popen[str]"
) -> None:
    filling.send_signal(signal.SIGKILL)
    filling.wait()
    assert (begun / "wheels" / "work" / "cache" / "half").is_file()
    assert site.deploy(REPRO_AHEAD=str(begun)).returncode == 0
    assert installed.check(site.prefix) == []
    assert not (begun / "wheels" / "work").exists(), "there may be no room for two"


def test_who_makes_the_environment_waits_for_it(
    site: Site, begun: Path, filling: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    os.mkfifo(notes)
    more = {"REPRO_AHEAD": str(begun), "REPRO_PROGRESS": str(notes)}
    running = subprocess.Popen(["sh", str(site.script)], env=site.environment(**more))
    held = os.open(notes, os.O_RDWR)  # else it would end with the first note
    with os.fdopen(held) as lines:
        said = (json.loads(line).get("what") for line in lines)
        assert "unpacking wheels of keras" in said
        assert running.poll() is None
        assert filling.stdin
        filling.stdin.close()
        assert running.wait(120) == 0
    assert installed.check(site.prefix) == []


def test_a_disk_that_fills_up_leaves_nothing_in_the_way(
    site: Site, begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by uv, by the system's limit on the size of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    started: list[str] = []

    def unpack(*arguments: object) -> None:
        started.append("uv")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
        try:
            real(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    real: Callable[..., None] = fetch_ahead.unpack
    monkeypatch.setattr(fetch_ahead, "unpack", unpack)
    fetch_ahead.fetch_wheels()
    assert started == ["uv"]
    assert not (begun / "wheels" / "ready").exists()
    assert not (begun / "wheels" / "work").exists()
    assert site.deploy(REPRO_AHEAD=str(begun)).returncode == 0
    assert installed.check(site.prefix) == []


def test_what_a_killed_run_left_is_removed_and_what_another_one_holds_is_not(
    site: Site, begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held also by what took the place of the process that began it."""
    monkeypatch.setattr(debian, "unsuited", lambda: "another system")
    code = [sys.executable, "-c", BEGINS, str(tools.UNPACKED), *sys.path]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(code, **pipes) as other:  # type: ignore[call-overload]
        line: str = other.stdout.readline()
        place = Path(line.strip())
        (place / "ready").touch()
        assert place != begun
        assert place.stat().st_mode & 0o777 == 0o700
        assert list(ahead.left(tools.UNPACKED)) == []
        other.kill()
        other.wait()
        assert list(ahead.left(tools.UNPACKED)) == [place]
    fetch_ahead.fetch()
    assert list(tools.UNPACKED.iterdir()) == [begun]


FETCHES = """\
import sys
sys.path[:0] = sys.argv[2:]
import fetch_ahead, project
from conda import reach
from local_channel import debian
from pathlib import Path
project.ENVS = Path(sys.argv[1])
reach.answers = lambda url, _: "answers.it" in url
debian.unsuited = lambda: None
debian.fetch_packages = lambda folder: (folder / "a.deb").touch()
fetch_ahead.fetch_debian()
"""


@pytest.mark.parametrize(("host", "fetched"), [("answers.it", []), ("answers.not", ["a.deb"])])
def test_packages_of_debian_are_fetched_where_no_channel_answers(
    begun: Path, tmp_path: Path, host: str, fetched: list[str]
) -> None:
    """By a Python that has no packages: the tools are not made yet."""
    pin = f"@EXPLICIT\nhttps://{host}/noarch/a-1-0.conda#{64 * '0'}\n"
    envs = small_results.write(tmp_path / "envs" / f"keras.{PLATFORM}.pin.txt", pin).parent
    ours = [str(project.BOOTSTRAP), str(project.ROOT / "workflow" / "lib")]
    subprocess.run([sys.executable, "-ISc", FETCHES, str(envs), *ours], check=True)
    with ahead.scratch(ahead.DEBIAN, str(debian.PACKAGES), tmp_path / "empty", "") as folder:
        assert [file.name for file in folder.iterdir()] == fetched


def test_packages_of_debian_are_not_fetched_where_a_local_channel_is_built(
    begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_results.write(project.CACHE / "channels" / "0.made", "0")
    monkeypatch.setattr(debian, "unsuited", lambda: None)
    monkeypatch.setattr(debian, "fetch_packages", lambda folder: pytest.fail("they are fetched"))
    fetch_ahead.fetch_debian()
    assert not (begun / ahead.DEBIAN).exists()
