"""The shims within a process: what they reach, and that they leave no trace."""

import glob
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from repro.core.errors import UserError
from repro.core.factor_table import FACTORS
from repro.launch import variations
from repro.launch.command import NotVaried, StepCommand
from repro.launch.drawn_values import shift
from repro.launch.shims import applied


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "c", "d"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    return tmp_path


def listings(folder: Path) -> dict[str, list[str]]:
    """The names in a folder by every way that Python has."""
    descriptor = os.open(folder, os.O_RDONLY)
    with os.scandir(folder) as entries:
        scanned = [entry.name for entry in entries]
    found = {
        "listdir": os.listdir(folder),  # noqa: PTH208
        "bytes": [name.decode() for name in os.listdir(bytes(folder))],  # noqa: PTH208
        "descriptor": os.listdir(descriptor),  # noqa: PTH208
        "scandir": scanned,
        "next": [next(os.scandir(folder)).name],
        "glob": [Path(path).name for path in glob.glob(f"{folder}/*")],  # noqa: PTH207
        "pathlib": [path.name for path in folder.iterdir()],
        "pathlib glob": [path.name for path in folder.glob("*")],
        "walk": next(os.walk(folder))[1],
    }
    os.close(descriptor)
    return found


def test_every_way_to_list_a_folder_is_reversed(folder: Path) -> None:
    before = listings(folder)
    with applied(["listing order"], "repeat"):
        during = listings(folder)
    assert before.pop("next") != during.pop("next")
    assert during == {way: names[::-1] for way, names in before.items()}
    assert listings(folder) | {"next": []} == {**before, "next": []}


def test_a_listing_can_be_left_early_and_folders_be_removed(folder: Path) -> None:
    with applied(["listing order"], "repeat"):
        with os.scandir(folder) as entries:
            next(entries)
        assert list(entries) == []
        with pytest.raises(FileNotFoundError):
            os.scandir(folder / "none")
        fresh = importlib.util.find_spec("shutil")
        assert fresh is not None
        assert fresh.loader is not None
        module = importlib.util.module_from_spec(fresh)
        fresh.loader.exec_module(module)  # imported in here, it must find what it found outside
        assert module.rmtree.avoids_symlink_attacks == shutil.rmtree.avoids_symlink_attacks
        module.rmtree(folder / "a")
    assert not (folder / "a").exists()


def test_all_ways_to_ask_the_time_agree_on_another_day() -> None:
    now, zone = datetime.now, os.environ.get("TZ")  # taken before, as `from datetime import` does
    before, true = time.monotonic(), time.time()
    with applied(["clock"], "repeat"):
        found = [
            time.time(), time.time_ns() / 1e9, now(UTC).timestamp(), now().timestamp(),
            time.mktime(time.localtime()), time.clock_gettime(time.CLOCK_REALTIME),
            datetime.strptime(time.strftime("%c"), "%c").timestamp(),
            (uuid.uuid1().time - 0x01B21DD213814000) / 1e7,
        ]  # fmt: skip
        today = date.today()
        assert time.monotonic() - before < 1000
        assert os.environ.get("TZ") == zone
    passed = time.monotonic() - before
    ahead = shift("repeat").total_seconds()
    assert all(true + ahead - 1 <= at <= true + ahead + passed + 1 for at in found), found
    assert today.weekday() != date.today().weekday()
    assert (today.year, today.month) != (date.today().year, date.today().month)


def test_the_clock_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with applied(["clock"], "repeat"):
        first, start = time.time(), time.monotonic()
        while time.monotonic() == start:
            pass
        assert time.time() > first


@pytest.mark.parametrize("error", [None, KeyError])
def test_outside_all_is_as_before(error: type[Exception] | None) -> None:
    before = os.listdir, os.scandir, set(os.supports_fd), time.time, uuid.uuid1
    try:
        with applied(tuple(FACTORS), "repeat"):
            assert os.listdir is not before[0]
            if error is not None:
                raise error
    except KeyError:
        pass
    assert (os.listdir, os.scandir, set(os.supports_fd), time.time, uuid.uuid1) == before
    written = Path(__file__).parent.stat().st_atime_ns  # the system's own clock
    assert abs(time.time() - datetime.now().timestamp()) < 60
    assert time.time() < time.clock_gettime(time.CLOCK_REALTIME) + 60
    assert written < time.time_ns() + 86_400 * 10**9


def test_nothing_happens_without_a_name() -> None:
    before = os.listdir
    with applied(["home", "hash seed"], "repeat"):
        assert os.listdir is before
        assert date.today() - date.fromtimestamp(time.time()) <= timedelta(1)


def test_without_its_library_the_clock_is_not_varied(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing(name: str) -> None:
        assert name == "time_machine"

    monkeypatch.setattr(variations, "find_spec", missing)
    start = StepCommand("repeat", tmp_path, (), (), {}, tmp_path, tmp_path, tmp_path)
    with pytest.raises(NotVaried, match="time-machine is not installed"):
        variations.VARIATIONS["clock"](start)
    monkeypatch.setitem(sys.modules, "time_machine", None)
    with (
        pytest.raises(UserError, match="Switch the factor `clock` off"),
        applied(["clock"], "repeat"),
    ):
        pass


def test_a_forked_child_sees_the_shims_and_a_new_interpreter_does_not(folder: Path) -> None:
    with applied(["listing order", "clock"], "repeat"):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, str(date.today().year).encode())
            os._exit(0)
        os.waitpid(child, 0)
        code = "import datetime; print(datetime.date.today().year)"
        anew = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        here = date.today().year
    assert int(os.read(reading, 99)) == here
    assert int(anew.stdout) == date.today().year != here
