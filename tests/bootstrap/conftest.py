"""Fixtures of the host's side: a channel in a folder, and a server on loopback."""

from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import project
import pytest
import small_channel
from small_channel import Channel, Server


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
