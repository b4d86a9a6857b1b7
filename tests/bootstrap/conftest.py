"""Fixtures of the host's side: a channel in a folder, a server on loopback, a small project."""

import shutil
import signal
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import project
import pytest
import small_channel
import small_environment
import tools
from small_archive import archived, furnish
from small_channel import Channel, Server
from small_environment import Made, Site
from small_results import Project
from wheels.store import usable_store, uv_wheel

# What a shell starts in the background ignores Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def channel(tmp_path: Path) -> Channel:
    """An empty channel."""
    folder = tmp_path / "a channel"
    for subdir in (project.subdir(), "noarch"):
        (folder / subdir).mkdir(parents=True)
    return Channel(folder)


@pytest.fixture
def serve() -> Iterator[Callable[[Path], Server]]:
    """Serve folders until the test ends."""
    running: list[tuple[ThreadingHTTPServer, Server]] = []

    def start(folder: Path) -> Server:
        running.append(small_channel.start(folder))
        return running[-1][1]

    yield start
    for server, watched in running:
        watched.released.set()
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def small_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small project with results, for tests that change nothing in it."""
    return Project(tmp_path_factory.mktemp("small") / "a project")


@pytest.fixture
def small(small_once: Project, tmp_path: Path) -> Project:
    """A copy of it, to be changed."""
    shutil.copytree(small_once.folder, tmp_path / "a project")
    return Project(tmp_path / "a project")


@pytest.fixture
def furnished(small: Project) -> Project:
    """A small project with all that an archive of it needs."""
    return furnish(small)


@pytest.fixture(scope="session")
def sound(small_once: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that is in order, to be forged; nobody changes it."""
    folder = tmp_path_factory.mktemp("sound")
    shutil.copytree(small_once.folder, folder / "a project")
    return archived(furnish(Project(folder / "a project")), folder / "tiny.crate.zip")


@pytest.fixture(scope="session")
def uv() -> Path:
    """The wheel of uv, as `./run` keeps it or fetches it."""
    store = usable_store(tools.KEPT)
    found = uv_wheel(store, tools.UV.read_text("utf-8"), tools.pip())
    assert found is not None
    return found


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with pip, of which environments are copies."""
    return small_environment.new_base(tmp_path_factory.mktemp("base") / "env")


@pytest.fixture
def site(base: Path, tmp_path: Path) -> Site:
    """A small environment that is to be finished, in a folder with a space in its name."""
    return small_environment.new_site(base, tmp_path / "a folder")


@pytest.fixture(scope="session")
def made_by_uv(
    base: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Made:
    """One that is finished, by uv; nobody changes it."""
    return small_environment.make("uv", base, tmp_path_factory.mktemp("uv") / "a folder", request)


@pytest.fixture
def kept(site: Site, made_by_uv: Made) -> Path:
    """Have all wheels and uv in the cache of a site's user, so that pip is not started."""
    return shutil.copytree(made_by_uv.site.cache, site.cache)
