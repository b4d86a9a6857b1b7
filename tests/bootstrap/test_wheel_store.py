"""Wheels are fetched once, as the user set pip up, and none is used unless it has its digest."""

import base64
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cache
import pytest
from small_channel import Server, flip, make_wheel
from wheels.pip_command import Pip, Refused
from wheels.store import Store, usable_store, uv_wheel


def pip() -> Pip:
    return Pip(lambda: [sys.executable, "-Es", "-m", "pip"], "3.11")


def nothing() -> Pip:
    """A pip that cannot be started."""
    return Pip(lambda: pytest.fail("pip was started"), "3.11")


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel in the folder that pip is configured with, and nothing else of pip's."""
    folder = tmp_path / "offered"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    return make_wheel(folder)


@pytest.fixture
def by_folder(offered: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", offered.parent.as_uri())
    return offered


def wanted(wheel: Path) -> str:
    return f"some-thing==2.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "a cache" / "wheels")


def test_fetched_once(by_folder: Path, store: Store) -> None:
    text = wanted(by_folder)
    (found,) = store.fetched(text, pip(), "wheels")
    assert found.read_bytes() == by_folder.read_bytes()
    assert store.fetched(text, nothing(), "wheels") == [found]
    assert store.find(found.parent.name) == found


def test_a_kept_one_serves_another_list_too(by_folder: Path, store: Store) -> None:
    """As that of another environment with the same wheel: its folder is asked before the index."""
    text = wanted(by_folder)
    store.fetched(text, pip(), "wheels")
    by_folder.unlink()
    (found,) = store.fetched(f"# another\n{text}", pip(), "wheels")
    assert found.is_file()


def test_a_damaged_one_is_fetched_again(by_folder: Path, store: Store) -> None:
    text = wanted(by_folder)
    (found,) = store.fetched(text, pip(), "wheels")
    flip(found)
    assert store.fetched(text, pip(), "wheels") == [found]
    assert found.read_bytes() == by_folder.read_bytes()


@pytest.mark.slow
def test_a_damaged_list_is_made_again(by_folder: Path, store: Store) -> None:
    (found,) = store.fetched(wanted(by_folder), pip(), "wheels")
    (index,) = store.folder.glob("*.json")
    for text in ("{", "{}", "[]", "7", '{"name": 7}', "\xff"):
        index.write_text(text, encoding="latin-1")
        assert store.fetched(wanted(by_folder), pip(), "wheels") == [found], text


@pytest.mark.slow
def test_a_list_reaches_no_file_outside_of_the_store(by_folder: Path, store: Store) -> None:
    (found,) = store.fetched(wanted(by_folder), pip(), "wheels")
    mine = store.folder.parent / "thesis.tex"
    mine.write_text("all my work")
    (index,) = store.folder.glob("*.json")
    index.write_text(json.dumps({found.parent.name: str(mine)}))
    assert store.fetched(wanted(by_folder), pip(), "wheels") == [found]
    assert mine.read_text() == "all my work"


@pytest.mark.slow
def test_a_list_that_names_another_file_is_made_again(by_folder: Path, store: Store) -> None:
    """Though the file is what it is called by: it is not what was asked for."""
    text = wanted(by_folder)
    (found,) = store.fetched(text, pip(), "wheels")
    other = store.folder / hashlib.sha256(b"other").hexdigest() / found.name
    other.parent.mkdir()
    other.write_bytes(b"other")
    (index,) = store.folder.glob("*.json")
    index.write_text(json.dumps({other.parent.name: other.name}))
    assert store.fetched(text, pip(), "wheels") == [found]


def test_other_bytes_are_refused_and_nothing_is_kept(
    by_folder: Path, store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    text = wanted(by_folder)
    flip(by_folder)
    with pytest.raises(Refused):
        store.fetched(text, pip(), "wheels")
    assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err
    assert [path.suffix for path in store.folder.iterdir()] == [".lock"]


def test_nobody_hears_of_what_can_be_done_without(
    by_folder: Path, store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    by_folder.unlink()
    assert uv_wheel(store, f"uv==1.0 --hash=sha256:{'0' * 64}\n", pip()) is None
    assert capfd.readouterr() == ("", "")


def test_who_comes_second_waits_and_fetches_nothing(by_folder: Path, store: Store) -> None:
    text = wanted(by_folder)
    (found,) = store.fetched(text, pip(), "wheels")
    (lock,) = store.folder.glob("*.lock")
    got: list[list[Path]] = []
    second = threading.Thread(target=lambda: got.append(store.fetched(text, nothing(), "wheels")))
    with lock.open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        second.start()
        second.join(0.2)
        assert got == []
    second.join(30)
    assert got == [[found]]


def test_a_folder_that_cannot_be_written_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()  # root may write anywhere but below a file
    monkeypatch.setenv("REPRO_CACHE", str(tmp_path / "file" / "cache"))
    assert usable_store(tmp_path / "own").folder == tmp_path / "own"
    monkeypatch.setenv("REPRO_CACHE", str(tmp_path / "cache"))
    assert usable_store(tmp_path / "own").folder == tmp_path / "cache" / "wheels"


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"REPRO_CACHE": "/far/away"}, Path("/far/away")),
        ({"XDG_CACHE_HOME": "/scratch/me"}, Path("/scratch/me/repro")),
        ({"XDG_CACHE_HOME": "not/absolute"}, Path("~/.cache/repro")),
        ({"REPRO_CACHE": "", "XDG_CACHE_HOME": ""}, Path("~/.cache/repro")),
        ({"HOME": "/nowhere"}, None),
    ],
)
def test_the_cache_is_where_the_user_keeps_caches(
    environment: dict[str, str], folder: Path | None, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name in ("REPRO_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": str(tmp_path), **environment}.items():
        monkeypatch.setenv(name, value)
    assert cache.folder() == (folder and folder.expanduser())


class Index(SimpleHTTPRequestHandler):
    """An index that asks for a password, and a proxy: both know by whom they were asked."""

    def __init__(self, *arguments: Any, asked: list[str], password: str, **options: Any) -> None:
        self.asked, self.password = asked, password
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        if self.path.startswith("http://"):  # as a proxy is asked
            self.path = "/" + self.path.split("/", 3)[3]
            self.asked.append("as a proxy")
        given = self.headers.get("Authorization", "")
        right = "Basic " + base64.b64encode(self.password.encode()).decode()
        if self.password and given != right:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@contextmanager
def served(folder: Path, password: str = "") -> Iterator[tuple[int, list[str]]]:
    """An index on loopback; gives its port, and what was asked for with the right password."""
    asked: list[str] = []
    handler = partial(Index, asked=asked, password=password, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port, asked
        server.shutdown()


def index(folder: Path, wheel: Path) -> Path:
    """Lay an index of one project out: that of the wheel."""
    place = folder / "simple" / "some-thing"
    place.mkdir(parents=True)
    (place / wheel.name).write_bytes(wheel.read_bytes())
    (place / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    return folder


@pytest.mark.slow
def test_an_index_with_credentials(
    offered: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(index(tmp_path / "index", offered), "me:secret") as (port, asked):
        monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret@127.0.0.1:{port}/simple")
        assert len(store.fetched(wanted(offered), pip(), "wheels")) == 1
    assert asked[0] == "/simple/some-thing/"
    kept = "".join(p.read_text() for p in store.folder.glob("*.json"))
    assert "secret" not in kept


@pytest.mark.slow
def test_the_index_that_has_the_right_bytes_is_found_behind_one_that_has_not(
    offered: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = index(tmp_path / "first", offered)
    flip(first / "simple" / "some-thing" / offered.name)
    second = index(tmp_path / "second", offered)
    digest = hashlib.sha256(offered.read_bytes()).hexdigest()
    page = f'<a href="{offered.name}#sha256={digest}">{offered.name}</a>'
    (second / "simple/some-thing/index.html").write_text(page)
    with served(first) as (port, _), served(second) as (other, asked):
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"http://127.0.0.1:{other}/simple")
        (found,) = store.fetched(wanted(offered), pip(), "wheels")
    assert found.parent.name == digest
    assert any(path.endswith(".whl") for path in asked)


@pytest.mark.slow
def test_what_is_set_for_pip_install_counts_for_fetching(
    offered: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which pip itself reads for `pip install` alone, and `pip download` does the fetching."""
    with served(index(tmp_path / "index", offered)) as (port, asked):
        settings = tmp_path / "pip.conf"
        settings.write_text(
            f"[global]\nindex-url = http://127.0.0.1:9/simple\n"
            f"[install]\nindex-url = http://127.0.0.1:{port}/simple\nuser = true\n"
        )
        monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
        assert len(store.fetched(wanted(offered), pip(), "wheels")) == 1
    assert asked[0] == "/simple/some-thing/"


@pytest.mark.slow
def test_a_proxy(
    offered: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with served(index(tmp_path / "index", offered)) as (port, asked):
        monkeypatch.setenv("PIP_INDEX_URL", "http://index.example/simple")
        monkeypatch.setenv("PIP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("PIP_TRUSTED_HOST", "index.example")
        assert len(store.fetched(wanted(offered), pip(), "wheels")) == 1
    assert asked.count("as a proxy") == 2


@pytest.mark.slow
def test_what_a_killed_one_left_is_in_nobodys_way(
    offered: Path, store: Store, serve: Callable[[Path], Server], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Killed by force while the index keeps it waiting for the wheel."""
    server = serve(index(tmp_path / "index", offered))
    server.held.add(offered.name)
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    code = (
        "import sys; sys.path[1:1] = sys.argv[3:]\n"
        "from pathlib import Path\n"
        "from wheels.pip_command import Pip\n"
        "from wheels.store import Store\n"
        "pip = Pip(lambda: [sys.executable, '-Es', '-m', 'pip'], '3.11')\n"
        "Store(Path(sys.argv[1])).fetched(sys.argv[2], pip, 'wheels')\n"
    )
    arguments = [str(store.folder), wanted(offered), *sys.path]
    running = subprocess.Popen([sys.executable, "-c", code, *arguments], start_new_session=True)
    assert server.reached.wait(60)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    server.held.clear()
    (found,) = store.fetched(wanted(offered), pip(), "wheels")
    assert found.read_bytes() == offered.read_bytes()
