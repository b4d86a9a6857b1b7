"""A small conda channel of made-up packages, made-up wheels, and a server for them on loopback."""

import base64
import hashlib
import threading
import zipfile
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import project
from local_channel import package

PLACEHOLDER = "/opt/placeholder_" + "p" * 40


@dataclass(frozen=True)
class Channel:
    """A channel in a folder whose name has a space."""

    folder: Path

    def add(self, name: str, *, subdir: str | None = None, depends: tuple[str, ...] = ()) -> Path:
        """Add a package with one command that prints its name and its prefix."""
        tree = self.folder.parent / "trees" / name
        (tree / "bin").mkdir(parents=True)
        command = tree / "bin" / f"say-{name}"
        command.write_text(f"#!/bin/sh\necho {name} in {PLACEHOLDER}\n")
        command.chmod(0o755)
        index = {
            "name": name,
            "version": "1.0",
            "build": "0",
            "subdir": subdir or project.subdir(),
            "depends": list(depends),
        }
        placeholders = {f"bin/say-{name}": PLACEHOLDER}
        return package.write(tree, index, self.folder, placeholders=placeholders)

    def pin(self, file: Path, base: str | None = None, algorithm: str = "sha256") -> str:
        """Return the line for a package of this channel, at its own address or under ``base``."""
        where = file.relative_to(self.folder).as_posix()
        url = f"{base}/{where}" if base else file.as_uri()
        digest = hashlib.new(algorithm, file.read_bytes()).hexdigest()
        return f"{url}#{'sha256:' if algorithm == 'sha256' else ''}{digest}"


@dataclass
class Server:
    """What a test may see of the server, and tell it."""

    url: str = ""
    requested: list[str] = field(default_factory=list)
    truncated: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: Any, watched: Server, **options: Any) -> None:
        self.watched = watched
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        self.watched.requested.append(name)
        if name in self.watched.held:
            self.watched.reached.set()
            self.watched.released.wait(60)
            return
        if name not in self.watched.truncated:
            super().do_GET()
            return
        content = Path(self.translate_path(self.path)).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])

    def do_HEAD(self) -> None:
        if self.path.rpartition("/")[2] in self.watched.held:
            self.watched.released.wait(60)
            return
        super().do_HEAD()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


def start(folder: Path) -> tuple[ThreadingHTTPServer, Server]:
    """Serve a folder on loopback; whoever starts the server shuts it down."""
    watched = Server()
    handler = partial(_Handler, watched=watched, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    watched.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server, watched


def make_wheel(folder: Path, *, tag: str = "py3-none-any", pure: str = "true") -> Path:
    info = "Some_Thing-2.0.dist-info"
    files = {
        "some/__init__.py": "def main(): print('some thing')\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: Some_Thing\nVersion: 2.0\n"
        "Requires-Python: >=3.9, !=3.10\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: {pure}\nTag: {tag}\n",
        f"{info}/entry_points.txt": "[console_scripts]\nsome = some:main\n",
    }
    rows = [f"{name},sha256={_record_digest(text)},{len(text)}" for name, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    wheel = folder / f"Some_Thing-2.0-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


def _record_digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def flip(file: Path) -> None:
    """Change one byte in the middle of a file, and nothing else of it."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def entries(folder: Path) -> list[str]:
    """The names in a folder, but for locks; none where there is no folder."""
    every = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in every if not path.name.endswith(".lock"))
